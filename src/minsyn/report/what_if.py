"""What a model expects of the features when one factor moves: a panel with a slider."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from minsyn.report.web import packed, page_script

__all__ = ["WhatIf", "what_if_panel"]

#: Features that are kept, those of the largest changes; and features shown of each factor.
_KEPT, _SHOWN = 400, 12
#: Standard deviations by which a feature changes at least to be shown.
_LEAST = 0.05


@dataclass(frozen=True, eq=False)
class WhatIf:
    """Features that a model expects while one factor moves and the others stay at their means.

    Attributes
    ----------
    factor_names, feature_names : sequence of str
        Names.
    positions : ndarray of shape (n_positions,)
        Places of a factor, ascending, in standard deviations from its mean; 0 is among them.
    expected : ndarray of shape (n_factors, n_positions, n_features)
        What the decoder gives, in the features' own units.
    std : ndarray of shape (n_features,)
        Standard deviations of the features.
    """

    factor_names: Sequence[str]
    feature_names: Sequence[str]
    positions: Float[np.ndarray, " positions"]
    expected: Float[np.ndarray, "factors positions features"]
    std: Float[np.ndarray, " features"]


def what_if_panel(what_if: WhatIf) -> str:
    """Write a panel: choose a factor, move it, and see the features that change most.

    Parameters
    ----------
    what_if : WhatIf
        What the model expects.

    Returns
    -------
    str
        Part of a page of HTML, with its data and script. It stays hidden without JavaScript.

    Examples
    --------
    >>> expected = np.array([[[-1.0], [0.0], [1.0]]])
    >>> panel = what_if_panel(WhatIf(["z0"], ["a"], np.arange(-1.0, 2.0), expected, np.ones(1)))
    >>> "<h2>What if</h2>" in panel
    True
    """
    scale = np.where(what_if.std > 0, what_if.std, np.inf)
    middle = int(np.argmin(np.abs(what_if.positions)))
    change = (what_if.expected - what_if.expected[:, [middle]]) / scale
    largest = np.abs(change).max(axis=1)
    kept = np.sort(np.argsort(-largest.max(axis=0), kind="stable")[:_KEPT])
    order = np.argsort(-largest[:, kept], axis=1, kind="stable")[:, :_SHOWN]
    data = {
        "factors": list(what_if.factor_names),
        "features": [what_if.feature_names[i] for i in kept.tolist()],
        "positions": what_if.positions.tolist(),
        "std": what_if.std[kept].tolist(),
        "middle": what_if.expected[0, middle, kept].tolist(),
        # Changes in standard deviations: features of other units do not share their rounding.
        "change": packed(change[:, :, kept]),
        "order": [
            [i for i in features if i == features[0] or largest[factor, kept[i]] >= _LEAST]
            for factor, features in enumerate(order.tolist())
        ],
    }
    return (
        '<section id="what-if" hidden><h2>What if</h2>\n<p class="caption">What the model expects '
        "of the features when one factor moves, in standard deviations from its mean, and the "
        "others stay at their means. It describes samples that differ in this factor, and does not "
        "say what an intervention would do.</p>\n"
        f"<div></div></section>\n{page_script(data, ['page.js', 'what_if.js'])}"
    )
