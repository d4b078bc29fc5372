"""Experiments of the words benchmark."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minsyn import __version__
from minsyn.benchmark.grid import CellGrid
from minsyn.benchmark.methods import Method, find_methods
from minsyn.datasets import Letters, Vocabulary, WordImages, make_word_images, paper_vocabulary

__all__ = ["Experiment"]

_RESAMPLE = ("none", "words", "all")


@dataclass(frozen=True, eq=False)
class Experiment(CellGrid):
    """Methods x draws of letters, and the settings that all of these cells share (`CellGrid`).

    Attributes
    ----------
    letters : Letters
        Images of letters, loaded once for all draws.
    methods : tuple of Method
        Rows of the table.
    draws : int
        How many times letters are drawn; each draw gives every method new words.
    n_components : int
        Factors of each method; the paper's 9 are 3 for each of 3 letters.
    resample : {"none", "words", "all"}
        How often images of letters are drawn anew within a draw, as for
        `minsyn.datasets.make_word_images`.
    samples_per_word : int
        Images of each word.
    seed : int
        What all random numbers derive from.
    vocabulary : Vocabulary
        Words to train on and words held out. Default: the paper's.

    Raises
    ------
    ValueError
        A setting is out of its range, two methods share a key, or a letter has no image.

    Examples
    --------
    >>> from minsyn.benchmark import Experiment, find_methods
    >>> from minsyn.datasets import load_letters
    >>> experiment = Experiment(load_letters("typewriter"), find_methods(["pca", "ica"]), draws=2)
    >>> [(method.key, draw) for method, draw in experiment.cells()]
    [('pca', 0), ('ica', 0), ('pca', 1), ('ica', 1)]
    """

    letters: Letters
    methods: tuple[Method, ...] = field(default_factory=find_methods)
    draws: int = 3
    n_components: int = 9
    resample: str = "none"
    samples_per_word: int = 1
    seed: int = 0
    vocabulary: Vocabulary = field(default_factory=paper_vocabulary)

    def __post_init__(self) -> None:
        self._require({"draws": 1, "samples_per_word": 1, "seed": 0})
        if self.resample not in _RESAMPLE:
            raise ValueError(
                f"resample: {self.resample!r} is not one of {', '.join(map(repr, _RESAMPLE))}"
            )
        self.letters.require(self.vocabulary.alphabet)
        self._require_components()

    def _require_components(self) -> None:
        n_images = len(self.vocabulary.train) * self.samples_per_word
        height, width = self.letters.images.shape[1:]
        n_pixels = height * width * self.vocabulary.length
        if not 1 <= self.n_components <= min(n_images, n_pixels):
            raise ValueError(
                f"n_components: {self.n_components} must be from 1 to {min(n_images, n_pixels)}, "
                f"as there are {n_images} word images of {n_pixels} pixels to train on"
            )

    def data(self, draw: int) -> WordImages:
        """The word images of a draw.

        Parameters
        ----------
        draw : int
            From 0.

        Returns
        -------
        WordImages
        """
        return make_word_images(
            self.vocabulary,
            self.letters,
            resample=self.resample,
            samples_per_word=self.samples_per_word,
            random_state=self.data_seed(draw),
        )

    def settings(self) -> dict[str, Any]:
        """Settings that all cells of a table share; methods and draws are not part of it.

        Returns
        -------
        dict
            Ready for JSON. Letters and vocabulary appear by name or size and by digest.
        """
        return {
            "minsyn": __version__,
            **describe_words(self.letters, self.vocabulary),
            "n_components": self.n_components,
            "resample": self.resample,
            "samples_per_word": self.samples_per_word,
            "seed": self.seed,
        }


def describe_words(letters: Letters, vocabulary: Vocabulary) -> dict[str, str]:
    """Letters and words by name or size and by digest, for `CellGrid.settings`."""
    return {
        "letters": letters.name,
        "letters_sha256": _letters_digest(letters),
        "vocabulary": f"{len(vocabulary.train)} + {len(vocabulary.test)} words",
        "vocabulary_sha256": digest(repr((vocabulary.train, vocabulary.test)).encode()),
    }


def _letters_digest(letters: Letters) -> str:
    styles = letters.styles if letters.styles is None else letters.styles.tolist()
    described = repr((letters.images.shape, letters.labels.tolist(), styles)).encode()
    return digest(np.ascontiguousarray(letters.images), described)


def digest(*parts: Any) -> str:
    """SHA-256 of bytes and arrays, one after the other."""
    sha256 = hashlib.sha256()
    for part in parts:
        sha256.update(part)
    return sha256.hexdigest()
