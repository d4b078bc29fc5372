"""Folders of fitted models: where they go, and that none is lost there."""

import os
import shutil
import time
from contextlib import suppress
from glob import escape
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from minsyn._locks import locked
from minsyn.commands._outputs import check_parent

if TYPE_CHECKING:
    from minsyn.commands._provenance import Provenance
    from minsyn.estimators.factor_model import FactorModel

__all__ = ["check_model_folder", "default_folder", "save_model"]

_RECORD = "model.json"
#: Seconds after which a folder that is being written has been left by a process that was killed.
_ABANDONED = 600.0
#: Endings of compressed files, before which another ending stands.
_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")


def default_folder(data: Path) -> Path:
    """Folder of a model that is named after its data, in the current folder.

    Parameters
    ----------
    data : Path
        File of the data.

    Examples
    --------
    >>> default_folder(Path("study/answers.2024.csv.gz")).name
    'answers.2024-model'
    """
    name = data.name
    if data.suffix.lower() in _PACKED:
        name = data.stem
    return Path(f"{Path(name).stem}-model")


def check_model_folder(folder: Path, *, overwrite: bool) -> None:
    """Raise an error if a model cannot be saved in a folder.

    Parameters
    ----------
    folder : Path
        The folder, which need not exist.
    overwrite : bool
        Whether a model in it may be replaced.

    Raises
    ------
    ValueError
        If there is a model already, the folder holds other things, or it is a file.
    OSError
        If it can be neither written nor made.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--output {folder}: a model is a folder, and this is a file")
    if (folder / _RECORD).is_file():
        if not overwrite:
            raise ValueError(
                f"{folder} holds a model already: --overwrite replaces it, --output names another "
                "folder"
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise ValueError(f"--output {folder}: this folder holds files other than a model")
    check_parent(folder / _RECORD)


def save_model(model: "FactorModel", made: "Provenance", folder: Path, *, overwrite: bool) -> None:
    """Save a model and the record of its fit, both or neither.

    Whenever the process ends, the folder holds the old model or the new one, each with the record
    of its own fit.

    Parameters
    ----------
    model : FactorModel
        The fitted model.
    made : Provenance
        The record of its fit.
    folder : Path
        The folder that `check_model_folder` allowed before the fit.
    overwrite : bool
        Whether a model in it may be replaced.

    Raises
    ------
    ValueError
        If another run saved a model there in the meantime. This one is then saved beside it.
    OSError
        If the folder cannot be written.
    """
    from minsyn.estimators.persistence import remove_other_arrays

    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        model.save(part)
        made.save(part)
        if overwrite and folder.is_dir():
            with locked(folder, wait=True, cure="wait for it"):
                # All files but the model's record have names of their own, and it comes last.
                for file in sorted(part.iterdir(), key=lambda file: file.name == _RECORD):
                    file.replace(folder / file.name)
                remove_other_arrays(folder)
                made.remove_others(folder)
            return
        beside = _moved(part, folder)
        if beside != folder:
            raise ValueError(
                f"another run saved a model in {folder} in the meantime; this one is in {beside}"
            )
    except OSError as error:
        if str(error.filename).startswith(str(part)):  # a name that the user has not given
            raise type(error)(error.errno, error.strerror, str(folder)) from error
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
        _remove_abandoned(folder)


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed processes have left beside a folder."""
    for part in folder.parent.glob(f".{escape(folder.name)}.*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _ABANDONED:
                shutil.rmtree(part, ignore_errors=True)


def _moved(part: Path, folder: Path) -> Path:
    """Give a folder its name, or the first free one like it."""
    for number in count(1):
        name = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        try:
            if name.is_dir():
                name.rmdir()  # only if it is empty
            part.rename(name)
        except OSError:
            if not name.exists():
                raise
        else:
            return name
    raise AssertionError
