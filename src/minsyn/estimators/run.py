"""Options of a training run: device, precision, checkpoints and loggers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from minsyn._locks import locked
from minsyn.training.fabric import Device, Precision, launch, n_processes
from minsyn.training.worker import Worker

__all__ = ["Run"]


class Run(BaseEstimator):
    """Device, precision, checkpoints and loggers of a fit.

    These options do not change the fitted model, except for rounding errors on other devices and
    at other precisions.

    Parameters
    ----------
    device : {"cpu", "auto", "cuda", "mps"}, default="cpu"
        Device. "auto" selects a GPU if there is one. The CPU is fastest for small data, and its
        results are exactly reproducible. Processes started by `torchrun` or `fabric run` share each
        batch and train the same model.
    precision : str, default="32-true"
        Precision of training, as in Lightning Fabric: "32-true", "64-true", "bf16-mixed",
        "16-mixed" or "bf16-true".
    checkpoint_dir : str, Path or None, default=None
        Folder for checkpoints, with a subfolder for each start. To resume an interrupted fit, call
        it again with the same data and parameters. The results are the same as without the
        interruption.
    checkpoint_every : float, default=60.0
        Minimum number of seconds between checkpoints.
    loggers : list of lightning_fabric.loggers.Logger or None, default=None
        Loggers of the loss and learning rate of every epoch, such as `TensorBoardLogger` or
        `CSVLogger`.

    Examples
    --------
    >>> from minsyn import Adam, MinSyn
    >>> model = MinSyn(2, solver=Adam(run=Run(precision="64-true")))
    >>> model.get_params()["solver__run__precision"]
    '64-true'
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "device": [StrOptions({"auto", "cpu", "cuda", "mps"})],
        "precision": [StrOptions({"32-true", "64-true", "16-mixed", "bf16-mixed", "bf16-true"})],
        "checkpoint_dir": [str, Path, None],
        "checkpoint_every": [Interval(Real, 0, None, closed="left")],
        "loggers": [list, tuple, None],
    }

    def __init__(
        self,
        device: Device = "cpu",
        precision: Precision = "32-true",
        checkpoint_dir: str | Path | None = None,
        checkpoint_every: float | int = 60.0,
        loggers: Sequence[Any] | None = None,
    ) -> None:
        self.device = device
        self.precision = precision
        self.checkpoint_dir = checkpoint_dir
        self.checkpoint_every = checkpoint_every
        self.loggers = loggers

    def launch(self) -> Any:
        """Launch a Fabric with this device and precision, or return None for plain torch.

        Raises
        ------
        ValueError
            If a parameter is invalid, or the device is not available.
        """
        self._validate_params()
        return launch(self.device, self.precision, self.loggers or ())

    @contextmanager
    def alone(self, worker: Worker) -> Iterator[None]:
        """Keep other runs out of ``checkpoint_dir``, if there is one.

        Parameters
        ----------
        worker : Worker
            This process. Every rank must call this.

        Raises
        ------
        FolderInUseError
            If another run writes its checkpoints there.
        """
        with ExitStack() as stack:
            if self.checkpoint_dir is not None:
                folder = Path(self.checkpoint_dir)
                cure = "give this run its own checkpoint_dir, or wait"

                def lock() -> None:
                    stack.enter_context(locked(folder, cure=cure))

                worker.on_rank_zero(lock)
            yield

    def settings(
        self, number: int, n_starts: int, configuration: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Keywords of `minsyn.training.train` for one of several random starts.

        Parameters
        ----------
        number, n_starts : int
            Index of the start, from 1, and the number of starts.
        configuration : mapping
            Settings that determine the results, as JSON values. Checkpoints with other settings
            are rejected.
        """
        folder = self.checkpoint_dir
        return {
            "checkpoint_dir": None if folder is None else Path(folder, f"start-{number}"),
            "checkpoint_every": self.checkpoint_every,
            "configuration": {**configuration, "start": number},
            "name": f"start {number}/" if n_starts > 1 else "",
        }

    def beyond_one_step(self) -> list[str]:
        """Options that need a complete run, and are not supported by `MinSyn.partial_fit`."""
        asked = []
        if self.device in ("cuda", "mps"):
            asked.append(f"device={self.device!r}")
        if self.precision != "32-true":
            asked.append(f"precision={self.precision!r}")
        if self.checkpoint_dir is not None:
            asked.append("checkpoint_dir")
        if self.loggers:
            asked.append("loggers")
        if n_processes() > 1:
            asked.append(f"{n_processes()} processes")
        return asked
