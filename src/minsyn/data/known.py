"""Temporary."""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import issparse
from torch.utils.data import DataLoader, Dataset

from minsyn.data.samples import as_samples
from minsyn.data.stream import SampleStream


def is_stream(X: Any) -> bool:
    """Whether data are to be read by blocks: files, memmaps, sparse matrices, torch's data."""
    if isinstance(X, np.memmap):
        return X.ndim == 2 and X.size > 0
    return isinstance(X, str | Path | SampleStream | Dataset | DataLoader) or issparse(X)


def stream_of_features(X: Any, names: Any, n_features: int) -> SampleStream:
    """A stream of the features that a model was fitted to."""
    is_table = isinstance(X, str | Path) and Path(X).suffix.lower() in (".csv", ".parquet")
    samples = as_samples(X, list(names) if is_table and names is not None else None)
    if samples.n_features != n_features:
        raise ValueError(
            f"X has {samples.n_features} features, but the model is expecting "
            f"{n_features} features as input"
        )
    if names is not None and samples.feature_names not in (None, tuple(names)):
        raise ValueError(
            f"{samples.name}: the feature names should match those that were passed during fit, "
            "in the same order"
        )
    return samples
