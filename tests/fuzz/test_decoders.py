"""Decoders, penalties and union information in torch: values and gradients of all data."""

import numpy as np
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fuzzing import fuzz, nonsense, result_of
from minsyn import nn
from minsyn.information import union_information
from minsyn.nn import union_information as differentiable

SIZES = (2, 3)
REAL = {
    "gaussian": lambda m: nn.GaussianDecoder(m, 5),
    "single parent": lambda m: nn.SingleParentDecoder(m, 5),
    "soft parent": lambda m: nn.SingleParentDecoder(m, 5, temperature=0.01),
}
BINARY = {
    "bernoulli": lambda m: nn.BernoulliDecoder(m, 5),
    "gaussian to bernoulli": lambda m: nn.GaussianBernoulliDecoder(m, 5),
    "bernoulli to gaussian": lambda m: nn.BernoulliGaussianDecoder(m, 5),
    "gaussian to categorical": lambda m: nn.GaussianCategoricalDecoder(m, SIZES),
    "bernoulli to categorical": lambda m: nn.BernoulliCategoricalDecoder(m, SIZES),
}
SCALES = st.sampled_from([0.0, 1e-30, 1e-8, 1.0, 1.0, 1.0, 1e4, 1e12])
KINDS = st.sampled_from([torch.float32, torch.float64])
WRONG = st.sampled_from(
    [None, None, None, "nan", "inf", "one sample", "none", "fewer features", "other samples"]
)


@st.composite
def batches(draw, binary=False):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, m = draw(st.integers(2, 6)), draw(st.integers(1, 3))
    if binary:
        z = rng.random((n, m)) if draw(st.booleans()) else rng.integers(0, 2, size=(n, m))
        x = np.hstack([np.eye(k)[rng.integers(0, k, size=n)] for k in SIZES])
    else:
        z, x = rng.normal(size=(n, m)), rng.normal(size=(n, 5))
        x[:, : min(m, 5)] = np.where(draw(st.booleans()), z, x[:, :m])
        z, x = z * draw(SCALES) + draw(st.sampled_from([0, 0, 1.0, 1e6])), x * draw(SCALES)
    if draw(st.booleans()):
        z[:, 0] = z[0, 0]
    kind = draw(KINDS)
    return torch.tensor(z, dtype=kind), torch.tensor(x, dtype=kind)


def broken(z, x, how):
    z, x = z.clone(), x.clone()
    if how in ("nan", "inf"):
        (z if how == "nan" else x)[0, 0] = float(how)
    elif how == "one sample":
        z, x = z[:1], x[:1]
    elif how == "none":
        z, x = z[:0], x[:0]
    elif how == "fewer features":
        x = x[:, :-1]
    elif how == "other samples":
        z = z[1:]
    return z, x


def trained(decoder, z, x):
    """Loss and gradient of one step, and the means in evaluation."""
    z = z.requires_grad_()
    loss = decoder.loss(z, x)
    loss.backward()
    decoder.eval()
    return loss, z.grad, decoder(z)


def all_finite(*tensors):
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)


@fuzz(3)
@given(st.data(), WRONG)
def test_steps_of_decoders(data, how):
    binary = data.draw(st.booleans())
    kinds = BINARY if binary else REAL
    make = kinds[data.draw(st.sampled_from(sorted(kinds)))]
    z, x = data.draw(batches(binary))
    # Derivatives by latents hold squares of the data over those of the latents.
    assume(z.dtype == torch.float64 or x.abs().max() < 1e18 * z.abs().max())
    wrong = broken(z, x, how)
    found = result_of(trained, make(z.shape[1]).to(z.dtype), *wrong)
    if how is None:
        assert all_finite(*found)
    elif how not in ("nan", "inf"):
        assert found is None


def penalised(penalty, z, x, weights, **options):
    z, weights = z.clone().requires_grad_(), weights.clone().requires_grad_()
    value = penalty(z, x, weights, **options)
    value.sum().backward()
    return value, z.grad, weights.grad


@fuzz(3)
@given(
    st.data(),
    WRONG,
    st.sampled_from(["unit", "shared", "fitted", "x", None]),
    st.sampled_from(["sum", "none", "mean", "x"]),
)
def test_penalties(data, how, noise, reduction):
    binary = data.draw(st.booleans())
    z, x = data.draw(batches(binary))
    scale = data.draw(SCALES)
    weights = torch.ones(z.shape[1], 5, dtype=z.dtype) * scale
    # Penalties are in squares of the latents where noise is of unit variance.
    assume(z.dtype == torch.float64 or scale * float(z.abs().max()) ** 2 < 1e30)
    options = {"noise": noise, "reduction": reduction}
    calls = [(nn.ci_synergy_penalty, options), (nn.gk_synergy_penalty, options)]
    if binary:
        calls.append((nn.ci_synergy_penalty, {**options, "observations": "bernoulli"}))
        calls.append(
            (nn.ci_synergy_penalty, {**options, "observations": "bernoulli", "latents": "gaussian"})
        )
    for penalty, chosen in calls:
        found = result_of(penalised, penalty, *broken(z, x, how), weights, **chosen)
        if how is None and "x" not in (noise, reduction) and noise is not None:
            assert all_finite(*found), penalty
            assert (found[0] >= -1e-3 * max(1.0, float(found[0].detach().abs().max()))).all()
        elif how in ("one sample", "none", "fewer features", "other samples"):
            assert found is None


@st.composite
def weights_of_pmfs(draw):
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=4, max_side=3))
    elements = st.sampled_from([0.0, 1e-30, 1e-8, 1.0, 1.0, 3.0, 1e6])
    weights = draw(hnp.arrays(float, shape, elements=elements))
    return torch.tensor(weights, dtype=draw(KINDS))


@fuzz(3)
@given(weights_of_pmfs(), st.sampled_from([0, 0, 0, 1, 2, -1]))
def test_union_information_and_its_gradient(weights, batch_dims):
    def values(pmf):
        pmf = pmf.requires_grad_()
        found = [
            f(pmf, batch_dims=batch_dims)
            for f in (differentiable.union_information, differentiable.gk_synergy)
        ]
        sum(f.sum() for f in found).backward()
        return (*found, pmf.grad)

    found = result_of(values, weights)
    if found is not None:
        assert all_finite(*found)
        assert min(float(f.detach().min()) for f in found[:2]) >= -1e-5
    elif batch_dims == 0:
        assert weights.sum() == 0
    if found is not None and batch_dims == 0:
        p = weights.detach().double().numpy()
        assert abs(float(found[0].detach()) - union_information(p / p.sum()).value) < 1e-5


@fuzz(6)
@given(
    nonsense(), nonsense(), st.sampled_from(["bits", "x", None]), st.sampled_from([0, 1, "a", None])
)
def test_nonsense_is_refused(one, two, unit, batch_dims):
    for thing in (one, two):
        thing = (
            torch.from_numpy(thing)
            if isinstance(thing, np.ndarray)
            and thing.dtype.kind in "fiub"
            and thing.dtype.itemsize <= 8
            else thing
        )
        result_of(differentiable.union_information, thing, batch_dims=batch_dims, unit=unit)
        result_of(differentiable.gk_synergy, thing, unit=unit)
    for name in (one, "gaussian", "x"):
        result_of(nn.find_decoder, name)
    result_of(nn.RunningStatistics, 2, 3, unit)
