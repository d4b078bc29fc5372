"""What `MinSyn` and `AutoEncoder` share: a fitted encoder and decoder, and how they are used."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from minsyn.estimators._encoders import pre_activations
from minsyn.estimators._persistence import load_model, save_model
from minsyn.estimators._start import OnEpoch
from minsyn.estimators._streaming import is_stream, stream_of_known_features
from minsyn.estimators._synergy_report import SynergyReport, synergy_report
from minsyn.estimators._training_data import check_latents
from minsyn.training import Device, Precision, training_progress

__all__ = ["FactorModel"]


class FactorModel(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):
    """Latents ``activation(X @ encoder_weights_.T + encoder_bias_)``, decoded by a linear map.

    A subclass fits modules through `best_start`, sets ``components_`` (n_components, n_features)
    and ``intercept_``, the encoder through `_set_encoder`, and says through `_binary_latents` and
    `_binary_features` which variables live in [0, 1].
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "device": [StrOptions({"auto", "cpu", "cuda", "mps"})],
        "precision": [
            StrOptions({"32-true", "64-true", "16-mixed", "bf16-mixed", "16-true", "bf16-true"})
        ],
        "checkpoint_dir": [str, Path, None],
        "checkpoint_every": [Interval(Real, 0, None, closed="left")],
        "loggers": [list, tuple, None],
        "verbose": ["verbose"],
    }

    n_components: Any
    max_iter: int
    n_iter_no_change: int
    n_init: Any
    random_state: int | np.random.RandomState | None
    device: Device
    precision: Precision
    checkpoint_dir: str | Path | None
    checkpoint_every: float
    loggers: Sequence[Any] | None
    verbose: int
    components_: Float[np.ndarray, "latents features"]
    intercept_: Float[np.ndarray, " features"]
    encoder_weights_: Float[np.ndarray, "latents features"]
    encoder_bias_: Float[np.ndarray, " latents"]
    loss_curve_: list[float]
    n_iter_: int
    converged_: bool

    @property
    @abstractmethod
    def _binary_latents(self) -> bool:
        """Whether latents are probabilities, else they are positive."""

    @property
    @abstractmethod
    def _binary_features(self) -> bool:
        """Whether features are probabilities, else they are real."""

    @property
    def _logistic_output(self) -> bool:
        """Whether reconstructions are the logistic function of what the linear map gives."""
        return self._binary_features

    def transform(self, X: Any) -> Any:
        """Latents of the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or a stream
            Data; paths, sparse matrices and whatever else `minsyn.data.as_samples` reads by
            blocks too.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Latents: positive, or in [0, 1] where they are binary.
        """
        check_is_fitted(self)
        return np.concatenate([self._encode(x) for x in self._blocks(X)])

    def inverse_transform(self, Z: Any) -> Float[np.ndarray, "samples features"]:
        """Expected observations given latents.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Latents, as `transform` gives them.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Reconstructions; probabilities where the features are binary.
        """
        check_is_fitted(self)
        return self._mean(self._natural(check_latents(Z, len(self.components_))))

    def reconstruct(self, X: Any) -> Float[np.ndarray, "samples features"]:
        """Encode and decode: ``inverse_transform(transform(X))``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or a stream
            Data, as `transform` takes them.
        """
        return self.inverse_transform(self.transform(X))

    def score(self, X: Any, y: Any = None) -> float:
        """Negative reconstruction loss, summed over the features, averaged over the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or a stream
            Data, as `transform` takes them.
        y : ignored
            Present for scikit-learn's interface.

        Returns
        -------
        float
            Minus the squared error, or minus the cross-entropy in nats where the features are
            binary; higher is better.
        """
        check_is_fitted(self)
        total, n_samples = 0.0, 0
        for x in self._blocks(X):
            natural = self._natural(self._encode(x))
            if self._binary_features:
                scores = np.sum(x * natural - np.logaddexp(0, natural), axis=1)
            else:
                scores = -np.sum((x - self._mean(natural)) ** 2, axis=1)
            total, n_samples = total + float(scores.sum()), n_samples + len(x)
        return total / n_samples

    def synergy_report(self, X: Any) -> SynergyReport:
        """How synergistic the latents of X are about each feature, as measured.

        Latents and features are taken as jointly Gaussian (`minsyn.information.gaussian`). With few
        samples for the number of latents all measures but the union are too large; the report says
        by how much.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, more than n_components + 1 samples.

        Returns
        -------
        SynergyReport
            Total information, GK union, GK synergy and CI synergy by feature and in total, in bits.

        Raises
        ------
        ValueError
            If there are too few samples.

        Examples
        --------
        >>> from minsyn import MinSyn
        >>> causes = np.random.default_rng(0).normal(size=(500, 2))
        >>> X = np.column_stack([causes, causes[:, 0] + causes[:, 1]])
        >>> report = MinSyn(2, random_state=0).fit(X).synergy_report(X)
        >>> print(report.to_frame().columns.tolist())
        ['total_information', 'gk_union', 'gk_synergy', 'ci_synergy', 'best_latent', 'variance']
        >>> bool(np.allclose(report.gk_union + report.gk_synergy, report.total_information))
        True
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(X.shape[1])])
        return synergy_report(self._encode(X), X, tuple(str(name) for name in names))

    def save(self, path: str | Path) -> None:
        """Write the fitted model into a folder, as safetensors and JSON.

        Parameters
        ----------
        path : str or Path
            Folder; made where it is missing. A model that stands there is replaced.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        TypeError
            If a parameter cannot be written as JSON, such as a RandomState instance.
        """
        save_model(self, path)

    @classmethod
    def load(cls, path: str | Path, *, encoder: nn.Module | None = None) -> Any:
        """Read a model that `save` wrote; nothing in the files is executed.

        Parameters
        ----------
        path : str or Path
            The model's folder.
        encoder : nn.Module, optional
            For models with an encoder of the user's own, whose code is not saved: the module that
            takes the saved weights. It is copied.

        Returns
        -------
        estimator
            The fitted model.

        Raises
        ------
        FileNotFoundError
            If there is no model in the folder.
        ModelFormatError
            If the files are damaged, were changed, hold another class, or are of a newer format;
            if the weights do not fit the given ``encoder``.
        ValueError
            If ``encoder`` is missing where it is needed, or given where it is not.
        """
        return load_model(cls, path, encoder)

    def _blocks(self, X: Any) -> Iterator[Float[np.ndarray, "samples features"]]:
        """Samples of the features that the model knows: all at once, or blocks of a stream."""
        if is_stream(X):
            yield from stream_of_known_features(self, X).blocks()
        else:
            yield validate_data(self, X, reset=False, dtype=[np.float64, np.float32])

    def _encode(
        self, X: Float[np.ndarray, "samples features"]
    ) -> Float[np.ndarray, "samples latents"]:
        # In float64 whatever X is: far from the origin, product and bias cancel.
        encoder = getattr(self, "encoder_", None)
        if encoder is None:
            activation = X @ self.encoder_weights_.T + self.encoder_bias_
        else:
            activation = pre_activations(encoder, X)
        Z = expit(activation) if self._binary_latents else np.logaddexp(0, activation)
        return Z.astype(X.dtype, copy=False)

    def _natural(
        self, Z: Float[np.ndarray, "samples latents"]
    ) -> Float[np.ndarray, "samples features"]:
        return Z @ self.components_ + self.intercept_

    def _mean(
        self, natural: Float[np.ndarray, "samples features"]
    ) -> Float[np.ndarray, "samples features"]:
        return expit(natural) if self._logistic_output else natural

    def _progress(
        self, description: str, loss_unit: float, verbose: bool
    ) -> AbstractContextManager[OnEpoch]:
        """What is told of each epoch's number, from 1, and loss, while a start is fitted."""
        return training_progress(description, self.max_iter, loss_unit=loss_unit, verbose=verbose)

    def _set_encoder(
        self,
        weights: Float[np.ndarray, "latents features"],
        bias: Float[np.ndarray, " latents"],
        mean: Float[np.ndarray, " features"],
        scale: float,
    ) -> None:
        """The encoder for data as they were given, from one for ``(X - mean) / scale``."""
        self.encoder_weights_ = weights / scale
        self.encoder_bias_ = bias - self.encoder_weights_ @ mean

    def _warn_unless_converged(self) -> None:
        if not self.converged_:
            warnings.warn(
                f"{type(self).__name__} stopped at max_iter={self.max_iter} before its loss "
                "had settled; raise max_iter or tol",
                ConvergenceWarning,
                stacklevel=4,  # whoever called fit, past scikit-learn's wrapper of it
            )

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
