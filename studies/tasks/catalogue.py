"""Catalogue of the tasks."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np

from minsyn.benchmark import Samples
from minsyn.datasets import (
    Letters,
    Vocabulary,
    combine,
    load_digits,
    load_typewriter,
    make_expression,
    paper_vocabulary,
    top_letters,
    top_words,
)
from studies.tasks.data import TableTask, Task, WordTask

__all__ = ["TASKS", "find_tasks"]

#: The paper's letters are the commonest 8 at each position of so many of the commonest words.
_TOP_WORDS, _N_LETTERS = 300, 8
#: Combinations that are among so many of the commonest words count as words. Of three letters that
#: would be 168, where the paper, with another list, has 149.
_VALID_WORDS = 1000
#: Held-out words of longer vocabularies, of thousands.
_N_TEST = 400
#: Numbers to train on, about as many as the paper's words.
_N_NUMBERS = 150


def _paper_words(letters: Letters) -> Task:
    return WordTask("words-3", "Three letters (the paper's)", letters, paper_vocabulary())


def _longer_words(length: int, name: str) -> Callable[[Letters], Task]:
    def make(letters: Letters) -> Task:
        at_each_position = top_letters(top_words(length, _TOP_WORDS), _N_LETTERS)
        vocabulary = combine(at_each_position, top_words(length, _VALID_WORDS))
        return WordTask(f"words-{length}", f"{name} letters", letters, vocabulary, n_test=_N_TEST)

    return make


def _few_words(n_train: int) -> Callable[[Letters], Task]:
    def make(letters: Letters) -> Task:
        key, label = f"few-{n_train}", f"{n_train} training words"
        return WordTask(key, label, letters, paper_vocabulary(), n_train=n_train)

    return make


def _new_images(letters: Letters) -> Task:
    return WordTask(
        "new-images",
        "A new image for every letter",
        letters,
        paper_vocabulary(),
        resample="all",
        samples_per_word=10,
    )


def _shifted(jitter: int) -> Callable[[Letters], Task]:
    def make(letters: Letters) -> Task:
        label = f"Letters shifted by up to {jitter} pixel{'s' * (jitter > 1)}"
        return WordTask(
            f"shift-{jitter}",
            label,
            letters,
            paper_vocabulary(),
            samples_per_word=10,
            jitter=jitter,
        )

    return make


def _overlapping(key: str, overlap: float) -> Callable[[Letters], Task]:
    def make(letters: Letters) -> Task:
        label = f"Letters overlapping by a {key}"
        return WordTask(f"overlap-{key}", label, letters, paper_vocabulary(), overlap=overlap)

    return make


def _fonts(letters: Letters) -> Task:
    return WordTask("fonts", "Typewriter fonts", load_typewriter(), paper_vocabulary())


def _digits(letters: Letters) -> Task:
    numbers = np.random.default_rng(0).permutation([f"{number:03d}" for number in range(1000)])
    train, test = np.sort(numbers[:_N_NUMBERS]), np.sort(numbers[_N_NUMBERS:])
    vocabulary = Vocabulary(("0123456789",) * 3, tuple(train.tolist()), tuple(test.tolist()))
    return WordTask("digits", "Three-digit numbers", load_digits(), vocabulary, n_test=_N_TEST)


def _genes(letters: Letters) -> Task:
    def make(seed: np.random.SeedSequence) -> Samples:
        return make_expression(random_state=seed)

    return TableTask("genes", "Gene-like table", make, n_groups=6, n_components=15)


_MAKE: Mapping[str, Callable[[Letters], Task]] = MappingProxyType(
    {
        "words-3": _paper_words,
        "words-4": _longer_words(4, "Four"),
        "words-5": _longer_words(5, "Five"),
        "few-40": _few_words(40),
        "few-25": _few_words(25),
        "new-images": _new_images,
        "shift-1": _shifted(1),
        "shift-2": _shifted(2),
        "overlap-quarter": _overlapping("quarter", 0.25),
        "overlap-half": _overlapping("half", 0.5),
        "fonts": _fonts,
        "digits": _digits,
        "genes": _genes,
    }
)

#: Keys of all tasks, in the order of the table.
TASKS: tuple[str, ...] = tuple(_MAKE)


def find_tasks(letters: Letters, keys: Iterable[str] = TASKS) -> tuple[Task, ...]:
    """Tasks by their keys.

    Parameters
    ----------
    letters : Letters
        For the tasks that do not bring their own.
    keys : iterable of str
        Of `TASKS`: the paper's words; words of four and five letters, made by the paper's rule;
        40 and 25 of the paper's words to train on; ten samples a word with a new image for every
        letter, or with letters shifted by up to one or two pixels; letters that overlap by a
        quarter or half of their width; typewriter fonts; three-digit numbers in 8 x 8 pixels; a
        gene-like table. Repeats count once.

    Returns
    -------
    tuple of Task
        In the order of ``keys``.

    Raises
    ------
    ValueError
        A key is unknown, there is none, or a letter has no image.
    ImportError
        Longer words need the package ``wordsegment``.

    Examples
    --------
    >>> from minsyn.datasets import load_letters
    >>> [task.label for task in find_tasks(load_letters("typewriter"), ["digits", "few-25"])]
    ['Three-digit numbers', '25 training words']
    """
    wanted = tuple(dict.fromkeys(keys))
    if not wanted:
        raise ValueError(f"task: none given; known are {', '.join(TASKS)}")
    return tuple(_find(key, letters) for key in wanted)


def _find(key: str, letters: Letters) -> Task:
    if key not in _MAKE:
        close = difflib.get_close_matches(key.lower(), TASKS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        raise ValueError(f"task: {key!r} is unknown{hint} Known are {', '.join(TASKS)}")
    try:
        task = _MAKE[key](letters)
    except ImportError as error:
        raise ImportError(
            f"task {key}: words of this length come from the package wordsegment, which is not "
            "installed: pip install 'minsyn[words]', or leave the task out"
        ) from error
    if isinstance(task, WordTask):
        task.letters.require(task.vocabulary.alphabet)
    return task
