"""Page of a saved model: what `minsyn inspect --report` and `minsyn report` write."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from minsyn.commands._description import Description
from minsyn.report import FactorReport, LoadingRows, factor_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["model_page"]


def model_page(
    described: Description, rows: LoadingRows, folder: Path, figures: Mapping[str, "Figure"]
) -> str:
    """Write a description as one page of HTML.

    Parameters
    ----------
    described : Description
        Of the model.
    rows : LoadingRows
        Features to list.
    folder : Path
        Folder of the model.
    figures : mapping of str to Figure
        Further figures by their captions.

    Returns
    -------
    str
    """
    return factor_page(
        FactorReport(
            title=f"Factors of {described.data_name()}",
            lead=described.lead(),
            rows=rows,
            explained=described.explained(),
            groups=described.group_names,
            synergy=described.synergy,
            notes=described.notes(),
            about_loadings=described.about_loadings(),
            about_synergy=described.about_synergy(),
            scree=described.scree,
            what_if=described.what_if(),
            figures=figures,
            facts=described.facts(folder),
        )
    )
