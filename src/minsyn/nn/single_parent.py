"""The Gaussian decoder without GK synergy, with one parent latent per feature."""

from jaxtyping import Float
from torch import Tensor

from minsyn.information import single_parent
from minsyn.information._options import number
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.decoder import Decoder
from minsyn.nn.latents import SOFTPLUS
from minsyn.nn.observations import REAL
from minsyn.nn.precision import at_least_single, without_autocast

__all__ = ["SingleParentDecoder"]


class SingleParentDecoder(Decoder, name="single-parent"):
    r"""Decoder of each feature from its most correlated latent alone (Sec. II-A, Appendix A).

    For Gaussian latents and observations, the mean of the standardised :math:`x_i` is
    :math:`\rho_{ik} z_k`, with :math:`k = \arg\max_j |\rho_{ij}|`. Among all distributions with
    these pairwise marginals, this one has no synergy as defined by Griffith and Koch.

    For training, the choice of the parent can be made soft. The parent of a feature is then random,
    with probabilities :math:`\pi_{ij} \propto \exp(I(Z_j; X_i) / T)`, and the loss is the expected
    squared error. This loss is linear in the probabilities, so its optimum is a single parent for
    each feature. (The squared error of the expected mean would instead reward combinations of
    latents.) Lower ``temperature`` during training, to 0 at the end:

    >>> decoder = SingleParentDecoder(2, 3, temperature=0.5)
    >>> for step in range(100):
    ...     decoder.temperature = 0.5 * (1 - step / 99)

    Parameters
    ----------
    n_latents, n_features : int
        Numbers of latents and of observed variables.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    temperature : float, default=0.0
        Temperature T in nats, at least 0. With 0 each feature has a single parent. Like
        ``momentum``, it is not part of the state_dict.

    Examples
    --------
    >>> import torch
    >>> z = torch.randn(1000, 2)
    >>> x = z @ torch.tensor([[1.0, 0.2], [0.2, 1.0]])
    >>> decoder = SingleParentDecoder(2, 2)
    >>> _ = decoder(z, x)
    >>> weights, intercept = decoder.linear_map(decoder.running.statistics())
    >>> (weights != 0).int().tolist()
    [[1, 0], [0, 1]]
    """

    latents = SOFTPLUS
    observations = REAL

    def __init__(
        self, n_latents: int, n_features: int, momentum: float = 0.1, temperature: float = 0.0
    ) -> None:
        super().__init__(n_latents, n_features, momentum)
        self.temperature = temperature

    @property
    def temperature(self) -> float:
        """Softness of the choice of parents, in nats."""
        return self._temperature

    @temperature.setter
    def temperature(self, temperature: float) -> None:
        if not number(temperature, "temperature") >= 0:
            raise ValueError(f"temperature must be at least 0, found {temperature}")
        self._temperature = float(temperature)

    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and intercept of the expected observation."""
        return single_parent.gk_linear_map(statistics, self.temperature)

    def loss(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> Float[Tensor, ""]:
        r"""Expected squared error over the choice of parents, summed over the features.

        It is averaged over the batch. The statistics suffice, without a reconstruction:
        :math:`\sum_i v_i \sum_j \pi_{ij} (1 - \rho_{ij}^2)`.
        """
        statistics = self.statistics(z, x)
        with without_autocast(z):
            data = None if self.training else PairwiseStatistics.of(*at_least_single(z, x))
            loss: Tensor = single_parent.expected_squared_error(
                statistics, self.temperature, data
            ).sum()
            return loss
