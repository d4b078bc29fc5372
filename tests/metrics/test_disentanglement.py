"""Scores of disentanglement with known factors."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mutual_info_score

from minsyn.metrics import (
    dci,
    explicitness,
    factor_informations,
    modularity,
    mutual_information_gap,
    separated_attribute_predictability,
)

SCORES = [
    mutual_information_gap,
    modularity,
    explicitness,
    separated_attribute_predictability,
    lambda Z, V: dci(Z, V).disentanglement,
]


def grid(n, repeats=1):
    """All combinations of two factors with n values, so that they are exactly independent."""
    return np.stack(np.meshgrid(range(n), range(n)), axis=-1).reshape(-1, 2).repeat(repeats, axis=0)


def test_informations_are_those_of_counts():
    rng = np.random.default_rng(0)
    V = rng.integers(4, size=(300, 2))
    Z = rng.normal(size=(300, 3)) + V[:, [0, 1, 1]]
    binned = [np.minimum((z - z.min()) / (z.max() - z.min()) * 7, 6).astype(int) for z in Z.T]
    expected = [[mutual_info_score(z, v) for v in V.T] for z in binned]
    np.testing.assert_allclose(factor_informations(Z, V, bins=7), expected, atol=1e-12)
    values = np.sort(expected, axis=0)
    gap = (values[-1] - values[-2]) / [mutual_info_score(v, v) for v in V.T]
    assert mutual_information_gap(Z, V, bins=7) == pytest.approx(gap.mean())


def test_one_latent_of_two_factors():
    """A sum tells about either factor, and nothing is separate."""
    V = grid(2, repeats=20)
    mixed = np.column_stack([V.sum(axis=1), V[:, 0] - V[:, 1]]) * 1.0
    assert mutual_information_gap(mixed, V) == pytest.approx(0)
    assert modularity(mixed, V) == pytest.approx(0)
    assert separated_attribute_predictability(mixed, V) == pytest.approx(0)
    assert separated_attribute_predictability(mixed, V * 1.0) == pytest.approx(0)


def test_copies_are_modular_but_have_no_gap():
    V = grid(3, repeats=10)
    copies = V[:, [0, 0, 1, 1]] * 1.0
    assert mutual_information_gap(copies, V) == pytest.approx(0)
    assert modularity(copies, V) == pytest.approx(1)
    found = dci(copies, V)
    assert found.disentanglement == pytest.approx(1, abs=1e-6)
    assert found.completeness == pytest.approx(0.5, abs=0.05)  # log 2 of log 4
    np.testing.assert_allclose(found.importance.sum(axis=0), 1)


def test_explicitness_needs_linear_categories():
    """The middle of three values is no side of a line; with one-hot latents each is."""
    V = grid(3, repeats=20)
    assert explicitness(np.eye(3)[V].reshape(len(V), -1), V) == pytest.approx(1)
    assert explicitness(np.random.default_rng(0).normal(size=(len(V), 2)), V) < 0.35


def test_continuous_factors():
    rng = np.random.default_rng(0)
    V = rng.normal(size=(500, 2))
    Z = V @ [[1.0, 0.0], [0.0, -2.0]]
    assert separated_attribute_predictability(Z, V) == pytest.approx(1, abs=0.02)
    found = dci(Z, V)
    assert found.informativeness > 0.98
    assert found.disentanglement > 0.95
    with pytest.raises(ValueError, match="categories"):
        explicitness(Z, V)


def test_frames_and_constants():
    V = pd.DataFrame({"shape": ["square", "oval"] * 20, "size": range(40), "same": [1] * 40})
    Z = np.column_stack([V["shape"] == "oval", V["size"], np.zeros(40)]).astype(float)
    assert mutual_information_gap(Z, V[["shape", "same"]]) == pytest.approx(1)
    assert 0 < modularity(Z, V) <= 1


@pytest.mark.parametrize("score", SCORES)
def test_errors(score):
    V = grid(2, repeats=4)
    with pytest.raises(ValueError, match="must have shape"):
        score(V[:-1] * 1.0, V)
    with pytest.raises(ValueError, match="finite"):
        score(np.where(V == 0, np.nan, 1.0), V)
    with pytest.raises(ValueError, match=r"vary|at least two"):
        score(V * 1.0, np.zeros((len(V), 1), dtype=int))
