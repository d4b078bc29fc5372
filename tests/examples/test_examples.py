"""The examples run, and do what they say."""

import runpy
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_convolutional_encoder(capsys):
    main = runpy.run_path(str(EXAMPLES / "convolutional_encoder.py"))["main"]
    results = main(n_steps=60)
    assert results["model"] < 0.95 * results["pixel means"]
    assert "draws" in capsys.readouterr().out
