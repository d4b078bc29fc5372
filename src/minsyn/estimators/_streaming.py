"""`MinSyn` on data that are read by blocks."""

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse
from torch import nn
from torch.utils.data import DataLoader, Dataset

from minsyn.data import SampleStream, as_samples, column_statistics
from minsyn.estimators._batch_loss import BatchLoss, own_randomness, training_batches
from minsyn.estimators._fitted import exact_statistics, set_fitted
from minsyn.estimators._module import MinSynModule, initial_module
from minsyn.estimators._solver_choice import n_starts, step_size
from minsyn.estimators._start import Start, best_start, launched
from minsyn.estimators._training_data import check_n_components, check_range
from minsyn.information.statistics import PairwiseStatistics
from minsyn.training import TrainingResult, train
from minsyn.training.worker import worker_of

if TYPE_CHECKING:
    from minsyn.estimators.minsyn import MinSyn

__all__ = [
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
    for exact statistics a last pass merges those of the blocks in float64. A decoder that is
    trained starts from one more pass. With several processes each reads its share for the first and
    the last pass.
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
    fabric = launched(model)
    worker = worker_of(fabric)
    columns = column_statistics(samples, worker)
    check_range(model, columns.minimum, columns.maximum, samples.name)
    n_components = check_n_components(model, samples.n_samples, samples.n_features)
    model.n_features_in_ = samples.n_features
    model.__dict__.pop("feature_names_in_", None)
    if samples.feature_names is not None:
        model.feature_names_in_ = np.array(samples.feature_names, dtype=object)

    mean, scale = columns.mean, float(np.sqrt(columns.variance.mean())) or 1.0
    varies = ~columns.constant
    varies |= not varies.any()
    batches = training_batches(model, samples, mean, scale)
    rows = next(samples.blocks())[:2].copy() if isinstance(model.encoder, nn.Module) else None
    batch_size = BATCH_SIZE if model.batch_size is None else model.batch_size
    n_steps = -(-samples.n_samples // batch_size)

    def fit_once(start: Start) -> tuple[MinSynModule, TrainingResult]:
        module = initial_module(
            model, n_components, varies, start.generator, rows, whole_batches=n_steps == 1
        )
        loss = BatchLoss(
            model, module, mean, scale, varies, by_hand=start.alone_in_single_precision
        )
        with own_randomness(model, start.generator):
            loss.start_decoder(batches, batch_size, worker)
            return module, train(
                module,
                loss,
                batches,
                learning_rate=step_size(model),
                batch_size=batch_size,
                max_epochs=model.max_iter,
                tol=model.tol,
                patience=-(-model.n_iter_no_change // n_steps),
                generator=module.generator,
                on_epoch=start.on_epoch,
                **start.settings,
            )

    def exact() -> PairwiseStatistics:
        def of_share() -> PairwiseStatistics | None:
            blocks = samples.blocks(worker.rank, worker.world_size)
            first = next(blocks, None)
            return None if first is None else exact_statistics(model, chain([first], blocks))

        return worker.merged(of_share)

    module = best_start(model, fit_once, scale, n_starts(model, 1), fabric)
    set_fitted(model, module, varies, mean, scale, exact)
