"""Stability of factors: whether samples drawn anew would give the same."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from joblib import Parallel, delayed
from rich.console import Console
from rich.progress import track
from scipy.optimize import linear_sum_assignment
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

from minsyn._progress import stage
from minsyn._threads import one_thread
from minsyn.information._arrays import as_array, as_numbers, in_unit_of_size
from minsyn.information._options import number, whole_number
from minsyn.information.statistics import PairwiseStatistics
from minsyn.metrics._random import RandomState, as_generator
from minsyn.metrics.feature_loadings import Loadings, loadings

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["FactorMatch", "Stability", "congruence", "match_factors", "stability"]

#: Congruences from which on factors are equal, and similar (Lorenzo-Seva and ten Berge, 2006).
_EQUAL, _SIMILAR = 0.95, 0.85
_MAX_SEED = np.iinfo(np.int32).max
#: Fewest samples of a fit.
_FEWEST = 2


class FactorMatch(NamedTuple):
    """The factors of one solution that match those of another.

    Attributes
    ----------
    permutation : integer array of shape (n_factors,)
        For each factor of the first solution, its match in the second; -1 where that has fewer.
    signs : ndarray of shape (n_factors,)
        1 or -1, by which the match is multiplied.
    congruence : ndarray of shape (n_factors,)
        Congruence of each factor and its match, in [0, 1]; 0 where there is none.
    """

    permutation: Int[np.ndarray, " k"]
    signs: Float[np.ndarray, " k"]
    congruence: Float[np.ndarray, " k"]


@dataclass(frozen=True, eq=False)
class Stability:
    """Factors of a model, and how well resampled data give them again.

    Attributes
    ----------
    loadings : Loadings
        Of the model that was fitted to all samples.
    congruence : ndarray of shape (n_resamples, n_factors)
        Congruence of each factor, in each resample: between both halves of the samples, or between
        a bootstrap sample and all samples.
    intervals : ndarray of shape (n_features, n_factors, 2)
        Lower and upper ends of an interval for each loading, with the given ``confidence``.
    split : str
        How samples were drawn: "half" or "bootstrap".
    confidence : float
        Of the intervals.
    n_samples : int
        Number of samples of the whole.
    """

    loadings: Loadings
    congruence: Float[np.ndarray, "resamples factors"]
    intervals: Float[np.ndarray, "features factors 2"]
    split: str
    confidence: float
    n_samples: int

    def to_frame(self) -> "DataFrame":
        """One row for each factor.

        Returns
        -------
        DataFrame
            Mean, 5 % quantile and minimum of the congruences, and the share of the features'
            variance that the factor explains alone.
        """
        from pandas import DataFrame

        return DataFrame(
            {
                "congruence": self.congruence.mean(axis=0),
                "congruence_5%": np.quantile(self.congruence, 0.05, axis=0),
                "congruence_min": self.congruence.min(axis=0),
                "explained_alone": self.loadings.explained_alone,
            },
            index=list(self.loadings.factor_names),
        )

    def loadings_to_frame(self) -> "DataFrame":
        """One row for each feature and factor.

        Returns
        -------
        DataFrame
            Columns feature, factor, loading, low and high.
        """
        from pandas import DataFrame

        n_features, n_factors = self.loadings.values.shape
        return DataFrame(
            {
                "feature": np.repeat(np.array(self.loadings.feature_names, object), n_factors),
                "factor": np.tile(np.array(self.loadings.factor_names, object), n_features),
                "loading": self.loadings.values.ravel(),
                "low": self.intervals[..., 0].ravel(),
                "high": self.intervals[..., 1].ravel(),
            }
        )

    def __str__(self) -> str:
        how = {
            "half": "between random halves of the samples",
            "bootstrap": "between bootstrap samples and all samples",
        }[self.split]
        frame = self.to_frame()
        width = max(6, *(len(name) for name in self.loadings.factor_names))
        lines = [
            f"congruence of factors {how}, {len(self.congruence)} times, n = {self.n_samples}",
            f"{'':{width}}    mean  5 % quantile  explains",
        ]
        for name, mean, low, _, explained in frame.itertuples():
            verdict = (
                "found again" if mean >= _EQUAL else "similar" if mean >= _SIMILAR else "unstable"
            )
            lines.append(f"{name:{width}}  {mean:6.3f}  {low:12.3f}  {explained:8.1%}  {verdict}")
        return "\n".join(lines)


def congruence(
    first: Float[np.ndarray, "features k"], second: Float[np.ndarray, "features l"]
) -> Float[np.ndarray, "k l"]:
    r"""Tucker's coefficients of congruence of the factors of two solutions.

    .. math:: \phi_{jk} = \frac{\sum_i a_{ij} b_{ik}}
        {\sqrt{\sum_i a_{ij}^2 \sum_i b_{ik}^2}}

    Values of .95 and more are read as the same factor, of .85 to .94 as a similar one [2]_.

    Parameters
    ----------
    first, second : ndarray of shape (n_features, n_factors)
        Loadings of the same features. The numbers of factors may differ.

    Returns
    -------
    ndarray of shape (n_factors of the first, n_factors of the second)
        In [-1, 1]; 0 for factors without any loading.

    Raises
    ------
    ValueError
        If the features differ in number, or loadings are NaN or infinite.

    References
    ----------
    .. [1] Tucker, "A method for synthesis of factor analysis studies", Personnel Research Section
       Report 984, Department of the Army, 1951.
    .. [2] Lorenzo-Seva and ten Berge, "Tucker's congruence coefficient as a meaningful index of
       factor similarity", Methodology 2, 2006.

    Examples
    --------
    >>> congruence(np.array([[1.0], [2.0]]), np.array([[-2.0, 2.0], [-4.0, 1.0]])).round(3)
    array([[-1. ,  0.8]])
    """
    one, two = _unit_length(first, "first"), _unit_length(second, "second")
    if len(one) != len(two):
        raise ValueError(
            f"first and second must have loadings of the same features; found {len(one)} and "
            f"{len(two)}"
        )
    return np.clip(one.T @ two, -1.0, 1.0)


def match_factors(
    first: Float[np.ndarray, "features k"], second: Float[np.ndarray, "features l"]
) -> FactorMatch:
    """Match the factors of two solutions, one to one, with the largest sum of congruences.

    Parameters
    ----------
    first, second : ndarray of shape (n_features, n_factors)
        Loadings of the same features. Where the second has fewer factors, some of the first have no
        match.

    Returns
    -------
    FactorMatch

    Raises
    ------
    ValueError
        As `congruence`.

    Examples
    --------
    >>> first = np.array([[0.9, 0.0], [0.8, 0.1], [0.0, 0.7]])
    >>> match_factors(first, -first[:, [1, 0]]).permutation
    array([1, 0])
    """
    values = congruence(first, second)
    rows, columns = linear_sum_assignment(np.abs(values), maximize=True)
    n_factors = len(values)
    permutation = np.full(n_factors, -1)
    permutation[rows] = columns
    signs, sizes = np.ones(n_factors), np.zeros(n_factors)
    signs[rows] = np.where(values[rows, columns] < 0, -1.0, 1.0)
    sizes[rows] = np.abs(values[rows, columns])
    return FactorMatch(permutation, signs, sizes)


def stability(
    model: Any | Callable[[int], Any],
    X: Any,
    n_resamples: int = 20,
    *,
    split: Literal["half", "bootstrap"] = "half",
    confidence: float = 0.95,
    random_state: RandomState = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> Stability:
    """Fit a model to resampled data, and see which of its factors come again.

    The factors of each resample are matched with those of all samples by `match_factors`. With
    ``split="half"`` the samples are divided at random into two halves, which share no sample, and a
    factor's congruence is that between both halves: of noise it is low. With ``split="bootstrap"``
    it is that between a bootstrap sample and all samples. These have samples in common, so that
    congruences are higher, and those of noise are not low.

    Parameters
    ----------
    model : estimator or callable
        An estimator with ``fit`` and ``transform``, which is cloned, with a new ``random_state`` in
        each fit; so the result also tells what random starts change. One that is fitted is itself
        the model of all samples. Or a function that takes a seed and gives such a model.
    X : array-like of shape (n_samples, n_features)
        Numeric data. Names of columns are kept.
    n_resamples : int, default=20
        Number of times that samples are drawn. With "half" there are two fits each time.
    split : {"half", "bootstrap"}, default="half"
        How samples are drawn.
    confidence : float, default=0.95
        Of the intervals of the loadings, which are quantiles of the resamples' loadings. Those of
        half the samples, drawn without replacement, vary as the whole does with new samples [1]_.
    random_state : int, Generator, RandomState or None, default=None
        Seeds the resamples and the models. The result does not depend on ``n_jobs``.
    n_jobs : int, optional
        Fits at once, -1 for one on each core. Default: joblib's configuration, else 1. Each fit
        runs on one thread.
    verbose : int, default=0
        Whether to show progress.

    Returns
    -------
    Stability

    Raises
    ------
    ValueError
        If there are too few samples, or an argument is out of range.

    References
    ----------
    .. [1] Shao and Wu, "A general theory for jackknife variance estimation", Annals of Statistics
       17, 1989.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from minsyn.metrics import stability
    >>> rng = np.random.default_rng(0)
    >>> causes = rng.normal(size=(300, 2)) * [2, 1.5]
    >>> X = np.repeat(causes, 5, axis=1) + rng.normal(size=(300, 10))
    >>> print(stability(PCA(3), X, random_state=0))
    congruence of factors between random halves of the samples, 20 times, n = 300
              mean  5 % quantile  explains
    pca0     0.985         0.953     42.0%  found again
    pca1     0.991         0.978     37.5%  found again
    pca2     0.241         0.037      3.5%  unstable
    """
    whole_number(n_resamples, "n_resamples", 1)
    if split not in ("half", "bootstrap"):
        raise ValueError(f'split={split!r} must be "half" or "bootstrap"')
    if not 0 < number(confidence, "confidence") < 1:
        raise ValueError(f"confidence={confidence} must lie between 0 and 1")
    X = X if hasattr(X, "shape") else as_array(X, "X")
    n_samples = X.shape[0]
    if n_samples < 2 * _FEWEST:
        raise ValueError(f"X has {n_samples} samples; halves need at least {2 * _FEWEST}")
    rng = as_generator(random_state)
    first, *seeds = rng.spawn(n_resamples + 1)
    with stage("stability: a fit to all samples", shown=bool(verbose)):
        whole = model if _is_fitted(model) else _fitted(model, X, first)
    names = getattr(whole, "feature_names_in_", getattr(X, "columns", None))
    factors = whole.get_feature_names_out() if hasattr(whole, "get_feature_names_out") else None
    table = loadings(
        _statistics(whole, X),
        None if names is None else [str(name) for name in names],
        factors,
        sort_factors=factors is None,
    )
    if len(table.values) != X.shape[1]:
        raise ValueError(
            f"X has {X.shape[1]} features, but the model was fitted to {len(table.values)}"
        )
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    tasks = (delayed(_loadings_of_resample)(model, X, split, seed) for seed in seeds)
    aligned, congruences = [], []
    shown = track(
        parallel(tasks),
        "stability",
        total=n_resamples,
        transient=True,
        console=Console(stderr=True),
        disable=not verbose,
    )
    for solutions in shown:
        found = [_aligned(table.values, solution) for solution in solutions]
        one, other = found if split == "half" else (table.values, found[0])
        congruences.append(np.abs(np.diagonal(congruence(one, other))))
        aligned += found
    tails = (1 - confidence) / 2
    ends = np.quantile(np.stack(aligned), [tails, 1 - tails], axis=0)
    return Stability(
        loadings=table,
        congruence=np.stack(congruences),
        intervals=np.moveaxis(ends, 0, -1),
        split=split,
        confidence=confidence,
        n_samples=n_samples,
    )


def _unit_length(values: Any, name: str) -> Float[np.ndarray, "features k"]:
    values = as_numbers(values, name)
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all():
        raise ValueError(
            f"{name} must hold finite loadings, of shape (n_features, n_factors) with one of each "
            f"at least; found shape {values.shape}"
        )
    values = in_unit_of_size(values)  # whose squares neither overflow nor vanish
    lengths = np.linalg.norm(values, axis=0)
    return values / np.where(lengths > 0, lengths, 1.0)


def _loadings_of_resample(
    model: Any, X: Any, split: str, rng: np.random.Generator
) -> list[Float[np.ndarray, "features k"]]:
    """Loadings of the models of both halves, or of one bootstrap sample.

    With one thread, so that sums have the same order, and bits, in whichever process this runs.
    """
    n_samples = X.shape[0]
    if split == "half":
        shuffled = rng.permutation(n_samples)
        half = n_samples // 2
        draws = [shuffled[:half], shuffled[half : 2 * half]]
    else:
        draws = [rng.integers(n_samples, size=n_samples)]
    solutions = []
    with one_thread():
        for rows in draws:
            # A copy in memory, also where joblib passes X as a memory map.
            chosen = _safe_indexing(X, rows)
            solutions.append(_statistics(_fitted(model, chosen, rng), chosen).rho.T)
    return solutions


def _fitted(model: Any, X: Any, rng: np.random.Generator) -> Any:
    seed = int(rng.integers(_MAX_SEED))
    if not hasattr(model, "fit"):
        return model(seed).fit(X)
    estimator = clone(model)
    seeds = [name for name in estimator.get_params() if name.split("__")[-1] == "random_state"]
    return estimator.set_params(**dict.fromkeys(seeds, seed)).fit(X)


def _is_fitted(model: Any) -> bool:
    if not hasattr(model, "fit"):
        return False
    try:
        check_is_fitted(model)
    except NotFittedError:
        return False
    return True


def _statistics(model: Any, X: Any) -> PairwiseStatistics:
    """Those that the model has, or those of its latents on the data."""
    statistics = getattr(model, "statistics_", None)
    if isinstance(statistics, PairwiseStatistics):
        return statistics
    latents = np.asarray(model.transform(X), dtype=np.float64)
    return PairwiseStatistics.of(latents, np.asarray(X, dtype=np.float64))


def _aligned(
    reference: Float[np.ndarray, "features k"], solution: Float[np.ndarray, "features l"]
) -> Float[np.ndarray, "features k"]:
    """Factors in the order and with the signs of the reference; 0 where one is missing."""
    match = match_factors(reference, solution)
    found = match.permutation >= 0
    return np.where(found, match.signs * solution[:, match.permutation], 0.0)
