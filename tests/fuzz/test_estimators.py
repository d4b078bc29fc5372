"""Estimators on data of all kinds: finite results, or an error of our own, without warnings."""

from functools import partial
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from torch import nn

from attempts import attempt, quietly
from fuzzing import fuzz
from minsyn import Adam, Free, MinSyn, VectorMinSyn
from minsyn.data import as_samples
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


def as_float16(X):
    with np.errstate(over="ignore"):
        return X.astype(np.float16)


def as_float32(X):
    with np.errstate(over="ignore"):
        return X.astype(np.float32)


def end_of_float32(X):
    """Near its largest number, and beyond what is computed with."""
    largest = max(np.abs(X).max(), 1e-300)
    return (X / largest * (9e37 if X.shape[1] % 2 else 3e38)).astype(np.float32)


def polars(X):
    import polars as pl

    return pl.DataFrame({f"c{j}": X[:, j] for j in range(X.shape[1])})


def arrow(X):
    import pyarrow as pa

    return pa.table({f"c{j}": X[:, j] for j in range(X.shape[1])})


def read_only(X):
    X = X.copy()
    X.setflags(write=False)
    return X


def strided(X):
    wide = np.full((2 * len(X), 2 * X.shape[1]), np.nan)
    wide[::2, ::2] = X
    return wide[::2, ::2]


def names(X):
    return [f"c{j}" for j in range(X.shape[1])]


#: Forms of the same numbers.
SAME = {
    "Fortran": np.asfortranarray,
    "read-only": read_only,
    "strided": strided,
    "backwards": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "big endian": lambda X: X.astype(">f8"),
    "list": lambda X: X.tolist(),
    "longdouble": lambda X: X.astype(np.longdouble),
    "object": lambda X: X.astype(object),
    "frame": lambda X: pd.DataFrame(X, columns=names(X)),
    "frame of ints": lambda X: pd.DataFrame(X),
    "nullable": lambda X: pd.DataFrame(X, columns=names(X)).astype("Float64"),
    "arrow dtype": lambda X: pd.DataFrame(X, columns=names(X)).astype("float64[pyarrow]"),
    "object frame": lambda X: pd.DataFrame(X, columns=names(X)).astype(object),
    "polars": polars,
    "arrow": arrow,
    "masked": lambda X: np.ma.masked_array(X, np.zeros(X.shape, bool)),
    "tensor": lambda X: torch.from_numpy(X.copy()),
    "subclass": lambda X: X.view(type("Subclass", (np.ndarray,), {})),
}
STREAMS = {
    "stream": as_samples,
    **{
        f"{kind}_{form}": partial(
            lambda X, kind, form: getattr(sparse, f"{kind}_{form}")(X), kind=kind, form=form
        )
        for kind in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")
        for form in ("array", "matrix")
    },
    "dataset": lambda X: torch.utils.data.TensorDataset(torch.from_numpy(X.copy())),
}
#: Other types, which hold other numbers.
OTHER = {
    "float16": as_float16,
    "float32": as_float32,
    "end of float32": end_of_float32,
    "int8": lambda X: np.clip(np.round(X), -100, 100).astype(np.int8),
    "int64": lambda X: np.clip(np.nan_to_num(np.round(X)), -1e15, 1e15).astype(np.int64),
    "uint64": lambda X: np.clip(np.round(X), 0, 1e15).astype(np.uint64),
    "bool": lambda X: np.median(X) < X,
    "Int64": lambda X: pd.DataFrame(
        np.clip(np.nan_to_num(np.round(X)), -1e15, 1e15).astype(np.int64), columns=names(X)
    ).astype("Int64"),
    "boolean": lambda X: pd.DataFrame(np.median(X) < X, columns=names(X)).astype("boolean"),
    "complex": lambda X: X.astype(complex),
    "text": lambda X: X.astype(str),
    "bfloat16": lambda X: torch.from_numpy(X.copy()).bfloat16(),
    "half": lambda X: torch.from_numpy(X.copy()).half(),
    "bool tensor": lambda X: torch.from_numpy(np.median(X) < X),
    "3d": lambda X: X[:, :, None],
    "1d": lambda X: X[:, 0],
    "no rows": lambda X: X[:0],
    "no columns": lambda X: X[:, :0],
    "scalar": lambda X: 3.0,
    "none": lambda X: None,
    "dates": lambda X: np.zeros(X.shape, "datetime64[s]"),
    "words": lambda X: [["one"] * X.shape[1]] * len(X),
    "huge ints": lambda X: [[10**400] * X.shape[1]] * len(X),
    "NA": lambda X: np.where(np.arange(X.size).reshape(X.shape) == 1, pd.NA, X.astype(object)),
    "void": lambda X: np.zeros(X.shape, "V8"),
    "set": lambda X: {1, 2},
    "generator": lambda X: (row for row in X),
    "deep": lambda X: [[[1.0], 2.0]],
    "dict": lambda X: {"a": X[:, 0]},
    "ragged": lambda X: [[1.0], [2.0, 3.0]],
}
for package, form in {"polars": "polars", "pyarrow": "arrow"}.items():
    if find_spec(package) is None:
        del SAME[form]
FORMS = {**SAME, **STREAMS, **OTHER, "array": lambda X: X}


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
        n_groups=draw(st.sampled_from(["auto", "auto", 1, 2])) if grouping == "synergy" else "auto",
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
