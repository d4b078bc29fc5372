"""``minsyn transform``: factors of the samples in a file."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minsyn.commands._data import UserData, latents_by_block, open_data_for
from minsyn.commands._missing import check_missing, missing_share, share_of
from minsyn.commands._options import (
    Decimal,
    Encoding,
    Header,
    Missing,
    Separator,
    choose_columns,
    table_format,
)
from minsyn.commands._outputs import check_file
from minsyn.commands._provenance import Provenance
from minsyn.commands._reading import reading

if TYPE_CHECKING:
    import numpy as np
    from pandas import DataFrame

__all__ = ["transform"]

_OUTPUTS = (".csv", ".parquet", ".npy", ".npz")


def transform(
    model_folder: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Folder that `minsyn fit` made.")
    ],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Data with the same features, in a file that `minsyn fit` can read.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            help="File to write, in the format of its name: .csv, .parquet, .npy or .npz."
        ),
    ],
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="Columns to copy into the output: `--keep id date`, or `none`.",
            show_default="identifiers and columns that are not numeric",
        ),
    ] = None,
    sep: Separator = None,
    decimal: Decimal = None,
    encoding: Encoding = None,
    header: Header = None,
    missing: Missing = None,
) -> None:
    """Compute the factors of each sample.

    For example: minsyn transform model data.csv --output factors.csv
    """
    check_file(output, _OUTPUTS, read=data)
    if keep not in (None, ["none"]) and output.suffix.lower() == ".npy":
        raise ValueError("--keep has no effect on a .npy file, which holds numbers only")
    import numpy as np
    import pandas as pd

    from minsyn.data import column_statistics
    from minsyn.estimators import load_model

    layout = table_format(sep, decimal, encoding, header, missing)
    model = load_model(model_folder)
    made = Provenance.load(model_folder, model.components_.shape)
    layout = layout if made is None else made.layout_of(layout)
    with reading(data):
        user_data = open_data_for(model, data, layout)
        summary = user_data.statistics or column_statistics(user_data.samples, missing=True)
    check_missing(model, user_data, summary)
    for note in user_data.notes:
        typer.echo(note)
    kept = _kept(user_data, keep)
    names = [str(name) for name in model.get_feature_names_out()]
    with reading(data):
        z = np.concatenate([z for z, _ in latents_by_block(model, user_data)])
    carried = user_data.columns(kept) if kept else pd.DataFrame(index=range(len(z)))
    carried = carried.rename(columns={"Unnamed: 0": "index"})
    twice = next((name for name in names if name in carried.columns), None)
    if twice is not None:
        raise ValueError(f"{data}: column {twice!r} has the name of a factor; rename it")
    _write(carried, names, z, output)
    if kept and output.suffix.lower() == ".npy":
        typer.echo(f"not written, because a .npy file holds numbers only: {', '.join(kept)}")
    text = f"{output}: {len(z):,} samples, {len(names)} factor{'s' * (len(names) != 1)}"
    if summary.n_missing.any():
        share = share_of(missing_share(summary))
        text += (
            f"; {share} of the values are missing: there, factors are those expected from the "
            "other values"
        )
    typer.echo(text)


def _kept(user_data: UserData, keep: list[str] | None) -> list[str]:
    if keep is None:
        return list(user_data.carried)
    if keep == ["none"]:
        return []
    features = user_data.samples.feature_names or ()
    present = [*user_data.not_numbers, *user_data.left_out, *features]
    return choose_columns(present, keep, "--keep")


def _write(carried: "DataFrame", names: list[str], z: "np.ndarray", output: Path) -> None:
    import numpy as np
    import pandas as pd

    from minsyn._atomic import write_atomically

    suffix, buffer = output.suffix.lower(), BytesIO()
    frame = pd.concat([carried, pd.DataFrame(z, columns=names)], axis=1)
    if suffix == ".csv":
        frame.to_csv(buffer, index=False)
    elif suffix == ".parquet":
        try:
            frame.to_parquet(buffer, index=False, write_page_checksum=True)
        except ImportError as error:
            raise ImportError(f"{output}: parquet needs pip install 'minsyn[parquet]'") from error
    elif suffix == ".npy":
        np.save(buffer, z)
    else:
        columns = {
            str(name): np.asarray(
                carried[name].astype(str).to_numpy(np.str_)
                if carried[name].dtype.kind not in "fiub"
                else carried[name]
            )
            for name in carried.columns
        }
        arrays: dict[str, Any] = {**columns, "factors": z, "names": np.array(names)}
        np.savez(buffer, **arrays)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(output, buffer.getvalue())
