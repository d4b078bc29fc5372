"""Style of all figures: sizes, colours, markers, and files."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

__all__ = [
    "COLOURS",
    "WIDTH",
    "Appearance",
    "appearance",
    "new_figure",
    "save",
    "save_figures",
    "styled",
]

#: Width of a figure over the full text width, in inches.
WIDTH = 7.2

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.linewidth": 0.4,
    "grid.color": "0.88",
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
}


#: Okabe and Ito's colours, told apart with any colour vision, without their yellow, which is too
#: pale for points; and three further ones for methods.
COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "blue": "#0072B2",
        "sky": "#56B4E9",
        "green": "#009E73",
        "purple": "#CC79A7",
        "black": "#000000",
        "vermilion": "#D55E00",
        "orange": "#E69F00",
        "wine": "#882255",
        "olive": "#AA9955",
        "grey": "#777777",
    }
)


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


def new_figure(
    width: float = WIDTH, height: float = 3.0, pads: tuple[float, float] = (0.04, 0.04)
) -> Figure:
    """An empty figure, outside of pyplot's global state.

    Parameters
    ----------
    width, height : float
        Inches.
    pads : tuple of float
        Space around each of its axes, left and right, above and below, in inches.

    Returns
    -------
    Figure

    Examples
    --------
    >>> new_figure(4.0, 2.0).get_size_inches().tolist()
    [4.0, 2.0]
    """
    w_pad, h_pad = pads
    layout = ConstrainedLayoutEngine(w_pad=w_pad, h_pad=h_pad, wspace=0.0, hspace=0.0)
    return Figure(figsize=(width, height), layout=layout)


def styled() -> AbstractContextManager[None]:
    """Context in which figures are drawn in one style, whatever the user's settings."""
    return rc_context(_STYLE)


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
    ...     [file.name for file in save(new_figure(), Path(folder, "empty"))]
    ['empty.png', 'empty.pdf']
    """
    files = []
    with styled():
        # Without its date, a PDF of the same figure has the same bytes.
        for suffix, metadata in ((".png", None), (".pdf", {"CreationDate": None})):
            file = path.with_name(path.name + suffix)
            figure.savefig(file, metadata=metadata)
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
