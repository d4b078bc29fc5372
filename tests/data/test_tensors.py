from itertools import chain

import pytest
import torch

from minsyn.data import TensorSamples


@pytest.fixture
def samples():
    return TensorSamples(torch.arange(23), torch.arange(23.0)[:, None])


def rows_of(samples, *args, **kwargs):
    """Rows of each batch, the same in both tensors."""
    batches = list(samples.batches(*args, **kwargs))
    assert all(torch.equal(x, y[:, 0].long()) for x, y in batches)
    return [x.tolist() for x, _ in batches]


def flat(batches):
    return list(chain(*batches))


@pytest.mark.parametrize("world_size", [1, 2, 3])
@pytest.mark.parametrize(
    ("batch_size", "n_batches"), [(None, 1), (100, 1), (23, 1), (7, 4), (22, 2)]
)
def test_ranks_part_the_batches_of_one_process(samples, batch_size, n_batches, world_size):
    def generator():
        return torch.Generator().manual_seed(0)

    alone = rows_of(samples, batch_size, generator())
    shares = [rows_of(samples, batch_size, generator(), r, world_size) for r in range(world_size)]
    assert [flat(parts) for parts in zip(*shares, strict=True)] == alone
    assert len(alone) == n_batches and sorted(flat(alone)) == list(range(23))
    sizes = [len(batch) for batch in alone]
    assert max(sizes) - min(sizes) <= 1 and max(sizes) <= (batch_size or 23)


def test_an_epoch_is_shuffled_by_the_generator_alone(samples):
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(23, generator=torch.Generator().manual_seed(0))
    first = rows_of(samples, 8, generator)
    assert flat(first) == order.tolist() != flat(rows_of(samples, 8, generator))
    assert flat(rows_of(samples, 8)) == list(range(23))


def test_a_whole_batch_is_neither_copied_nor_random(samples):
    generator = torch.Generator()
    before = generator.get_state()
    ((x, _),) = samples.batches(None, generator)
    assert x.data_ptr() == samples.tensors[0].data_ptr()
    assert torch.equal(before, generator.get_state())


def test_more_ranks_than_samples_in_a_batch(samples):
    with pytest.raises(ValueError, match="4 processes cannot share batches of 2 samples"):
        next(samples.batches(3, rank=0, world_size=4))


@pytest.mark.parametrize("lengths", [(), (0,), (2, 3)])
def test_tensors_that_do_not_belong_together(lengths):
    with pytest.raises(ValueError, match="same samples, at least one"):
        TensorSamples(*(torch.zeros(n, 2) for n in lengths))


def test_the_fingerprint_is_of_values_shapes_and_types():
    x = torch.arange(6.0).reshape(2, 3)
    others = [x.reshape(3, 2), x.double(), x + 1, x.t().contiguous().t() * 2]
    assert TensorSamples(x.t().contiguous().t()).fingerprint() == TensorSamples(x).fingerprint()
    prints = {TensorSamples(y).fingerprint() for y in [x, *others]}
    prints |= {TensorSamples(x, x).fingerprint(), TensorSamples(x.to(torch.bfloat16)).fingerprint()}
    assert len(prints) == len(others) + 3
