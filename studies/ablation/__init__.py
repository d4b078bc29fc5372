"""Ablation: parts of MinSyn with vector factors, exchanged one at a time."""
