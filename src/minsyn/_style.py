"""Style of all figures: size, colours and fonts."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

__all__ = ["COLOURS", "WIDTH", "new_figure", "styled"]

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
