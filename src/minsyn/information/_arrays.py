"""Arrays of numbers from what callers pass, and their rounding."""

from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj
from jaxtyping import Float, Shaped

__all__ = [
    "as_array",
    "as_floating",
    "as_numbers",
    "common_namespace",
    "in_unit_of_size",
    "rounding_of",
]

#: A number in half precision was rounded once: sums are not taken in it.
_SUMS_OF_HALF = 64


def as_array(values: Any, name: str) -> Shaped[np.ndarray, "..."]:
    """The argument as an array of any type.

    Raises
    ------
    ValueError
        If NumPy cannot read it, as rows of different lengths, or if it masks values.
    TypeError
        If it is a Tensor that needs gradients, is sparse, or holds what NumPy has no numbers for.

    Examples
    --------
    >>> as_array([[1, 2], [3]], "pmf")
    Traceback (most recent call last):
        ...
    ValueError: pmf is not an array: its rows have different lengths
    """
    if np.ma.is_masked(values):
        raise ValueError(f"{name} has masked values; fill them in or leave them out first")
    if is_tensor(values):
        return of_tensor(values, name)
    try:
        return np.asarray(values)
    except Exception as error:  # whatever the argument's own conversion raises
        why = " ".join(str(error).split())
        why = "its rows have different lengths" if "inhomogeneous" in why else why
        raise ValueError(f"{name} is not an array: {why}") from None


def as_numbers(values: Any, name: str) -> Float[np.ndarray, "..."]:
    """The argument as an array of float64.

    Raises
    ------
    ValueError
        If it is not an array of real numbers.

    Examples
    --------
    >>> as_numbers([1, 2], "rho")
    array([1., 2.])
    >>> as_numbers(["a"], "rho")
    Traceback (most recent call last):
        ...
    ValueError: rho must hold real numbers; its dtype is <U1
    """
    array = as_array(values, name)
    if array.dtype.kind == "O" and all(isinstance(v, Real | Decimal) for v in array.flat):
        try:
            array = array.astype(np.float64)  # of columns of several types
        except OverflowError:
            raise ValueError(f"{name} has integers beyond float64") from None
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold real numbers; its dtype is {array.dtype}")
    with np.errstate(over="ignore"):  # of long doubles beyond float64, which become infinite
        return array.astype(np.float64, copy=False)


def as_floating(values: Any, name: str) -> Any:
    """Floating tensors and arrays as they are; all else in float64, or a ValueError.

    Examples
    --------
    >>> as_floating(np.ones(2, np.float32), "rho").dtype, as_floating([1, 0], "rho").dtype
    (dtype('float32'), dtype('float64'))
    """
    if is_tensor(values) and not values.is_floating_point():
        if values.is_complex():
            raise ValueError(f"{name} must hold real numbers; its dtype is {values.dtype}")
        return values.double()
    if not isinstance(values, np.ndarray) and is_array_api_obj(values):
        return values
    array = as_array(values, name)
    return array if array.dtype.kind == "f" else as_numbers(array, name)


def common_namespace(**arrays: Any) -> Any:
    """Array API of arguments, by name, which must all be of one library.

    Raises
    ------
    TypeError
        If they are not, or one is no array.

    Examples
    --------
    >>> import torch
    >>> common_namespace(z=np.ones(2), x=torch.ones(2))
    Traceback (most recent call last):
        ...
    TypeError: z, x must be arrays of one library; found ndarray, Tensor
    """
    try:
        return array_namespace(*arrays.values())
    except TypeError:
        found = ", ".join(type(array).__name__ for array in arrays.values())
        raise TypeError(
            f"{', '.join(arrays)} must be arrays of one library; found {found}"
        ) from None


def is_tensor(values: Any) -> bool:
    """Whether this is a Tensor, without an import of torch.

    Examples
    --------
    >>> is_tensor(np.ones(2))
    False
    """
    return type(values).__module__.partition(".")[0] == "torch" and hasattr(values, "requires_grad")


def of_tensor(tensor: Any, name: str) -> Shaped[np.ndarray, "..."]:
    """The values of a Tensor of any device.

    Raises
    ------
    TypeError
        If it needs gradients, is sparse, or NumPy has no such numbers.

    Examples
    --------
    >>> import torch
    >>> of_tensor(torch.ones(2, requires_grad=True), "X")
    Traceback (most recent call last):
        ...
    TypeError: X needs gradients, which do not pass through here: pass X.detach()
    """
    if tensor.requires_grad:
        raise TypeError(
            f"{name} needs gradients, which do not pass through here: pass {name}.detach()"
        )
    if str(tensor.layout) != "torch.strided":
        raise TypeError(f"{name} is a sparse Tensor: pass {name}.to_dense()")
    if str(tensor.dtype) == "torch.bfloat16":  # NumPy has no such numbers
        tensor = tensor.float()
    try:
        values: np.ndarray = tensor.cpu().resolve_conj().numpy()
    # torch has no numbers of a meta tensor, and NumPy has no float8: each says so in its own way.
    except (TypeError, NotImplementedError) as error:
        raise TypeError(f"{name} is no array: {' '.join(str(error).split())}") from None
    return values


def in_unit_of_size(columns: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n k"]:
    """Each column times a power of two, so that its largest number is about 1: without rounding.

    Examples
    --------
    >>> in_unit_of_size(np.array([[3.0, 0.0], [-1.5, 0.0]]))
    array([[ 0.75 ,  0.   ],
           [-0.375,  0.   ]])
    """
    exponents = np.frexp(np.abs(columns).max(axis=0, initial=0.0))[1]
    scaled: np.ndarray = np.ldexp(columns, -exponents)
    return scaled


def rounding_of(*arrays: Shaped[np.ndarray, "..."]) -> float:
    """Relative rounding of the coarsest of several arrays, once they are in float64.

    Examples
    --------
    >>> rounding_of(np.ones(2, np.float32), np.ones(2, int)) == 2**-23
    True
    """
    found = float(np.finfo(np.float64).eps)
    for array in arrays:
        if array.dtype.kind == "f":
            eps = float(np.finfo(array.dtype).eps)
            found = max(found, eps / _SUMS_OF_HALF if array.dtype.itemsize == 2 else eps)
    return found
