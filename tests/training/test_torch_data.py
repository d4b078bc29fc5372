"""Samples of torch's `Dataset` and `DataLoader`."""

import sys
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader

from minsyn.training import as_samples

sys.path.insert(0, str(Path(__file__).parent))
from forms import Mapped, Streamed, collect, seeded


def test_torch_data_that_will_not_do(x):
    class Uneven(Mapped):
        def __getitem__(self, i):
            return self.x[i][: 5 - (i == 60)]

    class Once(Streamed):
        def __init__(self, x):
            self.x = iter(x)

        def __iter__(self):
            return self.x

    class Text(Mapped):
        def __getitem__(self, i):
            return "text"

    with pytest.raises(ValueError, match="sample 60 has 4 features, the first has 5"):
        collect(as_samples(Uneven(x)), None)
    once = Once(x)
    with pytest.raises(ValueError, match="Once gave no samples in this pass"):
        as_samples(once)
    with pytest.raises(TypeError, match="arrays of real numbers"):
        as_samples(Text(x))
    with pytest.raises(ValueError, match="is empty"):
        as_samples(Mapped(x[:0]))
    loader = as_samples(DataLoader(Mapped(x), batch_size=8, shuffle=True))
    with pytest.raises(ValueError, match="pass its dataset"):
        collect(loader, 10, seeded(), 0, 2)
    with pytest.raises(ValueError, match="pass its dataset"):
        next(loader.blocks(0, 2))
    drops = as_samples(DataLoader(Mapped(x), batch_size=10, drop_last=True))
    assert len(np.concatenate(collect(drops, 20))) == drops.n_samples == 100
