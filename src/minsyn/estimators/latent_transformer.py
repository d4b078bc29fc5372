"""Base class of transformers of samples in memory to latents."""

from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import validate_data

from minsyn.data import plain_frame
from minsyn.information._magnitude import check_magnitude

__all__ = ["LatentTransformer"]


class LatentTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Base class of transformers to latents, each of which adds its weights to the features.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Weights of the decoder.
    """

    components_: Float[np.ndarray, "latents features"]

    def _checked(
        self, X: Any, reset: bool = False, **checks: Any
    ) -> Float[np.ndarray, "samples features"]:
        """An array in memory, after scikit-learn's checks and that of its magnitude."""
        kinds = [np.float64, np.float32]
        X = plain_frame(X)
        # Infinite values are an error, said once.
        with np.errstate(over="ignore", invalid="ignore"):
            X = validate_data(self, X, reset=reset, dtype=kinds, **checks)
        check_magnitude(X, lambda j: self._feature_names()[j])
        return X

    def _feature_names(self) -> list[str]:
        names = getattr(self, "feature_names_in_", None)
        return (
            [f"x{i}" for i in range(self.n_features_in_)] if names is None else [*map(str, names)]
        )

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
