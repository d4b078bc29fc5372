"""Scores of representations: data of every kind, constants, few samples, and options."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fuzzing import fuzz, nonsense, result_of
from minsyn import metrics
from minsyn.information import PairwiseStatistics

NUMBER = st.sampled_from([0.0, 0.0, 1.0, -1.0, 0.5, 3.0, 1e-12, 1e-300, 1e8, 1e70, 1e150, 1e305])
UNIT = st.sampled_from([0.0, 0.0, 1.0, 1.0, 0.5, 1e-12, 1e-300, 1 - 1e-16])


def tables(elements=NUMBER, least=1, most=6):
    shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=least, max_side=most)
    return hnp.arrays(float, shapes, elements=elements)


@fuzz(3)
@given(tables(), tables(UNIT))
def test_reconstruction(X, P):
    assert result_of(metrics.squared_error, X, X) == 0
    error = result_of(metrics.squared_error, X, X[::-1])
    assert error is None or 0 <= error < np.inf
    entropy = result_of(metrics.cross_entropy, P, np.full_like(P, 0.5))
    assert 0 <= entropy < np.inf
    assert result_of(metrics.cross_entropy, P, P[:, ::-1]) >= 0
    assert result_of(metrics.squared_error, X, P) is None or X.shape == P.shape


@fuzz(3)
@given(tables(), st.lists(st.sampled_from([0, 1, "a", None, (1, 2)]), min_size=1, max_size=6))
def test_concentration(components, groups):
    found = result_of(metrics.character_concentration, components, groups)
    assert (found is None) == (len(groups) != components.shape[1])
    if found is not None:
        dead = ~components.any(axis=1)
        assert (np.isnan(found) == dead).all()
        assert ((found >= 0) & (found <= np.log(len(groups)) + 1e-9))[~dead].all()


@st.composite
def representations(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 12))
    Z = rng.normal(size=(n, draw(st.integers(1, 3)))) * draw(st.sampled_from([1.0, 1e-300, 1e200]))
    if draw(st.booleans()):
        Z[:, 0] = draw(st.sampled_from([0.0, 1e300]))
    kind = draw(st.sampled_from(["i", "f", "s", "b", "same", "tiny", "huge"]))
    factors = rng.integers(0, draw(st.integers(1, 4)), size=(n, draw(st.integers(1, 2))))
    forms = {
        "f": lambda: rng.normal(size=factors.shape),
        "s": lambda: factors.astype(str),
        "b": lambda: factors > 0,
        "same": lambda: Z.copy(),
        "tiny": lambda: rng.normal(size=factors.shape) * 1e-310,
        "huge": lambda: rng.normal(size=factors.shape) * 1e307,
    }
    return Z, forms.get(kind, lambda: factors)()


@fuzz(3)
@given(representations())
def test_disentanglement(data):
    for score in (
        metrics.mutual_information_gap,
        metrics.modularity,
        metrics.separated_attribute_predictability,
        metrics.explicitness,
    ):
        found = result_of(score, *data)
        assert found is None or -1.0001 <= found <= 1.0001, score
    informations = result_of(metrics.factor_informations, *data)
    assert (informations >= 0).all() and np.isfinite(informations).all()
    found = result_of(metrics.dci, *data, n_estimators=2)
    if found is not None:
        for value in (found.disentanglement, found.completeness, found.informativeness):
            assert -1e-9 <= value <= 1 + 1e-9


@fuzz(3)
@given(st.lists(st.integers(-2, 3), max_size=6), st.lists(st.integers(-2, 3), max_size=6))
def test_groups(found, truth):
    agreement = result_of(metrics.group_agreement, found, truth)
    assert (agreement is None) == (len(found) != len(truth) or not found)
    if agreement is not None:
        assert 0 <= agreement.wrong_features <= len(found) and np.isfinite(agreement.adjusted_rand)


@fuzz(3)
@given(tables(), tables())
def test_congruence(first, second):
    for function in (metrics.congruence, metrics.match_factors):
        found = result_of(function, first, second)
        assert (found is None) == (len(first) != len(second))
    for signs in (1.0, -1.0):
        match = result_of(metrics.match_factors, first, signs * first)
        assert ((match.congruence >= 0) & (match.congruence <= 1)).all()


@fuzz(3)
@given(st.data())
def test_factors_and_loadings(data):
    n = data.draw(st.integers(1, 6))
    z = data.draw(hnp.arrays(float, (n, data.draw(st.integers(1, 3))), elements=NUMBER))
    x = data.draw(hnp.arrays(float, (n, data.draw(st.integers(1, 3))), elements=NUMBER))
    statistics = result_of(PairwiseStatistics.of, z, x)
    if statistics is None:
        return
    summary = result_of(metrics.summarise_factors, statistics)
    assert -1e-9 <= summary.explained <= 1 + 1e-9
    assert not np.isnan(summary.information).any() and np.isfinite(summary.feature_share).all()
    table = result_of(metrics.loadings, statistics)
    assert np.isfinite(table.values).all() and np.isfinite(table.explained_together).all()
    assert np.isfinite(table.complexity).all()
    assert str(table) and str(result_of(metrics.sort_loadings, table))


@st.composite
def correlations(draw):
    p = draw(st.integers(1, 5))
    loadings = draw(hnp.arrays(float, (p, 2), elements=st.sampled_from([0.0, 1.0, -0.5, 1e-9])))
    c = loadings @ loadings.T + draw(st.sampled_from([0.0, 1e-9, 1.0])) * np.eye(p)
    std = np.sqrt(np.where(np.diag(c) > 0, np.diag(c), 1.0))
    c = c / std / std[:, None]
    np.fill_diagonal(c, 1.0)
    return c


@fuzz(3)
@given(
    correlations(),
    st.sampled_from([2, 3, 10, 1, 0, -1, 2.5, "a", None, np.nan, 10**12]),
    st.sampled_from(["components", "factors", "x", None]),
    st.sampled_from([2, 2, 0, -1, 1.5, "a"]),
    st.sampled_from([0.95, 0.0, 1.0, 2, np.nan, "a"]),
    st.sampled_from([0, None, -1, "a"]),
)
def test_numbers_of_factors(correlation, n_samples, kind, n_resamples, quantile, seed):
    options = {"kind": kind, "n_resamples": n_resamples, "quantile": quantile}
    for scree in (
        result_of(metrics.parallel_analysis, correlation, n_samples, **options, random_state=seed),
        result_of(metrics.empirical_kaiser, correlation, n_samples),
    ):
        if scree is not None:
            assert np.isfinite(scree.eigenvalues).all() and np.isfinite(scree.reference).all()
            assert 0 <= scree.n_factors <= len(correlation)
    found = result_of(metrics.minimum_average_partial, correlation)
    assert np.isfinite(found.average_squared).all()


@fuzz(6)
@given(nonsense(), nonsense(), st.sampled_from([20, 2, 1, 0, 2.5, "a", None, 10**12]))
def test_nonsense_is_refused(one, two, bins):
    for function in (
        metrics.squared_error,
        metrics.cross_entropy,
        metrics.character_concentration,
        metrics.average_character_concentration,
        metrics.group_agreement,
        metrics.congruence,
        metrics.match_factors,
        metrics.separated_attribute_predictability,
        metrics.empirical_kaiser,
    ):
        result_of(function, one, two)
    for function in (
        metrics.mutual_information_gap,
        metrics.modularity,
        metrics.factor_informations,
    ):
        result_of(function, one, two, bins=bins)
        result_of(function, np.eye(3), two, bins=bins)
    result_of(metrics.minimum_average_partial, one, max_factors=bins)
    result_of(metrics.dci, np.eye(8), np.arange(8) % 2, n_estimators=bins if bins != 10**12 else -1)
