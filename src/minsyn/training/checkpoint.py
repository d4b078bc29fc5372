"""Checkpoints of a training run: atomic, checked, without pickle."""

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from minsyn._atomic import write_atomically
from minsyn._version import __version__
from minsyn._warnings import warn

__all__ = ["CheckpointError", "CheckpointWarning", "Checkpoints"]

#: Raised by one whenever a reader of the older form could misread the newer.
_FORMAT_VERSION = 1
#: The last one may turn out damaged: the one before stays.
_KEPT = 2
#: Most differences that an error names.
_TOLD = 5


class CheckpointError(ValueError):
    """A checkpoint belongs to another run, or to another version of minsyn."""


class CheckpointWarning(UserWarning):
    """A checkpoint is damaged, and the one before it is used."""


class Checkpoints:
    """The last two checkpoints of a run, in a folder.

    A checkpoint is two files: ``epoch-N.safetensors`` with the tensors, then ``epoch-N.json`` with
    everything else and a SHA-256 of both, which makes it valid. A process that is killed at any
    moment leaves the ones before it untouched.

    Parameters
    ----------
    folder : str or Path
        Made where it is missing. One run, one folder.
    configuration : mapping
        What the run's numbers follow from, as JSON takes it: another run's checkpoints are refused.
    every : float, default=60.0
        Least seconds between two checkpoints; 0 asks for one after every epoch.
    """

    def __init__(
        self, folder: str | Path, configuration: Mapping[str, Any], every: float | int = 60.0
    ) -> None:
        self.folder = Path(folder)
        self.configuration = json.loads(json.dumps(configuration))
        self.every = every
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether the time for another has come."""
        return time.monotonic() - self._last >= self.every

    def write(self, epoch: int, record: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Write a checkpoint, then remove all but the last two.

        Parameters
        ----------
        epoch : int
            Number of epochs that are behind it.
        record : mapping
            Numbers, strings and lists of them.
        tensors : mapping
            Tensors by name.

        Raises
        ------
        OSError
            If the folder cannot be written; the checkpoints in it are still good.
        """
        # safetensors wants memory that no two tensors share.
        content = save_tensors({k: v.detach().cpu().clone() for k, v in tensors.items()})
        body = {"configuration": self.configuration, "epoch": epoch, "state": dict(record)}
        document = {
            "format": "minsyn checkpoint",
            "format_version": _FORMAT_VERSION,
            "minsyn_version": __version__,
            "sha256": _sha256(body, content),
            **body,
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"epoch-{epoch:08}.json"
        # The record comes last: tensors without one are of a write that was interrupted.
        write_atomically(file.with_suffix(".safetensors"), content)
        write_atomically(file, json.dumps(document) + "\n")
        # Later ones than this are damaged, or the run would have gone on from them.
        earlier = [record for record in self._records() if record <= file]
        kept = {record.stem for record in earlier[:_KEPT]}
        for pattern in ("epoch-*.json", "epoch-*.safetensors"):
            for old in self.folder.glob(pattern):
                if old.stem not in kept:
                    old.unlink()
        for part in self.folder.glob(".epoch-*.part"):
            part.unlink()
        self._last = time.monotonic()

    def latest(self) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
        """Record and tensors of the last checkpoint that is whole, or None.

        Warns
        -----
        CheckpointWarning
            Of each damaged checkpoint that is passed over.

        Raises
        ------
        CheckpointError
            If it is of another configuration, or of another format version.
        """
        for file in self._records():
            try:
                document, content = self._read(file)
                tensors = load_tensors(content)
            except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
                if isinstance(error, CheckpointError):
                    raise
                warn(
                    f"the checkpoint {file} is damaged ({error}); continuing from the one before "
                    "it, or from the start where there is none",
                    CheckpointWarning,
                )
                continue
            self._check_configuration(file, document["configuration"])
            return document["state"], tensors
        return None

    def _records(self) -> list[Path]:
        """Newest first."""
        return sorted(self.folder.glob("epoch-*.json"), reverse=True)

    def _read(self, file: Path) -> tuple[dict[str, Any], bytes]:
        document = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or document.get("format") != "minsyn checkpoint":
            raise ValueError("it does not describe a checkpoint")
        version = document.get("format_version")
        if version != _FORMAT_VERSION:
            raise CheckpointError(
                f"{file} has format version {version!r} (written by minsyn "
                f"{document.get('minsyn_version')}); this minsyn {__version__} reads version "
                f"{_FORMAT_VERSION}: go on with the version that wrote it, or empty the folder to "
                "start anew"
            )
        content = file.with_suffix(".safetensors").read_bytes()
        body = {name: document[name] for name in ("configuration", "epoch", "state")}
        if document["sha256"] != _sha256(body, content):
            raise ValueError("its SHA-256 is not the one that it was written with")
        return document, content

    def _check_configuration(self, file: Path, found: dict[str, Any]) -> None:
        if found == self.configuration:
            return
        differences = [
            f"{name} was {found.get(name)!r} and is {self.configuration.get(name)!r}"
            for name in sorted(found | self.configuration)
            if found.get(name) != self.configuration.get(name)
        ]
        raise CheckpointError(
            f"{file} is of another run: {'; '.join(differences[:_TOLD])}. Give this run a "
            "checkpoint_dir of its own, or restore what was changed"
        )


def _sha256(body: Mapping[str, Any], content: bytes) -> str:
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode())
    digest.update(content)
    return digest.hexdigest()
