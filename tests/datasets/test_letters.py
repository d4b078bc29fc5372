import numpy as np
import pytest

from minsyn.datasets import Letters
from minsyn.datasets.letters import require_letters


def make(labels, styles=None):
    images = np.arange(len(labels) * 6).reshape(-1, 2, 3).astype(np.uint8)
    return Letters(images, np.array(labels), None if styles is None else np.array(styles))


def test_alphabet_may_be_any_script():
    assert make(["β", "7", "α", "β"]).alphabet == ("7", "α", "β")


def test_pick_takes_each_image_of_the_letter_equally_often(rng):
    letters = make(["a", "b", "a", "a"])
    rows, counts = np.unique(letters.pick("a", rng, n=3000), return_counts=True)
    assert rows.tolist() == [0, 2, 3]
    assert np.all(np.abs(counts - 1000) < 5 * np.sqrt(3000 * 2 / 9))


def test_draw_is_of_one_style_that_has_every_letter(rng):
    letters = make(["a", "b", "a", "b", "a"], styles=["x", "x", "y", "y", "only a"])
    drawn = [tuple(letters.draw(rng).values()) for _ in range(200)]
    assert set(drawn) == {(0, 1), (2, 3)}
    assert {letters.draw(rng, "a")["a"] for _ in range(200)} == {0, 2, 4}


def test_draw_mixes_styles_where_none_is_complete(rng):
    letters = make(["a", "b"], styles=["x", "y"])
    assert letters.draw(rng) == {"a": 0, "b": 1}


def test_draw_without_styles_is_independent_for_each_letter(rng):
    letters = make(["a", "b", "a", "b"])
    assert {tuple(letters.draw(rng).values()) for _ in range(200)} == {
        (0, 1),
        (0, 3),
        (2, 1),
        (2, 3),
    }


def test_draw_ignores_order_and_repeats_of_what_is_asked():
    letters = make(list("abcabc"))
    first, second = (letters.draw(np.random.default_rng(5), word) for word in ("cab", "abcab"))
    assert first == second


def test_a_missing_letter_is_named(rng):
    with pytest.raises(ValueError, match="no image of 'c', 'd'; it has 'ab'"):
        make(["a", "b"]).draw(rng, "abcd")
    with pytest.raises(ValueError, match="no image of 'z'"):
        make(["a"]).pick("z", rng)


ONES = np.ones((2, 3, 4), np.uint8)
AB = np.array(["a", "b"])


@pytest.mark.parametrize(
    ("images", "labels", "styles", "error", "message"),
    [
        (ONES / 2, AB, None, TypeError, "expected dtype uint8 .* found float64"),
        (ONES == 1, AB, None, TypeError, "found bool"),
        (ONES * np.nan, AB, None, TypeError, "NaN or infinite"),
        (ONES * np.inf, AB, None, TypeError, "NaN or infinite"),
        (ONES[0], AB, None, ValueError, r"shape \(n, h, w\)"),
        (ONES[:0], AB[:0], None, ValueError, "at least one pixel"),
        (ONES[:, :0], AB, None, ValueError, "at least one pixel"),
        (ONES, AB[:1], None, ValueError, "2 images need labels"),
        (ONES, AB, AB[:1], ValueError, "2 images need styles"),
        (ONES, np.arange(2), None, TypeError, "array of strings"),
        (ONES, np.array(["a", "bc"]), None, ValueError, "one character, but label 1 is 'bc'"),
        (ONES, np.array(["", "b"]), None, ValueError, "label 0 is ''"),
    ],
)
def test_wrong_arrays_are_refused(images, labels, styles, error, message):
    with pytest.raises(error, match=message):
        require_letters(images, labels, styles)
    with pytest.raises((TypeError, ValueError)):
        Letters(images, labels, styles)
