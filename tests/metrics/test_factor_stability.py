import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from minsyn import MinSyn
from minsyn.metrics import congruence, match_factors, stability

VARIMAX = FactorAnalysis(3, rotation="varimax")


def clean(rng, n_samples=300):
    causes = np.repeat(rng.normal(size=(n_samples, 3)), 5, axis=1)
    return causes + 0.5 * rng.normal(size=causes.shape)


class FirstFeature(TransformerMixin, BaseEstimator):
    """Its one factor is a feature: loadings are plain correlations."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None):
        self.seed_ = self.random_state
        return self

    def transform(self, X):
        return np.asarray(X)[:, :1]


class Fickle(FirstFeature):
    """Finds one factor or two, as its seed has it."""

    def transform(self, X):
        return np.asarray(X)[:, : 1 + self.seed_ % 2]


def seeded(seed):
    return MinSyn(2, random_state=seed)


def test_congruence_is_its_equation(rng):
    a, b = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))
    expected = [[np.dot(x, y) / np.sqrt(np.dot(x, x) * np.dot(y, y)) for y in b.T] for x in a.T]
    np.testing.assert_allclose(congruence(a, b), expected)
    assert congruence(np.zeros((3, 1)), np.ones((3, 1))).tolist() == [[0.0]]


def test_factors_are_matched_one_to_one(rng):
    a = rng.normal(size=(20, 4))
    order, signs = np.array([2, 0, 3, 1]), np.array([1.0, -1.0, -1.0, 1.0])
    match = match_factors(a, (a * signs)[:, order] * 3)
    np.testing.assert_array_equal(order[match.permutation], range(4))
    np.testing.assert_array_equal(match.signs, signs)
    np.testing.assert_allclose(match.congruence, 1)
    fewer = match_factors(a, a[:, [3, 1]])
    assert fewer.permutation.tolist() == [-1, 1, -1, 0]
    np.testing.assert_allclose(fewer.congruence, [0, 1, 0, 1])


@pytest.mark.parametrize("model", [VARIMAX, MinSyn(3)], ids=["varimax", "minsyn"])
@pytest.mark.parametrize("split", ["half", "bootstrap"])
def test_factors_of_clean_structure_come_again(rng, model, split):
    result = stability(model, clean(rng), 4, split=split, random_state=0)
    assert result.congruence.shape == (4, 3) and result.congruence.min() > 0.95
    assert str(result).count("found again") == 3
    low, high = np.moveaxis(result.intervals, -1, 0)
    assert (low <= high).all() and np.mean(high - low) < 0.3


@pytest.mark.parametrize("model", [VARIMAX, MinSyn(3)], ids=["varimax", "minsyn"])
def test_factors_of_noise_do_not(rng, model):
    result = stability(model, rng.normal(size=(300, 15)), 4, random_state=0)
    assert result.congruence.mean() < 0.5
    assert str(result).count("unstable") == 3
    both = stability(model, rng.normal(size=(300, 15)), 4, split="bootstrap", random_state=0)
    assert result.congruence.mean() < both.congruence.mean() < 0.7


@pytest.mark.parametrize("split", ["half", "bootstrap"])
def test_intervals_are_those_of_correlations(rng, split):
    """The standard error of a correlation is (1 - r^2) / sqrt(n)."""
    X = rng.normal(size=(400, 1)) + rng.normal(size=(400, 6)) * [0, 0.5, 1, 1, 2, 4]
    result = stability(FirstFeature(), X, 200, split=split, random_state=0)
    r = result.loadings.values[1:, 0]
    low, high = result.intervals[1:, 0].T
    expected = 2 * 1.96 * (1 - r**2) / np.sqrt(400)
    np.testing.assert_allclose(high - low, expected, rtol=0.25)
    assert ((low < r) & (r < high)).all()
    np.testing.assert_allclose(result.intervals[0], 1)


def test_the_same_bits_for_any_number_of_jobs(rng):
    X = clean(rng, 80)
    one, two = (stability(MinSyn(3, n_init=1), X, 2, random_state=5, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(one.congruence, two.congruence)
    np.testing.assert_array_equal(one.intervals, two.intervals)
    np.testing.assert_array_equal(one.loadings.values, two.loadings.values)
    other = stability(MinSyn(3, n_init=1), X, 2, random_state=6)
    assert (one.congruence != other.congruence).any()


def test_a_memory_map_is_an_array_in_the_workers(rng, tmp_path):
    """joblib passes arrays above 1 MB as memory maps, which MinSyn would read as streams."""
    X = np.repeat(rng.normal(size=(9000, 2)), 8, axis=1) + rng.normal(size=(9000, 16))
    assert X.nbytes > 2**20
    one, two = (stability(MinSyn(2), X, 1, random_state=0, n_jobs=n) for n in (1, 2))
    np.testing.assert_array_equal(one.intervals, two.intervals)


def test_a_fitted_model_is_that_of_all_samples(rng):
    X = clean(rng)
    model = MinSyn(3, random_state=3).fit(X)
    result = stability(model, X, 2, random_state=0)
    np.testing.assert_array_equal(result.loadings.values, model.loadings_)
    assert result.loadings.factor_names == tuple(model.loadings_.columns)
    with pytest.raises(ValueError, match="X has 7 features, but the model was fitted to 15"):
        stability(model, X[:, :7], 2)


def test_every_fit_has_its_own_seed(rng):
    seen = []

    def make(seed):
        seen.append(seed)
        return FirstFeature()

    stability(make, clean(rng), 3, random_state=0)
    assert len(set(seen)) == 7
    fixed = make_pipeline(StandardScaler(), PCA(2, random_state=1))
    assert stability(fixed, clean(rng), 2, random_state=0).congruence.shape == (2, 2)


def test_functions_that_make_models(rng):
    X = clean(rng, 60)
    made = stability(seeded, X, 2, random_state=0)
    cloned = stability(MinSyn(2, random_state=1), X, 2, random_state=0)
    np.testing.assert_array_equal(made.congruence, cloned.congruence)


def test_missing_factors_have_no_congruence(rng):
    X = rng.normal(size=(100, 4))
    results = (stability(Fickle(), X, 12, random_state=seed) for seed in range(20))
    result = next(result for result in results if result.congruence.shape[1] == 2)
    assert (result.congruence == 0).any() and (result.congruence > 0.5).any()
    assert np.isfinite(result.intervals).all()


def test_frames(rng):
    X = pd.DataFrame(clean(rng), columns=[f"item {i}" for i in range(15)])
    result = stability(VARIMAX, X, 3, random_state=0)
    frame = result.to_frame()
    assert set(frame.index) == set(clone(VARIMAX).fit(X).get_feature_names_out())
    np.testing.assert_allclose(frame["congruence"], result.congruence.mean(axis=0))
    rows = result.loadings_to_frame()
    assert len(rows) == 45 and (rows["low"] <= rows["high"]).all()
    chosen = rows[(rows["feature"] == "item 7") & (rows["factor"] == frame.index[1])]
    assert chosen["loading"].item() == result.loadings.values[7, 1]
    assert [chosen["low"].item(), chosen["high"].item()] == result.intervals[7, 1].tolist()
    plain = stability(VARIMAX, X.to_numpy().tolist(), 3, random_state=0)
    np.testing.assert_allclose(plain.congruence, result.congruence)


def test_progress_is_shown_on_request(rng, capsys):
    stability(VARIMAX, clean(rng), 2, random_state=0)
    assert capsys.readouterr().out == ""
    stability(VARIMAX, clean(rng), 2, random_state=0, verbose=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_resamples": 0}, "n_resamples must be a whole number"),
        ({"confidence": 1.0}, "confidence=1.0"),
        ({"X": np.ones((3, 2))}, "X has 3 samples"),
    ],
)
def test_arguments_out_of_range(rng, options, message):
    with pytest.raises(ValueError, match=message):
        stability(VARIMAX, **{"X": clean(rng), **options})
