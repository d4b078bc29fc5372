"""Annealing keeps the better half of the starts, and does without penalties that are too strong."""

import numpy as np
import pytest

from minsyn.estimators.vectors.annealing import Annealed, Annealing


class TwoWells:
    """A loss in one dimension with a poor optimum near 2 and a better one near -2.

    Penalties from ``bearable`` on lift it to that of the means.
    """

    def __init__(self, starts, bearable=1.0):
        self.points, self.bearable = np.asarray(starts, float)[:, np.newaxis], bearable
        self.stages, self.n_drawn = [], 0

    def search(self):
        return self

    def starts(self, n_starts, random_state):
        drawn = self.points[self.n_drawn : self.n_drawn + n_starts].copy()
        self.n_drawn += n_starts
        return drawn

    def objective(self, penalty):
        self.stages.append([penalty, None])

        def evaluate(x):
            self.stages[-1][1] = len(x)
            if penalty >= self.bearable:
                return np.ones(len(x)), np.zeros_like(x)
            loss = 0.02 * (x**2 - 4) ** 2 + 0.05 * x + 0.3 + penalty * x**2
            return loss[:, 0], 0.08 * x * (x**2 - 4) + 0.05 + 2 * penalty * x

        return evaluate

    def revived(self, x, random_state):
        return x


def anneal(problem, n_starts, penalty=2e-5, **options):
    solver = Annealing(penalty, 100, 1e-9, np.random.RandomState(0), **options)
    return solver.minimise(problem, n_starts)


def test_finds_the_better_of_two_optima():
    best = anneal(TwoWells([1.5, 2.5, 3.0, -1.5, 1.0, 0.5, 2.2, 4.0]), 8)
    assert best.x[0] == pytest.approx(-2.08, abs=0.01) and best.converged
    assert best.loss == pytest.approx(0.3 - 0.05 * 2.04, abs=0.01)
    assert best.history[-1] == pytest.approx(best.loss)


def test_penalties_fall_and_half_of_the_starts_go():
    problem = TwoWells(np.linspace(-3, 3, 8))
    anneal(problem, 8)
    assert problem.stages == [[1e-3, 8], [3e-4, 4], [1e-4, 2], [2e-5, 1]]


def test_no_penalty_is_below_the_final_one():
    problem = TwoWells(np.linspace(-3, 3, 8))
    anneal(problem, 8, penalty=5e-4)
    assert [penalty for penalty, _ in problem.stages] == [1e-3, 5e-4, 5e-4, 5e-4]


def test_starts_that_collapsed_are_not_taken_further():
    problem = TwoWells(np.linspace(-3, 3, 8), bearable=2e-4)
    best = anneal(problem, 8)
    assert problem.stages == [[1e-3, 8], [3e-4, 8], [1e-4, 8], [2e-5, 4]]
    assert best.x[0] == pytest.approx(-2.08, abs=0.01)


@pytest.mark.parametrize("starts", [[-1.0, 1.0], [1.0, -1.0]])
def test_the_best_of_several_batches_is_kept(starts):
    evaluations = []
    best = anneal(TwoWells(starts), 1, n_init=2, on_evaluation=evaluations.append)
    assert best.x[0] == pytest.approx(-2.08, abs=0.01)
    assert len(evaluations) > len(best.history) and min(evaluations) == min(best.history)


def test_of_batches_with_the_same_loss_the_first_is_kept(monkeypatch):
    left = [Annealed(1.0, x, [1.0], True) for x in np.eye(2)]
    monkeypatch.setattr(Annealing, "_minimise_batch", lambda *arguments: left.pop(0))
    assert anneal(None, 1, n_init=2).x.tolist() == [1.0, 0.0]


def test_says_that_it_has_not_converged():
    solver = Annealing(2e-5, 5, 1e-9, np.random.RandomState(0))
    assert not solver.minimise(TwoWells([3.0, -3.0]), 2).converged


def test_the_best_start_alone_is_fitted_to_the_whole_of_a_large_problem():
    part, whole = TwoWells(np.linspace(-3, 3, 16)), TwoWells([])
    whole.search = lambda: part
    anneal(whole, 16)
    assert part.stages == [[1e-3, 16], [3e-4, 8], [1e-4, 4]] and whole.stages == [[2e-5, 1]]
