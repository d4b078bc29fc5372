"""Number of factors: parallel analysis, the empirical Kaiser criterion, and Velicer's MAP test."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.linalg import eigh, eigvalsh, eigvalsh_tridiagonal

from minsyn.information._arrays import as_numbers
from minsyn.information._options import number, whole_number
from minsyn.metrics._random import RandomState, as_generator

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

__all__ = [
    "AveragePartial",
    "Scree",
    "empirical_kaiser",
    "minimum_average_partial",
    "parallel_analysis",
]

#: Matrices sampled under independence, and the quantile of their eigenvalues that counts.
_RESAMPLES, _QUANTILE = 100, 0.95
#: Ranks up to which correlation matrices of independent features are sampled as they are, and
#: entries of a wide sample up to which it is drawn. Beyond, the tridiagonal form of a Wishart
#: matrix takes a fraction of the time, and is as good.
_EXACT_RANK, _EXACT_ENTRIES = 200, 1_000_000
#: Relative error of sampled eigenvalues where only the leading ones are found: a small part of
#: their spread.
_ENOUGH = 1e-5
#: Entries of the matrices that are drawn at once.
_BATCH_ENTRIES = 2**20
#: Deviation from symmetry and from a unit diagonal that is taken for rounding.
_ROUNDING = 1e-6
_MOST_RESAMPLES = 1_000_000
#: Samples, or their weight, up to which each one counts in float64.
MOST_SAMPLES = 2**53
#: A variance below this is none: so much of a feature is left when components explain it wholly.
_NO_VARIANCE = 1e-10
#: Eigenvalues that `str` lists beyond those of the factors, and in all.
_TAIL, _LISTED = 5, 30


@dataclass(frozen=True, eq=False)
class Scree:
    """Eigenvalues of a correlation matrix, and what they must exceed to count as factors.

    Attributes
    ----------
    eigenvalues : ndarray of shape (n_eigenvalues,)
        In descending order. With fewer samples than features, those that are zero are left out.
    reference : ndarray of shape (n_eigenvalues,)
        What each must exceed: a quantile under independence, or another criterion's bound.
    n_factors : int
        Number of leading eigenvalues that exceed their reference; 0 where the first does not.
    criterion : str
        What the reference is, in words.
    """

    eigenvalues: Float[np.ndarray, " k"]
    reference: Float[np.ndarray, " k"]
    n_factors: int
    criterion: str

    def to_frame(self) -> "DataFrame":
        """One row for each eigenvalue, numbered from 1.

        Returns
        -------
        DataFrame
            Columns eigenvalue, reference, and retained.
        """
        from pandas import DataFrame, RangeIndex

        number = np.arange(len(self.eigenvalues))
        return DataFrame(
            {
                "eigenvalue": self.eigenvalues,
                "reference": self.reference,
                "retained": number < self.n_factors,
            },
            index=RangeIndex(1, len(number) + 1, name="number"),
        )

    def plot(self, max_shown: int | None = None) -> "Figure":
        """Draw the eigenvalues in descending order, above what they must exceed.

        Eigenvalues that count as factors are filled.

        Parameters
        ----------
        max_shown : int, optional
            The most eigenvalues to draw. Default: those of the factors, and the first after them.

        Returns
        -------
        matplotlib.figure.Figure
            Not registered with pyplot: save it by ``figure.savefig(...)``; a notebook shows it.

        Examples
        --------
        >>> from minsyn.metrics import parallel_analysis
        >>> figure = parallel_analysis(np.eye(4), 100, random_state=0).plot()
        >>> figure.axes[0].get_title(loc="left")
        'no factor'
        """
        from minsyn.metrics.scree_plot import plot_scree

        return plot_scree(self, max_shown)

    def __str__(self) -> str:
        noun = "factor" if self.n_factors == 1 else "factors"
        shown = min(len(self.eigenvalues), max(self.n_factors + _TAIL, 1), _LISTED)
        lines = [f"{self.criterion}: {self.n_factors} {noun}", "       eigenvalue  reference"]
        for i in range(shown):
            mark = "  *" if i < self.n_factors else ""
            lines.append(f"{i + 1:5d}{self.eigenvalues[i]:12.3f}{self.reference[i]:11.3f}{mark}")
        if shown < len(self.eigenvalues):
            lines.append(f"... and {len(self.eigenvalues) - shown} more; see to_frame()")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class AveragePartial:
    """Average squared partial correlations, by the number of components taken out.

    Attributes
    ----------
    average_squared : ndarray of shape (n_tried,)
        The average when 0, 1, 2, ... principal components are partialled out.
    n_factors : int
        Number of components at which it is smallest.
    """

    average_squared: Float[np.ndarray, " m"]
    n_factors: int

    def plot(self, max_shown: int | None = None) -> "Figure":
        """Draw the averages by the number of components; the smallest is filled.

        Parameters
        ----------
        max_shown : int, optional
            The most components to draw. Default: some more than there are factors.

        Returns
        -------
        matplotlib.figure.Figure
            Not registered with pyplot.

        Examples
        --------
        >>> from minsyn.metrics import minimum_average_partial
        >>> minimum_average_partial(np.eye(4)).plot().axes[0].get_title(loc="left")
        'no factor'
        """
        from minsyn.metrics.scree_plot import plot_average_partial

        return plot_average_partial(self, max_shown)


def parallel_analysis(
    correlation: ArrayLike,
    n_samples: int,
    *,
    kind: Literal["components", "factors"] = "components",
    n_resamples: int = _RESAMPLES,
    quantile: float = _QUANTILE,
    random_state: RandomState = None,
) -> Scree:
    r"""Number of factors whose eigenvalues exceed those of independent features (Horn).

    A factor is retained while its eigenvalue :math:`\lambda_j` is above the quantile of the
    :math:`j`-th eigenvalue of correlation matrices of as many samples of independent normal
    features. No data are needed: with :math:`n \ge p` such a matrix is :math:`A A^\top` with the
    rows of :math:`A` at unit length, where :math:`A` is Bartlett's triangular factor of a Wishart
    matrix [4]_. With fewer samples its non-zero eigenvalues are those of the small Gram matrix.

    Parameters
    ----------
    correlation : array-like of shape (n_features, n_features)
        Correlations of the features.
    n_samples : int
        Number of samples that they were computed from.
    kind : {"components", "factors"}, default="components"
        "components" takes the eigenvalues of the correlation matrix [1]_. "factors" takes those of
        the reduced matrix [3]_, which has squared multiple correlations on its diagonal; it finds
        weak factors more readily, and tends to find too many.
    n_resamples : int, default=100
        Number of matrices sampled under independence.
    quantile : float, default=0.95
        Quantile that an eigenvalue must exceed [2]_. Independent features give at least one factor
        with a probability of about ``1 - quantile``.
    random_state : int, Generator, RandomState or None, default=None
        Seeds the matrices.

    Returns
    -------
    Scree

    Raises
    ------
    ValueError
        If the matrix is no correlation matrix, or an argument is out of range; for ``"factors"``,
        if there are no more samples than features, or the matrix is not positive definite.

    See Also
    --------
    empirical_kaiser : A bound in closed form, which takes earlier factors into account.
    minimum_average_partial : A criterion that needs no number of samples.

    Notes
    -----
    The null knows nothing of the factors found so far. Where a strong one leaves the others little
    variance, as a general factor behind correlated ones does, or where samples are few, too few
    factors may be found: 1 of 3 in Thurstone's nine tests of abilities. `empirical_kaiser` allows
    for this. ``benchmarks/n_factors.py`` compares the criteria.

    Beyond rank 200, the eigenvalues under independence are those of a Wishart matrix of trace
    :math:`p`, from its tridiagonal form with independent chi-square entries [5]_. They have the
    limits of those of correlation matrices [6]_, but the variances of the features spread them. To
    second order in these, and with the law of Marchenko and Pastur for the others, an eigenvalue
    moves by :math:`\lambda (\lambda - 1 - p/n) / p`, which is taken off. From rank 150 on, the
    means of components then agree with those of correlation matrices to a tenth of an eigenvalue's
    standard deviation, those of factors to a third.

    References
    ----------
    .. [1] Horn, "A rationale and test for the number of factors in factor analysis",
       Psychometrika 30, 1965.
    .. [2] Glorfeld, "An improvement on Horn's parallel analysis methodology for selecting the
       correct number of factors to retain", Educational and Psychological Measurement 55, 1995.
    .. [3] Humphreys and Montanelli, "An investigation of the parallel analysis criterion for
       determining the number of common factors", Multivariate Behavioral Research 10, 1975.
    .. [4] Bartlett, "On the theory of statistical regression", Proceedings of the Royal Society
       of Edinburgh 53, 1933.
    .. [5] Dumitriu and Edelman, "Matrix models for beta ensembles", Journal of Mathematical
       Physics 43, 2002, Sec. III.
    .. [6] Bao, Pan and Zhou, "Tracy-Widom law for the extreme eigenvalues of sample correlation
       matrices", Electronic Journal of Probability 17, 2012.

    Examples
    --------
    Two causes behind six features:

    >>> from minsyn.metrics import parallel_analysis
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(200, 2)), 3, axis=1) + rng.normal(size=(200, 6))
    >>> scree = parallel_analysis(np.corrcoef(X.T), len(X), random_state=0)
    >>> scree.n_factors
    2
    >>> print(scree)
    parallel analysis (components): 2 factors
           eigenvalue  reference
        1       2.157      1.322  *
        2       1.942      1.183  *
        3       0.584      1.087
        4       0.540      1.003
        5       0.438      0.929
        6       0.340      0.851
    """
    matrix = _checked_correlation(correlation)
    n_features = len(matrix)
    _check_samples(n_samples)
    whole_number(n_resamples, "n_resamples", 1, _MOST_RESAMPLES)
    if not 0 < number(quantile, "quantile") < 1:
        raise ValueError(f"quantile={quantile} must lie between 0 and 1")
    if kind not in ("components", "factors"):
        raise ValueError(f'kind={kind!r} must be "components" or "factors"')
    if kind == "factors":
        if n_samples <= n_features:
            raise ValueError(
                f'kind="factors" needs more samples than features, found n_samples={n_samples} '
                f'for {n_features} features: use "components"'
            )
        matrix = _reduced(matrix)
    eigenvalues = eigvalsh(matrix)[::-1]
    shape = n_features, n_samples
    return _above_chance(eigenvalues, shape, kind, n_resamples, quantile, random_state)


def parallel_analysis_of_spectrum(
    eigenvalues: Float[np.ndarray, " k"],
    n_features: int,
    n_samples: int,
    random_state: RandomState = None,
) -> Scree:
    """`parallel_analysis` of components, from the leading eigenvalues alone.

    Parameters
    ----------
    eigenvalues : ndarray of shape (k,)
        The largest eigenvalues of the correlations, in descending order.
    n_features, n_samples : int
        Shape of the data.
    random_state : int, Generator, RandomState or None, default=None
        Seeds the matrices.

    Returns
    -------
    Scree
        If all of these eigenvalues are retained, further ones might be.

    Examples
    --------
    >>> parallel_analysis_of_spectrum(np.array([2.2, 1.9]), 6, 200, 0).n_factors
    2
    """
    shape = n_features, n_samples
    return _above_chance(eigenvalues, shape, "components", _RESAMPLES, _QUANTILE, random_state)


def empirical_kaiser_of_spectrum(
    eigenvalues: Float[np.ndarray, " k"], n_features: int, n_samples: int
) -> Scree:
    """`empirical_kaiser` from the leading eigenvalues alone.

    Parameters
    ----------
    eigenvalues : ndarray of shape (k,)
        The largest eigenvalues of the correlations, in descending order.
    n_features, n_samples : int
        Shape of the data.

    Returns
    -------
    Scree
        If all of these eigenvalues are retained, further ones might be.

    Examples
    --------
    >>> empirical_kaiser_of_spectrum(np.array([2.2, 1.9]), 6, 200).n_factors
    2
    """
    eigenvalues = eigenvalues[: min(n_features, n_samples - 1)]
    explained = np.append(0.0, np.cumsum(eigenvalues)[:-1])
    left = (n_features - explained) / (n_features - np.arange(len(eigenvalues)))
    reference = np.maximum(left * (1 + np.sqrt(n_features / n_samples)) ** 2, 1.0)
    return _scree(eigenvalues, reference, "empirical Kaiser criterion")


def empirical_kaiser(correlation: ArrayLike, n_samples: int) -> Scree:
    r"""Number of factors by the empirical Kaiser criterion of Braeken and van Assen.

    An eigenvalue must exceed

    .. math:: \lambda_j^{ref} = \max\left(\frac{p - \sum_{k<j} \lambda_k}{p - j + 1}
        \left(1 + \sqrt{p/n}\right)^2, 1\right)

    (Eq. 9): the largest eigenvalue of independent features by the law of Marchenko and Pastur,
    scaled by the variance that earlier factors have left, and at least 1. Strong factors lower
    the bound for weak ones, which parallel analysis does not see.

    Parameters
    ----------
    correlation : array-like of shape (n_features, n_features)
        Correlations of the features.
    n_samples : int
        Number of samples that they were computed from.

    Returns
    -------
    Scree

    Raises
    ------
    ValueError
        If the matrix is no correlation matrix, or there are fewer than two samples.

    References
    ----------
    Braeken and van Assen, "An empirical Kaiser criterion", Psychological Methods 22, 2017.

    Examples
    --------
    >>> from minsyn.metrics import empirical_kaiser
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(200, 2)), 3, axis=1) + rng.normal(size=(200, 6))
    >>> empirical_kaiser(np.corrcoef(X.T), len(X)).n_factors
    2
    """
    matrix = _checked_correlation(correlation)
    _check_samples(n_samples)
    return empirical_kaiser_of_spectrum(eigvalsh(matrix)[::-1], len(matrix), n_samples)


def minimum_average_partial(correlation: ArrayLike, *, max_factors: int = 100) -> AveragePartial:
    r"""Number of factors by Velicer's MAP test: minimum average partial correlation.

    The average of the squared partial correlations of all pairs of features, when the first
    :math:`m` principal components are held fixed,

    .. math:: f_m = \frac{1}{p (p - 1)} \sum_{i \ne j} \frac{c_{ij}^2}{c_{ii} c_{jj}}, \quad
        C = R - \sum_{k \le m} \lambda_k v_k v_k^\top

    falls as long as components hold what features have in common, and rises when they begin to
    hold what single features have alone. It needs no number of samples, and tends to find too few
    factors where each has few features. The search ends where components explain a feature wholly,
    as those of exact duplicates do.

    Parameters
    ----------
    correlation : array-like of shape (n_features, n_features)
        Correlations of the features.
    max_factors : int, default=100
        The most components that are taken out; at most n_features - 1 are.

    Returns
    -------
    AveragePartial

    Raises
    ------
    ValueError
        If the matrix is no correlation matrix, or ``max_factors`` is below 1.

    References
    ----------
    Velicer, "Determining the number of components from the matrix of partial correlations",
    Psychometrika 41, 1976.

    Examples
    --------
    >>> from minsyn.metrics import minimum_average_partial
    >>> rng = np.random.default_rng(0)
    >>> X = np.repeat(rng.normal(size=(200, 2)), 3, axis=1) + rng.normal(size=(200, 6))
    >>> minimum_average_partial(np.corrcoef(X.T)).n_factors
    2
    """
    rest = _checked_correlation(correlation).copy()
    whole_number(max_factors, "max_factors", 1)
    n_features = len(rest)
    n_tried = min(max_factors, n_features - 1)
    values, vectors = eigh(
        rest, subset_by_index=(max(n_features - max(n_tried, 1), 0), n_features - 1)
    )
    averages = [_average_squared(rest)]
    for value, vector in zip(values[::-1][:n_tried], vectors.T[::-1], strict=False):
        rest -= np.outer(value * vector, vector)
        if np.diagonal(rest).min() < _NO_VARIANCE:
            break  # a feature is explained wholly, and has no partial correlations
        averages.append(_average_squared(rest))
    return AveragePartial(np.array(averages), int(np.argmin(averages)))


def _above_chance(
    eigenvalues: Float[np.ndarray, " k"],
    shape: tuple[int, int],
    kind: str,
    n_resamples: int,
    quantile: float,
    random_state: RandomState,
) -> Scree:
    """Leading eigenvalues against a quantile of those of so many independent features, samples."""
    n_features, n_samples = shape
    rank = min(n_features, n_samples - 1, len(eigenvalues))
    rng = as_generator(random_state)
    null = _null_eigenvalues(n_features, n_samples - 1, kind, n_resamples, rng, rank)
    reference = np.quantile(null, quantile, axis=0)
    return _scree(eigenvalues[:rank], reference, f"parallel analysis ({kind})")


def _scree(
    eigenvalues: Float[np.ndarray, " k"], reference: Float[np.ndarray, " k"], criterion: str
) -> Scree:
    """Leading eigenvalues count up to the first that is not above its reference."""
    below = np.append(eigenvalues <= reference, True)
    return Scree(eigenvalues, reference, int(np.argmax(below)), criterion)


def _average_squared(covariance: Float[np.ndarray, "p p"]) -> float:
    """Mean square of the correlations of all pairs."""
    n_features = len(covariance)
    precision = 1 / np.diagonal(covariance)
    total = precision @ np.square(covariance) @ precision
    return float(total - n_features) / max(n_features * (n_features - 1), 1)


def _reduced(correlation: Float[np.ndarray, "*b p p"]) -> Float[np.ndarray, "*b p p"]:
    """Correlations with squared multiple correlations 1 - 1 / (R^-1)_ii on the diagonal."""
    try:
        precision = np.linalg.inv(np.linalg.cholesky(correlation))
    except np.linalg.LinAlgError:
        raise ValueError(
            'kind="factors" needs a positive definite correlation matrix, and this one has an '
            'eigenvalue of 0 or less: use "components", or leave out features that others '
            "determine"
        ) from None
    diagonal = np.arange(correlation.shape[-1])
    reduced = correlation.copy()
    reduced[..., diagonal, diagonal] -= 1 / np.square(precision).sum(axis=-2)
    return reduced


def _null_eigenvalues(
    n_features: int,
    df: int,
    kind: str,
    n_resamples: int,
    rng: np.random.Generator,
    leading: int | None = None,
) -> Float[np.ndarray, "resamples k"]:
    """Non-zero eigenvalues, in descending order, for independent features; the leading ones."""
    rank = min(n_features, df)
    wide = df < n_features
    if rank > _EXACT_RANK or (wide and df * n_features > _EXACT_ENTRIES):
        null = np.stack(
            [_tridiagonal_eigenvalues(n_features, df, rng, leading) for _ in range(n_resamples)]
        )
        if kind == "factors":
            # 1 - SMC is a beta variable with this mean, all but constant at so many degrees.
            null = null - (df - n_features + 1) / df
        return null
    null = np.empty((n_resamples, rank))
    batch = max(1, _BATCH_ENTRIES // (rank * n_features))
    for first in range(0, n_resamples, batch):
        rows = slice(first, min(first + batch, n_resamples))
        roots = _correlation_roots(rows.stop - rows.start, n_features, df, rng)
        matrices = roots @ roots.swapaxes(1, 2)
        if kind == "factors":
            matrices = _reduced(matrices)
        null[rows] = np.linalg.eigvalsh(matrices)[:, ::-1]
    return null[:, :leading]


def _correlation_roots(
    n_matrices: int, n_features: int, df: int, rng: np.random.Generator
) -> Float[np.ndarray, "b rank columns"]:
    """Factors A of random matrices A A' with the non-zero eigenvalues of a correlation matrix."""
    if df < n_features:
        samples = rng.standard_normal((n_matrices, df, n_features))
        return samples / np.linalg.norm(samples, axis=1, keepdims=True)
    diagonal = np.arange(n_features)
    roots = np.tril(rng.standard_normal((n_matrices, n_features, n_features)), -1)
    roots[:, diagonal, diagonal] = np.sqrt(
        rng.chisquare(df - diagonal, size=(n_matrices, n_features))
    )
    return roots / np.linalg.norm(roots, axis=2, keepdims=True)


def _tridiagonal_eigenvalues(
    n_features: int, df: int, rng: np.random.Generator, leading: int | None
) -> Float[np.ndarray, " k"]:
    """Non-zero eigenvalues of a Wishart matrix, turned into those of correlations (see Notes)."""
    rank, other = min(n_features, df), max(n_features, df)
    on, below = rng.chisquare(other - np.arange(rank)), rng.chisquare(np.arange(rank - 1, 0, -1))
    # B B' with the roots of `on` on the diagonal of B and those of `below` below it.
    diagonal = on + np.append(0.0, below)
    choice: Any = {}
    if leading is not None and leading < rank // 4:
        choice = {"select": "i", "select_range": (rank - leading, rank - 1)}
        choice["tol"] = _ENOUGH * float(diagonal.max())  # of bisection, whose steps take the time
    eigenvalues = eigvalsh_tridiagonal(diagonal, np.sqrt(on[:-1] * below), **choice)[::-1][:leading]
    eigenvalues = eigenvalues * (n_features / diagonal.sum())
    return eigenvalues - eigenvalues * (eigenvalues - 1 - n_features / df) / n_features


def _checked_correlation(correlation: ArrayLike) -> Float[np.ndarray, "p p"]:
    matrix = as_numbers(correlation, "correlation")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ValueError(
            f"correlation: expected a square matrix, found shape {matrix.shape}; of data X it is "
            "np.corrcoef(X.T)"
        )
    if not np.isfinite(matrix).all():
        raise ValueError(
            "correlation: found NaN or infinity; features that do not vary have no correlations, "
            "leave them out"
        )
    if np.abs(np.diagonal(matrix) - 1).max() > _ROUNDING:
        raise ValueError(
            "correlation: the diagonal must be 1; divide a covariance matrix by the standard "
            "deviations of its rows and columns"
        )
    if np.abs(matrix - matrix.T).max() > _ROUNDING:
        raise ValueError("correlation: the matrix must be symmetric")
    return (matrix + matrix.T) / 2


def _check_samples(n_samples: int) -> None:
    if whole_number(n_samples, "n_samples", 0, MOST_SAMPLES) < 2:
        raise ValueError(f"n_samples={n_samples}: correlations need at least two samples")
