"""One of the processes that train: where its tensors are, and how its gradients join others'."""

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
    """What is known of a part of the data, and can be joined with what is known of another."""

    def merge(self, other: Any, /) -> Any:
        """What is known of both."""


M = TypeVar("M", bound=_Mergeable)


class Worker:
    """The only process, on the CPU: plain torch."""

    rank = 0
    world_size = 1
    precision = "32-true"

    def set_up(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> Any:
        """Put a module where the worker computes; gives what to call `step` of."""
        return optimizer

    def backward(
        self, module: nn.Module, loss: Callable[..., Tensor], tensors: tuple[Tensor, ...]
    ) -> tuple[float, int]:
        """Loss of a batch and its size over all ranks; gradients are left with the parameters."""
        value = loss(*tensors)
        value.backward()
        return value.item(), len(tensors[0])

    def on_rank_zero(self, function: Callable[[], T]) -> T:
        """What a function gives that only the first rank runs; its errors reach all ranks."""
        return function()

    def on_all_ranks(self, function: Callable[[], T]) -> list[T]:
        """What a function gives on each rank, on all of them; an error of one reaches all."""
        return [function()]

    def merged(self, function: Callable[[], M | None]) -> M:
        """What all ranks found together, each in its share of the data, to the bit the same on all.

        Parameters
        ----------
        function : callable
            Called on every rank: what it finds in the rank's share, with a method ``merge``, or
            None where the share is empty.

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
        """The tensor of every rank."""
        return [tensor]

    def precision_state(self) -> dict[str, Any]:
        """What mixed precision carries from step to step."""
        return {}

    def load_precision_state(self, state: dict[str, Any]) -> None:
        """Go on from a `precision_state`."""

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Report to the loggers."""

    def finish(self) -> None:
        """Have the loggers write what they hold."""


class FabricWorker(Worker):
    """A process of Lightning Fabric.

    Gradients are averaged over the ranks in one message after backward, rather than through
    `DistributedDataParallel`, which sees only what goes through a module's `forward`: a loss here
    calls whatever of the module it likes.

    Parameters
    ----------
    fabric : Fabric
        Launched.
    """

    def __init__(self, fabric: "Fabric") -> None:
        self.fabric = fabric
        self.rank = fabric.global_rank
        self.world_size = fabric.world_size
        self.precision = getattr(fabric.strategy.precision, "precision", "32-true")

    def set_up(self, module: nn.Module, optimizer: torch.optim.Optimizer) -> Any:
        """Move and convert the module in place, and make it the same on all ranks."""
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
        """Loss of a batch and its size over all ranks; gradients are averaged over the ranks."""
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
        # Single precision at least: half of it could not count the samples.
        flat = torch.cat([t.reshape(-1).to(torch.promote_types(dtype, torch.float32)) for t in own])
        torch.distributed.all_reduce(flat)
        flat /= self.world_size
        mean, share, *gradients = flat.split([t.numel() for t in own])
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient.view_as(parameter).to(parameter.dtype)
        return mean.item(), round(share.item() * self.world_size)

    def on_rank_zero(self, function: Callable[[], T]) -> T:
        """What a function gives that only the first rank runs; its errors reach all ranks."""
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
        """What a function gives on each rank, on all of them; an error of one reaches all."""
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
        """The tensor of every rank."""
        if self.world_size == 1:
            return [tensor]
        own = tensor.to(self.fabric.device)
        gathered = [torch.empty_like(own) for _ in range(self.world_size)]
        torch.distributed.all_gather(gathered, own)
        return [t.cpu() for t in gathered]

    def precision_state(self) -> dict[str, Any]:
        """State of the gradient scaler, where there is one."""
        return self.fabric.strategy.precision.state_dict()

    def load_precision_state(self, state: dict[str, Any]) -> None:
        """Go on from a `precision_state`."""
        self.fabric.strategy.precision.load_state_dict(state)

    def log(self, metrics: Mapping[str, float], step: int) -> None:
        """Report to the loggers; they themselves heed that only the first rank writes."""
        self.fabric.log_dict(metrics, step=step)

    def finish(self) -> None:
        """Have the loggers write what they hold."""
        for logger in self.fabric.loggers:
            logger.finalize("success")


def worker_of(fabric: "Fabric | None") -> Worker:
    """The process that a Fabric from `launch` stands for; None is the only one."""
    return Worker() if fabric is None else FabricWorker(fabric)


def _portable(error: Exception) -> Exception:
    """The error, or one that says the same, if it cannot be sent to other processes."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
