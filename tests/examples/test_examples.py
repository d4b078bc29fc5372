"""The examples run, and do what they say."""

import runpy
from pathlib import Path

import matplotlib.pyplot as plt

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_convolutional_encoder():
    main = runpy.run_path(str(EXAMPLES / "convolutional_encoder.py"))["main"]
    results = main(n_steps=60)
    assert results["model"] < 0.95 * results["pixel means"]
    assert len(plt.gcf().axes) == 32
    plt.close()
