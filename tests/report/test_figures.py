import matplotlib as mpl
import numpy as np
from matplotlib.text import Text

from minsyn.benchmark import METHODS as ALL
from minsyn.report import (
    MapRow,
    ScoreCloud,
    WordsRow,
    figure_of_maps,
    figure_of_scores,
    figure_of_words,
    save,
)
from minsyn.report.style import appearance

METHODS = {key: method for key, method in ALL.items() if method.paper}
SHAPE = (4, 12)
GROUPS = np.tile(np.repeat([0, 1, 2], 4), 4)


def images(axes):
    return [image.get_array() for image in axes.images]


def test_maps_are_signed_and_centred_on_zero(rng):
    maps = rng.normal(size=(2, 48))
    figure = figure_of_maps([MapRow("A", maps, 0.5), MapRow("B", 100 * maps, 0.5)], GROUPS, SHAPE)
    *panels, bar = figure.axes
    shown = [axes.images[0] for axes in panels]
    assert len(shown) == 4
    for image in shown:
        low, high = image.get_clim()
        assert low == -high < 0
    # Each method has its own range of colours.
    np.testing.assert_allclose(shown[0].get_array(), shown[2].get_array())
    labels = [label.get_text() for label in bar.get_xticklabels()]
    assert labels == ["lowered", "untouched", "raised"]


def test_maps_are_sorted_by_character_and_the_dead_come_last():
    maps = np.zeros((3, 48))
    maps[0, GROUPS == 2] = 1
    maps[2, GROUPS == 0] = -5
    figure = figure_of_maps([MapRow("A", maps, 0.0)], GROUPS, SHAPE)
    first, second, third = (images(axes)[0].ravel() for axes in figure.axes[:3])
    assert np.all(first[GROUPS == 0] < 0) and np.all(first[GROUPS != 0] == 0)
    assert np.all(second[GROUPS == 2] > 0)
    assert not third.any()


def test_rows_of_different_lengths(rng):
    rows = [MapRow("A", rng.normal(size=(3, 48)), 0.5), MapRow("B", np.zeros((1, 48)), np.nan)]
    figure = figure_of_maps(rows, GROUPS, SHAPE)
    assert [len(axes.images) for axes in figure.axes[:6]] == [1, 1, 1, 1, 0, 0]


def test_many_factors_stand_in_several_lines(rng):
    figure = figure_of_maps([MapRow("A", rng.normal(size=(9, 48)), 0.5)] * 2, GROUPS, SHAPE)
    grid = figure.axes[0].get_gridspec()
    assert (grid.nrows, grid.ncols) == (4, 5)
    assert [axes.get_ylabel() for axes in figure.axes[:20:5]] == ["A\nACC 0.50", ""] * 2


def test_words_stand_in_their_rows(rng):
    train, test = rng.random((2, 48)), rng.random((3, 48))
    rows = [WordsRow("Data", train, test), WordsRow("A", train * 3, test - 1)]
    figure = figure_of_words(rows, SHAPE)
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == ["Data", "A"]
    data = images(figure.axes[1])[0]
    np.testing.assert_array_equal(data[:, 13 * 2 : 13 * 2 + 12], test[2].reshape(SHAPE))
    assert images(figure.axes[2])[0].max() == 1 and images(figure.axes[3])[0].max() == 0


def test_no_words_held_out(rng):
    figure = figure_of_words([WordsRow("Data", rng.random((2, 48)), np.zeros((0, 48)))], SHAPE)
    assert [axes.get_title() for axes in figure.axes] == ["Words trained on", ""]


def clouds(rng):
    return [
        ScoreCloud(key, method.label, *(rng.normal(method.paper[i], 1, 5) for i in (0, 1)), acc)
        for key, method in METHODS.items()
        for acc in [np.clip(rng.normal(method.paper.acc, 0.03, 5), 0, 1.09)]
    ]


def test_every_draw_and_mean_is_in_the_plot(rng):
    data = clouds(rng)
    figure = figure_of_scores(data)
    for axes, name in zip(figure.axes, ("train_loss", "test_loss"), strict=True):
        points = np.vstack([path.get_offsets() for path in axes.collections])
        for cloud in data:
            loss = getattr(cloud, name)
            for point in [*zip(cloud.acc, loss, strict=True), (cloud.acc.mean(), loss.mean())]:
                assert np.isclose(points, point).all(axis=1).any()


def test_marks_at_zero_are_whole():
    zero = np.zeros(3)
    (axes, _) = figure_of_scores([ScoreCloud("oracle", "Oracle", zero + 9, zero + 9, zero)]).axes
    assert axes.get_xlim()[0] < -0.03


def test_names_do_not_cover_each_other(rng):
    figure = figure_of_scores(clouds(rng))
    figure.draw_without_rendering()
    labels = {method.label for method in METHODS.values()}
    for axes in figure.axes:
        names = [text for text in axes.texts if text.get_text() in labels]
        # An annotation's own extent has its line as well.
        boxes = [Text.get_window_extent(text) for text in names]
        assert len(boxes) == len(METHODS)
        for i, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[:i])


def test_methods_are_told_apart_without_colour():
    assert len({appearance(key).marker for key in METHODS}) == len(METHODS)
    assert len({appearance(key).colour for key in METHODS}) == len(METHODS)


def test_same_figure_same_bytes(tmp_path, rng):
    data = clouds(rng)
    one = save(figure_of_scores(data), tmp_path / "one")
    with mpl.rc_context({"font.size": 20, "lines.linewidth": 5}):  # a user's own settings
        two = save(figure_of_scores(data), tmp_path / "two")
    assert [path.suffix for path in one] == [".png", ".pdf"]
    for a, b in zip(one, two, strict=True):
        assert a.read_bytes() == b.read_bytes()
