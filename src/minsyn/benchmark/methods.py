"""Methods that the words benchmark compares."""

import difflib
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

__all__ = [
    "DEFAULT_METHODS",
    "METHODS",
    "Method",
    "PaperScores",
    "find_methods",
]


class PaperScores(NamedTuple):
    """A row of the paper's table: squared errors summed over the pixels, and ACC in nats."""

    train_loss: float
    test_loss: float
    acc: float


@dataclass(frozen=True)
class Method:
    """A method of the benchmark.

    Attributes
    ----------
    key : str
        Name on the command line and in file names.
    label : str
        Name in tables and figures.
    make : callable
        Takes ``n_components`` and ``random_state`` (an int) and returns an unfitted estimator
        with scikit-learn's ``fit``, ``transform`` and ``inverse_transform``. It must be
        picklable, so that cells can run in other processes.
    paper : PaperScores, optional
        What the paper reports.
    needs : tuple of two str, optional
        A module that must be installed, and the extra of minsyn that installs it.
    knows_positions : bool
        Whether the estimator is told which character each pixel belongs to, as ``grouping``, and
        has equally many components for each: a bound for those that must find it out.
    knows_parents : bool
        Whether the estimator is told the parents of each pixel instead, where the data have them
        (as `minsyn.datasets.WordImages.parents`). Letters that overlap share pixels.
    leaks : bool
        Whether a reconstruction sees more of the data than its own latents, so that its losses
        must not be ranked with those of the others.
    bounded : bool
        Whether the estimator is for values from 0 to 1, as ink has them.
    make_unbounded : callable, optional
        Takes ``make``'s place for other values; without it, a bounded method is left out there.
    stream : str, optional
        Name of its stream of random numbers. Default: the key. A method that is renamed keeps its
        numbers by keeping its stream.

    Examples
    --------
    >>> from sklearn.decomposition import NMF
    >>> def make_nmf(n_components, random_state):
    ...     return NMF(n_components, random_state=random_state, max_iter=1000)
    >>> nmf = Method("nmf", "NMF", make_nmf)
    >>> nmf.is_available
    True
    """

    key: str
    label: str
    make: Callable[[int, int], Any]
    paper: PaperScores | None = None
    needs: tuple[str, str] | None = None
    leaks: bool = False
    knows_positions: bool = False
    knows_parents: bool = False
    bounded: bool = False
    make_unbounded: Callable[[int, int], Any] | None = None
    stream: str = ""

    def __post_init__(self) -> None:
        if not self.key or set(self.key) - set("abcdefghijklmnopqrstuvwxyz0123456789-_."):
            raise ValueError(
                f"key: {self.key!r} must be made of a-z, 0-9, '-', '_' and '.', as it names files"
            )
        if not self.stream:
            object.__setattr__(self, "stream", self.key)

    @property
    def is_available(self) -> bool:
        """Whether what the method needs is installed."""
        return self.needs is None or importlib.util.find_spec(self.needs[0]) is not None

    def suits(self, in_unit_range: bool) -> bool:
        """Whether there is an estimator for values within [0, 1], or for others.

        Parameters
        ----------
        in_unit_range : bool
            Of the data.

        Examples
        --------
        >>> METHODS["minsyn-bernoulli"].suits(True), METHODS["minsyn-bernoulli"].suits(False)
        (True, False)
        """
        return in_unit_range or not self.bounded or self.make_unbounded is not None

    def require(self) -> None:
        """Raise ``ImportError`` if what the method needs is not installed.

        Examples
        --------
        >>> METHODS["pca"].require()
        """
        if self.needs is not None and not self.is_available:
            module, extra = self.needs
            raise ImportError(
                f"{self.label} needs {module}, which is not installed: "
                f"pip install 'minsyn[{extra}]', or leave the method out"
            )


# Estimators are imported when they are made: a run of PCA alone loads no torch.


def _minsyn(decoder: Any, latents: Any, n_components: int, random_state: int) -> Any:
    from minsyn.estimators import Adam, MinSyn

    # The paper's latents, whatever the estimator's default.
    return MinSyn(
        n_components, decoder=decoder, latents=latents, solver=Adam(), random_state=random_state
    )


def _vector_minsyn(n_init: int, n_components: int, random_state: int) -> Any:
    from minsyn.estimators import VectorMinSyn

    return VectorMinSyn(n_components, n_init=n_init, random_state=random_state)


def _additive_minsyn(n_init: int, n_components: int, random_state: int) -> Any:
    from minsyn.estimators import VectorMinSyn

    return VectorMinSyn(n_components, max_parents=None, n_init=n_init, random_state=random_state)


def _ica(n_components: int, random_state: int) -> Any:
    from sklearn.decomposition import FastICA

    # scikit-learn's 200 iterations do not suffice here. Whitening by "svd" is exact, so that the
    # reconstructions are PCA's.
    return FastICA(
        n_components,
        whiten="unit-variance",
        whiten_solver="svd",
        max_iter=2000,
        random_state=random_state,
    )


def _infomax(n_components: int, random_state: int) -> Any:
    from minsyn.estimators import InfoMax

    return InfoMax(n_components, random_state=random_state)


def _pca(n_components: int, random_state: int) -> Any:
    from sklearn.decomposition import PCA

    # "auto" would be a randomised approximation for data of this shape.
    return PCA(n_components, svd_solver="full", random_state=random_state)


def _pca_varimax(n_components: int, random_state: int) -> Any:
    from minsyn.benchmark.rotated import VarimaxPCA

    return VarimaxPCA(n_components)


def _fa_varimax(n_components: int, random_state: int) -> Any:
    from minsyn.benchmark.rotated import VarimaxFactorAnalysis

    return VarimaxFactorAnalysis(n_components, random_state=random_state)


def _nmf(n_components: int, random_state: int) -> Any:
    from sklearn.decomposition import NMF

    # The default starts from random numbers; "nndsvda" starts from the singular vectors.
    return NMF(n_components, init="nndsvda", max_iter=1000, random_state=random_state)


def _sparse_pca(n_components: int, random_state: int) -> Any:
    from sklearn.decomposition import SparsePCA

    # It adds nothing to speak of to 20 iterations here; each takes about half a second.
    return SparsePCA(n_components, alpha=1, method="cd", max_iter=100, random_state=random_state)


def _dictionary(n_components: int, random_state: int) -> Any:
    from sklearn.decomposition import DictionaryLearning
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # Centred as PCA is, or one of few atoms goes to the mean. Codes are found in transform as in
    # fit, by the lasso; the default there, orthogonal matching pursuit, takes one atom a word.
    lasso = DictionaryLearning(
        n_components,
        alpha=1,
        fit_algorithm="cd",
        transform_algorithm="lasso_cd",
        transform_alpha=1,
        random_state=random_state,
    )
    return make_pipeline(StandardScaler(with_std=False), lasso)


def _autoencoder(decoder: Any, noise_std: float, n_components: int, random_state: int) -> Any:
    from minsyn.estimators import AutoEncoder

    return AutoEncoder(
        n_components, decoder=decoder, noise_std=noise_std, random_state=random_state
    )


def _variational(kind: str, decoder: Any, n_components: int, random_state: int) -> Any:
    from minsyn import estimators

    return getattr(estimators, kind)(n_components, decoder=decoder, random_state=random_state)


def _linear_corex(n_components: int, random_state: int) -> Any:
    from minsyn.estimators import LinearCorex

    return LinearCorex(n_components, random_state=random_state)


def _by_key(*methods: Method) -> Mapping[str, Method]:
    return MappingProxyType({method.key: method for method in methods})


#: All methods by their keys: the seven of the paper's table in its order, then others.
METHODS: Mapping[str, Method] = _by_key(
    Method(
        "minsyn-bernoulli",
        "MinSyn (Binary)",
        partial(_minsyn, "bernoulli", "sigmoid"),
        PaperScores(12.94, 48.12, 0.558),
        bounded=True,
    ),
    Method(
        "minsyn-gaussian",
        "MinSyn (Gaussian)",
        partial(_minsyn, "gaussian", "softplus"),
        PaperScores(58.68, 91.26, 0.670),
    ),
    Method("ica", "ICA", _ica, PaperScores(49.83, 85.23, 0.824)),
    Method(
        "infomax",
        "InfoMax",
        _infomax,
        PaperScores(49.83, 85.23, 0.849),
        needs=("mne", "infomax"),
    ),
    Method("pca", "PCA", _pca, PaperScores(49.83, 85.23, 0.950)),
    Method(
        "autoencoder",
        "Auto-encoder",
        partial(_autoencoder, "sigmoid", 0.0),
        PaperScores(35.98, 73.67, 1.07),
        bounded=True,
        make_unbounded=partial(_autoencoder, "linear", 0.0),
    ),
    Method(
        "denoising",
        "Denoising",
        partial(_autoencoder, "sigmoid", 0.25),
        PaperScores(38.26, 76.40, 1.08),
        bounded=True,
        make_unbounded=partial(_autoencoder, "linear", 0.25),
    ),
    Method(
        "minsyn-vector",
        "MinSyn (Vector)",
        partial(_vector_minsyn, 1),
        stream="minsyn-single-parent",  # its name when the published tables were made
    ),
    Method(
        "oracle",
        "Oracle (told the positions)",
        partial(_vector_minsyn, 3),
        knows_positions=True,
    ),
    Method("minsyn-additive", "MinSyn (Vector, additive)", partial(_additive_minsyn, 1)),
    Method(
        "oracle-additive",
        "Oracle (told the parents)",
        partial(_additive_minsyn, 3),
        knows_positions=True,
        knows_parents=True,
    ),
    Method("nmf", "NMF", _nmf, bounded=True),
    Method("sparse-pca", "SparsePCA", _sparse_pca),
    Method("dictionary", "DictionaryLearning", _dictionary),
    Method("pca-varimax", "PCA + varimax", _pca_varimax),
    Method("fa-varimax", "Factor analysis + varimax", _fa_varimax),
    Method("linear-corex", "LinearCorex", _linear_corex),
    *(
        Method(
            key,
            label,
            partial(_variational, kind, "sigmoid"),
            bounded=True,
            make_unbounded=partial(_variational, kind, "linear"),
        )
        for key, label, kind in (
            ("beta-vae", "Beta-VAE", "BetaVAE"),
            ("beta-tcvae", "Beta-TCVAE", "BetaTCVAE"),
            ("information-dropout", "Information dropout", "InformationDropout"),
        )
    ),
)

#: Keys of the paper's seven methods, of MinSyn with vector factors, and of the oracle.
DEFAULT_METHODS: tuple[str, ...] = (
    *(key for key, method in METHODS.items() if method.paper),
    "minsyn-vector",
    "oracle",
)


def find_methods(
    keys: Iterable[str] = DEFAULT_METHODS, known: Mapping[str, Method] = METHODS
) -> tuple[Method, ...]:
    """Methods by their keys.

    Parameters
    ----------
    keys : iterable of str
        Keys of ``known``. Repeats count once.
    known : mapping of str to Method
        Methods to choose from. Default: `METHODS`.

    Returns
    -------
    tuple of Method
        In the order of ``keys``.

    Raises
    ------
    ValueError
        A key is unknown, or none is given.

    Examples
    --------
    >>> [method.label for method in find_methods(["pca", "oracle"])]
    ['PCA', 'Oracle (told the positions)']
    >>> find_methods(["pcs"])
    Traceback (most recent call last):
    ValueError: methods: 'pcs' is unknown; did you mean 'pca'? Known are minsyn-bernoulli, ...
    """
    chosen = tuple(dict.fromkeys(keys))
    if not chosen:
        raise ValueError(f"methods: none given; known are {', '.join(known)}")
    for key in chosen:
        if key not in known:
            close = difflib.get_close_matches(key.lower(), known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise ValueError(f"methods: {key!r} is unknown{hint} Known are {', '.join(known)}")
    return tuple(known[key] for key in chosen)
