"""L-BFGS on many starts at once is as good as L-BFGS on each."""

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

from minsyn.training.batched_lbfgs import Memory, minimise_batch


def test_many_starts_are_minimised_at_once(rng):
    def objective(x):
        return np.array([rosen(row) for row in x]), np.array([rosen_der(row) for row in x])

    starts = rng.normal(size=(5, 4))
    _, loss, converged = minimise_batch(objective, starts, 1000, 1e-12, lambda loss: None)
    assert converged
    for start, found in zip(starts, loss, strict=True):
        assert found <= minimize(rosen, start, jac=rosen_der, method="L-BFGS-B").fun + 1e-6


def test_directions_are_those_of_the_dense_formula(rng):
    """``H = V' H V + s s' / s'y`` with ``V = I - y s' / s'y`` (Nocedal 1980), of the last pairs."""
    curvature = np.diag([1.0, 2.0, 4.0, 8.0, 16.0]) + 0.3
    gradient = rng.normal(size=(3, 5))
    memory = Memory(gradient)
    size = np.linalg.norm(gradient, axis=1, keepdims=True)
    np.testing.assert_allclose(memory.direction(gradient), -gradient / size)
    pairs = []
    for k in range(11):  # more than are kept
        step = rng.normal(size=(3, 5))
        change = step @ curvature
        good = np.array([True, k not in (4, 10), True])  # the second start rejects two steps,
        if k == 9:
            change[2] *= -1  # and the curvature of the third is negative once
        memory.add(step, change, good)
        pairs.append([good[0], good[1], k != 9, step, change])
    expected = np.empty_like(gradient)
    for start in range(3):
        kept = [(p[3][start], p[4][start]) for p in pairs[-8:] if p[start]]
        s, y = kept[-1]
        inverse = np.eye(5) * (s @ y) / (y @ y)
        for s, y in kept:
            v = np.eye(5) - np.outer(y, s) / (s @ y)
            inverse = v.T @ inverse @ v + np.outer(s, s) / (s @ y)
        expected[start] = -inverse @ gradient[start]
    np.testing.assert_allclose(memory.direction(gradient), expected, rtol=1e-9)


def test_a_rejected_step_is_shortened_and_the_others_go_on():
    """One start of two overshoots, and is no lower: it goes .4 of that, from the same point."""
    seen = []

    def objective(x):
        seen.append(x.copy())
        return np.abs(x[:, 0]), np.sign(x)

    told = []
    _, loss, converged = minimise_batch(
        objective, np.array([[0.5], [10.0]]), 2, 0.0, lambda lowest: told.append(lowest)
    )
    np.testing.assert_allclose(np.array(seen)[:, :, 0], [[0.5, 10], [-0.5, 9], [0.1, 8]])
    assert not converged and told == pytest.approx([0.5, 0.1]) and loss == pytest.approx([0.1, 8])


def test_overflowing_trials_are_rejected_and_leave_no_trace(rng):
    """Nor does the overflow of one start touch another."""
    gradient, step = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    both, second = Memory(gradient), Memory(gradient[1:])
    before = both.direction(np.ones((2, 3)))
    second.add(step[1:], 2 * step[1:], np.array([True]))
    step[0], change = np.inf, 2 * step
    both.add(step, change, np.array([False, True]))
    after = both.direction(np.ones((2, 3)))
    np.testing.assert_array_equal(after[0], before[0])
    np.testing.assert_allclose(after[1:], second.direction(np.ones((1, 3))))
