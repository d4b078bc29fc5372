import numpy as np
import pandas as pd
from rich.console import Console

from minsyn.benchmark import CLEAN, DAMAGES, find_methods
from minsyn.report import figure_of_robustness, terminal_robustness

METHODS = find_methods(["pca", "minsyn-single-parent"])


def frame(rng):
    rows = [
        (method.key, draw, damage, *rng.uniform(100, 200, 4))
        for method in METHODS
        for draw in range(3)
        for damage in (CLEAN, *DAMAGES)
    ]
    columns = ["method", "draw", "damage", "loss", "relative", "others_loss", "others_relative"]
    return pd.DataFrame(rows, columns=columns)


def test_every_draw_is_in_the_figure(rng, pixels):
    data = frame(rng)
    figure = figure_of_robustness(data, METHODS)
    shown = np.concatenate(
        [c.get_offsets()[:, 1] for axes in figure.axes for c in axes.collections]
    )
    wanted = data.loss.tolist() + data.others_loss[data.damage.isin({"blank", "replaced"})].tolist()
    assert np.isclose(np.array(wanted)[:, None], shown).any(axis=1).all()
    assert pixels(figure).std() > 5


def test_terminal_tables_fit_80_characters(rng):
    console = Console(width=80, force_terminal=True, color_system=None, highlight=False)
    data = frame(rng)
    with console.capture() as capture:
        for table in terminal_robustness(data, METHODS):
            console.print(table)
    text = capture.get()
    means = data.groupby(["method", "damage"]).loss.mean()
    assert "…" not in text
    assert all(f"{mean:.1f}" in text for mean in means)
