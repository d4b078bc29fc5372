"""Grids of cells: methods x draws of data, with the random numbers of each."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from minsyn.benchmark.methods import Method

__all__ = ["CellGrid", "Samples"]


@runtime_checkable
class Samples(Protocol):
    """Data of a draw, as `minsyn.datasets.WordImages` and `ExpressionTable` are.

    Attributes
    ----------
    train, test : arrays of shape (n_samples, n_features)
        What is learned from, and what is held out.
    groups : integer array of shape (n_features,)
        The factor that each feature depends on, from 0; -1 for features that depend on none.
    image_shape : tuple of int, or None
        Height and width of a row as an image; None where rows are no images.
    """

    @property
    def train(self) -> Float[np.ndarray, "train_samples features"]: ...  # noqa: D102
    @property
    def test(self) -> Float[np.ndarray, "test_samples features"]: ...  # noqa: D102
    @property
    def groups(self) -> Int[np.ndarray, " features"]: ...  # noqa: D102
    @property
    def image_shape(self) -> tuple[int, int] | None: ...  # noqa: D102


class CellGrid(ABC):
    """Methods x draws of data: run by `run` and kept in a `Store`.

    The data of a draw depend on ``seed`` and the draw alone, and the random numbers of a method
    on ``seed``, the draw and the method's stream: further methods or draws leave finished cells as
    they are.

    Attributes
    ----------
    methods : tuple of Method
        Rows of the table.
    draws : int
        How many times data are drawn; each draw gives every method the same data.
    n_components : int
        Factors of each method.
    seed : int
        What all random numbers derive from.
    """

    methods: tuple[Method, ...]
    draws: int
    seed: int

    @property
    @abstractmethod
    def n_components(self) -> int:
        """Factors of each method."""

    @abstractmethod
    def data(self, draw: int) -> Samples:
        """The data of a draw.

        Parameters
        ----------
        draw : int
            From 0.

        Returns
        -------
        Samples
        """

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Settings that all cells of a table share; methods and draws are not part of it.

        Returns
        -------
        dict
            Ready for JSON.
        """

    def cells(self) -> Iterator[tuple[Method, int]]:
        """Every method of every draw, draw after draw.

        Yields
        ------
        tuple of Method and int
        """
        for draw in range(self.draws):
            for method in self.methods:
                yield method, draw

    def data_seed(self, draw: int) -> np.random.SeedSequence:
        """Seed of the data of a draw.

        Parameters
        ----------
        draw : int
            From 0.
        """
        return np.random.SeedSequence(self.seed, spawn_key=(0, draw))

    def random_state(self, method: Method, draw: int) -> int:
        """The seed of a method's estimator in a draw.

        Parameters
        ----------
        method : Method
            Its stream counts.
        draw : int
            From 0.

        Returns
        -------
        int
            From 0 to 2**32 - 1.
        """
        spawn_key = (1, draw, *method.stream.encode())
        return int(np.random.SeedSequence(self.seed, spawn_key=spawn_key).generate_state(1)[0])

    def _require(self, least: dict[str, int]) -> None:
        """Raise ``ValueError`` for methods that share a key, and numbers that are too small."""
        if not self.methods:
            raise ValueError("methods: none given; an experiment needs at least one")
        keys = [method.key for method in self.methods]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        if repeated:
            raise ValueError(f"methods: {', '.join(repeated)} given twice; keys must differ")
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                raise ValueError(f"{name}: {getattr(self, name)} must be at least {smallest}")
