"""Pair synergies and their spectrum, against the measures of one pair at a time."""

import numpy as np
import pytest
from scipy.stats import chi2

from minsyn.information import PairwiseStatistics, gaussian, synergy_graph
from minsyn.information.graph import pair_synergies, spectral_groups


def columns_of(sizes, n_samples, noise, rng):
    """A table whose columns share one cause in each of several groups."""
    causes = np.repeat(rng.normal(size=(n_samples, len(sizes))), sizes, axis=1)
    return causes + noise * rng.normal(size=causes.shape)


def test_each_pair_is_the_gaussian_measure(rng):
    Z = rng.normal(size=(400, 5)) @ rng.normal(size=(5, 5))
    X = Z @ rng.normal(size=(5, 7)) + 3 * rng.normal(size=(400, 7))
    statistics = PairwiseStatistics.of(Z, X)
    expected, shared = np.zeros((5, 5)), np.zeros((5, 5))
    for a in range(5):
        for b in range(5):
            if a == b:
                continue
            pair = statistics.sigma[np.ix_([a, b], [a, b])], statistics.rho[[a, b]]
            gain = gaussian.gk_synergy(*pair, unit="nats")
            significant = 2 * 400 * gain > chi2.isf(1e-3, 1)
            gain = np.maximum(gain - 0.5 * np.log(398 / 397), 0) * significant / np.log(2)
            expected[a, b] = np.average(gain, weights=X.var(axis=0))
            least = np.maximum(*(1 - statistics.rho[j] ** 2 for j in (a, b))) * 399 / 398
            least = np.maximum(-0.5 * np.log2(least), 0)
            shared[a, b] = np.average(least, weights=X.var(axis=0))
    synergies, redundancies = pair_synergies(statistics)
    np.testing.assert_allclose(redundancies, shared, rtol=1e-9)
    np.testing.assert_allclose(synergies, expected, rtol=1e-9)
    assert (synergies > 0).sum() > 10


def test_units_do_not_matter(rng):
    X = columns_of([4, 4], 300, 0.5, rng)
    other = 3.0 + X[:, :5] * [1e3, 1e-3, -1.0, 5.0, 1.0]
    np.testing.assert_allclose(
        synergy_graph(X[:, :5], X).synergy, synergy_graph(other, X).synergy, rtol=1e-6
    )


@pytest.mark.parametrize("sizes", [[30], [10, 10, 10], [3, 5, 20, 40], [4] * 12])
def test_finds_groups_of_columns(sizes, rng):
    X = columns_of(sizes, 500, 0.5, rng)
    graph = synergy_graph(X, X)
    assert graph.labels.tolist() == np.repeat(np.arange(len(sizes)), sizes).tolist()
    assert graph.n_groups == len(sizes)
    assert np.all(np.diff(graph.eigenvalues) <= 1e-12) and graph.eigenvalues[0] == pytest.approx(1)


def test_what_is_correlated_without_synergy_is_one_group(rng):
    """Two noisy copies of one cause: each says about itself all there is."""
    X = columns_of([2, 2, 2], 500, 0.3, rng)
    assert synergy_graph(X, X).labels.tolist() == [0, 0, 1, 1, 2, 2]


def test_noise_has_no_synergy(rng):
    X = rng.normal(size=(300, 40))
    assert pair_synergies(PairwiseStatistics.of(X, X))[0].max() < 1e-3


def test_copies_and_constants(rng):
    z = rng.normal(size=(100, 2))
    Z = np.column_stack([z, z[:, 0], np.ones(100)])
    X = np.column_stack([z.sum(axis=1), np.zeros(100)])
    synergies, _ = pair_synergies(PairwiseStatistics.of(Z, X))
    assert np.isfinite(synergies).all()
    assert synergies[0, 2] == synergies[3].max() == 0
    assert synergies[0, 1] == pytest.approx(synergies[1, 2]) and synergies[0, 1] > 1
    constant = synergy_graph(np.ones((10, 3)), np.ones((10, 4)))
    assert constant.synergy.max() == 0 and constant.n_groups == 3


def test_numbers_of_groups(rng):
    X = columns_of([5, 5, 5], 200, 0.5, rng)
    assert synergy_graph(X, X, n_groups=2).n_groups == 2
    assert synergy_graph(X, X, max_groups=2).n_groups <= 2
    with pytest.raises(ValueError, match="from 1 to the number of codes that can be grouped, 15"):
        synergy_graph(X, X, n_groups=16)
    with pytest.raises(ValueError, match="four samples"):
        synergy_graph(X[:3], X[:3])


def test_spectral_groups_of_planted_blocks(rng):
    truth = rng.integers(3, size=60)
    affinity = np.where(np.equal.outer(truth, truth), 1.0, 0.1) * rng.random((60, 60))
    _, labels = spectral_groups(affinity + affinity.T)
    assert len({*zip(truth.tolist(), labels.tolist(), strict=True)}) == 3
    assert labels[0] == 0


def test_the_figure_shows_the_matrix_by_group_and_the_spectrum(rng):
    X = columns_of([4, 3], 300, 0.5, rng)[:, [0, 4, 1, 5, 2, 6, 3]]  # groups in turns
    graph = synergy_graph(X, X)
    matrix, spectrum, _ = graph.plot().axes
    shown = np.asarray(matrix.images[0].get_array())
    np.testing.assert_allclose(np.sort(shown, axis=None), np.sort(graph.synergy, axis=None))
    within = shown[:4, :4].sum() + shown[4:, 4:].sum()
    assert within == pytest.approx(graph.synergy[np.equal.outer(graph.labels, graph.labels)].sum())
    assert [line.get_ydata()[0] for line in matrix.lines[::2]] == [3.5]
    assert spectrum.get_title() == "spectrum: 2 groups"
    filled = [
        len(points.get_offsets())
        for points in spectrum.collections
        if points.get_facecolor()[0, :3] == pytest.approx(points.get_edgecolor()[0, :3])
    ]
    assert filled == [2]
