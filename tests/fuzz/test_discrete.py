"""Discrete measures: pmfs of every shape and magnitude, and arrays that are none."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fuzzing import fuzz, result_of
from minsyn.information import discrete

WEIGHTS = [0.0, 5e-324, 1e-300, 1e-16, 1e-9, 0.25, 1.0, 1.0, 3.0, 1e9]


@st.composite
def pmfs(draw, min_axes=2, max_axes=4, max_side=3):
    """Cells over 300 orders of magnitude, with zeros; one state an axis at the least."""
    shape = draw(hnp.array_shapes(min_dims=min_axes, max_dims=max_axes, max_side=max_side))
    weights = draw(hnp.arrays(float, shape, elements=st.sampled_from(WEIGHTS)))
    if not weights.sum() > 0:
        weights[...] = 1.0
    return weights / weights.sum()


@fuzz(20)
@given(pmfs())
def test_information_lies_between_its_bounds(p):
    whole = result_of(discrete.mutual_information, p)
    alone = result_of(discrete.source_informations, p)
    most = result_of(discrete.entropy, p.sum(axis=tuple(range(p.ndim - 1))))
    assert (alone >= 0).all() and (alone <= whole + 1e-9).all()
    assert 0 <= whole <= most + 1e-9
