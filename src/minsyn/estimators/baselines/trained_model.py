"""Base class of autoencoders whose encoder and decoder Adam trains together."""

from abc import abstractmethod
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from jaxtyping import Bool, Float
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from torch import Tensor, nn

from minsyn.data import TensorSamples
from minsyn.estimators.encoders import folded
from minsyn.estimators.factor_model import FactorModel
from minsyn.estimators.problem import checked_n_components, origin_and_scale
from minsyn.estimators.run import Run
from minsyn.estimators.small_fits import on_one_thread_if_small
from minsyn.estimators.solution import Solution
from minsyn.estimators.start import OnEpoch, best_of_starts
from minsyn.nn import BINARY, REAL, Latents, Observations, share_of_batch
from minsyn.training import TrainingResult, train
from minsyn.training.worker import worker_of

__all__ = ["TrainedModel", "TrainedModule"]


class TrainedModule(nn.Module):
    """Encoder and decoder of one layer each, with torch's default weights from a given generator.

    A subclass has a loss, and may have further parameters.

    Parameters
    ----------
    n_latents, n_features : int
        Numbers of latents and of features.
    observations : Observations
        Kind of features.
    generator : torch.Generator
        Source of the initial weights, and later of noise.

    Attributes
    ----------
    latents : Latents
        Kind of latents.
    """

    latents: ClassVar[Latents]

    def __init__(
        self,
        n_latents: int,
        n_features: int,
        observations: Observations,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.observations, self.generator = observations, generator
        self.encoder = nn.Linear(n_features, n_latents)
        self.decoder = nn.Linear(n_latents, n_features)
        for layer in (self.encoder, self.decoder):
            bound = layer.in_features**-0.5
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=generator)

    @abstractmethod
    def losses(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, " batch"]:
        """Training loss of each sample."""

    @torch.no_grad()
    def leave_out_constants(
        self, varies: Bool[Tensor, " features"], x: Float[Tensor, " features"]
    ) -> None:
        """Give constant features no weight in the encoder; for ``x`` it gives the same as before.

        Training says nothing of these weights: they would stay at their random initial values.
        """
        weight, constant = self.encoder.weight, ~varies
        self.encoder.bias.add_(weight[:, constant] @ x[constant])
        weight[:, constant] = 0.0

    def noise(self, like: Float[Tensor, "batch _"]) -> Float[Tensor, "batch _"]:
        """Standard normal noise."""
        return torch.randn(like.shape, generator=self.generator).to(like)


class TrainedModel(FactorModel):
    """Base class of autoencoders whose encoder and decoder Adam trains together.

    A subclass has the parameters below, and perhaps others, and builds the module that is trained.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "decoder": [StrOptions({"linear", "sigmoid"})],
        "learning_rate": [Interval(Real, 0, 1e30, closed="right")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "run": [Run, None],
        "verbose": ["verbose"],
    }

    #: Whether the loss is minus a log-likelihood. Otherwise it is in the units of minus `score`.
    _loss_in_nats: ClassVar[bool] = False

    n_components: int | None
    decoder: Literal["linear", "sigmoid"]
    learning_rate: float
    batch_size: int | None
    max_iter: int
    tol: float
    n_iter_no_change: int
    n_init: int
    random_state: int | np.random.RandomState | None
    run: Run | None
    verbose: int

    @_fit_context(prefer_skip_nested_validation=True)
    @on_one_thread_if_small
    def fit(self, X: Any, y: Any = None) -> Self:
        """Train encoder and decoder.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training data; in [0, 1] for the sigmoid decoder.
        y : ignored
            Present for scikit-learn's interface.

        Returns
        -------
        estimator
            The fitted estimator.
        """
        X = self._checked(X, reset=True, ensure_min_samples=2)
        n_components = self.n_components
        n_components = min(X.shape) if n_components is None else n_components
        n_components = int(checked_n_components(n_components, X.shape[1]))
        observations = _OBSERVATIONS[self.decoder]
        observations.check_range(float(X.min()), float(X.max()))
        mean: Float[np.ndarray, " features"] = np.zeros(X.shape[1], X.dtype)
        scale = 1.0
        if observations.affine:  # Adam and float32 need features of mean square 1
            mean, scale = origin_and_scale(X)
        x = torch.from_numpy(((X - mean) / scale).astype(np.float32))
        varies = x.amin(dim=0) != x.amax(dim=0)
        run = self.run or Run()
        fabric = run.launch()
        samples = TensorSamples(x if fabric is None else fabric.to_device(x))

        def fit_once(
            generator: torch.Generator, on_epoch: OnEpoch, settings: dict[str, Any]
        ) -> tuple[TrainedModule, TrainingResult]:
            module = self._module(n_components, varies, observations, scale, generator)
            return module, self._train(module, samples, on_epoch, settings)

        start = self._start(self._model_parameters())
        unit = 1.0 if self._loss_in_nats else scale**2
        module, result = best_of_starts(
            fit_once, start, self.n_init, run, fabric, worker_of(fabric), unit
        )
        # The density of data in a smaller unit is lower.
        shift = X.shape[1] * float(np.log(scale)) if self._loss_in_nats else 0.0
        x = x.double()
        module.leave_out_constants(varies, x[0])
        self._take_module(module, x)
        encoder, decoder = module.encoder, module.decoder
        weights = decoder.weight.detach().numpy().T.copy()
        self._take(
            Solution(
                folded(nn.Sequential(encoder), mean, scale),
                module.latents,
                observations,
                components=scale * weights,
                intercept=mean + scale * decoder.bias.detach().numpy(),
                loss_curve=[unit * loss + shift for loss in result.history],
                converged=result.converged,
            )
        )
        self._warn_unless_converged(self.max_iter)
        return self

    @abstractmethod
    def _module(
        self,
        n_components: int,
        varies: Bool[Tensor, " features"],
        observations: Observations,
        scale: float,
        generator: torch.Generator,
    ) -> TrainedModule:
        """Untrained module of features that are divided by a scale, some of which vary."""

    @abstractmethod
    def _model_parameters(self) -> dict[str, Any]:
        """Parameters that determine the results, in addition to those that `train` knows."""

    def _take_module(self, module: TrainedModule, x: Float[Tensor, "samples features"]) -> None:
        """Set further fitted attributes of a trained module, and the order of its latents."""

    def _train(
        self,
        module: TrainedModule,
        samples: TensorSamples,
        on_epoch: OnEpoch,
        settings: dict[str, Any],
    ) -> TrainingResult:
        def loss(x: Float[Tensor, "batch features"]) -> Float[Tensor, ""]:
            return module.losses(x).mean() * share_of_batch(x)

        return train(
            module,
            loss,
            samples,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            max_epochs=self.max_iter,
            tol=self.tol,
            patience=self.n_iter_no_change,
            generator=module.generator,
            on_epoch=on_epoch,
            **settings,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = self.decoder == "sigmoid"
        return tags


_OBSERVATIONS: dict[str, Observations] = {"linear": REAL, "sigmoid": BINARY}
