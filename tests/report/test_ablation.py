import numpy as np

from minsyn.benchmark import ABLATIONS, CellResult, find_methods
from minsyn.report import figure_of_ablation

METHODS = (*(row.method() for row in ABLATIONS), *find_methods(["pca", "oracle"]))
SCORES = ("test_loss", "acc", "gk_synergy", "gk_synergy_groups")


def cells(rng, methods):
    empty, rows = np.zeros((1, 4), np.float32), np.zeros(1, int)
    return [
        CellResult(
            method=method.key, draw=draw, random_state=0, train_loss=1.0,
            test_loss=rng.uniform(20, 99), acc=rng.uniform(), dead_factors=0, fit_seconds=1.0,
            n_iter=1, converged=True, warnings=(), maps=empty, train_rows=rows, test_rows=rows,
            train_examples=empty, test_examples=empty, ci_synergy=rng.uniform(),
            gk_synergy=rng.uniform(),
            gk_synergy_groups=np.nan if method.key == "pca" else rng.uniform(),
        )
        for method in methods
        for draw in range(3)
    ]  # fmt: skip


def shown(axes):
    return np.concatenate([points.get_offsets() for points in axes.collections])


def test_every_draw_and_mean_is_in_the_figure(rng, pixels):
    results = cells(rng, METHODS)
    figure = figure_of_ablation(results, METHODS)
    for axes, score in zip(figure.axes, SCORES, strict=True):
        points = shown(axes)
        left, right = axes.get_xlim()
        heights = set()
        for method in METHODS:
            values = [getattr(cell, score) for cell in results if cell.method == method.key]
            if np.isnan(values).any():
                continue
            wanted = [*values, np.mean(values)]
            near = np.isclose(points[:, 0, np.newaxis], wanted, rtol=1e-12).any(axis=1)
            # All of a method at one height, which no other method has.
            (height,) = set(points[near, 1])
            heights.add(height)
            assert near.sum() == 4 and left < min(values) and max(values) < right
        assert len(heights) == len(METHODS) - (score == "gk_synergy_groups")
    assert pixels(figure).std() > 5


def test_marks_say_what_a_row_has(rng):
    keys = ["ablation-synergy-balanced-ci", "ablation-synergy-unbalanced-ci-unpenalised"]
    methods = find_methods(keys)
    axes = figure_of_ablation(cells(rng, methods), methods).axes[0]
    means = axes.collections[1::2]
    filled = [not np.allclose(mean.get_facecolor(), 1.0) for mean in means]
    assert filled == [True, False]
    assert len(means[0].get_paths()[0]) != len(means[1].get_paths()[0])
    assert [t.get_text() for t in axes.get_yticklabels()] == ["Synergy", "CI"]


def test_rows_without_cells_stay_empty():
    figure = figure_of_ablation([], METHODS)
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels.count("CI") == 5 and labels.count("Single-parent") == 4
    assert not figure.axes[0].collections
