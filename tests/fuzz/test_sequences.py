"""`partial_fit` on parts of all kinds: equal to the one fit where that is promised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attempts import attempt, quietly
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
