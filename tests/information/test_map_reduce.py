"""Statistics of data that no machine holds at once: chunk by chunk, and over Dask arrays."""

import functools

import numpy as np
import pytest

from minsyn.information import PairwiseStatistics, gaussian


@pytest.fixture
def samples(rng):
    z = rng.normal(size=(1000, 3)) + 5
    return z, z @ rng.normal(size=(3, 4)) + rng.normal(size=(1000, 4))


def assert_as_whole(statistics, samples):
    whole = PairwiseStatistics.of(*samples)
    assert statistics.weight == 1000
    np.testing.assert_allclose(statistics.sigma, whole.sigma, rtol=1e-12)
    np.testing.assert_allclose(
        gaussian.gk_synergy(statistics.sigma, statistics.rho),
        gaussian.gk_synergy(whole.sigma, whole.rho),
        rtol=1e-9,
    )


def test_chunks_reduced_in_turn(samples):
    z, x = samples
    parts = (PairwiseStatistics.of(z[s : s + 130], x[s : s + 130]) for s in range(0, 1000, 130))
    assert_as_whole(functools.reduce(PairwiseStatistics.merge, parts), samples)


def test_dask_arrays(samples):
    da = pytest.importorskip("dask.array", reason="dask is not installed: pip install dask")
    import dask
    from dask import bag

    z, x = (da.from_array(a, chunks=(130, a.shape[1])) for a in samples)
    parts = [
        dask.delayed(PairwiseStatistics.of)(z_part, x_part)
        for z_part, x_part in zip(z.to_delayed().ravel(), x.to_delayed().ravel(), strict=True)
    ]
    tree = bag.from_delayed([dask.delayed(lambda part: [part])(part) for part in parts])
    total = tree.fold(PairwiseStatistics.merge, split_every=3).compute(scheduler="synchronous")
    assert_as_whole(total, samples)


def test_a_million_away_from_zero_costs_no_digits():
    """Blocks and shift: drift, sorting and offsets leave the moments exact."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(3000, 2))
    x = np.column_stack([np.sort(rng.normal(size=3000)), z[:, 0], np.linspace(0, 1, 3000)])
    near = PairwiseStatistics.of(z, x)
    far = PairwiseStatistics.of(z + 1e6, x - 1e6)
    np.testing.assert_allclose(far.rho, near.rho, atol=1e-9)
    np.testing.assert_allclose(far.var_x, near.var_x, rtol=1e-8)
    np.testing.assert_allclose(near.var_x, x.var(axis=0), rtol=1e-12)
    wide = PairwiseStatistics.of(z, np.tile(x, 400))  # more columns than a block
    np.testing.assert_allclose(wide.cov_zx, np.tile(near.cov_zx, 400), atol=1e-14)
