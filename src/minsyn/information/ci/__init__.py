"""Closed-form decoders without CI synergy, one file a kind of latents and observations."""

from minsyn.information.ci import bernoulli, categorical, gaussian, mixed

__all__ = ["bernoulli", "categorical", "gaussian", "mixed"]
