import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning

from minsyn.estimators import InfoMax

pytest.importorskip("mne")


@pytest.fixture
def mixed(rng):
    """Three heavy-tailed sources in six features."""
    return rng.laplace(size=(500, 3)) @ rng.normal(size=(3, 6)) + 10.0


def test_reconstructs_as_pca_does(mixed, rng):
    X = mixed + rng.normal(size=mixed.shape)
    model, pca = InfoMax(3, random_state=0).fit(X), PCA(3).fit(X)
    expected = pca.inverse_transform(pca.transform(X))
    np.testing.assert_allclose(model.inverse_transform(model.transform(X)), expected, atol=1e-10)
    assert np.abs(model.components_ / np.linalg.norm(model.components_, axis=1)[:, None]).max() < 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("origin", [0.0, 1000.0])
def test_directions_without_variance_are_zero(mixed, dtype, origin):
    """Rounding, of data far from 0 most of all, is not whitened into a source."""
    X = (mixed + origin).astype(dtype)
    model = InfoMax(5, random_state=0).fit(X)
    assert np.all(model.components_[3:] == 0) and np.all(model.unmixing_[3:] == 0)
    assert np.all(model.components_[:3] != 0)
    assert -model.score(X) < (10 * np.finfo(dtype).eps * (origin + 10)) ** 2
    assert np.all(model.transform(X)[:, 3:] == 0)


def test_nothing_varies():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = InfoMax(2, random_state=0).fit(np.ones((9, 4)))
    assert np.all(model.components_ == 0) and model.score(np.ones((9, 4))) == 0


def test_names_the_column_that_is_too_large(mixed):
    table = pd.DataFrame(mixed, columns=list("abcdef")).assign(c=1e80)
    with pytest.raises(ValueError, match=r"^c reaches 1e\+80"):
        InfoMax(3).fit(table)


def test_sources_beyond_single_precision(mixed):
    model = InfoMax(3, random_state=0).fit(1e-3 * mixed)
    far = np.full((2, 6), 1e37, np.float32) * np.sign(model.unmixing_[0], dtype=np.float32)
    far[0] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="latents of sample 1 are not finite in float32"):
            model.transform(far)


@pytest.mark.parametrize("tol", [1e-1, 1e-3])
def test_knows_that_the_weights_have_settled(mixed, tol):
    """A wide tolerance is met in a few passes, and these are counted."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model = InfoMax(3, tol=tol, random_state=0).fit(mixed)
    assert model.converged_ and 2 < model.n_iter_ < 200
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        stopped = InfoMax(3, tol=1e-12, max_iter=3, random_state=0).fit(mixed)
    assert not stopped.converged_ and stopped.n_iter_ == 3


def test_says_how_to_install_mne(mixed, monkeypatch):
    monkeypatch.setitem(sys.modules, "mne.preprocessing", None)
    with pytest.raises(ImportError, match=r"minsyn\[infomax\]"):
        InfoMax(3).fit(mixed)
