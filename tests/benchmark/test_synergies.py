import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from minsyn.benchmark import MEASURES, Method, results_frame, run_cell, summarise
from minsyn.benchmark.cell import _synergies
from minsyn.information import gaussian


class Latents(FunctionTransformer):
    """The first columns, in groups."""

    def __init__(self, groups):
        super().__init__(lambda X: X[:, : len(groups)])
        self.groups = groups
        self.latent_groups_ = np.array(groups)


def test_is_what_the_closed_forms_say_of_many_samples(rng):
    Z = rng.normal(size=(20000, 3))
    X = np.hstack([Z, Z @ [[1, 2], [1, 0], [0, 1]] + rng.normal(size=(20000, 2))])
    found = _synergies(Latents([0, 0, 1]), X)
    # The first three pixels are latents: no synergy. Weights by variance: 1, 1, 1, 3, 6.
    rho = np.array([[1, 2], [1, 0], [0, 1]]) / np.sqrt([3, 6])
    gk = gaussian.gk_synergy(np.eye(3), rho)
    assert found["gk_synergy"] == pytest.approx(gk @ [3, 6] / 12, rel=0.02)
    # Within a group there is none: that of the last pixel remains.
    assert found["gk_synergy_groups"] == pytest.approx(gk[1] * 6 / 12, rel=0.02)
    ci = gaussian.ci_synergy(np.eye(3), rho)
    assert found["ci_synergy"] == pytest.approx(ci @ [3, 6] / 12, rel=0.02)


def test_without_groups_or_latents_there_is_nothing_to_measure(rng):
    X = rng.normal(size=(50, 6))
    pca = PCA(2).fit(X)
    assert set(_synergies(pca, X)) == {"ci_synergy", "gk_synergy"}
    assert _synergies(make_pipeline(pca), X) == _synergies(pca, X)
    assert _synergies(object(), X) == {} == _synergies(pca, X[:3])


def test_is_among_a_cells_scores(tiny):
    class Grouped(PCA):
        latent_groups_ = np.array([0, 1])

    grouped = Method("grouped", "Grouped", lambda n, seed: Grouped(n, svd_solver="full"))
    experiment = tiny([grouped], draws=1, samples_per_word=2, resample="all")
    words = experiment.data(0)
    result = run_cell(grouped, 0, words, 2, 0)
    pca = Grouped(2, svd_solver="full").fit(words.train.astype(float))
    expected = _synergies(pca, words.train.astype(float))
    assert set(expected) == set(MEASURES)
    frame = results_frame([result], 0)
    (row,) = summarise([result], [grouped])
    for name, value in expected.items():
        assert frame.at[0, name] == pytest.approx(value)
        assert row.scores[name].mean == pytest.approx(value)
