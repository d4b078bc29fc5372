"""Report of a model's factors: one page of HTML that needs no other file and no network."""

import warnings
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from io import BytesIO

import numpy as np
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.figure import Figure

from minsyn._style import styled
from minsyn.information import SynergyResult
from minsyn.metrics import AveragePartial, Scree
from minsyn.report.table_rows import LoadingRows, two_decimals
from minsyn.report.web import html_document
from minsyn.report.what_if import WhatIf, what_if_panel

__all__ = ["FactorReport", "factor_page"]

#: Features and factors up to which a path diagram can be read; beyond, a heat map is drawn.
_IN_PATHS, _FACTORS_IN_PATHS = 40, 8
#: Size of letters in tables, of tables with more columns than fit, and the number that fit.
_LETTERS, _SMALLEST, _COLUMNS = 0.85, 0.45, 10
#: Rows of a table that is not broken over two pages.
_UNBROKEN = 20
#: Features of most synergy that are listed.
_SYNERGIES = 15
#: The least synergy that is not written as 0.
_LEAST = 0.0005
_MEASURES = {
    "mutual_information": "all {several}",
    "union_information": "best {one}",
    "gk_synergy": "GK synergy",
    "ci_synergy": "CI synergy",
}
#: Figures are drawn for print, with small letters, and shown larger on the page.
_ENLARGED = 1.25
#: Vermilion and blue of Okabe and Ito, as in the figures: features that rise and that fall.
_RISES, _FALLS = "213,94,0", "0,114,178"
_STYLES = ("base.css", "factor_page.css", "what_if.css")


@dataclass(frozen=True, eq=False)
class FactorReport:
    """What a report tells of a model.

    Attributes
    ----------
    title, lead : str
        Heading, and a sentence below it.
    rows : LoadingRows
        Loadings, and the features that are listed.
    explained : mapping of str to sequence of n_factors floats
        Shares of variance by what they are.
    synergy : SynergyResult
        Information and synergy of the factors about each feature.
    facts : mapping of str to str
        Data and settings behind the model.
    groups : sequence of n_factors str
        Groups of the factors; empty without groups.
    notes, about_loadings, about_synergy : sequence of str
        What a reader must know of the factors, their loadings, and the measures.
    scree : Scree, AveragePartial or None
        What the number of factors was, or could be, chosen by.
    figures : mapping of str to Figure
        Further figures, by their captions.
    what_if : WhatIf or None
        What the model expects when a factor moves: a panel with a slider.
    """

    title: str
    lead: str
    rows: LoadingRows
    explained: Mapping[str, Sequence[float]]
    synergy: SynergyResult
    facts: Mapping[str, str]
    groups: Sequence[str] = ()
    notes: Sequence[str] = ()
    about_loadings: Sequence[str] = ()
    about_synergy: Sequence[str] = ()
    scree: Scree | AveragePartial | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    what_if: WhatIf | None = None


def factor_page(report: FactorReport) -> str:
    """Write a report as one page of HTML, with its figures and style inside.

    Parameters
    ----------
    report : FactorReport
        What the page tells.

    Returns
    -------
    str
        The page; the same report gives the same text.
    """
    rows = report.rows
    parts = [f"<h1>{escape(report.title)}</h1>", f'<p class="lead">{escape(report.lead)}</p>']
    parts += [f'<p class="note">{escape(note)}</p>' for note in report.notes]
    parts += [
        "<h2>Loadings</h2>",
        _caption(
            "A loading is the correlation of a feature with a factor. The strongest of each "
            f"feature is bold; those below {rows.hide_below:g} are left out. Communality is the "
            "share of a feature's variance that all factors explain together, uniqueness the rest. "
            "The rows at the bottom have the share of the variance of all features that each "
            "factor explains alone, that no other factor explains, and that it explains together "
            "with the factors before it."
        ),
        _loadings(report),
    ]
    if rows.n_hidden:
        parts.append(_caption(f"{rows.n_hidden:,} features with weaker loadings are not listed."))
    parts += map(_caption, report.about_loadings)
    parts.append(_loadings_figure(rows))
    if len(rows.loadings.factor_names) > 1:
        parts += ["<h2>Correlations of the factors</h2>", _correlations(report)]
    if report.scree is not None:
        parts += [
            "<h2>Number of factors</h2>",
            _caption(
                "Eigenvalues of the correlations of the features. Those above the eigenvalues of "
                "unrelated features count as factors."
                if isinstance(report.scree, Scree)
                else "Average squared partial correlation of the features, by the number of "
                "components removed. The number of factors is where it is smallest."
            ),
            _image(report.scree.plot(), "Scree plot"),
        ]
    if report.what_if is not None:
        parts.append(what_if_panel(report.what_if))
    one = "group" if report.groups else "factor"
    parts += [
        "<h2>Synergy</h2>",
        _caption(
            f"Information of all {one}s together about a feature, and of its best single {one}. GK "
            f"synergy is the difference: the information that only combinations of {one}s have. CI "
            f"synergy is the loss of a decoder that assumes the {one}s to be independent given the "
            "feature."
        ),
        _synergy(report.synergy),
        *map(_caption, report.about_synergy),
    ]
    for caption, figure in report.figures.items():
        parts.append(_image(figure, caption))
    parts += ["<h2>Data and model</h2>", _facts(report.facts)]
    return html_document(report.title, "\n".join(parts), _STYLES)


def _caption(text: str) -> str:
    return f'<p class="caption">{escape(text)}</p>'


def _loadings(report: FactorReport) -> str:
    rows, table = report.rows, report.rows.loadings
    groups = report.groups or ("",) * len(table.factor_names)
    heads = "".join(
        f"<th>{escape(name)}{f'<small>{escape(group)}</small>' if group else ''}</th>"
        for name, group in zip(table.factor_names, groups, strict=True)
    )
    heads += "<th>communality</th><th>uniqueness</th>"
    strongest = np.argmax(np.abs(table.values), axis=1)
    bodies = []
    for section in rows.sections:
        lines = []
        for i in section.tolist():
            cells = ""
            for factor, value in enumerate(table.values[i]):
                text = rows.text(i, factor)
                if text and factor == strongest[i]:
                    text = f"<b>{text}</b>"
                cells += _tinted(text, value if text else 0.0)
            shares = (table.communality[i], table.uniqueness[i])
            cells += "".join(f'<td class="share">{two_decimals(share)}</td>' for share in shares)
            lines.append(f"<tr>{_name(table.feature_names[i])}{cells}</tr>")
        bodies.append(f"<tbody>{''.join(lines)}</tbody>")
    feet = "".join(
        f"<tr><th>{escape(label)}</th>{''.join(f'<td>{share:.1%}</td>' for share in shares)}"
        "<td></td><td></td></tr>"
        for label, shares in report.explained.items()
    )
    size = max(_SMALLEST, min(_LETTERS, _LETTERS * _COLUMNS / (len(table.factor_names) + 2)))
    return _table(f"<tr><th></th>{heads}</tr>", "".join(bodies), feet, size)


def _loadings_figure(rows: LoadingRows) -> str:
    n_features, n_factors = rows.loadings.values.shape
    if n_features <= _IN_PATHS and n_factors <= _FACTORS_IN_PATHS:
        figure = rows.loadings.plot_paths(hide_below=max(rows.hide_below, 1e-12))
        return _image(figure, "Path diagram of factors and features")
    return _image(rows.loadings.plot(hide_below=rows.hide_below), "Heat map of the loadings")


def _correlations(report: FactorReport) -> str:
    table = report.rows.loadings
    sigma, names = table.factor_correlation, table.factor_names
    lines = [
        f"<tr>{_name(names[j])}"
        + "".join(_tinted(two_decimals(sigma[j, k]), sigma[j, k]) for k in range(j))
        + "<td></td>" * (len(names) - 1 - j)
        + "</tr>"
        for j in range(1, len(names))
    ]
    heads = "".join(f"<th>{escape(name)}</th>" for name in names[:-1])
    size = max(_SMALLEST, min(_LETTERS, _LETTERS * _COLUMNS / len(names)))
    return _table(f"<tr><th></th>{heads}</tr>", f"<tbody>{''.join(lines)}</tbody>", size=size)


def _synergy(result: SynergyResult) -> str:
    grouped = any(len(variables) > 1 for variables in result.members)
    words = {"one": "group", "several": "groups"} if grouped else {}
    words = words or {"one": "factor", "several": "factors"}
    heads = "".join(f"<th>{text.format(**words)}</th>" for text in _MEASURES.values())
    values = [result[name] for name in _MEASURES]
    lines = [_measured("all features", [float(value.sum()) for value in values], 2)]
    gk: Float[np.ndarray, " n"] = result["gk_synergy"]
    order = (-gk).argsort(kind="stable")[:_SYNERGIES]
    each = [
        _measured(result.targets[i], [float(value[i]) for value in values], 3)
        for i in order.tolist()
        if gk[i] >= _LEAST
    ]
    bodies = "".join(f"<tbody>{''.join(part)}</tbody>" for part in (lines, each) if part)
    return _table(f"<tr><th>{escape(result.unit)} about</th>{heads}</tr>", bodies)


def _measured(name: str, values: Sequence[float], decimals: int) -> str:
    cells = "".join(f"<td>{round(value, decimals) + 0.0:.{decimals}f}</td>" for value in values)
    return f"<tr>{_name(name)}{cells}</tr>"


def _facts(facts: Mapping[str, str]) -> str:
    lines = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts.items()
    )
    return f'<table class="facts"><tbody>{lines}</tbody></table>'


def _table(head: str, bodies: str, foot: str = "", size: float = _LETTERS) -> str:
    foot = f"<tfoot>{foot}</tfoot>" if foot else ""
    table = f'<table style="font-size:{size:.2f}em">'
    short = " short" if bodies.count("<tr>") <= _UNBROKEN else ""
    return f'<div class="wide{short}">{table}<thead>{head}</thead>{bodies}{foot}</table></div>'


def _name(name: str) -> str:
    return f'<th scope="row" title="{escape(name)}">{escape(name)}</th>'


def _tinted(text: str, value: float) -> str:
    """A cell, the redder or the bluer the stronger a correlation is."""
    strength = 0.5 * min(float(value) ** 2, 1.0)
    if strength < 0.01:
        return f"<td>{text}</td>"
    colour = _RISES if value > 0 else _FALLS
    return f'<td style="background:rgba({colour},{strength:.2f})">{text}</td>'


def _image(figure: Figure, caption: str) -> str:
    """A figure as a vector graphic inside the page."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        content = _svg(figure, "path")
    if any("missing from font" in str(warning.message) for warning in caught):
        # Letters that Matplotlib's font lacks are left to the fonts of the reader.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*missing from font")
            content = _svg(figure, "none")
    width = _ENLARGED * figure.get_size_inches()[0]
    return (
        f'<figure><img alt="{escape(caption)}" style="width:{width:.2f}in" '
        f'src="data:image/svg+xml;base64,{content}"></figure>'
    )


def _svg(figure: Figure, fonttype: str) -> str:
    """A figure as SVG in base64, with letters as paths or as text."""
    buffer = BytesIO()
    with styled(), rc_context({"svg.fonttype": fonttype, "svg.hashsalt": "minsyn"}):
        figure.savefig(buffer, format="svg", dpi=200, metadata={"Date": None, "Creator": None})
    return b64encode(buffer.getvalue()).decode("ascii")
