"""A line to be fitted, for the tests of the engine: small, and random where it may be."""

import torch
from torch import nn

from minsyn.data import TensorSamples
from minsyn.training import train


class Line(nn.Linear):
    """A line in the plane of two inputs, at first flat."""

    def __init__(self):
        super().__init__(2, 1)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)


def squared_error(module, x, y):
    return (module(x) - y).square().mean()


def line_samples(n_samples=40):
    inputs = torch.randn(n_samples, 2, generator=torch.Generator().manual_seed(0))
    return TensorSamples(inputs, inputs @ torch.tensor([[1.0], [-2.0]]) + 0.5)


def fit_line(module=None, loss=None, samples=None, **settings):
    """The module and its `TrainingResult`."""
    module = module or Line()
    defaults = {
        "learning_rate": 0.05,
        "batch_size": None,
        "max_epochs": 3000,
        "tol": 1e-3,
        "patience": 20,
        "generator": torch.Generator().manual_seed(1),
    }
    result = train(
        module,
        loss or (lambda x, y: squared_error(module, x, y)),
        samples or line_samples(),
        **(defaults | settings),
    )
    return module, result
