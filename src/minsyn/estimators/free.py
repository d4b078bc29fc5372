"""Parameter value that selects a trained decoder."""

from typing import Any

from sklearn.base import BaseEstimator

__all__ = ["Free"]


class Free(BaseEstimator):
    """Trained decoder with a penalty on its synergy, for ``MinSyn(decoder=...)``.

    The loss is the reconstruction loss plus ``synergy_weight`` times the synergy of the decoder,
    which is its divergence from the decoder without synergy. A weight of 0 gives a plain
    autoencoder. The larger the weight, the smaller the synergy.

    Parameters
    ----------
    decoder : str, type or partial, default="gaussian"
        The decoder without synergy, as for `MinSyn`.
    synergy_weight : float, default=0.0
        Weight of the penalty, `minsyn.nn.Decoder.synergy_penalty`, relative to the reconstruction
        loss.

    Examples
    --------
    >>> import numpy as np
    >>> from minsyn import MinSyn
    >>> X = np.random.default_rng(0).random((50, 4))
    >>> model = MinSyn(2, decoder=Free("bernoulli", synergy_weight=1.0), random_state=0).fit(X)
    >>> model.components_.shape
    (2, 4)
    """

    def __init__(self, decoder: Any = "gaussian", synergy_weight: float = 0.0) -> None:
        self.decoder = decoder
        self.synergy_weight = synergy_weight
