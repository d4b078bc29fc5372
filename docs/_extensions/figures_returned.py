"""Figures that examples get from methods such as ``model.plot_loadings()``, for sphinx-gallery."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def scrape(block: tuple, block_vars: dict, gallery_conf: dict) -> str:
    """Save the figures of a block that pyplot does not hold; those are matplotlib's scraper's.

    It must run before that one, which closes what it has saved.
    """
    # The figures themselves, not their ids, which later figures may get again.
    known = block_vars.setdefault("figures_returned", [])
    known += [plt.figure(number) for number in plt.get_fignums()]
    paths = []
    for value in list(block_vars["example_globals"].values()):
        if isinstance(value, Figure) and not any(value is figure for figure in known):
            known.append(value)
            path = next(block_vars["image_path_iterator"])
            value.savefig(path, dpi=130, bbox_inches="tight")
            paths.append(path)
    return figure_rst(paths, gallery_conf["src_dir"])
