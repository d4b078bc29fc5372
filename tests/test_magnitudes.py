"""Data at the edges of float64: finite results without warnings of NumPy, or our own error."""

import warnings

import numpy as np
import pytest
from scipy import sparse

from minsyn import Adam, MinSyn, VectorMinSyn
from minsyn.estimators import AutoEncoder, BetaTCVAE, InfoMax, InformationDropout, LinearCorex
from minsyn.information import gaussian, synergy
from minsyn.information.ci import bernoulli

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 2)) @ RNG.normal(size=(2, 4)) + 0.3 * RNG.normal(size=(30, 4))
QUICK = {"random_state": 0, "max_iter": 3}
MODELS = {
    "linear": MinSyn(2, random_state=0),
    "standardised": MinSyn(standardize=True, random_state=0),
    "softplus": MinSyn(2, latents="softplus", **QUICK),
    "single parent": MinSyn(2, decoder="single-parent", **QUICK),
    "adam": MinSyn(2, solver=Adam(), **QUICK),
    "vectors": VectorMinSyn(n_groups=1, random_state=0),
    "autoencoder": AutoEncoder(2, **QUICK),
    "infomax": InfoMax(2, random_state=0),
    "corex": LinearCorex(2, n_init=1, random_state=0),
    "tcvae": BetaTCVAE(2, **QUICK),
    "dropout": InformationDropout(2, **QUICK),
}
SCALES = {
    "1e-310": 1e-310,
    "5e73": 5e73,
    "mixed": np.array([1e-308, 1e73, 1.0, 1e-70]),
    "all tiny": np.array([1e-200, 1e-308, 1e-150, 1e-10]),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_of_all_magnitudes(name):
    if name == "infomax":
        pytest.importorskip("mne")
    model = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RuntimeWarning)
        for scale, factor in SCALES.items():
            x = X * factor
            z = model.fit(x).transform(x)
            assert np.isfinite(z).all() and np.isfinite(model.inverse_transform(z)).all(), scale
            assert np.isfinite(model.score(x)), scale
        end = (9e37 * np.sign(X)).astype(np.float32)
        z = model.fit(end).transform(end)
        assert np.isfinite(z).all() and np.isfinite(model.inverse_transform(z)).all()
        with pytest.raises(ValueError, match="cannot be subtracted in float32: convert the data"):
            model.transform(3 * end)
        for huge in (1e76, 1e200, 1e305, np.array([1.0, 1.0, 1e200, 1.0])):
            with pytest.raises(ValueError, match=r"beyond 1e\+75 cannot be squared .* divide the"):
                model.fit(X * huge)
            with pytest.raises(ValueError, match="cannot be squared"):
                model.transform(X * huge)


def test_streams_matrices_and_synergy():
    for model in (MinSyn(2), MODELS["adam"]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ValueError, match=r"column 0 reaches .* cannot be squared"):
                model.fit(sparse.csr_array(X * 1e200))
    with pytest.raises(ValueError, match=r"variances must be at most 1e\+150"):
        MinSyn(2).fit_covariance(np.cov(X.T) * 1e160)
    for model in ("gaussian", "copula"):
        with pytest.raises(
            ValueError, match=r"Z\['z0'\] reaches -?\d\S*e\+\d*, and numbers beyond"
        ):
            synergy(X[:, :2] * 1e200, X[:, 2:], model)
        small = synergy(X[:, :2] * 5e73, X[:, 2:] * 1e-100, model)
        same = synergy(X[:, :2], X[:, 2:], model)
        np.testing.assert_allclose(small["ci_synergy"], same["ci_synergy"], rtol=1e-9)


def test_decoders_refuse_what_is_no_correlation_or_probability():
    for wrong in (np.nan, np.inf, -1.5):
        with pytest.raises(ValueError, match="correlations in"):
            gaussian.ci_decoder(np.array([[0.5], [wrong]]))
        with pytest.raises(ValueError, match="p_x must hold probabilities"):
            bernoulli.ci_decoder(np.array([[0.5]]), np.array([0.5]), np.array([wrong]))
