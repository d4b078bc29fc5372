import numpy as np
import pytest

from minsyn.information import PairwiseStatistics
from minsyn.metrics import summarise_factors
from minsyn.report import figure_of_factors


def summary_of(rng, n_factors, n_features):
    z = rng.normal(size=(60, n_factors))
    x = z @ rng.normal(size=(n_factors, n_features)) + rng.normal(size=(60, n_features))
    x[:, -1] = 1.0
    return summarise_factors(PairwiseStatistics.of(z, x))


def test_bars_are_the_strongest_correlations(rng):
    summary = summary_of(rng, 2, 7)
    figure = figure_of_factors(summary, ["f0", "f1"], list("abcdefg"), top=3)
    *panels, synergy = figure.axes
    for factor, axes in zip(summary.order(), panels, strict=True):
        features = summary.top_features(factor, 3)
        assert axes.get_title(loc="left").startswith(f"f{factor} explains")
        assert [text.get_text() for text in axes.get_yticklabels()] == [
            "abcdefg"[i] for i in features
        ]
        widths = [bar.get_width() for bar in axes.patches]
        np.testing.assert_allclose(widths, summary.correlation[factor, features])
    # Six features vary; union and synergy are stacked to the whole.
    bars = synergy.patches
    tops = [bar.get_y() + bar.get_height() for bar in bars[6:]]
    np.testing.assert_allclose(tops, np.sort(summary.mutual_information)[::-1][:6])
    best = "abcdefg"[summary.mutual_information.argmax()]
    assert synergy.get_xticklabels()[0].get_text() == best


@pytest.mark.parametrize(("n_factors", "n_features"), [(1, 1), (1, 3), (4, 5), (7, 60), (5, 12)])
def test_any_number_of_factors_and_features(rng, pixels, n_factors, n_features):
    summary = summary_of(rng, n_factors, n_features)
    names = [f"a feature with quite a long name {i}" for i in range(n_features)]
    figure = figure_of_factors(summary, [f"f{j}" for j in range(n_factors)], names)
    assert len(figure.axes) == n_factors + 1
    assert len(np.unique(pixels(figure))) > 1


def test_maps_of_pixels(rng):
    summary = summary_of(rng, 3, 12)
    figure = figure_of_factors(summary, list("fgh"), ["p"] * 12, image_shape=(3, 4))
    first = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(first.ravel(), summary.correlation[summary.order()[0]])
    with pytest.raises(ValueError, match=r"image_shape=\(3, 5\) has 15 pixels, but .* 12 features"):
        figure_of_factors(summary, list("fgh"), ["p"] * 12, image_shape=(3, 5))


def test_what_is_determined_is_drawn_to_the_edge(rng, pixels):
    z = rng.normal(size=(50, 2))
    summary = summarise_factors(PairwiseStatistics.of(z, z.sum(axis=1, keepdims=True)))
    assert np.isinf(summary.gk_synergy[0])
    pixels(figure_of_factors(summary, ["f", "g"], ["sum"]))
