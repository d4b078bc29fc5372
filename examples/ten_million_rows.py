"""
Ten million rows over Dask
==========================

A linear MinSyn depends only on means and covariances, which can be merged: each block of rows is
read once, wherever it is, and the fit is that of all rows.
"""

# %%
# A Dask array of ten million rows and 20 columns: 1.6 GB that are never in memory at once.

import time

import dask
import dask.array as da
import numpy as np

from minsyn import MinSyn
from minsyn.information import Moments

N_ROWS, N_COLUMNS, N_CAUSES = 10_000_000, 20, 4


def block_of_rows(block_info=None):
    """Columns that follow one cause each, and noise."""
    start, stop = block_info[None]["array-location"][0]
    rng = np.random.default_rng(start)
    causes = rng.standard_normal((stop - start, N_CAUSES), dtype=np.float32)
    X = causes[:, np.arange(N_COLUMNS) % N_CAUSES]
    return X + rng.standard_normal(X.shape, dtype=np.float32)


rows = 250_000
X = da.map_blocks(
    block_of_rows,
    chunks=((rows,) * (N_ROWS // rows), (N_COLUMNS,)),
    dtype=np.float32,
    meta=np.empty((0, 0), np.float32),
)
print(X)

# %%
# The moments of each block are computed where the block is, and merged.

start = time.perf_counter()
parts = [dask.delayed(Moments.of)(block) for block in X.to_delayed().ravel()]
moments, *others = dask.compute(*parts, scheduler="threads", num_workers=2)
for other in others:
    moments = moments.merge(other)
print(f"{moments.weight:,.0f} rows in {time.perf_counter() - start:.0f} seconds")

# %%
# The model of all rows; the number of factors is also found.

model = MinSyn(random_state=0).fit_covariance(moments)
print("factors:", model.n_components_)
figure = model.plot_loadings()

# %%
# Scores are computed in blocks, too.

scores = X.map_blocks(
    model.transform,
    chunks=(X.chunks[0], (model.n_components_,)),
    meta=np.empty((0, 0)),
)
print(scores[:3].compute().round(2))
