"""Decoders of categorical observations: a softmax over the categories of each variable."""

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor

from minsyn.information.ci import categorical
from minsyn.information.ci.bernoulli import FLIP_PROBABILITY
from minsyn.information.statistics import PairwiseStatistics
from minsyn.nn.bernoulli import checked_flip
from minsyn.nn.decoder import Decoder
from minsyn.nn.latents import SIGMOID, SOFTPLUS
from minsyn.nn.observations import Categorical

__all__ = ["BernoulliCategoricalDecoder", "CategoricalDecoder", "GaussianCategoricalDecoder"]

#: Largest accepted deviation from 1 of the sum of a variable's mean category probabilities.
_TOLERANCE = 1e-2


class CategoricalDecoder(Decoder):
    """Base class of decoders of categorical observations, for any kind of latents.

    Parameters
    ----------
    n_latents : int
        Number of latents.
    sizes : sequence of int
        Number of categories of each observed variable. Observations have one column per category,
        one-hot or probabilities. The columns of a variable add up to 1.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    flip : float, default=1e-3
        Smoothing, see `minsyn.information.ci.categorical`.
    """

    #: A placeholder without variables. Each instance sets its own, from ``sizes``.
    observations = Categorical(categorical.Categories((1,)))

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
        self.observations = Categorical(categories)
        self.flip = checked_flip(flip)

    @classmethod
    def build(cls, n_latents: int, n_features: int, **options: Any) -> Decoder:
        """Build a decoder of ``n_features`` columns, grouped by the option ``sizes``.

        Raises
        ------
        ValueError
            If ``sizes`` is missing, or does not add up to ``n_features``.
        """
        sizes = options.pop("sizes", None)
        if sizes is None or sum(sizes) != n_features:
            raise ValueError(
                f"{cls.__name__} needs the number of categories of each variable, {n_features} in "
                f"all, found sizes={sizes}: pass decoder=functools.partial({cls.__name__}, "
                "sizes=[...])"
            )
        return cls(n_latents, sizes, **options)

    def statistics(
        self, z: Float[Tensor, "batch latents"], x: Float[Tensor, "batch features"] | None
    ) -> PairwiseStatistics:
        """Statistics as in `Decoder.statistics`, after a check of the columns in training.

        Raises
        ------
        ValueError
            As in `Decoder.statistics`, or if a variable's columns do not add up to 1.
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


class BernoulliCategoricalDecoder(CategoricalDecoder, name="bernoulli-categorical"):
    """Decoder of categorical observations from binary latents: multi-class naive Bayes.

    Latents may be probabilities in [0, 1]. For variables with two categories this is the
    `BernoulliDecoder`. The map is `minsyn.information.ci.categorical.bernoulli_ci_linear_map`.

    Parameters
    ----------
    n_latents : int
        Number of latents.
    sizes : sequence of int
        Number of categories of each observed variable. Observations have one column per category,
        one-hot or probabilities. The columns of a variable add up to 1.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    flip : float, default=1e-3
        Smoothing: the assumed probability that a latent is flipped. With twice this probability,
        an observed category is assumed to be replaced by one drawn at random.

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

    latents = SIGMOID

    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and bias of the score of each category."""
        return categorical.bernoulli_ci_linear_map(statistics, self.categories, self.flip)


class GaussianCategoricalDecoder(CategoricalDecoder, name="gaussian-categorical"):
    """Decoder of categorical observations from Gaussian latents: linear discriminant analysis.

    Given the category, the latents are independent and normal, with variances that do not depend
    on the category. For variables with two categories this is the `GaussianBernoulliDecoder`. The
    map is `minsyn.information.ci.categorical.gaussian_ci_linear_map`.

    Parameters
    ----------
    n_latents : int
        Number of latents.
    sizes : sequence of int
        Number of categories of each observed variable. Observations have one column per category,
        one-hot or probabilities. The columns of a variable add up to 1.
    momentum : float, default=0.1
        Weight of a new batch in the moving average of the statistics.
    flip : float, default=1e-3
        Smoothing: with twice this probability, an observed category is assumed to be replaced by
        one drawn at random.

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

    latents = SOFTPLUS

    def linear_map(
        self, statistics: PairwiseStatistics
    ) -> tuple[Float[Tensor, "latents features"], Float[Tensor, " features"]]:
        """Weights and bias of the score of each category."""
        return categorical.gaussian_ci_linear_map(statistics, self.categories, self.flip)
