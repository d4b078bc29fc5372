"""Samples, and blocks that are small enough to hold a part of them."""

import sys
from pathlib import Path

import numpy as np
import pytest

from minsyn.training import gathered, in_memory, rows, stream, tables, torch_data

sys.path.insert(0, str(Path(__file__).parent))
from forms import K, N

MODULES = (gathered, in_memory, rows, stream, tables, torch_data)


@pytest.fixture
def x(rng):
    """Samples that know their number: the first feature. Short decimals hold them exactly."""
    array = (rng.integers(-99, 99, size=(N, K)) / 64).astype(np.float32)
    array[:, 0] = np.arange(N)
    return array


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 16 samples, read in pieces of 4."""
    for module in MODULES:
        if hasattr(module, "BLOCK_BYTES"):
            monkeypatch.setattr(module, "BLOCK_BYTES", 16 * K * 4)
    monkeypatch.setattr(rows, "PIECE_BYTES", 4 * K * 4)
