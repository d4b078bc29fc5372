"""What data a fit takes, and where they lie."""

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

if TYPE_CHECKING:
    from minsyn.estimators._factor_model import FactorModel

__all__ = [
    "check_latents",
    "check_n_components",
    "check_range",
    "origin_and_scale",
    "training_data",
]


def training_data(
    model: "FactorModel", X: Any, reset: bool = True
) -> Float[np.ndarray, "samples features"]:
    """An array of at least two finite samples, in the range that the decoder needs."""
    X = validate_data(model, X, reset=reset, dtype=[np.float64, np.float32], ensure_min_samples=2)
    check_range(model, X.min(), X.max())
    return X


def check_range(model: "FactorModel", minimum: Any, maximum: Any, name: str = "X") -> None:
    """Refuse values outside [0, 1] where features are binary."""
    low, high = float(np.min(minimum)), float(np.max(maximum))
    if model._binary_features and (low < 0 or high > 1):
        raise ValueError(
            f"binary features must lie in [0, 1]; {name} ranges from {low:.6g} to {high:.6g}. "
            "Scale it, for example with sklearn.preprocessing.MinMaxScaler, or choose a "
            "decoder for real values"
        )


def origin_and_scale(
    X: Float[np.ndarray, "samples features"],
) -> tuple[Float[np.ndarray, " features"], float]:
    """Means, and the square root of the features' mean variance (1 where nothing varies)."""
    # In float64: sums of float32 down a long column lose the mean, not only its last digits.
    mean = X.mean(axis=0, dtype=np.float64).astype(X.dtype)
    variance = np.var(X, axis=0, dtype=np.float64)
    constant = X.min(axis=0) == X.max(axis=0)  # else rounding of its mean seems to vary
    mean[constant], variance[constant] = X[0, constant], 0.0
    return mean, float(np.sqrt(variance.mean())) or 1.0


def check_n_components(model: "FactorModel", n_samples: int, n_features: int) -> int:
    """Number of components for data of this shape."""
    if model.n_components is None:
        return min(n_samples, n_features)
    if not isinstance(model.n_components, Integral):
        raise ValueError(
            f"n_components={model.n_components!r} must be one number, but for groups of latents "
            "(decoder='single-parent')"
        )
    if int(model.n_components) > n_features:
        raise ValueError(
            f"n_components={model.n_components} must be at most the number of features, "
            f"{n_features}: lower it"
        )
    return int(model.n_components)


def check_latents(Z: Any, n_components: int) -> Float[np.ndarray, "samples latents"]:
    """Latents as an array of finite numbers, one column a component."""
    Z = check_array(Z, dtype=[np.float64, np.float32], input_name="Z")
    if Z.shape[1] != n_components:
        raise ValueError(
            f"Z must have shape (n_samples, {n_components}), one column a component, as transform "
            f"gives it; found {Z.shape}"
        )
    return Z
