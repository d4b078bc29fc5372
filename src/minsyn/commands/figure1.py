"""``minsyn figure1``: Figure 1 of the paper."""

from pathlib import Path
from typing import Annotated

import typer


__all__ = ["figure1"]


def figure1(
    output: Annotated[
        Path, typer.Option(help="File to write; its suffix decides: .png, .pdf, .svg.")
    ] = Path("figure1.png"),
    dpi: Annotated[int, typer.Option(min=1, help="Dots per inch of a .png.")] = 200,
) -> None:
    """Draw Figure 1 of the paper: the same pairwise marginals, with synergy and without.

    Ellipsoids of two Gaussian joints, and all their measures against the sources' correlation.
    """
    from matplotlib.figure import Figure

    from minsyn.report.figure1 import figure1 as draw

    known = Figure().canvas.get_supported_filetypes()
    if output.suffix.lower().lstrip(".") not in known:
        raise ValueError(f"--output {output}: expected a suffix among {', '.join(known)}")
    figure = draw()
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=dpi)
    typer.echo(str(output))
