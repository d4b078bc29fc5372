"""The user's data for a command: features to learn from, and columns that only say what is what."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from minsyn.commands._columns import choose_columns

if TYPE_CHECKING:
    from pandas import DataFrame

    from minsyn import MinSyn
    from minsyn.data import SampleStream

__all__ = ["UserData", "open_data", "open_data_for"]

_TABLES = (".csv", ".parquet")


@dataclass(frozen=True)
class UserData:
    """Samples of a file, and the names of its columns that are no features.

    Attributes
    ----------
    file : Path
        Where they come from.
    samples : SampleStream
        The features.
    not_numbers : tuple of str
        Columns of text, dates and the like, and a stored index.
    left_out : tuple of str
        Columns of numbers that were not chosen.
    """

    file: Path
    samples: "SampleStream"
    not_numbers: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def columns(self, names: Sequence[str]) -> "DataFrame":
        """Columns of the table as they stand in it.

        Parameters
        ----------
        names : sequence of str
            Which.
        """
        import pandas as pd

        if self.file.suffix.lower() == ".csv":
            return pd.read_csv(self.file, usecols=list(names))[list(names)]
        import pyarrow.parquet as pq

        return pq.read_table(self.file, columns=list(names)).to_pandas(ignore_metadata=True)


def open_data(
    file: Path, columns: list[str] | None = None, drop: list[str] | None = None
) -> UserData:
    """Features of a ``.csv``, ``.parquet``, ``.npy`` or ``.npz`` file.

    Parameters
    ----------
    file : Path
        The file.
    columns : list of str, optional
        Features; by default all columns of numbers.
    drop : list of str, optional
        Columns that are no features.

    Raises
    ------
    ValueError
        If there is no such column, none is left, or the file is no table of numbers.
    """
    from minsyn.data import as_samples
    from minsyn.data.tables import table_columns

    if file.suffix.lower() not in _TABLES or not file.is_file():
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
        raise ValueError(f"{file} has no column of numbers left to learn from")
    return UserData(
        file,
        as_samples(file, features),
        tuple(name for name in numeric if not numeric[name] and name not in features),
        tuple(name for name in numeric if numeric[name] and name not in features),
    )


def open_data_for(model: "MinSyn", file: Path) -> UserData:
    """The features that a model was fitted to, by their names where it knows them.

    Parameters
    ----------
    model : MinSyn
        The fitted model.
    file : Path
        Other data of the same features.

    Raises
    ------
    ValueError
        If a feature is missing, or the number of features is another.
    """
    columns = None
    if file.suffix.lower() in _TABLES and hasattr(model, "feature_names_in_") and file.is_file():
        from minsyn.data.tables import table_columns

        columns = list(model.feature_names_in_)
        present = table_columns(file)
        missing = [name for name in columns if name not in present]
        if missing:
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            raise ValueError(
                f"{file} lacks columns that the model was fitted to: {', '.join(missing[:5])}{more}"
            )
    data = open_data(file, columns)
    if data.samples.n_features != model.n_features_in_:
        raise ValueError(
            f"{file} has {data.samples.n_features} features, the model was fitted to "
            f"{model.n_features_in_}"
        )
    return data
