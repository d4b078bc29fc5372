"""Everything that the next epoch of a training run depends on."""

from typing import Any

import torch
from torch import Tensor, nn

from minsyn.training.worker import Worker

__all__ = ["TrainingState"]


class TrainingState:
    """Module, optimiser, random generators and the course so far, at the end of an epoch.

    Parameters
    ----------
    module : nn.Module
        What is trained.
    optimizer : torch.optim.Adam
        What trains it.
    generator : torch.Generator
        Shuffles, and is what a loss may draw from. With several ranks it is the first one's that
        shuffles, on all of them; a loss draws from its own rank's.
    worker : Worker
        The process.
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
        self.converged = False
        self.best_loss = float("inf")
        self.best: dict[str, Tensor] = {}

    def keep_if_best(self, loss: float) -> None:
        """Copy the parameters and buffers if their loss is the lowest so far."""
        if loss < self.best_loss:
            self.best_loss = loss
            self.best = {k: v.clone() for k, v in self.module.state_dict().items()}

    def restore_best(self) -> None:
        """Leave the module with the parameters and buffers that were kept, if any."""
        if self.best:
            self.module.load_state_dict(self.best)

    def saved(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """As numbers for JSON and named tensors, of all ranks. Every rank must call this."""
        record = {
            "history": self.history,
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
        """Go on from what `saved` gave. Every rank must call this, with the same."""
        self.history = list(record["history"])
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
        """What a loss may draw from: the run's generator, and torch's own (for dropout)."""
        states = {"generator": self.generator.get_state(), "torch": torch.get_rng_state()}
        if next(self.module.parameters()).is_cuda:
            states["cuda"] = torch.cuda.get_rng_state()
        return states


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names start with a prefix, by what follows it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
