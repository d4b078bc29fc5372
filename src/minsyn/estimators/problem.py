"""Problems for solvers: samples, kinds of encoder and decoder, and number of factors."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import chain
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from sklearn.utils import check_array
from torch import nn

from minsyn.data import SampleStream, column_statistics
from minsyn.data.batches import even_parts
from minsyn.estimators.encoders import Encoder, Net, encode
from minsyn.estimators.features import Features, Rows
from minsyn.estimators.module import DecoderChoice, MinSynModule, Steps
from minsyn.estimators.solution import Solution
from minsyn.information._magnitude import check_magnitude
from minsyn.information.statistics import (
    Moments,
    PairwiseStatistics,
    checked_weights,
    std_beyond_rounding,
)
from minsyn.nn.latents import LINEAR, Latents
from minsyn.nn.observations import Observations
from minsyn.training import TrainingResult
from minsyn.training.worker import Worker

__all__ = [
    "ArrayProblem",
    "ModelSpec",
    "MomentsProblem",
    "Problem",
    "Scaling",
    "StreamProblem",
    "checked_latents",
    "checked_n_components",
    "finite_latents",
    "finite_reconstructions",
    "origin_and_scale",
    "scale_of",
]


#: Features up to which their covariance is small, however few the samples are.
_FEW_FEATURES = 500


@dataclass(frozen=True)
class Scaling:
    """Origin and unit of the features in training.

    Attributes
    ----------
    mean : ndarray of shape (n_features,)
        Means of the features.
    scale : float, or ndarray of shape (n_features,)
        Square root of the mean variance; 1 if all features are constant. For standardised
        features, the standard deviation of each.
    varies : ndarray of bool, shape (n_features,)
        Whether each feature is an input of a linear encoder or MLP. Constant features are not, as
        they would contribute only noise.
    """

    mean: Float[np.ndarray, " features"]
    scale: float | Float[np.ndarray, " features"]
    varies: Bool[np.ndarray, " features"]


@dataclass(frozen=True)
class ModelSpec:
    """The model to fit, but for the data.

    Attributes
    ----------
    n_components : int or str
        Number of latents, or how it is chosen.
    decoder : DecoderChoice
        Kind of decoder.
    encoder : Encoder
        Kind of encoder.
    standardize : bool
        Whether all features count alike.
    """

    n_components: int | str
    decoder: DecoderChoice
    encoder: Encoder
    standardize: bool = False


class Problem(ABC):
    """Samples, and the model to fit to them.

    Attributes
    ----------
    n_samples, n_features : int
        Shape of the data.
    n_components : int
        Number of latents; a string until it is chosen.
    decoder : DecoderChoice
        Kind of decoder.
    encoder : Encoder
        Kind of encoder.
    standardize : bool
        Whether all features count alike: errors are then divided by the features' variances.
    feature_names : sequence of str or None
        Names of the features, for messages.
    """

    n_samples: int
    n_features: int
    feature_names: Any = None

    def __init__(self, spec: ModelSpec) -> None:
        self.n_components: Any = checked_n_components(spec.n_components, self.n_features)
        self.decoder = spec.decoder
        self.encoder = spec.encoder
        self.standardize = spec.standardize
        self._features: Features | None = None
        if spec.standardize and not self.observations.affine:
            raise ValueError(
                "standardize=True is for decoders of real values: standardised features would lie "
                f"outside the [{self.observations.low:g}, {self.observations.high:g}] of "
                f"{spec.decoder!r}"
            )

    @abstractmethod
    def scaling(self, worker: Worker) -> Scaling:
        """Origin and unit of the features, after a check of their range.

        This may take a pass over the data.
        """

    @abstractmethod
    def rows(self) -> Float[np.ndarray, "rows features"]:
        """A few samples of the original data."""

    @abstractmethod
    def statistics(
        self, encoder: nn.Module, latents: Latents, worker: Worker
    ) -> PairwiseStatistics:
        """Exact statistics of all samples under a fitted encoder, in float64."""

    @abstractmethod
    def second_moments(self, worker: Worker) -> Moments | Rows:
        """Mean and covariance of the features, in one pass; the samples where these are smaller.

        That is where there are fewer samples than features, and more than 500 of these.
        """

    def features(self, worker: Worker) -> Features:
        """Standardised features, from moments that are read once."""
        if self._features is None:
            self._features = Features.of(self.second_moments(worker), self.feature_names)
        return self._features

    @property
    def _fewer_samples(self) -> bool:
        return self.n_features > max(self.n_samples, _FEW_FEATURES)

    @cached_property
    def observations(self) -> Observations:
        """Kind of observations."""
        return self.decoder.build(1, self.n_features, _NO_STEPS).decoder.observations

    def module(
        self, generator: torch.Generator, scaling: Scaling, steps: Steps | None = None
    ) -> MinSynModule:
        """Untrained module; ``steps`` are the settings of Adam, if it is the solver."""
        encoder = self.encoder.build(self.n_components, scaling.varies, self.rows(), generator)
        decoder = self.decoder.build(self.n_components, self.n_features, steps)
        last = encoder[-1] if isinstance(encoder, nn.Sequential) and len(encoder) else None
        free_of_shifts = self.decoder.latents is LINEAR and not self.decoder.trained
        if free_of_shifts and isinstance(self.encoder, Net) and isinstance(last, nn.Linear):
            # A shift of these latents changes nothing: Adam would follow the rounding of its
            # gradient.
            last.bias.requires_grad_(False)
        return MinSynModule(encoder, decoder, generator)

    def unit(self, scaling: Scaling) -> float:
        """Factor that converts the training loss to the units of `score`."""
        if self.standardize or not self.observations.affine:
            return 1.0
        return float(scaling.scale) ** 2

    @np.errstate(all="ignore")  # a solution that is not finite is refused as a whole
    def solution(
        self,
        module: MinSynModule,
        result: TrainingResult,
        scaling: Scaling,
        worker: Worker,
        running: bool = False,
    ) -> Solution:
        """Solution for the original data, from a trained module.

        Parameters
        ----------
        module : MinSynModule
            Trained module, on the CPU.
        result : TrainingResult
            Losses of the training.
        scaling : Scaling
            Scaling of the data in training.
        worker : Worker
            This process, which reads its share of the data in the last pass.
        running : bool, default=False
            Whether to compute the decoder from the moving average over training, instead of the
            exact statistics of all samples.
        """
        encoder = self.encoder.for_data(module.encoder, scaling.varies, scaling.mean, scaling.scale)
        if running:
            average = module.decoder.decoder.running.statistics()
            statistics = average.map(lambda moment: moment.double().numpy())
            if self.observations.affine:
                statistics = statistics.rescaled(scaling.mean, scaling.scale)
        else:
            statistics = self.statistics(encoder, module.latents, worker)
        unit = self.unit(scaling)
        importance = statistics.std_x**2
        if self.standardize:
            importance = (importance > 0).astype(np.float64)
        components, intercept = module.decoder.map_for_data(statistics, scaling.mean, scaling.scale)
        found = Solution(
            encoder,
            module.latents,
            module.observations,
            components,
            intercept,
            [unit * loss for loss in result.history],
            result.converged,
            statistics,
        )
        # What another module makes of weights in another order is not known.
        return found.in_order(importance) if isinstance(self.encoder, Net) else found


#: Settings for decoders that are built only to determine their kind.
_NO_STEPS = Steps(encoder=1.0, decoder=1.0, whole_batches=True, momentum=0.1)


class ArrayProblem(Problem):
    """A problem with an array in memory.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Finite samples, float32 or float64.
    spec : ModelSpec
        The model.
    sample_weight : array-like of shape (n_samples,), optional
        Weights of the samples. Only fits from the moments use them.

    Raises
    ------
    ValueError
        If there are more components than features, or values are outside the decoder's range.
    """

    def __init__(
        self,
        X: Float[np.ndarray, "samples features"],
        spec: ModelSpec,
        sample_weight: Any = None,
    ) -> None:
        self.X = X
        self.n_samples, self.n_features = X.shape
        self.sample_weight = _weights(sample_weight, self.n_samples)
        super().__init__(spec)
        self.observations.check_range(float(X.min()), float(X.max()))

    def scaling(self, worker: Worker | None = None) -> Scaling:
        """Origin and unit of the features."""
        mean, scale = origin_and_scale(self.X, self.standardize)
        varies = np.any(self._scaled(mean, scale) != 0, axis=0)
        return Scaling(mean, scale, varies | (not varies.any()))

    def rows(self) -> Float[np.ndarray, "rows features"]:
        """The first two samples."""
        return self.X[:2]

    def arrays(
        self, scaling: Scaling
    ) -> tuple[Float[np.ndarray, "samples inputs"], Float[np.ndarray, "samples features"]]:
        """Inputs of the encoder and targets of the decoder, in float32."""
        scaled = self._scaled(scaling.mean, scaling.scale)
        if self.observations.affine and not self.encoder.sees_data_as_given:
            return scaled[:, scaling.varies], scaled
        with np.errstate(over="ignore"):
            as_given = self.X.astype(np.float32)
        if not np.isfinite(as_given).all():
            raise ValueError(
                f"{self.encoder!r} takes the data as they are, in float32, which they exceed: "
                "scale them"
            )
        inputs = as_given if self.encoder.sees_data_as_given else scaled[:, scaling.varies]
        return inputs, scaled if self.observations.affine else as_given

    def statistics(
        self, encoder: nn.Module, latents: Latents, worker: Worker | None = None
    ) -> PairwiseStatistics:
        """Exact statistics of all samples under a fitted encoder, in float64."""
        return _statistics(self.X, encoder, latents)

    def second_moments(self, worker: Worker | None = None) -> Moments | Rows:
        """Moments, or the samples where these are smaller."""
        rows = Rows(self.X, self.sample_weight)
        return rows if self._fewer_samples else rows.moments()

    def _scaled(
        self,
        mean: Float[np.ndarray, " features"],
        scale: float | Float[np.ndarray, " features"],
    ) -> Float[np.ndarray, "samples features"]:
        return ((self.X - mean) / scale).astype(np.float32)


class StreamProblem(Problem):
    """A problem with samples that are read by blocks, in constant memory.

    Parameters
    ----------
    samples : SampleStream
        The samples.
    spec, sample_weight
        As in `ArrayProblem`.

    Raises
    ------
    ValueError
        If there is only one sample, or there are more components than features.
    """

    def __init__(
        self,
        samples: SampleStream,
        spec: ModelSpec,
        sample_weight: Any = None,
    ) -> None:
        if samples.n_samples < 2:
            raise ValueError(f"{samples.name} holds one sample; a minimum of 2 is required")
        self.samples = samples
        self.n_samples, self.n_features = samples.n_samples, samples.n_features
        self.sample_weight = _weights(sample_weight, self.n_samples)
        super().__init__(spec)

    def scaling(self, worker: Worker) -> Scaling:
        """Origin and unit of the features, from one pass over the data."""
        columns = worker.merged(
            lambda: column_statistics(self.samples, worker.rank, worker.world_size)
        )
        check_magnitude(np.stack([columns.minimum, columns.maximum]), self._name_of)
        low, high = float(columns.minimum.min()), float(columns.maximum.max())
        self.observations.check_range(low, high, self.samples.name)
        varies = ~columns.constant
        scale = scale_of(columns.variance, columns.mean, self.standardize)
        return Scaling(columns.mean, scale, varies | (not varies.any()))

    def rows(self) -> Float[np.ndarray, "rows features"]:
        """The first samples, if the encoder needs any."""
        if not self.encoder.sees_data_as_given:
            return np.empty((0, self.n_features), np.float32)
        return next(self.samples.blocks())[:2].copy()

    def statistics(
        self, encoder: nn.Module, latents: Latents, worker: Worker
    ) -> PairwiseStatistics:
        """Exact statistics of all samples; each process reads its share."""

        def of_share() -> PairwiseStatistics | None:
            blocks = self.samples.blocks(worker.rank, worker.world_size)
            first = next(blocks, None)
            if first is None:
                return None
            parts = (_statistics(x, encoder, latents) for x in chain([first], blocks))
            return reduce(PairwiseStatistics.merge, parts)

        return worker.merged(of_share)

    def second_moments(self, worker: Worker) -> Moments | Rows:
        """Moments, or the samples where these are smaller, each process reading its share."""
        few = self._fewer_samples

        def of_share() -> Any:
            rank, world_size = worker.rank, worker.world_size
            blocks = self._moderate(self.samples.blocks(rank, world_size, missing=True))
            weights: list[Any] = [None] * world_size
            if self.sample_weight is not None:
                bounds = even_parts(0, self.n_samples, world_size)
                weights = [self.sample_weight[start:stop] for start, stop in bounds]
            weighted = _with_weights(blocks, weights[rank])
            if few:
                rows = [Rows(x.copy(), w) for x, w in weighted]
                return Rows.together(rows) if rows else None
            parts = (Moments.of(x, w) for x, w in weighted)
            first: Any = next(parts, None)
            return reduce(lambda known, part: known.merge(part), parts, first)

        return worker.merged(of_share)

    def _moderate(
        self, blocks: Iterable[Float[np.ndarray, "samples features"]]
    ) -> Iterator[Float[np.ndarray, "samples features"]]:
        for block in blocks:
            check_magnitude(block, self._name_of)
            yield block

    def _name_of(self, feature: int) -> str:
        names = self.samples.feature_names
        return f"{self.samples.name}: column {feature if names is None else names[feature]!r}"


class MomentsProblem(Problem):
    """A problem of which only mean and covariance of the features are known.

    Parameters
    ----------
    moments : Moments
        Mean and covariance.
    spec : ModelSpec
        The model.

    Raises
    ------
    ValueError
        If there are more components than features.
    """

    def __init__(self, moments: Moments, spec: ModelSpec) -> None:
        self.moments = moments
        self.n_features = self.n_samples = len(moments.mean)
        super().__init__(spec)

    def scaling(self, worker: Worker | None = None) -> Scaling:
        """Origin and unit of the features."""
        std = self.moments.std
        return Scaling(
            self.moments.mean, scale_of(std**2, self.moments.mean, self.standardize), std > 0
        )

    def rows(self) -> Float[np.ndarray, "rows features"]:
        """No samples."""
        return np.empty((0, self.n_features))

    def statistics(
        self, encoder: nn.Module, latents: Latents, worker: Worker | None = None
    ) -> PairwiseStatistics:
        """Statistics of latents that are linear in the features."""
        assert isinstance(encoder, nn.Sequential) and isinstance(encoder[0], nn.Linear)
        moments, weights = self.moments, encoder[0].weight.detach().numpy()
        cov_zx = weights @ moments.covariance
        return PairwiseStatistics(
            moments.weight,
            weights @ moments.mean + encoder[0].bias.detach().numpy(),
            moments.mean,
            cov_zx @ weights.T,
            cov_zx,
            moments.variance,
        )

    def second_moments(self, worker: Worker | None = None) -> Moments:
        """The moments."""
        return self.moments


def _weights(sample_weight: Any, n_samples: int) -> Float[np.ndarray, " samples"] | None:
    """Checked weights of samples."""
    return None if sample_weight is None else checked_weights(sample_weight, n_samples)


def _with_weights(
    blocks: Iterable[Float[np.ndarray, "rows features"]],
    weights: Float[np.ndarray, " samples"] | None,
) -> Iterator[tuple[Any, Any]]:
    """Blocks of samples, each with its part of the weights; blocks of weight 0 are left out."""
    top = 0
    for x in blocks:
        part = None if weights is None else weights[top : top + len(x)]
        top += len(x)
        if part is None or part.any():
            yield x, part


def _statistics(
    X: Float[np.ndarray, "samples features"], encoder: nn.Module, latents: Latents
) -> PairwiseStatistics:
    X = X.astype(np.float64, copy=False)
    return PairwiseStatistics.of(encode(encoder, X, latents), X)


def origin_and_scale(
    X: Float[np.ndarray, "samples features"], standardize: bool = False
) -> tuple[Float[np.ndarray, " features"], Any]:
    """Means, and the square root of the features' mean variance (1 if all are constant).

    For standardised features, their standard deviations (1 where they are constant).
    """
    # In float64, as the sum of a long column in float32 can be off by much more than rounding.
    mean = X.mean(axis=0, dtype=np.float64).astype(X.dtype)
    variance = np.var(X, axis=0, dtype=np.float64)
    constant = X.min(axis=0) == X.max(axis=0)  # rounding of the mean would cause a variance
    mean[constant], variance[constant] = X[0, constant], 0.0
    return mean, scale_of(variance, mean, standardize)


def scale_of(
    variance: Float[np.ndarray, " features"],
    mean: Float[np.ndarray, " features"],
    standardize: bool,
) -> Any:
    """Unit of the features in training: see `Scaling`."""
    if standardize:
        std = std_beyond_rounding(variance, mean)
        return np.where(std > 0, std, 1.0)
    # Where the variances are too small to be known, no feature counts as varying either.
    return float(std_beyond_rounding(variance.mean(keepdims=True), np.zeros(1))[0]) or 1.0


def checked_latents(Z: Any, n_components: int) -> Float[np.ndarray, "samples latents"]:
    """Check that latents are an array of finite numbers, with one column per component."""
    Z = check_array(Z, dtype=[np.float64, np.float32], input_name="Z")
    if Z.shape[1] != n_components:
        raise ValueError(
            f"Z must have shape (n_samples, {n_components}), with one column per component, as "
            f"returned by transform; found {Z.shape}"
        )
    return Z


def finite_latents(Z: Float[np.ndarray, "samples latents"]) -> Float[np.ndarray, "samples latents"]:
    """Latents of samples, or a ValueError where some exceed their type."""
    return _finite(Z, "latents", "values")


def finite_reconstructions(
    X: Float[np.ndarray, "samples features"],
) -> Float[np.ndarray, "samples features"]:
    """Reconstructions of samples, or a ValueError where some exceed their type."""
    return _finite(X, "reconstructions", "latents")


def _finite(
    values: Float[np.ndarray, "samples _"], what: str, of_which: str
) -> Float[np.ndarray, "samples _"]:
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"the {what} of sample {int(np.argmin(finite))} are not finite in {values.dtype}: its "
            f"{of_which} lie too far from those of the fit, or the model has a fault"
        )
    return values


def checked_n_components(n_components: Any, n_features: int) -> int | str:
    """Number of components for data of this many features, or how it is to be chosen.

    Raises
    ------
    ValueError
        If it is larger than the number of features.
    """
    if isinstance(n_components, str):
        return n_components
    if n_components > n_features:
        raise ValueError(
            f"n_components={n_components} must be at most the number of features, {n_features}"
        )
    return int(n_components)
