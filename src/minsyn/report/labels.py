"""Labels of points, placed where they hide least."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox, BboxBase

__all__ = ["label_points"]

#: Distances from a point, in points, at which a place for its name is looked for.
_DISTANCES = (6.0, 12.0, 20.0, 30.0, 42.0)
_DIRECTIONS = 16


def label_points(
    axes: Axes,
    points: Float[np.ndarray, "points 2"],
    labels: Sequence[str],
    colours: Sequence[str],
    avoid: Float[np.ndarray, "others 2"],
) -> None:
    """Write names beside points; a thin line joins those that had to move away.

    Each name in turn takes the place that covers the fewest points, none of the names before it,
    and lies nearest. The axes must have their final limits and size.

    Parameters
    ----------
    axes : Axes
        Where to write.
    points : array of shape (n_points, 2)
        In data coordinates.
    labels, colours : sequences of n_points str
        Names and the colours to write them in.
    avoid : array of shape (n_others, 2)
        Further points that names should not cover.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> axes = Figure().subplots()
    >>> label_points(axes, np.array([[0.5, 0.5]]), ["here"], ["black"], np.empty((0, 2)))
    >>> axes.texts[0].get_text()
    'here'
    """
    figure = axes.get_figure()
    assert figure is not None
    pixels_per_point = figure.dpi / 72
    obstacles = axes.transData.transform(np.vstack([points, avoid]))
    frame = axes.get_window_extent()
    taken: list[Bbox] = []
    for (x, y), label, colour in zip(points, labels, colours, strict=True):
        anchor = axes.transData.transform((x, y))
        text = axes.annotate(label, (x, y), fontsize=7, color=colour, zorder=4)
        size = text.get_window_extent()
        text.remove()
        box, distance = _best_place(
            anchor, size.width, size.height, pixels_per_point, obstacles, taken, frame
        )
        taken.append(box)
        offset = ((box.x0 - anchor[0]) / pixels_per_point, (box.y0 - anchor[1]) / pixels_per_point)
        line = {"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2}
        placed = axes.annotate(
            label,
            (x, y),
            xytext=offset,
            textcoords="offset points",
            fontsize=7,
            color=colour,
            zorder=4,
            arrowprops=line if distance > _DISTANCES[1] else None,
        )
        placed.set_in_layout(False)  # or the axes would shrink away from under it


def _best_place(
    anchor: Float[np.ndarray, "2"],
    width: float,
    height: float,
    scale: float,
    obstacles: Float[np.ndarray, "obstacles 2"],
    taken: list[Bbox],
    frame: BboxBase,
) -> tuple[Bbox, float]:
    """The box of least cost around a point, and its distance from it in points."""
    places = []
    for distance in _DISTANCES:
        for angle in np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS):
            direction = np.array([np.cos(angle), np.sin(angle)])
            # The box's nearest side or corner is at the distance, whatever its shape.
            centre = anchor + direction * distance * scale + direction * [width / 2, height / 2]
            low = centre - [width / 2, height / 2]
            box = Bbox.from_bounds(low[0], low[1], width, height)
            places.append((_cost(box, distance, obstacles, taken, frame), box, distance))
    _, box, distance = min(places, key=lambda place: place[0])
    return box, distance


def _cost(
    box: Bbox,
    distance: float,
    obstacles: Float[np.ndarray, "obstacles 2"],
    taken: list[Bbox],
    frame: BboxBase,
) -> float:
    padded = box.padded(2)
    inside = np.all((obstacles >= padded.min) & (obstacles <= padded.max), axis=1)
    overlaps = sum(padded.overlaps(other) for other in taken)
    outside = not (frame.x0 <= box.x0 and box.x1 <= frame.x1)
    outside = outside or not (frame.y0 <= box.y0 and box.y1 <= frame.y1)
    return float(1000 * overlaps + 500 * outside + 30 * inside.sum() + distance)
