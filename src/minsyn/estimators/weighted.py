"""Methods that show ``sample_weight`` in their signature where a model takes weights."""

import inspect
from collections.abc import Callable
from functools import update_wrapper, wraps
from types import MethodType
from typing import Any

__all__ = ["WeightsIf"]


class WeightsIf:
    """A method whose parameter ``sample_weight`` is shown only where the model takes weights.

    scikit-learn finds out from the signature whether it may pass weights, as it finds out from
    `hasattr` whether there is a method that `available_if` guards. The method itself is the same,
    and says why it refuses weights.

    Parameters
    ----------
    check : callable
        Whether a model takes weights.
    available : callable, optional
        Whether a model has the method at all; scikit-learn's `available_if`, as it cannot be
        combined with another descriptor.

    Examples
    --------
    >>> class Model:
    ...     weighted = False
    ...     @WeightsIf(lambda model: model.weighted)
    ...     def fit(self, X, sample_weight=None):
    ...         return X, sample_weight
    >>> model = Model()
    >>> inspect.signature(model.fit), model.fit(1, sample_weight=2)
    (<Signature (X)>, (1, 2))
    >>> model.weighted = True
    >>> inspect.signature(model.fit)
    <Signature (X, sample_weight=None)>
    """

    def __init__(
        self, check: Callable[[Any], bool], available: Callable[[Any], bool] | None = None
    ) -> None:
        self._check, self._available = check, available
        self._method: Any = None

    def __call__(self, method: Callable[..., Any]) -> Any:
        """Guard a method."""
        self._method = method
        update_wrapper(self, method)
        return self

    def __get__(self, model: Any, owner: type | None = None) -> Any:
        """Bind the method to a model."""
        if model is None:
            return self._method
        if self._available is not None and not self._available(model):
            raise AttributeError(
                f"this {type(model).__name__} has no attribute {self._method.__name__!r}"
            )
        bound = MethodType(self._method, model)
        if self._check(model):
            return bound
        signature = inspect.signature(bound)
        shown = [p for name, p in signature.parameters.items() if name != "sample_weight"]

        @wraps(bound)
        def method(*args: Any, **options: Any) -> Any:
            return bound(*args, **options)

        method.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined]
        return method
