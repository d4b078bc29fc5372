"""Result of a solver: encoder and decoder for the original data."""

import copy
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import nn

from minsyn.information.statistics import Moments, PairwiseStatistics
from minsyn.nn.latents import LINEAR, Latents
from minsyn.nn.observations import Observations

__all__ = ["Solution", "check_converging", "order_and_signs"]

#: Correlations that differ by less than this share are equally strong: the first decides a sign.
_EQUAL = 1e-6


@dataclass(frozen=True)
class Solution:
    """A fitted encoder and decoder.

    Attributes
    ----------
    encoder : nn.Module
        Encoder in evaluation mode, on the CPU. It returns pre-activations of the original data.
    latents : Latents
        Kind of latents.
    observations : Observations
        Kind of observations.
    components : ndarray of shape (n_components, n_features)
        Weights of the natural parameter.
    intercept : ndarray of shape (n_features,)
        Natural parameter when all latents are 0.
    loss_curve : list of float
        Training loss of each epoch or iteration, in the units of the data.
    converged : bool
        Whether the fit converged.
    statistics : PairwiseStatistics or None
        Statistics of latents and features from which the decoder was computed, if any.
    moments : Moments or None
        Mean and covariance of the features, if the fit followed from them.
    missing : float
        Share of the values that were missing.
    decoder : nn.Module or None
        Decoder from latents to the natural parameter, where that is not linear in the latents.
        Components are then its linear part.
    """

    encoder: nn.Module
    latents: Latents
    observations: Observations
    components: Float[np.ndarray, "latents features"]
    intercept: Float[np.ndarray, " features"]
    loss_curve: list[float]
    converged: bool
    statistics: PairwiseStatistics | None = None
    moments: Moments | None = None
    missing: float = 0.0
    decoder: nn.Module | None = None

    def require_finite(self) -> None:
        """Raise an error where a fit diverged.

        Raises
        ------
        FloatingPointError
            If a weight, a moment or the loss is NaN or infinite.
        """
        found: dict[str, Any] = {"components": self.components, "intercept": self.intercept}
        if self.statistics is not None:
            moments = fields(self.statistics)
            found |= {field.name: getattr(self.statistics, field.name) for field in moments}
        for what, module in (("encoder", self.encoder), ("decoder", self.decoder)):
            if module is not None:
                found |= {f"{what}.{name}": w for name, w in module.state_dict().items()}
        found["loss"] = self.loss_curve
        for name, values in found.items():
            check_converging(name, values)

    def in_order(self, importance: Float[np.ndarray, " features"]) -> "Solution":
        """The same solution, with latents in an order, of signs and units that no seed changes.

        Latents come in the descending order of the variance that each explains alone. Where the
        kind of latents allows it, the strongest correlation of each is positive, and linear latents
        have mean 0 and unit variance. The encoder must be a net whose last layer is linear.

        Parameters
        ----------
        importance : ndarray of shape (n_features,)
            Weights of the features' explained variances.
        """
        assert self.statistics is not None
        order, signs = order_and_signs(self.statistics.rho, importance)
        if self.latents.reflection is None:
            signs = np.ones(len(order))
        reflection = self.latents.reflection or 0.0
        found = self._mapped(order, signs, reflection * (1 - signs) / 2)
        if self.latents is not LINEAR:
            return found
        assert found.statistics is not None
        std = np.where(found.statistics.std_z > 0, found.statistics.std_z, 1.0)
        return found._mapped(np.arange(len(std)), 1 / std, -found.statistics.mean_z / std)

    def _mapped(
        self,
        order: Int[np.ndarray, " latents"],
        factor: Float[np.ndarray, " latents"],
        shift: Float[np.ndarray, " latents"],
    ) -> "Solution":
        """The same solution with latents ``factor * z[order] + shift``."""
        encoder = copy.deepcopy(self.encoder)
        last, statistics = encoder[-1], self.statistics  # type: ignore[index]
        assert isinstance(last, nn.Linear) and statistics is not None
        with torch.no_grad():
            scale = torch.from_numpy(factor).to(last.weight)
            last.weight.copy_(last.weight[order] * scale[:, None])
            last.bias.copy_(last.bias[order] * scale)
            if self.latents is LINEAR:
                last.bias.add_(torch.from_numpy(shift))
        components = self.components[order] / factor[:, np.newaxis]
        return replace(
            self,
            encoder=encoder,
            components=components,
            intercept=self.intercept - shift @ components,
            statistics=replace(
                statistics,
                mean_z=factor * statistics.mean_z[order] + shift,
                cov_zz=np.outer(factor, factor) * statistics.cov_zz[np.ix_(order, order)],
                cov_zx=factor[:, np.newaxis] * statistics.cov_zx[order],
            ),
        )


def check_converging(name: str, values: Any) -> None:
    """Raise an error where a fit diverged.

    Parameters
    ----------
    name : str
        What was fitted.
    values : array-like or Tensor
        Its values.

    Raises
    ------
    FloatingPointError
        If one of them is NaN or infinite.

    Examples
    --------
    >>> check_converging("loss", [2.0, float("inf")])
    Traceback (most recent call last):
        ...
    FloatingPointError: the fit diverged, as loss became NaN or infinite: lower the learning rate, \
or scale the data
    """
    if not np.isfinite(np.asarray(values)).all():
        raise FloatingPointError(
            f"the fit diverged, as {name} became NaN or infinite: lower the learning rate, or "
            "scale the data"
        )


def order_and_signs(
    rho: Float[np.ndarray, "latents features"], importance: Float[np.ndarray, " features"]
) -> tuple[Int[np.ndarray, " latents"], Float[np.ndarray, " latents"]]:
    """Order of the latents by the variance that each explains, and signs of those in order.

    Parameters
    ----------
    rho : ndarray of shape (n_latents, n_features)
        Correlations.
    importance : ndarray of shape (n_features,)
        Weights of the features' explained variances.

    Returns
    -------
    order : ndarray of shape (n_latents,)
        The latent that explains most comes first.
    signs : ndarray of shape (n_latents,)
        Factors of the ordered latents that make the strongest correlation of each positive.

    Examples
    --------
    >>> order_and_signs(np.array([[0.1, 0.0], [0.5, -0.9]]), np.ones(2))
    (array([1, 0]), array([-1.,  1.]))
    """
    order = np.argsort(-(rho**2 @ importance), kind="stable")
    strength = np.abs(rho)
    equal = strength >= (1 - _EQUAL) * strength.max(axis=1, keepdims=True)
    strongest = np.argmax(equal, axis=1)
    signs = np.where(rho[np.arange(len(rho)), strongest] < 0, -1.0, 1.0)
    return order, signs[order]
