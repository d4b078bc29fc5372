"""Data as training reads them: arrays, files, tables, torch's data sets; whole or by blocks."""

from minsyn.data.columns import ColumnStatistics, column_statistics
from minsyn.data.files import ArraySlices
from minsyn.data.known import is_stream, stream_of_features
from minsyn.data.protocol import Samples
from minsyn.data.samples import as_samples
from minsyn.data.stream import SampleStream
from minsyn.data.tensors import TensorSamples

__all__ = [
    "ArraySlices",
    "ColumnStatistics",
    "SampleStream",
    "Samples",
    "TensorSamples",
    "as_samples",
    "column_statistics",
    "is_stream",
    "stream_of_features",
]
