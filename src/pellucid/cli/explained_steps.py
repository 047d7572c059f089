"""What each token or step adds to a prediction, in the terminal: a coloured text, and the strongest steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.numerals import numeral

if TYPE_CHECKING:
    from rich.text import Text

    from pellucid.inspection.explained_sequence import ExplainedSequence
    from pellucid.inspection.explained_sequences import ExplainedSequences

__all__ = ["show_sequence", "show_sequences"]

Array = NDArray[Any]

_SHOWN = 15  # steps of the table
_COLOURED = 600  # tokens of the text
_FOR, _AGAINST = (230, 126, 34), (126, 87, 194)  # orange, purple, as in the pictures


def show_sequence(found: ExplainedSequence) -> None:
    """Print what was found of one row."""
    from rich.markup import escape
    from rich.table import Table

    from pellucid.cli.console import console, notes

    gradients, what, shown = found.gradients, found.output.name, found.shown
    truth = "" if found.truth is None else f"; it is {found.truth}"
    step = "token" if shown.is_text else "step"
    console.print(f"[bold]{escape(found.title)}[/]: {escape(str(found.prediction))}{escape(truth)}", soft_wrap=True)
    console.print(
        f"The {escape(what)} is {numeral(gradients.answer)}; that of {escape(found.reference)} is "
        f"{numeral(gradients.reference)}. What each {step} adds:\n", soft_wrap=True,
    )  # fmt: skip
    if shown.is_text:
        console.print(coloured(found))
        console.print()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("step", justify="right")
    if shown.is_text:
        table.add_column("token", overflow="fold")
    elif len(shown.channels) <= 4:
        for name in shown.channels:
            table.add_column(escape(name), justify="right")
    for heading in ("integrated gradients", "occlusion"):
        table.add_column(heading, justify="right")
    order = np.sort(np.argsort(-np.abs(found.by_step), kind="stable")[:_SHOWN])
    for t in order:
        cells = [escape(shown.steps[t])] if shown.is_text else []
        if not shown.is_text and len(shown.channels) <= 4:
            cells = [numeral(float(shown.row[t, c])) for c in range(len(shown.channels))]
        table.add_row(str(t), *cells, _signed(found.by_step[t]), _signed(found.occlusion_by_step[t]))
    rest = np.setdiff1d(np.arange(shown.length), order)
    if len(rest):
        empty = [""] * (len(table.columns) - 3)
        table.add_row(f"{len(rest):,} others", *empty, _signed(found.by_step[rest].sum()), "")
    console.print(table)
    console.print()
    for sentence in found.sentences:
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)
    notes(found.notes)
    console.print(
        f"\nIntegrated gradients: {gradients.points:,} points on the way; completeness gap "
        f"{numeral(abs(gradients.gap), 1)}. Occlusion: {found.how_covered}. --out FOLDER draws them, --json prints "
        "them all.", soft_wrap=True, highlight=False,
    )  # fmt: skip


def show_sequences(found: ExplainedSequences) -> None:
    """Print what tokens, or stretches of series, add over many rows."""
    from rich.markup import escape
    from rich.table import Table

    from pellucid.cli.console import console, notes

    what = escape(found.output.name)
    table = Table(box=None, pad_edge=False, header_style="bold")
    if found.is_text:
        console.print(f"[bold]{escape(found.title)}[/]: what tokens add to the {what}, on average in {found.n_rows:,} "
                      "rows\n", soft_wrap=True)  # fmt: skip
        for heading in ("speaks for it", "rows", "adds", "speaks against it", "rows", "adds"):
            table.add_column(heading, justify="left" if heading.startswith("speaks") else "right")
        sides = [[_token_cells(found, k) for k in side] for side in found.strongest]
        for i in range(max(map(len, sides), default=0)):
            cells = [side[i] if i < len(side) else ("", "", "") for side in sides]
            table.add_row(*cells[0], *cells[1])
    else:
        console.print(f"[bold]{escape(found.title)}[/]: how much steps add to the {what} or take from it, on average "
                      f"in {found.n_rows:,} rows\n", soft_wrap=True)  # fmt: skip
        table.add_column("steps")
        shown = np.argsort(-found.by_step.sum(axis=0), kind="stable")[:6]
        for c in shown:
            table.add_column(escape(found.channels[c]), justify="right")
        for part in np.array_split(np.arange(len(found.by_step)), min(10, len(found.by_step))):
            table.add_row(f"{part[0]} to {part[-1]}", *(numeral(float(found.by_step[part, c].sum()), 3) for c in shown))
        if len(shown) < len(found.channels):
            table.caption = f"and {len(found.channels) - len(shown)} more channels, which add less"
    console.print(table)
    notes(found.notes)
    console.print("\nIntegrated gradients. --row N explains one row, --out FOLDER draws this, --json prints it all.",
                  soft_wrap=True)  # fmt: skip


def _token_cells(found: ExplainedSequences, k: int) -> tuple[str, str, str]:
    from rich.markup import escape

    return escape(found.tokens[k]), f"{found.rows[k]:,}", _signed(found.means[k])


def coloured(found: ExplainedSequence) -> Text:
    """The text with a ground behind each token: orange speaks for the answer, purple against it."""
    from rich.text import Text

    values, shown = found.by_step, found.shown
    most = float(np.abs(values).max(initial=0.0)) or 1.0
    text = Text()
    for t in range(min(shown.length, _COLOURED)):
        share = float(values[t]) / most
        ground = _FOR if share > 0 else _AGAINST
        strength = abs(share)
        mixed = ",".join(str(round(255 + (part - 255) * strength)) for part in ground)
        text.append(shown.steps[t] or " ", style=f"black on rgb({mixed})")
        text.append(shown.separator)
    if shown.length > _COLOURED:
        text.append(f" … {shown.length - _COLOURED:,} more")
    return text


def _signed(value: float) -> str:
    said = numeral(abs(float(value)), 3)
    return f"−{said}" if value < 0 and said.strip("0.") else f"+{said}"
