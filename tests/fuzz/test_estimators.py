"""Estimators on data of all kinds: finite results, or an error of our own, without warnings."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from attempts import attempt, quietly
from containers import FORMS, OTHER, SAME, STREAMS, names
from fuzzing import fuzz
from minsyn import Adam, Free, MinSyn, VectorMinSyn
from minsyn.estimators import (
    AutoEncoder,
    BetaTCVAE,
    BetaVAE,
    InfoMax,
    InformationDropout,
    LinearCorex,
)
from minsyn.nn import DECODERS

SCALES = [1e-320, 1e-308, 1e-160, 1e-75, 1e-30, 1e-12, 1e-6, 1.0, 1.0, 1.0, 1e6, 1e12, 1e30, 1e74]
HUGE = [1e76, 1e150, 1e200, 1e305]
OFFSETS = [0.0, 0.0, 0.0, 1.0, -1e8, 1e8, 1e15]


@st.composite
def column(draw, x, earlier):
    kind = draw(
        st.sampled_from(
            [
                "plain",
                "plain",
                "plain",
                "constant",
                "zero",
                "copy",
                "near",
                "mirror",
                "binary",
                "integer",
                "outlier",
            ]
        )
    )
    n = len(x)
    if kind == "constant":
        x = np.full(n, draw(st.sampled_from([1.0, 0.1, -3.3])))
    elif kind == "zero":
        x = np.zeros(n)
    elif kind in ("copy", "near", "mirror") and earlier:
        x = earlier[draw(st.integers(0, len(earlier) - 1))] * (-1 if kind == "mirror" else 1)
        if kind == "near":
            x = x * (1 + 1e-9 * np.arange(n))
        return x
    elif kind == "binary":
        x = (x > 0).astype(float)
    elif kind == "integer":
        x = np.round(3 * x)
    elif kind == "outlier":
        x = x.copy()
        x[draw(st.integers(0, n - 1))] = draw(st.sampled_from([1e6, -1e12, 1e30]))
    return x


@st.composite
def samples(
    draw, sizes=(1, 2, 3, 4, 6, 6, 10, 10, 30, 30, 30), widths=(1, 2, 3, 4, 4, 6), unit=False
):
    n, k = draw(st.sampled_from(sizes)), draw(st.sampled_from(widths))
    rng = np.random.default_rng(draw(st.integers(0, 5)))
    base = rng.normal(size=(n, 2)) @ rng.normal(size=(2, k)) + 0.3 * rng.normal(size=(n, k))
    columns = []
    mixed = draw(st.integers(0, 2)) == 0
    scale, offset = draw(st.sampled_from(SCALES)), draw(st.sampled_from(OFFSETS))
    for j in range(k):
        if mixed:
            scale = draw(st.sampled_from(SCALES + SCALES + HUGE[:1]))
            offset = draw(st.sampled_from(OFFSETS))
        x = draw(column(base[:, j], columns))
        with np.errstate(over="ignore"):
            columns.append(np.clip(x, 0, 1) if unit else (x + offset) * scale)
    X = np.column_stack(columns)
    X[~np.isfinite(X)] = 1.0
    return X


class Own(nn.Module):
    def __init__(self, k, n):
        super().__init__()
        self.linear = nn.Linear(k, n)

    def forward(self, x):
        return torch.tanh(self.linear(x))


@st.composite
def adams(draw):
    return Adam(
        learning_rate=draw(st.sampled_from(["auto", "auto", 1e-3, 1.0, 1e30])),
        batch_size=draw(st.sampled_from([None, 2, 3, 100])),
        statistics=draw(st.sampled_from(["exact", "exact", "exact", "running"])),
        n_iter_no_change=1,
    )


#: Parameters of MinSyn that go together; the data of the last ones lie in [0, 1].
FAMILIES = {
    "linear": {},
    "linear too": {"solver": st.sampled_from(["covariance", "lbfgs", Adam()])},
    "adam": {"solver": adams()},
    "softplus": {
        "latents": st.just("softplus"),
        "decoder": st.sampled_from(["gaussian", "single-parent"]),
    },
    "single parent": {
        "decoder": st.just("single-parent"),
        "solver": st.sampled_from(["auto", "lbfgs", Adam(batch_size=3)]),
    },
    "net": {
        "encoder": st.sampled_from([(3,), (3, 2)]),
        "solver": st.one_of(st.just("auto"), adams()),
        "latents": st.sampled_from(["auto", "softplus"]),
    },
    "sigmoid": {
        "decoder": st.just("bernoulli-gaussian"),
        "encoder": st.sampled_from(["linear", (3,)]),
    },
    "own": {"encoder": st.just("own")},
    "free": {
        "decoder": st.builds(
            Free,
            st.sampled_from(["gaussian", "bernoulli-gaussian"]),
            synergy_weight=st.sampled_from([0.0, 1.0, 1e6]),
        )
    },
    "anything": {
        "decoder": st.sampled_from([*DECODERS]),
        "latents": st.sampled_from(["auto", "linear", "softplus", "sigmoid"]),
        "encoder": st.sampled_from(["linear", None, (3,), "own"]),
        "solver": st.sampled_from(["auto", "covariance", "lbfgs", Adam()]),
    },
    "binary": {
        "decoder": st.sampled_from(["bernoulli", "gaussian-bernoulli"]),
        "solver": st.sampled_from(["auto", "lbfgs", Adam()]),
    },
    "free binary": {
        "decoder": st.builds(
            Free,
            st.sampled_from(["bernoulli", "gaussian-bernoulli"]),
            synergy_weight=st.sampled_from([0.0, 1.0, 1e6]),
        )
    },
    "categorical": {"decoder": st.sampled_from(["gaussian-categorical", "bernoulli-categorical"])},
}
OF_PROBABILITIES = ("binary", "free binary", "categorical")


@st.composite
def minsyns(draw, k, unit):
    kinds = FAMILIES if unit else [name for name in FAMILIES if name not in OF_PROBABILITIES]
    kind = draw(st.sampled_from([*kinds]))
    found = {name: draw(value) for name, value in FAMILIES[kind].items()}
    n = draw(st.sampled_from([1, 1, min(2, k), min(3, k)]))
    if kind == "categorical":
        found["decoder"] = partial(DECODERS[found["decoder"]], sizes=[k])
    elif found.get("encoder") == "own":
        found["encoder"] = Own(k + draw(st.sampled_from([0, 0, 0, 0, 1])), n)
    else:
        n = draw(
            st.sampled_from([n, n, "auto", "auto", "empirical-kaiser", "minimum-average-partial"])
        )
        found["n_init"] = draw(st.sampled_from(["auto", 1, 2]))
        if kind not in OF_PROBABILITIES:
            found["standardize"] = draw(st.booleans())
    return MinSyn(n, max_iter=draw(st.sampled_from([1, 3, 10])), random_state=0, **found)


@st.composite
def vectors(draw, k, unit):
    nets = draw(st.integers(0, 3)) == 0
    grouping = draw(st.sampled_from(["synergy", "synergy", "synergy", list(range(k)), [0] * k]))
    single = grouping == [0] * k
    return VectorMinSyn(
        draw(st.sampled_from([None, None, None, 1 if single else k, [min(2, k)]])),
        n_groups=draw(st.sampled_from(["auto", "auto", 1, 2, k]))
        if grouping == "synergy"
        else "auto",
        grouping=grouping,
        max_parents=1 if single else draw(st.sampled_from([1, 1, 2, None])),
        balance=draw(st.sampled_from(["auto", True, False])),
        encoder=draw(st.sampled_from(["linear", (3,)])) if nets else "linear",
        decoder=(3,) if nets else "linear",
        solver=draw(st.one_of(st.none(), adams())) if nets else None,
        alpha=draw(st.sampled_from([2e-5, 0.0, 1.0, 1e10])),
        max_iter=draw(st.sampled_from([1, 3])),
        n_init=draw(st.sampled_from([1, 2])),
        random_state=0,
    )


@st.composite
def autoencoders(draw, k, unit):
    return AutoEncoder(
        draw(st.sampled_from([None, 1, 2])),
        decoder="sigmoid" if unit and draw(st.booleans()) else "linear",
        noise_std=draw(st.sampled_from([0.0, 0.0, 0.1, 1e20])),
        learning_rate=draw(st.sampled_from([1e-3, 1e-3, 1.0, 1e30])),
        batch_size=draw(st.sampled_from([None, 2, 3])),
        max_iter=draw(st.sampled_from([1, 3])),
        random_state=0,
    )


@st.composite
def infomaxes(draw, k, unit):
    return InfoMax(
        draw(st.sampled_from([None, 1, 2])),
        max_iter=draw(st.sampled_from([1, 5, 200])),
        random_state=0,
    )


@st.composite
def variational_models(draw, k, unit, kind):
    least = 2 if kind is BetaTCVAE else 1
    return kind(
        draw(st.sampled_from([None, 1, 2])),
        beta=draw(st.sampled_from([1.0, 4.0, 0.0, 1e3, 1e30])),
        decoder="sigmoid" if unit and draw(st.booleans()) else "linear",
        learning_rate=draw(st.sampled_from([1e-2, 1e-2, 1.0, 1e30])),
        batch_size=draw(st.sampled_from([None, least, 2, 3])),
        max_iter=draw(st.sampled_from([1, 3])),
        n_init=draw(st.sampled_from([1, 1, 2])),
        random_state=0,
    )


@st.composite
def linear_corexes(draw, k, unit):
    return LinearCorex(
        draw(st.sampled_from([1, 2])),
        shrinkage=draw(st.sampled_from([0.01, 0.0, 0.5, 0.999, 1e-300])),
        n_init=draw(st.sampled_from([1, 2])),
        max_iter=draw(st.sampled_from([1, 3, 30])),
        tol=draw(st.sampled_from([1e-9, 0.0, 1e9])),
        random_state=0,
    )


KINDS = {
    "MinSyn": minsyns,
    "VectorMinSyn": vectors,
    "AutoEncoder": autoencoders,
    "InfoMax": infomaxes,
    "LinearCorex": linear_corexes,
    "BetaVAE": partial(variational_models, kind=BetaVAE),
    "BetaTCVAE": partial(variational_models, kind=BetaTCVAE),
    "InformationDropout": partial(variational_models, kind=InformationDropout),
}


@st.composite
def problems(draw, kind, forms=tuple(FORMS)):
    unit = draw(st.integers(0, 2)) == 0
    X = draw(samples(unit=unit))
    form = draw(
        st.sampled_from(
            [*SAME, *SAME, *SAME, *(STREAMS if kind == "MinSyn" else ()), "array", *OTHER]
        )
    )
    model = draw(KINDS[kind](X.shape[1], unit))
    if kind == "MinSyn" and isinstance(model.decoder, partial):
        X = np.eye(X.shape[1])[X.argmax(axis=1)]
    missing = kind == "MinSyn" and draw(st.integers(0, 2 if model._takes_missing else 19)) == 0
    if missing:
        X = X.copy()
        X[draw(st.integers(0, len(X) - 1)), draw(st.integers(0, X.shape[1] - 1))] = draw(
            st.sampled_from([np.nan, np.nan, np.nan, np.inf])
        )
    return model, X, form


#: Fitted attributes, each of which some estimator has.
FITTED = ["components_", "intercept_", "encoder_weights_", "encoder_bias_", "loss_curve_"]
FITTED += ["loadings_", "communality_", "factor_correlation_", "latent_information_"]
FITTED += ["total_correlation_", "parents_"]


def as_fitted(model, X):
    return pd.DataFrame(X, columns=names(X)) if hasattr(model, "feature_names_in_") else X


def require_finite(what, value):
    value = np.asarray(value, dtype=float)
    assert np.isfinite(value).all(), (what, value)


def finite(what, function, *args):
    """A result without NaN, where the call is not refused."""
    found = attempt(function, *args)
    if not isinstance(found, Exception):
        require_finite(what, found)
    return found


def run(model, X, form):
    """Fit and use a model of some data; returns its latents, or the error of the fit."""
    data = FORMS[form](X)
    fitted = attempt(model.fit, data)
    if isinstance(fitted, Exception):
        return fitted
    z = finite("transform", model.transform, data)
    assert not isinstance(z, Exception), z
    for name in FITTED:
        if hasattr(model, name):
            require_finite(name, getattr(model, name))
    require_finite("inverse_transform", attempt(model.inverse_transform, z[::-1, ::-1][::-1, ::-1]))
    require_finite("score", attempt(model.score, data))
    if hasattr(model, "statistics_"):
        assert str(attempt(model.describe))
    if isinstance(model, VectorMinSyn):
        assert str(attempt(model.summary, data))
    if isinstance(model, LinearCorex):
        require_finite("get_covariance", attempt(model.get_covariance))
    for scale in (1e-30, 1e3, 1e30, 1e200):
        with np.errstate(over="ignore"):
            scaled = as_fitted(model, scale * X)
        other = finite(f"transform of {scale} X", model.transform, scaled)
        if not isinstance(other, Exception):
            finite(f"inverse of {scale} X", model.inverse_transform, other)
    if not hasattr(model, "feature_names_in_"):
        wrong = attempt(model.transform, np.ones((3, X.shape[1] + 1)))
        assert isinstance(wrong, ValueError), wrong
    if form in {**SAME, **STREAMS} and not isinstance(model, InfoMax):
        same = quietly(model.transform, as_fitted(model, X))
        if form in SAME and not np.isnan(X).any():
            np.testing.assert_array_equal(z, same)
        else:
            np.testing.assert_allclose(z, same, rtol=1e-6, atol=1e-6 * np.abs(same).max())
    return z


@pytest.mark.parametrize("kind", KINDS)
@fuzz(2)
@given(st.data())
def test_any_data(kind, data):
    if kind == "InfoMax":
        pytest.importorskip("mne")
    run(*data.draw(problems(kind)))
