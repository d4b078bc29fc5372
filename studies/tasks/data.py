"""Kinds of tasks, and the experiment of a task with methods and draws."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from minsyn import __version__
from minsyn.benchmark import CellGrid, Method, Samples, describe_words, digest
from minsyn.datasets import Letters, Vocabulary, WordImages, make_word_images

__all__ = ["TableTask", "Task", "TaskExperiment", "WordTask"]

#: Latents for each character, as the paper's 9 are for 3.
_PER_CHARACTER = 3


@runtime_checkable
class Task(Protocol):
    """A data set that methods are tried on.

    Attributes
    ----------
    key, label : str
        Name on the command line and of a folder, and name in tables and figures.
    n_groups, n_components : int
        True groups of features, and latents that methods are given.
    in_unit_range : bool
        Whether all values are from 0 to 1.
    """

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def label(self) -> str: ...  # noqa: D102
    @property
    def n_groups(self) -> int: ...  # noqa: D102
    @property
    def n_components(self) -> int: ...  # noqa: D102
    @property
    def in_unit_range(self) -> bool: ...  # noqa: D102

    def draw(self, seed: np.random.SeedSequence) -> Samples:
        """Data of a draw; the same seed gives the same bits.

        Parameters
        ----------
        seed : SeedSequence
            Source of all random numbers.
        """
        ...

    def settings(self) -> dict[str, Any]:
        """Settings that determine the data, beside the seed, ready for JSON."""
        ...


@dataclass(frozen=True, eq=False)
class WordTask:
    """Images of words, three latents for each character.

    Attributes
    ----------
    key, label : str
        Names.
    letters : Letters
        Images of letters.
    vocabulary : Vocabulary
        Words to train on and words held out.
    n_train, n_test : int, optional
        Where given, each draw takes so many of the words (`minsyn.datasets.Vocabulary.sample`).
    resample : {"none", "words", "all"}
        As for `minsyn.datasets.make_word_images`.
    samples_per_word : int
        Images of each training word; held-out words have one.
    jitter, overlap, scale
        As for `minsyn.datasets.make_word_images`.

    Examples
    --------
    >>> from minsyn.datasets import load_digits, Vocabulary
    >>> vocabulary = Vocabulary.from_words(["12", "21", "11"], ["22"])
    >>> task = WordTask("numbers", "Numbers", load_digits(), vocabulary, n_train=2)
    >>> task.draw(np.random.SeedSequence(0)).train.shape, task.n_components
    ((2, 128), 6)
    """

    key: str
    label: str
    letters: Letters
    vocabulary: Vocabulary
    n_train: int | None = None
    n_test: int | None = None
    resample: str = "none"
    samples_per_word: int = 1
    jitter: int = 0
    overlap: float = 0.0
    scale: float = 0.0

    @property
    def n_groups(self) -> int:
        """Characters of a word."""
        return self.vocabulary.length

    @property
    def n_components(self) -> int:
        """Three for each character."""
        return _PER_CHARACTER * self.vocabulary.length

    @property
    def in_unit_range(self) -> bool:
        """Ink is from 0 to 1."""
        return True

    def draw(self, seed: np.random.SeedSequence) -> WordImages:
        """Words and images of a draw.

        Parameters
        ----------
        seed : SeedSequence
            Source of all random numbers.
        """
        vocabulary = self.vocabulary
        if self.n_train is not None or self.n_test is not None:
            # A stream of its own: whether words are chosen does not change which images are.
            of_words = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, 0))
            vocabulary = vocabulary.sample(self.n_train, self.n_test, random_state=of_words)
        return make_word_images(
            vocabulary,
            self.letters,
            resample=self.resample,
            samples_per_word=dict.fromkeys(vocabulary.train, self.samples_per_word),
            jitter=self.jitter,
            overlap=self.overlap,
            scale=self.scale,
            random_state=seed,
        )

    def settings(self) -> dict[str, Any]:
        """Letters, words, and how they are drawn and placed."""
        placement = {"jitter": self.jitter, "overlap": self.overlap, "scale": self.scale}
        return {
            **describe_words(self.letters, self.vocabulary),
            "n_train": self.n_train,
            "n_test": self.n_test,
            "resample": self.resample,
            "samples_per_word": self.samples_per_word,
            # Where they are not used, runs of before they were known can go on.
            **{name: value for name, value in placement.items() if value},
        }


@dataclass(frozen=True, eq=False)
class TableTask:
    """A table whose columns are not pixels.

    Attributes
    ----------
    key, label : str
        Names.
    make : callable
        Takes a SeedSequence and returns `Samples`, such as `minsyn.datasets.ExpressionTable`.
    n_groups, n_components : int
        Groups of columns, and latents that methods are given.
    in_unit_range : bool
        Whether all values are from 0 to 1.
    """

    key: str
    label: str
    make: Callable[[np.random.SeedSequence], Samples]
    n_groups: int
    n_components: int
    in_unit_range: bool = False

    def draw(self, seed: np.random.SeedSequence) -> Samples:
        """The table of a draw.

        Parameters
        ----------
        seed : SeedSequence
            Source of all random numbers.
        """
        return self.make(seed)

    def settings(self) -> dict[str, Any]:
        """Digest of one table: another way to make them gives another one."""
        data = self.make(np.random.SeedSequence(0))
        return {"table": self.key, "table_sha256": digest(np.ascontiguousarray(data.train))}


@dataclass(frozen=True, eq=False)
class TaskExperiment(CellGrid):
    """Methods x draws of a task. Methods that do not suit its data are left out.

    Attributes
    ----------
    task : Task
        The data set.
    methods : tuple of Method
        Those that can take its values (`Method.suits`).
    draws : int
        How many times its data are drawn.
    seed : int
        What all random numbers derive from.

    Raises
    ------
    ValueError
        A setting is out of its range, two methods share a key, or none suits the data.

    Examples
    --------
    >>> from minsyn.benchmark import find_methods
    >>> from minsyn.datasets import load_letters
    >>> from studies.tasks.catalogue import find_tasks
    >>> (task,) = find_tasks(load_letters("typewriter"), ["genes"])
    >>> experiment = TaskExperiment(task, find_methods(["pca", "minsyn-bernoulli"]), draws=1)
    >>> [method.key for method in experiment.methods], experiment.data(0).train.shape
    (['pca'], (300, 200))
    """

    task: Task
    methods: tuple[Method, ...]
    draws: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        suited = tuple(m for m in self.methods if m.suits(self.task.in_unit_range))
        if self.methods and not suited:
            raise ValueError(
                f"methods: none suits the values of {self.task.label!r}, which leave 0 to 1; add "
                "one that does, such as 'pca'"
            )
        object.__setattr__(self, "methods", suited)
        self._require({"draws": 1, "seed": 0})

    @property
    def n_components(self) -> int:
        """The task's."""
        return self.task.n_components

    def data(self, draw: int) -> Samples:
        """The task's data in a draw.

        Parameters
        ----------
        draw : int
            From 0.

        Returns
        -------
        Samples
        """
        return self.task.draw(self.data_seed(draw))

    def settings(self) -> dict[str, Any]:
        """Settings that all cells of a table share.

        Returns
        -------
        dict
            Ready for JSON.
        """
        return {
            "minsyn": __version__,
            "task": self.task.key,
            **self.task.settings(),
            "n_components": self.n_components,
            "seed": self.seed,
        }
