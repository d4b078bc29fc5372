"""Choice of the solver of a fit."""

from typing import Any

from minsyn.estimators.adam import Adam
from minsyn.estimators.covariance import CovarianceSolver
from minsyn.estimators.lbfgs import LBFGS
from minsyn.estimators.problem import Problem

__all__ = ["choose_solver"]

#: Largest dimension of the samples' span for which L-BFGS is chosen automatically. Its
#: eigendecomposition is too slow beyond.
_MAX_SPAN = 2000


def choose_solver(solver: Any, problem: Problem) -> Adam | LBFGS | CovarianceSolver:
    """Choose the solver for a problem.

    Parameters
    ----------
    solver : "auto", "covariance", "lbfgs" or Adam
        "auto" is the covariance for linear Gaussian models, and L-BFGS for other problems that it
        supports if the samples span at most 2,000 dimensions. Otherwise it is Adam.
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
    covariance = CovarianceSolver()
    if solver == "covariance" or (solver == "auto" and not covariance.obstacles(problem)):
        covariance.check(problem)
        return covariance
    lbfgs = LBFGS()
    if solver == "lbfgs":
        lbfgs.check(problem)
        return lbfgs
    small = min(problem.n_samples, problem.n_features) <= _MAX_SPAN
    return lbfgs if small and not lbfgs.obstacles(problem) else Adam()
