import numpy as np
import pytest
from matplotlib.figure import Figure

from minsyn.benchmark import bootstrap_interval
from minsyn.report import Appearance, DotRow, Dots, ScoreCloud, figure_of_dots, figure_of_draws
from minsyn.report.dots import draw_dots

LOOK = Appearance("#0072B2", "o")


def drawn(x, y, **options):
    axes = Figure().subplots()
    draw_dots(axes, x, y, LOOK, **options)
    return axes


@pytest.mark.parametrize("axis", [0, 1])
def test_draws_mean_and_interval_are_at_their_scores(rng, axis):
    scores = rng.normal(50, 4, 7)
    axes = drawn(*((scores, 3.0) if axis == 0 else (3.0, scores)), spread=0.6)
    draws, mean = (marks.get_offsets() for marks in axes.collections)
    np.testing.assert_allclose(draws[:, axis], scores)
    np.testing.assert_allclose(draws[:, 1 - axis], 3 + np.linspace(-0.3, 0.3, 7))
    np.testing.assert_allclose(mean[0, [axis, 1 - axis]], [scores.mean(), 3])
    (line,) = axes.lines
    np.testing.assert_allclose(line.get_xydata()[:, axis], bootstrap_interval(scores))
    np.testing.assert_array_equal(line.get_xydata()[:, 1 - axis], 3)


def test_two_scores_have_two_intervals(rng):
    x, y = rng.normal(size=(2, 6))
    axes = drawn(x, y)
    np.testing.assert_allclose(axes.collections[0].get_offsets(), np.column_stack([x, y]))
    across, along = (line.get_xydata() for line in axes.lines)
    np.testing.assert_allclose(across[:, 0], bootstrap_interval(x))
    np.testing.assert_allclose(along[:, 1], bootstrap_interval(y))
    np.testing.assert_allclose(across[:, 1], y.mean())
    np.testing.assert_allclose(along[:, 0], x.mean())


def test_a_single_draw_has_no_interval_and_draws_without_score_are_left_out():
    assert not drawn(np.array([1.0]), 0).lines
    axes = drawn(np.array([1.0, np.nan, 3.0]), 0)
    assert len(axes.collections[0].get_offsets()) == 2
    np.testing.assert_allclose(axes.collections[1].get_offsets(), [[2, 0]])
    assert not drawn(np.array([np.nan]), 0).collections


def test_marks_are_filled_or_open():
    axes = Figure().subplots()
    for filled in (True, False):
        draw_dots(axes, np.ones(1), 0, LOOK._replace(filled=filled))
    face = [tuple(axes.collections[i].get_facecolor()[0]) for i in (1, 3)]
    assert face[1] == (1, 1, 1, 1) != face[0]


def rows():
    one, two = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 9.0])
    return [
        DotRow("Heading"),
        DotRow("A", [Dots(LOOK, [one, two]), Dots(LOOK, [two, one])]),
        DotRow("B", [Dots(LOOK, [one, []])]),
    ]


def means(axes):
    return [tuple(marks.get_offsets()[0]) for marks in axes.collections[1::2]]


def test_every_row_stands_in_its_place_in_every_panel():
    figure = figure_of_dots(["First", "Second"], rows())
    first, second = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["First", "Second"]
    assert means(first) == [(2, pytest.approx(0.8)), (6, pytest.approx(1.2)), (2, 2)]
    assert means(second) == [(6, pytest.approx(0.8)), (2, pytest.approx(1.2))]
    labels = first.get_yticklabels()
    assert [text.get_text() for text in labels] == ["Heading", "A", "B"]
    assert [text.get_fontweight() for text in labels] == ["bold", "normal", "normal"]
    assert first.yaxis.get_inverted()


def test_linear_axes_begin_below_zero_so_that_no_mark_is_cut():
    for axes in figure_of_dots(["First", "Second"], rows()).axes:
        low, high = axes.get_xlim()
        assert -0.1 * high < low < -0.02 * high


@pytest.mark.parametrize("line", [None, 1.0])
def test_a_line_crosses_every_panel(line):
    figure = figure_of_dots(["First", "Second"], rows(), n_columns=1, scale="log", line=line)
    for axes in figure.axes:
        ends = [one.get_xydata() for one in axes.lines]
        upright = [(low[0], high[0]) for low, high in ends if low[1] != high[1]]
        assert upright == ([] if line is None else [(line, line)])


def test_logarithmic_axes_have_plain_numbers_and_may_be_shared():
    figure = figure_of_dots(["First", "Second"], rows(), scale="log", shared=True)
    figure.draw_without_rendering()
    first, second = figure.axes
    assert first.get_xscale() == "log" and first.get_xlim() == second.get_xlim()
    labels = [text.get_text() for text in first.get_xticklabels()]
    assert labels and set(labels) <= {"0.7", "1", "1.5", "2", "3", "5", "7", "10"}


def test_figure_of_draws_has_a_panel_a_score_and_a_row_a_method(rng):
    scores = rng.normal(50, 4, size=(3, 7))
    clouds = [ScoreCloud("pca", "PCA", *scores), ScoreCloud("oracle", "Oracle", *scores / 2)]
    for axes, values in zip(figure_of_draws(clouds).axes, scores, strict=True):
        assert means(axes) == [
            (pytest.approx(values.mean()), 0),
            (pytest.approx(values.mean() / 2), 1),
        ]
