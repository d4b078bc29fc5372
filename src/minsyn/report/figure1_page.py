"""Figure 1 of the paper as a page: synergy of two Gaussian sources, with sliders."""

from minsyn.information._options import number
from minsyn.report.web import web_page

__all__ = ["figure1_explorer"]

#: As far as the page's sliders go.
_MOST_RHO = 0.95
_TITLE = "Synergy of two sources"
_BODY = """<h1>Synergy of two sources</h1>
<p class="lead">Two Gaussian sources and a target. Each source's correlation with the target has a
slider. The third correlation, between the sources, changes nothing that one source tells of the
target, and yet decides what both tell together.</p>
<div id="sliders"></div>
<p><output id="said" aria-live="polite"></output></p>
<div id="plot" class="plot"><svg id="curves" role="img" aria-label="Information, union information,
GK synergy and CI synergy in bits, over the correlation of the sources. The table below has their
values at the chosen correlation."></svg></div>
<table><caption class="caption">In bits, at the line</caption><tbody id="values"></tbody></table>
<p class="caption">Fig. 1c of Ver Steeg et al., “Disentangled Representations via Synergy
Minimization”, 2017. I is the information of both sources about the target. U, the union
information, is the least that any joint with the same pairs has: here, that of the better source.
GK synergy is I − U. CI synergy is what a decoder loses that takes the sources for independent given
the target.</p>
<h2>Two stories</h2>
<div class="stories">
<section><h3>XOR: all of it is synergy</h3><p>A lamp is on if exactly one of two switches is up. One
switch alone tells nothing of the lamp; both tell everything: one bit, and all of it synergy.</p>
</section>
<section><h3>Grue and bleen: synergy depends on the words</h3><p>Something is <i>grue</i> if it is
green by day or blue by night, and <i>bleen</i> if it is blue by day or green by night. Whoever has
only these words needs the time to tell a colour, so that “grue” and “night” are synergistic about
it. “Green” and “blue” are the better words, because they mean something alone.</p></section>
</div>"""


def figure1_explorer(rho: tuple[float, float] = (0.5, 0.75), sigma12: float = -0.1) -> str:
    r"""Write Fig. 1c as an interactive page: all measures over :math:`\Sigma_{12}`, in bits.

    Parameters
    ----------
    rho : tuple of float, default=(0.5, 0.75)
        Correlations of the two sources with the target at first, from -0.95 to 0.95.
    sigma12 : float, default=-0.1
        Correlation of the sources at first; it is moved to the nearest for which there is a joint.

    Returns
    -------
    str
        HTML that needs no other file and no network.

    Raises
    ------
    ValueError
        If a correlation is out of its range.

    References
    ----------
    Ver Steeg et al., "Disentangled Representations via Synergy Minimization", 2017, Fig. 1.

    Examples
    --------
    >>> "<h1>Synergy of two sources</h1>" in figure1_explorer()
    True
    """
    correlations = [number(r, "rho") for r in rho]
    if len(correlations) != 2 or not max(map(abs, correlations)) <= _MOST_RHO:
        raise ValueError(f"rho must be two numbers from -{_MOST_RHO} to {_MOST_RHO}; found {rho}")
    sigma12 = number(sigma12, "sigma12")
    if abs(sigma12) > 1:
        raise ValueError(f"sigma12 must be from -1 to 1; found {sigma12}")
    data = {"rho": correlations, "sigma12": sigma12}
    return web_page(_TITLE, _BODY, data, ["page.js", "drawing.js", "figure1_page.js"])
