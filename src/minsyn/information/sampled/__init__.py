"""Synergy asked of samples: values, biases, intervals and p-values."""

from minsyn.information.sampled.face import SynergyResult, synergy

__all__ = ["SynergyResult", "synergy"]
