"""Nearest-neighbour model of samples: informations of continuous variables of any distribution."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import KDTree
from scipy.special import digamma

from minsyn.information.measures import MEASURES, NeighborInformations
from minsyn.information.sampled.models import Stacks, Values, resampled_rows
from minsyn.information.sampled.series import Series

__all__ = ["NearestNeighborModel", "neighbor_information"]

#: Share of a distance, and roundings, by which samples must be nearer.
_MARGIN, _ROUNDINGS = 1e-10, 4
#: Deviations of the noise that parts ties, for variables of unit variance.
_NOISE = 1e-10
#: Share of a column's samples that may be ties of others.
_MOST_TIES = 0.5
#: The most sources of an interaction information, of which all combinations are measured.
MOST_SOURCES = 10


def neighbor_information(
    z: Float[np.ndarray, "samples d"], x: Float[np.ndarray, " samples"], k: int = 3
) -> Float[np.ndarray, " samples"]:
    r"""Pointwise nearest-neighbour estimates of mutual information, whose mean is the estimate.

    ``psi(k) + psi(N) - psi(n_z + 1) - psi(n_x + 1)``: Eq. 8 of Kraskov, Stögbauer and Grassberger
    (2004), with the numbers n of samples that are nearer in z, and in x, than the k-th neighbour in
    both, by the largest difference of all coordinates.

    Parameters
    ----------
    z : ndarray of shape (n_samples, d)
        One variable, or several together.
    x : ndarray of shape (n_samples,)
        Another one. No two samples should be equal.
    k : int, default=3
        The number of neighbours: of more, estimates spread less and are more biased.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats.

    References
    ----------
    Kraskov, Stögbauer, Grassberger (2004), Estimating mutual information, Phys. Rev. E 69.

    Examples
    --------
    >>> z = np.random.default_rng(0).normal(size=(1000, 2))
    >>> float(neighbor_information(z[:, :1], 0.6 * z[:, 0] + 0.8 * z[:, 1]).mean().round(1))
    0.2
    """
    both = np.column_stack([z, x])
    distances = np.asarray(KDTree(both).query(both, k=k + 1, p=np.inf)[0])
    # Nearer, not as near, whatever sums of coordinates and distances round to.
    rounding = _ROUNDINGS * np.finfo(np.float64).eps * np.abs(both).max()
    inside = np.maximum(distances[:, -1] * (1 - _MARGIN) - rounding, 0.0)
    counts = _near(z, inside) + 1, _near(x[:, None], inside) + 1
    return digamma(k) + digamma(len(x)) - digamma(counts[0]) - digamma(counts[1])


def _near(
    a: Float[np.ndarray, "samples d"], radius: Float[np.ndarray, " samples"]
) -> Int[np.ndarray, " samples"]:
    """Number of other samples within each one's radius."""
    if a.shape[1] > 1:
        return np.asarray(KDTree(a).query_ball_point(a, radius, p=np.inf, return_length=True)) - 1
    values = np.sort(a[:, 0])
    above = np.searchsorted(values, a[:, 0] + radius, side="right")
    return np.asarray(above - np.searchsorted(values, a[:, 0] - radius, side="left")) - 1


@dataclass(frozen=True, eq=False)
class NearestNeighborModel:
    """Continuous variables with any joint distribution, by distances to the nearest samples.

    Intervals are of pointwise values, whose means are the estimates: distances are not measured
    anew in resamples, where samples that are drawn twice would be their own neighbours.
    """

    z: Float[np.ndarray, "samples variables"]
    x: Float[np.ndarray, "samples n"]
    names: tuple[str, ...]
    groups: tuple[Int[np.ndarray, " _"], ...] | None = None
    k: int = 3
    series: Series | None = None

    @cached_property
    def variances(self) -> Float[np.ndarray, " n"]:
        """Variance of each target; exactly 0 of constants."""
        return np.where(np.ptp(self.x, axis=0) > 0, self.x.var(axis=0), 0.0)

    @cached_property
    def varying(self) -> Bool[np.ndarray, " variables"]:
        """Whether each variable of the sources varies."""
        varies: np.ndarray = np.ptp(self.z, axis=0) > 0
        return varies

    @property
    def n_fitted(self) -> Int[np.ndarray, " n"]:
        """One sample for each mean."""
        return np.ones(self.x.shape[1], dtype=int)

    @property
    def rounding(self) -> float:
        """Rounding of sums."""
        return 1e-12

    @property
    def scored(self) -> tuple[Float[np.ndarray, "samples variables"], Float[np.ndarray, "_ n"]]:
        """Sources and targets as they are."""
        return self.z, self.x

    def only(self, names: tuple[str, ...]) -> "NearestNeighborModel":
        """The same model with some of its measures."""
        return replace(self, names=names)

    def values(self) -> Values:
        """Means of the pointwise values."""
        return {name: v.mean(axis=0) for name, v in self._pointwise.items()}

    def alone(self) -> Float[np.ndarray, "sources n"]:
        """Estimated information of each source alone about each target."""
        found = self._informations(self._standardised[1], [(j,) for j in range(len(self._blocks))])
        return np.stack([found[(j,)].mean(axis=0) for j in range(len(self._blocks))])

    def sampling_bias(self) -> Values:
        """Not known."""
        return {}

    def bias(self, method: str) -> Values:
        """Not known."""
        raise ValueError(f"{method} does not estimate the bias of nearest neighbours")

    def with_ties(self) -> None:
        """No measure chooses a source."""
        return

    def for_intervals(self, n: int, rng: np.random.Generator) -> tuple[Values, Stacks, Values]:
        """Values, n replicates of them, and the values of what these are drawn from."""
        return self.values(), self.bootstrap(n, rng), self.values()

    def bootstrap(self, n: int, rng: np.random.Generator) -> Stacks:
        """Means of pointwise values that are drawn with replacement, or in blocks."""
        found: dict[str, list[Float[np.ndarray, " n"]]] = {name: [] for name in self.names}
        for _ in range(n):
            rows = resampled_rows(1, len(self.z), rng, self.series)[0]
            for name, v in self._pointwise.items():
                found[name].append(v[rows].mean(axis=0))
        return {name: np.stack(v) for name, v in found.items()}

    def independent(self, n: int, rng: np.random.Generator) -> Stacks:
        """Values of n sets of samples in which targets are permuted against the sources."""
        x, found = self._standardised[1], []
        for _ in range(n):
            series = self.series
            order = rng.permutation(len(x)) if series is None else series.shifted(1, rng)[0]
            found.append({k: v.mean(axis=0) for k, v in self._measured(x[order]).items()})
        return {name: np.stack([one[name] for one in found]) for name in self.names}

    def without_gk_synergy(self, n: int, rng: np.random.Generator) -> tuple[Stacks, ...]:
        """No distribution without GK synergy is known; those of independence."""
        return (self.independent(n, rng),)

    def without_ci_synergy(self, n: int, rng: np.random.Generator) -> tuple[Stacks, ...]:
        """No distribution without CI synergy is known; those of independence."""
        return (self.independent(n, rng),)

    @cached_property
    def _blocks(self) -> tuple[Int[np.ndarray, " _"], ...]:
        """The variables of each source that vary."""
        groups = self.groups or tuple(np.arange(self.z.shape[1])[:, None])
        return tuple(group[self.varying[group]] for group in groups)

    @cached_property
    def _standardised(
        self,
    ) -> tuple[Float[np.ndarray, "samples variables"], Float[np.ndarray, "samples n"]]:
        """Variables of unit variance, whose ties are parted by a little noise."""
        rng = np.random.default_rng(0)
        both = []
        for a in (self.z, self.x):
            std = a.std(axis=0)
            scaled = (a - a.mean(axis=0)) / np.where(std > 0, std, 1.0)
            both.append(scaled + _NOISE * rng.normal(size=a.shape))
        return both[0], both[1]

    @cached_property
    def _pointwise(self) -> dict[str, Float[np.ndarray, "samples n"]]:
        return self._measured(self._standardised[1])

    def _measured(
        self, x: Float[np.ndarray, "samples n"]
    ) -> dict[str, Float[np.ndarray, "samples n"]]:
        """Pointwise values of the measures."""
        m = len(self._blocks)
        needed = {tuple(range(m))}
        if any(name.startswith(("whole_minus_sum", "source_information")) for name in self.names):
            needed |= {(j,) for j in range(m)}
        if "interaction_information" in self.names:
            needed |= {s for size in range(1, m + 1) for s in combinations(range(m), size)}
        found = NeighborInformations(m, self._informations(x, sorted(needed)))
        return {name: MEASURES[name].of(found) for name in self.names}

    def _informations(
        self, x: Float[np.ndarray, "samples n"], subsets: list[tuple[int, ...]]
    ) -> dict[tuple[int, ...], Float[np.ndarray, "samples n"]]:
        """Pointwise information of sets of sources; 0 where nothing varies."""
        z = self._standardised[0]
        found = {}
        for subset in subsets:
            columns = np.concatenate([self._blocks[j] for j in subset])
            values = np.zeros(x.shape)
            if len(columns):
                for i in np.flatnonzero(self.variances > 0):
                    values[:, i] = neighbor_information(z[:, columns], x[:, i], self.k)
            found[subset] = values
        return found


def check_continuous(columns: Float[np.ndarray, "samples k"], labels: list[str], k: int) -> None:
    """Raise an error where there are too few samples, or many are equal.

    Raises
    ------
    ValueError
        If there are not more samples than neighbours, or half of a column that varies is tied.
    """
    n_samples = len(columns)
    if n_samples <= k + 1:
        raise ValueError(
            f"nearest neighbours need more than {k + 1} samples, and preferably hundreds; found "
            f"{n_samples}"
        )
    for column, label in zip(columns.T, labels, strict=True):
        n_values = len(np.unique(column))
        if 1 < n_values < (1 - _MOST_TIES) * n_samples:
            raise ValueError(
                f"{label} has {n_values} different values in {n_samples} samples, and "
                "model='nearest-neighbors' needs continuous variables: use model='discrete'"
            )
