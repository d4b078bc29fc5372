"""Fixtures that every test may use: one thread, no display, real data where there is some."""

import io
import os
from pathlib import Path

# Before NumPy and torch load: with several BLAS threads a process, test workers fight for cores.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import jaxtyping
import numpy as np
import pytest
from PIL import Image

from shapes import once_for_each_kind

# Before the package loads, the functions of which are decorated as `pyproject.toml` says.
jaxtyping.jaxtyped = once_for_each_kind(jaxtyping.jaxtyped)

#: A folder beside the checkout, or the one named in MINSYN_DATA.
_DATA = Path(os.environ.get("MINSYN_DATA", Path(__file__).parents[2] / "shared" / "data"))


#: Files of tests that take long start first, so that no worker is left alone with one at the end.
_LONG = ("test_ranks.py", "test_benchmark.py", "test_checkpoint.py")


def pytest_collection_modifyitems(config, items):
    items.sort(key=lambda item: item.path.name not in _LONG)
    # Not in `pyproject.toml`: the process that only hands out tests would import scikit-learn.
    config.addinivalue_line("filterwarnings", "ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="session")
def real_data():
    """Path of a named real data file; skips the test where the file is absent."""

    def path(name):
        file = _DATA / name
        if not file.exists():
            pytest.skip(f"{name} is not here; set MINSYN_DATA to the folder that holds it")
        return file

    return path


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def pixels():
    """A figure as an array of pixels."""

    def draw(figure):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=100)
        return np.asarray(Image.open(buffer).convert("RGB")).astype(int)

    return draw
