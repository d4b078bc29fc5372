"""Samples, and blocks that are small enough to hold a part of them."""

import numpy as np
import pytest

from forms import K, N
from minsyn.data import row_stream, stream


@pytest.fixture
def x(rng):
    """Samples that know their number: the first feature. Short decimals hold them exactly."""
    array = (rng.integers(-99, 99, size=(N, K)) / 64).astype(np.float32)
    array[:, 0] = np.arange(N)
    return array


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 16 samples, read in pieces of 4."""
    monkeypatch.setattr(stream, "BLOCK_BYTES", 16 * K * 4)
    monkeypatch.setattr(row_stream, "PIECE_BYTES", 4 * K * 4)
