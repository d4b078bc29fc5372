"""`partial_fit` on parts of all kinds: equal to the one fit where that is promised."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attempts import attempt, quietly
from containers import OTHER, SAME, STREAMS, names
from fuzzing import fuzz
from minsyn import Adam, Free, MinSyn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 2)) @ RNG.normal(size=(2, 5)) + 0.3 * RNG.normal(size=(40, 5))

#: What may come between: none of these changes the model but by an error of our own.
WRONG = {
    "empty": np.empty((0, 5)),
    "wide": np.ones((3, 6)),
    "infinite": np.full((2, 5), np.inf),
    "huge": np.full((2, 5), 1e200),
    "text": [["a"] * 5],
    "path": "x.npy",
    "one number": 3.0,
}


@st.composite
def parts(draw, n):
    """Where samples are split, and what comes between."""
    cuts = sorted(draw(st.sets(st.integers(1, n - 1), max_size=5)))
    return cuts, draw(st.lists(st.sampled_from([*WRONG]), max_size=2))


@fuzz(2)
@given(
    split=parts(40),
    scale=st.sampled_from([1e-100, 1e-12, 1.0, 1e12, 1e60, "mixed"]),
    offset=st.sampled_from([0.0, 0.0, 1e4]),
    missing=st.booleans(),
    weighted=st.booleans(),
    standardize=st.booleans(),
    first=st.sampled_from(["partial_fit", "fit", "fit_covariance"]),
)
def test_a_linear_model_of_parts_is_that_of_all(
    split, scale, offset, missing, weighted, standardize, first
):
    unit = np.array([1e-12, 1e12, 1.0, 1e-6, 1e3]) if scale == "mixed" else scale
    x = (X + offset) * unit
    if missing:
        x[np.random.default_rng(1).random(x.shape) < 0.1] = np.nan
    weight = np.random.default_rng(2).integers(0, 3, len(x)).astype(float) if weighted else None
    options = {"n_components": 2, "standardize": standardize, "random_state": 0, "tol": 1e-9}
    cuts, between = split
    model = MinSyn(**options)
    for number, rows in enumerate(np.split(np.arange(len(x)), cuts)):
        w = None if weight is None else weight[rows]
        known = hasattr(model, "components_")
        method = model.partial_fit if known or first != "fit" else model.fit
        found = attempt(method, x[rows], sample_weight=w)
        if isinstance(found, Exception):
            return  # a first part of one sample, or features that no sample has together
        if number == 0 and first == "fit_covariance":
            model = attempt(MinSyn(**options).fit_covariance, model._moments)
        for wrong in between:
            before = model.components_
            refusal = attempt(model.partial_fit, WRONG[wrong])
            assert isinstance(refusal, ValueError | TypeError), (wrong, refusal)
            assert model.components_ is before
    whole = quietly(MinSyn(**options).fit, x, sample_weight=weight)
    per_std = 1 / np.sqrt(whole._moments.variance)
    for name in ("mean", "covariance"):
        mine, other = (getattr(m._moments, name) * per_std for m in (model, whole))
        if name == "covariance":
            mine, other = mine * per_std[:, np.newaxis], other * per_std[:, np.newaxis]
        np.testing.assert_allclose(mine, other, rtol=1e-7, atol=1e-7 * max(1.0, abs(offset)))
    assert model._moments.weight == pytest.approx(whole._moments.weight)
    assert np.isfinite(quietly(model.transform, x)).all()


@fuzz(2)
@given(
    split=parts(40),
    scale=st.sampled_from([1e-12, 1.0, 1e12]),
    model=st.sampled_from(
        [
            {"latents": "softplus"},
            {"solver": Adam(batch_size=4), "standardize": True},
            {"encoder": (3,)},
            {"decoder": Free(), "latents": "softplus"},
            {"decoder": "single-parent"},
        ]
    ),
    constant=st.integers(0, 5),
)
def test_steps_on_parts_are_finite(split, scale, model, constant):
    """Also where a feature begins to vary later, and what is wrong comes between."""
    x = X * scale
    x[:20, :constant] = 1.0
    cuts, between = split
    model = MinSyn(2, random_state=0, **model)
    for rows in np.split(np.arange(len(x)), cuts):
        attempt(model.partial_fit, x[rows])
        if hasattr(model, "components_"):
            for wrong in between:
                refusal = attempt(model.partial_fit, WRONG[wrong])
                assert isinstance(refusal, ValueError | TypeError), (wrong, refusal)
            z = attempt(model.transform, x)
            assert not isinstance(z, Exception), z
            assert np.isfinite(z).all() and np.isfinite(model.inverse_transform(z)).all()


#: Containers that a part may be in, of columns with names and of others.
NAMED = ["frame", "nullable", "arrow dtype", "object frame", "polars", "arrow"]
NAMED = [form for form in NAMED if form in SAME]
NAMELESS = [form for form in SAME if form not in NAMED]
NAMELESS += [form for form in STREAMS if form.startswith(("csr", "csc", "coo", "lil"))]
TYPES = ["float64", "float32", "float16", "int64", "int8", "bool"]
#: Columns that are not those of the first part.
OTHER_COLUMNS = {
    "another order": lambda x: pd.DataFrame(x[:, ::-1], columns=names(x)[::-1]),
    "other names": lambda x: pd.DataFrame(x, columns=list("vwxyz")),
    "one less": lambda x: pd.DataFrame(x[:, :4], columns=names(x)[:4]),
    "one more": lambda x: pd.DataFrame(np.hstack([x, x[:, :1]]), columns=[*names(x), "more"]),
    "words": lambda x: pd.DataFrame(x, columns=names(x)).assign(c0="word"),
}


@st.composite
def part(draw, named):
    """How a part comes: its type, container and weights, and what happens before it."""
    return (
        draw(st.sampled_from(TYPES)),
        draw(st.sampled_from(NAMED if named else NAMELESS)),
        draw(st.sampled_from([None, None, "counts", "fractions", 1e-30, 1e30])),
        draw(st.sampled_from(["nothing", "nothing", "load", "pickle", "copy", "wrong", "empty"])),
    )


def other_type(x, kind):
    """The numbers in a type, as float64."""
    if kind == "bool":
        return (x > 0).astype(np.float64)
    if kind.startswith("int"):
        x = np.clip(np.round(x), -100, 100)
    return x.astype(kind).astype(np.float64)


def held(x, kind, form):
    """The numbers in a container, in their type where it keeps that."""
    keeps = form in ("Fortran", "read-only", "strided", "list", "frame", "csr_array", "tensor")
    keeps = keeps and not (kind == "float16" and form == "csr_array")  # SciPy has none
    return SAME.get(form, STREAMS.get(form))(x.astype(kind) if keeps else x)


def changed_on_the_way(model, how, folder):
    if how == "load":
        model.save(folder)
        return MinSyn.load(folder)
    if how == "pickle":
        return pickle.loads(pickle.dumps(model))
    return copy.deepcopy(model) if how == "copy" else model


LINEAR = [{}, {"standardize": True}, {"n_components": "auto"}, {"n_components": "empirical-kaiser"}]
STEPPED = [
    {"latents": "softplus"},
    {"solver": Adam(batch_size=4), "standardize": True},
    {"encoder": (3,)},
    {"decoder": Free()},
    {"decoder": "single-parent"},
]


@fuzz(2)
@given(
    data=st.data(),
    split=parts(40),
    options=st.sampled_from([*LINEAR, *LINEAR, *STEPPED]),
    named=st.booleans(),
    scale=st.sampled_from([1.0, 1.0, 30.0]),
)
def test_parts_of_any_type_and_container(tmp_path_factory, data, split, options, named, scale):
    """Linear models are those of all samples; others are finite; what is wrong changes none."""
    folder = tmp_path_factory.getbasetemp() / "sequence"
    exact = options in LINEAR
    options = {"n_components": 2, "random_state": 0, **options}
    model, taken, weights = MinSyn(**options), [], []
    for rows in np.split(np.arange(40), split[0]):
        kind, form, weighted, before = data.draw(part(named))
        if hasattr(model, "components_"):
            components = model.components_
            if before in ("wrong", "empty"):
                wrong = OTHER["no rows"](X)
                if before == "wrong" and named:
                    wrong = OTHER_COLUMNS[data.draw(st.sampled_from([*OTHER_COLUMNS]))](X)
                elif before == "wrong":
                    wrong = WRONG[data.draw(st.sampled_from([*WRONG]))]
                elif named:
                    wrong = pd.DataFrame(wrong, columns=names(X))
                refusal = attempt(model.partial_fit, wrong)
                assert isinstance(refusal, ValueError | TypeError), (wrong, refusal)
                assert model.components_ is components
            model = changed_on_the_way(model, before, folder)
            np.testing.assert_array_equal(model.components_, components)
        x = other_type(scale * X[rows], kind)
        w = np.ones(len(rows)) if weighted is None or not exact else weighted
        if weighted == "counts":
            w = np.arange(len(rows)) % 3 + (len(rows) < 2)
        elif weighted == "fractions":
            w = np.random.default_rng(len(rows)).random(len(rows))
        w = np.broadcast_to(w if exact else 1.0, len(rows)).astype(float)
        given_weights = {} if weighted is None or not exact else {"sample_weight": w}
        found = attempt(model.partial_fit, held(x, kind, form), **given_weights)
        if isinstance(found, Exception):
            # Only a part that is too small: a sample alone, or weights that are too few.
            assert not exact or not hasattr(model, "components_"), repr(found)
            assert exact or len(rows) < 2, repr(found)
            continue
        taken.append(x)
        weights.append(w)
        z = quietly(model.transform, held(x, kind, form))
        assert np.isfinite(z).all() and np.isfinite(model.inverse_transform(z)).all()
    if not exact or sum(map(len, taken)) < 2:
        return
    x, w = np.concatenate(taken), np.concatenate(weights)
    whole = quietly(MinSyn(**options).fit, pd.DataFrame(x, columns=names(x)), sample_weight=w)
    if len(model.components_) != len(whole.components_):
        return  # an eigenvalue at the limit
    mine, other = model._moments, whole._moments
    assert mine.weight == pytest.approx(other.weight)
    # A part whose weight is next to nothing counts to the rounding of the others.
    atol = 1e-12 * np.abs(x).max()
    np.testing.assert_allclose(mine.mean, other.mean, rtol=1e-12, atol=atol)
    atol *= np.abs(x).max()
    np.testing.assert_allclose(mine.covariance, other.covariance, rtol=1e-12, atol=atol)
