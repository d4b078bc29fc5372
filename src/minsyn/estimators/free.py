"""Choice of a decoder that is trained."""

from typing import Any

from sklearn.base import BaseEstimator

__all__ = ["Free"]


class Free(BaseEstimator):
    """Choice of a decoder that is trained, for ``MinSyn(decoder=...)``.

    The loss is that of reconstruction plus ``synergy_weight`` times the synergy of the decoder, its
    divergence from the decoder without synergy. 0 gives a plain autoencoder; synergy falls as the
    weight rises.

    Parameters
    ----------
    decoder : str, type or partial, default="gaussian"
        Decoder without synergy that the trained one is drawn towards, as for `MinSyn`.
    synergy_weight : float, default=0.0
        Multiple of that divergence (`minsyn.nn.Decoder.synergy_penalty`), in units of the
        reconstruction loss.

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
