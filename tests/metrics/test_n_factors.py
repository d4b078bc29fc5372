import numpy as np
import pandas as pd
import pytest

from minsyn.metrics import (
    empirical_kaiser,
    minimum_average_partial,
    n_factors,
    parallel_analysis,
)


def clusters(n_causes, n_samples, noise, per_cause=6, seed=0):
    rng = np.random.default_rng(seed)
    causes = np.repeat(rng.normal(size=(n_samples, n_causes)), per_cause, axis=1)
    return np.corrcoef((causes + noise * rng.normal(size=causes.shape)).T)


def independent(n_samples, n_features, seed=0):
    return np.corrcoef(np.random.default_rng(seed).normal(size=(n_samples, n_features)).T)


@pytest.mark.parametrize(
    ("n_causes", "n_samples", "noise"),
    [(2, 50, 0.2), (2, 50, 1.0), (5, 50, 0.2), (5, 500, 1.0), (20, 500, 0.2), (20, 5000, 1.0)],
)
def test_causes_of_clusters_are_counted(n_causes, n_samples, noise):
    correlation = clusters(n_causes, n_samples, noise)
    for kind in ("components", "factors"):
        scree = parallel_analysis(correlation, n_samples, kind=kind, random_state=0)
        assert scree.n_factors == n_causes
    assert empirical_kaiser(correlation, n_samples).n_factors == n_causes
    assert minimum_average_partial(correlation).n_factors == n_causes


def test_independent_features_have_no_factor_and_rarely_one():
    """At the quantile .95, one factor in one draw of twenty."""
    found = [
        parallel_analysis(independent(200, 20, seed), 200, random_state=seed).n_factors
        for seed in range(60)
    ]
    assert set(found) <= {0, 1}
    assert np.mean(found) < 0.15
    always = parallel_analysis(independent(200, 20), 200, quantile=1e-9, random_state=0)
    assert always.n_factors > 0


def eigenvalues_of_drawn_data(n_features, n_samples, n_draws, reduced=False):
    """Slow, and by another way: correlations of data that are drawn."""
    rng = np.random.default_rng(1)
    rows = []
    for _ in range(n_draws):
        matrix = np.corrcoef(rng.normal(size=(n_samples, n_features)).T)
        if reduced:
            smc = 1 - 1 / np.diagonal(np.linalg.inv(matrix))
            np.fill_diagonal(matrix, smc)
        values = np.sort(np.linalg.eigvalsh(matrix))[::-1]
        rows.append(values[: min(n_features, n_samples - 1)])
    return np.array(rows)


@pytest.mark.parametrize(
    ("n_features", "n_samples", "kind"),
    [
        (2, 3, "components"),
        (8, 30, "components"),
        (8, 30, "factors"),
        (12, 13, "components"),
        (30, 12, "components"),
        (30, 2, "components"),
    ],
)
def test_eigenvalues_under_independence_are_those_of_drawn_data(n_features, n_samples, kind):
    scree = parallel_analysis(
        np.eye(n_features), n_samples, kind=kind, n_resamples=4000, random_state=0
    )
    drawn = eigenvalues_of_drawn_data(n_features, n_samples, 4000, kind == "factors")
    np.testing.assert_allclose(
        scree.reference, np.quantile(drawn, 0.95, axis=0), atol=0.15 * drawn.std() + 1e-9, rtol=0.02
    )


@pytest.mark.parametrize(
    ("n_features", "n_samples", "kind"),
    [(150, 400, "components"), (150, 400, "factors"), (400, 150, "components")],
)
def test_the_form_for_large_matrices_is_as_good(monkeypatch, n_features, n_samples, kind):
    rank = min(n_features, n_samples - 1)

    def sampled():
        rng = np.random.default_rng(0)
        return n_factors._null_eigenvalues(n_features, n_samples - 1, kind, 200, rng)

    exact = sampled()
    monkeypatch.setattr(n_factors, "_EXACT_RANK", rank - 1)
    fast = sampled()
    assert fast.shape == exact.shape == (200, rank)
    spread = exact[0, 0] - exact[0, -1]
    np.testing.assert_allclose(fast.mean(axis=0), exact.mean(axis=0), atol=0.005 * spread)
    top = np.arange(10)
    ratio = fast[:, top].std(axis=0) / exact[:, top].std(axis=0)
    assert 0.7 < ratio.mean() < 1.4


def test_the_same_bits_by_seed():
    correlation = clusters(3, 100, 1.0)

    def reference(random_state):
        return parallel_analysis(correlation, 100, random_state=random_state).reference

    np.testing.assert_array_equal(reference(5), reference(5))
    assert (reference(5) != reference(6)).any()
    for make in (np.random.default_rng, np.random.RandomState):
        generator = make(5)
        first = reference(generator)
        np.testing.assert_array_equal(first, reference(make(5)))
        assert (first != reference(generator)).any()


def test_quantiles_and_the_choice_follow_each_other():
    correlation = clusters(3, 60, 1.0)
    low, high = (
        parallel_analysis(correlation, 60, quantile=q, random_state=0).reference
        for q in (0.5, 0.99)
    )
    assert (low < high).all()
    scree = parallel_analysis(correlation, 60, random_state=0)
    above = scree.eigenvalues > scree.reference
    assert above[: scree.n_factors].all() and not above[scree.n_factors]
    np.testing.assert_allclose(scree.eigenvalues, np.linalg.eigvalsh(correlation)[::-1])


def test_empirical_kaiser_is_its_equation():
    correlation, n, p = clusters(4, 80, 1.0), 80, 24
    eigenvalues = np.linalg.eigvalsh(correlation)[::-1]
    scree = empirical_kaiser(correlation, n)
    for j in range(1, p + 1):
        left = (p - eigenvalues[: j - 1].sum()) / (p - j + 1)
        assert scree.reference[j - 1] == pytest.approx(max(left * (1 + np.sqrt(p / n)) ** 2, 1))


def test_minimum_average_partial_is_its_definition():
    """As in the program of O'Connor (2000): loadings, residual, partial correlations."""
    correlation = clusters(4, 80, 1.0)
    values, vectors = np.linalg.eigh(correlation)
    result = minimum_average_partial(correlation, max_factors=15)
    assert len(result.average_squared) == 16
    for m in range(16):
        loadings = (vectors * np.sqrt(values))[:, ::-1][:, :m]
        rest = correlation - loadings @ loadings.T
        partial = rest / np.sqrt(np.outer(np.diagonal(rest), np.diagonal(rest)))
        off = partial[~np.eye(24, dtype=bool)]
        assert result.average_squared[m] == pytest.approx(np.mean(off**2))
    assert result.n_factors == np.argmin(result.average_squared)


def test_features_that_are_explained_wholly_end_the_search():
    few = minimum_average_partial(independent(6, 20))  # rank 5
    assert len(few.average_squared) <= 5 and np.isfinite(few.average_squared).all()
    assert minimum_average_partial([[1.0]]).n_factors == 0
    copies = minimum_average_partial(np.ones((4, 4)))
    assert copies.n_factors == 0 and copies.average_squared.tolist() == [1.0]


def test_fewer_samples_than_features():
    correlation = clusters(2, 30, 0.5, per_cause=40)
    scree = parallel_analysis(correlation, 30, random_state=0)
    assert scree.n_factors == 2 and len(scree.eigenvalues) == 29
    assert empirical_kaiser(correlation, 30).n_factors == 2
    with pytest.raises(ValueError, match=r"more samples than features.*use \"components\""):
        parallel_analysis(correlation, 30, kind="factors")


def test_one_feature_is_no_factor():
    assert parallel_analysis([[1.0]], 10, random_state=0).n_factors == 0
    assert empirical_kaiser([[1.0]], 10).n_factors == 0


def test_frames_and_tables():
    names = [f"item {i}" for i in range(12)]
    frame = pd.DataFrame(clusters(2, 100, 0.5), index=names, columns=names)
    scree = parallel_analysis(frame, 100, random_state=0)
    table = scree.to_frame()
    assert table.index[0] == 1 and table["retained"].sum() == 2 and len(table) == 12
    text = str(scree)
    assert text.startswith("parallel analysis (components): 2 factors\n")
    assert text.count("*") == 2 and text.endswith("... and 5 more; see to_frame()")


@pytest.mark.parametrize("function", [lambda r: parallel_analysis(r, 10), minimum_average_partial])
@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((2, 3)), r"square matrix, found shape \(2, 3\)"),
        (np.ones((0, 0)), "square matrix"),
        ([[1, np.nan], [np.nan, 1]], "found NaN"),
        ([[2.0, 0.1], [0.1, 2.0]], "divide a covariance matrix"),
        ([[1.0, 0.1], [0.2, 1.0]], "symmetric"),
    ],
)
def test_what_is_no_correlation_matrix_is_told(function, matrix, message):
    with pytest.raises(ValueError, match=message):
        function(np.asarray(matrix, dtype=float))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_samples": 1}, "at least two samples"),
        ({"n_resamples": 0}, "n_resamples must be a whole number"),
        ({"quantile": 1.0}, "between 0 and 1"),
    ],
)
def test_arguments_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        parallel_analysis(np.eye(3), **{"n_samples": 10, **options})
    with pytest.raises(ValueError, match="max_factors must be a whole number"):
        minimum_average_partial(np.eye(3), max_factors=0)
    with pytest.raises(ValueError, match="positive definite"):
        parallel_analysis(np.ones((3, 3)), 10, kind="factors")
