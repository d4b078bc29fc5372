"""Kinds of observations, with their link function, reconstruction loss and range."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from minsyn.information.ci.categorical import Categories

__all__ = [
    "BINARY",
    "BOUNDED",
    "REAL",
    "Binary",
    "Bounded",
    "Categorical",
    "Observations",
    "Real",
    "observations_of",
]


class Observations(ABC):
    """A kind of observations, with a natural parameter that is linear in the latents.

    Attributes
    ----------
    name : str
        Name in saved models.
    low, high : float
        Range of the values.
    affine : bool
        Whether shifted and scaled observations are of the same kind. If so, features are scaled to
        mean 0 and mean square 1 for training.
    natural_step : float
        Largest change of a trained decoder's natural parameter in one step of Adam.

    Examples
    --------
    The kinds that the decoders have:

    >>> from minsyn.nn import BINARY, REAL
    >>> REAL.mean(torch.tensor([[2.0]])), BINARY.mean(torch.tensor([[0.0]]))
    (tensor([[2.]]), tensor([[0.5000]]))
    """

    name: ClassVar[str]
    low: ClassVar[float] = -np.inf
    high: ClassVar[float] = np.inf
    affine: ClassVar[bool] = False
    natural_step: ClassVar[float] = 0.3

    @abstractmethod
    def mean(self, natural: Float[Tensor, "samples features"]) -> Float[Tensor, "samples features"]:
        """Expected observation given the natural parameter."""

    @abstractmethod
    def losses(
        self, natural: Float[Tensor, "samples features"], x: Float[Tensor, "samples features"]
    ) -> Float[Tensor, " samples"]:
        """Reconstruction loss of each sample, summed over the features."""

    @abstractmethod
    def divergences(
        self, natural: Float[Tensor, "samples features"], other: Float[Tensor, "samples features"]
    ) -> Float[Tensor, " samples"]:
        """What the loss of `natural` grows by, on its own samples, under `other`.

        Summed over the features; at least 0, and 0 only where both give the same means.
        """

    def check_range(self, low: float, high: float, name: str = "X") -> None:
        """Raise a ValueError if the values exceed the range.

        Parameters
        ----------
        low, high : float
            Smallest and largest value in the data.
        name : str, default="X"
            Name of the data in the message.
        """
        if low < self.low or high > self.high:
            raise ValueError(
                f"{self.name} features must lie in [{self.low:g}, {self.high:g}]; {name} ranges "
                f"from {low:.15g} to {high:.15g}. Scale it, for example with "
                "sklearn.preprocessing.MinMaxScaler, or choose a decoder for real values"
            )

    def record(self) -> dict[str, Any]:
        """Description as JSON values; `observations_of` is the inverse."""
        return {"name": self.name}

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Real(Observations):
    """Real values that are Gaussian given the latents: identity link and squared error."""

    name = "real"
    affine = True
    natural_step = 0.1

    def mean(self, natural: Float[Tensor, "samples features"]) -> Float[Tensor, "samples features"]:
        """Return the natural parameter itself."""
        return natural

    def losses(
        self, natural: Float[Tensor, "samples features"], x: Float[Tensor, "samples features"]
    ) -> Float[Tensor, " samples"]:
        """Squared error."""
        return (natural - x).square().sum(dim=1)

    def divergences(
        self, natural: Float[Tensor, "samples features"], other: Float[Tensor, "samples features"]
    ) -> Float[Tensor, " samples"]:
        """Squared difference."""
        return (natural - other).square().sum(dim=1)


class Binary(Observations):
    """Binary values or probabilities in [0, 1]: logistic link and cross-entropy in nats."""

    name = "binary"
    low, high = 0.0, 1.0

    def mean(self, natural: Float[Tensor, "samples features"]) -> Float[Tensor, "samples features"]:
        """Probability from log odds."""
        return torch.sigmoid(natural)

    def losses(
        self, natural: Float[Tensor, "samples features"], x: Float[Tensor, "samples features"]
    ) -> Float[Tensor, " samples"]:
        """Cross-entropy in nats."""
        return F.binary_cross_entropy_with_logits(natural, x, reduction="none").sum(dim=1)

    def divergences(
        self, natural: Float[Tensor, "samples features"], other: Float[Tensor, "samples features"]
    ) -> Float[Tensor, " samples"]:
        """Kullback-Leibler divergence in nats."""
        gain = torch.sigmoid(natural) * (natural - other)
        return (gain + F.softplus(other) - F.softplus(natural)).sum(dim=1)


class Bounded(Binary):
    """Real values in [0, 1]: logistic link and squared error."""

    name = "bounded"

    def losses(
        self, natural: Float[Tensor, "samples features"], x: Float[Tensor, "samples features"]
    ) -> Float[Tensor, " samples"]:
        """Squared error of the expected observation."""
        return (self.mean(natural) - x).square().sum(dim=1)

    def divergences(
        self, natural: Float[Tensor, "samples features"], other: Float[Tensor, "samples features"]
    ) -> Float[Tensor, " samples"]:
        """Squared difference of the means."""
        return (self.mean(natural) - self.mean(other)).square().sum(dim=1)


class Categorical(Observations):
    """Categorical variables, one column per category: softmax link and cross-entropy in nats.

    Parameters
    ----------
    categories : Categories
        Number of categories of each variable.

    Examples
    --------
    Three categories with equal scores:

    >>> from minsyn.information.ci.categorical import Categories
    >>> Categorical(Categories((3,))).mean(torch.zeros(1, 3))
    tensor([[0.3333, 0.3333, 0.3333]])
    """

    name = "categorical"
    low, high = 0.0, 1.0

    def __init__(self, categories: Categories) -> None:
        self.categories = categories

    def mean(self, natural: Float[Tensor, "samples features"]) -> Float[Tensor, "samples features"]:
        """Probabilities from scores."""
        return self._log_probabilities(natural).exp()

    def losses(
        self, natural: Float[Tensor, "samples features"], x: Float[Tensor, "samples features"]
    ) -> Float[Tensor, " samples"]:
        """Cross-entropy in nats."""
        return -(x * self._log_probabilities(natural)).sum(dim=1)

    def divergences(
        self, natural: Float[Tensor, "samples features"], other: Float[Tensor, "samples features"]
    ) -> Float[Tensor, " samples"]:
        """Kullback-Leibler divergence in nats."""
        log_p, log_q = self._log_probabilities(natural), self._log_probabilities(other)
        return (log_p.exp() * (log_p - log_q)).sum(dim=1)

    def record(self) -> dict[str, Any]:
        """Description as JSON values."""
        return {"name": self.name, "sizes": [int(size) for size in self.categories.sizes]}

    def _log_probabilities(
        self, scores: Float[Tensor, "samples features"]
    ) -> Float[Tensor, "samples features"]:
        log_sums = torch.logsumexp(self.categories.table(scores, -torch.inf), dim=-1)
        normalised: Tensor = scores - self.categories.spread(log_sums)
        return normalised


#: Kinds of observations without parameters.
REAL, BINARY, BOUNDED = Real(), Binary(), Bounded()
_PLAIN = {kind.name: kind for kind in (REAL, BINARY, BOUNDED)}


def observations_of(record: dict[str, Any]) -> Observations:
    """Rebuild a kind of observations from its `Observations.record`.

    Parameters
    ----------
    record : dict
        Name and parameters of the kind.

    Raises
    ------
    KeyError
        If the kind is unknown.

    Examples
    --------
    >>> observations_of(BINARY.record())
    Binary()
    """
    if record["name"] == Categorical.name:
        return Categorical(Categories(tuple(record["sizes"])))
    return _PLAIN[record["name"]]
