"""Samples of torch's `Dataset` and `DataLoader`."""

import numpy as np
import pytest
import torch
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SubsetRandomSampler,
    TensorDataset,
)

from forms import Mapped, Streamed, collect, seeded
from minsyn import MinSyn
from minsyn.data import as_samples


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


def test_processes_share_only_loaders_that_keep_their_order(x):
    """A shuffled one would give two processes overlapping shares."""
    dataset = TensorDataset(torch.from_numpy(x))
    subset = SubsetRandomSampler(range(len(x)))
    mixed = BatchSampler(RandomSampler(dataset), 3, drop_last=False)
    for loader in (
        DataLoader(dataset, batch_size=3, shuffle=True),
        DataLoader(dataset, batch_size=3, sampler=subset),
        DataLoader(dataset, batch_sampler=mixed),
    ):
        with pytest.raises(ValueError, match="may shuffle"):
            next(as_samples(loader).blocks(0, 2))
    ordered = as_samples(DataLoader(dataset, batch_size=3))
    parts = [np.concatenate(list(ordered.blocks(rank, 2))) for rank in range(2)]
    np.testing.assert_array_equal(np.concatenate(parts), x)


def test_rows_of_a_shuffled_loader_cannot_be_told_apart(x):
    loader = DataLoader(Mapped(x), batch_size=8, shuffle=True)
    assert not as_samples(loader).ordered and as_samples(Mapped(x)).ordered
    assert as_samples(DataLoader(Streamed(x), batch_size=8)).ordered
    model = MinSyn(1, random_state=0).fit(loader)
    for use in (model.transform, model.reconstruct):
        with pytest.raises(ValueError, match="DataLoader of Mapped shuffles its samples"):
            use(loader)
    np.testing.assert_allclose(model.score(loader), model.score(x), rtol=1e-4)
