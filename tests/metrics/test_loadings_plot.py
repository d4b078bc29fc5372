from itertools import pairwise

import numpy as np
import pytest
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch

from minsyn.information import PairwiseStatistics
from minsyn.metrics import loadings, sort_loadings


@pytest.fixture
def table(rng):
    """Three factors, two of them correlated, four features each, and one of none."""
    z = rng.normal(size=(300, 3))
    z[:, 1] += z[:, 0]
    x = np.repeat(z, 4, axis=1) * np.tile([3, 3, -3, 3], 3) + rng.normal(size=(300, 12))
    return loadings(PairwiseStatistics.of(z, np.hstack([x, rng.normal(size=(300, 1))])))


def drawn(figure, kind):
    return [patch for patch in figure.axes[0].patches if type(patch) is kind]


def test_cells_are_loadings_and_bars_are_shares(table):
    axes = table.plot().axes
    matrix = next(a for a in axes if a.images)
    ordered = sort_loadings(table)
    np.testing.assert_allclose(matrix.images[0].get_array(), ordered.values)
    assert [t.get_text() for t in matrix.get_yticklabels()] == list(ordered.feature_names)
    assert len(matrix.texts) == np.sum(np.abs(table.values) >= 0.3)
    by_bars = [a for a in axes if len(a.patches) in (3, 13)]
    above, right = sorted(by_bars, key=lambda a: len(a.patches))
    np.testing.assert_allclose([b.get_height() for b in above.patches], table.explained_alone)
    np.testing.assert_allclose([b.get_width() for b in right.patches], ordered.communality)
    plain = next(a for a in table.plot(sort=False).axes if a.images)
    np.testing.assert_allclose(plain.images[0].get_array(), table.values)


@pytest.mark.parametrize(("n_factors", "n_features"), [(1, 1), (2, 90), (30, 20), (13, 200)])
def test_heat_maps_of_any_size(rng, pixels, n_factors, n_features):
    z = rng.normal(size=(100, n_factors))
    x = z @ rng.normal(size=(n_factors, n_features)) + rng.normal(size=(100, n_features))
    names = [f"a feature with quite a long name, {i}" for i in range(n_features)]
    figure = loadings(PairwiseStatistics.of(z, x), names).plot()
    pixels(figure)
    for axes in figure.axes:
        around = axes.get_tightbbox()
        assert around.x0 > -2 and around.x1 < figure.bbox.width + 2
        assert around.y0 > -2 and around.y1 < figure.bbox.height + 2


def test_an_arrow_for_each_strong_loading_and_correlation(table):
    figure = table.plot_paths(hide_below=0.3)
    assert len(drawn(figure, Ellipse)) == 3 and len(drawn(figure, FancyBboxPatch)) == 13
    n_strong = np.sum(np.abs(table.values) >= 0.3)
    n_correlated = np.sum(np.triu(np.abs(table.factor_correlation) >= 0.3, 1))
    assert len(drawn(figure, FancyArrowPatch)) == n_strong + n_correlated and n_correlated == 1
    assert len(drawn(table.plot_paths(hide_below=2.0), FancyArrowPatch)) == 0
    strongest = np.abs(table.values).max(axis=1)
    numbers = [t.get_text() for t in figure.axes[0].texts if "." in t.get_text()]
    assert len(numbers) == np.sum(strongest >= 0.3) + n_correlated


def test_factors_may_be_named(table):
    figure = table.plot_paths(names={"F2": "courage"})
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "courage" in texts and "F1" in texts and "F2" not in texts
    with pytest.raises(ValueError, match=r"no factor 'F9'; there are F1, F2, F3"):
        table.plot_paths(names={"F9": "courage"})


@pytest.mark.parametrize(("n_factors", "n_features"), [(1, 1), (3, 4), (6, 4), (5, 40)])
def test_ellipses_and_boxes_lie_inside_and_apart(rng, pixels, n_factors, n_features):
    z = rng.normal(size=(100, n_factors))
    x = z[:, rng.integers(n_factors, size=n_features)] + rng.normal(size=(100, n_features))
    figure = loadings(PairwiseStatistics.of(z, x)).plot_paths()
    pixels(figure)
    extents = [patch.get_window_extent() for patch in drawn(figure, Ellipse)]
    for box in extents + [patch.get_window_extent() for patch in drawn(figure, FancyBboxPatch)]:
        assert box.x0 >= 0 and box.x1 <= figure.bbox.width
        assert box.y0 >= 0 and box.y1 <= figure.bbox.height
    extents.sort(key=lambda box: box.y0)
    for lower, upper in pairwise(extents):
        assert lower.y1 <= upper.y0 + 1
