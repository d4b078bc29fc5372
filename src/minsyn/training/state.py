"""Complete state of a training run between two epochs."""

from typing import Any

import torch
from torch import Tensor, nn

from minsyn.training.worker import Worker

__all__ = ["TrainingState"]


class TrainingState:
    """Module, optimiser, random generators and loss history at the end of an epoch.

    Parameters
    ----------
    module : nn.Module
        Module to train.
    optimizer : torch.optim.Adam
        Optimiser of the module.
    generator : torch.Generator
        Source of randomness of mini-batches and losses. With several ranks, the first rank's
        generator shuffles the mini-batches of all ranks, and losses draw from their own rank's
        generator.
    worker : Worker
        This process.
    """

    def __init__(
        self,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        generator: torch.Generator,
        worker: Worker,
    ) -> None:
        self.module = module
        self.optimizer = optimizer
        self.worker = worker
        self.generator = self.shuffler = generator
        if worker.world_size > 1:
            shuffling, seed = worker.on_rank_zero(
                lambda: (generator.get_state(), generator.initial_seed())
            )
            self.shuffler = torch.Generator()
            self.shuffler.set_state(shuffling)
            generator.manual_seed((seed + 1 + worker.rank) % 2**63)
        self.history: list[float] = []
        self.held_out: list[float] = []
        self.converged = False
        self.best_loss = float("inf")
        self.best: dict[str, Tensor] = {}

    def keep_if_best(self, loss: float) -> None:
        """Copy the parameters and buffers if their loss is the lowest so far."""
        if loss < self.best_loss:
            self.best_loss = loss
            self.best = {k: v.clone() for k, v in self.module.state_dict().items()}

    def restore_best(self) -> None:
        """Load the parameters and buffers with the lowest loss into the module, if any."""
        if self.best:
            self.module.load_state_dict(self.best)

    def saved(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """State of all ranks, as JSON values and named tensors. Every rank must call this."""
        record = {
            "history": self.history,
            "held_out": self.held_out,
            "converged": self.converged,
            "best_loss": self.best_loss,
            "precision": self.worker.precision_state(),
        }
        tensors = {f"module.{k}": v for k, v in self.module.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self.best.items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{k}": v for k, v in moments.items()}
        tensors["random.shuffler"] = self.shuffler.get_state()
        for name, state in self._random_states().items():
            for rank, of_rank in enumerate(self.worker.gather(state)):
                tensors[f"random.{name}.{rank}"] = of_rank
        return record, tensors

    def restore(self, record: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Restore the state from the result of `saved`. Every rank must call this."""
        self.history, self.held_out = list(record["history"]), list(record.get("held_out", []))
        self.converged = record["converged"]
        self.best_loss = record["best_loss"]
        self.worker.load_precision_state(record["precision"])
        self.module.load_state_dict(_under("module.", tensors))
        device = next(self.module.parameters()).device
        self.best = {k: v.to(device) for k, v in _under("best.", tensors).items()}
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in _under("optimizer.", tensors).items():
            index, name = key.split(".", 1)
            moments.setdefault(int(index), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        rank = self.worker.rank
        torch.set_rng_state(tensors[f"random.torch.{rank}"])
        if f"random.cuda.{rank}" in tensors:
            torch.cuda.set_rng_state(tensors[f"random.cuda.{rank}"])
        self.generator.set_state(tensors[f"random.generator.{rank}"])
        self.shuffler.set_state(tensors["random.shuffler"])

    def _random_states(self) -> dict[str, Tensor]:
        """States of the run's generator and of torch's global one, which dropout uses."""
        states = {"generator": self.generator.get_state(), "torch": torch.get_rng_state()}
        if next(self.module.parameters()).is_cuda:
            states["cuda"] = torch.cuda.get_rng_state()
        return states


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Select the tensors whose names start with a prefix, and remove the prefix."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
