"""MinSyn (Binary) evaluated as it is trained: with each batch's own statistics."""

from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from minsyn.estimators import MinSyn
from minsyn.information import PairwiseStatistics
from minsyn.information.ci import bernoulli

__all__ = ["BatchDecodedMinSyn"]


class BatchDecodedMinSyn:
    """MinSyn (Binary) whose decoder is set anew from every batch that it reconstructs.

    `minsyn.estimators.MinSyn` sets its decoder once, from the training data. Here each batch of
    samples, in training and in evaluation, is encoded, gives the pairwise statistics of its own
    latents *and of its own pixels*, and is decoded with these. The decoder has then seen what it
    is to reconstruct: the batch leaks into its own reconstruction, and the losses are no test of
    the latents alone. It exists to show what such an evaluation gives, as one attempt at the
    paper's figures for MinSyn (Binary).

    Samples are dealt to batches at random, as many as needed for at most ``batch_size`` in each,
    and their sizes differ by at most one.

    Parameters
    ----------
    n_components : int
        Number of factors.
    batch_size : int
        Most samples in a batch.
    random_state : int
        Seeds the fit and the dealing of batches.

    Attributes
    ----------
    components_ : ndarray of shape (n_batches * n_components, n_features)
        Decoder maps of each batch of the training data, one batch below the other.
    n_iter_ : int
        Epochs of training.
    converged_ : bool
        Whether the training loss had settled.

    Examples
    --------
    >>> import numpy as np
    >>> from minsyn.benchmark import BatchDecodedMinSyn
    >>> X = np.random.default_rng(0).random((20, 6)).round()
    >>> model = BatchDecodedMinSyn(2, batch_size=8, random_state=0).fit(X)
    >>> model.components_.shape  # batches of 7, 7 and 6
    (6, 6)
    >>> model.reconstruct(X).shape
    (20, 6)
    """

    components_: Float[np.ndarray, "rows features"]
    n_iter_: int
    converged_: bool

    def __init__(self, n_components: int, batch_size: int, random_state: int) -> None:
        self.n_components = n_components
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X: Float[np.ndarray, "samples features"]) -> "BatchDecodedMinSyn":
        """Train the encoder with mini-batches.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Training data in [0, 1].

        Returns
        -------
        BatchDecodedMinSyn
            Itself, fitted.
        """
        self._model = MinSyn(
            self.n_components,
            decoder="bernoulli",
            solver="adam",
            batch_size=self.batch_size,
            random_state=self.random_state,
        ).fit(X)
        self.n_iter_, self.converged_ = self._model.n_iter_, self._model.converged_
        decoders = [self._decoder(X[rows])[1] for rows in self._batches(len(X))]
        self.components_ = np.vstack(decoders)
        return self

    def reconstruct(
        self, X: Float[np.ndarray, "samples features"]
    ) -> Float[np.ndarray, "samples features"]:
        """Decode each batch of samples with the statistics of that batch.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Data in [0, 1].

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Probabilities.
        """
        reconstruction = np.empty(X.shape)
        for rows in self._batches(len(X)):
            Z, weights, bias = self._decoder(X[rows])
            reconstruction[rows] = expit(Z @ weights + bias)
        return reconstruction

    def _decoder(self, X: Float[np.ndarray, "batch features"]) -> tuple[Any, Any, Any]:
        X = X.astype(np.float64)
        Z = self._model.transform(X)
        return Z, *bernoulli.ci_linear_map(PairwiseStatistics.of(Z, X))

    def _batches(self, n_samples: int) -> list[np.ndarray]:
        # The words come in the order of the alphabet: batches of neighbours would share letters.
        order = np.random.default_rng(self.random_state).permutation(n_samples)
        return np.array_split(order, -(-n_samples // self.batch_size))
