"""Folder of a run: finished cells on disk, each whole or absent."""

import hashlib
import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from minsyn._atomic import write_atomically
from minsyn.benchmark.cell import CellResult
from minsyn.benchmark.grid import CellGrid

__all__ = ["SettingsMismatchError", "Store"]

_ARRAYS = ("maps", "train_rows", "test_rows", "train_examples", "test_examples")
#: Arrays that not every cell has.
_SOME_ARRAYS = ("latents", "weights", "bias")
#: Packages whose versions decide a cell's last digits.
_RECORDED = ("numpy", "scipy", "scikit-learn", "torch")


class SettingsMismatchError(ValueError):
    """The folder holds an experiment with other settings."""


class Store:
    """Finished cells in a folder, so that an interrupted run can be resumed.

    ``experiment.json`` holds the settings that all cells share, ``cells/`` two files for each
    cell: ``<method>-<draw>.npz`` with the arrays, written first, and ``<method>-<draw>.json`` with
    the scores and the arrays' checksum, whose presence makes the cell count. More methods or more
    draws with the same settings add to what is there.

    Parameters
    ----------
    folder : str or path
        Made if it does not exist.
    experiment : CellGrid
        Whose settings the folder must have, if it has any.
    overwrite : bool, default=False
        Whether to discard the cells and the settings that are in the folder.

    Raises
    ------
    SettingsMismatchError
        The folder holds an experiment with other settings.
    ValueError
        The folder's record of its settings cannot be read.
    OSError
        The folder cannot be made or written to.

    Examples
    --------
    >>> import tempfile
    >>> from minsyn.benchmark import Experiment, Store, find_methods
    >>> from minsyn.datasets import load_letters
    >>> experiment = Experiment(load_letters("typewriter"), find_methods(["pca"]), draws=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Store(folder, experiment).results()
    []
    """

    def __init__(
        self, folder: str | os.PathLike[str], experiment: CellGrid, *, overwrite: bool = False
    ) -> None:
        self.folder = Path(folder)
        self.settings = experiment.settings()
        #: Messages for the user about cells that are damaged and have to be run again.
        self.notes: list[str] = []
        self._cells = self.folder / "cells"
        self._failures = self.folder / "failures"
        try:
            self._cells.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise type(error)(
                error.errno,
                f"output: cannot make this folder ({error.strerror}); choose another",
                str(self.folder),
            ) from error
        if overwrite:
            self._discard()
        self._agree()

    def results(self) -> list[CellResult]:
        """All finished cells, of whatever method and draw.

        Cells that are damaged, half-written or of other settings do not count, and `notes` says
        which.

        Returns
        -------
        list of CellResult
            In the order of their file names.
        """
        self.notes.clear()
        results = []
        for path in sorted(self._cells.glob("*.json")):
            try:
                results.append(self._read(path))
            except (OSError, ValueError, KeyError, TypeError) as error:
                self.notes.append(
                    f"{path.name} is damaged ({error or type(error).__name__}): the cell is run "
                    "again if it is asked for"
                )
        return results

    def add(self, result: CellResult) -> None:
        """Write a finished cell.

        Parameters
        ----------
        result : CellResult
            Takes the place of the same cell.

        Raises
        ------
        OSError
            The disk is full or the folder not writable; other cells are kept.
        """
        name = f"{result.method}-{result.draw}"
        buffer = io.BytesIO()
        named = {key: getattr(result, key) for key in (*_ARRAYS, *_SOME_ARRAYS)}
        some = {key: value for key, value in named.items() if value is not None}
        np.savez_compressed(buffer, allow_pickle=False, **some)
        arrays = buffer.getvalue()
        scores = {key: value for key, value in asdict(result).items() if key not in named}
        record = {
            "scores": scores,
            "arrays_sha256": hashlib.sha256(arrays).hexdigest(),
            "settings": self.settings,
            "versions": {package: version(package) for package in _RECORDED},
        }
        write_atomically(self._cells / f"{name}.npz", arrays)
        write_atomically(self._cells / f"{name}.json", _json(record))
        (self._failures / f"{name}.txt").unlink(missing_ok=True)

    def add_failure(self, method: str, draw: int, traceback: str) -> Path:
        """Keep the traceback of a cell that failed; the cell does not count as finished.

        Parameters
        ----------
        method : str
            Key of the method.
        draw : int
            Number of the draw.
        traceback : str
            Text to keep.

        Returns
        -------
        Path
            Of the text.
        """
        self._failures.mkdir(exist_ok=True)
        path = self._failures / f"{method}-{draw}.txt"
        write_atomically(path, traceback)
        return path

    def _read(self, path: Path) -> CellResult:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["settings"] != self.settings:
            raise ValueError("it belongs to an experiment with other settings")
        content = path.with_suffix(".npz").read_bytes()
        if hashlib.sha256(content).hexdigest() != record["arrays_sha256"]:
            raise ValueError("its arrays do not have the checksum they were written with")
        scores = record["scores"]
        if path.stem != f"{scores['method']}-{scores['draw']}":
            raise ValueError("its name is not that of its content")
        unknown = scores.keys() - {field.name for field in fields(CellResult)}
        if unknown:
            raise ValueError(f"it has unknown scores {', '.join(sorted(unknown))}")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return CellResult(
                **{**scores, "warnings": tuple(scores["warnings"])},
                **{key: arrays[key] for key in _ARRAYS},
                **{key: arrays[key] for key in _SOME_ARRAYS if key in arrays},
            )

    def _agree(self) -> None:
        """Record the settings, or see that those on record are the same."""
        path = self.folder / "experiment.json"
        if not path.exists():
            write_atomically(path, _json(self.settings))
            return
        try:
            recorded = json.loads(path.read_text(encoding="utf-8"))
            difference = _difference(recorded, self.settings)
        except (ValueError, AttributeError) as error:
            raise ValueError(
                f"output: {path} is damaged ({error}); choose another output "
                "folder (--output), or discard what is there (--overwrite)"
            ) from error
        if difference:
            raise SettingsMismatchError(
                f"output: {self.folder} holds an experiment with other settings: {difference}. "
                "Choose another output folder (--output), or discard what is there (--overwrite)"
            )

    def _discard(self) -> None:
        """Remove what a store writes, and nothing else."""
        for pattern in ("cells/*.json", "cells/*.npz", "failures/*.txt", "experiment.json"):
            for path in self.folder.glob(pattern):
                path.unlink()


def _difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Say which settings differ; digests only where the names they stand for agree."""
    changes = []
    for key in dict.fromkeys([*here, *there]):
        old, new = there.get(key), here.get(key)
        if old == new:
            continue
        stem, is_digest, _ = key.partition("_sha256")
        if not is_digest:
            changes.append(f"{key} is {old!r} there and {new!r} here")
        elif there.get(stem) == here.get(stem):
            changes.append(f"{stem} has the same name ({here.get(stem)!r}) but other content")
    return "; ".join(changes)


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"
