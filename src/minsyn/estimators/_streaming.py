"""`MinSyn` on data that are read by blocks, and on batches that come one after another."""

from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from scipy.sparse import issparse
from sklearn.utils import check_random_state
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.statistics import RunningStatistics
from minsyn.training import SampleStream, TrainingResult, as_samples, column_statistics, train
from minsyn.training.in_memory import ArraySamples
from minsyn.training.objectives import BernoulliObjective, GaussianObjective

if TYPE_CHECKING:
    from minsyn.estimators._start import Start
    from minsyn.estimators.minsyn import MinSyn

__all__ = [
    "PartialFit",
    "exact_statistics",
    "fit_stream",
    "is_stream",
    "stream_of_known_features",
]

#: Samples of a training step on a stream, unless ``batch_size`` says.
BATCH_SIZE = 512

_TABLES = (".csv", ".parquet")


def is_stream(X: Any) -> bool:
    """Whether data are to be read by blocks: files, memmaps, sparse matrices, torch's data."""
    if isinstance(X, np.memmap):
        return X.ndim == 2 and X.size > 0  # for others scikit-learn says what is wrong
    return isinstance(X, str | Path | SampleStream | Dataset | DataLoader) or issparse(X)


def stream_of_known_features(model: Any, X: Any) -> SampleStream:
    """A stream of the features that a model was fitted to.

    A table's columns are chosen by the names that the model knows, in whatever order they stand.

    Raises
    ------
    ValueError
        If the data have other features.
    """
    names = getattr(model, "feature_names_in_", None)
    is_table = isinstance(X, str | Path) and Path(X).suffix.lower() in _TABLES
    samples = as_samples(X, list(names) if is_table and names is not None else None)
    if samples.n_features != model.n_features_in_:
        raise ValueError(
            f"X has {samples.n_features} features, but {type(model).__name__} is expecting "
            f"{model.n_features_in_} features as input"
        )
    if names is not None and samples.feature_names not in (None, tuple(names)):
        raise ValueError(
            f"{samples.name}: the feature names should match those that were passed during fit, "
            "in the same order"
        )
    return samples


def fit_stream(model: "MinSyn", X: Any) -> None:
    """Fit a model to data that are read by blocks, so that memory does not grow with them.

    One pass gives mean, scale and range of every feature; each epoch is a pass in mini-batches;
    for exact statistics a last pass merges those of the blocks in float64.
    """
    samples = as_samples(X)
    if model.decoder == "single-parent" or model.solver == "lbfgs":
        what = "solver='lbfgs'" if model.decoder != "single-parent" else "decoder='single-parent'"
        raise ValueError(
            f"{what} works on the whole data in memory, and takes no files, sparse matrices or "
            f"data sets that are read by blocks; found {samples.name}. Pass an array, or use "
            "solver='adam' with decoder='gaussian' or 'bernoulli'"
        )
    if samples.n_samples < 2:
        raise ValueError(f"{samples.name} holds one sample; a minimum of 2 is required")
    columns = column_statistics(samples)
    model._check_range(columns.minimum, columns.maximum, samples.name)
    n_components = model._check_n_components(samples.n_samples, samples.n_features)
    model.n_features_in_ = samples.n_features
    model.__dict__.pop("feature_names_in_", None)
    if samples.feature_names is not None:
        model.feature_names_in_ = np.array(samples.feature_names, dtype=object)

    scale = float(np.sqrt(columns.variance.mean())) or 1.0
    varies = ~columns.constant
    varies |= not varies.any()
    # Batches come as the objective wants them: real features centred, probabilities as they are.
    batches = samples.scaled(columns.mean, scale) if model.decoder == "gaussian" else samples
    batch_size = BATCH_SIZE if model.batch_size is None else model.batch_size
    n_steps = -(-samples.n_samples // batch_size)

    def fit_once(start: "Start") -> tuple[Any, TrainingResult]:
        module = model._initial_module(n_components, varies, start.generator)
        loss = _BatchLoss(module, columns.mean, scale, varies)
        loss.by_hand = start.alone_in_single_precision
        loss.running = model.statistics == "running"
        return module, train(
            module,
            loss,
            batches,
            learning_rate=model._step_size,
            batch_size=batch_size,
            max_epochs=model.max_iter,
            tol=model.tol,
            patience=-(-model.n_iter_no_change // n_steps),
            generator=module.generator,
            on_epoch=start.on_epoch,
            **start.settings,
        )

    module = model._best_start(fit_once, scale, model._n_starts(1))
    weights, bias = module.encoder_of_all(varies)
    model._set_encoder(weights, bias, columns.mean, scale)
    model._set_decoder(samples.blocks(), module.decoder, columns.mean, scale)


def exact_statistics(model: Any, blocks: Any) -> PairwiseStatistics:
    """Statistics of latents and features, in float64, from blocks of samples."""

    def of(X: Float[np.ndarray, "rows features"]) -> PairwiseStatistics:
        X = X.astype(np.float64, copy=False)
        return PairwiseStatistics.of(model._encode(X), X)

    return reduce(PairwiseStatistics.merge, map(of, blocks))


class _BatchLoss:
    """Loss of a batch, with hand-written gradients where one process sees all of it.

    Features that are constant in all data are left out; what they add to the Bernoulli decoder's
    loss is a number. The encoder is linear in features of mean 0: for the Bernoulli decoder, whose
    batches are not centred, the shift goes into its weights instead, which are fewer.
    """

    by_hand = True
    running = False

    def __init__(
        self,
        module: Any,
        mean: Float[np.ndarray, " features"],
        scale: float,
        varies: Bool[np.ndarray, " features"],
    ) -> None:
        self._module = module
        self._binary = module.activation is torch.sigmoid
        self._columns = None if varies.all() else torch.from_numpy(np.flatnonzero(varies))
        self._shift = torch.from_numpy(mean[varies] / scale).float()
        self._scale = scale
        self._constant = 0.0
        if self._binary and not varies.all():
            constant = torch.from_numpy(mean[~varies]).float()
            self._constant = float(BernoulliObjective(constant[None])(torch.full((1, 1), 0.5)))

    def __call__(self, x: Float[Tensor, "batch features"]) -> Float[Tensor, ""]:
        decoder = self._module.decoder
        inputs = x
        if self._columns is not None:
            self._columns = self._columns.to(x.device)
            inputs = x.index_select(1, self._columns)
        z = self._latents(inputs)
        if not self.by_hand:
            return decoder.loss(z, x)
        if self.running:
            decoder.running.update(PairwiseStatistics.of(z.detach(), x))
        if self._binary:
            return BernoulliObjective(inputs, drop_constant=False)(z) + self._constant
        return GaussianObjective(inputs, drop_constant=False)(z)

    def _latents(self, x: Float[Tensor, "batch inputs"]) -> Float[Tensor, "batch latents"]:
        if not self._binary:
            return self._module(x)
        encoder = self._module.encoder
        self._shift = self._shift.to(encoder.weight)
        bias = encoder.bias - encoder.weight @ self._shift
        return self._module.activation(F.linear(x, encoder.weight / self._scale, bias))


class PartialFit:
    """What `MinSyn.partial_fit` keeps between calls, beside the fitted attributes.

    The features' mean and scale, which only make training well conditioned, are those of the first
    batch. A feature that has not varied yet has zero weight in the encoder and is an input all the
    same: it gets a gradient, and so a weight, from the first batch that it varies in.

    Parameters
    ----------
    model : MinSyn
        New, or fitted: then training goes on from its encoder.
    X : ndarray of shape (n_samples, n_features)
        The first batch.
    """

    def __init__(self, model: "MinSyn", X: Float[np.ndarray, "samples features"]) -> None:
        n_features = X.shape[1]
        known = vars(model).get("statistics_")
        if known is None:
            n_components = model._check_n_components(*X.shape)
            mean, self.scale = model._origin_and_scale(X)
            self.mean = mean.astype(np.float64)
        else:
            n_components = len(model.components_)
            self.mean, self.scale = known.mean_x, float(np.sqrt(known.var_x.mean())) or 1.0
        self._everything = np.ones(n_features, dtype=bool)
        seed = check_random_state(model.random_state).randint(np.iinfo(np.int32).max)
        generator = torch.Generator().manual_seed(int(seed))
        self.module = model._initial_module(n_components, self._everything, generator)
        self.running = RunningStatistics(n_components, n_features, model.momentum).double()
        if known is None:
            varies = torch.from_numpy(X.min(axis=0) < X.max(axis=0))
            if varies.any():  # else the latents would be, and remain, alike
                self.module.encoder.weight.data *= varies
        else:
            weights = model.encoder_weights_ * self.scale
            bias = model.encoder_bias_ + model.encoder_weights_ @ self.mean
            self.module.encoder.weight.data.copy_(torch.from_numpy(weights))
            self.module.encoder.bias.data.copy_(torch.from_numpy(bias))
            for name in ("mean_z", "mean_x", "cov_zz", "cov_zx", "var_x"):
                getattr(self.running, name).copy_(torch.from_numpy(getattr(known, name)))
            self.running.n_batches.fill_(int(1 / model.momentum))
        self.adam = torch.optim.Adam(self.module.parameters(), lr=model._step_size)

    def __call__(self, model: "MinSyn", X: Float[np.ndarray, "samples features"]) -> None:
        """Take a step on each batch of the samples, and refresh the fitted attributes."""
        samples: SampleStream = ArraySamples(X)
        if model.decoder == "gaussian":
            samples = samples.scaled(self.mean, self.scale)
        loss = _BatchLoss(self.module, self.mean, self.scale, self._everything)
        total = 0.0
        for (x,) in samples.batches(model.batch_size):
            self.adam.zero_grad()
            value = loss(x)
            if not torch.isfinite(value):
                raise FloatingPointError(
                    f"the training loss became {value.item()}: lower the learning rate, or scale "
                    "the data"
                )
            value.backward()
            self.adam.step()
            total += value.item() * len(x)
        unit = self.scale**2 if model.decoder == "gaussian" else 1.0
        model.loss_curve_ = [*getattr(model, "loss_curve_", []), unit * total / len(X)]
        model.n_iter_, model.converged_ = len(model.loss_curve_), False
        weights, bias = self.module.encoder_of_all(self._everything)
        model._set_encoder(weights, bias, self.mean, self.scale)
        batch = exact_statistics(model, [X])
        names = ("mean_z", "mean_x", "cov_zz", "cov_zx", "var_x")
        self.running.update(
            PairwiseStatistics(1.0, *(torch.from_numpy(getattr(batch, name)) for name in names))
        )
        average = self.running.statistics()
        model._decode_from(
            PairwiseStatistics(1.0, *(getattr(average, name).numpy() for name in names))
        )
