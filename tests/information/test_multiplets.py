from itertools import combinations

import numpy as np
import pytest

from minsyn.information.gaussian import multiplet_information


def entropy(covariance, members):
    """Up to constants that cancel: half the log determinant."""
    return 0.5 * np.linalg.slogdet(covariance[np.ix_(members, members)])[1]


def brute_force(covariance, members):
    single = sum(entropy(covariance, [i]) for i in members)
    joint = entropy(covariance, list(members))
    rest = sum(entropy(covariance, [j for j in members if j != i]) for i in members)
    tc = single - joint
    dtc = rest - (len(members) - 1) * joint
    return tc, tc - dtc


@pytest.mark.parametrize("order", [2, 3, 4, 6])
def test_against_brute_force(rng, order):
    covariance = np.cov(rng.normal(size=(40, 7)) @ rng.normal(size=(7, 7)), rowvar=False)
    result = multiplet_information(covariance, order, unit="nats")
    sets = list(combinations(range(7), order))
    assert result.members.tolist() == [list(s) for s in sets]
    expected = np.array([brute_force(covariance, list(s)) for s in sets])
    np.testing.assert_allclose(result.total_correlation, expected[:, 0], atol=1e-11)
    np.testing.assert_allclose(result.o_information, expected[:, 1], atol=1e-11)


def test_more_sets_than_a_block(rng):
    covariance = np.cov(rng.normal(size=(100, 35)), rowvar=False)
    result = multiplet_information(covariance, 3)
    assert len(result.members) == 6545
    last = brute_force(covariance, [32, 33, 34])
    assert result.o_information[-1] == pytest.approx(last[1] / np.log(2), abs=1e-12)


def test_pairs_have_no_o_information(rng):
    covariance = np.cov(rng.normal(size=(40, 4)), rowvar=False)
    np.testing.assert_allclose(multiplet_information(covariance, 2).o_information, 0, atol=1e-15)


def test_dependent_variables(rng):
    x = rng.normal(size=(50, 3))
    covariance = np.cov(np.column_stack([x, x[:, 0]]), rowvar=False)
    result = multiplet_information(covariance, 3)
    copies = [{0, 3} <= set(s) for s in result.members.tolist()]
    np.testing.assert_array_equal(np.isinf(result.total_correlation), copies)
    # Two copies are a redundancy: of what the third tells about them, their information.
    rho = np.corrcoef(x.T)
    found = zip(result.members[copies].tolist(), result.o_information[copies], strict=True)
    for members, omega in found:
        (third,) = set(members) - {0, 3}
        assert omega == pytest.approx(-0.5 * np.log2(1 - rho[0, third] ** 2), abs=1e-9)


def test_o_information_of_singular_sets():
    copy = np.array([[1, 1, 0.6], [1, 1, 0.6], [0.6, 0.6, 1]])
    assert multiplet_information(copy).o_information[0] == pytest.approx(0.32192809)
    added = np.array([[1.0, 0, 1], [0, 1, 1], [1, 1, 2]])
    assert multiplet_information(added).o_information[0] == -np.inf
    assert multiplet_information(np.ones((3, 3))).o_information[0] == np.inf


def test_fewer_samples_than_variables(rng):
    covariance = np.cov(rng.normal(size=(5, 10)), rowvar=False)
    result = multiplet_information(covariance, 6)
    assert np.isinf(result.total_correlation).all() and not np.isnan(result.o_information).any()


@pytest.mark.parametrize(
    ("covariance", "order", "message"),
    [
        (np.eye(3), 4, "order"),
        (np.eye(3), 1, "order"),
        (np.ones((2, 3)), 2, "square"),
        (np.diag([1.0, 0.0]), 2, "constants"),
        (np.array([[1, 0.5], [0.2, 1]]), 2, "symmetric"),
        (np.array([[1, 2.0], [2, 1]]), 2, "semidefinite"),
    ],
)
def test_bad_input(covariance, order, message):
    with pytest.raises(ValueError, match=message):
        multiplet_information(covariance, order)
