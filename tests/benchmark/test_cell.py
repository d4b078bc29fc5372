import warnings

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA, FastICA
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info

from minsyn.benchmark import (
    METHODS,
    AffineDecoder,
    Experiment,
    Method,
    decoder_maps,
    find_methods,
    reconstruct,
    run_cell,
)
from minsyn.datasets import load_letters, make_word_images
from minsyn.estimators import Adam, AutoEncoder, MinSyn, VectorMinSyn
from minsyn.metrics import average_character_concentration, squared_error


@pytest.fixture(scope="module")
def words():
    return make_word_images(random_state=0)


def test_ica_maps_are_the_mixing_matrix(rng):
    sources = rng.laplace(size=(500, 2))
    X = sources @ np.array([[5.0, 1.0, 0.0], [0.0, 1.0, 3.0]])
    ica = FastICA(2, whiten="unit-variance", whiten_solver="svd", random_state=0).fit(X)
    np.testing.assert_allclose(ica.transform(X) @ decoder_maps(ica) + ica.mean_, X, atol=1e-9)
    assert not np.allclose(decoder_maps(ica), ica.components_)


def test_scores_are_those_of_the_estimator(words):
    result = run_cell(METHODS["pca"], 3, words, 9, 0)
    pca = PCA(9, svd_solver="full").fit(words.train.astype(float))  # as cells do
    assert result.draw == 3
    assert result.train_loss == pytest.approx(
        squared_error(words.train, reconstruct(pca, words.train))
    )
    assert result.test_loss == pytest.approx(
        squared_error(words.test, reconstruct(pca, words.test))
    )
    assert result.acc == pytest.approx(
        average_character_concentration(pca.components_, words.groups)
    )
    np.testing.assert_allclose(
        result.test_examples,
        reconstruct(pca, words.test[result.test_rows]),
        atol=1e-5,
    )


def test_independent_components_reconstruct_as_pca(words):
    """As the paper says: they only rotate what PCA found."""
    pytest.importorskip("mne")
    pca, ica, infomax = (
        run_cell(METHODS[key], 0, words, 9, 0) for key in ("pca", "ica", "infomax")
    )
    for other in (ica, infomax):
        assert other.train_loss == pytest.approx(pca.train_loss, abs=1e-3)
        assert other.test_loss == pytest.approx(pca.test_loss, abs=1e-3)
        assert abs(other.acc - pca.acc) > 1e-3


def test_minsyn_keeps_characters_apart(real_data):
    words = make_word_images(letters=real_data("emnist_letters.npz"), random_state=0)
    result = run_cell(METHODS["minsyn-gaussian"], 0, words, 9, 0)
    pca = run_cell(METHODS["pca"], 0, words, 9, 0)
    assert result.acc < 0.45 < pca.acc


def test_ica_that_does_not_settle_still_reconstructs_as_pca(real_data):
    """In float32 this draw's unmixing matrix loses rank, and the loss is 159, not 47."""
    experiment = Experiment(load_letters(real_data("emnist_letters.npz")), find_methods(["ica"]))
    (method,), draw = experiment.methods, 7
    words = experiment.data(draw)
    ica = run_cell(method, draw, words, 9, experiment.random_state(method, draw))
    pca = run_cell(METHODS["pca"], draw, words, 9, 0)
    assert not ica.converged
    assert ica.train_loss == pytest.approx(pca.train_loss, abs=1e-3)
    assert ica.test_loss == pytest.approx(pca.test_loss, abs=1e-3)


TINY_GROUPS = np.tile(np.repeat([0, 1], 8), 8)


def _minsyn(m, seed):
    return MinSyn(m, decoder="bernoulli", latents="sigmoid", max_iter=2, solver=Adam())


class Cubic(PCA):
    """Has a decoder that no page runs."""

    def inverse_transform(self, X):
        return super().inverse_transform(X) ** 3


@pytest.mark.parametrize(
    ("make", "logistic"),
    [
        (_minsyn, True),
        (lambda m, seed: AutoEncoder(m, decoder="sigmoid", max_iter=2), True),
        (lambda m, seed: VectorMinSyn([1, 1], grouping=TINY_GROUPS, n_init=1), True),
        (lambda m, seed: FastICA(m, random_state=seed, tol=1), False),
        (lambda m, seed: Cubic(m), None),
    ],
)
def test_the_first_draw_keeps_a_decoder_that_decodes_as_the_estimator_does(tiny, make, logistic):
    words, made = tiny().data(0), []
    method = Method("m", "M", lambda m, seed: made.append(make(m, seed)) or made[-1])
    result = run_cell(method, 0, words, 2, 0)
    assert result.logistic is logistic
    if logistic is not None:
        decoder = AffineDecoder(result.weights, result.bias, result.logistic)
        X = np.concatenate([words.train, words.test])
        np.testing.assert_allclose(decoder(result.latents), reconstruct(made[0], X), atol=1e-3)
    assert run_cell(method, 1, words, 2, 0).latents is None


class Told(PCA):
    """Notes what it is told of the pixels."""

    def set_params(self, grouping, n_components):
        self.n_components = sum(n_components)
        self.told = grouping, n_components
        return self


def test_an_oracle_is_told_the_positions(words):
    told = Told(1)
    run_cell(Method("o", "O", lambda m, seed: told, knows_positions=True), 0, words, 7, 0)
    assert told.told[0] is words.groups and told.told[1] == [3, 2, 2]


class Threads(PCA):
    """Looks at how many threads it may use."""

    def fit(self, X, y=None):
        counts = [pool["num_threads"] for pool in threadpool_info()] + [torch.get_num_threads()]
        warnings.warn(f"threads {max(counts)}", ConvergenceWarning, stacklevel=1)
        return super().fit(X)


def test_one_thread_and_warnings_on_record(words):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        result = run_cell(Method("t", "T", lambda m, seed: Threads(m)), 0, words, 2, 0)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert result.warnings == ("threads 1",)
    assert not result.converged


class Diverged(PCA):
    """Ends in NaN."""

    def inverse_transform(self, X):
        return super().inverse_transform(X) * np.nan


def test_nan_is_no_score(words):
    with pytest.raises(FloatingPointError, match="diverged"):
        run_cell(Method("t", "T", lambda m, seed: Diverged(m)), 0, words, 2, 0)
