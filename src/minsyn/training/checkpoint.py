"""Checkpoints of a training run: written atomically, with checksums, without pickle."""

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

#: Incremented whenever an older reader could misread a newer file.
_FORMAT_VERSION = 1
#: Number of checkpoints kept: the last one, and the one before in case the last is damaged.
_KEPT = 2
#: Maximum number of differences in an error message.
_TOLD = 5


class CheckpointError(ValueError):
    """A checkpoint belongs to another run, or to another version of minsyn."""


class CheckpointWarning(UserWarning):
    """A checkpoint is damaged, and the previous one is used."""


class Checkpoints:
    """The last two checkpoints of a run, in a folder.

    A checkpoint consists of two files. ``epoch-N.safetensors`` holds the tensors and is written
    first. ``epoch-N.json`` holds everything else, with a SHA-256 of both, and makes the checkpoint
    valid. If the process is killed during a write, earlier checkpoints remain intact.

    Parameters
    ----------
    folder : str or Path
        Folder for a single run, created if it does not exist.
    configuration : mapping
        Everything that determines the results of the run, as JSON values. Checkpoints with another
        configuration are rejected.
    every : float, default=60.0
        Minimum number of seconds between two checkpoints; 0 writes one after every epoch.
    """

    def __init__(
        self, folder: str | Path, configuration: Mapping[str, Any], every: float | int = 60.0
    ) -> None:
        self.folder = Path(folder)
        self.configuration = json.loads(json.dumps(configuration))
        self.every = every
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether it is time for the next checkpoint."""
        return time.monotonic() - self._last >= self.every

    def write(self, epoch: int, record: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Write a checkpoint, then remove all but the last two.

        Parameters
        ----------
        epoch : int
            Number of completed epochs.
        record : mapping
            Numbers and strings, and lists of them.
        tensors : mapping
            Tensors by name.

        Raises
        ------
        OSError
            If the folder cannot be written. Existing checkpoints remain intact.
        """
        # safetensors rejects tensors that share memory.
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
        # The record is written last: tensors without a record are from an interrupted write.
        write_atomically(file.with_suffix(".safetensors"), content)
        write_atomically(file, json.dumps(document) + "\n")
        # Checkpoints of later epochs are damaged: the run would have resumed from them otherwise.
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
        """Record and tensors of the last undamaged checkpoint, or None.

        Warns
        -----
        CheckpointWarning
            For each damaged checkpoint that is skipped.

        Raises
        ------
        CheckpointError
            If the checkpoint has another configuration or another format version.
        """
        for file in self._records():
            try:
                document, content = self._read(file)
                tensors = load_tensors(content)
            except (
                OSError,
                ValueError,
                KeyError,
                TypeError,
                RecursionError,
                SafetensorError,
            ) as error:
                if isinstance(error, CheckpointError):
                    raise
                warn(
                    f"the checkpoint {file} is damaged ({error}); resuming from the previous one, "
                    "or from the start if there is none",
                    CheckpointWarning,
                )
                continue
            self._check_configuration(file, document["configuration"])
            return document["state"], tensors
        return None

    def _records(self) -> list[Path]:
        """Record files, the newest first."""
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
                f"{_FORMAT_VERSION}: continue with the version that wrote it, or empty the folder "
                "to start again"
            )
        content = file.with_suffix(".safetensors").read_bytes()
        body = {name: document[name] for name in ("configuration", "epoch", "state")}
        if document["sha256"] != _sha256(body, content):
            raise ValueError("its SHA-256 checksum does not match")
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
            f"{file} belongs to another run: {'; '.join(differences[:_TOLD])}. Give this run its "
            "own checkpoint_dir, or undo the change"
        )


def _sha256(body: Mapping[str, Any], content: bytes) -> str:
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode())
    digest.update(content)
    return digest.hexdigest()
