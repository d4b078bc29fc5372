"""Images of words, made of images of letters, with ground-truth factors."""

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int, Shaped

from minsyn.datasets.letters import Letters
from minsyn.datasets.load import load_letters
from minsyn.datasets.placement import Placement
from minsyn.datasets.random_state import RandomState
from minsyn.datasets.vocabulary import Vocabulary, paper_vocabulary, some

RESAMPLE = ("none", "words", "all")


@dataclass(frozen=True, eq=False)
class WordImages:
    """Flattened images of training words and held-out words.

    Attributes
    ----------
    train, test : float32 arrays of shape (n_samples, n_pixels)
        Pixels, from 0 (background) to 1 (ink). ``row.reshape(image_shape)`` is the image of a word.
    train_words, test_words : arrays of n_samples strings
        The word of each row.
    train_factors, test_factors : integer arrays of shape (n_samples, length)
        Ground-truth factors: the letter at each position, as an index into
        ``vocabulary.letters[position]``.
    groups : integer array of shape (n_pixels,)
        The character position of each pixel, from 0; where letters overlap, that of the letter with
        the nearer centre.
    parents : bool array of shape (length, n_pixels)
        Whether the letter at each position makes a difference at each pixel: whether its own ink
        varies there in the training images. Two do where letters overlap, none in the margins.
    image_shape : tuple of int
        Height and width of an image in pixels.
    vocabulary : Vocabulary
        The words and the letters at each position.
    source : str
        Name of the letters.

    Examples
    --------
    >>> from minsyn.datasets import Vocabulary, make_word_images
    >>> words = make_word_images(Vocabulary.from_words(["an", "in"], ["at"]), random_state=0)
    >>> words.train.shape, words.image_shape
    ((2, 1568), (28, 56))
    >>> [str(word) for word in words.train_words], words.train_factors.tolist()
    (['an', 'in'], [[0, 0], [1, 0]])
    """

    train: Float32[np.ndarray, "train_samples pixels"]
    test: Float32[np.ndarray, "test_samples pixels"]
    train_words: Shaped[np.ndarray, "train_samples"]
    test_words: Shaped[np.ndarray, "test_samples"]
    train_factors: Int[np.ndarray, "train_samples length"]
    test_factors: Int[np.ndarray, "test_samples length"]
    groups: Int[np.ndarray, "pixels"]
    parents: Bool[np.ndarray, "length pixels"]
    image_shape: tuple[int, int]
    vocabulary: Vocabulary
    source: str


def make_word_images(
    vocabulary: Vocabulary | None = None,
    letters: Letters | str | os.PathLike[str] = "typewriter",
    *,
    resample: str = "none",
    samples_per_word: int | Mapping[str, int] = 1,
    jitter: int = 0,
    overlap: float = 0.0,
    scale: float = 0.0,
    random_state: RandomState = None,
) -> WordImages:
    """Make images of words from images of letters.

    Parameters
    ----------
    vocabulary : Vocabulary, optional
        Default: the paper's (:func:`paper_vocabulary`).
    letters : Letters, str or path
        Images of letters, or an argument of :func:`load_letters`.
    resample : {"none", "words", "all"}
        How often images of letters are redrawn.

        - ``"none"``: each letter has one image, in all training and test words (the paper's task);
        - ``"words"``: each letter has one image per row. Both p's of "pip" look the same, but p's
          of different rows look different;
        - ``"all"``: every character is drawn independently, in any style.

        With ``"none"`` and ``"words"``, letters that are drawn together have the same style, if
        styles are known (:meth:`Letters.draw`).
    samples_per_word : int or mapping of str to int
        Number of rows for each word; they are consecutive. A mapping must have all training words,
        with 0 to leave a word out. Held-out words that are not in the mapping have one row.
        :func:`sample_counts` makes such a mapping from word frequencies.
    jitter : int
        Each letter of each image is shifted at random by up to so many pixels, horizontally and
        vertically. What leaves the image is cut off.
    overlap : float
        Share of a letter's width by which neighbours overlap, from 0 to less than 1, in whole
        pixels. A pixel has the ink of the darker letter.
    scale : float
        Each letter of each image is larger or smaller by up to this share of its size, at random,
        from 0 to less than 1.
    random_state : int, SeedSequence, Generator or None
        The same seed gives the same bits.

    Returns
    -------
    WordImages

    Raises
    ------
    ValueError
        If a letter of the vocabulary has no image; if ``resample`` is unknown; if
        ``samples_per_word`` is negative, lacks a training word, has an unknown word, or leaves no
        training row; or if ``jitter``, ``overlap`` or ``scale`` is out of its range.

    Notes
    -----
    Letters are chosen first: with the same seed, words with and without ``jitter``, ``overlap`` and
    ``scale`` have the same letters.

    Examples
    --------
    >>> from minsyn.datasets import make_word_images
    >>> words = make_word_images(random_state=0)
    >>> words.train.shape, words.test.shape
    ((149, 2352), (363, 2352))
    >>> words.groups.reshape(words.image_shape)[0, ::28].tolist()
    [0, 1, 2]

    Letters that overlap by a quarter of their width, each shifted by up to a pixel:

    >>> words = make_word_images(samples_per_word=2, jitter=1, overlap=0.25, random_state=0)
    >>> words.train.shape, words.image_shape
    ((298, 1960), (28, 70))
    >>> across = words.parents.sum(axis=0).reshape(words.image_shape)[14]
    >>> across[18:28].tolist()  # the end of the first letter, and the beginning of the second
    [1, 1, 1, 1, 2, 2, 1, 1, 1, 1]
    """
    if resample not in RESAMPLE:
        raise ValueError(f"resample: {resample!r} is not one of {', '.join(map(repr, RESAMPLE))}")
    if vocabulary is None:
        vocabulary = paper_vocabulary()
    if not isinstance(letters, Letters):
        letters = load_letters(letters)
    letters.require(vocabulary.alphabet)
    train_words, test_words = _repeat(vocabulary, samples_per_word)

    shape = letters.images.shape[1:]
    placement = Placement(vocabulary.length, shape, jitter, overlap, scale)

    rng = np.random.default_rng(random_state)
    draw = _drawing(letters, vocabulary, resample, rng)
    rows = [_choose(words, letters, rng, draw) for words in (train_words, test_words)]
    train, parents = placement.draw(letters.images, rows[0], rng)
    test, _ = placement.draw(letters.images, rows[1], rng)
    return WordImages(
        train=train,
        test=test,
        train_words=train_words,
        test_words=test_words,
        train_factors=_factors(train_words, vocabulary),
        test_factors=_factors(test_words, vocabulary),
        groups=placement.groups,
        parents=parents,
        image_shape=placement.image_shape,
        vocabulary=vocabulary,
        source=letters.name,
    )


def _repeat(
    vocabulary: Vocabulary, samples_per_word: int | Mapping[str, int]
) -> tuple[Shaped[np.ndarray, "train_samples"], Shaped[np.ndarray, "test_samples"]]:
    """Return the word of each row, train and test."""
    counts = _counts(vocabulary, samples_per_word)
    train, test = (
        np.repeat(
            np.array(words, dtype=f"U{vocabulary.length}"),
            np.array([counts[word] for word in words], dtype=int),
        )
        for words in (vocabulary.train, vocabulary.test)
    )
    return train, test


def _counts(vocabulary: Vocabulary, samples_per_word: int | Mapping[str, int]) -> Mapping[str, int]:
    if not isinstance(samples_per_word, Mapping):
        counts = dict.fromkeys(vocabulary.words, samples_per_word)
    else:
        missing = [word for word in vocabulary.train if word not in samples_per_word]
        if missing:
            raise ValueError(
                f"samples_per_word: no count for {some(missing)}; every training word needs one, "
                "with 0 to leave a word out"
            )
        unknown = sorted(samples_per_word.keys() - set(vocabulary.words))
        if unknown:
            raise ValueError(
                f"samples_per_word: {some(unknown)} not in the vocabulary; remove the counts"
            )
        counts = {word: samples_per_word.get(word, 1) for word in vocabulary.words}
    odd = next((n for n in counts.values() if not isinstance(n, int | np.integer)), None)
    if odd is not None:
        raise TypeError(
            f"samples_per_word: counts must be integers, found {odd!r}; sample_counts() turns "
            "frequencies into counts"
        )
    if min(counts.values()) < 0 or not any(counts[word] for word in vocabulary.train):
        raise ValueError(
            "samples_per_word: counts must not be negative and must leave at least one training "
            f"row; the smallest is {min(counts.values())}"
        )
    return counts


def _drawing(
    letters: Letters, vocabulary: Vocabulary, resample: str, rng: np.random.Generator
) -> Callable[[str], Mapping[str, int]] | None:
    """Function that draws the images of a word's letters, or None for independent characters."""
    if resample == "none":
        drawn = letters.draw(rng, vocabulary.alphabet)
        return lambda word: drawn
    if resample == "words":
        return functools.partial(letters.draw, rng)
    return None


def _choose(
    words: Shaped[np.ndarray, "samples"],
    letters: Letters,
    rng: np.random.Generator,
    draw: Callable[[str], Mapping[str, int]] | None,
) -> Int[np.ndarray, "samples length"]:
    """Choose an image for each character of each word, as rows of ``letters.images``.

    ``draw`` chooses the images of a word's letters together. If it is None, all characters are
    independent.
    """
    characters = _characters(words)
    rows = np.zeros(characters.shape, dtype=int)
    if draw is None:
        for letter in np.unique(characters):
            here = characters == letter
            rows[here] = letters.pick(str(letter), rng, int(here.sum()))
    else:
        for row, word in zip(rows, words, strict=True):
            drawn = draw(word)
            row[:] = [drawn[letter] for letter in word]
    return rows


def _factors(
    words: Shaped[np.ndarray, "samples"], vocabulary: Vocabulary
) -> Int[np.ndarray, "samples length"]:
    factors = [
        [here.index(c) for here, c in zip(vocabulary.letters, word, strict=True)] for word in words
    ]
    return np.array(factors, dtype=int).reshape(len(words), vocabulary.length)


def _characters(words: Shaped[np.ndarray, "samples"]) -> Shaped[np.ndarray, "samples length"]:
    length = words.dtype.itemsize // np.dtype("U1").itemsize
    return words.view("U1").reshape(len(words), length)
