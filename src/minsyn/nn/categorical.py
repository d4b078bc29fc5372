"""Decoders of categorical observations: a softmax over the categories of each variable."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from minsyn.information.ci import categorical
from minsyn.information.ci.bernoulli import FLIP_PROBABILITY
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.decoders import Decoder, checked_flip
from minsyn.nn.precision import at_least_single

__all__ = ["BernoulliCategoricalDecoder", "CategoricalObservations", "GaussianCategoricalDecoder"]

#: How far the mean probabilities of a variable's categories may be from adding up to 1.
_TOLERANCE = 1e-2


class CategoricalObservations(Decoder):
    """What decoders of categorical observations share, whatever the latents are.

    Parameters
    ----------
    n_latents : int
        Number of latents.
    sizes : sequence of int
        Number of categories of each observed variable. Observations have a column for each
        category, one-hot or probabilities: the columns of a variable add up to 1.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    flip : float, default=1e-3
        Smoothing, see `minsyn.information.ci.categorical`.
    """

    def __init__(
        self,
        n_latents: int,
        sizes: Sequence[int],
        momentum: float = 0.1,
        flip: float = FLIP_PROBABILITY,
    ) -> None:
        categories = categorical.Categories(tuple(sizes))
        super().__init__(n_latents, categories.n_columns, momentum)
        self.categories = categories
        self.flip = checked_flip(flip)

    def statistics(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"] | None
    ) -> PairwiseStatistics:
        """As of every decoder; in training the observations must be categories.

        Raises
        ------
        ValueError
            Also if a variable's columns do not add up to 1.
        """
        statistics = super().statistics(z, x)
        if self.training:
            excess = self.categories.sum_within(statistics.mean_x[None]) - 1
            if bool((excess.abs() > _TOLERANCE).any()):
                raise ValueError(
                    "the columns of each variable must be one-hot, or probabilities that add up "
                    f"to 1; those of variable {int(excess.abs().argmax())} add up to "
                    f"{1 + float(excess.flatten()[excess.abs().argmax()]):.3g} on average "
                    f"(sizes: {list(self.categories.sizes)})"
                )
        return statistics

    def mean(self, natural: Float[Tensor, "batch features"]) -> Float[Tensor, "batch features"]:
        """Probabilities from scores."""
        return self._log_probabilities(natural).exp()

    def loss(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"]
    ) -> Float[Tensor, ""]:
        """Cross-entropy in nats, summed over the variables and averaged over the batch."""
        statistics = self.statistics(z, x)
        scores, x = at_least_single(self._natural(z, statistics), x)
        total = -(x * self._log_probabilities(scores)).sum()
        return self._mean_over_samples(total, statistics, len(x))

    def _log_probabilities(
        self, scores: Float[Tensor, "batch features"]
    ) -> Float[Tensor, "batch features"]:
        log_sums = torch.logsumexp(self.categories.table(scores, -torch.inf), dim=-1)
        return scores - self.categories.spread(log_sums)


class BernoulliCategoricalDecoder(CategoricalObservations):
    """Binary latents, categorical observations: naive Bayes of several classes.

    Latents may be probabilities in [0, 1]. For variables of two categories it is the
    `BernoulliDecoder`. The map is `minsyn.information.ci.categorical.bernoulli_ci_linear_map`.

    Parameters
    ----------
    n_latents : int
        Number of latents.
    sizes : sequence of int
        Number of categories of each observed variable. Observations have a column for each
        category, one-hot or probabilities: the columns of a variable add up to 1.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    flip : float, default=1e-3
        Smoothing: latents are taken to be flipped with this probability, and categories to be
        replaced by one drawn at random with twice that.

    Examples
    --------
    >>> import torch
    >>> z = torch.rand(1000, 2).round()
    >>> letter = (2 * z[:, 0] + z[:, 1]).long()  # one of four
    >>> x = torch.nn.functional.one_hot(letter, 4).float()
    >>> decoder = BernoulliCategoricalDecoder(2, sizes=[4])
    >>> bool((decoder(z, x).argmax(dim=1) == letter).all())
    True
    """

    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and bias that give the score of each category."""
        return categorical.bernoulli_ci_linear_map(statistics, self.categories, self.flip)


class GaussianCategoricalDecoder(CategoricalObservations):
    """Gaussian latents, categorical observations: a linear discriminant with independent latents.

    Given a category the latents are normal, with a variance that all categories share. For
    variables of two categories it is the `GaussianBernoulliDecoder`. The map is
    `minsyn.information.ci.categorical.gaussian_ci_linear_map`.

    Parameters
    ----------
    n_latents : int
        Number of latents.
    sizes : sequence of int
        Number of categories of each observed variable. Observations have a column for each
        category, one-hot or probabilities: the columns of a variable add up to 1.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    flip : float, default=1e-3
        Smoothing: categories are taken to be replaced, with twice this probability, by one drawn
        at random.

    Examples
    --------
    >>> import torch
    >>> letter = torch.randint(3, (1000,))
    >>> x = torch.nn.functional.one_hot(letter, 3).float()
    >>> z = 6 * x[:, :2] + torch.randn(1000, 2)
    >>> decoder = GaussianCategoricalDecoder(2, sizes=[3])
    >>> bool((decoder(z, x).argmax(dim=1) == letter).float().mean() > 0.95)
    True
    """

    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and bias that give the score of each category."""
        return categorical.gaussian_ci_linear_map(statistics, self.categories, self.flip)
