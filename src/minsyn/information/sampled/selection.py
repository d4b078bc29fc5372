"""Bias of choosing the best source, or the worst one, of discrete variables.

The union information, GK synergy and Williams and Beer's measures have the largest or the least of
several informations in them. Where sources tell about equally much, chance picks one that looks
larger, or smaller, than it is. How much, is found from draws of normal noise with the covariance of
the samples' influences on the informations.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from minsyn.information._wishart import union_bias

__all__ = ["Informations", "Selection", "selected"]

#: Draws of the noise of informations; half of them are the others, mirrored.
_DRAWS = 200
#: Standard deviations, times sqrt(2 log m), below which informations count as equal. With less,
#: more of the bias of ties is left; with more, sources that differ count as equal. Chosen on the
#: grid of ``benchmarks/gk_bias.py --model discrete``.
_TIED = 1.0


@dataclass(frozen=True, eq=False)
class Informations:
    """Informations of each source about one target, about each of its values and in all.

    Attributes
    ----------
    of_value : array, (sources, values)
        Informations about each value of the target, times its probability; their sum over the
        values is the mutual information.
    bias : array, (sources, values)
        Their biases.
    covariance : array, (values + 1, sources, sources)
        Covariances of the sources' informations about each value, and in all.
    varying : bool array, (sources,)
        Whether a source varies; one that does not is never the best.
    """

    of_value: Float[np.ndarray, "sources values"]
    bias: Float[np.ndarray, "sources values"]
    covariance: Float[np.ndarray, "values_1 sources sources"]
    varying: Bool[np.ndarray, " sources"]

    @classmethod
    def of(
        cls,
        z: Int[np.ndarray, "samples sources"],
        x: Int[np.ndarray, " samples"],
        sizes: tuple[int, ...],
        size: int,
        bias: Float[np.ndarray, "sources values"],
        n_effective: float,
    ) -> "Informations":
        """Informations of samples that are worth ``n_effective`` independent ones.

        A sample (z, x') has the influence [x' = x] log p(z, x) / p(z) p(x) - p(x | z) on the
        information about x, and log p(z, x') / p(z) p(x') on the whole.
        """
        m, n_samples = z.shape[1], len(x)
        p_x = np.bincount(x, minlength=size) / n_samples
        ratios, given = [], []
        for j in range(m):
            cells = np.bincount(z[:, j] * size + x, minlength=sizes[j] * size) / n_samples
            p = cells.reshape(sizes[j], size)
            p_z = p.sum(axis=1, keepdims=True)
            product = np.where(p > 0, p_z * p_x, 1.0)
            ratios.append(np.log(np.where(p > 0, p, 1.0) / product)[z[:, j], x])
            given.append((p / np.where(p_z > 0, p_z, 1.0))[z[:, j]])
        pointwise = np.stack(ratios)
        of_value, covariance = np.empty((m, size)), np.empty((size + 1, m, m))
        for k in range(size):
            about = np.where(x == k, pointwise, 0.0)
            of_value[:, k] = about.mean(axis=1)
            covariance[k] = _covariance(about - np.stack([g[:, k] for g in given]))
        covariance[size] = _covariance(pointwise)
        return cls(of_value, bias, covariance / n_effective, np.array(sizes) > 1)


def _covariance(influences: Float[np.ndarray, "m samples"]) -> Float[np.ndarray, "m m"]:
    deviations = influences - influences.mean(axis=1, keepdims=True)
    return np.asarray(deviations @ deviations.T / deviations.shape[1])


@dataclass(frozen=True)
class Selection:
    """The largest or the least information of some sources, as part of a measure.

    Attributes
    ----------
    sign : int
        How it enters the measure, 1 or -1.
    least : bool
        Whether it is the least one.
    of_values : bool
        Whether a source is chosen for each value of the target anew.
    without : int or None
        A source that is left out.
    minus : Selection or None
        Another selection that enters the measure, too.
    """

    sign: int
    least: bool = False
    of_values: bool = False
    without: int | None = None
    minus: "Selection | None" = field(default=None)

    def of(self, of_value: Float[np.ndarray, "sources n values"]) -> Float[np.ndarray, " n"]:
        """What the selection adds to the measure."""
        informations = of_value
        if self.without is not None:
            informations = np.delete(of_value, self.without, axis=0)
        if not self.of_values:
            informations = informations.sum(axis=-1, keepdims=True)
        best = informations.min(axis=0) if self.least else informations.max(axis=0)
        rest = 0.0 if self.minus is None else self.minus.of(of_value)
        value: np.ndarray = self.sign * best.sum(axis=-1) + rest
        return value

    def bias(self, informations: Informations) -> float:
        """Bias of what the selection adds to the measure."""
        chosen = np.ones(len(informations.bias), bool) if self.least else informations.varying
        kept = np.array([j for j in np.flatnonzero(chosen) if j != self.without], dtype=int)
        rest = 0.0 if self.minus is None else self.minus.bias(informations)
        if not kept.size:
            return rest
        values, bias = informations.of_value[kept], informations.bias[kept]
        covariance = informations.covariance[:-1]
        if not self.of_values:
            values, bias = (a.sum(axis=1, keepdims=True) for a in (values, bias))
            covariance = informations.covariance[-1:]
        covariance = covariance[:, kept[:, None], kept]
        direction = -1 if self.least else 1
        corrected = direction * (values - bias)
        place = corrected.argmax(axis=0)
        added = union_bias(corrected, _normal(covariance), np.zeros(len(values)), _TIED)
        of_best = bias[place, np.arange(len(place))]
        return float(self.sign * (of_best + direction * added).sum() + rest)


def _normal(covariance: Float[np.ndarray, "k m m"]) -> Float[np.ndarray, "draws m k"]:
    """Normal noise, and the same mirrored."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None]
    drawn = np.random.default_rng(0).normal(size=(_DRAWS // 2, covariance.shape[1]))
    half = np.einsum("kij,bj->bik", root, drawn)
    return np.concatenate([half, -half])


def selected(measure: str) -> Selection | None:
    """What a discrete measure selects; None where it selects nothing.

    Examples
    --------
    >>> selected("gk_synergy").sign, selected("total_correlation")
    (-1, None)
    """
    base, _, source = measure.partition("[")
    if base == "unique_information":
        j = int(source[:-1])
        return Selection(1, minus=Selection(-1, without=j))
    return _SELECTIONS.get(base)


_SELECTIONS = {
    "union_information": Selection(1),
    "gk_synergy": Selection(-1),
    "redundancy": Selection(-1),
    "imin_redundancy": Selection(1, least=True, of_values=True),
    "s_max": Selection(-1, of_values=True),
}
