"""The network of a traced row as an SVG by hand: columns of units, each a link to its panel, and lines of w · a."""

from __future__ import annotations

from collections.abc import Sequence

from pellucid.reports.text import escape
from pellucid.reports.trace_values import Column, Drawn, Line, TracePage

__all__ = ["drawing", "highlights"]

_WIDTH, _HEIGHT = 118, 36  # of a box
_ACROSS, _DOWN = 66, 8  # between boxes
_HEAD = 17  # of a line of a column's heading
_EDGE = 4
_FAINTEST = 0.02  # of the strongest line between two columns; fainter ones are left out, and the legend says so
_RISE = 30  # by which a line over columns rises, so that it is seen between the boxes
_LETTERS = 17  # of a name that fit in a box

Place = tuple[float, float]  # the left upper corner of a box


def drawing(page: TracePage) -> str:
    """The SVG; every text that comes from a table is escaped."""
    heads = max(len(column.titles) for column in page.columns)
    top = _EDGE + heads * _HEAD + 8
    tallest = max(_boxes(column) for column in page.columns)
    width = len(page.columns) * (_WIDTH + _ACROSS) - _ACROSS + 2 * _EDGE
    height = top + tallest * (_HEIGHT + _DOWN) - _DOWN + _EDGE
    places = [_places(column, i, top, tallest) for i, column in enumerate(page.columns)]
    drawn = [_lines(between, places[i], places[i + 1]) for i, between in enumerate(page.lines)]
    drawn += [_lines(over, places[start], places[end], rise=_RISE) for start, end, over in page.skips]
    lines = "\n".join(drawn)
    columns = "\n".join(_column(column, i, places[i]) for i, column in enumerate(page.columns))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="group" '
        f'aria-label="{escape(page.title)}: the network, {len(page.columns)} columns of units" '
        f'style="max-width:{width}px;min-width:{round(0.86 * width)}px">\n'
        f'<g aria-hidden="true">\n{lines}\n</g>\n{columns}\n</svg>'
    )


def highlights(page: TracePage) -> str:
    """CSS by which the box of the open panel stands out, with the lines that lead to it and from it.

    Browsers without ``:has`` do without.
    """
    boxes = [unit.key for column in page.columns for unit in column.units]
    opened = [f"main:has(#{key}:target)" for key in boxes]
    chosen = ",\n".join(f'{o} a[href="#{key}"] .box' for o, key in zip(opened, boxes, strict=True))
    near = ",\n".join(f"{o} .l.{key}" for o, key in zip(opened, boxes, strict=True))
    return (
        "main:has(.unit:target) .l { opacity: 0.07; }\n"
        f"{near} {{ opacity: 1; }}\n"
        f"{chosen} {{ stroke: var(--text); stroke-width: 3; }}\n"
    )


def _boxes(column: Column) -> int:
    return len(column.units) + (column.n_more > 0)


def _places(column: Column, i: int, top: float, tallest: int) -> dict[str | None, Place]:
    """Where each box of a column stands; ``None`` is that of the units that are not drawn."""
    keys: list[str | None] = [unit.key for unit in column.units]
    if column.n_more:
        keys.append(None)
    start = top + (tallest - len(keys)) * (_HEIGHT + _DOWN) / 2
    x = _EDGE + i * (_WIDTH + _ACROSS)
    return {key: (x, start + k * (_HEIGHT + _DOWN)) for k, key in enumerate(keys)}


# ── boxes ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _column(column: Column, i: int, places: dict[str | None, Place]) -> str:
    x = _EDGE + i * (_WIDTH + _ACROSS)
    heads = "".join(
        f'<tspan x="{x + _WIDTH / 2:g}" y="{_EDGE + _HEAD * (k + 1) - 4}">{escape(text)}</tspan>'
        for k, text in enumerate(column.titles)
    )
    title = escape(", ".join(column.titles))
    head = f'<a href="#{column.panel.key}" aria-label="{title}: all its units"><text class="head">{heads}</text></a>'
    most = max((abs(unit.value) for unit in column.units), default=0.0) or 1.0
    units = "\n".join(_unit(unit, places[unit.key], most) for unit in column.units)
    more = _more(column, places[None]) if column.n_more else ""
    return f"<g>{head}\n{units}\n{more}</g>"


def _unit(unit: Drawn, place: Place, most: float) -> str:
    x, y = place
    sign = "minus" if unit.value < 0 else "plus"
    name = escape(unit.panel.title)
    return (
        f'<a href="#{unit.key}" aria-label="{name}: {escape(unit.shown)}"><title>{name}</title>'
        f"{_rectangle(x, y, 'under')}"
        f"{_rectangle(x, y, f'box {sign}', abs(unit.value) / most)}"
        f"{_two_lines(x, y, _short(unit.name), unit.shown)}</a>"
    )


def _more(column: Column, place: Place) -> str:
    x, y = place
    return (
        f'<a href="#{column.panel.key}" aria-label="and {column.n_more:,} more: all of them in a table">'
        f"{_rectangle(x, y, 'under')}{_rectangle(x, y, 'box more')}"
        f"{_two_lines(x, y, f'and {column.n_more:,} more', f'|·| ≤ {column.largest:.4g}')}</a>"
    )


def _rectangle(x: float, y: float, kind: str, strength: float | None = None) -> str:
    fill = "" if strength is None else f' fill-opacity="{0.04 + 0.36 * strength:.2f}"'
    return f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="5"{fill}/>'


def _two_lines(x: float, y: float, upper: str, lower: str) -> str:
    middle = x + _WIDTH / 2
    return (
        f'<text x="{middle:g}" y="{y + 15:g}">{escape(upper)}</text>'
        f'<text class="value" x="{middle:g}" y="{y + 29:g}">{escape(lower)}</text>'
    )


def _short(name: str) -> str:
    """At most so many letters that a box holds them, the middle left out: the ends tell features apart."""
    if len(name) <= _LETTERS:
        return name
    return f"{name[: _LETTERS // 2]}…{name[-(_LETTERS // 2) :]}"


# ── lines ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _lines(
    between: Sequence[Line], left: dict[str | None, Place], right: dict[str | None, Place], rise: float = 0.0
) -> str:
    most = max((abs(line.product) for line in between), default=0.0) or 1.0
    ordered = sorted(between, key=lambda line: abs(line.product))  # the strongest on top
    return "\n".join(
        _line(line, left[line.source], right[line.target], abs(line.product) / most, rise)
        for line in ordered
        if abs(line.product) >= _FAINTEST * most and line.source in left
    )


def _line(line: Line, start: Place, end: Place, strength: float, rise: float) -> str:
    x0, y0 = start[0] + _WIDTH, start[1] + _HEIGHT / 2
    x1, y1 = end[0], end[1] + _HEIGHT / 2
    bend = (x1 - x0) * 0.45
    up, down = y0 - rise, y1 - rise
    kind = f"l {'minus' if line.product < 0 else 'plus'} {line.source or 'others'} {line.target}"
    return (
        f'<path class="{kind}" d="M{x0:g} {y0:g}C{x0 + bend:g} {up:g} {x1 - bend:g} {down:g} {x1:g} {y1:g}" '
        f'stroke-width="{0.6 + 4.4 * strength:.1f}" stroke-opacity="{0.25 + 0.75 * strength:.2f}">'
        f"<title>{escape(line.said)}</title></path>"
    )
