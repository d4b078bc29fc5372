"""Vector factors by nets: an autoencoder of its own for each group, all trained as one program."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from minsyn.data import TensorSamples
from minsyn.estimators.adam import Adam
from minsyn.estimators.encoders import encode
from minsyn.estimators.problem import origin_and_scale
from minsyn.estimators.run import Run
from minsyn.estimators.solution import Solution
from minsyn.estimators.start import Start
from minsyn.estimators.vectors.annealing import Annealing
from minsyn.estimators.vectors.fit import VectorProblem, fit_vector_factors
from minsyn.estimators.vectors.group_fit import log_odds
from minsyn.nn import BINARY, BOUNDED, LINEAR, REAL, share_of_batch
from minsyn.nn.group_nets import GroupDecoder, GroupEncoder
from minsyn.training import TrainingResult, train, training_progress
from minsyn.training.worker import Worker, worker_of

__all__ = ["NetSizes", "fit_vector_nets"]

#: Step sizes, relative to the first: each from where the one before got no further.
_STEPS = (1.0, 0.1)
#: Largest automatic step size, and largest change of a unit in one step, of inputs of mean square
#: 1: the step size is this divided by the number of inputs.
_STEP, _UNIT_STEP = 0.005, 2.0
#: Losses of held-out samples are noisy: they are compared with so many times the tolerance.
_TOL = 10.0
#: Share of the samples that are held out to find when to stop, and fewest samples for that.
_HELD_OUT, _LEAST_SAMPLES = 0.1, 20
#: The first decoder gives so small a part of the variance that features are near their means.
_FIRST_DECODER = 0.1
#: Most samples of the regression that gives the linear part of the decoder, and its ridge.
_SLOPE_SAMPLES, _RIDGE = 2000, 1e-9
#: Latents are computed from the features with no other parent, where these are such a share.
_ALONE = 0.75
#: Latents that vary by less than this share of the most variable one do not count.
_LEAST_VARIATION = 1e-9


@dataclass(frozen=True)
class NetSizes:
    """Hidden layers of the nets of each group.

    Attributes
    ----------
    encoder, decoder : tuple of int
        Sizes of the hidden layers; without any, the map is linear.
    """

    encoder: tuple[int, ...]
    decoder: tuple[int, ...]


class _GroupAutoEncoder(nn.Module):
    def __init__(self, encoder: GroupEncoder, decoder: GroupDecoder) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder

    def forward(self, x: Float[Tensor, "samples features"]) -> Float[Tensor, "samples features"]:
        return self.decoder(self.encoder(x))


def fit_vector_nets(
    problem: VectorProblem, sizes: NetSizes, solver: Adam, start: Start, penalty: float
) -> Solution:
    r"""Fit nets from each group of features to its latents and back.

    The natural parameter of a feature is the sum of what the nets of its parents give. Features in
    [0, 1] have a logistic link and are fitted by their cross-entropy, others by the squared error.
    Adam minimises this loss, relative to that of the means, over all groups at once. A tenth of the
    samples is held out: where their squared error falls no further, the step size is divided by
    ten, then training stops. In a last phase all samples take part, for as many epochs as were best
    at the smaller step size.

    For the identity link, nets are added to the linear model, and begin at 0. Where nets are no
    better on held-out samples, it remains the linear model, without the weights of features that a
    group's nets do not read.

    Parameters
    ----------
    problem : VectorProblem
        Data and groups.
    sizes : NetSizes
        Hidden layers.
    solver : Adam
        Optimiser.
    start : Start
        Seeds and limits.
    penalty : float
        Penalty of the linear model.

    Returns
    -------
    Solution
        Its latents have mean 0 and unit variance. Its components are the linear part of the
        decoder: the regression of what a group adds to the natural parameters on its latents.
    """
    fit = _NetFit(problem, sizes, solver, start, penalty)
    with fit.run.alone(fit.worker):
        return fit.solution()


class _NetFit:
    """A fit of nets: data, settings, and the steps of `fit_vector_nets`."""

    def __init__(
        self, problem: VectorProblem, sizes: NetSizes, solver: Adam, start: Start, penalty: float
    ) -> None:
        self.problem, self.sizes, self.start, self.penalty = problem, sizes, start, penalty
        self.run = solver.run or Run()
        self.fabric = self.run.launch()
        self.worker: Worker = worker_of(self.fabric)
        self.batch_size, self.window = solver.batch_size, solver.n_iter_no_change
        self.straight = not problem.logistic
        X = problem.X
        self.mean, self.scale = origin_and_scale(X)
        scaled = torch.from_numpy(((X - self.mean) / self.scale).astype(np.float32))
        self.tensors = [scaled]
        if problem.logistic:
            self.tensors.append(torch.from_numpy(X.astype(np.float32)))
        weights = np.stack(problem.sample_weights, axis=1)
        if not np.all(weights == weights[:1, :1]):
            self.tensors.append(torch.from_numpy(_of_features(weights, problem.grouping.parents)))
        self.weighted = len(self.tensors) == 2 + problem.logistic
        self.unit = _null_loss(X, problem.logistic, self.scale)
        self.unit_of_data = self.unit * (1.0 if problem.logistic else self.scale**2)
        widest = max(self._inputs().sum(axis=1).max(), *sizes.encoder, *sizes.decoder, 1)
        self.step = solver.learning_rate
        if self.step == "auto":
            self.step = min(_STEP, _UNIT_STEP / widest)

    def solution(self) -> Solution:
        """Search on a part of the samples from each start, then a fit to all from the best."""
        found: list[tuple[_GroupAutoEncoder, list[TrainingResult], torch.Generator, int]] = []
        for number in range(1, self.start.n_init + 1):
            generator = self.start.generator(self.worker)
            held_out, rest = _parts(len(self.problem.X), generator)
            with self.start.stage("linear part", self.worker.rank == 0):
                module = self._module(generator, rest)
            results = self._train(module, rest, held_out, generator, number)
            found.append((module, results, generator, number))
        module, results, generator, number = min(found, key=lambda fit: fit[1][-1].loss)
        if results[-1].held_out:
            every, last = torch.arange(len(self.problem.X)), results[-1].best_epoch
            if self.straight and not any(result.best_epoch for result in results):
                module = self._module(generator, every)
            results = results + self._train(module, every, None, generator, number, last)
        curve = [self.unit_of_data * loss for result in results for loss in result.history]
        converged = all(result.converged for result in results[: len(_STEPS)])
        return self._for_data(module.cpu().double(), curve, converged)

    def _inputs(self) -> Bool[np.ndarray, "groups features"]:
        """Features that the latents of each group are computed from."""
        grouping = self.problem.grouping
        inputs = grouping.parents & grouping.core
        # Features with further parents vary with the other groups as well, in unseen combinations.
        alone = inputs & (grouping.parents.sum(axis=0) == 1)
        enough = alone.sum(axis=1) >= _ALONE * inputs.sum(axis=1)
        return np.where(enough[:, np.newaxis], alone, inputs)

    def _linear_model(self, rows: Int[Tensor, " rows"]) -> Solution:
        some, weights = rows.numpy(), self.problem.sample_weights
        part = replace(
            self.problem,
            X=self.tensors[0].double().numpy()[some],
            sample_weights=[weight[some] for weight in weights],
        )
        start = self.start
        solver = Annealing(self.penalty, start.max_iter, start.tol, start.random_state)
        return fit_vector_factors(part, solver)

    def _module(self, generator: torch.Generator, rows: Int[Tensor, " rows"]) -> _GroupAutoEncoder:
        """Untrained module: nets alone, or nets that begin at 0 beside the linear model."""
        problem, inputs = self.problem, self._inputs()
        parents, n_latents = problem.grouping.parents, np.asarray(problem.n_latents)
        encoder = GroupEncoder(inputs, n_latents, self.sizes.encoder, straight=self.straight)
        decoder = GroupDecoder(parents, n_latents, self.sizes.decoder, straight=self.straight)
        encoder.net.draw(generator, inputs.sum(axis=1))
        decoder.net.draw(generator, n_latents)
        with torch.no_grad():
            if not self.straight:
                decoder.net.weights[-1].mul_(_FIRST_DECODER)
                mean = log_odds(self.problem.X.mean(axis=0))
                decoder.intercept.copy_(torch.from_numpy(mean))
            else:
                linear = self._linear_model(rows)
                layer = linear.encoder[0]  # type: ignore[index]
                encoder.net.weights[-1].zero_()
                decoder.net.weights[-1].zero_()
                of_latents = np.repeat(np.arange(len(n_latents)), n_latents)
                slots = np.arange(len(of_latents)) - np.searchsorted(of_latents, of_latents)
                for latent, (group, slot) in enumerate(zip(of_latents, slots, strict=True)):
                    own = torch.from_numpy(inputs[group])
                    weights = layer.weight[latent][own].float()
                    encoder.net.straight[group, slot, : len(weights)] = weights
                    encoder.net.biases[-1][group, slot] = layer.bias[latent].float()
                    components = torch.from_numpy(linear.components[latent][parents[group]])
                    decoder.net.straight[group, : len(components), slot] = components.float()
                decoder.intercept.copy_(torch.from_numpy(linear.intercept))
        return _GroupAutoEncoder(encoder, decoder)

    def _train(
        self,
        module: _GroupAutoEncoder,
        rows: Int[Tensor, " rows"],
        held_out: Int[Tensor, " held_out"] | None,
        generator: torch.Generator,
        number: int,
        epochs: int | None = None,
    ) -> list[TrainingResult]:
        """Train with falling step sizes, until held-out samples gain no more.

        With ``epochs``, for so many at the last step size.
        """
        tensors = [tensor[rows] for tensor in self.tensors]
        tensors = tensors if self.fabric is None else self.fabric.to_device(tensors)
        samples = TensorSamples(*tensors)
        n_steps = -(-len(rows) // (self.batch_size or len(rows)))
        held_out_loss = None
        configuration: dict[str, Any] = {**self.start.configuration, "phase": "all samples"}
        if held_out is not None and len(held_out):
            apart = TensorSamples(*(tensor[held_out] for tensor in self.tensors))
            configuration["phase"] = apart.fingerprint()
            held_out_loss = self._held_out_loss(module, apart)
        settings = self.run.settings(number, self.start.n_init, configuration)
        folder, results = settings.pop("checkpoint_dir"), []
        title = f"{self.start.name}, start {number} of {self.start.n_init}"
        shown = self.start.verbose and self.worker.rank == 0
        stages = [("all samples", _STEPS[-1])]
        if epochs is None:
            stages = [(f"step size {i}", share) for i, share in enumerate(_STEPS, start=1)]
        for phase, share in stages if epochs != 0 else []:
            limit = self.start.max_iter if epochs is None else epochs
            with training_progress(
                f"{title}, {phase}", limit, loss_unit=self.unit_of_data, verbose=shown
            ) as on_epoch:
                result = train(
                    module,
                    self._loss(module),
                    samples,
                    learning_rate=share * float(self.step),
                    batch_size=self.batch_size,
                    max_epochs=limit,
                    tol=_TOL * self.start.tol,
                    patience=-(-self.window // n_steps) if epochs is None else limit + 1,
                    generator=generator,
                    fabric=self.fabric,
                    checkpoint_dir=None
                    if folder is None
                    else Path(folder, phase.replace(" ", "-")),
                    loss_unit=self.unit_of_data,
                    held_out_loss=held_out_loss,
                    on_epoch=on_epoch,
                    **settings,
                )
            results.append(result)
        return results

    def _loss(self, module: _GroupAutoEncoder) -> Callable[..., Float[Tensor, ""]]:
        """Loss of a batch relative to that of the means."""

        def loss(*tensors: Tensor) -> Float[Tensor, ""]:
            natural, target = module(tensors[0]), tensors[self.problem.logistic]
            if self.problem.logistic:
                losses = nn.functional.binary_cross_entropy_with_logits(
                    natural, target, reduction="none"
                )
            else:
                losses = (natural - target).square()
            if self.weighted:
                losses = losses * tensors[-1]
            return losses.sum() / (len(target) * self.unit) * share_of_batch(target)

        return loss

    def _held_out_loss(
        self, module: _GroupAutoEncoder, samples: TensorSamples
    ) -> Callable[[], float]:
        def loss() -> float:
            parameter = module.decoder.intercept
            total = 0.0
            with torch.no_grad():
                for tensors in samples.batches(1024):
                    on_device = [tensor.to(parameter) for tensor in tensors]
                    mean = module(on_device[0])
                    if self.problem.logistic:
                        mean = torch.sigmoid(mean)
                    errors = (mean - on_device[self.problem.logistic]).square()
                    if self.weighted:
                        errors = errors * on_device[-1]
                    total += float(errors.sum())
            return total / samples.n_samples

        return loss

    def _for_data(self, module: _GroupAutoEncoder, curve: list[float], converged: bool) -> Solution:
        """Solution for the original data, with latents of mean 0 and unit variance."""
        problem, encoder, decoder = self.problem, module.encoder.eval(), module.decoder.eval()
        with torch.no_grad():
            encoder.feature_mean.copy_(torch.from_numpy(self.mean))
            encoder.feature_unit.fill_(float(self.scale))
            if not problem.logistic:
                decoder.feature_mean.copy_(torch.from_numpy(self.mean))
                decoder.feature_unit.fill_(float(self.scale))
            Z = encode(encoder, problem.X)
            mean, std = Z.mean(axis=0), Z.std(axis=0)
            std = np.where(std > _LEAST_VARIATION * std.max(), std, 1.0)
            for part in (encoder, decoder):
                part.latent_mean.copy_(torch.from_numpy(mean))
                part.latent_unit.copy_(torch.from_numpy(std))
            intercept = decoder(torch.zeros(1, Z.shape[1], dtype=torch.float64))[0]
        components = _linear_part(decoder, (Z - mean) / std)
        return Solution(
            encoder,
            LINEAR,
            BOUNDED if problem.logistic else REAL,
            components,
            intercept.numpy(),
            curve or [0.0],
            converged,
            decoder=decoder,
        )


def _of_features(
    weights: Float[np.ndarray, "samples groups"], parents: Bool[np.ndarray, "groups features"]
) -> Float[np.ndarray, "samples features"]:
    """Weights of the samples for each feature: the mean of those of its parents."""
    shares = parents / np.maximum(parents.sum(axis=0), 1)
    return (weights @ shares).astype(np.float32)


def _null_loss(X: Float[np.ndarray, "samples features"], logistic: bool, scale: Any) -> float:
    """Loss of the means, summed over the features, in the units of training."""
    if not logistic:
        return max(float(np.sum(X.var(axis=0) / scale**2)), 1e-12)
    mean = X.mean(axis=0)
    natural = torch.from_numpy(log_odds(mean))[np.newaxis]
    return max(float(BINARY.losses(natural, torch.from_numpy(mean)[np.newaxis])), 1e-12)


def _parts(
    n_samples: int, generator: torch.Generator
) -> tuple[Int[Tensor, " held_out"], Int[Tensor, " rest"]]:
    """Samples that are held out, and the others."""
    order = torch.randperm(n_samples, generator=generator)
    n_held_out = round(_HELD_OUT * n_samples) if n_samples >= _LEAST_SAMPLES else 0
    return order[:n_held_out], order[n_held_out:]


def _linear_part(
    decoder: GroupDecoder, Z: Float[np.ndarray, "samples latents"]
) -> Float[np.ndarray, "latents features"]:
    """Regression of what each group adds to the natural parameters on its latents."""
    some = np.linspace(0, len(Z) - 1, min(len(Z), _SLOPE_SAMPLES)).astype(int)
    dZ = Z[some] - Z[some].mean(axis=0)
    with torch.no_grad():
        parts = decoder.parts(torch.from_numpy(Z[some])).numpy()
    of_latents = np.repeat(np.arange(decoder.n_groups), decoder.n_latents.numpy())
    components = np.zeros((Z.shape[1], len(decoder.intercept)))
    for group, (features, part) in enumerate(zip(decoder.parents.numpy(), parts, strict=True)):
        own = dZ[:, of_latents == group]
        square = own.T @ own / len(own) + _RIDGE * np.eye(own.shape[1])
        slopes = np.linalg.solve(square, own.T @ part[: features.sum()].T / len(own))
        components[np.ix_(of_latents == group, features)] = slopes
    return components * decoder.feature_unit.numpy()
