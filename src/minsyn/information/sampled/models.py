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
from minsyn.information.sampled.series import Series

Values = dict[str, Float[np.ndarray, " n"]]
Stacks = dict[str, Float[np.ndarray, "_ _"]]

#: Size of the largest stack of replicates, in numbers: tens of megabytes.
NUMBERS_AT_ONCE = 1_000_000
#: Significance from which on a source tells something. Sources that tell nothing and are taken to
#: do so lose their dependence on each other under the null, so that it must be small.
_CLEARLY = 0.002
#: Measures that choose the best source, or the worst one.
_CHOOSING = {"union_information", "gk_synergy", "redundancy", "unique_information"}
#: Standard deviations of a difference, times sqrt(2 log m), below which sources count as equal.
_TIED = 1.6


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

    def with_ties(self) -> "Model | None":
        """The same model with the mean of the best sources for the best one.

        The mean information of the sources that are not clearly worse than the best has no bias
        from choosing. None where no measure chooses.
        """
        ...

    def for_intervals(self, n: int, rng: np.random.Generator) -> tuple[Values, Stacks, Values]:
        """Values, n replicates of them, and the values of the distributions these are drawn from.

        Replicates exceed the latter by about the bias with which the values exceed the truth.
        """
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


def choosing(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those measures that choose the best source, or the worst one."""
    return tuple(name for name in names if name.partition("[")[0] in _CHOOSING)


def of_ties(
    values: dict[str, Any],
    alone: Float[np.ndarray, "*b sources n"],
    tied: Bool[np.ndarray, "2 sources _"],
) -> dict[str, Any]:
    """Values with the mean information of the tied sources for that of the best or worst one.

    Unique information becomes negative where another source tells more: it is not cut at 0.
    """
    best, worst = (_mean_of(alone, which) for which in tied)
    lost = difference(alone.max(axis=-2), best)
    gained = difference(worst, alone.min(axis=-2))
    found = {}
    for name, v in values.items():
        base, _, source = name.partition("[")
        if base == "unique_information":
            j = int(source[:-1])
            others = np.delete(alone, j, axis=-2).max(axis=-2)
            found[name] = v + np.minimum(difference(alone[..., j, :], others), 0.0)
        else:
            found[name] = v + {"union_information": -lost, "redundancy": gained}.get(base, lost)
    return found


def _mean_of(
    alone: Float[np.ndarray, "*b sources n"], which: Bool[np.ndarray, "sources _"]
) -> Float[np.ndarray, "*b n"]:
    mean: np.ndarray = np.where(which, alone, 0.0).sum(axis=-2) / which.sum(axis=0)
    return mean


def difference(
    one: Float[np.ndarray, "*b n"], other: Float[np.ndarray, "*b n"]
) -> Float[np.ndarray, "*b n"]:
    """The difference, and 0 where one of them is infinite."""
    known = np.isfinite(one) & np.isfinite(other)
    return np.where(known, one, 0.0) - np.where(known, other, 0.0)


def ties(
    alone: Float[np.ndarray, "sources k"],
    influences: Float[np.ndarray, "sources samples k"],
    n_samples: Float[np.ndarray, " k"],
) -> Bool[np.ndarray, "2 sources k"]:
    """Sources that are not clearly worse than the best one, and not clearly better than the worst.

    By the samples' influences on the informations.
    """
    return np.stack([near_best(s * alone, s * influences, n_samples) for s in (1, -1)])


def near_best(
    alone: Float[np.ndarray, "sources k"],
    influences: Float[np.ndarray, "sources samples k"],
    n_samples: Float[np.ndarray, " k"],
) -> Bool[np.ndarray, "sources k"]:
    """Sources whose information is not clearly below the largest, by the samples' influences."""
    columns = np.arange(alone.shape[1])
    best = alone.argmax(axis=0)
    of_best = influences[best, :, columns].T
    spread = (influences - of_best).std(axis=1) / np.sqrt(n_samples)
    # Of informations near 0, which are squares, the influences vanish.
    spread = np.hypot(spread, 1 / n_samples)
    limit = _TIED * np.sqrt(2 * np.log(max(len(alone), 2))) * spread
    largest = alone[best, columns]
    finite = np.isfinite(largest)
    near = np.where(finite, largest, 0.0) - np.where(finite, alone, 0.0) < limit
    tied: np.ndarray = near & finite
    tied[best, columns] = True
    return tied


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


def effective_samples(
    n_samples: int, n_targets: int, series: Series | None
) -> Float[np.ndarray, " n"]:
    """Number of samples, or of independent ones that a series is worth, for each target."""
    return np.full(n_targets, float(n_samples)) if series is None else series.n_effective


def resampled_rows(
    count: int, n_samples: int, rng: np.random.Generator, series: Series | None
) -> Int[np.ndarray, "b samples"]:
    """Rows of ``count`` sets of samples: independent ones, or blocks of a series."""
    if series is not None:
        return series.resampled(count, rng)
    return rng.integers(n_samples, size=(count, n_samples))


def jackknife_groups(
    n_samples: int, series: Series | None = None
) -> Iterator[Int[np.ndarray, " _"]]:
    """Groups of samples for the jackknife: every g-th, so that a trend falls on all alike.

    Those of a series are neighbours.
    """
    if series is not None:
        yield from series.jackknife_groups()
        return
    n_groups = min(N_GROUPS, n_samples)
    for g in range(n_groups):
        yield np.arange(g, n_samples, n_groups)


def informative(
    alone: Float[np.ndarray, "sources n"],
    n_samples: Float[np.ndarray, " n"],
    freedom: Any,
) -> Bool[np.ndarray, "sources n"]:
    """Whether a source tells about a target clearly, at a significance below ``_CLEARLY``.

    2 N I is chi-squared where a source tells nothing (Wilks 1938).
    """
    clear: np.ndarray = 2 * n_samples * alone > chdtri(np.maximum(freedom, 1), _CLEARLY)
    return clear
