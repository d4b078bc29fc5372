"""Entropies and closed-form synergies: against published values, brute force and their laws."""

import json
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minsyn import information
from minsyn.information import discrete, examples
from minsyn.information.union.measure import union_information

#: Named examples whose published record is compared in full.
NAMED = [name for name in examples.EXAMPLES if name != "GRUE_BLEEN"]


def as_array(record):
    """A pmf array from a list of outcomes whose labels may be strings."""
    outcomes = [(*cell["z"], cell["x"]) for cell in record["pmf"]]
    labels = [sorted({o[a] for o in outcomes}, key=str) for a in range(len(outcomes[0]))]
    p = np.zeros([len(of_axis) for of_axis in labels])
    for outcome, cell in zip(outcomes, record["pmf"], strict=True):
        p[tuple(of.index(o) for of, o in zip(labels, outcome, strict=True))] += cell["p"]
    return p


@pytest.fixture(scope="module")
def known(real_data):
    return json.loads(real_data("known_synergy_values.json").read_text())["discrete"]


def check(p, values):
    close = pytest.approx
    assert discrete.mutual_information(p) == close(values["I"], abs=1e-8)
    np.testing.assert_allclose(discrete.source_informations(p), values["I_j"], atol=1e-8)
    assert discrete.whole_minus_sum(p) == close(values["WMS"], abs=1e-8)
    assert discrete.ci_synergy(p) == close(values["CI_DeltaI"], abs=1e-8)
    assert discrete.imin_redundancy(p) == close(values["Imin_redundancy_all_singletons"], abs=1e-8)
    assert discrete.s_max(p) == close(values["Smax_WB_synergy"], abs=1e-8)
    assert discrete.total_correlation(p) == close(values["TC_all"], abs=1e-8)
    assert discrete.total_correlation(p.sum(-1)) == close(values["TC_sources"], abs=1e-8)
    result = union_information(p)
    assert result.certified
    assert result.value == close(values["GK_union"], abs=1e-8)
    assert result.lower - 1e-12 <= values["GK_union"] <= result.upper + 1e-9


def test_published_values(known):
    assert len(known) >= 13
    for record in known.values():
        check(as_array(record), record["values_bits"])


@pytest.mark.parametrize("name", NAMED)
def test_named_examples_have_the_published_values(known, name):
    check(examples.EXAMPLES[name](), known[name]["values_bits"])


def test_grue_is_xor():
    np.testing.assert_array_equal(examples.grue_bleen(), examples.xor())


def brute_entropy(p, axes):
    cells = {}
    for index in product(*map(range, p.shape)):
        key = tuple(index[a] for a in axes)
        cells[key] = cells.get(key, 0.0) + p[index]
    return -sum(v * np.log2(v) for v in cells.values() if v > 0)


@pytest.mark.parametrize("shape", [(2, 3), (2, 2, 2), (3, 2, 4, 2)])
def test_tc_and_o_information_against_brute_force(rng, shape):
    p = rng.dirichlet(np.full(np.prod(shape), 0.3)).reshape(shape)
    axes = range(p.ndim)
    joint = brute_entropy(p, axes)
    tc = sum(brute_entropy(p, [a]) for a in axes) - joint
    dual = joint - sum(joint - brute_entropy(p, [b for b in axes if b != a]) for a in axes)
    assert discrete.entropy(p) == pytest.approx(joint, abs=1e-12)
    assert discrete.total_correlation(p) == pytest.approx(tc, abs=1e-12)
    assert discrete.dual_total_correlation(p) == pytest.approx(dual, abs=1e-12)
    assert discrete.o_information(p) == pytest.approx(tc - dual, abs=1e-12)


def test_ci_synergy_against_brute_force(rng):
    p = rng.dirichlet(np.full(24, 0.5)).reshape(2, 3, 4)
    p_x, first, second = p.sum((0, 1)), p.sum(1), p.sum(0)
    total = 0.0
    for a, b, x in np.ndindex(p.shape):
        ci = [p_x[k] * first[a, k] / p_x[k] * second[b, k] / p_x[k] for k in range(4)]
        total += p[a, b, x] * np.log2(p[a, b, x] / p[a, b].sum() / (ci[x] / sum(ci)))
    assert discrete.ci_synergy(p) == pytest.approx(total, abs=1e-12)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_ci_synergy_vanishes_under_conditional_independence(seed):
    rng = np.random.default_rng(seed)
    p_x = rng.dirichlet(np.ones(3))
    a, b, c = (rng.dirichlet(np.full(k, 0.3), size=3) for k in (2, 3, 4))
    p = np.einsum("x,xa,xb,xc->abcx", p_x, a, b, c)
    assert discrete.ci_synergy(p) <= 1e-12


def test_ci_synergy_of_many_sources_with_tiny_likelihoods():
    """Likelihoods of 1e-300 multiply to 0; their logarithms add up."""
    p = np.zeros((2,) * 12 + (2,))
    p[(0,) * 12 + (0,)], p[(1,) * 12 + (1,)], p[(0,) * 11 + (1, 1)] = 0.5, 0.5 - 1e-300, 1e-300
    assert np.isfinite(discrete.ci_synergy(p))


def test_specific_informations_average_to_information(rng):
    p = rng.dirichlet(np.full(24, 0.5)).reshape(2, 3, 4)
    mean = discrete.specific_informations(p) @ p.sum((0, 1))
    np.testing.assert_allclose(mean, discrete.source_informations(p), atol=1e-12)


#: Functions whose result is a number or an array of numbers.
NUMBERS = [name for name in discrete.__all__ if name not in ("union_information", "pid")]


def test_units(rng):
    p = rng.dirichlet(np.ones(12)).reshape(2, 3, 2)
    for name in NUMBERS:
        in_bits, in_nats = (getattr(discrete, name)(p, unit=u) for u in ("bits", "nats"))
        np.testing.assert_allclose(in_nats, np.multiply(in_bits, np.log(2)), rtol=1e-8)


def test_has_the_functions_of_the_package():
    for name in ("union_information", "gk_synergy", "pid"):
        assert getattr(discrete, name) is getattr(information, name)


def test_integer_and_nested_list_input():
    assert discrete.mutual_information([[1, 0], [0, 0]]) == 0.0


def test_a_total_off_by_typing_changes_nothing(rng):
    p = rng.dirichlet(np.ones(12)).reshape(2, 3, 2)
    for name in NUMBERS:
        measure = getattr(discrete, name)
        np.testing.assert_allclose(measure(p * (1 + 5e-9)), measure(p), atol=1e-12)


BAD = [
    ([[0.5, 0.6], [0.0, 0.0]], "sum to 1"),
    ([[3, 1], [2, 4]], "counts"),
    ([[1.5, -0.5], [0.0, 0.0]], "negative"),
    ([[np.nan, 0.5], [0.5, 0.0]], "NaN"),
    ([[np.inf, 0.5], [0.5, 0.0]], "infinite"),
    ([0.5, 0.5], "axes"),
    (np.ones((0, 2)), "no cells"),
    ([["a", "b"], ["c", "d"]], "real numbers"),
]


@pytest.mark.parametrize(("pmf", "message"), BAD)
@pytest.mark.parametrize("name", [n for n in discrete.__all__ if n != "entropy"])
def test_bad_pmfs_are_refused_with_the_reason(name, pmf, message):
    with pytest.raises(ValueError, match=message):
        getattr(discrete, name)(pmf)


def test_tensors_are_arrays_without_gradients():
    pmf = torch.full((2, 2, 2), 0.125)
    assert discrete.mutual_information(pmf.bfloat16()) == pytest.approx(0, abs=1e-15)
    for tensor, cure in [(pmf.requires_grad_(), "detach"), (pmf.detach().to_sparse(), "to_dense")]:
        with pytest.raises(TypeError, match=rf"pmf.*: pass pmf\.{cure}\(\)"):
            discrete.mutual_information(tensor)
    with pytest.raises(TypeError, match=r"pmf is no array: .*Float8"):
        discrete.mutual_information(pmf.detach().to(torch.float8_e4m3fn))
