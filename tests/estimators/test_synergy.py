"""One function measures synergy: of a model, of its latents, and of its statistics alike."""

import numpy as np
import pandas as pd
import pytest

from minsyn.estimators import Adam, AutoEncoder, MinSyn, VectorMinSyn
from minsyn.information import gaussian, synergy, synergy_from_statistics

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def frame(rng):
    """Five features of two causes, one of them constant."""
    causes = rng.normal(size=(200, 2))
    X = causes @ rng.normal(size=(2, 4)) + 0.5 * rng.normal(size=(200, 4))
    return pd.DataFrame(np.column_stack([X, np.full(200, 0.1)]), columns=list("abcde"))


@pytest.mark.parametrize("make", [MinSyn, AutoEncoder])
def test_a_model_is_measured_as_its_latents(make, frame):
    model = make(2, max_iter=100, random_state=0).fit(frame)
    result = model.synergy(frame, n_bootstrap=5, random_state=1)
    latents = model.transform(frame)
    expected = synergy(latents, frame, n_bootstrap=5, random_state=1)
    assert result.bias_correction == expected.bias_correction == "wishart"
    assert result.targets == tuple("abcde")
    assert result.sources == tuple(model.get_feature_names_out())
    for measure in expected.measures:
        np.testing.assert_allclose(result[measure], expected[measure], rtol=1e-12)
        np.testing.assert_allclose(result.intervals[measure], expected.intervals[measure])
    for measure in ("mutual_information", "union_information", "gk_synergy", "ci_synergy"):
        assert result[measure][4] == 0
    assert result.means["gk_synergy"] == pytest.approx(
        np.average(expected["gk_synergy"], weights=frame.var(ddof=0))
    )


def test_statistics_of_a_fit_are_measured_as_its_data(frame):
    model = MinSyn(2, random_state=0).fit(frame)
    sampled = model.synergy(frame, bias_correction="none")
    known = synergy_from_statistics(model.statistics_)
    assert set(known.measures) == set(sampled.measures)
    for measure in known.measures:
        np.testing.assert_allclose(known[measure], sampled[measure], atol=1e-9)
    by_formula = gaussian.ci_synergy(model.statistics_.sigma, model.statistics_.rho)
    np.testing.assert_allclose(known["ci_synergy"], by_formula, atol=1e-9)
    measures = ["mutual_information", "union_information", "gk_synergy"]
    corrected = synergy_from_statistics(
        model.statistics_, measures=measures, bias_correction="wishart"
    )
    for measure in measures:
        np.testing.assert_allclose(corrected[measure], model.synergy(frame)[measure], atol=1e-9)


def test_groups_of_latents_are_vector_sources(rng):
    maps = np.zeros((3, 12))
    maps[0, :5], maps[1:, 5:] = 1.0, rng.normal(size=(2, 7))
    X = rng.normal(size=(300, 3)) @ maps + 0.3 * rng.normal(size=(300, 12))
    model = VectorMinSyn(random_state=0).fit(X)
    each = model.synergy(X, groups=range(3))
    grouped = model.synergy(X)
    assert len(each.sources) == 3 and len(grouped.sources) == 2
    assert grouped.means["gk_synergy"] < 0.2 * each.means["gk_synergy"]
    expected = synergy(model.transform(X), X, groups=model.latent_groups_)
    assert grouped.means == pytest.approx(expected.means)


@pytest.mark.parametrize("n_samples", [5, 7, 41])
def test_no_batch_holds_one_sample(n_samples, rng):
    """Whether samples come as an array or as a stream."""
    from minsyn.data import as_samples

    X = rng.random((n_samples, 3))
    settings = {"solver": Adam(batch_size=2), "max_iter": 3, "random_state": 0}
    model = MinSyn(1, **settings).fit(X)
    streamed = MinSyn(1, **settings).fit(as_samples(X))
    np.testing.assert_allclose(streamed.loss_curve_, model.loss_curve_, rtol=1e-4)
