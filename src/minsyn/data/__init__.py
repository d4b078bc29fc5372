"""Data sets, wherever they lie, as samples that training and measures can pass over.

`as_samples` opens an array, a file, a table, a sparse matrix or torch data as a `SampleStream`,
which gives samples in blocks or in shuffled mini-batches, and holds only a block of a file in
memory.

- `as_samples`, `is_stream`, `stream_of_features`: open a data set.
- `SampleStream`, `ArraySlices`: data sets that are read by blocks.
- `Samples`, `TensorSamples`: what the training loop needs, and tensors in memory.
- `column_statistics`, `ColumnStatistics`: mean, variance and range of every feature.
- `read_table`, `read_columns`, `table_columns`: tables in files as data frames; `TableFormat`: what
  cannot be seen in a file.
- `named_array`, `plain_frame`: DataFrames of any library and other data in memory as numbers with
  names.
- `batch_bounds`: how the samples of an epoch are split into batches and among processes.

Names are loaded when they are first used; the functions for tables do not import torch.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
