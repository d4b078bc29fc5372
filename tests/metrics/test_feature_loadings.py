import numpy as np
import pytest
from sklearn.decomposition import FactorAnalysis
from sklearn.linear_model import LinearRegression

from minsyn.information import PairwiseStatistics, gaussian
from minsyn.metrics import loadings, sort_loadings, summarise_factors


def mixed(rng, n_factors=3, n_features=8, n_samples=400):
    z = rng.normal(size=(n_samples, n_factors)) @ rng.normal(size=(n_factors, n_factors))
    x = z @ rng.normal(size=(n_factors, n_features)) + rng.normal(size=(n_samples, n_features))
    return z, x * np.geomspace(1, 1000, n_features)


@pytest.fixture
def table(rng):
    return loadings(PairwiseStatistics.of(*mixed(rng)))


def test_values_are_correlations_in_the_order_and_with_the_signs_that_are_told(rng):
    z, x = mixed(rng)
    table = loadings(PairwiseStatistics.of(z, x))
    of_table = z[:, table.permutation] * table.signs
    together = np.corrcoef(of_table.T, x.T)
    np.testing.assert_allclose(table.values, together[3:, :3])
    np.testing.assert_allclose(table.factor_correlation, together[:3, :3])
    strongest = np.argmax(np.abs(table.values), axis=0)
    assert (table.values[strongest, range(3)] > 0).all()
    assert (np.diff(table.explained_alone) <= 0).all()


def test_shares_of_variance_are_those_of_regressions(rng):
    z, x = mixed(rng)
    table = loadings(PairwiseStatistics.of(z, x))
    ordered = z[:, table.permutation]

    def explained(factors):
        model = LinearRegression().fit(factors, x)
        return 1 - (x - model.predict(factors)).var(axis=0) / x.var(axis=0)

    np.testing.assert_allclose(table.communality, explained(ordered))
    np.testing.assert_allclose(table.uniqueness, 1 - explained(ordered))
    for j in range(3):
        assert table.explained_alone[j] == pytest.approx(explained(ordered[:, [j]]).mean())
        assert table.explained_together[j] == pytest.approx(explained(ordered[:, : j + 1]).mean())


def test_communality_is_the_information_of_all_factors(rng):
    statistics = PairwiseStatistics.of(*mixed(rng))
    bits = gaussian.mutual_information(statistics.sigma, statistics.rho)
    np.testing.assert_allclose(loadings(statistics).communality, 1 - 4**-bits)
    summary = summarise_factors(statistics, statistics.std_x)
    assert loadings(statistics).explained_together[-1] == pytest.approx(summary.explained)


def test_uncorrelated_factors_have_communalities_of_squared_loadings(rng):
    z, x = mixed(rng)
    z, _ = np.linalg.qr(z - z.mean(axis=0))
    table = loadings(PairwiseStatistics.of(z, x))
    np.testing.assert_allclose(table.communality, np.sum(table.values**2, axis=1))
    np.testing.assert_allclose(np.sum(table.values**2, axis=1) + table.uniqueness, 1)
    np.testing.assert_allclose(table.explained_together, np.cumsum(table.explained_alone))
    np.testing.assert_allclose(table.factor_correlation, np.eye(3), atol=1e-12)


def test_order_and_signs_of_the_factors_given_do_not_matter(rng):
    z, x = mixed(rng, n_factors=4)
    first = loadings(PairwiseStatistics.of(z, x), factor_names=list("abcd"))
    order, signs = np.array([2, 0, 3, 1]), np.array([1, -1, -1, 1])
    other = loadings(
        PairwiseStatistics.of(z[:, order] * signs, x), factor_names=[*np.array(list("abcd"))[order]]
    )
    np.testing.assert_allclose(first.values, other.values)
    np.testing.assert_allclose(first.communality, other.communality)
    np.testing.assert_allclose(first.explained_together, other.explained_together)
    np.testing.assert_allclose(first.factor_correlation, other.factor_correlation)
    assert first.factor_names == other.factor_names
    np.testing.assert_array_equal(order[other.permutation], first.permutation)


def test_the_first_of_equally_strong_loadings_decides_the_sign(rng):
    """A mirrored copy must not leave the sign to rounding."""
    z, x = mixed(rng, n_factors=1, n_features=1)
    for factor in (z, -z, z * 3.7):
        table = loadings(PairwiseStatistics.of(factor, np.hstack([-x, x / 3, -x * 7])))
        assert table.values[0, 0] > 0


def test_factor_analysis_on_clean_data(rng):
    """Scores of factors that the data determine load as the factors of the model do."""
    causes = rng.normal(size=(4000, 3)) * [1.0, 0.8, 0.6]
    pattern = np.repeat(np.eye(3), 6, axis=1) * rng.uniform(0.8, 1.2, 18)
    x = causes @ pattern + 0.15 * rng.normal(size=(4000, 18))
    x /= x.std(axis=0)
    model = FactorAnalysis(3, rotation="varimax", tol=1e-8, max_iter=10_000).fit(x)
    table = loadings(PairwiseStatistics.of(model.transform(x), x))
    theirs = (model.components_[table.permutation] * table.signs[:, np.newaxis]).T
    np.testing.assert_allclose(table.values, theirs, atol=0.03)
    np.testing.assert_allclose(table.uniqueness, model.noise_variance_, atol=0.03)
    # Those of the model itself, from its own moments, are its components.
    of_model = PairwiseStatistics(
        weight=4000.0,
        mean_z=np.zeros(3),
        mean_x=model.mean_,
        cov_zz=np.eye(3),
        cov_zx=model.components_,
        var_x=np.diag(model.get_covariance()),
    )
    exact = loadings(of_model)
    np.testing.assert_allclose(exact.values, theirs / np.sqrt(of_model.var_x)[:, np.newaxis])
    np.testing.assert_allclose(exact.uniqueness, model.noise_variance_ / of_model.var_x)


def test_copies_dead_factors_and_constant_features(rng):
    z = rng.normal(size=(200, 1))
    x = np.hstack([z + rng.normal(size=(200, 2)), np.ones((200, 1))])
    table = loadings(PairwiseStatistics.of(np.hstack([np.zeros((200, 1)), z, -2 * z]), x))
    assert table.permutation[-1] == 0 and not table.values[:, 2].any()
    np.testing.assert_allclose(table.values[:, 0], table.values[:, 1])
    np.testing.assert_allclose(table.communality, table.values[:, 0] ** 2, atol=1e-12)
    np.testing.assert_allclose(table.explained_together, table.explained_alone[0])
    assert table.communality[2] == table.complexity[2] == 0 and table.uniqueness[2] == 1
    assert table.factor_correlation[0, 1] == pytest.approx(1)
    determined = loadings(PairwiseStatistics.of(z, z))
    assert determined.communality[0] == pytest.approx(1) and determined.uniqueness[0] >= 0


def test_complexity_counts_factors():
    z = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]])[1:].T * 1.0
    x = np.column_stack([z[:, 0], z[:, 0] + z[:, 1], z.sum(axis=1)])
    np.testing.assert_allclose(loadings(PairwiseStatistics.of(z, x)).complexity, [1, 2, 3])


def test_rows_are_sorted_as_in_psych(table):
    ordered = sort_loadings(table)
    strength = np.abs(ordered.values)
    strongest = strength.argmax(axis=1)
    assert (np.diff(strongest) >= 0).all()
    for j in range(3):
        assert (np.diff(strength[strongest == j, j]) <= 0).all()
    places = [table.feature_names.index(name) for name in ordered.feature_names]
    np.testing.assert_array_equal(ordered.values, table.values[places])
    np.testing.assert_array_equal(ordered.communality, table.communality[places])


def test_frames(table):
    frame = table.to_frame()
    assert list(frame.columns) == ["F1", "F2", "F3", "communality", "uniqueness", "complexity"]
    assert tuple(frame.index) == sort_loadings(table).feature_names
    plain = table.to_frame(sort=False)
    np.testing.assert_array_equal(plain[["F1", "F2", "F3"]], table.values)
    np.testing.assert_allclose(plain["communality"] + plain["uniqueness"], 1)
    variance = table.variance_to_frame()
    np.testing.assert_allclose(variance.loc["sum of squares"] / 8, variance.loc["alone"])
    assert variance.loc["together"].iloc[-1] == pytest.approx(table.communality.mean())


def test_small_loadings_are_hidden_on_request(table):
    rows = table.to_string(hide_below=0.3).splitlines()[1:9]
    ordered = sort_loadings(table)
    for row, name, values in zip(rows, ordered.feature_names, ordered.values, strict=True):
        assert row.startswith(name)
        shown = [f"{v:.2f}" for v in values if abs(v) >= 0.3]
        assert row.split()[1 : 1 + len(shown)] == shown and len(row.split()) == 4 + len(shown)
    assert str(table) == table.to_string() and len(str(table).splitlines()[1].split()) == 7
    assert "... and 6 more features; see to_frame()" in table.to_string(max_features=2)


def test_one_factor_has_no_table_of_correlations(rng):
    text = str(loadings(PairwiseStatistics.of(*mixed(rng, n_factors=1)), list("abcdefgh")))
    assert "correlations" not in text and text.splitlines()[0].split()[0] == "F1"


def test_names_must_fit(rng):
    statistics = PairwiseStatistics.of(*mixed(rng))
    with pytest.raises(ValueError, match="feature_names: expected 8 names, found 2"):
        loadings(statistics, ["a", "b"])
    with pytest.raises(ValueError, match="factor_names: expected 3 names, found 2"):
        loadings(statistics, factor_names=["a", "b"])
    named = loadings(statistics, np.array(list("abcdefgh"), dtype=object))
    assert named.feature_names == tuple("abcdefgh")
