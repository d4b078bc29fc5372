"""``minsyn transform``: the factors of the user's samples."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minsyn.commands._columns import choose_columns
from minsyn.commands._data import UserData, open_data_for

if TYPE_CHECKING:
    import numpy as np
    from pandas import DataFrame

    from minsyn import MinSyn

__all__ = ["transform"]

_OUTPUTS = (".csv", ".parquet", ".npy", ".npz")


def transform(
    model_folder: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Folder that `minsyn fit` made.")
    ],
    data: Annotated[Path, typer.Argument(help="Data of the same features: .csv, .parquet, ...")],
    output: Annotated[
        Path, typer.Option(help="File to write: .csv, .parquet, .npy or .npz, by its name.")
    ],
    keep: Annotated[
        list[str] | None,
        typer.Option(
            help="Columns of the data to carry over into the output: `--keep id date`; `none`.",
            show_default="those that are not numbers, and an index",
        ),
    ] = None,
) -> None:
    """Give the factors of each sample.

    For example: minsyn transform model data.csv --output factors.csv
    """
    if output.suffix.lower() not in _OUTPUTS:
        raise ValueError(f"--output {output}: expected a name ending in {', '.join(_OUTPUTS)}")
    import pandas as pd

    from minsyn import MinSyn

    model = MinSyn.load(model_folder)
    user_data = open_data_for(model, data)
    kept = _kept(user_data, keep)
    z = encode(model, user_data)
    names = [str(name) for name in model.get_feature_names_out()]
    carried = user_data.columns(kept) if kept else pd.DataFrame(index=range(len(z)))
    carried = carried.rename(columns={"Unnamed: 0": "index"})
    twice = next((name for name in names if name in carried.columns), None)
    if twice is not None:
        raise ValueError(f"{data}: column {twice!r} has a factor's name; rename it")
    _write(carried, names, z, output)
    if kept and output.suffix.lower() == ".npy":
        typer.echo(f"A .npy file holds no columns of text; not written: {', '.join(kept)}")
    typer.echo(f"{output}: {len(z):,} samples, {len(names)} factors")


def encode(model: "MinSyn", user_data: UserData) -> "np.ndarray":
    """Latents of all samples, a block at a time."""
    import numpy as np

    parts = [transform_block(model, block) for block in user_data.samples.blocks()]
    return np.concatenate(parts)


def transform_block(model: "MinSyn", block: "np.ndarray") -> "np.ndarray":
    """Latents of a block, under the names that the model knows its features by."""
    import pandas as pd

    if not hasattr(model, "feature_names_in_"):
        return model.transform(block)
    return model.transform(pd.DataFrame(block, columns=model.feature_names_in_, copy=False))


def _kept(user_data: UserData, keep: list[str] | None) -> list[str]:
    if keep is None:
        return list(user_data.not_numbers)
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
            frame.to_parquet(buffer, index=False)
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
