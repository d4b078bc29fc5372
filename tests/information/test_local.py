"""Local values: published ones, by their definition, and their expectations."""

from typing import get_args

import numpy as np
import pytest

from fuzzing import as_users_call
from minsyn.information import discrete, examples, local_values
from minsyn.information.local import LocalMeasure
from minsyn.information.measures import MEASURES


@pytest.fixture
def pmf(rng):
    p = rng.dirichlet(np.full(24, 0.3)).reshape(2, 3, 2, 2)
    p[0, 0] = 0
    p[:, :, 1, 1] *= 1e-200
    return p / p.sum()


def test_every_measure_with_local_values_is_offered():
    assert set(get_args(LocalMeasure)) == {n for n, m in MEASURES.items() if m.local is not None}


@pytest.mark.parametrize("measure", get_args(LocalMeasure))
def test_expectations_are_the_measures(pmf, measure):
    for p in (pmf, examples.xor(), np.array([[0.5, 0.0], [0.25, 0.25]])):
        local = local_values(p, measure)
        assert local.shape == p.shape and np.isfinite(local).all()
        assert (local[p == 0] == 0).all()
        assert (local * p).sum() == pytest.approx(getattr(discrete, measure)(p), abs=1e-12)


def test_local_values_of_one_cell(pmf):
    """By the ratios of probabilities that define them."""
    z, x = (1, 2, 0), 1
    p, p_x = pmf[(*z, x)], pmf[..., x].sum()
    alone = [np.take(pmf, z[j], axis=j) for j in range(3)]
    told = [np.log2(a[..., x].sum() / a.sum() / p_x) for a in alone]
    whole = np.log2(p / pmf[z].sum() / p_x)
    cell = (*z, x)
    assert local_values(pmf)[cell] == pytest.approx(whole)
    assert local_values(pmf, "whole_minus_sum")[cell] == pytest.approx(whole - sum(told))
    p_ci = [np.prod([a[..., k].sum() for a in alone]) / pmf[..., k].sum() ** 2 for k in (0, 1)]
    by_decoder = np.log2(p / pmf[z].sum() / (p_ci[x] / sum(p_ci)))
    assert local_values(pmf, "ci_synergy")[cell] == pytest.approx(by_decoder)
    specific = discrete.specific_informations(pmf)[:, x]
    assert local_values(pmf, "imin_redundancy")[cell] == pytest.approx(specific.min())
    assert local_values(pmf, "s_max")[cell] == pytest.approx(whole - specific.max())
    independent = np.log2(p / np.prod([a.sum() for a in alone]) / p_x)
    assert local_values(pmf, "total_correlation")[cell] == pytest.approx(independent)


def test_local_o_information_of_parity():
    """Uniform over its cells, and so the same in each: -1 bit of three bits."""
    local = local_values(examples.xor(), "o_information")
    np.testing.assert_allclose(local, np.where(examples.xor() > 0, -1.0, 0.0), atol=1e-12)


def test_a_decoder_is_sure_where_one_value_alone_is_possible():
    """However small its likelihoods are: three of 1e-150 multiply to 0."""
    p = np.zeros((2, 2, 2, 2))
    p[0, 0, 0], p[1, 1, 1, 1] = 0.5, 1e-150
    assert local_values(p, "ci_synergy")[1, 1, 1, 1] == pytest.approx(0, abs=1e-9)


def test_no_local_values_of_union_information():
    with as_users_call(), pytest.raises(ValueError, match="; found 'union_information'") as told:
        local_values(examples.xor(), "union_information")
    assert all(name in str(told.value) for name in get_args(LocalMeasure))
    assert "gk_synergy" not in str(told.value)


def test_no_local_values_where_there_is_no_pmf():
    with pytest.raises(ValueError, match="sum to 1"):
        local_values(np.ones((2, 2)))
