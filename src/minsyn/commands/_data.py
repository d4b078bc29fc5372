"""Features and other columns of a file, and a model's latents of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from minsyn.commands._options import choose_columns

if TYPE_CHECKING:
    import numpy as np
    from pandas import DataFrame

    from minsyn.data import SampleStream
    from minsyn.estimators.factor_model import FactorModel
    from minsyn.information import PairwiseStatistics

__all__ = ["UserData", "latents_by_block", "open_data", "open_data_for", "pairwise_statistics"]

_TABLES = (".csv", ".parquet")


@dataclass(frozen=True)
class UserData:
    """Samples of a file, and the names of its columns that are not features.

    Attributes
    ----------
    file : Path
        The file.
    samples : SampleStream
        The features.
    not_numbers : tuple of str
        Columns of text, dates and the like, and a stored index.
    left_out : tuple of str
        Numeric columns that were not chosen.
    """

    file: Path
    samples: "SampleStream"
    not_numbers: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def columns(self, names: Sequence[str]) -> "DataFrame":
        """Columns of the table, unchanged.

        Parameters
        ----------
        names : sequence of str
            Names of the columns.
        """
        from minsyn.data import read_columns

        return read_columns(self.file, names)


def open_data(
    file: Path, columns: list[str] | None = None, drop: list[str] | None = None
) -> UserData:
    """Features of a ``.csv``, ``.parquet``, ``.npy`` or ``.npz`` file.

    Parameters
    ----------
    file : Path
        The file.
    columns : list of str, optional
        Features; all numeric columns by default.
    drop : list of str, optional
        Columns that are not features.

    Raises
    ------
    ValueError
        If there is no such column, no numeric column is left, or the file is not a table.
    """
    from minsyn.data import as_samples, table_columns

    if file.suffix.lower() not in _TABLES:
        if columns is not None or drop is not None:
            raise ValueError(f"{file}: only .csv and .parquet files have columns to choose from")
        return UserData(file, as_samples(file))
    numeric = table_columns(file)
    features = [name for name in numeric if numeric[name]]
    if columns is not None:
        features = choose_columns(list(numeric), columns, "--columns")
    dropped = choose_columns(list(numeric), drop, "--drop") if drop is not None else []
    features = [name for name in features if name not in dropped]
    if not features:
        raise ValueError(f"{file} has no numeric columns left to fit a model to")
    return _of_table(file, numeric, features)


def open_data_for(model: "FactorModel", file: Path) -> UserData:
    """The features of a fitted model in a file, by name where the model has feature names.

    Parameters
    ----------
    model : FactorModel
        The fitted model.
    file : Path
        Data with the same features.

    Raises
    ------
    ValueError
        If a feature is missing, or the number of features differs.
    """
    if file.suffix.lower() in _TABLES and hasattr(model, "feature_names_in_"):
        from minsyn.data import table_columns

        numeric = table_columns(file)
        features = list(model.feature_names_in_)
        missing = [name for name in features if name not in numeric]
        if missing:
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            raise ValueError(
                f"{file} lacks columns that the model was fitted to: {', '.join(missing[:5])}{more}"
            )
        return _of_table(file, numeric, features)
    data = open_data(file)
    if data.samples.n_features != model.n_features_in_:
        raise ValueError(
            f"{file} has {data.samples.n_features} features, the model was fitted to "
            f"{model.n_features_in_}"
        )
    return data


def _of_table(file: Path, numeric: dict[str, bool], features: list[str]) -> UserData:
    from minsyn.data import as_samples

    text = next((name for name in features if not numeric[name]), None)
    if text is not None:
        raise ValueError(f"{file}: column {text!r} is not numeric")
    return UserData(
        file,
        as_samples(file, features),
        tuple(name for name in numeric if not numeric[name]),
        tuple(name for name in numeric if numeric[name] and name not in features),
    )


def latents_by_block(
    model: "FactorModel", user_data: UserData
) -> Iterator[tuple["np.ndarray", "np.ndarray"]]:
    """Latents and features of all samples, block by block.

    Parameters
    ----------
    model : FactorModel
        The fitted model.
    user_data : UserData
        Data with the features of the model.

    Yields
    ------
    tuple of ndarray of shape (rows, n_components) and (rows, n_features)
        The next block may overwrite the features.
    """
    import pandas as pd

    names = getattr(model, "feature_names_in_", None)
    for block in user_data.samples.blocks():
        x = block if names is None else pd.DataFrame(block, columns=names, copy=False)
        yield model.transform(x), block


def pairwise_statistics(model: "FactorModel", user_data: UserData) -> "PairwiseStatistics":
    """Statistics of a model's latents and its features.

    Parameters
    ----------
    model : FactorModel
        The fitted model.
    user_data : UserData
        Data with the features of the model.
    """
    from minsyn.information import PairwiseStatistics

    blocks = latents_by_block(model, user_data)
    return reduce(
        PairwiseStatistics.merge, (PairwiseStatistics.of(z.astype(float), x) for z, x in blocks)
    )
