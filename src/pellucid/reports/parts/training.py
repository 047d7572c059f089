"""How the network was made: the doctor, the data, the network, learning curves, layers, how to reproduce it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pellucid.data.notes import CellNote
from pellucid.model.model import Model
from pellucid.network import describe
from pellucid.numerals import numeral, numerals
from pellucid.plots.architecture import layers_drawing
from pellucid.plots.maps import maps_drawing
from pellucid.plots.outcome import learning_curves
from pellucid.preparation.grid import changed_command, train_command
from pellucid.reports.blocks import Article, Block, Code, Folded, Numbers, Paragraph, Picture, Points
from pellucid.reports.parts.finding_pictures import pictures_of
from pellucid.reports.parts.report_input import ROWS_OF_DOCTOR, ReportInput, picture
from pellucid.settings.config import CONFIG_FILE, write_config

__all__ = ["again", "data", "doctor", "layers", "learning", "network"]

_MOST_COLUMNS = 100
_OPEN_COLUMNS = 16  # so many at most are shown without a click
_MOST_NETWORKS = 4
_OPEN_FINDINGS = 2


def doctor(given: ReportInput) -> Sequence[Block]:
    """Each problem found, and the command that tries its fix."""
    found = given.run.findings
    if not found:
        return [Paragraph(text="The doctor found no problems with the training, the rows or the columns.")]
    config = None if given.run.path is None else given.run.path / CONFIG_FILE
    blocks: list[Block] = []
    left = ROWS_OF_DOCTOR
    for each in found:
        parts = [("Evidence", each.evidence), ("Consequence", each.consequence), ("Fix", each.fix)]
        if each.name == "unreadable-files" and not given.shows_rows:
            parts = parts[1:]  # the evidence names files
        sheet = None
        if each.rows and given.shows_rows:
            shown = each.rows[:left]
            more = f" and {len(each.rows) - len(shown)} more" if len(shown) < len(each.rows) else ""
            parts.append(("Rows (from 0)", ", ".join(map(str, shown)) + more))
            left -= len(shown)
            sheet = pictures_of(given, each, shown)
        command = None
        if each.change:
            command = changed_command(each.change, given.table_name, given.prepared.settings, config)
        blocks.append(Article(title=each.finding, parts=parts, command=command))
        blocks += [] if sheet is None else [sheet]
    if sum(bool(each.change) for each in found) > 1:
        blocks.append(Paragraph(text="Each command also includes the fixes of the findings above it."))
    if sum(not isinstance(block, Picture) for block in blocks) > _OPEN_FINDINGS + 1:
        more = f"{len(found) - _OPEN_FINDINGS} more finding{'s' * (len(found) - _OPEN_FINDINGS > 1)}"
        open_ = [i for i, block in enumerate(blocks) if isinstance(block, Article)][_OPEN_FINDINGS]
        blocks = [*blocks[:open_], Folded(title=more, blocks=blocks[open_:])]
    return blocks


def data(given: ReportInput) -> Sequence[Block]:
    """What was read, and the kind and role of each column."""
    schema, table = given.prepared.schema, given.prepared.table.report
    rows = [
        [c.name, c.kind, c.role, f"{c.n_missing:,}", f"{c.n_distinct:,}", c.reason]
        for c in schema.columns[:_MOST_COLUMNS]
    ]
    left = len(schema.columns) - len(rows)
    columns: Block = Numbers(
        caption="Columns" + (f", the first {_MOST_COLUMNS} of {len(schema.columns):,}" if left else ""),
        headings=["column", "kind", "role", "missing", "distinct", "why"],
        rows=rows,
        right=(3, 4),
    )
    if len(rows) > _OPEN_COLUMNS:
        columns = Folded(title=f"All {len(schema.columns):,} columns", blocks=[columns])
    notes = [note for note in given.prepared.notes if given.shows_rows or not isinstance(note, CellNote)]
    hidden = len(given.prepared.notes) - len(notes)
    if hidden:
        notes.append(
            f"{hidden:,} note{'s' * (hidden > 1)} not shown: cells of the table are left out of this page (--no-rows)"
        )
    return [
        Paragraph(text=f"{given.prepared.name}: {table.n_rows:,} rows × {table.n_columns:,} columns; {table.format}."),
        Paragraph(text=f"Split: {given.prepared.split.how}."),
        columns,
        *([Points(texts=notes)] if notes else []),
    ]


def network(given: ReportInput) -> Sequence[Block]:
    """A drawing, and each layer."""
    model = given.run.model
    names = [str(c) for c in model.task.classes] if model.network.outputs > 1 else [model.task.target]
    several = ""
    if model.more:
        several = f"{len(model.members)} networks of this shape, whose predictions are averaged; the first is drawn. "
    rows = []
    for i, layer in enumerate(model.network.layers):
        shapes = [p.shape for p in model.network.parameters() if p.name.startswith(f"{i}.") and p.trainable]
        count = sum(_size(shape) for shape in shapes)
        rows.append([str(i), describe(layer), f"{count:,}" if count else ""])
    settings = given.prepared.settings
    return [
        _drawn(model, names, several),
        Numbers(
            caption=f"{model.network.n_trainable:,} weights", headings=["", "layer", "weights"], rows=rows, right=(2,)
        ),
        Paragraph(
            text=f"Loss: {_LOSSES.get(model.task.loss.name, model.task.loss.name)}. Optimizer: {settings.optimizer}, "
            f"learning rate {settings.learning_rate:g}. Batch size: {settings.batch_size}. Engine: "
            f"{given.run.summary.get('engine')} on {given.run.summary.get('device')}."
        ),
    ]


def _drawn(model: Model, names: Sequence[str], several: str) -> Block:
    if model.network.on_sequences:
        return picture(
            lambda: maps_drawing(model.network, names),
            "network-drawing",
            f"The network as rectangles: {model.network.outline()}.",
            f"{several}Each rectangle is what a layer gives: as wide as there are steps, as high as each has numbers.",
        )
    if not model.network.on_columns:
        return picture(
            lambda: maps_drawing(model.network, names),
            "network-drawing",
            f"The network as stacks of maps: {model.network.outline()}.",
            f"{several}Each stack is what a layer gives: a map for each channel, larger where it has more positions.",
        )
    return picture(
        lambda: layers_drawing(model.network, model.parameters, names),
        "network-drawing",
        f"The network as columns of circles: {model.network.outline()}.",
        f"{several}Lines are the strongest weights between the units drawn: blue is positive, vermilion negative. "
        "Below a column: how many more units it has.",
    )


def learning(given: ReportInput) -> Sequence[Block]:
    """The losses of every network over the epochs."""
    histories = [history for history in given.run.histories if history]
    if not histories:
        return []
    shown = histories[:_MOST_NETWORKS]
    best = [min(history, key=lambda line: line.validation_loss).epoch for history in shown]
    first = histories[0]
    several, chooses, told_apart = "", "validation", ""
    if not given.prepared.n_choosing:
        chooses, told_apart = "training, after each epoch", " (there are no validation rows)"
    sides = (first[0], first[-1])
    ends = numerals([*(line.train_loss for line in sides), *(line.validation_loss for line in sides)], 3)
    if len(histories) > 1:
        several = f"One colour for each of {'the first ' * (len(shown) < len(histories))}{len(shown)} networks. "
    return [
        picture(
            lambda: learning_curves(
                [[line.train_loss for line in history] for history in shown],
                [[line.validation_loss for line in history] for history in shown],
                [[float(line.epoch) for line in history] for history in shown],
                loss=_loss_and_unit(given),
                chooses=chooses,
            ),
            "learning-curves",
            f"Loss over {len(first)} epochs: training from {ends[0]} to {ends[1]}, {chooses} from {ends[2]} to "
            f"{ends[3]}.",
            f"{several}Dots: the lowest {chooses.partition(',')[0]} loss{told_apart}, at epoch "
            f"{', '.join(map(str, best))}; its weights are kept. The dashed training loss is measured while weights "
            "change and dropout is active, so it may be higher.",
        )
    ]


_LOSSES = {
    "cross_entropy": "cross-entropy",
    "bce": "binary cross-entropy",
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "huber": "Huber loss",
}


def _loss_and_unit(given: ReportInput) -> str:
    """The label of the loss axis."""
    task, scaler = given.run.model.task, given.run.model.scaler
    name = _LOSSES.get(task.loss.name, task.loss.name)
    if task.is_classification:
        return f"{name} (nats)" if task.loss.name in ("cross_entropy", "bce") else name
    of = "inputs" if scaler is None else "target's logarithm" if scaler.is_log else "target"
    unit = "standard deviations" if task.loss.name == "mae" else "variances"
    return f"{name} ({unit} of the {of})"


def layers(given: ReportInput) -> Sequence[Block]:
    """Statistics of each layer at the start and at the end."""
    snapshots = given.run.snapshots
    if not snapshots:
        return []
    chosen = [snapshots[0], snapshots[-1]] if len(snapshots) > 1 else [snapshots[0]]
    rows = [
        [
            f"{each.epoch}", f"{layer.index}", f"{layer.units:,}", numeral(layer.gradient, 2), f"{layer.weight:.3f}",
            "" if layer.moved is None else f"{layer.moved:.1%}", f"{layer.spread:.3f}",
            "" if layer.dead is None else f"{layer.dead:.0%}",
            "" if layer.saturated is None else f"{layer.saturated:.0%}",
        ]
        for each in chosen
        for layer in each.layers
    ]  # fmt: skip
    return [
        Numbers(
            caption="The first network, on a sample of the training rows",
            headings=[
                "after epoch", "layer", "units", "gradient", "weight", "change in the epoch", "spread", "dead",
                "saturated",
            ],
            rows=rows,
            right=tuple(range(9)),
        ),
        Paragraph(
            text="Gradient and weight are root mean squares; spread is the standard deviation of a layer's "
            "output."
        ),
        Code(text=f"pellucid units {shlex.quote(str(given.run.path))}", caption="Pictures of what every unit learned:"),
    ]  # fmt: skip


def again(given: ReportInput) -> Sequence[Block]:
    """The command, the versions, the fingerprint and the whole config."""
    libraries = given.run.model.facts.get("libraries", {})
    config = write_config(given.prepared.settings, given.table_name if isinstance(given.table_name, str) else None)
    return [
        Code(text=train_command(given.table_name, given.prepared.settings), caption="The command:"),
        Numbers(
            caption="Versions",
            headings=["package", "version"],
            rows=[[str(name), str(version)] for name, version in libraries.items()],
        ),
        Paragraph(
            text="Fingerprint of the rows and settings that the network saw: " + given.prepared.fingerprint()[:32]
            + ". A run with the same fingerprint and versions gives the same weights."
        ),
        Folded(title="Every setting (config.yaml)", blocks=[Code(text=config, command=False)]),
    ]  # fmt: skip


def _size(shape: Sequence[int]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size
