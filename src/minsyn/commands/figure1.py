"""``minsyn figure1``: Figure 1 of the paper."""

from pathlib import Path
from typing import Annotated

import typer

from minsyn._progress import stage
from minsyn.commands._outputs import check_figure, check_parent

__all__ = ["figure1"]


def figure1(
    output: Annotated[
        Path,
        typer.Option(
            help="File to write, in the format of its name: .png, .pdf or .svg; .html is a page "
            "with sliders."
        ),
    ] = Path("figure1.png"),
    dpi: Annotated[int, typer.Option(min=10, max=2400, help="Dots per inch of a .png.")] = 200,
) -> None:
    """Draw Figure 1 of the paper: distributions with equal pairwise marginals.

    Ellipsoids of two Gaussian distributions, one with and one without synergy, and all measures
    against the correlation of the sources. As .html, the measures with sliders for all three
    correlations, to be opened in a browser without a network.
    """
    if output.suffix.lower() in (".html", ".htm"):
        from minsyn._atomic import write_atomically
        from minsyn.report.figure1_page import figure1_explorer

        check_parent(output)
        output.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(output, figure1_explorer())
        typer.echo(str(output))
        return
    check_figure(output, "--output")
    from minsyn.report.figure1 import figure1 as draw
    from minsyn.report.style import save_as

    output.parent.mkdir(parents=True, exist_ok=True)
    with stage("drawing Figure 1", shown=True):
        save_as(draw(), output, dpi=dpi)
    typer.echo(str(output))
