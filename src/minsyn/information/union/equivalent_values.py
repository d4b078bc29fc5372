"""Values that tell the same, merged before the union information is minimised.

Two values of a source with the same p(x|z_j) are one value to the target: a channel that knows only
the merged value restores them. Two values of the target for which all p(z_j|x) are the same merge
as well, since the information is convex. So neither changes the union information, and tables of
many categories and few samples, where most values occur once or twice, become small.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from minsyn.information._pmf import source_marginals

#: Decimals of log probabilities that have to agree: all but rounding.
DECIMALS = 13
#: Labels of values that never occur.
NEVER = -1


@dataclass(frozen=True)
class Merged:
    """A pmf of merged values.

    Attributes
    ----------
    p : array
        The pmf of the merged values.
    labels : tuple of int arrays, one for each axis
        The merged value of every value, or ``NEVER``.
    shares : tuple of arrays, one for each axis
        The part of its merged value's probability that each value has.
    """

    p: Float[np.ndarray, "*sources x"]
    labels: tuple[Int[np.ndarray, " _"], ...]
    shares: tuple[Float[np.ndarray, " _"], ...]

    @classmethod
    def of(cls, p: Float[np.ndarray, "*sources x"]) -> "Merged | None":
        """Merge the values of a pmf; None if there is nothing to merge."""
        pairs = source_marginals(p)
        about = [*pairs, np.concatenate([p_zx.T for p_zx in pairs], axis=1)]
        labels = tuple(_labels(rows) for rows in about)
        sizes = tuple(int(of_axis.max()) + 1 for of_axis in labels)
        if sizes == p.shape:
            return None
        merged, shares = p, []
        for axis, (of_axis, size, rows) in enumerate(zip(labels, sizes, about, strict=True)):
            kept = np.flatnonzero(of_axis != NEVER)
            order = kept[np.argsort(of_axis[kept], kind="stable")]
            starts = np.searchsorted(of_axis[order], np.arange(size))
            merged = np.add.reduceat(np.take(merged, order, axis), starts, axis)
            single = rows.sum(1)
            total = np.bincount(of_axis[kept], single[kept], size)
            shares.append(np.where(of_axis == NEVER, 0.0, single / total[of_axis]))
        return cls(merged, labels, tuple(shares))

    def distribution(self, q: Float[np.ndarray, "*merged"]) -> Float[np.ndarray, "*values"]:
        """The distribution of all values, given that of the merged ones."""
        q = q[np.ix_(*self.labels)]
        for axis, share in enumerate(self.shares):
            q = q * share.reshape(*(-1 if a == axis else 1 for a in range(q.ndim)))
        return q

    def potential(self, j: int, f: Float[np.ndarray, "_ _"]) -> Float[np.ndarray, "_ _"]:
        """f_j of all values; -inf for those that never occur."""
        found: np.ndarray = f[np.ix_(self.labels[j], self.labels[-1])]
        found[self.labels[j] == NEVER] = -np.inf
        found[:, self.labels[-1] == NEVER] = -np.inf
        return found


def _labels(rows: Float[np.ndarray, "_ _"]) -> Int[np.ndarray, " _"]:
    """Equal numbers for rows that are proportional."""
    total = rows.sum(1)
    labels = np.full(len(rows), NEVER)
    some = np.flatnonzero(total > 0)
    given = rows[some] / total[some, None]
    # No log of a probability is positive: 1 marks zeros.
    keys = np.where(given > 0, np.log(np.where(given > 0, given, 1.0)).round(DECIMALS), 1.0) + 0.0
    labels[some] = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    return labels
