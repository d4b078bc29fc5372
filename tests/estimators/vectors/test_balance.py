"""Balancing weights even out the values of a group."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from minsyn.estimators.vectors import balance
from minsyn.estimators.vectors.balance import _hard_threshold, balancing_weights, values_repeat


def test_values_count_alike_however_often_they_occur(rng):
    X = np.repeat(rng.normal(size=(3, 9)), [30, 9, 1], axis=0)
    weights = balancing_weights(X)
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_allclose(
        [weights[:30].sum(), weights[30:39].sum(), weights[39]], 40 / 3, rtol=0.02
    )


def test_the_density_is_that_of_the_docstring(rng):
    """Of the first component alone: noise in the others does not count."""
    values = rng.normal(size=(30, 1)) ** 3 * [1.0, 2.0, 0.5, 1.0] + 0.3 * rng.normal(size=(30, 4))
    X = (5 + values)[rng.integers(30, size=80) // rng.integers(1, 9, size=80)]
    dX = X - X.mean(axis=0)
    score = dX @ np.linalg.svd(dX)[2][0]
    squares = np.subtract.outer(score, score) ** 2
    density = np.exp(-squares / (2 * 0.05 * squares.mean())).sum(axis=1)
    weights = balancing_weights(X)
    np.testing.assert_allclose(weights, (1 / density) / np.mean(1 / density), rtol=1e-9)


def test_the_density_of_a_part_of_the_values(rng, monkeypatch):
    """Distances are of every value to each third one, and so is their mean square.

    No density is below what a value adds itself, of which each third one counts.
    """
    monkeypatch.setattr(balance, "_DENSITY_SAMPLES", 10)
    X = np.sort(rng.exponential(size=(30, 1)), axis=0) * [1.0, 2.0]
    squares = 5 * (X[:, :1] - X[::3, :1].T) ** 2
    density = np.exp(-squares / (2 * 0.05 * squares.mean())).sum(axis=1)
    density = np.maximum(density, 1 / 3)
    expected = (1 / density) / np.mean(1 / density)
    np.testing.assert_allclose(balancing_weights(X), expected, rtol=1e-9)


def test_values_count_alike_under_noise(rng):
    """Noise in hundreds of features must not make all samples equally rare."""
    X = np.repeat(rng.normal(size=(2, 300)), [90, 10], axis=0)
    weights = balancing_weights(X + 0.3 * rng.normal(size=X.shape))
    assert weights[:90].sum() == pytest.approx(weights[90:].sum(), rel=0.5)


def test_a_density_from_a_part_of_the_samples(rng):
    X = np.repeat(rng.normal(size=(2, 4)), [4500, 500], axis=0) + 0.01 * rng.normal(size=(5000, 4))
    weights = balancing_weights(X)
    assert weights[:4500].sum() == pytest.approx(weights[4500:].sum(), rel=0.1)


def test_a_value_far_from_the_part_counts_as_one_value(rng, monkeypatch):
    """The part is each third of the 30 values, and so without the last."""
    monkeypatch.setattr(balance, "_DENSITY_SAMPLES", 10)
    X = np.append(rng.normal(size=29), [1e4, 1e4])[:, np.newaxis]
    weights = balancing_weights(X)
    assert weights[:29].sum() == pytest.approx(weights[29:].sum(), rel=0.1)


@pytest.mark.parametrize("beta", [0.05, 0.4, 1.0])
def test_the_threshold_is_that_of_gavish_and_donoho(beta):
    """Their Eq. 11, and the median of the law of Marchenko and Pastur."""
    w = 8 * beta / (beta + 1 + np.sqrt(beta**2 + 14 * beta + 1))
    low, high = (1 - np.sqrt(beta)) ** 2, (1 + np.sqrt(beta)) ** 2

    def below(t):
        return quad(lambda s: np.sqrt((high - s) * (s - low)) / (2 * np.pi * beta * s), low, t)[0]

    median = brentq(lambda t: below(t) - 0.5, low + 1e-9, high)
    assert _hard_threshold(beta) == pytest.approx(np.sqrt((2 * (beta + 1) + w) / median), abs=0.01)


def test_values_that_repeat(rng):
    X = rng.normal(size=(10, 4))
    assert values_repeat(np.vstack([X, X])) and not values_repeat(np.vstack([X, X[:9]]))
    assert values_repeat(np.asfortranarray(np.vstack([X, X])))


def test_values_too_small_to_have_distances_count_alike():
    X = 1e-200 * np.repeat(np.eye(3), [5, 2, 1], axis=0)
    np.testing.assert_array_equal(balancing_weights(X), 1)
