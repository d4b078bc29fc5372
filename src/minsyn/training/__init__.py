"""The training loop: gradient steps on a loss until it stops falling."""

from minsyn.training.loop import TrainingResult, train
from minsyn.training.progress import training_progress

__all__ = ["TrainingResult", "train", "training_progress"]
