"""The page of a traced row: the network drawn, and a panel for each unit, which a click opens.

There is no script: a unit of the drawing is a link to its panel, and the panel that is the link's target is the one
that is shown, so keyboard and the browser's back button work as everywhere. The page's policy forbids requests and
scripts, and whatever comes from a table is escaped here and in `trace_drawing`.
"""

from __future__ import annotations

from base64 import b64encode
from importlib.resources import files
from math import isfinite

from pellucid.explanation.words.values import Derivative, Derivatives, Equation, Note, Sum, n
from pellucid.reports.page import POLICY
from pellucid.reports.text import escape
from pellucid.reports.trace_drawing import drawing, highlights
from pellucid.reports.trace_values import Column, Folded, Formulas, PageParts, Panel, Picture, TracePage

__all__ = ["formulas_html", "parts_html", "picture_html", "trace_html"]

_HOW = (
    "Click a unit to open its arithmetic, or a heading to open its layer; the browser's back button closes it. A line "
    "is what a unit adds to a unit of the next column, w · a: the thicker, the more. Lines below 2 % of the strongest "
    "are left out; a dashed line stands for all units that are not drawn, together."
)
_SKIP = " An arc over a column is a skip connection: values that are added as they are."


def trace_html(page: TracePage) -> str:
    """The page as text.

    >>> panel = Panel(key="overview", title="Overview", below="", sections=())
    >>> cells = Formulas(caption="Cells", headings=("column",), rows=(("<b>",),))
    >>> column = Column(titles=("inputs",), units=(), n_more=3, largest=1.0, panel=panel)
    >>> text = trace_html(TracePage(title="row", lead=(), cells=cells, columns=(column,), lines=(), overview=panel))
    >>> "&lt;b&gt;" in text, "<b>" in text
    (True, False)
    """
    folder = files("pellucid.reports")
    style = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in ("style.css", "trace.css"))
    how = _HOW + (_SKIP if page.skips else "")
    lead = "".join(f"<p>{escape(line)}</p>" for line in page.lead)
    pictures = "".join(picture_html(each) for each in page.pictures)
    panels = "\n".join(
        [
            *(_panel(unit.panel, "unit", _beside(column, i)) for column in page.columns
              for i, unit in enumerate(column.units)),
            *(_panel(column.panel, "layer", ()) for column in page.columns),
            _panel(page.overview, "overview", ()),  # the last: it is shown if none of those before it is the target
        ]
    )  # fmt: skip
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="color-scheme" content="light dark">
<title>Trace of {escape(page.title)}</title>
<style>
{style}{highlights(page)}</style>
</head>
<body>
<a class="skip" href="#network">Skip to the network</a>
<header><h1>{escape(page.title)}</h1>{lead}</header>
<main>
<section id="cells" aria-label="{escape(page.cells.caption)}">{pictures}{formulas_html(page.cells)}</section>
<div class="trace">
<section id="network" aria-label="The network">
<div class="drawing" role="region" aria-label="The network drawn" tabindex="0">
{drawing(page)}
</div>
<p class="legend"><span class="key plus">positive</span> <span class="key minus">negative</span> {how}</p>
</section>
<div class="panels">
{panels}
</div>
</div>
</main>
<footer><p>Written by Pellucid. Numbers are shown with four digits and computed with sixteen.
This file is complete in itself: it loads nothing and runs no program.</p></footer>
</body>
</html>
"""


def _beside(column: Column, i: int) -> tuple[tuple[str, str], ...]:
    """Where a unit's panel leads on: the units drawn above and below it, and its layer."""
    near = [("↑ ", column.units[i - 1])] if i else []
    near += [("↓ ", column.units[i + 1])] if i + 1 < len(column.units) else []
    units = tuple((f"{arrow}{unit.panel.title}", unit.key) for arrow, unit in near)
    return (*units, ("the layer", column.panel.key))


def _panel(panel: Panel, kind: str, beside: tuple[tuple[str, str], ...]) -> str:
    links = beside if kind == "overview" else (*beside, ("drawing", "network"), ("overview", "overview"))
    where = " · ".join(_link(name, key) for name, key in links)
    nav = f'<nav class="where" aria-label="Near {escape(panel.title)}">{where}</nav>' if where else ""
    below = f'<p class="below">{escape(panel.below)}</p>' if panel.below else ""
    body = "\n".join(f"<h3>{escape(title)}</h3>\n{parts_html(parts)}" for title, parts in panel.sections)
    return (
        f'<section class="panel {kind}" id="{panel.key}" aria-labelledby="{panel.key}-title">\n'
        f'<h2 id="{panel.key}-title">{escape(panel.title)}</h2>{below}{nav}\n{body}\n</section>'
    )


def parts_html(parts: PageParts) -> str:
    """Notes, equations, sums and tables."""
    made = []
    for part in parts:
        match part:
            case Folded(part=Sum() as found):
                made.append(_sum(found, part))
            case Folded(part=Derivatives() as derivatives):
                made.append(_derivatives(derivatives, part))
            case Equation():
                made.append(_equation(part))
            case Note():
                made.append(f"<p>{escape(part.text)}</p>")
            case Formulas():
                made.append(formulas_html(part))
            case Picture():
                made.append(picture_html(part))
            case _:
                raise AssertionError(part)
    return "\n".join(made)


def _equation(equation: Equation) -> str:
    formula, numbers = equation.formula, equation.numbers
    definition = f"<p>{escape(formula)} is {escape(equation.definition)}</p>\n" if equation.definition else ""
    middle = [escape(text) for text in (formula, numbers) if text and text != equation.symbol]
    said = " = ".join((f"<var>{escape(equation.symbol)}</var>", *middle, f"<strong>{n(equation.result)}</strong>"))
    return f'{definition}<p class="equation">{said}</p>'


def _sum(found: Sum, folded: Folded) -> str:
    terms, n_others, others = found.largest(folded.most)
    most = max(map(abs, (*(term.value for term in terms), others, found.bias or 0.0))) or 1.0
    columns = len(found.factors) if len(found.factors) > 1 else 0  # of plain values one column is enough
    empty = "<td></td>" * columns
    rows = [
        f"<tr><th scope=row>{_link(term.name, folded.key(term.place))}</th>"
        f"{''.join(f'<td>{n(factor)}</td>' for factor in term.factors[:columns])}{_bar(term.value, most)}</tr>"
        for term in terms
    ]
    if n_others:
        what = "1 other" if n_others == 1 else f"{n_others:,} others together"
        rows.append(f"<tr><th scope=row>{what}</th>{empty}{_bar(others, most)}</tr>")
    if found.bias is not None:
        rows.append(f"<tr><th scope=row>bias b</th>{empty}{_bar(found.bias, most)}</tr>")
    headings = (found.origin, *found.factor_names[:columns], found.term_formula)
    head = "".join(f"<th scope=col>{escape(text)}</th>" for text in headings)
    return (
        f'<table class="sum"><caption>{escape(found.symbol)} = {escape(found.formula)}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{''.join(rows)}</tbody>\n"
        f"<tfoot><tr><th scope=row>{escape(found.symbol)}</th>{empty}<td>{n(found.result)}</td></tr></tfoot>"
        "</table>"
    )


def _bar(value: float, most: float) -> str:
    """A cell with a bar behind its number, as long as the number is large."""
    share = round(100 * min(1.0, abs(value) / most)) if isfinite(value) and isfinite(most) else 0
    return f'<td class="bar {"minus" if value < 0 else "plus"}" style="--share:{share}%">{n(value)}</td>'


def _derivatives(found: Derivatives, folded: Folded) -> str:
    shown, n_others, steepest = found.steepest(folded.most)
    rows = "".join(
        f"<tr><th scope=row>{_link(row.name, folded.key(row.place))}</th>{_factor(row)}"
        f"<td>{n(row.gradient)}</td><td>{n(row.old)} <span>→ {n(row.new)}</span></td></tr>"
        for row in shown
    )
    more = ""
    if n_others:
        what = "weight" if n_others == 1 else "weights"
        more = f'<p class="below">and {n_others:,} more {what}, none steeper than {n(steepest)}</p>'
    headings = ("of", found.factor, f"{found.symbol} · {found.factor}", "old → new")
    head = "".join(f"<th scope=col>{escape(text)}</th>" for text in headings)
    return (
        f'<table class="updates"><caption>{escape(found.caption)}; {escape(found.symbol)} = '
        f'<span class="slope">{n(found.slope)}</span></caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"
    )


def _factor(row: Derivative) -> str:
    """A cell; empty for a parameter that positions share, whose derivative is a sum over them."""
    return f"<td>{'' if row.factor is None else n(row.factor)}</td>"


def formulas_html(found: Formulas) -> str:
    """A table."""
    keys = found.keys or (None,) * len(found.rows)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{_link(text, key if k == 0 else None)}</td>" for k, text in enumerate(row)) + "</tr>"
        for row, key in zip(found.rows, keys, strict=True)
    )
    head = "".join(f"<th scope=col>{escape(text)}</th>" for text in found.headings)
    caption = escape(found.caption)
    table = (
        f'<div class="table" role="region" aria-label="{caption}" tabindex="0"><table class="plain">'
        f"{'' if found.folded else f'<caption>{caption}</caption>'}"
        f"<thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    )
    return f"<details><summary>{caption}</summary>{table}</details>" if found.folded else table


def picture_html(picture: Picture) -> str:
    """An image with its caption."""
    caption = escape(picture.caption)
    data = b64encode(picture.png).decode("ascii")
    return (
        f'<figure class="image"><img src="data:image/png;base64,{data}" alt="{caption}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _link(name: str, key: str | None) -> str:
    return escape(name) if key is None else f'<a href="#{key}">{escape(name)}</a>'
