import string

import numpy as np
import pytest

from minsyn.datasets import load_typewriter
from minsyn.datasets.typewriter import FONTS

#: Matplotlib 3.9 has no cmti10.
IN_EVERY_MATPLOTLIB = set(FONTS) - {"cmti10"}


@pytest.fixture(scope="module")
def letters():
    return load_typewriter()


def test_every_font_draws_every_letter(letters):
    assert letters.images.shape == (26 * len(set(letters.styles)), 28, 28)
    assert set(FONTS) >= set(letters.styles) >= IN_EVERY_MATPLOTLIB
    assert "".join(letters.alphabet) == string.ascii_lowercase


def test_ink_fills_24_pixels_in_the_middle(letters):
    for image in letters.images:
        rows, columns = (np.flatnonzero(image.max(axis=axis)) for axis in (1, 0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 24
        for ink in (rows, columns):
            assert abs(ink[0] - (27 - ink[-1])) <= 1


def test_ink_is_bright_and_edges_are_smooth(letters):
    assert np.all(letters.images.max(axis=(1, 2)) > 230)
    assert np.all(letters.images[:, 0, 0] == 0)
    assert np.mean((letters.images > 20) & (letters.images < 235)) > 0.02


def test_letters_of_a_font_all_differ_and_so_do_fonts(letters):
    flat = letters.images.reshape(len(letters.images), -1)
    assert len(np.unique(flat, axis=0)) > 0.98 * len(flat)


def test_letters_stand_upright(letters):
    def image(letter):
        here = (letters.labels == letter) & (letters.styles == "DejaVuSansMono")
        return letters.images[here][0].astype(float)

    top, bottom = slice(0, 14), slice(14, 28)
    assert image("b")[top, :14].sum() > 1.3 * image("b")[top, 14:].sum()
    assert image("p")[bottom, :14].sum() > 1.3 * image("p")[bottom, 14:].sum()
    assert image("d")[top, 14:].sum() > 1.3 * image("d")[top, :14].sum()


def test_the_same_call_gives_the_same_bits(letters):
    np.testing.assert_array_equal(load_typewriter().images, letters.images)


@pytest.mark.parametrize("size", [4, 9, 16, 64])
def test_any_size(size):
    images = load_typewriter("il.w", size=size, fonts=("DejaVuSans",)).images
    assert images.shape == (4, size, size)
    assert np.all(images.max(axis=(1, 2)) > 0)


def test_fonts_without_the_characters_are_left_out():
    letters = load_typewriter("αβγ")
    assert "cmr10" not in letters.styles
    assert "DejaVuSerif" in letters.styles


def test_bad_requests_say_what_to_do():
    with pytest.raises(ValueError, match="distinct characters"):
        load_typewriter("")
    with pytest.raises(ValueError, match="distinct characters"):
        load_typewriter("aba")
    with pytest.raises(ValueError, match="' ' leaves no ink"):
        load_typewriter("a b")
    with pytest.raises(ValueError, match="at least 4 pixels"):
        load_typewriter(size=3)
    with pytest.raises(ValueError, match="use your own images"):
        load_typewriter("漢字")
    with pytest.raises(ValueError, match="none of NoSuchFont"):
        load_typewriter(fonts=("NoSuchFont",))
