"""Processes of a training run: devices, and communication between ranks."""

import pickle
from collections.abc import Callable, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["FabricWorker", "Worker", "worker_of"]

T = TypeVar("T")


@runtime_checkable
class _Mergeable(Protocol):
    """A summary of part of the data, which can be merged with that of another part."""

    def merge(self, other: Any, /) -> Any:
        """Summary of both parts."""


M = TypeVar("M", bound=_Mergeable)


class Worker:
    """A single process on the CPU, in plain torch."""

    rank = 0
    world_size = 1
    precision = "32-true"

    def set_up(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> Any:
        """Move the module to the worker's device, and return the optimiser to use."""
        return optimizer

    def backward(
        self, module: nn.Module, loss: Callable[..., Tensor], tensors: tuple[Tensor, ...]
    ) -> tuple[float, int]:
        """Compute gradients; return the loss of the batch and its size, over all ranks."""
        value = loss(*tensors)
        value.backward()
        return value.item(), len(tensors[0])

    def on_rank_zero(self, function: Callable[[], T]) -> T:
        """Run a function on the first rank; return its result, or raise its error, on all ranks."""
        return function()

    def on_all_ranks(self, function: Callable[[], T]) -> list[T]:
        """Run a function on every rank; return all results, or raise an error, on all ranks."""
        return [function()]

    def merged(self, function: Callable[[], M | None]) -> M:
        """Merge the results of a function on every rank; all ranks get exactly the same result.

        Parameters
        ----------
        function : callable
            Returns a summary of the rank's share of the data, with a method ``merge``, or None if
            the share is empty.

        Raises
        ------
        ValueError
            If all shares are empty.
        """
        found = [part for part in self.on_all_ranks(function) if part is not None]
        if not found:
            raise ValueError("there are no samples")
        return reduce(lambda known, part: known.merge(part), found)

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """Return the tensors of all ranks."""
        return [tensor]

    def precision_state(self) -> dict[str, Any]:
        """State of mixed precision between steps."""
        return {}

    def load_precision_state(self, state: dict[str, Any]) -> None:
        """Restore the result of `precision_state`."""

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Pass metrics to the loggers."""

    def finish(self) -> None:
        """Flush the loggers."""


class FabricWorker(Worker):
    """A process of Lightning Fabric.

    Gradients are averaged over the ranks in one message after the backward pass. This replaces
    `DistributedDataParallel`, which only supports calls of a module's `forward`, whereas losses
    here may call any method of the module.

    Parameters
    ----------
    fabric : Fabric
        A launched Fabric.
    """

    def __init__(self, fabric: "Fabric") -> None:
        self.fabric = fabric
        self.rank = fabric.global_rank
        self.world_size = fabric.world_size
        self.precision = getattr(fabric.strategy.precision, "precision", "32-true")

    def set_up(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> Any:
        """Move and convert the module in place, and copy the first rank's weights to all ranks."""
        self.fabric.strategy.precision.convert_module(module)
        self.fabric.to_device(module)
        if self.world_size > 1:
            for tensor in module.state_dict().values():
                first = tensor.contiguous()
                torch.distributed.broadcast(first, src=0)
                tensor.copy_(first)
        return self.fabric.setup_optimizers(optimizer)

    def backward(
        self, module: nn.Module, loss: Callable[..., Tensor], tensors: tuple[Tensor, ...]
    ) -> tuple[float, int]:
        """Average gradients over the ranks; return the loss of the batch and its size."""
        parameters = [p for p in module.parameters() if p.requires_grad]
        dtype = parameters[0].dtype
        tensors = tuple(
            t.to(self.fabric.device, dtype if t.is_floating_point() else None) for t in tensors
        )
        with self.fabric.autocast():
            value = loss(*tensors)
        self.fabric.backward(value)
        n_samples = len(tensors[0])
        if self.world_size == 1:
            return value.item(), n_samples
        own = [value.detach(), value.new_tensor(n_samples)]
        own += [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        # Single precision at least, as half precision cannot represent the number of samples.
        flat = torch.cat([t.reshape(-1).to(torch.promote_types(dtype, torch.float32)) for t in own])
        torch.distributed.all_reduce(flat)
        flat /= self.world_size
        mean, share, *gradients = flat.split([t.numel() for t in own])
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient.view_as(parameter).to(parameter.dtype)
        return mean.item(), round(share.item() * self.world_size)

    def on_rank_zero(self, function: Callable[[], T]) -> T:
        """Run a function on the first rank; return its result, or raise its error, on all ranks."""
        if self.world_size == 1:
            return function()
        result: Any = None
        failure: Exception | None = None
        if self.rank == 0:
            try:
                result = function()
            except Exception as error:
                failure = error
        result, failure = self.fabric.broadcast((result, failure))
        if failure is not None:
            raise failure
        return result

    def on_all_ranks(self, function: Callable[[], T]) -> list[T]:
        """Run a function on every rank; return all results, or raise an error, on all ranks."""
        if self.world_size == 1:
            return [function()]
        own: tuple[Any, Exception | None]
        try:
            own = function(), None
        except Exception as error:
            own = None, _portable(error)
        found: list[Any] = [None] * self.world_size
        torch.distributed.all_gather_object(found, own)
        for _, failure in found:
            if failure is not None:
                raise failure
        return [result for result, _ in found]

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """Return the tensors of all ranks."""
        if self.world_size == 1:
            return [tensor]
        own = tensor.to(self.fabric.device)
        gathered = [torch.empty_like(own) for _ in range(self.world_size)]
        torch.distributed.all_gather(gathered, own)
        return [t.cpu() for t in gathered]

    def precision_state(self) -> dict[str, Any]:
        """State of the gradient scaler, if any."""
        return self.fabric.strategy.precision.state_dict()

    def load_precision_state(self, state: dict[str, Any]) -> None:
        """Restore the result of `precision_state`."""
        self.fabric.strategy.precision.load_state_dict(state)

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Pass metrics to the loggers, which write on the first rank only."""
        self.fabric.log_dict(metrics, step=step)

    def finish(self) -> None:
        """Flush the loggers."""
        for logger in self.fabric.loggers:
            logger.finalize("success")


def worker_of(fabric: "Fabric | None") -> Worker:
    """Worker of a Fabric from `launch`; None stands for a single process."""
    return Worker() if fabric is None else FabricWorker(fabric)


def _portable(error: Exception) -> Exception:
    """Return the error, or a RuntimeError with the same message if it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
