"""Optimisation of encoders and decoders: Adam, L-BFGS, devices, processes and checkpoints."""

from minsyn.training.checkpoint import CheckpointError, CheckpointWarning
from minsyn.training.fabric import Device, Precision, launch, n_processes
from minsyn.training.lbfgs import fit_linear_encoder
from minsyn.training.loop import TrainingResult, train
from minsyn.training.progress import training_progress

__all__ = [
    "CheckpointError",
    "CheckpointWarning",
    "Device",
    "Precision",
    "TrainingResult",
    "fit_linear_encoder",
    "launch",
    "n_processes",
    "train",
    "training_progress",
]
