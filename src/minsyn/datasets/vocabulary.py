"""Vocabularies of training words and held-out words, of any length."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from minsyn.datasets.paper import PAPER_LETTERS, PAPER_WORDS
from minsyn.datasets.random_state import RandomState

#: Maximum number of combinations. The images of more words would not fit into memory.
_MAX_COMBINATIONS = 1_000_000


@dataclass(frozen=True)
class Vocabulary:
    """Words of equal length, split into training words and held-out words.

    Parameters
    ----------
    letters : tuple of str
        The letters at each position, one string per position.
    train, test : tuple of str
        Training words and held-out words, without repetitions. ``test`` may be empty.

    Raises
    ------
    ValueError
        If there are no training words, words differ in length, a word occurs twice, or a word has a
        letter that is not in ``letters`` at that position.

    Examples
    --------
    >>> from minsyn.datasets import Vocabulary
    >>> vocabulary = Vocabulary(letters=("ab", "no"), train=("an", "bo"), test=("ao",))
    >>> vocabulary.length, vocabulary.alphabet
    (2, ('a', 'b', 'n', 'o'))
    """

    letters: tuple[str, ...]
    train: tuple[str, ...]
    test: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.train:
            raise ValueError("train: the vocabulary is empty; pass at least one training word")
        if not self.letters:
            raise ValueError("letters: expected at least one position, found none")
        require_distinct(self.train + self.test, "train, test")
        if any(len(set(here)) < len(here) for here in self.letters):
            raise ValueError(f"letters: a position repeats a letter: {self.letters}")
        for word in self.train + self.test:
            if len(word) != self.length:
                raise ValueError(
                    f"train, test: all words must have {self.length} letters, one per string in "
                    f"letters={self.letters}, but {word!r} has {len(word)}"
                )
            for position, letter in enumerate(word):
                if letter not in self.letters[position]:
                    raise ValueError(
                        f"letters: {word!r} has {letter!r} at position {position}, where only "
                        f"{self.letters[position]!r} are known; add the letter or drop the word"
                    )

    @classmethod
    def from_words(cls, train: Iterable[str], test: Iterable[str] = ()) -> "Vocabulary":
        """Make a vocabulary from words, with the letters that occur in them.

        Raises
        ------
        ValueError
            If there are no training words, words differ in length, or a word occurs twice.

        Examples
        --------
        >>> from minsyn.datasets import Vocabulary
        >>> Vocabulary.from_words(["10", "12"], ["02"]).letters
        ('01', '02')
        """
        train, test = tuple(train), tuple(test)
        letters = tuple("".join(sorted(set(here))) for here in _positions(train + test))
        return cls(letters=letters, train=train, test=test)

    def sample(
        self,
        n_train: int | None = None,
        n_test: int | None = None,
        *,
        random_state: RandomState = None,
    ) -> "Vocabulary":
        """Choose a random subset of the words.

        Held-out words with a letter that no chosen training word has at that position are left out:
        they would test unseen letters, instead of new combinations of known letters.

        Parameters
        ----------
        n_train : int, optional
            Number of training words. Default: all.
        n_test : int, optional
            Maximum number of held-out words. Default: all that remain.
        random_state : int, SeedSequence, Generator or None
            The same seed gives the same words.

        Returns
        -------
        Vocabulary
            The chosen words, in their original order.

        Raises
        ------
        ValueError
            If ``n_train`` is not from 1 to the number of training words, or ``n_test`` is negative.

        Examples
        --------
        >>> from minsyn.datasets import Vocabulary
        >>> vocabulary = Vocabulary.from_words(["an", "in", "at"], ["it"])
        >>> few = vocabulary.sample(2, random_state=0)
        >>> few.train, few.test
        (('in', 'at'), ('it',))
        """
        if n_train is not None and not 1 <= n_train <= len(self.train):
            raise ValueError(
                f"n_train: {n_train} must be from 1 to {len(self.train)}, the number of training "
                "words"
            )
        if n_test is not None and n_test < 0:
            raise ValueError(f"n_test: {n_test} must not be negative")
        rng = np.random.default_rng(random_state)
        train = _some_of(self.train, n_train, rng)
        seen = [set(here) for here in _positions(train)]
        test = tuple(
            word
            for word in self.test
            if all(letter in here for letter, here in zip(word, seen, strict=True))
        )
        return Vocabulary(self.letters, train, _some_of(test, n_test, rng))

    @property
    def length(self) -> int:
        """Number of letters in a word."""
        return len(self.letters)

    @property
    def words(self) -> tuple[str, ...]:
        """All words: the training words, then the held-out words."""
        return self.train + self.test

    @property
    def alphabet(self) -> tuple[str, ...]:
        """The letters that occur in the words at any position, sorted."""
        return tuple(sorted(set().union(*self.words)))


def paper_vocabulary() -> Vocabulary:
    """Return the paper's vocabulary: 149 English training words, 363 held-out combinations.

    References
    ----------
    Ver Steeg, Brekelmans, Harutyunyan, Galstyan (2017), "Disentangled Representations via Synergy
    Minimization", arXiv:1710.03839, Sec. IV-A and Fig. 2.

    Examples
    --------
    >>> from minsyn.datasets import paper_vocabulary
    >>> vocabulary = paper_vocabulary()
    >>> len(vocabulary.train), len(vocabulary.test)
    (149, 363)
    """
    return combine(PAPER_LETTERS, PAPER_WORDS)


def combine(letters: Sequence[str], valid_words: Iterable[str]) -> Vocabulary:
    """Form all combinations of letters: valid words for training, the rest held out.

    Parameters
    ----------
    letters : sequence of str
        The letters at each position, for example from :func:`top_letters`.
    valid_words : iterable of str
        The words of the language, of any length. Words that are not a combination are ignored.

    Returns
    -------
    Vocabulary
        Words in the order of the combinations, which is alphabetical if the letters at each
        position are.

    Raises
    ------
    ValueError
        If a position has no letters or the same letter twice, there are more than a million
        combinations, or no combination is a valid word.

    Examples
    --------
    >>> from minsyn.datasets import combine
    >>> combine(["ab", "no"], ["an", "bo", "on"])
    Vocabulary(letters=('ab', 'no'), train=('an', 'bo'), test=('ao', 'bn'))
    """
    letters, valid = tuple(letters), frozenset(valid_words)
    if not all(letters) or not letters:
        raise ValueError(f"letters: expected at least one letter per position, found {letters}")
    n_combinations = math.prod(map(len, letters))
    if n_combinations > _MAX_COMBINATIONS:
        raise ValueError(
            f"letters: {n_combinations} combinations are more than {_MAX_COMBINATIONS}; "
            "use fewer letters per position"
        )
    words = ["".join(combination) for combination in itertools.product(*letters)]
    train = tuple(word for word in words if word in valid)
    if not train:
        raise ValueError(
            f"valid_words: none of the {len(words)} combinations of {letters} is among the "
            f"{len(valid)} valid words; pass words of {len(letters)} letters"
        )
    return Vocabulary(letters, train, test=tuple(word for word in words if word not in valid))


def top_letters(words: Iterable[str], n_letters: int) -> tuple[str, ...]:
    """Return the most frequent letters at each position of the words.

    Each word counts once. Among equally frequent letters, the first in the alphabet is chosen.

    Parameters
    ----------
    words : iterable of str
        Words of equal length.
    n_letters : int
        Number of letters per position.

    Returns
    -------
    tuple of str
        One string per position, with its letters in alphabetical order.

    Raises
    ------
    ValueError
        If there are no words, words differ in length, or a position has fewer than ``n_letters``
        letters.

    Examples
    --------
    >>> from minsyn.datasets import top_letters
    >>> top_letters(["an", "at", "in", "of"], 2)
    ('ai', 'fn')
    """
    if n_letters < 1:
        raise ValueError(f"n_letters: expected at least 1, found {n_letters}")
    return tuple(
        _most_frequent(here, n_letters, position)
        for position, here in enumerate(_positions(tuple(words)))
    )


def _most_frequent(letters: tuple[str, ...], n_letters: int, position: int) -> str:
    counts = Counter(letters)
    if len(counts) < n_letters:
        raise ValueError(
            f"n_letters: {n_letters} letters were requested, but the words have only "
            f"{len(counts)} at position {position}; request fewer letters or pass more words"
        )
    ranked = sorted(counts, key=lambda letter: (-counts[letter], letter))
    return "".join(sorted(ranked[:n_letters]))


def _some_of(words: tuple[str, ...], n: int | None, rng: np.random.Generator) -> tuple[str, ...]:
    """Choose ``n`` words at random, in their original order, or all if there are fewer."""
    if n is None or n >= len(words):
        return words
    return tuple(words[i] for i in sorted(rng.choice(len(words), n, replace=False)))


def _positions(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Letters at each position of the words."""
    if not words:
        raise ValueError("words: the vocabulary is empty; pass at least one word")
    odd = next((word for word in words if len(word) != len(words[0])), None)
    if odd is not None:
        raise ValueError(
            f"words: all must have equal length, but {words[0]!r} has {len(words[0])} letters and "
            f"{odd!r} has {len(odd)}"
        )
    return zip(*words, strict=True)


def require_distinct(words: Sequence[str], argument: str) -> None:
    """Raise a ``ValueError`` that names the argument if a word occurs twice among ``words``."""
    twice = [word for word, count in Counter(words).items() if count > 1]
    if twice:
        raise ValueError(f"{argument}: words must be distinct; repeated: {some(twice)}")


def some(words: Sequence[str]) -> str:
    """List the first few words, for a message."""
    return ", ".join(map(repr, words[:5])) + (", ..." if len(words) > 5 else "")
