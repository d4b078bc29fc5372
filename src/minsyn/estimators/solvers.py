"""Choice of the solver of a fit."""

from typing import Any

from minsyn.estimators.adam import Adam
from minsyn.estimators.lbfgs import LBFGS
from minsyn.estimators.problem import Problem

__all__ = ["choose_solver"]

#: Largest dimension of the samples' span for which L-BFGS is chosen automatically. Its
#: eigendecomposition is too slow beyond.
_MAX_SPAN = 2000


def choose_solver(solver: Any, problem: Problem) -> Adam | LBFGS:
    """Choose the solver for a problem.

    Parameters
    ----------
    solver : "auto", "lbfgs" or Adam
        "auto" is L-BFGS if it supports the problem and the samples span at most 2,000 dimensions,
        otherwise Adam.
    problem : Problem
        The problem to solve.

    Raises
    ------
    ValueError
        If the solver does not support the problem.
    """
    if isinstance(solver, Adam):
        solver.check(problem)
        return solver
    lbfgs = LBFGS()
    if solver == "lbfgs":
        lbfgs.check(problem)
        return lbfgs
    small = min(problem.n_samples, problem.n_features) <= _MAX_SPAN
    return lbfgs if small and not lbfgs.obstacles(problem) else Adam()
