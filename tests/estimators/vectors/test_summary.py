"""Summary of vector factors."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from minsyn import VectorMinSyn
from minsyn.estimators.vectors.summary import summarise_groups
from vector_factors import shared_table


def test_shares_are_those_of_the_reconstruction(rng):
    X = shared_table(3, rng)
    X = np.column_stack([X, np.full(len(X), 2.0), rng.normal(size=len(X))])
    model = VectorMinSyn(2, n_groups=2, max_parents=2, random_state=0).fit(X)
    summary = model.summary(X)
    frame = summary.to_frame()
    own = model.groups_ == 1
    error = np.mean((X[:, own] - model.reconstruct(X)[:, own]) ** 2, axis=0).sum()
    assert frame.explained[1] == pytest.approx(1 - error / X[:, own].var(axis=0).sum())
    assert (frame.features.sum(), frame.latents.tolist()) == (23, [1, 1])
    assert frame.index.name == "group"
    assert (summary.n_alone, summary.n_shared) == (1, int((model.parents_.sum(axis=0) > 1).sum()))
    expected = model.synergy(X, measures="gk_synergy").means["gk_synergy"]
    assert summary.gk_synergy == pytest.approx(expected)
    assert "features of no group: 1\n" in str(summary) and "  all        24  " in repr(summary)


def test_without_variance_or_enough_samples(rng):
    none = summarise_groups(np.ones((3, 2)), np.ones((3, 2)), np.full(2, -1), np.ones(1, int), 0, 0)
    assert "–" in str(none)
    X = shared_table(0, rng)
    model = VectorMinSyn(2, n_groups=2, random_state=0).fit(X)
    assert "synergy" not in str(model.summary(X[:2]))
    with pytest.raises(NotFittedError):
        VectorMinSyn().summary(X)


def test_constant_features_are_of_no_group_and_small_ones_are_counted(rng):
    X = 0.1 * rng.normal(size=(50, 4))
    X[:, 3] = 2.0
    labels = np.array([0, 0, -1, -1])
    found = summarise_groups(X, X.mean(axis=0) + 0 * X, labels, np.ones(1, int), 0, 0.5)
    assert found.n_alone == 1 and found.total_explained == pytest.approx(0)
