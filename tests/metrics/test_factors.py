import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from minsyn.information import PairwiseStatistics, gaussian
from minsyn.metrics import summarise_factors


@pytest.fixture
def data(rng):
    z = rng.normal(size=(300, 3)) @ rng.normal(size=(3, 3))
    x = z @ rng.normal(size=(3, 6)) + rng.normal(size=(300, 6))
    x[:, 4] = 2.5
    return z, x * [1, 10, 1, 1, 1, 0.1]


def explained(z, x, unit=1.0):
    if z.shape[1] == 0:
        return 0.0
    x = x / unit
    residual = x - LinearRegression().fit(z, x).predict(z)
    return 1 - residual.var(axis=0).sum() / x.var(axis=0).sum()


@pytest.mark.parametrize("alike", [False, True])
def test_explained_variances_are_those_of_regressions(data, alike):
    z, x = data
    unit = np.where(x.std(axis=0) > 1e-9, x.std(axis=0), 1.0) if alike else np.ones(6)
    summary = summarise_factors(PairwiseStatistics.of(z, x), unit)
    assert summary.explained == pytest.approx(explained(z, x, unit))
    for j in range(3):
        others = np.delete(z, j, axis=1)
        alone = explained(z[:, [j]], x, unit)
        assert summary.explained_alone[j] == pytest.approx(alone)
        assert summary.explained_only[j] == pytest.approx(
            summary.explained - explained(others, x, unit)
        )
    assert summary.order() == sorted(range(3), key=lambda j: -summary.explained_alone[j])


def test_measures_are_the_gaussian_ones(data):
    statistics = PairwiseStatistics.of(*data)
    summary = summarise_factors(statistics)
    for name in ("mutual_information", "union_information", "gk_synergy", "ci_synergy"):
        expected = getattr(gaussian, name)(statistics.sigma, statistics.rho)
        np.testing.assert_array_equal(getattr(summary, name), expected)
    np.testing.assert_allclose(
        summary.information.max(axis=0), summary.union_information, atol=1e-12
    )
    np.testing.assert_allclose(summary.feature_share.sum(axis=1), 1)
    assert not summary.information[:, 4].any() and not summary.feature_share[:, 4].any()
    assert len(summary.top_features(0, 10)) == 5  # not the constant one


def test_dead_single_and_determining_factors(rng):
    z = np.column_stack([rng.normal(size=50), np.zeros(50)])
    summary = summarise_factors(PairwiseStatistics.of(z, z[:, :1]))
    assert np.isinf(summary.information[0, 0]) and summary.gk_synergy[0] == 0
    assert summary.explained == summary.explained_only[0] == 1
    assert summary.explained_alone[1] == summary.explained_only[1] == summary.closest[1] == 0
    assert summary.top_features(1, 3) == []
    alone = summarise_factors(PairwiseStatistics.of(z[:, :1], rng.normal(size=(50, 2))))
    assert alone.explained_only[0] == pytest.approx(alone.explained)
    assert alone.closest.tolist() == [0]
    nothing = summarise_factors(PairwiseStatistics.of(z, np.ones((50, 2))))
    assert nothing.explained == 0 and not nothing.explained_alone.any()
