"""Closed-form decoders without CI synergy, one module for each kind of sources and targets."""

from minsyn.information.ci import bernoulli, categorical, gaussian, mixed

__all__ = ["bernoulli", "categorical", "gaussian", "mixed"]
