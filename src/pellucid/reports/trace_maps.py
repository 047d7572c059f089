"""The page of a traced picture: every layer's feature maps, and the arithmetic of the position that is chosen.

A page without a script would need a panel for each of thousands of positions. This one carries every number once and
one small script that shows them. The page's policy allows that script alone, by its hash, and no request.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Any

from pellucid.explanation.words.loss import slope_of_loss
from pellucid.explanation.words.values import Equation, n
from pellucid.inspection.trace import Traced, shown_cell
from pellucid.inspection.trace_unit import address
from pellucid.reports.page import POLICY
from pellucid.reports.text import escape
from pellucid.reports.trace_maps_data import maps_data
from pellucid.reports.trace_overview import overview, pictures_of
from pellucid.reports.trace_page import formulas_html, parts_html, picture_html
from pellucid.reports.trace_values import Formulas

__all__ = ["maps_html", "page_with_script", "slopes_of_loss"]

_SCRIPTS = ("trace_maps_arithmetic.js", "trace_maps_view.js")
_HOW = (
    "Click a position in a map, or move with the arrow keys (Page Up and Page Down change the channel): its arithmetic "
    "opens beside. Links lead to the numbers that it was computed from."
)
_LEGEND = (
    '<span class="key plus">positive</span> <span class="key minus">negative</span>\n'
    '<span class="key chosen">chosen</span> <span class="key patch">what it is computed from</span>\n'
    '<span class="key winner">the winner of a pooling window</span> '
)


def maps_html(found: Traced, units: int) -> str:
    """The page as text.

    Parameters
    ----------
    found
        What `pellucid.trace` returned, of a network whose rows are pictures or series.
    units
        How many terms of a sum are listed in the overview.
    """
    return page_with_script(
        found,
        units,
        maps_data(found.steps, slopes_of_loss(found)),
        scripts=_SCRIPTS,
        legend=_LEGEND + _HOW,
        unit="LAYER.CHANNEL,ROW,COLUMN",
    )


def page_with_script(
    found: Traced,
    units: int,
    data: Mapping[str, Any],
    *,
    scripts: Sequence[str],
    legend: str,
    unit: str,
    styles: Sequence[str] = (),
    before: str = "",
) -> str:
    """A page whose script shows the numbers of ``data``; it may run that script alone.

    Parameters
    ----------
    found, units
        As of `maps_html`.
    data
        What the script looks up, as JSON values.
    scripts, styles
        Files of this room; the styles come after those of every such page.
    legend, before
        HTML: what the colours say, and what stands above it.
    unit
        How the terminal is asked for a unit.
    """
    folder = files("pellucid.reports")
    names = ("style.css", "trace.css", "trace_maps.css", *styles)
    style = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)
    script = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in scripts)
    digest = b64encode(sha256(f"\n{script}".encode()).digest()).decode("ascii")
    numbers = json.dumps(data).replace("<", "\\u003c")
    last = found.steps[-1]
    whole = overview(found, lambda k: address(last, k), units)
    sections = "\n".join(f"<h3>{escape(title)}</h3>\n{parts_html(parts)}" for title, parts in whole.sections)
    cells = Formulas(
        caption="The row",
        headings=("column", "cell", "becomes"),
        rows=[(c.column, shown_cell(c.cell), c.how) for c in found.cells],
    )
    which = f"network {found.network} of {found.n_networks}" if found.n_networks > 1 else "one network"
    lead = [f"{found.model.task.question}; {which}, {found.row.network.outline()}", *found.notes]
    pictures = "".join(picture_html(each) for each in pictures_of(found))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}; script-src 'sha256-{digest}'">
<meta name="color-scheme" content="light dark">
<title>Trace of {escape(found.title)}</title>
<style>
{style}</style>
</head>
<body>
<a class="skip" href="#panel">Skip to the arithmetic</a>
<header><h1>{escape(found.title)}</h1>{"".join(f"<p>{escape(line)}</p>" for line in lead)}</header>
<main>
<section id="cells" aria-label="The row">{pictures}{formulas_html(cells)}</section>
<details class="part"><summary><h2>Answer, loss and agreement</h2></summary>
{sections}
</details>
{before}
<p class="legend">{legend}</p>
<noscript><p class="strong">The maps are drawn by the page's own script, which is switched off here. In the terminal,
pellucid trace RUN --unit {unit} shows the same arithmetic.</p></noscript>
<div class="trace">
<section id="layers" aria-labelledby="layers-title"><h2 id="layers-title">The layers</h2></section>
<section class="panel" id="panel" aria-labelledby="panel-title"></section>
</div>
</main>
<footer><p>Written by Pellucid. Numbers are shown with four digits, are kept here with seven and were computed with
sixteen. This file is complete in itself: it loads nothing; its one script draws, looks
numbers up, and multiplies and adds those that it shows.</p></footer>
<script type="application/json" id="data">{numbers}</script>
<script>
{script}</script>
</body>
</html>
"""


def slopes_of_loss(found: Traced) -> list[str]:
    """How ∂L/∂ of each output arises from the loss."""
    if found.row.back is None:
        return []
    said = []
    for k in range(len(found.row.logits)):
        equations = [part for part in slope_of_loss(found.outcome, k) if isinstance(part, Equation)]
        said.append("; ".join(f"{e.symbol} = {e.formula} = {e.numbers} = {n(e.result)}" for e in equations))
    return said
