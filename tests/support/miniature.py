"""A benchmark in miniature: few words of small letters, and methods that take no time."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from minsyn.benchmark import CellResult, Experiment, Method, find_methods
from minsyn.datasets import Vocabulary, load_typewriter

TINY_WORDS = Vocabulary.from_words(["an", "in", "at", "it", "on"], ["ot", "tn"])


def _make_pca(n_components, random_state):
    return PCA(n_components, svd_solver="full", random_state=random_state)


@pytest.fixture(scope="session")
def tiny_letters():
    return load_typewriter("ainot", size=8)


@pytest.fixture
def tiny(tiny_letters):
    """An experiment with settings of one's choice."""

    def make(methods=("pca", "ica"), **settings):
        found = find_methods(methods) if isinstance(methods[0], str) else tuple(methods)
        defaults = {"draws": 2, "n_components": 2, "vocabulary": TINY_WORDS}
        return Experiment(tiny_letters, found, **{**defaults, **settings})

    return make


@pytest.fixture
def own_method():
    return Method("own", "My own", _make_pca)


def finished_cell(method="pca", draw=0, **scores):
    """A finished cell with scores of one's choice."""
    empty = np.zeros((1, 4), np.float32)
    values = {
        "random_state": 1,
        "train_loss": 50.0,
        "test_loss": 90.0,
        "acc": 0.9,
        "dead_factors": 0,
        "fit_seconds": 0.1,
        "n_iter": 10,
        "converged": True,
        "warnings": (),
        "maps": empty,
        "train_rows": np.zeros(1, int),
        "test_rows": np.zeros(1, int),
        "train_examples": empty,
        "test_examples": empty,
    }
    return CellResult(method=method, draw=draw, **{**values, **scores})


@pytest.fixture
def cell():
    return finished_cell
