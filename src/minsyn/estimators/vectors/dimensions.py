"""Number of dimensions of features: principal components beyond noise, and their errors."""

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize_scalar

__all__ = ["LEAST_VARIANCE", "errors_of_axes", "n_dimensions"]

#: A component must explain more than a standardised feature does by itself.
LEAST_VARIANCE = 1.0
#: Quantile .99 of the Tracy-Widom law of real samples.
_TRACY_WIDOM = 2.02
#: Variances of the noise enter by so many of their quantiles.
_QUANTILES = 200
#: Least number of samples that are left when the components found are taken out.
_LEAST_FREEDOM = 3
#: Variances of the noise below this are rounding.
_ROUNDING = 1e-12


def n_dimensions(
    variances: Float[np.ndarray, " k"],
    axes: Float[np.ndarray, "k features"],
    n_samples: int,
) -> int:
    r"""Number of principal components of standardised features that stand out from noise.

    Component :math:`k + 1` counts if its variance exceeds 1, as in the empirical Kaiser criterion
    [1]_, and the largest variance that independent noise would have in what the first :math:`k`
    components leave: the upper edge of the spectrum,

    .. math::

        \min_{0 < v < 1 / \max_i \psi_i}
            \frac1v + \gamma \frac1p \sum_i \frac{\psi_i}{1 - v \psi_i}, \quad
        \gamma = \frac{p - k}{n - 1 - k},

    for features with the variances :math:`\psi_i` that are left [2]_, raised to the quantile .99 of
    the law of Tracy and Widom [3]_.

    Parameters
    ----------
    variances : ndarray of shape (k,)
        Variances along the first components, in descending order; at least all above 1.
    axes : ndarray of shape (k, n_features)
        These components.
    n_samples : int
        Number of samples.

    Returns
    -------
    int
        0 where no component stands out.

    References
    ----------
    .. [1] Braeken and van Assen, "An empirical Kaiser criterion", Psychological Methods 22, 2017.
    .. [2] Dobriban and Owen, "Deterministic parallel analysis: an improved method for selecting
       factors and principal components", Journal of the Royal Statistical Society B 81, 2019.
    .. [3] Kritchman and Nadler, "Determining the number of components in a factor model from
       limited noisy data", Chemometrics and Intelligent Laboratory Systems 94, 2008.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(200, 2)), 4, axis=1) + rng.normal(size=(200, 8))
    >>> variances, axes = np.linalg.eigh(np.corrcoef(X.T))
    >>> n_dimensions(variances[::-1], axes.T[::-1], 200)
    2
    """
    n_features = axes.shape[1]
    left = np.ones(n_features)
    found = 0
    for variance, axis in zip(variances, axes, strict=True):
        freedom, dimensions = n_samples - 1 - found, n_features - found
        if freedom < _LEAST_FREEDOM:
            break
        # The noise has lost a direction of the features and one of the samples to each component.
        noise = left * (n_features / dimensions)
        edge = _upper_edge(noise, dimensions / freedom)
        a, b = np.sqrt(freedom), np.sqrt(dimensions)
        edge *= 1 + _TRACY_WIDOM * np.cbrt(1 / a + 1 / b) / (a + b)
        if variance <= max(edge, LEAST_VARIANCE):
            break
        left = np.maximum(left - variance * axis**2, 0.0)
        found += 1
    return found


def _upper_edge(variances: Float[np.ndarray, " features"], gamma: float) -> float:
    """Largest variance of the components of noise with gamma features a sample."""
    most = float(variances.max())
    if most <= _ROUNDING:
        return 0.0
    psi = variances / most
    if len(psi) > _QUANTILES:
        psi = np.quantile(psi, (np.arange(_QUANTILES) + 0.5) / _QUANTILES)

    def edge(v: float) -> float:
        return 1 / v + gamma * float(np.mean(psi / (1 - v * psi)))

    result = minimize_scalar(edge, bounds=(1e-6, 1 - 1e-9), method="bounded")
    return most * float(result.fun)


def errors_of_axes(
    variances: Float[np.ndarray, " m"], axes: Float[np.ndarray, "m features"], n_samples: int
) -> Float[np.ndarray, "m features"]:
    r"""Sampling variance of each entry of the first principal axes.

    For a component of variance :math:`\ell` in units of the noise, the axis of samples has the
    squared cosine

    .. math::

        c^2 = \Bigl(1 - \frac{\gamma}{(\ell - 1)^2}\Bigr) \Big/
              \Bigl(1 + \frac{\gamma}{\ell - 1}\Bigr), \quad \gamma = p / n,

    with the true one, and the variance :math:`\ell (1 + \gamma / (\ell - 1))` [1]_. The rest,
    :math:`1 - c^2`, is shared out over the features by the variances of their noise.

    Parameters
    ----------
    variances : ndarray of shape (m,)
        Variances along the components that stand out.
    axes : ndarray of shape (m, n_features)
        The components.
    n_samples : int
        Number of samples.

    References
    ----------
    .. [1] Paul, "Asymptotics of sample eigenstructure for a large dimensional spiked covariance
       model", Statistica Sinica 17, 2007.

    Examples
    --------
    >>> axis = np.full((1, 4), 0.5)
    >>> errors_of_axes(np.array([3.0]), axis, 100).round(4)
    array([[0.0014, 0.0014, 0.0014, 0.0014]])
    """
    m, p = axes.shape
    noise = max((p - variances.sum()) / max(p - m, 1), _ROUNDING)
    gamma = p / n_samples
    b = variances / noise + 1 - gamma
    ell = (b + np.sqrt(np.maximum(b * b - 4 * variances / noise, 0.0))) / 2
    beyond = np.maximum(ell - 1, np.sqrt(gamma))
    squared_cosine = (1 - gamma / beyond**2) / (1 + gamma / beyond)
    left = np.maximum(1 - variances @ axes**2, _ROUNDING)
    return np.outer(1 - squared_cosine, left / left.sum())
