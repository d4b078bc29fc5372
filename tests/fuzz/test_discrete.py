"""Discrete measures: pmfs of every shape and magnitude, and arrays that are none."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fuzzing import fuzz, nonsense, result_of
from minsyn.information import (
    discrete,
    local_values,
    shared_exclusions,
    union_information,
    union_information_batch,
    williams_beer_lattice,
)
from minsyn.information.decomposition import dependency_constraint
from minsyn.information.measures import MEASURES

WEIGHTS = [0.0, 5e-324, 1e-300, 1e-16, 1e-9, 0.25, 1.0, 1.0, 3.0, 1e9]

SCALARS = (
    discrete.mutual_information,
    discrete.ci_synergy,
    discrete.gk_synergy,
    discrete.whole_minus_sum,
    discrete.total_correlation,
    discrete.dual_total_correlation,
    discrete.o_information,
    discrete.imin_redundancy,
    discrete.s_max,
)
SIGNED = (discrete.whole_minus_sum, discrete.o_information)
LOCAL = [name for name, measure in MEASURES.items() if measure.local is not None]
OTHERS = (
    discrete.entropy,
    discrete.source_informations,
    discrete.specific_informations,
    discrete.pid,
    dependency_constraint,
    local_values,
    shared_exclusions,
    union_information,
    union_information_batch,
    williams_beer_lattice,
)


@st.composite
def pmfs(draw, min_axes=2, max_axes=4, max_side=3):
    """Cells over 300 orders of magnitude, with zeros; one state an axis at the least."""
    shape = draw(hnp.array_shapes(min_dims=min_axes, max_dims=max_axes, max_side=max_side))
    weights = draw(hnp.arrays(float, shape, elements=st.sampled_from(WEIGHTS)))
    if not weights.sum() > 0:
        weights[...] = 1.0
    return weights / weights.sum()


@fuzz(3)
@given(pmfs())
def test_information_lies_between_its_bounds(p):
    whole = result_of(discrete.mutual_information, p)
    alone = result_of(discrete.source_informations, p)
    most = result_of(discrete.entropy, p.sum(axis=tuple(range(p.ndim - 1))))
    assert (alone >= 0).all() and (alone <= whole + 1e-9).all()
    assert 0 <= whole <= most + 1e-9


@fuzz(3)
@given(pmfs())
def test_measures_are_finite_and_at_least_0(p):
    for measure in SCALARS:
        value = result_of(measure, p)
        assert np.isfinite(value), measure.__name__
        assert measure in SIGNED or value >= 0, measure.__name__


@fuzz(3)
@given(pmfs())
def test_bounds_of_the_union_information(p):
    result = result_of(union_information, p)
    whole = result_of(discrete.mutual_information, p)
    alone = result_of(discrete.source_informations, p)
    assert result.certified
    assert 0 <= result.lower <= result.upper + 1e-14
    assert max(alone) - 1e-9 <= result.value <= min(whole, alone.sum()) + 1e-9
    q = result.distribution
    assert (q >= 0).all()
    for j in range(p.ndim - 1):
        others = tuple(a for a in range(p.ndim - 1) if a != j)
        np.testing.assert_allclose(q.sum(axis=others), p.sum(axis=others), atol=1e-12)


@fuzz(3)
@given(pmfs(), st.randoms(use_true_random=False))
def test_order_of_sources_and_states_does_not_count(p, random):
    axes = list(range(p.ndim - 1))
    random.shuffle(axes)
    turned = p.transpose(*axes, p.ndim - 1)
    for a in range(p.ndim):
        turned = np.take(
            turned,
            random.sample(range(p.shape[axes[a] if a < len(axes) else a]), turned.shape[a]),
            axis=a,
        )
    for measure in SCALARS:
        assert abs(result_of(measure, turned) - result_of(measure, p)) < 1e-8, measure.__name__
    assert (
        abs(result_of(union_information, turned).value - result_of(union_information, p).value)
        < 2e-9
    )


@fuzz(3)
@given(pmfs(max_axes=4))
def test_atoms_sum_to_the_information(p):
    whole = result_of(discrete.mutual_information, p)
    found = result_of(discrete.pid, p)
    assert np.isfinite(found.atoms).all()
    np.testing.assert_allclose(found.atoms.sum(axis=1), whole, atol=1e-8)
    for name in set(found.measures) - {"sxpid"}:
        assert min(found[name].values()) >= -1e-8, name
    assert str(found)


@fuzz(3)
@given(pmfs(max_axes=4))
def test_local_values_have_the_measure_for_their_mean(p):
    for name in LOCAL:
        local = result_of(local_values, p, name)
        assert np.isfinite(local).all(), name
        assert abs((p * local).sum() - getattr(discrete, name)(p)) < 1e-8, name
    found = result_of(shared_exclusions, p)
    assert np.isfinite(found.informative).all() and np.isfinite(found.misinformative).all()
    assert found.informative.min() >= -1e-9 and found.misinformative.min() >= -1e-9
    assert str(found) and str(found.mean())


@fuzz(3)
@given(st.lists(pmfs(3, 3, 2), min_size=1, max_size=3))
def test_a_batch_is_its_members(pmfs):
    alike = [p for p in pmfs if p.shape == pmfs[0].shape]
    batch = result_of(union_information_batch, np.stack(alike))
    for p, value in zip(alike, batch.value, strict=True):
        assert abs(value - result_of(union_information, p).value) < 2e-9
    assert batch.certified.all()


@fuzz(6)
@given(
    nonsense(), st.sampled_from((*SCALARS, *OTHERS)), st.sampled_from(["bits", "nats", "bit", 2])
)
def test_nonsense_is_refused(thing, measure, unit):
    result_of(measure, thing, unit=unit)
