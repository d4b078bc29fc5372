"""Base of `MinSyn`, `VectorMinSyn` and `AutoEncoder`: a fitted encoder and decoder in use."""

import copy
from abc import ABC
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

from minsyn._warnings import warn
from minsyn.data import is_stream, stream_of_features
from minsyn.estimators.encoders import encode, folded
from minsyn.estimators.persistence import read_model, save_model
from minsyn.estimators.problem import checked_latents
from minsyn.estimators.solution import Solution
from minsyn.information import SynergyResult, synergy
from minsyn.nn.latents import Latents
from minsyn.nn.observations import Observations

__all__ = ["FactorModel"]


class FactorModel(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):
    """Factors of an encoder, decoded by a map whose natural parameter is linear in them.

    A subclass finds a `Solution` in `fit` and takes it by `_take`.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Weights of the decoder.
    intercept_ : ndarray of shape (n_features,)
        Natural parameter where all latents are 0.
    encoder_ : nn.Module
        Gives pre-activations of the data as they were given; in evaluation mode.
    loss_curve_ : list of float
        Training losses.
    n_iter_ : int
        Number of them.
    converged_ : bool
        Whether the loss had converged.
    """

    #: Parameters that say where a fit ran, which are no part of a saved model.
    _of_the_run: ClassVar[tuple[str, ...]] = ()

    components_: Float[np.ndarray, "latents features"]
    intercept_: Float[np.ndarray, " features"]
    encoder_: nn.Module
    loss_curve_: list[float]
    n_iter_: int
    converged_: bool
    _latents: Latents
    _observations: Observations

    @property
    def encoder_weights_(self) -> Float[np.ndarray, "latents features"]:
        """Weights of the linear encoder, for the data as they were given."""
        return self._linear_layer("encoder_weights_").weight.detach().numpy()

    @property
    def encoder_bias_(self) -> Float[np.ndarray, " latents"]:
        """Biases of the linear encoder."""
        return self._linear_layer("encoder_bias_").bias.detach().numpy()

    def transform(self, X: Any) -> Any:
        """Latents of the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or a stream
            Data; also paths, sparse matrices and whatever else `minsyn.data.as_samples` reads by
            blocks.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Latents: in [0, 1] where they are binary, positive where they are softplus.
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
        Z = checked_latents(Z, len(self.components_))
        return self._observations.mean(self._natural(Z)).numpy()

    def reconstruct(self, X: Any) -> Float[np.ndarray, "samples features"]:
        """Encode and decode: ``inverse_transform(transform(X))``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or a stream
            Data, as `transform` takes them.
        """
        return self.inverse_transform(np.asarray(self._plain_transform(X)))

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
            binary or categorical; higher is better.
        """
        check_is_fitted(self)
        total, n_samples = 0.0, 0
        for x in self._blocks(X):
            natural = self._natural(self._encode(x).astype(np.float64))
            observed = torch.from_numpy(x.astype(np.float64))
            if self._takes_missing:  # what is missing costs nothing
                observed = torch.where(observed.isnan(), natural, observed)
            losses = self._observations.losses(natural, observed)
            total, n_samples = total - float(losses.sum()), n_samples + len(x)
        return total / n_samples

    def synergy(self, X: Any, **options: Any) -> SynergyResult:
        """Synergy of the latents of X about each feature.

        This is ``minsyn.information.synergy(self.transform(X), X, **options)``, with the names of
        factors and features. By default latents and features are taken as jointly Gaussian, and
        values are in bits and corrected for bias; the result says so.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, more than n_components + 1 samples.
        **options
            Options of `minsyn.information.synergy`, such as ``measures`` and ``n_bootstrap``.

        Returns
        -------
        SynergyResult

        Raises
        ------
        ValueError
            If there are too few samples, or an option is unknown.

        Examples
        --------
        >>> from minsyn import MinSyn
        >>> causes = np.random.default_rng(0).normal(size=(500, 2))
        >>> X = np.column_stack([causes, causes[:, 0] + causes[:, 1]])
        >>> result = MinSyn(2, random_state=0).fit(X).synergy(X, measures="gk_synergy")
        >>> result.targets
        ('x0', 'x1', 'x2')
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(X.shape[1])])
        import pandas as pd

        Z = pd.DataFrame(self._encode(X), columns=list(self.get_feature_names_out()))
        return synergy(Z, pd.DataFrame(X, columns=[str(name) for name in names]), **options)

    def rescaled(
        self, mean: Float[np.ndarray, " features"], scale: Float[np.ndarray, " features"]
    ) -> Any:
        """Model of the data as they were, from one that was fitted to ``(X - mean) / scale``.

        The latents stay the same. Reconstructions of real values are then in the units of the data;
        those of binary and bounded ones remain within their range.

        Parameters
        ----------
        mean, scale : ndarray of shape (n_features,)
            The scaling that was applied before the fit.

        Returns
        -------
        estimator
            A copy.

        Raises
        ------
        ValueError
            If the encoder is a module of one's own.

        Examples
        --------
        >>> from minsyn import MinSyn
        >>> X = np.random.default_rng(0).exponential(size=(50, 3)) * [1, 10, 100]
        >>> mean, scale = X.mean(axis=0), X.std(axis=0)
        >>> scaled = MinSyn(2, max_iter=5, random_state=0).fit((X - mean) / scale)
        >>> model = scaled.rescaled(mean, scale)
        >>> bool(np.allclose(model.transform(X), scaled.transform((X - mean) / scale)))
        True
        """
        check_is_fitted(self)
        first = self.encoder_[0] if isinstance(self.encoder_, nn.Sequential) else None
        if not isinstance(first, nn.Linear) or first.weight.dtype != torch.float64:
            raise ValueError(
                "the encoder is a module of your own, which no scaling can be folded into: fit it "
                "to the data as they are"
            )
        model = copy.copy(self)
        model.encoder_ = folded(self.encoder_, mean, scale)  # type: ignore[arg-type]
        if self._observations.affine:
            model.components_ = self.components_ * scale
            model.intercept_ = mean + scale * self.intercept_
            model.__dict__.pop("_moments", None)  # `model` is not the best for data of other scales
            if hasattr(self, "statistics_"):
                model.statistics_ = self.statistics_.rescaled(mean, scale)
        return model

    def save(self, path: str | Path) -> None:
        """Write the fitted model into a folder, as safetensors and JSON.

        Parameters
        ----------
        path : str or Path
            Folder; made where it is missing. A model in it is replaced.

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
            For models with an encoder of one's own, whose code is not saved: the module that takes
            the saved weights. It is copied.

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
        return read_model(path, {cls.__name__: cls}, encoder)

    def _take(self, solution: Solution) -> None:
        """Set the fitted attributes."""
        self.encoder_ = solution.encoder
        self.components_, self.intercept_ = solution.components, solution.intercept
        self.loss_curve_, self.n_iter_ = solution.loss_curve, len(solution.loss_curve)
        self.converged_ = solution.converged
        self._latents, self._observations = solution.latents, solution.observations

    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Further fitted state of a subclass, as JSON values and arrays by name."""
        return {}, {}

    def _set_state(self, record: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Set what `_state` gave."""

    def _blocks(self, X: Any) -> Iterator[Float[np.ndarray, "samples features"]]:
        """Samples of the features that the model knows: all at once, or blocks of a stream."""
        if is_stream(X):
            names = getattr(self, "feature_names_in_", None)
            names = None if names is None else list(names)
            stream = stream_of_features(X, names, self.n_features_in_)
            yield from stream.blocks(missing=self._takes_missing)
        else:
            yield validate_data(
                self,
                X,
                reset=False,
                dtype=[np.float64, np.float32],
                ensure_all_finite="allow-nan" if self._takes_missing else True,
            )

    @property
    def _takes_missing(self) -> bool:
        """Whether NaN are taken as missing values."""
        return False

    def _plain_transform(self, X: Any) -> Float[np.ndarray, "samples latents"]:
        """`transform` as an array, whatever output is configured."""
        check_is_fitted(self)
        return np.concatenate([self._encode(x) for x in self._blocks(X)])

    def _encode(
        self, X: Float[np.ndarray, "samples features"]
    ) -> Float[np.ndarray, "samples latents"]:
        return encode(self.encoder_, X, self._latents).astype(X.dtype, copy=False)

    def _natural(
        self, Z: Float[np.ndarray, "samples latents"]
    ) -> Float[torch.Tensor, "samples features"]:
        return torch.from_numpy(Z @ self.components_ + self.intercept_)

    def _linear_layer(self, name: str) -> nn.Linear:
        # AttributeError, so that `hasattr` tells whether there are any.
        encoder = self.__dict__.get("encoder_")
        layers = list(encoder) if isinstance(encoder, nn.Sequential) else []
        if len(layers) == 1 and isinstance(layers[0], nn.Linear):
            return layers[0]
        reason = "is not fitted" if encoder is None else "has an encoder that is not linear"
        raise AttributeError(f"this {type(self).__name__} {reason}, and so no {name}")

    def _warn_unless_converged(self, max_iter: int) -> None:
        if not self.converged_:
            warn(
                f"{type(self).__name__} stopped at max_iter={max_iter} before its loss had "
                "converged; raise max_iter or tol",
                ConvergenceWarning,
            )

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
