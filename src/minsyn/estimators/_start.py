"""One of the random starts of a fit: what it draws from, and where it trains."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from minsyn.training import TensorSamples

__all__ = ["Start"]

#: Told of each epoch's number, from 1, and loss.
OnEpoch = Callable[[int, float], None]


@dataclass(frozen=True)
class Start:
    """One of the random starts of a fit.

    Attributes
    ----------
    generator : torch.Generator
        For the initial module, and whatever training draws.
    on_epoch : callable
        Told of each epoch's number, from 1, and loss.
    fabric : Fabric or None
        Where to train.
    settings : dict
        Keywords for `minsyn.training.train`: Fabric, checkpoints, and names for loggers.
    """

    generator: torch.Generator
    on_epoch: OnEpoch
    fabric: Any
    settings: dict[str, Any]

    @property
    def alone_in_single_precision(self) -> bool:
        """Whether one process sees all samples, and products are of float32."""
        return self.fabric is None or (
            self.fabric.world_size == 1 and self.fabric.strategy.precision.precision == "32-true"
        )

    def samples(self, *arrays: Float[np.ndarray, "samples features"]) -> TensorSamples:
        """Training data on the device, so that no epoch moves them again."""
        tensors = [torch.from_numpy(array) for array in arrays]
        return TensorSamples(*(tensors if self.fabric is None else self.fabric.to_device(tensors)))
