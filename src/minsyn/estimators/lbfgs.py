"""L-BFGS as a solver, for linear encoders on the whole data."""

import torch
from torch import nn

from minsyn.estimators.problem import ArrayProblem, Problem
from minsyn.estimators.solution import Solution
from minsyn.estimators.start import Start
from minsyn.training import fit_linear_encoder, n_processes
from minsyn.training.worker import Worker

__all__ = ["LBFGS"]

#: Number of random starts. On clusters of features, they cost about as much as one on all features.
_STARTS = 6
#: Maximum number of coordinates of all starts, which limits the number of starts. With hundreds of
#: factors, clusters save little, and each start costs as much as the whole fit.
_SEARCH_NUMBERS = 1 << 18
#: Number of iterations over which ``tol`` is the relative fall of the loss.
_ITERATIONS_OF_TOL = 50


class LBFGS:
    """L-BFGS as the solver of a `MinSyn` fit.

    It needs about a tenth of Adam's iterations. Several random starts are compared on clusters of
    features, and the best is fitted until convergence. A fit has converged when ten iterations
    lower the loss by less than the fraction ``tol / 5``.
    """

    def obstacles(self, problem: Problem) -> list[str]:
        """Properties of the problem that L-BFGS does not support."""
        found = []
        if not isinstance(problem, ArrayProblem):
            found.append("data that are read by blocks, such as a sparse matrix or a file")
        if not problem.encoder.linear:
            found.append(repr(problem.encoder))
        if problem.decoder.trained:
            found.append("a trained decoder")
        elif not _has_objective(problem):
            found.append(f"{problem.decoder.decoder.func.__name__}")
        if n_processes() > 1:
            found.append(f"{n_processes()} processes")
        return found

    def check(self, problem: Problem) -> None:
        """Raise a ValueError if L-BFGS does not support the problem."""
        found = self.obstacles(problem)
        if found:
            raise ValueError(
                "solver='lbfgs' requires a linear encoder, a closed-form decoder with a "
                "hand-written gradient, an array in memory and a single process; found "
                f"{', '.join(found)}. Use solver=minsyn.Adam() instead"
            )

    def fit(self, problem: Problem, start: Start) -> Solution:
        """Fit encoder and decoder.

        Parameters
        ----------
        problem : Problem
            An `ArrayProblem` that passes `check`.
        start : Start
            Seeds and limits.
        """
        self.check(problem)
        assert isinstance(problem, ArrayProblem)
        scaling = problem.scaling()
        generator = start.generator()
        module = problem.module(generator, scaling)
        inputs, targets = problem.arrays(scaling)
        objective = module.decoder.objective(torch.from_numpy(targets))
        assert isinstance(module.encoder, nn.Sequential)
        (layer,) = module.encoder
        assert isinstance(layer, nn.Linear)

        coordinates = problem.n_components * (min(inputs.shape) + 1)
        affordable = max(1, min(_STARTS, _SEARCH_NUMBERS // coordinates))
        starts = [layer.weight.detach().numpy()]
        for _ in range(1, start.number(affordable)):
            weight = torch.empty_like(layer.weight)
            nn.init.normal_(weight, std=problem.n_features**-0.5, generator=generator)
            starts.append(weight.detach().numpy())
        with start.progress(problem.unit(scaling), "iterations") as on_iteration:
            weights, bias, result = fit_linear_encoder(
                objective,
                module.latents,
                inputs,
                starts,
                max_iter=start.max_iter,
                tol=start.tol / _ITERATIONS_OF_TOL,
                generator=generator,
                penalties=module.latents.search_penalties,
                on_iteration=on_iteration,
            )
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weights))
            layer.bias.copy_(torch.from_numpy(bias))
        return problem.solution(module.double(), result, scaling, Worker())


def _has_objective(problem: Problem) -> bool:
    head = problem.decoder.build(1, problem.n_features, None)
    return head.objective(torch.zeros(2, problem.n_features)) is not None
