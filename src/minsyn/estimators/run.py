"""Where and how a training run takes place: device, precision, checkpoints, loggers."""

from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions

from minsyn.training.fabric import Device, Precision, launch, n_processes

__all__ = ["Run"]


class Run(BaseEstimator):
    """Where a fit is trained, and what is kept of it on the way.

    None of this changes the model that is trained, but for the rounding of other devices and
    precisions.

    Parameters
    ----------
    device : {"cpu", "auto", "cuda", "mps"}, default="cpu"
        Device; "auto" takes a GPU where there is one. Small data are fastest, and results repeat to
        the bit, on the CPU. Started by `torchrun` or `fabric run`, all processes share each batch
        and train the same model.
    precision : str, default="32-true"
        Precision of training, as Lightning Fabric names it: "64-true", "bf16-mixed", "16-mixed"
        or "bf16-true".
    checkpoint_dir : str, Path or None, default=None
        Folder for checkpoints, with a subfolder for each start. An interrupted fit continues from
        there, to the same numbers, when it is called again with the same data and parameters.
    checkpoint_every : float, default=60.0
        Least seconds between checkpoints.
    loggers : list of lightning_fabric.loggers.Logger or None, default=None
        Loggers such as `TensorBoardLogger` or `CSVLogger`, which get loss and learning rate of
        every epoch.

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
        """Fabric of this device and precision, or None for plain torch.

        Raises
        ------
        ValueError
            If a parameter is invalid, or the device is not there.
        """
        self._validate_params()
        return launch(self.device, self.precision, self.loggers or ())

    def settings(
        self, number: int, n_starts: int, configuration: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Keywords of `minsyn.training.train` for one of several random starts.

        Parameters
        ----------
        number, n_starts : int
            Number of the start, from 1, and of all.
        configuration : mapping
            What the numbers follow from, as JSON values: another run's checkpoints are refused.
        """
        folder = self.checkpoint_dir
        return {
            "checkpoint_dir": None if folder is None else Path(folder, f"start-{number}"),
            "checkpoint_every": self.checkpoint_every,
            "configuration": {**configuration, "start": number},
            "name": f"start {number}/" if n_starts > 1 else "",
        }

    def beyond_one_step(self) -> list[str]:
        """Options set here that need a whole run: other than one process on the CPU."""
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
