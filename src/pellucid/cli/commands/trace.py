"""``pellucid trace``: one row through the network and back, every number by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.cells import row_asked
from pellucid.cli.streams import say
from pellucid.numerals import numeral

if TYPE_CHECKING:
    from rich.table import Table

    from pellucid.explanation.trace import LayerAtWork
    from pellucid.inspection.trace import Traced

__all__ = ["trace"]

_UNITS = 5


def trace(
    run: Annotated[str, typer.Argument(help="A run folder or a model file.")],
    data: Annotated[str | None, typer.Argument(help="Rows; else the run's own table.")] = None,
    *,
    row: Annotated[int | None, typer.Option(help="Which row, from 0. (0)")] = None,
    given: Annotated[
        str | None, typer.Option("--input", help='The row itself: "age=41,job=nurse"; the rest is missing.')
    ] = None,
    network: Annotated[int, typer.Option(help="Which network of an ensemble, from 1.")] = 1,
    units: Annotated[
        int | None,
        typer.Option(min=1, help="How many units of a layer, and terms of a sum, are shown. (5; on a page 10)"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object with every number.")] = False,
    html: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write a page: the network drawn, a click on a unit opens its arithmetic."),
    ] = None,
) -> None:
    """Follow one row through the network: preprocessing, layers, loss, and the chain rule back to the weights."""
    from pellucid.inspection.trace import trace as trace_row

    number, cells = row_asked(row, given)
    if html is not None:
        from pellucid.runs.reads import check_output

        check_output(html, run=run, data=data)
    found = trace_row(run, data, row=number, inputs=cells, network=network)
    written = None
    if html is not None:
        from pellucid.reports.trace import UNITS, write_trace_page

        written = write_trace_page(found, html, units=units or UNITS)
    if json:
        import json as json_

        say(json_.dumps(found.to_json()))
    elif written is None:
        _show(found, units or _UNITS)
    else:
        say(f"The trace of {found.title} is in {written}")


# ── the terminal ──────────────────────────────────────────────────────────────────────────────────────────────


def _show(found: Traced, units: int) -> None:
    from rich.markup import escape

    from pellucid.cli.console import console, notes

    which = f", network {found.network} of {found.n_networks}" if found.n_networks > 1 else ""
    console.print(f"[bold]{escape(found.title)}[/]{which}\n", soft_wrap=True)
    console.print(_cells_table(found))
    notes(found.notes)
    for layer in found.row.layers:
        console.print(f"\n[bold]{layer.index}  {layer.text}[/]  \\[{len(layer.inputs)}] → \\[{len(layer.outputs)}]")
        for line in _forward_lines(found, layer, units):
            console.print(line, markup=False, soft_wrap=True, highlight=False)
    console.print(f"\n[bold]Answer[/]  {escape(_answer(found, found.answer, units))}", soft_wrap=True, highlight=False)
    if found.n_networks > 1:
        together = _answer(found, found.together, units)
        console.print(f"All {found.n_networks} networks: {escape(together)}", soft_wrap=True)
    if found.row.back is None:
        console.print("The row's target is not known, so there is no loss and no way back.")
    else:
        _show_back(found, units)
    console.print(f"\n{_agreement(found)}", soft_wrap=True, highlight=False)


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


def _forward_lines(found: Traced, layer: LayerAtWork, units: int) -> list[str]:
    """The strongest units, each with its arithmetic; the others are counted, never dropped in silence."""
    from pellucid.network import Activation, Dense, Dropout

    order = _strongest(layer.outputs, units)
    at = found.names_of_outputs(layer.index)
    lines = []
    for k in order:
        if isinstance(layer.layer, Dense):
            w = found.row.parameters[f"{layer.index}.weight"][k]
            b = found.row.parameters[f"{layer.index}.bias"][k] if layer.layer.bias else 0.0
            terms = _sum_of(w, layer.inputs, found.names_of_inputs(layer.index), units)
            lines.append(f"   {at[k]}: z = {terms}{_signed(b)} [bias] = {_n(layer.outputs[k])}")
        elif isinstance(layer.layer, Activation):
            lines.append(f"   {at[k]}: {layer.layer.function}({_n(layer.inputs[k])}) = {_n(layer.outputs[k])}")
        elif isinstance(layer.layer, Dropout):
            continue
        else:
            lines.append(f"   {at[k]}: {_n(layer.inputs[k])} → {_n(layer.outputs[k])}")
    if isinstance(layer.layer, Dropout):
        return ["   rests when the network answers: nothing is dropped"]
    if len(layer.outputs) > len(order):
        rest = [k for k in range(len(layer.outputs)) if k not in order]
        lines.append(f"   and {_more(len(rest), 'unit')}, the largest {_n(max(abs(layer.outputs[rest])))}")
    return lines


def _show_back(found: Traced, units: int) -> None:
    from rich.markup import escape

    from pellucid.cli.console import console

    back = found.row.back
    assert back is not None
    task, last = found.model.task, found.row.layers[-1]
    names = found.names_of_outputs(last.index)
    shown = _strongest(back.d_logits, max(units, 10))
    slopes = ", ".join(f"{names[k]} {_n(back.d_logits[k])}" for k in shown)
    if len(shown) < len(names):
        slopes += f" and {_more(len(names) - len(shown), 'class' if task.is_classification else 'feature')}"
    scaled = "" if task.is_classification else ", in the scaled unit"
    known = f"{task.target} is {found.truth}" if found.truth is not None else "each feature is its own target"
    said = f"{known}, so the loss L ({task.loss.name}{scaled}) = {_n(back.loss)}"
    console.print(f"\n[bold]Back[/]  {escape(said)}", soft_wrap=True, highlight=False)
    console.print(f"   ∂L/∂z of {escape(slopes)}", soft_wrap=True, highlight=False)
    for layer in reversed(found.row.layers):
        lines = _backward_lines(found, layer, units)
        if lines:
            console.print(f"[bold]{layer.index}  {layer.text}[/]")
        for line in lines:
            console.print(line, markup=False, soft_wrap=True, highlight=False)
    console.print(
        f"\nOne step of {back.optimizer.name} at {back.learning_rate:g}: the loss of this row goes from "
        f"{_n(back.loss)} to {_n(back.loss_after)}"
    )
    from pellucid.inspection.trace_answers import why_it_rose

    if rose := why_it_rose(back):
        console.print(rose, highlight=False)


def _backward_lines(found: Traced, layer: LayerAtWork, units: int) -> list[str]:
    """For a dense layer its steepest weights, ∂L/∂w = ∂L/∂z · x; for an activation ∂L/∂z = ∂L/∂a · slope."""
    import numpy as np

    from pellucid.engines.textbook.activations import RULES
    from pellucid.network import Activation, Dense

    back = found.row.back
    assert back is not None
    assert layer.d_outputs is not None
    assert layer.d_inputs is not None
    at = found.names_of_outputs(layer.index)
    if isinstance(layer.layer, Dense):
        gradient, updated = back.gradients[f"{layer.index}.weight"], back.updated[f"{layer.index}.weight"]
        weight, names = found.row.parameters[f"{layer.index}.weight"], found.names_of_inputs(layer.index)
        flat = np.argsort(-np.abs(gradient), axis=None, kind="stable")[:units]
        lines = []
        for o, i in zip(*np.unravel_index(flat, gradient.shape), strict=True):
            lines.append(
                f"   ∂L/∂w of {names[i]} → {at[o]} = ∂L/∂z {_n(layer.d_outputs[o])} · {_n(layer.inputs[i])} = "
                f"{_n(gradient[o, i])}; w {_n(weight[o, i])} → {_n(updated[o, i])}"
            )
        rest = gradient.size - len(flat)
        if rest:
            lines.append(f"   and {_more(rest, 'weight')}")
        return lines if layer.index == 0 else [*lines, *_to_inputs(layer, weight, at, names, units)]
    if isinstance(layer.layer, Activation):
        rule = RULES[layer.layer.function]
        slope = rule.derivative(layer.inputs, layer.outputs)
        return [
            f"   ∂L/∂z of {at[k]} = ∂L/∂a {_n(layer.d_outputs[k])} · {layer.layer.function}′ {_n(slope[k])} = "
            f"{_n(layer.d_inputs[k])}"
            for k in _strongest(layer.d_inputs, units)
        ]
    return []


def _to_inputs(layer: LayerAtWork, weight: Any, at: Sequence[str], names: Sequence[str], units: int) -> list[str]:
    """∂L/∂a of what a dense layer received: a sum over all units that it fed."""
    assert layer.d_outputs is not None
    assert layer.d_inputs is not None
    return [
        f"   ∂L/∂a of {names[i]} = Σ ∂L/∂z · w = {_sum_of(layer.d_outputs, weight[:, i], at, units)} = "
        f"{_n(layer.d_inputs[i])}"
        for i in _strongest(layer.d_inputs, units)
    ]


def _strongest(values: Any, most: int) -> list[int]:
    return sorted(range(len(values)), key=lambda k: -abs(float(values[k])))[:most]


def _sum_of(w: Any, x: Any, names: Sequence[str], most: int) -> str:
    """The largest products w · x by name, and the sum of the others."""
    products = w * x
    order = _strongest(products, most)
    shown = [f"{_signed(w[i])} · {_n(x[i])} [{names[i]}]" for i in order]
    rest = [i for i in range(len(products)) if i not in order]
    if rest:
        shown.append(f"{_signed(products[rest].sum())} [{len(rest):,} other{'s' * (len(rest) > 1)}]")
    return "".join(shown).removeprefix(" + ").replace(" − ", "−", 1 if shown[0].startswith(" − ") else 0)


def _answer(found: Traced, answer: Mapping[str, float] | float, units: int) -> str:
    if found.model.task.kind == "reconstruction" and isinstance(answer, Mapping):
        seen = found.row.layers[0].inputs
        names, values = tuple(answer), tuple(answer.values())
        order = _strongest(values - seen, units)
        shown = ", ".join(f"{names[k]} {_n(seen[k])} → {_n(values[k])}" for k in order)
        rest = len(names) - len(order)
        return f"drawn again, furthest off: {shown}" + (f" and {_more(rest, 'feature')}" if rest else "")
    if isinstance(answer, Mapping):
        ordered = sorted(answer.items(), key=lambda item: -item[1])
        more = f" and {len(ordered) - 10} classes more" if len(ordered) > 10 else ""
        return ", ".join(f"{name} {share:.4f}" for name, share in ordered[:10]) + more
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


def _more(count: int, what: str) -> str:
    """``3 units more``."""
    return f"{count:,} {what}{'' if count == 1 else 'es' if what.endswith('s') else 's'} more"


def _n(value: float) -> str:
    return f"{float(value):.4g}".replace("-", "−")


def _signed(value: float) -> str:
    """`` + 1.5`` or `` − 1.5``: a term of a sum."""
    return f" − {_n(-value)}" if value < 0 else f" + {_n(value)}"
