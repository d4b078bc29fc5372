"""Robustness: models of clean words, given noisy and occluded ones."""
