"""Choice of the solver of a fit."""

from typing import Any

from minsyn.estimators.adam import Adam
from minsyn.estimators.covariance import CovarianceSolver
from minsyn.estimators.lbfgs import LBFGS
from minsyn.estimators.problem import Problem

__all__ = ["choose_solver"]

#: Dimensions of the samples' span up to which its eigendecomposition is worth its time.
_MAX_SPAN = 2000


def choose_solver(solver: Any, problem: Problem) -> Adam | LBFGS | CovarianceSolver:
    """The solver that a parameter names, or one that suits the problem.

    Parameters
    ----------
    solver : "auto", "covariance", "lbfgs" or Adam
        "auto" is the covariance for linear Gaussian models; else L-BFGS wherever it can do what is
        asked and the samples span at most 2,000 dimensions, else Adam.
    problem : Problem
        What is to be fitted.

    Raises
    ------
    ValueError
        If the solver cannot fit the problem.
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
