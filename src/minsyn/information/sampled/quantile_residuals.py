"""Randomised quantile residuals of categories: what a channel leaves of them.

A category c that has the probabilities p(.) given its sources leaves ``u = F(c - 1) + v p(c)`` with
a uniform v, which is uniform itself and independent of the sources where p is right (Dunn and Smyth
1996, "Randomized quantile residuals"). Shifted in time, and turned into categories again, residuals
give series with about the autocorrelation that was observed, where v remembers as much.

F adds up the categories in an order. Their own is right where noise is added to what decides on
them, the order from likely to unlikely where noise flips them: the one is taken whose residuals
remember more.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from minsyn.information.sampled.autocorrelation import autocovariances

__all__ = ["Residuals", "channel"]

#: Lags at which residuals are compared.
_LAGS = 10


def channel(
    counts: Float[np.ndarray, "given k"] | Int[np.ndarray, "given k"],
    otherwise: Float[np.ndarray, "*given k"],
) -> Float[np.ndarray, "given k"]:
    """Probabilities of categories given each value; those of ``otherwise`` where none was seen.

    Examples
    --------
    >>> channel(np.array([[3, 1], [0, 0]]), np.array([0.5, 0.5]))
    array([[0.75, 0.25],
           [0.5 , 0.5 ]])
    """
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, counts / np.where(total > 0, total, 1.0), otherwise)


@dataclass(frozen=True, eq=False)
class Residuals:
    """Residuals of a series of categories with given probabilities.

    Attributes
    ----------
    places : int array of shape (n_samples,)
        Place of each sample's category in the order.
    given : ndarray of shape (n_samples, k)
        Probabilities in that order.
    order : int array of shape (n_samples, k)
        The categories in that order.

    Examples
    --------
    >>> given = np.array([[0.5, 0.5], [0.25, 0.75]])
    >>> residuals = Residuals.in_order(np.array([0, 1]), given, np.array([[0, 1], [0, 1]]))
    >>> residuals.draw(np.full((1, 2), 0.5))
    array([[0.25 , 0.625]])
    >>> residuals.categories(np.array([[0.25, 0.625], [0.6, 0.2]]))
    array([[0, 1],
           [1, 0]])
    """

    places: Int[np.ndarray, " samples"]
    given: Float[np.ndarray, "samples k"]
    order: Int[np.ndarray, "samples k"]

    @classmethod
    def of(
        cls,
        codes: Int[np.ndarray, " samples"],
        given: Float[np.ndarray, "samples k"],
        lengths: Int[np.ndarray, " trials"],
    ) -> "Residuals":
        """Residuals of the order in which they remember more."""
        own = np.broadcast_to(np.arange(given.shape[1]), given.shape)
        by_surprise = np.argsort(-given, axis=1, kind="stable")
        candidates = [cls.in_order(codes, given, order) for order in (own, by_surprise)]
        half = np.full((1, len(codes)), 0.5)
        both = np.concatenate([one.draw(half) for one in candidates]).T
        covariances = autocovariances(both, lengths, min(_LAGS, max(len(codes) - 1, 1)))
        varies = covariances[0] > 0
        memory = np.where(varies, covariances[1:].sum(axis=0), 0.0)
        memory /= np.where(varies, covariances[0], 1.0)
        return candidates[int(memory[1] > memory[0])]

    @classmethod
    def in_order(
        cls,
        codes: Int[np.ndarray, " samples"],
        given: Float[np.ndarray, "samples k"],
        order: Int[np.ndarray, "samples k"],
    ) -> "Residuals":
        """Residuals of one order of the categories for each sample."""
        places = np.argsort(order, axis=1)[np.arange(len(codes)), codes]
        return cls(places, np.take_along_axis(given, order, axis=1), order)

    def draw(self, uniform: Float[np.ndarray, "b samples"]) -> Float[np.ndarray, "b samples"]:
        """Residuals from uniform numbers."""
        at = np.arange(len(self.places))
        p = self.given[at, self.places]
        u: np.ndarray = self.given.cumsum(axis=1)[at, self.places] - p + p * uniform
        return u

    def categories(self, u: Float[np.ndarray, "b samples"]) -> Int[np.ndarray, "b samples"]:
        """Categories that leave the residuals u."""
        places = np.zeros(u.shape, dtype=np.int64)
        for bound in self.given.cumsum(axis=1).T[:-1]:
            places += u >= bound
        return self.order[np.arange(u.shape[1]), places]
