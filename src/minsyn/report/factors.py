"""Panels of factors with their strongest features, and the synergy about each feature."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from minsyn._style import WIDTH, new_figure, styled
from minsyn.information import SynergyResult
from minsyn.metrics import FactorSummary

__all__ = ["figure_of_factors"]

#: Okabe and Ito's vermilion and blue, as in the decoder maps red raises and blue lowers.
_RAISES, _LOWERS = "#D55E00", "#0072B2"
_UNION, _SYNERGY, _CI = "#B8C4CC", "#CC79A7", "#000000"
#: Features whose names fit under the synergy panel.
_NAMED_FEATURES = 40
_LONGEST_NAME = 22
#: Quantile of the bars at which the synergy panel ends, where there are many features.
_SHOWN_IN_FULL = 0.98
_PANELS_A_ROW = 3


def figure_of_factors(
    summary: FactorSummary,
    synergy: SynergyResult,
    factor_names: Sequence[str],
    feature_names: Sequence[str],
    top: int = 8,
    image_shape: tuple[int, int] | None = None,
) -> Figure:
    """Draw the strongest features of each factor, and the synergy about each feature.

    Factors are sorted by the variance that each explains alone. Bars are correlations: red
    features rise with the factor, blue ones fall. Where features are the pixels of an image, a
    panel is a map of the correlations instead. The panel at the bottom has a bar for each feature
    that the factors are informative about, in descending order of information: the information of
    the best single factor is grey, GK synergy purple, and CI synergy a black dot. Bars that are cut
    at the edge end in a triangle, and the axis says how long the longest is.

    Parameters
    ----------
    summary : FactorSummary
        From `minsyn.metrics.summarise_factors`.
    synergy : SynergyResult
        Union information, GK and CI synergy of the factors about each feature.
    factor_names, feature_names : sequence of str
        Names, one for each factor and each feature.
    top : int, default=8
        The most bars of a panel.
    image_shape : tuple of int, optional
        Height and width of the image whose pixels the features are.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the number of pixels is not the number of features.

    Examples
    --------
    >>> from minsyn.information import PairwiseStatistics, synergy
    >>> from minsyn.metrics import summarise_factors
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(100, 2))
    >>> x = z[:, [0, 1, 1]] + rng.normal(size=(100, 3))
    >>> summary = summarise_factors(PairwiseStatistics.of(z, x))
    >>> figure = figure_of_factors(summary, synergy(z, x), ["f", "g"], ["a", "b", "c"])
    >>> [axes.get_title().split()[0] for axes in figure.axes[:2]]
    ['g', 'f']
    """
    n_factors, n_features = summary.correlation.shape
    if image_shape is not None and image_shape[0] * image_shape[1] != n_features:
        raise ValueError(
            f"image_shape={image_shape} has {image_shape[0] * image_shape[1]} pixels, but there "
            f"are {n_features} features"
        )
    top = min(top, n_features)
    columns = 2 if n_factors in (2, 4) else min(_PANELS_A_ROW, n_factors)
    n_rows = -(-n_factors // columns)
    if image_shape is None:
        row_height = 0.5 + 0.145 * top
    else:
        row_height = 0.3 + (WIDTH / columns) * image_shape[0] / image_shape[1]
    names_below = 0.0
    if n_features <= _NAMED_FEATURES:
        names_below = 0.062 * max(len(_short(name)) for name in feature_names)
    synergy_height = 1.5 + names_below
    with styled():
        figure = new_figure(WIDTH, row_height * n_rows + synergy_height)
        heights = [row_height * n_rows, synergy_height]
        above, below = figure.subfigures(2, 1, height_ratios=heights, squeeze=False)[:, 0]
        grid = above.subplots(n_rows, columns, squeeze=False)
        limit = float(np.abs(summary.correlation).max()) or 1.0
        for place, axes in enumerate(grid.flat):
            if place >= n_factors:
                axes.remove()
                continue
            factor = summary.order()[place]
            axes.set_title(
                f"{_short(factor_names[factor])} explains {summary.explained_alone[factor]:.1%}",
                fontsize=8,
            )
            if image_shape is None:
                _draw_bars(axes, summary, factor, feature_names, top, limit)
                if place + columns >= n_factors:
                    axes.set_xlabel("correlation", fontsize=7)
            else:
                _draw_map(axes, summary.correlation[factor].reshape(image_shape), limit)
        _draw_synergy(below.subplots(), synergy, feature_names)
    return figure


def _draw_bars(
    axes: Axes,
    summary: FactorSummary,
    factor: int,
    feature_names: Sequence[str],
    top: int,
    limit: float,
) -> None:
    features = summary.top_features(factor, top)
    values = summary.correlation[factor, features]
    places = np.arange(len(features))
    axes.barh(places, values, color=np.where(values > 0, _RAISES, _LOWERS), height=0.7)
    axes.axvline(0, color="0.4", linewidth=0.6)
    axes.set_yticks(places, [_short(feature_names[i]) for i in features])
    axes.set(xlim=(-1.05 * limit, 1.05 * limit), ylim=(top - 0.4, -0.6))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.xaxis.grid(True)
    axes.set_axisbelow(True)


def _draw_map(axes: Axes, image: Float[np.ndarray, "h w"], limit: float) -> None:
    axes.imshow(image, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color="0.6", linewidth=0.5)


def _draw_synergy(axes: Axes, synergy: SynergyResult, feature_names: Sequence[str]) -> None:
    # Sampling may take corrected values below 0, which a stack of bars cannot show.
    union, gk = (np.maximum(synergy[name], 0.0) for name in ("union_information", "gk_synergy"))
    whole, ci = union + gk, synergy["ci_synergy"]
    order = np.argsort(-whole, kind="stable")
    order = order[whole[order] > 0]
    named = len(order) <= _NAMED_FEATURES
    # Longer bars are cut at the edge: those of features that the factors determine are infinite,
    # and a few of many features that nearly are would flatten all others.
    finite = np.concatenate([whole[order], ci[order]])
    finite = finite[np.isfinite(finite)]
    highest = float(np.quantile(finite, 1.0 if named else _SHOWN_IN_FULL)) if len(finite) else 0.0
    edge = 1.1 * highest or 1.0
    longest = np.fmax(whole, ci)[order]
    whole, union, ci = (np.minimum(values[order], edge) for values in (whole, union, ci))
    grouped = any(len(variables) > 1 for variables in synergy.members)
    best = "best single group" if grouped else "best single factor"
    places = np.arange(len(order))
    if named:
        axes.bar(places, union, 0.8, color=_UNION, label=best)
        axes.bar(places, whole - union, 0.8, bottom=union, color=_SYNERGY, label="GK synergy")
    else:  # a patch for each of thousands of features would take minutes
        for low, high, colour, label in (
            (0.0, union, _UNION, best),
            (union, whole, _SYNERGY, "GK synergy"),
        ):
            axes.fill_between(
                places, low, high, step="mid", color=colour, label=label, linewidth=0,
                rasterized=True,
            )  # fmt: skip
    axes.plot(places, ci, ".", color=_CI, markersize=4 if named else 1.5, label="CI synergy")
    unit, cut = synergy.unit, np.flatnonzero(longest > edge)
    if len(cut):
        axes.plot(
            cut, np.full(len(cut), 1.02 * edge), "^", color="0.2", markersize=4, clip_on=False
        )
        most = longest.max()
        unit += f" (▲ {f'up to {most:.3g}' if np.isfinite(most) else 'infinite'})"
    axes.set(xlim=(-0.6, len(order) - 0.4), ylim=(0, 1.02 * edge), ylabel=unit)
    axes.set_title("Information about each feature", loc="left", fontsize=8)
    axes.legend(
        frameon=False, fontsize=7, ncols=3, loc="lower right", bbox_to_anchor=(1, 1),
        borderaxespad=0, columnspacing=1, handlelength=1,
    )  # fmt: skip
    if named:
        labels = [_short(feature_names[i]) for i in order]
        axes.set_xticks(places, labels, rotation=90 if len(order) > 8 else 0)
        axes.tick_params(axis="x", length=0)
    else:
        axes.set_xlabel("features, in descending order of information")


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
