"""What the terminal shows: tables, sentences, and a live line while a network trains."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from pellucid.network import Network, batch_shape, describe
from pellucid.numerals import numerals
from pellucid.visible import visible

if TYPE_CHECKING:
    from rich.status import Status

    from pellucid.data.schema import Schema
    from pellucid.data.tables import ReadReport
    from pellucid.evaluation.verdict import Verdict
    from pellucid.preprocessing.recipe import Recipe
    from pellucid.training.events import Event, Listener
    from pellucid.training.history import Epoch
    from pellucid.training.parity import Parity

__all__ = [
    "console",
    "epochs_of",
    "history_table",
    "interval_text",
    "layers_table",
    "metrics_table",
    "no_better_than_the_mean",
    "notes",
    "parity_table",
    "reading_line",
    "recipe_table",
    "schema_table",
    "show_verdict",
]


class VisibleConsole(Console):
    """Rich's console, which lets no control characters through except its own.

    Strings are made visible before they are measured, so that tables stay aligned; anything else is made visible when
    it is rendered.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """A text of the visible characters."""
        return super().render_str(visible(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments, with visible characters; Rich's own controls are as they are."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


console = VisibleConsole(highlight=False, soft_wrap=False, emoji=False)

_MANY_COLUMNS = 40
_MANY_CLASSES = 12


def reading_line(report: ReadReport) -> str:
    """One sentence on what was recognised in the file."""
    names = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe", " ": "space"}
    parts = [f"{report.n_rows:,} rows × {report.n_columns:,} columns", report.format]
    if report.compression:
        parts.append(report.compression)
    if report.separator is not None:
        parts.append(f"separator {names.get(report.separator, report.separator)}")
    if report.header is not None:
        parts.append("header" if report.header else "no header")
    if report.missing:
        marks = ", ".join(f"{_mark(mark)} {n:,}" for mark, n in report.missing.items())
        parts.append(f"missing: {marks}")
    return f"{report.source}: " + "; ".join(parts)


def _mark(mark: str) -> str:
    return f"{mark!r}" if mark.strip() else ("empty" if not mark else "blank")


def schema_table(schema: Schema, *, whole: bool = False) -> Table:
    """The columns, the kind of each and why; of very many only some, unless ``whole``."""
    table = Table(title="Columns", title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("column", "kind", "role", "missing", "distinct", "why"):
        table.add_column(name, justify="right" if name in ("missing", "distinct") else "left", overflow="fold")
    columns = schema.columns
    shown = columns if whole or len(columns) <= _MANY_COLUMNS else _telling(columns)
    for c in shown:
        role = {"feature": "", "target": "[bold]target[/]", "dropped": "[dim]dropped[/]"}[c.role]
        table.add_row(escape(c.name), c.kind, role, f"{c.n_missing:,}", f"{c.n_distinct:,}", escape(c.reason))
    if len(shown) < len(columns):
        table.caption = f"… and {len(columns) - len(shown):,} more (see all with: pellucid inspect DATA --all)"
        table.caption_justify = "left"
    return table


def _telling(columns: Sequence[Any]) -> list[Any]:
    """The first columns, and after them those that are not plain features."""
    special = [c for c in columns[_MANY_COLUMNS // 2 :] if c.role != "feature"]
    return [*columns[: _MANY_COLUMNS // 2], *special[: _MANY_COLUMNS // 2]]


def layers_table(network: Network) -> Table:
    """The layers with the shape after each and its number of parameters."""
    table = Table(title="Network", title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("layer", "output", "parameters"):
        table.add_column(name, justify="right" if name == "parameters" else "left")
    table.add_row("input", batch_shape(network.shape).replace("[", r"\["), "")
    trainable = network.trainable()
    for index, (layer, shape) in enumerate(zip(network.layers, network.shapes(), strict=True)):
        size = sum(p.size for p in trainable if p.name.startswith(f"{index}."))
        table.add_row(describe(layer), batch_shape(shape).replace("[", r"\["), f"{size:,}" if size else "")
    table.add_row("[bold]total[/]", "", f"[bold]{network.n_trainable:,}[/]")
    return table


def metrics_table(metrics: Mapping[str, Any], baseline: Mapping[str, Any], title: str) -> Table:
    """Each metric with its 95 % interval, beside that of a constant prediction."""
    table = Table(title=escape(title), title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("metric")
    for heading in ("value", "95 % interval", *(["baseline"] if baseline else [])):
        table.add_column(heading, justify="right")
    for name, estimate in _estimates(metrics):
        other = dict(_estimates(baseline)).get(name)
        parts = [_part(estimate, part) for part in ("value", "low", "high")]
        value, low, high, base = _with_ascii_minus([*parts, None if other is None else _part(other, "value")])
        interval = f"{low} – {high}"
        if parts[1] is None or math.isnan(parts[1]):
            interval = f"none: {escape(_why(estimate))}" if _why(estimate) else "—"
        without = [base if other is not None else ""] if baseline else []
        table.add_row(escape(name.replace("_", " ")), value, interval, *without)
    return table


def no_better_than_the_mean(metrics: Mapping[str, Any], baseline: Mapping[str, Any]) -> str | None:
    """A warning if a reconstruction has learned nothing."""
    if "accuracy" in metrics or "mse" not in metrics or "mse" not in baseline:
        return None
    other = _part(baseline["mse"], "value")
    if other is None or not metrics["mse"].low >= other:  # without an interval nothing is claimed
        return None
    return (
        "this is no better than the mean of the training rows: the network has learned nothing useful; try another "
        "seed, a wider bottleneck (--hidden), more epochs or --activation tanh"
    )


def show_verdict(verdict: Verdict, told: Sequence[str] = ()) -> None:
    """Print the simpler models beside the network, notes on them, and the verdict.

    ``told`` are the warnings about the metrics that have already been printed.
    """
    if verdict.peers:
        console.print(_peers_table(verdict))
    notes(verdict.notes)
    console.print(escape(verdict.after(told)))


def _peers_table(verdict: Verdict) -> Table:
    from pellucid.evaluation.paired import METRICS
    from pellucid.evaluation.verdict import NETWORK

    title = f"Compared with simpler models on the same {verdict.rows:,} rows"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("model")
    metric = METRICS.get(str(verdict.metric), str(verdict.metric))
    timed = any(peer.seconds is not None for peer in verdict.peers)
    for heading in (escape(metric), "network better by", "95 % interval", *(["seconds"] if timed else [])):
        table.add_column(heading, justify="right")
    first, *values = _with_ascii_minus([verdict.value, *(peer.value for peer in verdict.peers)])
    apart = _with_ascii_minus([number for peer in verdict.peers for number in (peer.difference, peer.low, peer.high)])
    table.add_row(NETWORK, first, "", "", *([""] if timed else []))
    for place, (peer, value) in enumerate(zip(verdict.peers, values, strict=True)):
        seconds = [] if not timed else ["" if peer.seconds is None else f"{peer.seconds:.2f}"]
        difference, low, high = apart[3 * place : 3 * place + 3]
        interval = "—" if math.isnan(peer.low) else f"{low} – {high}"
        table.add_row(escape(peer.name), value, difference, interval, *seconds)
    return table


def _estimates(metrics: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in metrics.items():
        if hasattr(value, "low") or (isinstance(value, Mapping) and "low" in value):
            yield name, value
        elif isinstance(value, Mapping) and len(value) <= _MANY_CLASSES:
            for label, inner in _estimates(value):
                yield f"{name} of {label}", inner


def _part(estimate: Any, name: str) -> float | None:
    value: float | None = estimate[name] if isinstance(estimate, Mapping) else getattr(estimate, name)
    return value


def _why(estimate: Any) -> str:
    """Why an estimate has no interval."""
    why: str = estimate.get("why", "") if isinstance(estimate, Mapping) else estimate.why
    return why


def interval_text(low: float | None, high: float | None, why: str = "") -> str:
    """Both ends, or why there is no interval, or a dash."""
    if low is None or math.isnan(low):
        return f"none: {escape(why)}" if why else "—"
    return " – ".join(_with_ascii_minus([low, high]))


def _with_ascii_minus(values: Sequence[float | None]) -> list[str]:
    """Values as `numerals` writes them, but with an ASCII minus: tables are copied from the terminal."""
    return [text.replace("−", "-") for text in numerals(values)]


def notes(sentences: Iterable[str]) -> None:
    """Print notes, one per line."""
    for sentence in sentences:
        console.print(f"[yellow]•[/] {escape(sentence)}")


def epochs_of(status: Status) -> Listener:
    """A listener that shows on a status line which epoch of a replay is done."""
    from pellucid.training.events import Progress

    def show(event: Event) -> None:
        if isinstance(event, Progress) and event.what == "epoch":
            status.update(f"epoch {event.done:,} of {event.of:,}")

    return show


_SHOWN_EPOCHS = 12


def history_table(history: Sequence[Epoch], *, chooses: str = "validation loss") -> Table:
    """The history, reduced to a dozen epochs; the best one by ``chooses`` is marked."""
    table = Table(title="History", title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("epoch", "training loss", chooses, "score"):
        table.add_column(name, justify="right")
    best = min(range(len(history)), key=lambda i: history[i].validation_loss)
    every = max(1, len(history) // _SHOWN_EPOCHS)
    shown = sorted({*range(0, len(history), every), best, len(history) - 1})
    for i in shown:
        line = history[i]
        mark = " ← best" if i == best else ""
        table.add_row(
            str(line.epoch),
            f"{line.train_loss:.5f}",
            f"{line.validation_loss:.5f}",
            f"{line.validation_score:.4f}{mark}",
        )
    return table


def recipe_table(recipe: Recipe, *, whole: bool = False) -> Table:
    """The network inputs that each column becomes."""
    from pellucid.preprocessing.steps.image import ImageStep

    table = Table(title="Preprocessing", title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("column", "kind", "inputs", "names"):
        table.add_column(name, justify="right" if name == "inputs" else "left", overflow="fold")
    many = len(recipe.steps) if whole else _MANY_COLUMNS
    for step in recipe.steps[:many]:
        names = recipe.feature_names[recipe.places[step.name]]
        shown = ", ".join(names[:4]) + (f" … ({len(names) - 4} more)" if len(names) > 4 else "")
        size = " × ".join(map(str, step.shape)) if isinstance(step, ImageStep) else ""
        table.add_row(escape(step.name), f"{step.kind} {size}".strip(), f"{len(names):,}", escape(shown))
    if len(recipe.columns) > many:
        table.caption = f"… and {len(recipe.columns) - many:,} more (see all with --all)"
        table.caption_justify = "left"
    return table


def parity_table(parity: Parity) -> Table:
    """The largest differences between two engines, and the tolerances."""
    from pellucid.training.parity import TOLERANCE, TOLERANCE_AFTER_STEPS

    title = f"{', '.join(parity.engines)} on {parity.n_rows:,} rows, float64: largest differences"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("quantity", "difference", "tolerance"):
        table.add_column(name, justify="left" if name == "quantity" else "right")
    table.add_row("logits", f"{parity.logits:.1e}", f"{TOLERANCE:.0e}")
    table.add_row("loss", f"{parity.loss:.1e}", f"{TOLERANCE:.0e}")
    for name, value in parity.gradients.items():
        table.add_row(f"gradient of {name}", f"{value:.1e}", f"{TOLERANCE:.0e}")
    for name, value in parity.weights_after_steps.items():
        table.add_row(f"{name} after {parity.n_steps:,} steps", f"{value:.1e}", f"{TOLERANCE_AFTER_STEPS:.0e}")
    return table
