r"""Pairwise statistics over all processes of `torch.distributed`, with gradients.

Each of ``world`` ranks holds a share of a batch. `statistics_over_ranks` returns the statistics of
the whole batch on every rank, and its gradients reach the samples of all ranks.
`torch.nn.parallel.DistributedDataParallel` and Lightning Fabric then average gradients over the
ranks. The result is the gradient of :math:`\frac{1}{world} \sum_r L_r`, where :math:`L_r` is the
loss on rank r. This average is the loss of the whole batch in these cases:

- The loss is a mean over a rank's samples, and all shares are equal.
- The loss is a mean over a rank's samples, multiplied by `share_of_batch`, which is
  ``n_rank * world / n_batch``. The shares may be unequal.
- The loss depends on the statistics alone. It is then the same on every rank.

`minsyn.nn.Decoder.loss` always satisfies one of the last two.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor

from minsyn.information.statistics import PairwiseStatistics

__all__ = ["share_of_batch", "statistics_over_ranks", "world_size"]


def world_size() -> int:
    """Number of processes that share a batch; 1 if `torch.distributed` is not in use."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def share_of_batch(z: Float[Tensor, "samples latents"]) -> float:
    """Factor for a mean over this rank's samples, before the average over the ranks.

    Every rank must call this. If the first of two ranks has three samples and the second has one,
    the factors are 1.5 and 0.5.

    Parameters
    ----------
    z : Tensor of shape (n_samples, n_latents)
        Latents of this rank's samples, or any tensor with as many rows.

    Returns
    -------
    float
        ``n_samples * world / n_batch``. Its average over the ranks is 1.

    Examples
    --------
    >>> import torch
    >>> share_of_batch(torch.zeros(10, 2))  # one process has it all
    1.0
    """
    if world_size() == 1:
        return 1.0
    total = torch.tensor(len(z), device=z.device)
    dist.all_reduce(total)
    return len(z) * world_size() / int(total)


def statistics_over_ranks(
    z: Float[Tensor, "samples latents"], x: Float[Tensor, "samples features"]
) -> PairwiseStatistics:
    """Statistics of the samples of all ranks, the same on every rank, with gradients.

    There are two all-reductions: the first sums the means, the second sums second moments about
    the common mean. This keeps full precision for large means. Every rank must call this, and
    every rank must run backward through the result if any rank does.

    Parameters
    ----------
    z : Tensor of shape (n_samples, n_latents)
        Latents of this rank's samples.
    x : Tensor of shape (n_samples, n_features)
        Observations of this rank's samples. The number of samples may differ between ranks, and
        may be 0.

    Returns
    -------
    PairwiseStatistics
        Statistics, with a weight equal to the number of samples of all ranks.

    Examples
    --------
    >>> import torch
    >>> statistics_over_ranks(torch.randn(10, 2), torch.randn(10, 3)).weight
    10.0
    """
    if world_size() == 1:
        return PairwiseStatistics.of(z, x)
    own = PairwiseStatistics.of(z, x) if len(z) else _of_nothing(z, x)
    n = own.mean_z.new_tensor([own.weight])
    weight, sum_z, sum_x = _sum_over_ranks([n, n * own.mean_z, n * own.mean_x])
    if weight == 0:
        raise ValueError("no rank has any samples: z and x must have at least one")
    mean_z, mean_x = sum_z / weight, sum_x / weight
    share = own.weight / weight
    shift_z, shift_x = own.mean_z - mean_z, own.mean_x - mean_x
    cov_zz, cov_zx, var_x = _sum_over_ranks(
        [
            share * (own.cov_zz + torch.outer(shift_z, shift_z)),
            share * (own.cov_zx + torch.outer(shift_z, shift_x)),
            share * (own.var_x + shift_x * shift_x),
        ]
    )
    return PairwiseStatistics(weight.item(), mean_z, mean_x, cov_zz, cov_zx, var_x)


def _of_nothing(
    z: Float[Tensor, "0 latents"], x: Float[Tensor, "0 features"]
) -> PairwiseStatistics:
    """Zeros that depend on z and x, so that this rank takes part in the backward pass."""
    return PairwiseStatistics(0.0, z.sum(dim=0), x.sum(dim=0), z.T @ z, z.T @ x, (x * x).sum(dim=0))


def _sum_over_ranks(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Sums over the ranks of several tensors, in one message."""
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    summed: Tensor = _AllReduce.apply(flat)  # type: ignore[no-untyped-call]
    parts = summed.split([tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


class _AllReduce(torch.autograd.Function):
    """Sum over the ranks. The loss of every rank depends on it, so gradients are summed too."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        summed: Tensor = _AllReduce.apply(grad_outputs[0])  # type: ignore[no-untyped-call]
        return summed
