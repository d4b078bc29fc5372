"""Training: steps on a loss until it stops falling."""

from minsyn.training.checkpoint import CheckpointError, CheckpointWarning
from minsyn.training.column_statistics import ColumnStatistics, column_statistics
from minsyn.training.fabric import Device, Precision, launch, n_processes
from minsyn.training.lbfgs import fit_linear_encoder
from minsyn.training.loop import TrainingResult, train
from minsyn.training.progress import training_progress
from minsyn.training.protocol import Samples
from minsyn.training.rows import ArraySlices
from minsyn.training.samples import as_samples
from minsyn.training.stream import SampleStream
from minsyn.training.tensor_samples import TensorSamples

__all__ = [
    "ArraySlices",
    "CheckpointError",
    "CheckpointWarning",
    "ColumnStatistics",
    "Device",
    "Precision",
    "SampleStream",
    "Samples",
    "TensorSamples",
    "TrainingResult",
    "as_samples",
    "column_statistics",
    "fit_linear_encoder",
    "launch",
    "n_processes",
    "train",
    "training_progress",
]
