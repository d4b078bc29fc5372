"""Letters rendered from Matplotlib's fonts, which need no download."""

import string
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from minsyn.datasets.letters import Letters

#: Matplotlib's fonts with readable lower-case letters, upright and slanted. Its other fonts hold
#: mathematical signs, sizes of brackets, or placeholder glyphs.
FONTS = (
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSansMono-Oblique",
    "DejaVuSansMono-BoldOblique",
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSans-BoldOblique",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "DejaVuSerif-BoldItalic",
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralItalic",
    "STIXGeneralBolIta",
    "cmr10",
    "cmb10",
    "cmss10",
    "cmti10",
    "cmtt10",
)

#: Share of the image that a letter fills, as in EMNIST.
_FILL = 24 / 28

#: Letters are rendered this many times larger and averaged down, for smooth edges without hinting.
_OVERSAMPLING = 8


def load_typewriter(
    alphabet: str = string.ascii_lowercase, *, size: int = 28, fonts: tuple[str, ...] = FONTS
) -> Letters:
    """Render letters with the framing of EMNIST: cropped to the ink, scaled and centred.

    The longer side of the ink is 24/28 of ``size``. Each font is a style, so :meth:`Letters.draw`
    chooses letters of one font. The same fonts always give the same pixels.

    Parameters
    ----------
    alphabet : str
        The characters to render. There is one image per character and font.
    size : int
        Height and width of the images in pixels, at least 4.
    fonts : tuple of str
        Names of Matplotlib's font files, without ``.ttf``. Fonts are skipped if they are not
        installed or lack a character of ``alphabet``.

    Returns
    -------
    Letters
        White letters on black. ``styles`` are the names of the fonts.

    Raises
    ------
    ValueError
        If the alphabet is empty, repeats a character, or has a character without ink (a space); if
        ``size`` is too small; or if no font has every character.

    Examples
    --------
    >>> from minsyn.datasets import load_typewriter
    >>> letters = load_typewriter("0123456789", size=16, fonts=("DejaVuSansMono", "cmr10"))
    >>> letters.images.shape
    (20, 16, 16)
    >>> str(letters.styles[0])
    'DejaVuSansMono'
    """
    if not alphabet or len(set(alphabet)) < len(alphabet):
        raise ValueError(f"alphabet: expected distinct characters, found {alphabet!r}")
    if size < 4:
        raise ValueError(f"size: expected at least 4 pixels, found {size}")
    styles = [font for font in fonts if _has_glyphs(font, alphabet)]
    if not styles:
        raise ValueError(
            f"fonts: none of {', '.join(fonts) or 'no fonts'} has all of {alphabet!r}; "
            "choose fewer characters or use your own images (load_letters with a path)"
        )
    images = [image for font in styles for image in _render(font, alphabet, size)]
    return Letters(
        images=np.stack(images),
        labels=np.array(list(alphabet) * len(styles)),
        styles=np.repeat(styles, len(alphabet)),
        name="typewriter",
    )


def _font_file(font: str) -> Path:
    # Importing Matplotlib takes half a second, and is needed only here.
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"


def _has_glyphs(font: str, alphabet: str) -> bool:
    from matplotlib.ft2font import FT2Font

    file = _font_file(font)
    return (
        file.is_file()
        and {ord(letter) for letter in alphabet} <= FT2Font(str(file)).get_charmap().keys()
    )


def _render(font: str, alphabet: str, size: int) -> list[UInt8[np.ndarray, "h w"]]:
    # Every build of Pillow has the basic layout engine. Raqm would change the pixels.
    face = ImageFont.truetype(
        str(_font_file(font)), size * _OVERSAMPLING, layout_engine=ImageFont.Layout.BASIC
    )
    return [_frame(_ink(face, letter), size) for letter in alphabet]


def _ink(face: ImageFont.FreeTypeFont, letter: str) -> Image.Image:
    left, top, right, bottom = (int(side) for side in face.getbbox(letter))
    canvas = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(canvas).text((-left, -top), letter, fill=255, font=face)
    box = canvas.getbbox()  # the bounding box of the font is slightly too wide
    if box is None:
        raise ValueError(f"alphabet: {letter!r} leaves no ink; remove it")
    return canvas.crop(box)


def _frame(ink: Image.Image, size: int) -> UInt8[np.ndarray, "h w"]:
    scale = round(_FILL * size) / max(ink.size)
    width, height = (max(1, round(scale * side)) for side in ink.size)
    letter = ink.resize((width, height), Image.Resampling.BOX)
    frame = Image.new("L", (size, size))
    frame.paste(letter, ((size - width) // 2, (size - height) // 2))
    return np.asarray(frame)
