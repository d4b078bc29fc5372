"""Device, precision and processes of a training run, through Lightning Fabric."""

import atexit
import logging
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import torch

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["Device", "Precision", "launch", "n_processes"]

Device = Literal["auto", "cpu", "cuda", "mps"]
#: Not "16-true": squares of gradients and Adam's epsilon underflow in float16.
Precision = Literal["32-true", "64-true", "16-mixed", "bf16-mixed", "bf16-true"]

#: Environment variables that `torchrun` and `fabric run` set in each process.
_PLACE = ("WORLD_SIZE", "RANK", "LOCAL_RANK")


def n_processes() -> int:
    """Number of processes started by `torchrun` or `fabric run`, or 1 without them.

    Examples
    --------
    >>> n_processes()
    1
    """
    return int(os.environ["WORLD_SIZE"]) if all(name in os.environ for name in _PLACE) else 1


def launch(
    device: Device = "auto", precision: Precision = "32-true", loggers: Sequence[Any] = ()
) -> "Fabric | None":
    """Launch a Fabric on a device, connected with the other processes of a `torchrun`.

    A single process in single precision on the CPU needs no Fabric. The result is then None, which
    saves the import of Fabric; this takes longer than many fits. Options of `fabric run` take
    precedence over the arguments.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda", "mps"}, default="auto"
        Device. "auto" selects a GPU if torch finds one. With CUDA each process has its own GPU.
    precision : str, default="32-true"
        Precision of parameters and products, as in Fabric: "32-true", "64-true", "bf16-mixed", ...
        The statistics of a decoder are in single precision at least.
    loggers : sequence of lightning_fabric.loggers.Logger, optional
        Loggers that `train` reports to after every epoch.

    Returns
    -------
    Fabric or None
        The launched Fabric. Communication between several processes is set up (gloo on the CPU,
        NCCL on GPUs).

    Raises
    ------
    ValueError
        If the device is not available, cannot be shared by processes, or is unknown.

    Examples
    --------
    >>> launch("cpu") is None
    True
    """
    accelerator = _checked(device)
    n = n_processes()
    through_cli = os.environ.get("LT_CLI_USED") == "1"  # set by `fabric run`
    if (
        n == 1
        and accelerator == "cpu"
        and precision == "32-true"
        and not loggers
        and not through_cli
    ):
        return None
    if n > 1 and accelerator == "mps":
        raise ValueError(
            f"device='mps' is one device and cannot be shared by {n} processes: start one process, "
            "or choose device='cpu'"
        )

    known = "lightning_fabric" in sys.modules
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment

    if not known:  # users who import Fabric themselves keep its messages on the console
        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    per_node = int(os.environ.get("LOCAL_WORLD_SIZE", n)) if n > 1 else 1
    settings: dict[str, Any] = {
        "accelerator": accelerator,
        "strategy": "ddp" if n > 1 else "auto",
        "devices": per_node,
        "num_nodes": n // per_node,
        "precision": precision,
    }
    if through_cli:
        settings = {k: v for k, v in settings.items() if f"LT_{k.upper()}" not in os.environ}
    environment = TorchElasticEnvironment() if n > 1 else LightningEnvironment()
    fabric = Fabric(**settings, plugins=[environment], loggers=list(loggers))
    if not through_cli:  # `fabric run` has launched already
        fabric.launch()
    if n > 1:
        atexit.unregister(_leave_group)  # so that it is registered once
        atexit.register(_leave_group)
    return fabric


def _leave_group() -> None:
    """Leave the group of processes, whose threads could otherwise abort this one as it ends."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _checked(device: str) -> str:
    """Resolve "auto", and raise a ValueError if the device is not available."""
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if device == "auto":
        return next(name for name, there in available.items() if there)
    if not available.get(device, False):
        there = ", ".join(repr(name) for name in available if available[name])
        raise ValueError(
            f"device={device!r} is not available: torch finds {there} on this machine. Choose one "
            "of these, or 'auto'"
        )
    return device
