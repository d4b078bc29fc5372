"""Precision of statistics: float32 or wider, in a model of any precision."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

__all__ = ["at_least_single", "without_autocast"]


def at_least_single(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Convert tensors to their common type, float32 or wider.

    Covariances are differences of sums, and lose most of their digits in float16 or bfloat16.
    """
    dtype = torch.float32
    for tensor in tensors:
        dtype = torch.promote_types(dtype, tensor.dtype)
    return tuple(tensor.to(dtype) for tensor in tensors)


def without_autocast(tensor: Tensor) -> AbstractContextManager[object]:
    """Context without autocast: products of tensors on this device keep their type."""
    device = tensor.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.autocast(device, enabled=False)
    return nullcontext()
