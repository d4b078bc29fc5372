"""How all figures look: sizes, colours, markers, and how they are saved."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

__all__ = ["WIDTH", "Appearance", "appearance", "new_figure", "save", "styled"]

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


class Appearance(NamedTuple):
    """Colour and marker of a method."""

    colour: str
    marker: str


# Okabe and Ito's colours, told apart with any colour vision; their yellow is too pale for points.
# Related methods share a hue's neighbour but never a marker.
_APPEARANCES = {
    "minsyn-bernoulli": Appearance("#0072B2", "o"),
    "minsyn-gaussian": Appearance("#56B4E9", "s"),
    "minsyn-single-parent": Appearance("#882255", "*"),
    "oracle": Appearance("#AA9955", "h"),
    "ica": Appearance("#009E73", "^"),
    "infomax": Appearance("#CC79A7", "v"),
    "pca": Appearance("#000000", "D"),
    "autoencoder": Appearance("#D55E00", "P"),
    "denoising": Appearance("#E69F00", "X"),
    "nmf": Appearance("#777777", "<"),
    "sparse-pca": Appearance("#777777", "d"),
    "dictionary": Appearance("#777777", ">"),
}
_OTHERS = tuple(Appearance("#777777", marker) for marker in "<>ph*d8")


def appearance(key: str) -> Appearance:
    """Colour and marker of a method, the same in every figure.

    Parameters
    ----------
    key : str
        The method's key. Those that are not in the paper's table are grey.

    Returns
    -------
    Appearance

    Examples
    --------
    >>> appearance("pca")
    Appearance(colour='#000000', marker='D')
    """
    return _APPEARANCES.get(key, _OTHERS[sum(key.encode()) % len(_OTHERS)])


def new_figure(
    width: float = WIDTH, height: float = 3.0, pads: tuple[float, float] = (0.04, 0.04)
) -> Figure:
    """An empty figure that no global state knows of.

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
    """Context in which figures are drawn in the house's style, whatever the user's settings."""
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
        What was written.

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
