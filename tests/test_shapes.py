"""Calls are passed over only where the checker of shapes has seen one of the same kind."""

from typing import Literal

import jaxtyping
import numpy as np
import pytest
from beartype import beartype
from jaxtyping import Float, Int, jaxtyped

from minsyn.information import PairwiseStatistics


@jaxtyped(typechecker=beartype)
def scaled(
    X: Float[np.ndarray, "samples features"],
    by: tuple[float, ...] = (),
    n: int = 2,
    order: Literal["C", "F"] = "C",
) -> Int[np.ndarray, "{n}"]:  # noqa: F821
    return np.zeros(n if X.size < 100 else 0, dtype=int)


def test_calls_unlike_those_that_passed_are_refused():
    X = np.zeros((4, 3))
    for _ in range(2):
        scaled(X)
        scaled(X, n=3)
        scaled(X, order="F")
        scaled(X, (1.0, 2.0))
        scaled(X, (1.0,) * 11)
        for wrong in [
            lambda: scaled(X[0]),
            lambda: scaled(X.astype(int)),
            lambda: scaled(X.tolist()),
            lambda: scaled(X, ("1", "2")),
            lambda: scaled(X, n="3"),
            lambda: scaled(X, order="K"),
            lambda: scaled(X, tuple("12 letters.")),
            lambda: scaled(np.zeros((40, 3))),  # what it returns
        ]:
            with pytest.raises(jaxtyping.TypeCheckError):
                wrong()


def test_the_package_is_checked(rng):
    z, x = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    PairwiseStatistics.of(z, x)
    with pytest.raises(jaxtyping.TypeCheckError):
        PairwiseStatistics.of(z, x[0])
