"""Data that estimators read in blocks, and the features that they must have."""

import joblib
import numpy as np
import pandas as pd
import pytest

from forms import EVERYTHING, IN_MEMORY, K, N, Sliced, collect, csv
from minsyn.data import as_samples, is_stream, stream_of_features

#: Memmaps are arrays; other objects that give slices must go through `as_samples`.
ARRAYS = [*IN_MEMORY, "memmap", "part", "offset", "strided", "changed", "slices"]


@pytest.mark.parametrize("kind", EVERYTHING)
def test_what_is_read_in_blocks(x, tmp_path, kind):
    data = EVERYTHING[kind](x, tmp_path)
    assert is_stream(data) == (kind not in ARRAYS)
    assert is_stream(as_samples(data))


def test_what_joblib_passes_to_its_workers_is_an_array(x, tmp_path):
    """It dumps arrays above a megabyte and maps the file: the fit must be the same there."""
    joblib.dump(x, tmp_path / "x.pkl")
    mapped = joblib.load(tmp_path / "x.pkl", mmap_mode="r")
    assert isinstance(mapped, np.memmap) and not is_stream(mapped)


def test_features_are_known_by_name_or_by_number(x, tmp_path):
    path = csv(x, tmp_path)
    samples = stream_of_features(path, ["c", "a"], 2)
    np.testing.assert_array_equal(collect(samples, None)[0], x[:, [2, 0]])
    assert stream_of_features(x, list("abcde"), K).n_samples == N  # without names
    assert stream_of_features(pd.DataFrame(x), None, K).n_features == K
    with pytest.raises(ValueError, match="X has 5 features, but 3 are expected"):
        stream_of_features(x, None, 3)
    with pytest.raises(ValueError, match="no column 'q'"):
        stream_of_features(path, ["a", "q"], 2)
    with pytest.raises(ValueError, match=r"names of the features must be .* in the same order"):
        stream_of_features(as_samples(path, ["c", "a"]), ["a", "c"], 2)


def test_objects_that_give_slices_can_be_opened(x):
    samples = as_samples(Sliced(x))
    assert is_stream(samples) and samples.name == "Sliced"
