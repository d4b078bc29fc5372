"""Word frequencies, the most frequent words, and samples in proportion to frequency."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from minsyn.datasets.random_state import RandomState
from minsyn.datasets.vocabulary import require_distinct, some


def top_words(
    length: int,
    n_words: int,
    frequencies: Mapping[str, int | float] | Sequence[str] | str | os.PathLike[str] | None = None,
) -> tuple[str, ...]:
    """Return the most frequent words of a given length, in descending order of frequency.

    Parameters
    ----------
    length : int
        Number of letters in a word.
    n_words : int
        Number of words.
    frequencies : mapping, sequence of str, or path, optional
        One of: a count for each word; words in descending order of frequency; the path of a text
        file. A text file has one word per line, the most frequent first, or one word and its count
        per line. Upper and lower case are distinct. Words with equal counts are sorted
        alphabetically. Default: the counts of the optional package ``wordsegment``, from a trillion
        words of English web pages.

    Returns
    -------
    tuple of str

    Raises
    ------
    ImportError
        If ``frequencies`` is not given and ``wordsegment`` is not installed.
    ValueError
        If there are fewer than ``n_words`` words of that length, a word occurs twice, or a count is
        not a finite number.

    Examples
    --------
    >>> from minsyn.datasets import top_words
    >>> top_words(2, 2, {"an": 5, "no": 7, "the": 9, "ax": 5})
    ('no', 'an')
    """
    if length < 1 or n_words < 1:
        raise ValueError(f"length, n_words: expected at least 1, found {length} and {n_words}")
    words = [word for word in _by_frequency(frequencies) if len(word) == length]
    if len(words) < n_words:
        raise ValueError(
            f"n_words: {n_words} words of {length} letters were requested, but frequencies has "
            f"only {len(words)}; request fewer words or pass a longer list"
        )
    return tuple(words[:n_words])


def sample_counts(
    words: Iterable[str],
    frequencies: Mapping[str, int | float],
    n_samples: int,
    *,
    random_state: RandomState = None,
) -> dict[str, int]:
    """Draw words in proportion to their frequencies, and count the draws of each word.

    Parameters
    ----------
    words : iterable of str
        The words to draw from, such as ``vocabulary.train``.
    frequencies : mapping of str to float
        A non-negative frequency or count for each word. They need not be normalised. Other words
        are ignored.
    n_samples : int
        Number of draws.
    random_state : int, SeedSequence, Generator or None
        The same seed gives the same counts.

    Returns
    -------
    dict of str to int
        Number of draws of each word. Pass it as ``samples_per_word`` to :func:`make_word_images`.

    Raises
    ------
    ValueError
        If a word has no frequency, a frequency is negative, NaN or infinite, all are 0, or
        ``n_samples`` is less than 1.

    Examples
    --------
    >>> from minsyn.datasets import sample_counts
    >>> counts = sample_counts(["an", "in"], {"an": 3, "in": 1, "of": 9}, 100, random_state=0)
    >>> sum(counts.values()), counts["an"] > counts["in"]
    (100, True)
    """
    words = tuple(words)
    if n_samples < 1:
        raise ValueError(f"n_samples: expected at least 1, found {n_samples}")
    missing = [word for word in words if word not in frequencies]
    if missing:
        raise ValueError(
            f"frequencies: no frequency for {some(missing)}; add them, with 0 to exclude a word"
        )
    weights = np.array([frequencies[word] for word in words], dtype=float)
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise ValueError(
            "frequencies: expected finite non-negative numbers, not all 0, for the given words; "
            f"found {weights[:5]}"
        )
    counts = np.random.default_rng(random_state).multinomial(n_samples, weights / weights.sum())
    return dict(zip(words, counts.tolist(), strict=True))


def _by_frequency(
    frequencies: Mapping[str, int | float] | Sequence[str] | str | os.PathLike[str] | None,
) -> Sequence[str]:
    if frequencies is None:
        frequencies = _wordsegment_counts()
    if isinstance(frequencies, str | os.PathLike):
        frequencies = _read_frequencies(Path(frequencies))
    if not isinstance(frequencies, Mapping):
        require_distinct(frequencies, "frequencies")
        return frequencies
    counts = frequencies
    odd = next((word for word, count in counts.items() if not math.isfinite(count)), None)
    if odd is not None:
        raise ValueError(f"frequencies: the count of {odd!r} is {counts[odd]}; correct it")
    return sorted(counts, key=lambda word: (-counts[word], word))


def _read_frequencies(path: Path) -> Mapping[str, int | float] | Sequence[str]:
    """Read ``word`` or ``word count`` lines; blank lines are skipped."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"frequencies: {path} is not UTF-8 text ({error})") from error
    lines = [line.split() for line in text.splitlines() if line.strip()]
    require_distinct([line[0] for line in lines], f"frequencies: {path}")
    if all(len(line) == 1 for line in lines):
        return [word for (word,) in lines]
    try:
        return {word: float(count) for word, count in lines}
    except ValueError as error:
        raise ValueError(
            f"frequencies: every line of {path} must be a word, or every line a word and its "
            f"count ({error})"
        ) from error


def _wordsegment_counts() -> Mapping[str, int | float]:
    try:
        import wordsegment
    except ImportError as error:
        raise ImportError(
            "frequencies: the default counts need the package wordsegment, which is not "
            "installed; pip install 'minsyn[words]', or pass your own frequencies"
        ) from error
    wordsegment.load()
    return wordsegment.UNIGRAMS
