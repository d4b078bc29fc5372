import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from minsyn.benchmark import find_methods, measure_synergy, results_frame, run_cell, summarise
from minsyn.benchmark.measured import MEASURES
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
    found = measure_synergy(Latents([0, 0, 1]), X)
    # The first three pixels are latents: no synergy. Weights by variance: 1, 1, 1, 3, 6.
    rho = np.array([[1, 2], [1, 0], [0, 1]]) / np.sqrt([3, 6])
    gk = gaussian.gk_synergy(np.eye(3), rho)
    assert found.gk_synergy == pytest.approx(gk @ [3, 6] / 12, rel=0.02)
    # Within a group there is none: that of the last pixel remains.
    assert found.gk_synergy_groups == pytest.approx(gk[1] * 6 / 12, rel=0.02)
    ci = gaussian.ci_synergy(np.eye(3), rho)
    assert found.ci_synergy == pytest.approx(ci @ [3, 6] / 12, rel=0.02)


def test_without_groups_or_latents_there_is_nothing_to_measure(rng):
    X = rng.normal(size=(50, 6))
    pca = PCA(2).fit(X)
    assert np.isnan(measure_synergy(pca, X).gk_synergy_groups)
    assert measure_synergy(make_pipeline(pca), X) == pytest.approx(
        measure_synergy(pca, X), nan_ok=True
    )
    assert np.isnan(measure_synergy(object(), X)).all()
    assert np.isnan(measure_synergy(pca, X[:3])).all()


def test_is_among_a_cells_scores(tiny):
    experiment = tiny(["pca", "minsyn-single-parent"], draws=1, samples_per_word=2, resample="all")
    words = experiment.words(0)
    results = [run_cell(method, 0, words, 2, 0) for method in experiment.methods]
    frame = results_frame(results, 0).set_index("method")
    pca = PCA(2, svd_solver="full").fit(words.train)
    for name, value in measure_synergy(pca, words.train.astype(float))._asdict().items():
        assert frame.at["pca", name] == pytest.approx(value, rel=1e-4, nan_ok=True)
    rows = {row.key: row for row in summarise(results)}
    assert set(MEASURES) < set(rows["pca"].scores)
    assert not np.isnan(rows["minsyn-single-parent"].scores["gk_synergy_groups"].mean)
    assert find_methods(["pca"])[0].key in rows
