r"""Pairwise statistics over all processes of `torch.distributed`, with gradients.

Each of ``world`` ranks holds a share of a batch. `statistics_over_ranks` gives every rank the
statistics of the whole batch, and sends gradients back to the samples of all ranks. A gradient that
is then averaged over the ranks, as `torch.nn.parallel.DistributedDataParallel` and Lightning Fabric
do, is that of :math:`\frac{1}{world} \sum_r L_r` for the ranks' losses :math:`L_r`:

- Equal shares and losses that are means over a rank's samples: the mean over the whole batch, so
  that the ranks together take the step that one process would.
- Unequal shares: a mean over a rank's samples must be multiplied with
  ``n_rank * world / n_batch``, which is `share_of_batch`.
- A loss of the statistics alone is that of the whole batch on every rank, whatever the shares.

`minsyn.nn.Decoder.loss` does the last two by itself.
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
    """Number of processes that work on one batch; 1 where `torch.distributed` is not in use."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def share_of_batch(z: Float[Tensor, "samples latents"]) -> float:
    """What a mean over this rank's samples is multiplied with, so that ranks may be averaged.

    To be called by every rank. Where one rank has three samples and another one, it is 1.5 on the
    first and 0.5 on the second.

    Parameters
    ----------
    z : Tensor of shape (n_samples, n_latents)
        Latents of this rank's samples, or anything else with as many rows.

    Returns
    -------
    float
        ``n_samples * world / n_batch``; the shares of all ranks are 1 on average.

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
    """Statistics of the samples of all ranks together, the same on each, with gradients.

    Means are summed first and second moments about the common mean after that, in two
    all-reductions, so that nothing is lost to large means. Every rank must call this, and every
    rank must run backward through the result if any does.

    Parameters
    ----------
    z : Tensor of shape (n_samples, n_latents)
        Latents of this rank's samples.
    x : Tensor of shape (n_samples, n_features)
        Their observations. Ranks may have different numbers of samples, and some none.

    Returns
    -------
    PairwiseStatistics
        Its weight is the number of samples of all ranks. In one process, those of ``z`` and ``x``.

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
        raise ValueError("no rank has any samples: z and x must hold at least one")
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
    """Zeros that hang on z and x, so that this rank takes part in the backward pass."""
    return PairwiseStatistics(0.0, z.sum(dim=0), x.sum(dim=0), z.T @ z, z.T @ x, (x * x).sum(dim=0))


def _sum_over_ranks(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Sums over the ranks of several tensors, in one message."""
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    parts = _AllReduce.apply(flat).split([tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


class _AllReduce(torch.autograd.Function):
    """Sum over ranks. All ranks' losses depend on it, so its gradient is theirs, summed."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        return _AllReduce.apply(grad_outputs[0])
