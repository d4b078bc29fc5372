"""How much fitted latents tell only in combination, measured on what they were fitted to."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from sklearn.pipeline import Pipeline

__all__ = ["MEASURES", "MeasuredSynergy", "measure_synergy"]


class MeasuredSynergy(NamedTuple):
    """Synergies of latents about the pixels, in bits, averaged by the pixels' variances.

    Latents and pixels are taken as jointly Gaussian.

    Attributes
    ----------
    ci_synergy : float
        What a decoder loses that takes latents for independent given a pixel (Eq. 4).
    gk_synergy : float
        What all latents tell beyond the best one (Eq. 3), corrected for the number of words.
    gk_synergy_groups : float
        What all groups of latents tell beyond the best group; NaN for methods without groups.
    """

    ci_synergy: float
    gk_synergy: float
    gk_synergy_groups: float


#: The measures, with the decimals that they are shown with.
MEASURES = dict.fromkeys(MeasuredSynergy._fields, 3)

_UNKNOWN = MeasuredSynergy(float("nan"), float("nan"), float("nan"))


def measure_synergy(estimator: Any, X: Float[np.ndarray, "samples features"]) -> MeasuredSynergy:
    """Measure the latents of a fitted estimator.

    Parameters
    ----------
    estimator : object
        Fitted. Groups of latents are its ``latent_groups_``, if it has any.
    X : ndarray of shape (n_samples, n_features)
        Data.

    Returns
    -------
    MeasuredSynergy
        NaN for estimators without ``transform``, and for so few samples that the latents seem to
        determine everything.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> Z = np.random.default_rng(0).normal(size=(100, 2)) * [2.0, 1.0]
    >>> X = Z @ np.array([[1.0, 1.0], [1.0, -1.0]])
    >>> measured = measure_synergy(PCA(2, svd_solver="full").fit(X), X)
    >>> measured.gk_synergy > 3  # each pixel needs both components
    True
    """
    from minsyn.estimators._single_parent import measured_synergy
    from minsyn.estimators._synergy_report import synergy_report

    if not hasattr(estimator, "transform"):
        return _UNKNOWN
    Z = np.asarray(estimator.transform(X), dtype=np.float64)
    if len(Z) <= Z.shape[1] + 1:
        return _UNKNOWN
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    groups = getattr(last, "latent_groups_", None)
    gk = measured_synergy(Z, X, np.zeros(Z.shape[1], int) if groups is None else groups)
    return MeasuredSynergy(
        synergy_report(Z, X, tuple(map(str, range(X.shape[1])))).mean["ci_synergy"],
        gk.latents,
        _UNKNOWN.gk_synergy_groups if groups is None else gk.groups,
    )
