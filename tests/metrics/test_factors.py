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


def test_features_count_by_their_variance_unless_units_are_given(data):
    z, x = data
    statistics = PairwiseStatistics.of(z, x)
    assert summarise_factors(statistics).explained == pytest.approx(explained(z, x))
    alike = summarise_factors(statistics, np.where(statistics.std_x > 0, statistics.std_x, 1.0))
    assert alike.explained != pytest.approx(explained(z, x), abs=0.01)


def test_correlations_shares_and_single_informations(data):
    z, x = data
    summary = summarise_factors(PairwiseStatistics.of(z, x))
    varying = [0, 1, 2, 3, 5]
    expected = np.corrcoef(z.T, x[:, varying].T)[:3, 3:]
    np.testing.assert_allclose(summary.correlation[:, varying], expected)
    for j in range(3):
        alone = gaussian.mutual_information([[1.0]], expected[[j]])
        np.testing.assert_allclose(summary.information[j, varying], alone)
    by_feature = x[:, varying].var(axis=0) * expected**2
    shares = by_feature / by_feature.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(summary.feature_share[:, varying], shares)
    assert not summary.information[:, 4].any() and not summary.feature_share[:, 4].any()
    strongest = np.argsort(-np.abs(expected[0]))
    assert summary.top_features(0, 10) == [varying[i] for i in strongest]  # not the constant one
    assert summary.top_features(0, 2) == [varying[i] for i in strongest[:2]]


def test_dead_single_and_determining_factors(rng):
    z = np.column_stack([rng.normal(size=50), np.zeros(50)])
    summary = summarise_factors(PairwiseStatistics.of(z, z[:, :1]))
    assert np.isinf(summary.information[0, 0])
    assert summary.explained == summary.explained_only[0] == 1
    assert summary.explained_alone[1] == summary.explained_only[1] == 0
    assert summary.top_features(1, 3) == []
    alone = summarise_factors(PairwiseStatistics.of(z[:, :1], rng.normal(size=(50, 2))))
    assert alone.explained_only[0] == pytest.approx(alone.explained)
    nothing = summarise_factors(PairwiseStatistics.of(z, np.ones((50, 2))))
    assert nothing.explained == 0 and not nothing.explained_alone.any()
