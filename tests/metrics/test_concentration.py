import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minsyn.metrics import average_character_concentration, character_concentration

THREE = np.repeat([0, 1, 2], 4)


def test_paper_formula_by_hand():
    weights = np.array([[1.0, 2.0, 2.0, 4.0], [0.0, 3.0, 0.0, 4.0]])
    first = -(5 / 25) * np.log(5 / 25) - (20 / 25) * np.log(20 / 25)
    second = -(9 / 25) * np.log(9 / 25) - (16 / 25) * np.log(16 / 25)
    acc = average_character_concentration(weights, [0, 0, 1, 1])
    assert acc == pytest.approx((first + second) / 2)


def test_range_is_attained():
    within = np.zeros((3, 12))
    within[[0, 1, 2], [1, 5, 9]] = -2
    assert average_character_concentration(within, THREE) == 0
    assert average_character_concentration(np.ones((2, 12)), THREE) == pytest.approx(np.log(3))


@pytest.mark.parametrize(
    "labels", [[("x", 1), "b", None], [2.5, "2.5", 7], np.array(["p", "q", "r"])]
)
def test_labels_are_only_labels(rng, labels):
    weights = rng.normal(size=(4, 12))
    named = [labels[group] for group in THREE]
    expected = average_character_concentration(weights, THREE)
    assert average_character_concentration(weights, named) == pytest.approx(expected)


def test_factor_without_weight_is_left_out(rng):
    weights = rng.normal(size=(3, 12))
    expected = average_character_concentration(weights[:2], THREE)
    weights[2] = 0
    assert average_character_concentration(weights, THREE) == pytest.approx(expected)
    assert np.isnan(character_concentration(weights, THREE)).tolist() == [False, False, True]
    assert np.isnan(average_character_concentration(np.zeros((2, 12)), THREE))


@settings(deadline=None)
@given(
    arrays(float, (2, 12), elements=st.floats(-1e300, 1e300)),
    st.floats(1e-3, 1e3),
    st.permutations(range(12)),
)
def test_invariances(weights, scale, order):
    entropies = character_concentration(weights, THREE)
    live = entropies[~np.isnan(entropies)]
    assert np.all(live >= 0) and np.all(live <= np.log(3) + 1e-12)
    np.testing.assert_allclose(
        character_concentration(-weights[:, order] / scale, THREE[order]), entropies, atol=1e-9
    )


@pytest.mark.parametrize(
    ("components", "groups", "message"),
    [
        ([[1.0, np.nan]], [0, 1], "components: 1 of 2 weights are NaN"),
        ([1.0, 2.0], [0, 1], "components: expected shape"),
        (np.ones((0, 2)), [0, 1], "components: expected shape"),
        ([[1.0, 2.0]], [0, 1, 2], "groups: expected one label for each of 2 features, found 3"),
        ([[1.0, 2.0]], np.array([[0, 1]]), "groups: expected one hashable label"),
        ([[1.0, 2.0]], [[0], [1]], "groups: expected one hashable label"),
    ],
)
def test_bad_input_is_named(components, groups, message):
    with pytest.raises(ValueError, match=message):
        average_character_concentration(components, groups)
