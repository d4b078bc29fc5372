"""L-BFGS: a linear encoder on the whole data, in the span of the samples."""

import torch
from torch import nn

from minsyn.estimators.problem import ArrayProblem, Problem
from minsyn.estimators.solution import Solution
from minsyn.estimators.start import Start
from minsyn.training import fit_linear_encoder, n_processes
from minsyn.training.worker import Worker

__all__ = ["LBFGS"]

#: Random starts: on clusters of features, so many cost about as much as one on all of them.
_STARTS = 6
#: Coordinates of all starts together, which limit them: with hundreds of factors there is little to
#: merge, and each start costs as much as the whole fit.
_SEARCH_NUMBERS = 1 << 18
#: Iterations that ``tol`` counts the fall of the loss over.
_ITERATIONS_OF_TOL = 50


class LBFGS:
    """L-BFGS as the solver of a `MinSyn` fit.

    It needs about a tenth of Adam's iterations. Of several random starts, compared on clusters of
    features, the best is fitted to the end. A fit stops when ten iterations lower the loss by less
    than the fraction ``tol / 5``.
    """

    def obstacles(self, problem: Problem) -> list[str]:
        """What the problem has that L-BFGS cannot do."""
        found = []
        if not isinstance(problem, ArrayProblem):
            found.append("data that are read by blocks, as sparse matrices and files are")
        if not problem.encoder.linear:
            found.append(repr(problem.encoder))
        if problem.decoder.trained:
            found.append("a decoder that is trained")
        elif not _has_objective(problem):
            found.append(f"{problem.decoder.decoder.func.__name__}")
        if n_processes() > 1:
            found.append(f"{n_processes()} processes")
        return found

    def check(self, problem: Problem) -> None:
        """Raise a ValueError if the problem is not one for L-BFGS."""
        found = self.obstacles(problem)
        if found:
            raise ValueError(
                "solver='lbfgs' fits a linear encoder and a decoder in closed form that has a "
                "hand-written gradient, to an array in memory and in one process; found "
                f"{', '.join(found)}. Use solver=minsyn.Adam() for that"
            )

    def fit(self, problem: Problem, start: Start) -> Solution:
        """Fit encoder and decoder.

        Parameters
        ----------
        problem : Problem
            An `ArrayProblem`, see `check`.
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
