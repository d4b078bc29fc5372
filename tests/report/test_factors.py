import numpy as np
import pytest

from minsyn.information import PairwiseStatistics, synergy
from minsyn.metrics import summarise_factors
from minsyn.report import figure_of_factors


def described(z, x):
    return summarise_factors(PairwiseStatistics.of(z, x)), synergy(z, x, bias_correction="none")


def random_factors(rng, n_factors, n_features):
    z = rng.normal(size=(60, n_factors))
    x = z @ rng.normal(size=(n_factors, n_features)) + rng.normal(size=(60, n_features))
    x[:, -1] = 1.0
    return described(z, x)


def test_bars_are_the_strongest_correlations(rng):
    summary, measured = random_factors(rng, 2, 7)
    figure = figure_of_factors(summary, measured, ["f0", "f1"], list("abcdefg"), top=3)
    *panels, below = figure.axes
    for factor, axes in zip(summary.order(), panels, strict=True):
        features = summary.top_features(factor, 3)
        assert axes.get_title().startswith(f"f{factor} explains")
        assert [text.get_text() for text in axes.get_yticklabels()] == [
            "abcdefg"[i] for i in features
        ]
        widths = [bar.get_width() for bar in axes.patches]
        np.testing.assert_allclose(widths, summary.correlation[factor, features])
    # Six features vary; union information and GK synergy are stacked to the mutual information.
    order = np.argsort(-measured["mutual_information"])[:6]
    assert [text.get_text() for text in below.get_xticklabels()] == ["abcdefg"[i] for i in order]
    union, gk = below.patches[:6], below.patches[6:]
    for bars, name in ((union, "union_information"), (gk, "gk_synergy")):
        heights = [bar.get_height() for bar in bars]
        np.testing.assert_allclose(heights, measured[name][order], atol=1e-12)
    tops = [bar.get_y() + bar.get_height() for bar in gk]
    np.testing.assert_allclose(tops, measured["mutual_information"][order])
    np.testing.assert_allclose(below.lines[0].get_ydata(), measured["ci_synergy"][order])


@pytest.mark.parametrize(("n_factors", "n_features"), [(1, 1), (1, 3), (4, 5), (7, 60), (5, 12)])
def test_any_number_of_factors_and_features(rng, pixels, n_factors, n_features):
    summary, measured = random_factors(rng, n_factors, n_features)
    names = [f"a feature with quite a long name {i}" for i in range(n_features)]
    figure = figure_of_factors(summary, measured, [f"f{j}" for j in range(n_factors)], names)
    image = pixels(figure)
    scale = image.shape[1] / figure.bbox.width
    assert len(figure.axes) == n_factors + 1
    for axes in figure.axes:
        around, inside = axes.get_tightbbox(), axes.get_window_extent()
        assert around.x0 > -1 and around.x1 < figure.bbox.width + 1
        assert around.y0 > -1 and around.y1 < figure.bbox.height + 1
        rows = slice(*(round(scale * (figure.bbox.height - y)) for y in (inside.y1, inside.y0)))
        columns = slice(*(round(scale * x) for x in (inside.x0, inside.x1)))
        colours = np.ptp(image[rows, columns], axis=2)
        assert colours.max() > 15 or n_features == 1  # a constant feature has no bar


def test_corrected_values_below_zero_have_no_bar(rng):
    z, x = rng.normal(size=(30, 3)), rng.normal(size=(30, 40))
    summary = summarise_factors(PairwiseStatistics.of(z, x))
    measured = synergy(z, x)
    assert measured["gk_synergy"].min() < 0
    below = figure_of_factors(summary, measured, list("fgh"), [f"x{i}" for i in range(40)]).axes[-1]
    assert below.patches and min(bar.get_height() for bar in below.patches) >= 0


def test_maps_of_pixels(rng):
    summary, measured = random_factors(rng, 3, 12)
    figure = figure_of_factors(summary, measured, list("fgh"), ["p"] * 12, image_shape=(3, 4))
    first = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(first.ravel(), summary.correlation[summary.order()[0]])
    with pytest.raises(ValueError, match=r"image_shape=\(3, 5\) has 15 pixels, but .* 12 features"):
        figure_of_factors(summary, measured, list("fgh"), ["p"] * 12, image_shape=(3, 5))


def test_bars_of_determined_features_end_at_the_edge(rng, pixels):
    z = rng.normal(size=(50, 2))
    x = np.column_stack([z.sum(axis=1), z[:, 0] + rng.normal(size=50)])
    summary, measured = described(z, x)
    assert np.isinf(measured["gk_synergy"][0]) and np.isfinite(measured["gk_synergy"][1])
    figure = figure_of_factors(summary, measured, ["f", "g"], ["sum", "noisy"])
    pixels(figure)
    tops = [bar.get_y() + bar.get_height() for bar in figure.axes[-1].patches[2:]]
    assert tops[1] < tops[0] <= figure.axes[-1].get_ylim()[1] < np.inf
    (marks,) = [line for line in figure.axes[-1].lines if line.get_marker() == "^"]
    assert marks.get_xdata().tolist() == [0]
    assert figure.axes[-1].get_ylabel() == "bits (▲ infinite)"
