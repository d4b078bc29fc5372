"""Cells of the benchmark: one method on one draw of the data, fitted and scored."""

import time
import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from minsyn._threads import one_thread
from minsyn.benchmark.affine import affine_decoder
from minsyn.benchmark.grid import Samples
from minsyn.benchmark.methods import Method
from minsyn.information import synergy
from minsyn.metrics import character_concentration, group_agreement, squared_error

__all__ = ["MEASURES", "CellResult", "decoder_maps", "make_estimator", "reconstruct", "run_cell"]

#: Synergies among a cell's scores, with the decimals that tables show.
MEASURES = {"ci_synergy": 3, "gk_synergy": 3, "gk_synergy_groups": 3}

#: The draw whose latents and decoders are kept for pages: they are large.
_KEPT_DRAW = 0
#: Words of each kind whose reconstructions are kept for the figures.
_N_EXAMPLES = 6


@dataclass(frozen=True, eq=False)
class CellResult:
    """Scores of one cell, and the few arrays that figures are drawn from.

    Attributes
    ----------
    method : str
        Key of the method.
    draw : int
        Number of the draw of letters, from 0.
    random_state : int
        Seed that the estimator was given.
    train_loss, test_loss : float
        Squared error summed over the pixels, averaged over the words.
    acc : float
        Average character concentration in nats; NaN if no factor has weight.
    dead_factors : int
        Factors without weight, which ACC leaves out (counted in each batch where a method has
        maps for each).
    fit_seconds : float
        Wall time of the fit on one thread.
    n_iter : int or None
        Iterations or epochs, where the method has any.
    converged : bool
        Whether the fit converged before its iterations ran out.
    warnings : tuple of str
        Warnings of the method.
    maps : float32 array of shape (n_components, n_pixels)
        Decoder maps.
    train_rows, test_rows : integer arrays
        Words kept as examples, as rows of the word images.
    train_examples, test_examples : float32 arrays of shape (n_examples, n_pixels)
        Their reconstructions.
    n_groups : int or None
        Groups of features that the method found, where it groups them.
    adjusted_rand : float
        Their agreement with the true groups (`minsyn.metrics.group_agreement`), over the features
        that vary in training; NaN where there are none.
    wrong_features : int or None
        Of these features, those in another group than the true one.
    ci_synergy, gk_synergy, gk_synergy_groups : float
        Gaussian CI and GK synergy of the latents about the training data, in bits, averaged over
        the features by their variances; the last one among the groups of latents
        (``latent_groups_``), NaN for methods without groups. All NaN for methods without
        ``transform``, and where there are too few samples for so many latents.
    latents : float32 array of shape (n_samples, n_components), or None
        Latents of the training words, then of the test words; kept for the first draw only, and
        for decoders that are a link function of an affine map.
    weights : float32 array of shape (n_components, n_pixels), or None
        Weights of that decoder, before its link function.
    bias : float32 array of shape (n_pixels,), or None
        What it makes of latents of 0, before its link function.
    logistic : bool or None
        Whether the link function is the logistic function, else the identity.
    """

    method: str
    draw: int
    random_state: int
    train_loss: float
    test_loss: float
    acc: float
    dead_factors: int
    fit_seconds: float
    n_iter: int | None
    converged: bool
    warnings: tuple[str, ...]
    maps: Float[np.ndarray, "components pixels"]
    train_rows: Int[np.ndarray, " train_examples"]
    test_rows: Int[np.ndarray, " test_examples"]
    train_examples: Float[np.ndarray, "train_examples pixels"]
    test_examples: Float[np.ndarray, "test_examples pixels"]
    n_groups: int | None = None
    adjusted_rand: float = float("nan")
    wrong_features: int | None = None
    ci_synergy: float = float("nan")
    gk_synergy: float = float("nan")
    gk_synergy_groups: float = float("nan")
    latents: Float[np.ndarray, "words kept"] | None = None
    weights: Float[np.ndarray, "kept pixels"] | None = None
    bias: Float[np.ndarray, " pixels"] | None = None
    logistic: bool | None = None


def decoder_maps(estimator: Any) -> Float[np.ndarray, "components features"]:
    """Decoder maps of a fitted estimator: the contribution of each latent to each feature.

    This is ``components_``, except for scikit-learn's FastICA, whose ``components_`` is the
    *unmixing* matrix, the encoder: there it is the mixing matrix, transposed. Of a pipeline the
    last step counts.

    Parameters
    ----------
    estimator : object
        Fitted.

    Returns
    -------
    ndarray of shape (n_components, n_features)

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import FastICA
    >>> sources = np.random.default_rng(0).laplace(size=(1000, 2))
    >>> ica = FastICA(whiten="unit-variance", random_state=0).fit(sources @ np.diag([1.0, 9.0]))
    >>> np.abs(decoder_maps(ica)).max().round() > 9
    np.True_
    """
    if isinstance(estimator, Pipeline):
        return decoder_maps(estimator[-1])
    if isinstance(estimator, FastICA):
        return np.asarray(estimator.mixing_.T)
    return np.asarray(estimator.components_)


def reconstruct(
    estimator: Any, X: Float[np.ndarray, "samples features"]
) -> Float[np.ndarray, "samples features"]:
    """Encode and decode: ``reconstruct(X)``, or ``inverse_transform(transform(X))``.

    Parameters
    ----------
    estimator : object
        Fitted.
    X : ndarray of shape (n_samples, n_features)
        Data.

    Returns
    -------
    ndarray of shape (n_samples, n_features)

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> X = np.outer(np.arange(4.0), [1.0, 2.0])
    >>> bool(np.allclose(reconstruct(PCA(1).fit(X), X), X))
    True
    """
    if hasattr(estimator, "reconstruct"):
        return np.asarray(estimator.reconstruct(X))
    return np.asarray(estimator.inverse_transform(estimator.transform(X)))


def make_estimator(method: Method, data: Samples, n_components: int, random_state: int) -> Any:
    """An unfitted estimator for such data, which is told the groups if it is to know them.

    Parameters
    ----------
    method : Method
        Maker of the estimator.
    data : Samples
        Data that it is to be fitted to.
    n_components, random_state : int
        Number of factors, and seed.

    Raises
    ------
    ValueError
        The method is for values from 0 to 1, and the data have others.
    """
    make = method.make
    if method.bounded and (data.train.min() < 0 or data.train.max() > 1):
        if method.make_unbounded is None:
            raise ValueError(
                f"method: {method.label} takes values from 0 to 1, found {data.train.min():.4g} to "
                f"{data.train.max():.4g}; leave it out"
            )
        make = method.make_unbounded
    estimator = make(n_components, random_state)
    if method.knows_positions:
        positions = np.unique(data.groups[data.groups >= 0])
        each = [len(part) for part in np.array_split(np.arange(n_components), len(positions))]
        told = getattr(data, "parents", data.groups) if method.knows_parents else data.groups
        estimator.set_params(grouping=told, n_components=each)
    return estimator


def run_cell(
    method: Method, draw: int, data: Samples, n_components: int, random_state: int
) -> CellResult:
    """Fit a method on the training samples and score it.

    Everything runs on one thread, so that the numbers do not depend on how many cells run at
    once, and gets the data in float64: in float32, a FastICA that runs to its last iteration
    loses the rank of its unmixing matrix to rounding.

    Parameters
    ----------
    method : Method
        What to fit.
    draw : int
        Number of the draw, for the record.
    data : Samples
        The draw's, such as `minsyn.datasets.WordImages`.
    n_components : int
        Number of factors.
    random_state : int
        Seed of the estimator.

    Returns
    -------
    CellResult

    Raises
    ------
    FloatingPointError
        A reconstruction or a decoder map has NaN.

    Examples
    --------
    >>> from minsyn.benchmark import METHODS
    >>> from minsyn.datasets import make_word_images
    >>> words = make_word_images(random_state=0)
    >>> result = run_cell(METHODS["pca"], 0, words, n_components=9, random_state=0)
    >>> result.maps.shape, result.converged
    ((9, 2352), True)
    """
    estimator = make_estimator(method, data, n_components, random_state)
    X_train, X_test = data.train.astype(np.float64), data.test.astype(np.float64)
    with one_thread(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.perf_counter()
        estimator.fit(X_train)
        fit_seconds = time.perf_counter() - start
        train, test = (_reconstruct_words(estimator, X) for X in (X_train, X_test))
        maps = _finite(decoder_maps(estimator))
        belongs = data.groups >= 0
        concentrations = character_concentration(maps[:, belongs], data.groups[belongs])
        synergies = _synergies(estimator, X_train)
        kept = _kept(estimator, maps, X_train, X_test) if draw == _KEPT_DRAW else {}
    no_warning = not any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
    live = ~np.isnan(concentrations)
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    n_iter = getattr(last, "n_iter_", None)
    train_rows, test_rows = _examples(len(train)), _examples(len(test))
    return CellResult(
        method=method.key,
        draw=draw,
        random_state=random_state,
        train_loss=squared_error(X_train, train),
        test_loss=squared_error(X_test, test) if len(test) else float("nan"),
        acc=float(concentrations[live].mean()) if live.any() else float("nan"),
        dead_factors=int((~live).sum()),
        fit_seconds=fit_seconds,
        n_iter=None if n_iter is None else int(n_iter),
        converged=bool(getattr(estimator, "converged_", True)) and no_warning,
        warnings=tuple(dict.fromkeys(str(warning.message) for warning in caught)),
        maps=maps[:n_components].astype(np.float32),
        train_rows=train_rows,
        test_rows=test_rows,
        train_examples=train[train_rows].astype(np.float32),
        test_examples=test[test_rows].astype(np.float32),
        **_agreement(last, X_train, data.groups),
        **synergies,
        **kept,
    )


def _agreement(
    estimator: Any, X: Float[np.ndarray, "samples features"], truth: Int[np.ndarray, " features"]
) -> dict[str, Any]:
    """Scores of the groups that a fitted estimator found; none where it has none."""
    varies = X.min(axis=0) != X.max(axis=0)
    if not hasattr(estimator, "groups_") or not varies.any():
        return {}
    return asdict(group_agreement(estimator.groups_[varies], truth[varies]))


def _synergies(estimator: Any, X: Float[np.ndarray, "samples features"]) -> dict[str, Any]:
    """Synergies of the latents about X; none where they cannot be measured."""
    if not hasattr(estimator, "transform"):
        return {}
    Z = np.asarray(estimator.transform(X), dtype=np.float64)
    if len(Z) <= Z.shape[1] + 1:
        return {}
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    groups = getattr(last, "latent_groups_", None)
    names = ("ci_synergy", "gk_synergy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # latents without variance, which `dead_factors` counts
        found = dict(synergy(Z, X, measures=names).means)
        if groups is not None:
            grouped = synergy(Z, X, groups=groups, measures=names[1:])
            found["gk_synergy_groups"] = grouped.means["gk_synergy"]
    return found


def _kept(
    estimator: Any,
    maps: Float[np.ndarray, "components pixels"],
    X_train: Float[np.ndarray, "train_words pixels"],
    X_test: Float[np.ndarray, "test_words pixels"],
) -> dict[str, Any]:
    """Latents and decoder for pages; nothing where the decoder is of another kind."""
    if not hasattr(estimator, "transform"):
        return {}
    parts = [X for X in (X_train, X_test) if len(X)]
    Z = np.concatenate([np.asarray(estimator.transform(X), dtype=np.float64) for X in parts])
    decoder = affine_decoder(estimator, maps, Z)
    if decoder is None:
        return {}
    return {
        "latents": Z.astype(np.float32),
        "weights": decoder.weights.astype(np.float32),
        "bias": decoder.bias.astype(np.float32),
        "logistic": decoder.logistic,
    }


def _reconstruct_words(
    estimator: Any, X: Float[np.ndarray, "words pixels"]
) -> Float[np.ndarray, "words pixels"]:
    return _finite(reconstruct(estimator, X)) if len(X) else X


def _finite(values: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    if not np.isfinite(values).all():
        raise FloatingPointError("the fit diverged: its reconstructions or decoder maps have NaN")
    return values


def _examples(n_words: int) -> Int[np.ndarray, " examples"]:
    """Rows spread over all words, each half a step from the ends."""
    n_examples = min(_N_EXAMPLES, n_words)
    return np.array([(2 * i + 1) * n_words // (2 * n_examples) for i in range(n_examples)], int)
