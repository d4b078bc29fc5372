"""Statistics are kept in float32 at least, whatever precision a model runs in."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

__all__ = ["at_least_single", "without_autocast"]


def at_least_single(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors in the one type that holds all of them, float32 or wider.

    Covariances are differences of sums: in float16 or bfloat16 little would be left of them.
    """
    dtype = torch.float32
    for tensor in tensors:
        dtype = torch.promote_types(dtype, tensor.dtype)
    return tuple(tensor.to(dtype) for tensor in tensors)


def without_autocast(tensor: Tensor) -> AbstractContextManager[object]:
    """A context in which products of tensors on this device keep their type."""
    device = tensor.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()
