"""Fits of small data on one thread."""

from collections.abc import Callable, Sequence
from functools import wraps
from math import inf, prod
from numbers import Integral
from typing import Any, TypeVar

from torch import nn
from torch.nn.parameter import is_lazy

from minsyn._threads import one_thread_if_small

__all__ = ["on_one_thread_if_small"]

Method = TypeVar("Method", bound=Callable[..., Any])
#: Width of a model whose number of factors is not given.
_WIDTH = 10


def on_one_thread_if_small(fit: Method) -> Method:
    """Decorator of a method that fits an estimator to samples; see `one_thread_if_small`.

    Parameters
    ----------
    fit : callable
        Method whose first argument is the samples.

    Returns
    -------
    callable
        The method, which runs on one thread if a pass over the samples is small work.
    """

    @wraps(fit)
    def method(self: Any, *args: Any, **options: Any) -> Any:
        X = args[0] if args else options.get("X")
        layers = [getattr(self, name, None) for name in ("n_components", "encoder", "decoder")]
        with one_thread_if_small(_n_multiplications(X, layers)):
            return fit(self, *args, **options)

    return method  # type: ignore[return-value]


def _n_multiplications(X: Any, layers: Sequence[Any]) -> float:
    """Multiplications of the samples with the widest layer; infinite if X is read by blocks."""
    if isinstance(X, list | tuple):
        return 0.0  # a large list takes longer to become an array than to be fitted
    shape = getattr(X, "shape", None)
    if shape is None or len(shape) != 2:
        return inf
    return float(prod(shape)) * _width(layers, shape[1])


def _width(layers: Sequence[Any], n_features: int) -> float:
    """Largest number of outputs. A module counts by its weights of each feature, if known."""
    widths: list[float] = []
    for layer in layers:
        if isinstance(layer, nn.Module):
            n_weights = sum(inf if is_lazy(p) else p.numel() for p in layer.parameters())
            widths.append(n_weights / max(n_features, 1))
        else:
            sizes = layer if isinstance(layer, list | tuple) else [layer]
            widths += [float(size) for size in sizes if isinstance(size, Integral)]
    return max(widths, default=_WIDTH)
