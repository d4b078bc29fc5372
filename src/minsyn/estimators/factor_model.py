"""Base class of models with an encoder and a decoder."""

import copy
from abc import ABC
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import nn

from minsyn._warnings import warn
from minsyn.data import is_stream, stream_of_features
from minsyn.estimators.encoders import encode, folded
from minsyn.estimators.latent_transformer import LatentTransformer
from minsyn.estimators.persistence import (
    ModelFormatError,
    SavedModel,
    read_model,
    write_model,
)
from minsyn.estimators.problem import checked_latents, finite_latents, finite_reconstructions
from minsyn.estimators.solution import Solution
from minsyn.estimators.start import Start, plain_parameters
from minsyn.information import PairwiseStatistics, SynergyResult, synergy
from minsyn.information._magnitude import check_magnitude
from minsyn.metrics import Loadings, loadings
from minsyn.nn.group_nets import GroupDecoder, GroupEncoder
from minsyn.nn.latents import Latents
from minsyn.nn.observations import Observations

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame, Series

__all__ = ["FactorModel"]


class FactorModel(LatentTransformer, ABC):
    """Base class of models with an encoder and a decoder.

    The natural parameter of the decoder is linear in the latents, or that of a ``decoder_``. In
    `fit`, a subclass finds a `Solution` and sets the fitted attributes from it by `_take`.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Weights of the decoder.
    intercept_ : ndarray of shape (n_features,)
        Natural parameter when all latents are 0.
    encoder_ : nn.Module
        Encoder in evaluation mode. It returns pre-activations of the original data.
    decoder_ : nn.Module or None
        Decoder from latents to the natural parameter, where that is not linear.
    latents_ : Latents
        Kind of latents, which are computed from the pre-activations.
    observations_ : Observations
        Kind of features: link function, loss and range.
    loss_curve_ : list of float
        Training losses.
    n_iter_ : int
        Number of training losses.
    converged_ : bool
        Whether the fit converged.
    """

    intercept_: Float[np.ndarray, " features"]
    encoder_: nn.Module
    decoder_: nn.Module | None
    loss_curve_: list[float]
    n_iter_: int
    converged_: bool
    latents_: Latents
    observations_: Observations

    @property
    def n_components_(self) -> int:
        """Number of factors."""
        if "components_" not in self.__dict__:  # AttributeError, so that `hasattr` works
            raise AttributeError(f"this {type(self).__name__} is not fitted")
        return len(self.components_)

    @property
    def encoder_weights_(self) -> Float[np.ndarray, "latents features"]:
        """Weights of the linear encoder, for the original data."""
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
            Data. Paths, sparse matrices and other arguments of `minsyn.data.as_samples` are read by
            blocks.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Latents: in [0, 1] if they are binary, positive if they are softplus.
        """
        return self._plain_transform(X)

    def inverse_transform(self, Z: Any) -> Float[np.ndarray, "samples features"]:
        """Expected observations given latents.

        Parameters
        ----------
        Z : array-like of shape (n_samples, n_components)
            Latents, as returned by `transform`.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Reconstructions; probabilities if the features are binary.

        Raises
        ------
        ValueError
            If Z has another shape or missing values, or reconstructions exceed float64.
        """
        check_is_fitted(self)
        Z = checked_latents(Z, len(self.components_))
        return finite_reconstructions(self.observations_.mean(self._natural(Z)).numpy())

    def reconstruct(self, X: Any) -> Float[np.ndarray, "samples features"]:
        """Encode and decode: ``inverse_transform(transform(X))``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or a stream
            Data, as for `transform`.
        """
        return self.inverse_transform(np.asarray(self._plain_transform(X)))

    def score(self, X: Any, y: Any = None) -> float:
        """Negative reconstruction loss, summed over the features and averaged over the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or a stream
            Data, as for `transform`.
        y : ignored
            Present for scikit-learn's interface.

        Returns
        -------
        float
            Minus the squared error (of standardised features, in units of their variances), or
            minus the cross-entropy in nats if the features are binary or categorical. Higher is
            better.
        """
        check_is_fitted(self)
        total, n_samples = 0.0, 0
        unit = torch.as_tensor(self._error_unit, dtype=torch.float64)
        for x in self._blocks(X):
            natural = self._natural(self._encode(x).astype(np.float64)) / unit
            observed = torch.from_numpy(x.astype(np.float64)) / unit
            if self._takes_missing:  # missing values cost nothing
                observed = torch.where(observed.isnan(), natural, observed)
            losses = self.observations_.losses(natural, observed)
            total, n_samples = total - float(losses.sum()), n_samples + len(x)
        return total / n_samples

    def synergy(self, X: Any, **options: Any) -> SynergyResult:
        """Estimate the synergy of the latents about each feature.

        This is ``minsyn.information.synergy(self.transform(X), X, **options)``, with the names of
        factors and features. By default, latents and features are assumed to be jointly Gaussian,
        and values are in bits and corrected for bias. The result records these settings.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, with more than n_components + 1 samples.
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
        X = self._checked(X)
        import pandas as pd

        Z = pd.DataFrame(self._encode(X), columns=list(self.get_feature_names_out()))
        return synergy(Z, pd.DataFrame(X, columns=self._feature_names()), **options)

    def describe(self) -> Loadings:
        """Loadings of the features on the factors, and the variance that these explain.

        Returns
        -------
        Loadings
            To be printed, drawn (``plot``, ``plot_paths``), or turned into a DataFrame
            (``to_frame``). Factors are in the order and with the signs of `transform`.

        Raises
        ------
        AttributeError
            If the decoder was trained without statistics, as that of an `AutoEncoder`.

        Examples
        --------
        >>> from minsyn import MinSyn
        >>> causes = np.random.default_rng(0).normal(size=(500, 2))
        >>> X = np.repeat(causes, [2, 3], axis=1) + np.random.default_rng(1).normal(size=(500, 5))
        >>> print(MinSyn(2, random_state=0).fit(X).describe().to_string(hide_below=0.3))
                           minsyn0  minsyn1  commun.  unique  complex.
        x3                    0.82              0.67    0.33      1.00
        x2                    0.81              0.66    0.34      1.00
        x4                    0.81              0.65    0.35      1.00
        x0                             0.89     0.79    0.21      1.00
        x1                             0.85     0.73    0.27      1.00
        <BLANKLINE>
        explained alone      39.7%    30.4%
        with those before    39.7%    70.1%
        <BLANKLINE>
        correlations of the factors
        minsyn0               1.00     0.01
        minsyn1               0.01     1.00
        """
        check_is_fitted(self)
        return loadings(
            self._fitted_statistics("loadings"),
            self._feature_names(),
            self.get_feature_names_out(),
            sort_factors=False,
        )

    @property
    def loadings_(self) -> "DataFrame":
        """Correlations of features (rows) and factors (columns)."""
        from pandas import DataFrame

        statistics = self._fitted_statistics("loadings_")
        names = list(self.get_feature_names_out())
        return DataFrame(statistics.rho.T, index=self._feature_names(), columns=names)

    @property
    def communality_(self) -> "Series":
        """Share of each feature's variance that the factors explain together."""
        from pandas import Series

        self._fitted_statistics("communality_")
        table = self.describe()
        return Series(table.communality, index=list(table.feature_names), name="communality")

    @property
    def factor_correlation_(self) -> "DataFrame":
        """Correlations of the factors."""
        from pandas import DataFrame

        statistics = self._fitted_statistics("factor_correlation_")
        names = list(self.get_feature_names_out())
        return DataFrame(statistics.sigma, index=names, columns=names)

    def plot_loadings(self, **options: Any) -> "Figure":
        """Draw the loadings as a heat map; see `minsyn.metrics.Loadings.plot`."""
        return self.describe().plot(**options)

    def plot_paths(self, **options: Any) -> "Figure":
        """Draw factors, features and strong loadings; see `minsyn.metrics.Loadings.plot_paths`."""
        return self.describe().plot_paths(**options)

    def rescaled(
        self,
        mean: Float[np.ndarray, " features"] | float,
        scale: Float[np.ndarray, " features"] | float,
    ) -> Any:
        """Model of the unscaled data, from a model that was fitted to ``(X - mean) / scale``.

        The latents do not change. Reconstructions of real values are then in the units of the
        unscaled data. Reconstructions of binary and bounded values stay in their range.

        Parameters
        ----------
        mean, scale : ndarray of shape (n_features,), or float
            The scaling that was applied before the fit.

        Returns
        -------
        estimator
            A rescaled copy of the model.

        Raises
        ------
        ValueError
            If the encoder is a custom module.

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
        grouped = isinstance(self.encoder_, GroupEncoder)
        if not grouped and (
            not isinstance(first, nn.Linear) or first.weight.dtype != torch.float64
        ):
            raise ValueError(
                "a custom encoder cannot be rescaled: fit the model to the unscaled data instead"
            )
        n_features = self.components_.shape[1]
        mean, scale = np.broadcast_to(mean, n_features), np.broadcast_to(scale, n_features)
        model = copy.copy(self)
        model.__dict__.pop("_partial_fit", None)  # a state of training in the earlier units
        if isinstance(self.encoder_, GroupEncoder):
            model.encoder_ = self.encoder_.rescaled(mean, scale)
        else:
            model.encoder_ = folded(self.encoder_, mean, scale)  # type: ignore[arg-type]
        if self.observations_.affine:
            if isinstance(self.decoder_, GroupDecoder):
                model.decoder_ = self.decoder_.rescaled(mean, scale)
            model.components_ = self.components_ * scale
            model.intercept_ = mean + scale * self.intercept_
            model.__dict__.pop("_moments", None)  # `model` is not the best for data of other scales
            if hasattr(self, "statistics_"):
                model.statistics_ = self.statistics_.rescaled(mean, scale)
        return model

    def save(self, path: str | Path) -> None:
        """Save the fitted model to a folder, as safetensors and JSON.

        Parameters
        ----------
        path : str or Path
            Folder, created if it does not exist. A model in it is replaced.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        TypeError
            If a parameter cannot be written as JSON, such as a RandomState instance.
        ValueError
            If a parameter has been set to an invalid value since the fit, or the model has weights
            that are not finite.
        OSError
            If the folder cannot be written. A model in it is then still there, as it is after a
            crash at any moment.
        """
        check_is_fitted(self)
        self._validate_params()
        parameters = self.get_params(deep=False)
        custom = isinstance(parameters.get("encoder"), nn.Module)
        if custom:
            del parameters["encoder"]
        names = getattr(self, "feature_names_in_", None)
        names = None if names is None else [str(name) for name in names]
        state, arrays = self._state()
        write_model(
            SavedModel(
                type(self).__name__, parameters, self._solution(), names, custom, state, arrays
            ),
            path,
        )

    @classmethod
    def load(cls, path: str | Path, *, encoder: nn.Module | None = None) -> Any:
        """Load a model saved by `save`, without executing code from the files.

        Parameters
        ----------
        path : str or Path
            Folder of the model.
        encoder : nn.Module, optional
            For models with a custom encoder, as its code is not saved: a module for the saved
            weights. It is copied.

        Returns
        -------
        estimator
            The fitted model.

        Raises
        ------
        FileNotFoundError
            If there is no model in the folder.
        ModelFormatError
            If the files are damaged or modified, hold another class, or have a newer format; or if
            the weights do not fit the given ``encoder``.
        ValueError
            If ``encoder`` is required but missing, or given but not required.
        """
        return cls._of_saved(read_model(path, [cls.__name__], encoder), encoder)

    @classmethod
    def _of_saved(cls, saved: SavedModel, encoder: nn.Module | None) -> Any:
        """The fitted model."""
        given = {} if encoder is None else {"encoder": encoder}
        try:
            model = cls(**saved.parameters, **given)
            model._validate_params()
            model.n_features_in_ = saved.solution.components.shape[1]
            if saved.feature_names is not None:
                model.feature_names_in_ = np.array(saved.feature_names, dtype=object)
            model._take(saved.solution)
            model._set_state(saved.state, saved.arrays)
        except ModelFormatError:
            raise
        except (
            KeyError,
            ValueError,
            TypeError,
            AttributeError,
            AssertionError,
            OverflowError,
            FloatingPointError,
        ) as error:
            raise ModelFormatError(
                f"not a valid saved {cls.__name__}: {type(error).__name__}: "
                f"{' '.join(str(error).split())}"
            ) from error
        return model

    def _solution(self) -> Solution:
        """The fitted encoder and decoder, as `_take` sets them."""
        return Solution(
            self.encoder_,
            self.latents_,
            self.observations_,
            self.components_,
            self.intercept_,
            self.loss_curve_,
            self.converged_,
            getattr(self, "statistics_", None),
            decoder=self.decoder_,
        )

    def _take(self, solution: Solution) -> None:
        """Set the fitted attributes from a solution."""
        solution.require_finite()
        self.encoder_, self.decoder_ = solution.encoder, solution.decoder
        self.components_, self.intercept_ = solution.components, solution.intercept
        self.loss_curve_, self.n_iter_ = solution.loss_curve, len(solution.loss_curve)
        self.converged_ = solution.converged
        self.latents_, self.observations_ = solution.latents, solution.observations

    def _start(self, model: dict[str, Any]) -> Start:
        """Random starts and limits of a fit; ``model`` describes the model for checkpoints."""
        parameters: Any = self.get_params(deep=False)
        configuration = {"random_state": parameters["random_state"], **model}
        return Start(
            name=type(self).__name__,
            n_init=parameters["n_init"],
            max_iter=parameters["max_iter"],
            tol=parameters["tol"],
            random_state=check_random_state(parameters["random_state"]),
            verbose=bool(parameters["verbose"]),
            configuration={"estimator": type(self).__name__, **plain_parameters(configuration)},
        )

    def _state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Additional fitted state of a subclass, as JSON values and arrays by name."""
        return {}, {}

    def _set_state(self, record: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Restore the result of `_state`."""

    def _blocks(
        self, X: Any, *, ordered: bool = False
    ) -> Iterator[Float[np.ndarray, "samples features"]]:
        """Yield the samples, as a whole or in blocks of a stream, after a check of the features."""
        if is_stream(X):
            names = getattr(self, "feature_names_in_", None)
            names = None if names is None else list(names)
            stream = stream_of_features(X, names, self.n_features_in_)
            if ordered and not stream.ordered:
                raise ValueError(
                    f"{stream.name} shuffles its samples, so that the rows of a result could not "
                    "be told apart: pass its dataset, or a DataLoader without shuffle"
                )
            for block in stream.blocks(missing=self._takes_missing):
                check_magnitude(block, lambda j: self._feature_names()[j])
                yield block
        else:
            missing = "allow-nan" if self._takes_missing else True
            yield self._checked(X, ensure_all_finite=missing)

    @property
    def _takes_missing(self) -> bool:
        """Whether NaN are taken as missing values."""
        return False

    @property
    def _error_unit(self) -> Any:
        """Units of the features' errors in `score`."""
        return 1.0

    def _fitted_statistics(self, name: str) -> PairwiseStatistics:
        statistics = getattr(self, "statistics_", None)
        if statistics is None:
            # AttributeError, so that `hasattr` works.
            reason = "keeps no statistics" if hasattr(self, "components_") else "is not fitted"
            raise AttributeError(f"this {type(self).__name__} {reason}, so it has no {name}")
        return statistics

    def _plain_transform(self, X: Any) -> Float[np.ndarray, "samples latents"]:
        """Return the latents as an array, regardless of ``set_output``."""
        check_is_fitted(self)
        return np.concatenate([self._encode(x) for x in self._blocks(X, ordered=True)])

    def _encode(
        self, X: Float[np.ndarray, "samples features"]
    ) -> Float[np.ndarray, "samples latents"]:
        with np.errstate(over="ignore"):
            Z = encode(self.encoder_, X, self.latents_).astype(X.dtype, copy=False)
        return finite_latents(Z)

    def _natural(
        self, Z: Float[np.ndarray, "samples latents"]
    ) -> Float[torch.Tensor, "samples features"]:
        if self.decoder_ is None:
            with np.errstate(over="ignore", invalid="ignore"):
                return torch.from_numpy(Z @ self.components_ + self.intercept_)
        with torch.no_grad():
            return self.decoder_(torch.from_numpy(Z.astype(np.float64)))

    def _linear_layer(self, name: str) -> nn.Linear:
        # AttributeError, so that `hasattr` works.
        encoder = self.__dict__.get("encoder_")
        layers = list(encoder) if isinstance(encoder, nn.Sequential) else []
        if len(layers) == 1 and isinstance(layers[0], nn.Linear):
            return layers[0]
        reason = "is not fitted" if encoder is None else "has an encoder that is not linear"
        raise AttributeError(f"this {type(self).__name__} {reason}, so it has no {name}")

    def _warn_unless_converged(self, max_iter: int) -> None:
        if not self.converged_:
            warn(
                f"{type(self).__name__} stopped at max_iter={max_iter} before its loss "
                "converged; raise max_iter or tol",
                ConvergenceWarning,
            )
