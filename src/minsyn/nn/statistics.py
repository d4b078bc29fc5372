"""A moving average of pairwise statistics, kept in a module's buffers."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from minsyn.information._options import number
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["RunningStatistics"]

_MOMENTS = ("mean_z", "mean_x", "cov_zz", "cov_zx", "var_x")


class RunningStatistics(nn.Module):
    """Moving average of the pairwise statistics of latents and observations.

    The statistics are averaged, not the weights of a decoder. The first ``1 / momentum`` batches
    have equal weights, so the average does not depend on an initial value. In a half-precision
    model the average stays in float32.

    Parameters
    ----------
    n_latents, n_features : int
        Numbers of latents and of observed variables.
    momentum : float, default=0.1
        Weight of a new batch, in (0, 1].

    Examples
    --------
    >>> import torch
    >>> from minsyn.information import PairwiseStatistics
    >>> running = RunningStatistics(2, 3)
    >>> z, x = torch.randn(10, 2), torch.randn(10, 3)
    >>> running.update(PairwiseStatistics.of(z, x))
    >>> torch.allclose(running.statistics().rho, PairwiseStatistics.of(z, x).rho)
    True
    """

    n_batches: Tensor

    def __init__(self, n_latents: int, n_features: int, momentum: float = 0.1) -> None:
        super().__init__()
        if not 0 < number(momentum, "momentum") <= 1:
            raise ValueError(f"momentum must be in (0, 1], found {momentum}")
        self.n_latents = n_latents
        self.n_features = n_features
        self.momentum = momentum
        self.register_buffer("n_batches", torch.zeros((), dtype=torch.long))
        for name, shape in zip(
            _MOMENTS,
            [
                (n_latents,),
                (n_features,),
                (n_latents, n_latents),
                (n_latents, n_features),
                (n_features,),
            ],
            strict=True,
        ):
            self.register_buffer(name, torch.zeros(shape))

    @torch.no_grad()
    def update(self, batch: PairwiseStatistics) -> None:
        """Add the statistics of one batch to the average."""
        self.n_batches += 1
        eta = max(self.momentum, 1 / int(self.n_batches))
        merged = self._average().weighted(1 - eta).merge(batch.weighted(eta))
        for name in _MOMENTS:
            getattr(self, name).copy_(getattr(merged, name))

    @torch.no_grad()
    def load(self, statistics: PairwiseStatistics) -> None:
        """Set the average to ``statistics``, with the weight of ``1 / momentum`` batches."""
        for name in _MOMENTS:
            getattr(self, name).copy_(getattr(statistics, name))
        self.n_batches.fill_(int(1 / self.momentum))

    def statistics(self) -> PairwiseStatistics:
        """Return a copy of the current average.

        Raises
        ------
        RuntimeError
            If no batch has been seen.
        """
        if self.n_batches == 0:
            raise RuntimeError(
                "the decoder has seen no data: call it in training mode with (z, x) first"
            )
        return PairwiseStatistics(1.0, *(getattr(self, name).clone() for name in _MOMENTS))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        def in_float32_at_least(buffer: Tensor) -> Tensor:
            moved = fn(buffer)
            return buffer.to(moved.device) if moved.dtype.itemsize < 4 else moved

        applied: nn.Module = super()._apply(in_float32_at_least, recurse)  # type: ignore[no-untyped-call]
        return applied

    def extra_repr(self) -> str:
        """Sizes and momentum, as `print` shows them."""
        return f"n_latents={self.n_latents}, n_features={self.n_features}, momentum={self.momentum}"

    def _average(self) -> PairwiseStatistics:
        return PairwiseStatistics(1.0, *(getattr(self, name) for name in _MOMENTS))
