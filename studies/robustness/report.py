"""Table and figure of robustness."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from minsyn.benchmark import Experiment, Method, counted, markdown_page, markdown_table
from minsyn.report import DotRow, Dots, appearance, figure_of_dots
from studies.robustness.damage import DAMAGES
from studies.robustness.losses import CLEAN

__all__ = ["figure_of_robustness", "robustness_table"]

_LABELS = {CLEAN: "Clean", **{key: damage.label for key, damage in DAMAGES.items()}}
_OTHERS = "the other characters"


def robustness_table(
    frame: pd.DataFrame, experiment: Experiment, command: str | None = None
) -> str:
    """A row for each damage, a column for each method, as Markdown.

    Parameters
    ----------
    frame : DataFrame
        From `measure_robustness`, concatenated.
    experiment : Experiment
        Experiment of the frame, for labels and the order of the methods.
    command : str, optional
        Command that made it.

    Returns
    -------
    str
        Mean losses and, in brackets, mean ratios to the loss of clean inputs.

    Examples
    --------
    >>> from minsyn.benchmark import find_methods
    >>> from minsyn.datasets import load_letters
    >>> from studies.robustness.losses import measure_robustness
    >>> experiment = Experiment(load_letters("typewriter"), find_methods(["pca"]), draws=1)
    >>> (frame,) = measure_robustness(experiment, [DAMAGES["noise-0.1"]])
    >>> print(robustness_table(frame, experiment).splitlines()[0])
    | Test input | PCA |
    """
    means = frame.groupby(["damage", "method"], sort=False).mean(numeric_only=True)
    methods = [method for method in experiment.methods if method.key in set(frame.method)]
    rows = []
    for damage, prefix in _panels(frame):
        of_method = means.loc[damage]
        label = f"{_LABELS[damage]}: {_OTHERS}" if prefix else _LABELS[damage]
        texts = [
            f"{of_method.at[method.key, f'{prefix}loss']:.1f} "
            f"(×{of_method.at[method.key, f'{prefix}relative']:.2f})"
            for method in methods
        ]
        rows.append([label, *texts])
    caption = (
        f"Letters: {experiment.letters.name}; {counted(frame.draw.nunique(), 'draw')}, seed "
        f"{experiment.seed}; {counted(experiment.n_components, 'factor')}. Models of clean "
        "training words are given damaged test words. Squared error against the clean image, "
        "summed over the pixels and averaged over words and draws; in brackets its ratio to the "
        "loss with clean inputs (for the other characters, of these alone)."
    )
    table = markdown_table(["Test input", *(method.label for method in methods)], rows)
    return markdown_page(table, caption, command=command)


def figure_of_robustness(frame: pd.DataFrame, methods: Sequence[Method]) -> Figure:
    """Draw the losses under each damage in a panel, with a row for each method.

    Parameters
    ----------
    frame : DataFrame
        From `measure_robustness`, concatenated.
    methods : sequence of Method
        To draw, from the top.

    Returns
    -------
    Figure

    Examples
    --------
    >>> nan = float("nan")
    >>> rows = [("pca", 0, "clean", 90.0, nan), ("pca", 0, "noise-0.5", 99.0, nan)]
    >>> frame = pd.DataFrame(rows, columns=["method", "draw", "damage", "loss", "others_loss"])
    >>> len(figure_of_robustness(frame, []).axes)
    2
    """
    panels = _panels(frame)
    titles = [
        f"{_LABELS[damage]}:\n{_OTHERS}" if prefix else _LABELS[damage].replace(", ", ",\n")
        for damage, prefix in panels
    ]
    by_method = dict(list(frame.sort_values("draw").groupby("method")))
    rows = []
    for method in methods:
        own = by_method[method.key].set_index("damage")
        draws = [own.loc[[damage], f"{prefix}loss"].to_numpy() for damage, prefix in panels]
        rows.append(DotRow(method.label, [Dots(appearance(method.key), draws)]))
    xlabel = "Squared error against the clean image"
    return figure_of_dots(titles, rows, n_columns=5, scale="log", shared=True, xlabel=xlabel)


def _panels(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Damages, each with the prefix of its columns: of all pixels, then of the other characters."""
    damages = list(dict.fromkeys(frame.damage))
    measured = set(frame.damage[frame.others_loss.notna()])
    return [(d, "") for d in damages] + [(d, "others_") for d in damages if d in measured]
