"""Figure 1 of the paper: Gaussian variables whose synergy depends on one correlation only."""

from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LightSource
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from mpl_toolkits.mplot3d.axes3d import Axes3D

from minsyn._style import COLOURS
from minsyn.information import gaussian

__all__ = ["figure1"]

#: The level set drawn: two standard deviations.
_RADIUS = 2.0
_WALL = 2.9  # half the width of the box
_BLUE, _VERMILION, _PURPLE = (COLOURS[name] for name in ("blue", "vermilion", "purple"))
_GREY = "#555555"
#: The joint is green, as in the paper; lighter than `COLOURS` has it, as shading darkens.
_LIT_GREEN = "#3FD0A8"
_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "mathtext.fontset": "cm",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
}


def figure1(
    rho: tuple[float, float] = (0.5, 0.75),
    sigma12: tuple[float, float] = (-0.1, 0.67),
    n_points: int = 1001,
) -> Figure:
    r"""Two joints with the same pairwise marginals, and their synergies (Sec. II-C).

    (a), (b): level sets, at two standard deviations, of the two joints over
    :math:`Z_1, Z_2, X` (Eq. 6), with their pairwise marginals on the walls. (c): information,
    union information, GK and CI synergy over all :math:`\Sigma_{12}` for which there is a
    joint, :math:`\rho_1 \rho_2 \pm \sqrt{(1 - \rho_1^2)(1 - \rho_2^2)}`, in bits.

    Parameters
    ----------
    rho : tuple of float, default=(0.5, 0.75)
        Correlations of the two sources with the target, strictly between -1 and 1.
    sigma12 : tuple of float, default=(-0.1, 0.67)
        Correlation of the sources in (a) and in (b).
    n_points : int, default=1001
        Points of the curves.

    Returns
    -------
    Figure
        Belongs to no global state; ``figure.savefig("figure1.png", dpi=200)``.

    Raises
    ------
    ValueError
        If no joint has these correlations.

    References
    ----------
    Ver Steeg et al., "Disentangled Representations via Synergy Minimization", 2017, Fig. 1.

    Examples
    --------
    >>> len(figure1(n_points=51).axes)
    3
    """
    low, high = _valid_range(rho)
    for s in sigma12:
        if not low <= s <= high:
            raise ValueError(
                f"sigma12 must be between {low:.4g} and {high:.4g} for rho = {rho}; found {s}"
            )
    with rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 2.55))
        for k, s in enumerate(sigma12):
            ax = figure.add_axes((-0.015 + 0.29 * k, -0.03, 0.28, 1.0), projection="3d")
            _draw_joint(ax, np.array([[1, s, rho[0]], [s, 1, rho[1]], [*rho, 1]]))
            figure.text(0.012 + 0.29 * k, 0.93, f"({'ab'[k]})", fontsize=9, fontweight="bold")
            figure.text(0.05 + 0.29 * k, 0.93, rf"$\Sigma_{{1,2}} = {s:.2f}$", fontsize=9)
        curves = figure.add_axes((0.665, 0.175, 0.32, 0.73))
        _draw_curves(curves, rho, sigma12, n_points)
        figure.text(0.6, 0.93, "(c)", fontsize=9, fontweight="bold")
    return figure


def _valid_range(rho: tuple[float, float]) -> tuple[float, float]:
    """Correlations of the sources that leave Eq. 6 positive semidefinite."""
    if not all(-1 < r < 1 for r in rho):
        raise ValueError(f"rho must be strictly between -1 and 1; found {rho}")
    middle, half = rho[0] * rho[1], np.sqrt((1 - rho[0] ** 2) * (1 - rho[1] ** 2))
    return float(middle - half), float(middle + half)


def _draw_joint(ax: Axes3D, covariance: Float[np.ndarray, "3 3"]) -> None:
    ax.set_proj_type("ortho")
    ax.patch.set_visible(False)
    # The plate of (a) is seen nearly edge-on, so that it shows how little of X it leaves open.
    ax.view_init(elev=18, azim=-38)
    angle = np.linspace(0, 2 * np.pi, 121)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    # Marginals of each pair on the wall behind, the remaining coordinate being the wall's.
    for drop, wall in ((0, -_WALL), (1, _WALL), (2, -_WALL)):
        pair = [v for v in range(3) if v != drop]
        for radius, alpha in ((_RADIUS, 0.22), (_RADIUS / 2, 0.3)):
            flat = radius * _root(covariance[np.ix_(pair, pair)]) @ circle
            points = np.insert(flat, drop, wall, axis=0)
            _fill(ax, points, alpha)
            ax.plot(*points, color=_GREY, linewidth=0.6, zorder=1)
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 121), np.linspace(0, np.pi, 81))
    sphere = np.stack([np.cos(u) * np.sin(v), np.sin(u) * np.sin(v), np.cos(v)])
    surface = _RADIUS * np.einsum("ij,juv->iuv", _root(covariance), sphere)
    ax.plot_surface(
        *surface,
        color=_LIT_GREEN,
        rcount=48,
        ccount=72,
        linewidth=0,
        antialiased=False,
        lightsource=LightSource(azdeg=310, altdeg=50),
        zorder=5,
    )
    for set_limits in (ax.set_xlim, ax.set_ylim, ax.set_zlim):
        set_limits(-_WALL, _WALL)
    ax.set_box_aspect((1, 1, 1), zoom=0.98)
    ticks = [-2, 0, 2]
    for axis, label in ((ax.xaxis, "$Z_1$"), (ax.yaxis, "$Z_2$"), (ax.zaxis, "$X$")):
        axis.set_ticks(ticks)
        axis.set_tick_params(labelsize=6, pad=-4)
        axis.set_label_text(label, fontsize=9)
        axis.labelpad = -8
        axis.set_rotate_label(False)
        axis.set_pane_color((0.97, 0.97, 0.97, 1))
        axis.line.set_linewidth(0.6)
    ax.grid(False)


def _fill(ax: Axes3D, points: Float[np.ndarray, "3 k"], alpha: float) -> None:
    patch = Poly3DCollection([points.T], facecolor=_GREY, alpha=alpha, linewidth=0)
    patch.set_sort_zpos(-100)  # behind the surface
    ax.add_collection3d(patch)


def _root(covariance: Float[np.ndarray, "k k"]) -> Float[np.ndarray, "k k"]:
    """The symmetric square root; of singular matrices too."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T


def _draw_curves(
    ax: Axes, rho: tuple[float, float], marked: tuple[float, float], n_points: int
) -> None:
    low, high = _valid_range(rho)
    # Denser towards the ends, where the information runs to infinity.
    x = low + (high - low) * (1 - np.cos(np.linspace(0, np.pi, n_points)[1:-1])) / 2
    column = np.array(rho)[:, None]
    names = ("mutual_information", "union_information", "gk_synergy", "ci_synergy")
    curves = {
        name: np.array([getattr(gaussian, name)([[1, s], [s, 1]], column)[0] for s in x])
        for name in names
    }
    union = float(curves["union_information"][0])
    top = 2.9 * max(union, 0.5)
    looks = {
        "mutual_information": ("black", "-", r"information $I$"),
        "union_information": (_PURPLE, (0, (6, 1.5)), r"union $U$"),
        "gk_synergy": (_BLUE, "-", "GK synergy"),
        "ci_synergy": (_VERMILION, (0, (3, 1, 1, 1)), "CI synergy"),
    }
    for name, (colour, dashes, _) in looks.items():
        ax.plot(x, curves[name], color=colour, linestyle=dashes, linewidth=1.6, zorder=3)
    for s, letter in zip(marked, "ab", strict=True):
        ax.axvline(s, color="0.75", linewidth=0.8, linestyle=":", zorder=0)
        ax.annotate(
            f"({letter})", (s, 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom",
            color=_GREY, fontsize=8,
        )  # fmt: skip
    ax.set_xlim(low, high)
    ax.set_ylim(-0.02 * top, top)
    ax.set_xlabel(r"$\Sigma_{1,2}$", fontsize=9)
    ax.set_ylabel("bits")
    _label_curves(ax, x, curves, looks, top)


def _label_curves(
    ax: Axes,
    x: Float[np.ndarray, " k"],
    curves: dict[str, Float[np.ndarray, " k"]],
    looks: dict[str, tuple[str, Any, str]],
    top: float,
) -> None:
    """Each curve's name beside it, on the side where it is free of the others."""
    low, high = x[0], x[-1]
    for name, fraction, rise, ha, va in (
        ("mutual_information", 0.29, 0.03, "left", "bottom"),
        ("union_information", 0.5, -0.02, "left", "top"),
        ("gk_synergy", 0.39, 0.02, "left", "bottom"),
    ):
        at = low + fraction * (high - low)
        y = float(np.interp(at, x, curves[name])) + rise * top
        colour, _, label = looks[name]
        ax.text(at, y, label, color=colour, ha=ha, va=va, fontsize=8)
    colour, _, label = looks["ci_synergy"]  # in the corner below its curve
    ax.text(low + 0.015 * (high - low), 0.0, label, color=colour, va="bottom", fontsize=8)
