"""Disentanglement of latents when the factors that made the data are known.

Four families of scores in common use, on arrays: the mutual information gap, separated attribute
predictability, modularity with explicitness, and disentanglement with completeness (DCI). All are 1
where each latent is one factor and each factor one latent; they differ in what they forgive.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike
from scipy.special import xlogy
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from minsyn.information._arrays import as_array, as_numbers, in_unit_of_size
from minsyn.information._options import number, whole_number
from minsyn.information.statistics import PairwiseStatistics

__all__ = [
    "DCI",
    "dci",
    "explicitness",
    "factor_informations",
    "modularity",
    "mutual_information_gap",
    "separated_attribute_predictability",
]


#: Largest options: beyond them there is nothing to gain but waiting.
_MOST_BINS, _MOST_TREES = 1_000_000, 100_000


@dataclass(frozen=True)
class DCI:
    """Disentanglement, completeness and informativeness, from the importance of latents.

    Attributes
    ----------
    disentanglement : float
        1 where each latent matters for one factor only, 0 where for all alike; latents are weighted
        by their importance.
    completeness : float
        1 where one latent alone matters for each factor, 0 where all alike.
    informativeness : float
        How well factors are predicted on held-out samples: balanced accuracy of categories, R² of
        numbers (0 at least), in the mean over the factors.
    importance : ndarray of shape (n_latents, n_factors)
        Importance of each latent for each factor; columns sum to 1.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    importance: Float[np.ndarray, "latents factors"]


def mutual_information_gap(latents: ArrayLike, factors: ArrayLike, *, bins: int = 20) -> float:
    r"""Mutual information gap (MIG): does one latent tell most about each factor?

    .. math:: \mathrm{MIG} = \frac1K \sum_k \frac{I(z_{(1)}; v_k) - I(z_{(2)}; v_k)}{H(v_k)},

    where :math:`z_{(1)}` and :math:`z_{(2)}` are the two latents that tell most about factor
    :math:`v_k`.

    Parameters
    ----------
    latents : array-like of shape (n_samples, n_latents)
        Latents of each sample; binned.
    factors : array-like of shape (n_samples, n_factors)
        Factors of each sample. Integers, booleans and text are categories; floats are binned.
    bins : int, default=20
        Number of bins of equal width between the least and the largest value.

    Returns
    -------
    float
        Between 0 and 1, averaged over the factors that vary.

    Raises
    ------
    ValueError
        If shapes do not fit, values are missing, or no factor varies.

    References
    ----------
    Chen, Li, Grosse, Duvenaud (2018), "Isolating sources of disentanglement in variational
    autoencoders", NeurIPS.

    Examples
    --------
    Two factors, each in a latent of its own; then the first one in two latents, without a gap:

    >>> import numpy as np
    >>> v = np.stack(np.meshgrid(range(4), range(4)), axis=-1).reshape(-1, 2)
    >>> round(mutual_information_gap(v * 1.0, v), 6)
    1.0
    >>> round(mutual_information_gap(v[:, [0, 0, 1]] * 1.0, v), 6)
    0.5
    """
    Z, V = _checked(latents, factors)
    information, entropy = _informations(Z, V, bins)
    varies = _some_varies(entropy)
    second, first = np.sort(np.vstack([np.zeros_like(entropy), information]), axis=0)[-2:]
    return float(np.mean((first - second)[varies] / entropy[varies]))


def factor_informations(
    latents: ArrayLike, factors: ArrayLike, *, bins: int = 20
) -> Float[np.ndarray, "latents factors"]:
    """Mutual information of each latent and each factor, from bins.

    Parameters
    ----------
    latents, factors, bins
        As in `mutual_information_gap`.

    Returns
    -------
    ndarray of shape (n_latents, n_factors)
        In nats, without a correction of its bias, which is about ``bins`` times the number of
        categories over twice the number of samples.

    Raises
    ------
    ValueError
        If shapes do not fit, or values are missing.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.array([[0], [0], [1], [1]])
    >>> bool(np.isclose(factor_informations(v * 1.0, v)[0, 0], np.log(2)))
    True
    """
    return _informations(*_checked(latents, factors), bins)[0]


def modularity(latents: ArrayLike, factors: ArrayLike, *, bins: int = 20) -> float:
    r"""Modularity: does each latent tell about one factor only?

    .. math:: 1 - \frac{\sum_{k \ne k^*} I(z_j; v_k)^2}{I(z_j; v_{k^*})^2 (K - 1)}

    in the mean over the latents that tell anything; :math:`k^*` is the factor that latent j tells
    most about. Several latents of one factor are not punished; see `explicitness` for what they
    tell together.

    Parameters
    ----------
    latents, factors, bins
        As in `mutual_information_gap`; at least two factors.

    Returns
    -------
    float
        Between 0 and 1; 0 if no latent tells anything.

    Raises
    ------
    ValueError
        If shapes do not fit, values are missing, or there is one factor only.

    References
    ----------
    Ridgeway, Mozer (2018), "Learning deep disentangled embeddings with the f-statistic loss",
    NeurIPS.

    Examples
    --------
    The last latent tells of both factors, and equally:

    >>> import numpy as np
    >>> v = np.stack(np.meshgrid(range(2), range(2)), axis=-1).reshape(-1, 2)
    >>> z = np.column_stack([v, v.sum(axis=1)]) * 1.0
    >>> round(modularity(z[:, :2], v), 6), round(modularity(z[:, 2:], v), 6)
    (1.0, 0.0)
    """
    Z, V = _checked(latents, factors)
    if len(V) < 2:
        raise ValueError("modularity compares factors, and needs at least two")
    squares = _informations(Z, V, bins)[0] ** 2
    best = squares.max(axis=1)
    tells = best > 1e-18
    others = (squares.sum(axis=1) - best)[tells]
    return float(np.mean(1 - others / (best[tells] * (len(V) - 1)))) if tells.any() else 0.0


def explicitness(
    latents: ArrayLike, factors: ArrayLike, *, test_size: float = 0.25, random_state: int = 0
) -> float:
    """Explicitness: are the categories of factors linear in the latents?

    A logistic regression of each factor on all latents is fitted, and the area under its ROC curve
    on held-out samples, one category against the others, is taken in the mean over the categories
    and the factors, and rescaled so that chance is 0.

    Parameters
    ----------
    latents : array-like of shape (n_samples, n_latents)
        Latents of each sample.
    factors : array-like of shape (n_samples, n_factors)
        Categories of each sample.
    test_size : float, default=0.25
        Share of the samples that are held out.
    random_state : int, default=0
        Seed of the division.

    Returns
    -------
    float
        At most 1, and about 0 for latents that tell nothing.

    Raises
    ------
    ValueError
        If shapes do not fit, values are missing, a factor holds floats, or no factor varies.

    References
    ----------
    Ridgeway, Mozer (2018), as in `modularity`.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.random.default_rng(0).integers(3, size=(300, 2))
    >>> z = np.concatenate([np.eye(3)[v[:, 0]], np.eye(3)[v[:, 1]]], axis=1)
    >>> round(explicitness(z, v), 6)
    1.0
    """
    Z, V = _checked(latents, factors)
    scores, varies = [], False
    for values in V:
        if values.dtype.kind == "f":
            raise ValueError("factors must be categories (integers) for explicitness")
        categories, codes = np.unique(values, return_inverse=True)
        if len(categories) < 2:
            continue
        varies = True
        train, test = _halves(codes, test_size, random_state)
        if len(np.unique(codes[train])) < 2:
            continue
        scale = StandardScaler().fit(Z[train])
        model = LogisticRegression(C=100.0, max_iter=1000).fit(
            scale.transform(Z[train]), codes[train]
        )
        likely = model.predict_proba(scale.transform(Z[test]))
        areas = [
            roc_auc_score(codes[test] == c, likely[:, i])
            for i, c in enumerate(model.classes_)
            if 0 < np.mean(codes[test] == c) < 1
        ]
        if areas:
            scores.append(2 * np.mean(areas) - 1)
    if not scores:
        raise ValueError(
            "samples are too few: all that are held out, or all others, are of one category"
            if varies
            else "factors do not vary"
        )
    return float(np.mean(scores))


def separated_attribute_predictability(latents: ArrayLike, factors: ArrayLike) -> float:
    """Separated attribute predictability (SAP): is each factor predicted by one latent, not two?

    Each latent alone predicts each factor: a number by a line, with the squared correlation as its
    score; categories by as many thresholds less one, with balanced accuracy as its score. SAP is
    the difference of the two best scores, in the mean over the factors.

    Parameters
    ----------
    latents : array-like of shape (n_samples, n_latents)
        Latents of each sample.
    factors : array-like of shape (n_samples, n_factors)
        Factors of each sample. Integers, booleans and text are categories, floats are numbers.

    Returns
    -------
    float
        Between 0 and 1, averaged over the factors that vary. For c balanced categories at most
        1 - 1/c, as guessing has an accuracy of 1/c.

    Raises
    ------
    ValueError
        If shapes do not fit, values are missing, or no factor varies.

    References
    ----------
    Kumar, Sattigeri, Balakrishnan (2018), "Variational inference of disentangled latent concepts
    from unlabeled observations", ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack(np.meshgrid(range(4), range(4)), axis=-1).reshape(-1, 2)
    >>> round(separated_attribute_predictability(v * 1.0, v * 1.0), 6)  # numbers
    1.0
    >>> round(separated_attribute_predictability(v * 1.0, v), 6)  # four categories
    0.75
    """
    Z, V = _checked(latents, factors)
    gaps = []
    for values in V:
        if len(np.unique(values)) < 2:
            continue
        scores = np.array([0.0] + [_alone(z, values) for z in Z.T])
        if values.dtype.kind != "f":
            scores[0] = 1 / len(np.unique(values))  # guessing
        second, first = np.sort(scores)[-2:]
        gaps.append(first - second)
    if not gaps:
        raise ValueError("factors do not vary")
    return float(np.mean(gaps))


def dci(
    latents: ArrayLike,
    factors: ArrayLike,
    *,
    test_size: float = 0.25,
    n_estimators: int = 50,
    random_state: int = 0,
) -> DCI:
    """Disentanglement, completeness and informativeness (DCI).

    A forest of random trees predicts each factor from all latents. Importance is how much a latent
    reduces the impurity. Disentanglement is one less the entropy of a latent's importance over the
    factors, completeness one less that of a factor's over the latents, in units of their largest
    values.

    Parameters
    ----------
    latents : array-like of shape (n_samples, n_latents)
        Latents of each sample.
    factors : array-like of shape (n_samples, n_factors)
        Factors of each sample. Integers, booleans and text are categories, floats are numbers.
    test_size : float, default=0.25
        Share of the samples that are held out for informativeness.
    n_estimators : int, default=50
        Number of trees. Boosted trees, as in some benchmarks, take minutes.
    random_state : int, default=0
        Seed.

    Returns
    -------
    DCI

    Raises
    ------
    ValueError
        If shapes do not fit, values are missing, or no factor varies.

    References
    ----------
    Eastwood, Williams (2018), "A framework for the quantitative evaluation of disentangled
    representations", ICLR.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.random.default_rng(0).integers(4, size=(400, 2))
    >>> result = dci(v * 1.0, v)
    >>> result.disentanglement > 0.99, result.completeness > 0.99, result.informativeness
    (True, True, 1.0)
    """
    n_estimators = whole_number(n_estimators, "n_estimators", 1, _MOST_TREES)
    Z, V = _checked(latents, factors)
    importance, scores = [], []
    for values in V:
        if len(np.unique(values)) < 2:
            continue
        category = values.dtype.kind != "f"
        target = np.unique(values, return_inverse=True)[1] if category else values
        train, test = _halves(target, test_size, random_state, category)
        forest = (ExtraTreesClassifier if category else ExtraTreesRegressor)(
            n_estimators, max_features=1.0, random_state=random_state
        ).fit(Z[train], target[train])
        importance.append(forest.feature_importances_)
        scores.append(_prediction_score(target[test], forest.predict(Z[test]), category))
    if not importance:
        raise ValueError("factors do not vary")
    R = np.stack(importance, axis=1)
    of_latents = R.sum(axis=1)
    disentangled = 1 - _relative_entropy(R, axis=1)
    return DCI(
        float(np.average(disentangled, weights=of_latents) if of_latents.sum() else 0.0),
        float(np.mean(1 - _relative_entropy(R, axis=0))),
        float(np.mean(scores)),
        R,
    )


def _checked(
    latents: ArrayLike, factors: Any
) -> tuple[Float[np.ndarray, "samples latents"], list[Any]]:
    """Latents as floats, and each factor as a column of its own kind."""
    Z = as_numbers(latents, "latents")
    if hasattr(factors, "columns") and hasattr(factors, "iloc"):
        columns = [as_array(factors.iloc[:, k], "factors") for k in range(factors.shape[1])]
    else:
        table = as_array(factors, "factors")
        table = table[:, np.newaxis] if table.ndim == 1 else table
        columns = list(table.T) if table.ndim == 2 else []
    if Z.ndim != 2 or not columns or any(len(column) != len(Z) for column in columns):
        raise ValueError(
            "latents must have shape (n_samples, n_latents) and factors (n_samples, n_factors); "
            f"found {Z.shape} and {np.shape(factors)}"
        )
    if Z.size == 0:
        raise ValueError(f"latents are empty: their shape is {Z.shape}")
    columns = [
        np.array([*map(str, column)]) if column.dtype == object else column for column in columns
    ]
    if any(column.dtype.kind not in "fiubUST" for column in columns):
        raise ValueError("factors must hold numbers, booleans or text")
    if not np.isfinite(Z).all() or any(
        column.dtype.kind == "f" and not np.isfinite(column).all() for column in columns
    ):
        raise ValueError("latents and factors must be finite; found NaN or infinity")
    # No score depends on units, and trees see single precision.
    return in_unit_of_size(Z), [
        in_unit_of_size(c.astype(np.float64)[:, np.newaxis])[:, 0] if c.dtype.kind == "f" else c
        for c in columns
    ]


def _binned(values: Any, bins: int) -> Int[np.ndarray, " samples"]:
    """Categories as they are, numbers in bins of equal width."""
    if values.dtype.kind != "f":
        return np.unique(values, return_inverse=True)[1]
    low, high = values.min(), values.max()
    if low == high:
        return np.zeros(len(values), dtype=int)
    found = np.minimum(((values - low) / (high - low) * bins).astype(int), bins - 1)
    return np.unique(found, return_inverse=True)[1]  # without the empty bins


def _informations(
    Z: Float[np.ndarray, "samples latents"], V: list[Any], bins: int
) -> tuple[Float[np.ndarray, "latents factors"], Float[np.ndarray, " factors"]]:
    """Mutual informations of latents and factors, and the entropies of the factors, in nats."""
    bins = whole_number(bins, "bins", 2, _MOST_BINS)
    codes = [_binned(z, bins) for z in Z.T]
    found = np.empty((len(codes), len(V)))
    entropies = np.empty(len(V))
    for k, values in enumerate(V):
        v = _binned(values, bins)
        size = v.max() + 1
        p_v = np.bincount(v, minlength=size) / len(v)
        entropies[k] = -xlogy(p_v, p_v).sum()
        for j, z in enumerate(codes):
            joint = np.unique(z * size + v, return_counts=True)[1] / len(v)
            p_z = np.bincount(z) / len(v)
            found[j, k] = xlogy(joint, joint).sum() - xlogy(p_z, p_z).sum() + entropies[k]
    return np.maximum(found, 0.0), entropies


def _some_varies(entropy: Float[np.ndarray, " factors"]) -> Bool[np.ndarray, " factors"]:
    varies = entropy > 0
    if not varies.any():
        raise ValueError("factors do not vary")
    return varies


def _alone(z: Float[np.ndarray, " samples"], values: Any) -> float:
    """How well one latent predicts one factor."""
    if z.min() == z.max():
        return 0.0
    if values.dtype.kind == "f":
        return PairwiseStatistics.of(z[:, np.newaxis], values[:, np.newaxis]).rho.item() ** 2
    codes = np.unique(values, return_inverse=True)[1]
    tree = DecisionTreeClassifier(max_leaf_nodes=codes.max() + 1, class_weight="balanced")
    column = z[:, np.newaxis]
    return _balanced_accuracy(codes, tree.fit(column, codes).predict(column))


def _halves(
    values: Any, test_size: float, random_state: int, category: bool = True
) -> tuple[Int[np.ndarray, " train"], Int[np.ndarray, " test"]]:
    """Training and held-out samples, with the same shares of categories where that is possible."""
    if not 0 < number(test_size, "test_size") < 1:
        raise ValueError(f"test_size must be between 0 and 1; found {test_size}")
    whole_number(random_state, "random_state", 0, 2**32 - 1)
    n_test = math.ceil(test_size * len(values))
    n_train = len(values) - n_test
    if n_train < 1:
        raise ValueError(f"{len(values)} samples are too few to hold out {test_size:g} of them")
    counts = np.bincount(values) if category else np.zeros(1)
    possible = category and counts.min() > 1 and len(counts) <= min(n_test, n_train)
    stratify = values if possible else None
    train, test = train_test_split(
        np.arange(len(values)), test_size=test_size, random_state=random_state, stratify=stratify
    )
    return train, test


def _prediction_score(truth: Any, predicted: Any, category: bool) -> float:
    if category:
        return _balanced_accuracy(truth, predicted)
    error, variance = float(np.mean((truth - predicted) ** 2)), float(np.var(truth))
    if variance == 0:  # of one held-out value there is all or nothing to predict
        return float(error == 0)
    return max(0.0, 1 - error / variance)


def _balanced_accuracy(truth: Int[np.ndarray, " n"], predicted: Int[np.ndarray, " n"]) -> float:
    """Mean over the categories of the share of samples that are recognised."""
    return float(np.mean([np.mean(predicted[truth == c] == c) for c in np.unique(truth)]))


def _relative_entropy(
    R: Float[np.ndarray, "latents factors"], axis: int
) -> Float[np.ndarray, " n"]:
    """Entropy of the shares along an axis, in units of its largest value; 1 where all are 0."""
    total = R.sum(axis=axis, keepdims=True)
    shares = np.divide(R, total, out=np.full_like(R, 1 / R.shape[axis]), where=total > 0)
    largest = np.log(R.shape[axis])
    if largest == 0:
        return np.zeros(R.shape[1 - axis])
    return -xlogy(shares, shares).sum(axis=axis) / largest
