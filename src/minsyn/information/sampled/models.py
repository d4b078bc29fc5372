"""Models of samples: plug-in values of the measures, their biases, replicates and null values.

All values are in nats, one for each measure and target.
"""

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import chdtri

from minsyn.information._bias import N_GROUPS
from minsyn.information.measures import Null

Values = dict[str, Float[np.ndarray, " n"]]
Stacks = dict[str, Float[np.ndarray, "_ _"]]

#: Size of the largest stack of replicates, in numbers: tens of megabytes.
NUMBERS_AT_ONCE = 1_000_000
#: Significance from which on a source tells something. Sources that tell nothing and are taken to
#: do so lose their dependence on each other under the null, so that it must be small.
_CLEARLY = 0.002


@runtime_checkable
class Model(Protocol):
    """Samples of sources and targets under a model of their joint distribution."""

    @property
    def variances(self) -> Float[np.ndarray, " n"]:
        """Variance of each target in the model; 1 for categories, which have none."""
        ...

    @property
    def varying(self) -> Bool[np.ndarray, " variables"]:
        """Whether each variable of the sources varies."""
        ...

    @property
    def n_fitted(self) -> Int[np.ndarray, " n"]:
        """Number of samples that a fit of each target's distribution takes up."""
        ...

    @property
    def rounding(self) -> float:
        """Differences of resampled values that are rounding, relative to values above 1."""
        ...

    def values(self) -> Values:
        """Plug-in values of the measures."""
        ...

    def alone(self) -> Float[np.ndarray, "sources n"]:
        """Plug-in information of each source alone about each target."""
        ...

    def sampling_bias(self) -> Values:
        """Expected bias of `values`, for the measures for which the model has a closed form."""
        ...

    def bias(self, method: str) -> Values:
        """Estimated bias of `values`.

        Measures whose bias ``method`` does not know are corrected by the jackknife.
        """
        ...

    def only(self, names: tuple[str, ...]) -> "Model":
        """The same model with some of its measures."""
        ...

    def origin(self) -> Values:
        """Values of the distributions that `bootstrap` draws from."""
        ...

    def bootstrap(self, n: int, rng: np.random.Generator) -> Stacks:
        """Values of n sets of samples that are drawn from about the observed distribution."""
        ...

    def independent(self, n: int, rng: np.random.Generator) -> Stacks:
        """Values of n sets of samples in which targets are permuted against the sources."""
        ...

    def without_gk_synergy(self, n: int, rng: np.random.Generator) -> tuple[Stacks, ...]:
        """Values of n sets of samples without GK synergy: of one or of two such distributions."""
        ...

    def without_ci_synergy(self, n: int, rng: np.random.Generator) -> tuple[Stacks, ...]:
        """Values of n sets of samples without CI synergy: of one or of two such distributions."""
        ...


def null_values(model: Model, null: Null, n: int, rng: np.random.Generator) -> tuple[Stacks, ...]:
    """Values of n sets of samples under a null hypothesis, for each distribution of it.

    Where there are several, none is rejected unless all are: the largest p-value counts.
    """
    if null == "no CI synergy":
        return model.without_ci_synergy(n, rng)
    if null == "no GK synergy":
        return model.without_gk_synergy(n, rng)
    return (model.independent(n, rng),)


def parts_of(n: int, at_once: int) -> Iterator[int]:
    """Sizes of the batches of n resamples."""
    at_once = max(at_once, 1)
    for start in range(0, n, at_once):
        yield min(at_once, n - start)


def joined(parts: list[Stacks]) -> Stacks:
    """Batches one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def beside(parts: list[Stacks]) -> Stacks:
    """Stacks of different targets side by side."""
    return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}


def jackknife_groups(n_samples: int) -> Iterator[Int[np.ndarray, " _"]]:
    """Groups of samples for the jackknife: every g-th, so that a trend falls on all alike."""
    n_groups = min(N_GROUPS, n_samples)
    for g in range(n_groups):
        yield np.arange(g, n_samples, n_groups)


def informative(
    alone: Float[np.ndarray, "sources n"], n_samples: int, freedom: Any
) -> Bool[np.ndarray, "sources n"]:
    """Whether a source tells about a target clearly, at a significance below ``_CLEARLY``.

    2 N I is chi-squared where a source tells nothing (Wilks 1938).
    """
    return 2 * n_samples * alone > chdtri(np.maximum(freedom, 1), _CLEARLY)
