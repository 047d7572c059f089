"""``pellucid trace``: one row through the network and back, every number by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.cells import row_asked
from pellucid.cli.streams import say
from pellucid.numerals import numeral

if TYPE_CHECKING:
    from rich.table import Table

    from pellucid.explanation.words import NamedStep
    from pellucid.inspection.sequences import SequenceRow
    from pellucid.inspection.trace import Traced

__all__ = ["trace"]

_UNITS = 5
_NO_TARGET = "The row's target is not known, so there is no loss and no backward pass."


def trace(
    run: Annotated[str, typer.Argument(help="A run folder or a model file.")],
    data: Annotated[
        str | None,
        typer.Argument(help="The table that holds the row, a folder of pictures, or one picture. (the run's own)"),
    ] = None,
    *,
    row: Annotated[int | None, typer.Option(help="Which row, counted from 0. (0)")] = None,
    given: Annotated[
        str | None, typer.Option("--input", help='The row itself: "age=41,job=nurse"; the rest is missing.')
    ] = None,
    network: Annotated[int, typer.Option(help="Which network of an ensemble, counted from 1.")] = 1,
    units: Annotated[
        int | None,
        typer.Option(min=1, help="How many units of a layer, and terms of a sum, to show. (5; on a page 10)"),
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            metavar="LAYER.CHANNEL,ROW,COLUMN",
            help="One unit in full, such as 0.3,5,7: its patch, its filter, the products and the sum; in a text or "
            "series LAYER.UNIT,STEP; in a list of units LAYER.UNIT. Channels and units count from 1, positions and "
            "steps from 0.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    complete: Annotated[
        bool, typer.Option("--complete", help="With --json: every number, also of a picture's large arrays.")
    ] = False,
    html: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write a page that draws the network, a picture's feature maps, or a text or series step by step; a "
            "click on a unit, a position, a step or a head opens its arithmetic.",
        ),
    ] = None,
) -> None:
    """Follow one row through the network: preprocessing, layers, loss, and the chain rule back to the weights."""
    from pellucid.errors import SettingError
    from pellucid.inspection.trace import trace as trace_row
    from pellucid.inspection.trace_json import unit_json
    from pellucid.inspection.trace_unit import find_unit

    number, cells = row_asked(row, given)
    if complete and not json:
        raise SettingError("--complete says how much JSON to print: give --json with it")
    if html is not None:
        from pellucid.runs.reads import check_output

        check_output(html, run=run, data=data)
    found = trace_row(run, data, row=number, inputs=cells, network=network)
    chosen = None if unit is None else find_unit(found.steps, unit)
    written = None
    if html is not None:
        from pellucid.reports.trace import UNITS, write_trace_page

        written = write_trace_page(found, html, units=units or UNITS)
    if json:
        import json as json_

        say(json_.dumps(found.to_json(complete=complete) if chosen is None else unit_json(*chosen)))
    elif chosen is not None:
        _show_unit(found, *chosen, units or _UNITS)
    elif written is None:
        _show(found, units or _UNITS)
    if written is not None and not json:
        say(f"The trace of {found.title} is in {written}")


# ── the terminal ──────────────────────────────────────────────────────────────────────────────────────────────


def _show(found: Traced, units: int) -> None:
    from rich.markup import escape

    from pellucid.cli.console import console, notes
    from pellucid.cli.trace_lines import answer_lines

    which = f", network {found.network} of {found.n_networks}" if found.n_networks > 1 else ""
    console.print(f"[bold]{escape(found.title)}[/]{which}\n", soft_wrap=True)
    console.print(_cells_table(found))
    notes(found.notes)
    if found.sequence is not None:
        from pellucid.cli.trace_steps import row_lines

        _print(row_lines(found.sequence))
    for step in found.steps:
        _show_forward(step, units, found)
    console.print(f"\n[bold]Answer[/]  {escape(_answer(found, found.answer, units))}", soft_wrap=True, highlight=False)
    if found.n_networks > 1:
        together = _answer(found, found.together, units)
        console.print(f"All {found.n_networks} networks: {escape(together)}", soft_wrap=True)
    _print(answer_lines(found.outcome, units))
    if found.row.back is None:
        console.print(_NO_TARGET)
    else:
        _show_back(found, units)
    console.print(f"\n{_agreement(found)}", soft_wrap=True, highlight=False)
    maps = [step for step in found.steps if len(step.work.shape_out) > 1]
    if maps:
        from pellucid.explanation.words.values import strongest
        from pellucid.inspection.trace_unit import address

        (unit,) = strongest(maps[0].work.that_count(maps[0].work.outputs), 1)
        what = "unit at one step" if found.sequence is not None else "position"
        console.print(f"For one {what} in full: --unit {address(maps[0], unit)}", highlight=False)


def _show_unit(found: Traced, step: NamedStep, unit: int, units: int) -> None:
    """One unit, forward and backward."""
    from rich.markup import escape

    from pellucid.cli.console import console
    from pellucid.cli.trace_unit import backward_of_unit, forward_of_unit
    from pellucid.explanation.words import words_of
    from pellucid.inspection.trace_unit import taken_by

    layer = step.work
    console.print(f"[bold]{escape(found.title)}[/]", soft_wrap=True)
    console.print(f"[bold]{layer.name}  {layer.text}: {escape(step.names_out[unit])}[/]\n", soft_wrap=True)
    _print([words_of(layer.layer).explain(step), "", *forward_of_unit(step, unit, units)])
    if found.row.back is None:
        console.print(f"\n{_NO_TARGET}")
    else:
        console.print("\n[bold]Backward[/]")
        _print(backward_of_unit(step, taken_by(found.steps, step), unit, units))


def _shape(shape: Sequence[int]) -> str:
    return f"\\[{' × '.join(map(str, shape))}]"


def _show_forward(step: NamedStep, units: int, found: Traced, depth: int = 0) -> None:
    """A layer; the layers inside a composite stand indented between its heading and its own lines."""
    from pellucid.cli.console import console
    from pellucid.cli.trace_lines import forward_lines

    layer, indent = step.work, "   " * depth
    shapes = f"{_shape(layer.shape_in)} → {_shape(layer.shape_out)}"
    console.print(f"\n{indent}[bold]{layer.name}  {layer.text}[/]  {shapes}", soft_wrap=True)
    for inner in step.inner:
        _show_forward(inner, units, found, depth + 1)
    if step.inner:
        console.print()
    _print(forward_lines(step, units), depth)
    if found.sequence is not None:
        _print(_steps_of(step, found.sequence, found), depth)


def _steps_of(step: NamedStep, shown: SequenceRow, found: Traced) -> list[str]:
    """A recurrent layer unrolled, or the heads of attention; of other layers nothing."""
    from pellucid.cli.trace_steps import attention_lines, unrolled_lines
    from pellucid.explanation.words.unit_names import units_of
    from pellucid.inspection.trace_sequences import attentions, recurrent_layers

    lines = list[str]()
    for _, each in recurrent_layers([] if step.inner else [step]):
        width = each.before.shape[1]
        names = units_of(step.names_out, step.work.shape_out[1])[each.backwards * width :][:width]
        first, *rest = unrolled_lines(each, shown, names)
        lines += ["", (f"{each.title}, " if each.title else "") + first, *rest]
    for _, seen in attentions(found.row, [] if step.inner else [step]):
        lines += ["", *attention_lines(seen, shown)]
    return lines


def _show_backward(step: NamedStep, units: int, *, inputs: bool, depth: int = 0) -> None:
    """The same on the way back: what enters a composite, the layers inside it, and what it hands on."""
    from pellucid.cli.console import console
    from pellucid.cli.trace_lines import backward_lines, block_lines

    lines = backward_lines(step, units, inputs=inputs)
    if lines or step.inner:
        console.print(f"{'   ' * depth}[bold]{step.work.name}  {step.work.text}[/]", soft_wrap=True)
    if step.inner:
        _print(block_lines(step, units), depth)
    for inner in reversed(step.inner):
        _show_backward(inner, units, inputs=inputs or inner.work.index > 0, depth=depth + 1)
    _print(lines, depth)


def _print(lines: Sequence[str], depth: int = 0) -> None:
    from pellucid.cli.console import console

    for line in lines:
        console.print(f"{'   ' * (depth + 1)}{line}", markup=False, soft_wrap=True, highlight=False)


def _cells_table(found: Traced) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from pellucid.inspection.trace import shown_cell

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("column", "cell", "becomes"):
        table.add_column(heading, overflow="fold")
    for cell in found.cells:
        table.add_row(escape(cell.column), escape(shown_cell(cell.cell)), escape(cell.how))
    return table


def _show_back(found: Traced, units: int) -> None:
    from rich.markup import escape

    from pellucid.cli.console import console
    from pellucid.cli.trace_lines import loss_lines
    from pellucid.explanation.words.loss import why_it_rose
    from pellucid.explanation.words.values import n

    back, task = found.row.back, found.model.task
    assert back is not None
    known = f"{task.target} is {found.truth}" if found.truth is not None else "each feature is its own target"
    scaled = "" if task.is_classification else ", in the scaled unit"
    said = f"{known}, so the loss L ({task.loss.name}{scaled}) = {n(back.loss)}"
    console.print(f"\n[bold]Backward[/]  {escape(said)}", soft_wrap=True, highlight=False)
    _print(loss_lines(found.outcome, units))
    for step in reversed(found.steps):
        _show_backward(step, units, inputs=step.work.index > 0)
    if found.sequence is not None:
        from pellucid.cli.trace_steps import slope_lines
        from pellucid.inspection.trace_sequences import recurrent_layers

        for step, each in recurrent_layers(found.steps):
            which = f"{step.work.name}  {each.title}: " if each.title else f"{step.work.name}  "
            _print([which + text for text in slope_lines(each, found.sequence)])
    console.print(
        f"\nOne step of {back.optimizer.name} at {back.learning_rate:g}: the loss of this row goes from "
        f"{n(back.loss)} to {n(back.loss_after)}"
    )
    if rose := why_it_rose(back):
        console.print(rose, highlight=False)


def _answer(found: Traced, answer: Mapping[str, float] | float, units: int) -> str:
    from pellucid.cli.trace_lines import more
    from pellucid.explanation.words.values import n, strongest

    if found.model.task.kind == "reconstruction" and isinstance(answer, Mapping):
        seen = found.row.layers[0].inputs
        names, values = tuple(answer), tuple(answer.values())
        order = strongest(values - seen, units)
        shown = ", ".join(f"{names[k]} {n(seen[k])} → {n(values[k])}" for k in order)
        rest = len(names) - len(order)
        return f"reconstructed, furthest off: {shown}" + (f" and {more(rest, 'feature')}" if rest else "")
    if isinstance(answer, Mapping):
        ordered = sorted(answer.items(), key=lambda item: -item[1])
        others = f" and {more(len(ordered) - 10, 'class')}" if len(ordered) > 10 else ""
        return ", ".join(f"{name} {share:.4f}" for name, share in ordered[:10]) + others
    return numeral(answer, 6)


def _agreement(found: Traced) -> str:
    a = found.row.agreement
    parts = []
    if a.logits is not None:
        parts.append(f"logits and PyTorch's differ by {a.logits:.1g} at most")
    if a.gradients is not None:
        parts.append(f"gradients and autograd's by {a.gradients:.1g}")
    if a.central_differences is not None:
        parts.append(f"the {a.n_nudged} steepest and central differences by {a.central_differences:.1g}")
    return "Checked on this row: " + "; ".join(parts) + "." if parts else "PyTorch is not installed: not checked."
