"""What does not count in a fit: units, origin, the order of the samples, container and layout."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attempts import quietly
from containers import SAME, STREAMS
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

QUICK = {"max_iter": 5, "random_state": 0}
#: Fits from moments: only rounding tells samples in another order, or of another origin.
EXACT = {
    "linear": MinSyn(2, random_state=0),
    "standardised": MinSyn(2, standardize=True, random_state=0),
    "vectors": VectorMinSyn(2, grouping=[0, 0, 1, 1], random_state=0),
}
#: Those whose features each have a unit of their own.
OF_UNITS = {"standardised": EXACT["standardised"], "corex": LinearCorex(2, n_init=1, **QUICK)}
MODELS = {
    **EXACT,
    "corex": OF_UNITS["corex"],
    "lbfgs": MinSyn(2, solver="lbfgs", **QUICK),
    "softplus": MinSyn(2, latents="softplus", **QUICK),
    "single parent": MinSyn(2, decoder="single-parent", **QUICK),
    "adam": MinSyn(2, solver=Adam(batch_size=16), **QUICK),
    "net": MinSyn(2, encoder=(3,), **QUICK),
    "free": MinSyn(2, decoder=Free(), **QUICK),
    "vector nets": VectorMinSyn(2, grouping=[0, 0, 1, 1], decoder=(3,), **QUICK),
    "autoencoder": AutoEncoder(2, **QUICK),
    "infomax": InfoMax(2, **QUICK),
    "vae": BetaVAE(2, **QUICK),
    "tcvae": BetaTCVAE(2, **QUICK),
    "dropout": InformationDropout(2, **QUICK),
}


def table(seed):
    """Two causes of different strength, each seen in two features."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.normal(size=(60, 2)) * [2, 1], 2, axis=1) + rng.normal(size=(60, 4)) / 3


def latents(model, fitted, seen=None):
    return quietly(quietly(model.fit, fitted).transform, fitted if seen is None else seen)


SEEDS, POWERS = st.integers(0, 2**31), st.integers(-200, 200)


@fuzz(3)
@given(name=st.sampled_from([*MODELS]), seed=SEEDS, power=POWERS)
def test_a_power_of_two_times_the_data_has_the_same_latents(name, seed, power):
    if name == "infomax":
        pytest.importorskip("mne")
    x = table(seed)
    z = latents(MODELS[name], x)
    np.testing.assert_allclose(latents(MODELS[name], np.ldexp(x, power)), z, atol=1e-6)


@fuzz(2)
@given(name=st.sampled_from([*OF_UNITS]), seed=SEEDS, powers=st.tuples(*[POWERS] * 4))
def test_units_of_features_do_not_count(name, seed, powers):
    x = table(seed)
    z = latents(OF_UNITS[name], x)
    np.testing.assert_allclose(latents(OF_UNITS[name], np.ldexp(x, powers)), z, atol=1e-6)


@fuzz(2)
@given(name=st.sampled_from([*EXACT]), seed=SEEDS, offset=st.sampled_from([0.0, 3.0, -1e4]))
def test_order_of_samples_and_origin_do_not_count(name, seed, offset):
    x = table(seed)
    order = np.random.default_rng(seed).permutation(len(x))
    z = latents(EXACT[name], x)
    np.testing.assert_allclose(latents(EXACT[name], (x + offset)[order]), z[order], atol=1e-6)


@fuzz(3)
@given(
    name=st.sampled_from([*MODELS]),
    form=st.sampled_from([*SAME, *(form for form in STREAMS if form != "dataset")]),
    seed=SEEDS,
)
def test_containers_and_layouts_do_not_count(name, form, seed):
    if name == "infomax":
        pytest.importorskip("mne")
    model = MODELS[name]
    if form in STREAMS and not isinstance(model, MinSyn):
        form = "Fortran"
    if form in STREAMS and name not in EXACT:
        return  # batches of a stream are drawn in another way
    x = table(seed)
    z = latents(model, x)
    other = latents(model, (SAME | STREAMS)[form](x))
    # The memory's layout decides on the order of sums, and float32 is what Adam computes in.
    np.testing.assert_allclose(other, z, atol=1e-6 if name in EXACT else 1e-3)
