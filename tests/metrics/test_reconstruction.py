import numpy as np
import pytest
from sklearn.metrics import log_loss, mean_squared_error

from minsyn.metrics import cross_entropy, squared_error


def test_squared_error_agrees_with_scikit_learn(rng):
    X, X_hat = rng.random((7, 5)), rng.random((7, 5))
    assert squared_error(X, X_hat) == pytest.approx(5 * mean_squared_error(X, X_hat))


def test_cross_entropy_agrees_with_scikit_learn(rng):
    X, P = rng.integers(0, 2, (40, 3)), rng.uniform(0.1, 0.9, (40, 3))
    expected = sum(log_loss(x, p) for x, p in zip(X.T, P.T, strict=True))
    assert cross_entropy(X, P) == pytest.approx(expected)


def test_cross_entropy_at_the_ends():
    assert cross_entropy([[0.0, 1.0]], [[0.0, 1.0]]) == 0
    assert cross_entropy([[1.0]], [[0.0]]) == np.inf
    grey = [[0.25]]  # a grey pixel is its own best reconstruction
    assert cross_entropy(grey, grey) < min(
        cross_entropy(grey, [[0.2]]), cross_entropy(grey, [[0.3]])
    )


def test_float32_does_not_lose_digits():
    X = np.full((1000, 2000), 1.1, dtype=np.float32)
    assert squared_error(X, np.zeros_like(X)) == pytest.approx(
        2000 * float(X[0, 0]) ** 2, rel=1e-12
    )


@pytest.mark.parametrize("loss", [squared_error, cross_entropy])
@pytest.mark.parametrize(
    ("X", "X_hat", "message"),
    [
        ([[0.0, 1.0]], [[0.0]], r"expected the shape of X, \(1, 2\)"),
        (np.ones((0, 2)), np.ones((0, 2)), "X: expected shape"),
        ([0.0], [0.0], "X: expected shape"),
        ([[np.nan]], [[0.0]], "X: 1 of 1 values are NaN"),
        ([[0.0]], [[np.inf]], "(X_hat|P): 1 of 1 values"),
    ],
)
def test_bad_input_is_named(loss, X, X_hat, message):
    with pytest.raises(ValueError, match=message):
        loss(X, X_hat)


def test_cross_entropy_wants_probabilities():
    with pytest.raises(ValueError, match=r"P: expected values in \[0, 1\], found 1.5"):
        cross_entropy([[1.0]], [[1.5]])
