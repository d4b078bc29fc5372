"""A model of scaled data made one of the data as they were."""

import numpy as np
from jaxtyping import Float

from minsyn.estimators.minsyn import MinSyn
from minsyn.information.statistics import PairwiseStatistics

__all__ = ["undo_scaling"]


def undo_scaling(
    model: MinSyn, mean: Float[np.ndarray, " features"], scale: Float[np.ndarray, " features"]
) -> None:
    """Fold a scaling into a fitted model, so that it takes data that are not scaled.

    The model's latents stay what they were. A Gaussian decoder then gives features as they were
    before the scaling; a Bernoulli decoder's probabilities remain those of the scaled features.

    Parameters
    ----------
    model : MinSyn
        Fitted to ``(X - mean) / scale``; changed in place.
    mean, scale : ndarray of shape (n_features,)
        The scaling.

    Examples
    --------
    >>> from minsyn import MinSyn
    >>> X = np.random.default_rng(0).exponential(size=(50, 3)) * [1, 10, 100]
    >>> mean, scale = X.mean(axis=0), X.std(axis=0)
    >>> model = MinSyn(2, max_iter=5, random_state=0).fit((X - mean) / scale)
    >>> Z = model.transform((X - mean) / scale)
    >>> undo_scaling(model, mean, scale)
    >>> bool(np.allclose(model.transform(X), Z))
    True
    """
    model.encoder_weights_ = model.encoder_weights_ / scale
    model.encoder_bias_ = model.encoder_bias_ - model.encoder_weights_ @ mean
    if model.decoder == "gaussian":
        statistics = model.statistics_
        model.statistics_ = PairwiseStatistics(
            statistics.weight,
            statistics.mean_z,
            mean + scale * statistics.mean_x,
            statistics.cov_zz,
            statistics.cov_zx * scale,
            statistics.var_x * scale**2,
        )
        model.components_ = model.components_ * scale
        model.intercept_ = mean + scale * model.intercept_
