"""Appearance of methods in figures, and files of figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from minsyn._atomic import replacing
from minsyn._style import COLOURS, WIDTH, new_figure, styled

__all__ = [
    "COLOURS",
    "WIDTH",
    "Appearance",
    "appearance",
    "new_figure",
    "save",
    "save_as",
    "save_figures",
    "styled",
]


class Appearance(NamedTuple):
    """Colour and marker of a method, and whether its marks are filled."""

    colour: str
    marker: str
    filled: bool = True


# Related methods have similar hues, but no two methods of the paper's table share a marker.
_APPEARANCES = {
    "minsyn-bernoulli": Appearance(COLOURS["blue"], "o"),
    "minsyn-gaussian": Appearance(COLOURS["sky"], "s"),
    "minsyn-vector": Appearance(COLOURS["wine"], "*"),
    "oracle": Appearance(COLOURS["olive"], "h"),
    "ica": Appearance(COLOURS["green"], "^"),
    "infomax": Appearance(COLOURS["purple"], "v"),
    "pca": Appearance(COLOURS["black"], "D"),
    "autoencoder": Appearance(COLOURS["vermilion"], "P"),
    "denoising": Appearance(COLOURS["orange"], "X"),
    "nmf": Appearance(COLOURS["grey"], "<"),
    "sparse-pca": Appearance(COLOURS["grey"], "d"),
    "dictionary": Appearance(COLOURS["grey"], ">"),
}
_OTHERS = tuple(Appearance(COLOURS["grey"], marker) for marker in "<>ph*d8")


def appearance(key: str) -> Appearance:
    """Colour and marker of a method, the same in every figure.

    Parameters
    ----------
    key : str
        Key of the method. Those that are not in the default table are grey.

    Returns
    -------
    Appearance

    Examples
    --------
    >>> appearance("pca")
    Appearance(colour='#000000', marker='D', filled=True)
    """
    return _APPEARANCES.get(key, _OTHERS[sum(key.encode()) % len(_OTHERS)])


def save_as(figure: Figure, file: Path, **options: Any) -> None:
    """Save a figure in the format of a name, in full or not at all.

    Parameters
    ----------
    figure : Figure
        To save.
    file : Path
        With the suffix of a format of Matplotlib.
    **options
        Of `matplotlib.figure.Figure.savefig`.
    """
    with replacing(file) as target:
        figure.savefig(target, format=file.suffix.removeprefix(".").lower(), **options)


def save(figure: Figure, path: Path) -> list[Path]:
    """Save a figure as PNG and PDF; the same figure gives the same bytes.

    Parameters
    ----------
    figure : Figure
        To save.
    path : Path
        Without a suffix.

    Returns
    -------
    list of Path
        Files that were written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [file.name for file in save(Figure(), Path(folder, "empty"))]
    ['empty.png', 'empty.pdf']
    """
    files = []
    with styled():
        # Without its date, a PDF of the same figure has the same bytes.
        for suffix, metadata in ((".png", None), (".pdf", {"CreationDate": None})):
            file = path.with_name(path.name + suffix)
            save_as(figure, file, metadata=metadata)
            files.append(file)
    return files


def save_figures(figures: Mapping[str, Figure], folder: Path) -> list[Path]:
    """Save figures under their names, as PNG and PDF.

    Parameters
    ----------
    figures : mapping of str to Figure
        By file name without suffix.
    folder : Path
        Made if it does not exist.

    Returns
    -------
    list of Path
        Files that were written.

    Examples
    --------
    >>> save_figures({}, Path("."))
    []
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [path for name, figure in figures.items() for path in save(figure, folder / name)]
