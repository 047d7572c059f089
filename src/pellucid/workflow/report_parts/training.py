"""How the network came about: the doctor, the data, the network, its learning, its layers, how to repeat it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pellucid.artefact.report.blocks import Article, Block, Code, Numbers, Paragraph
from pellucid.network import Dense, describe
from pellucid.plots.architecture import network_drawing
from pellucid.plots.curves import curves
from pellucid.workflow.config import CONFIG_FILE, write_config
from pellucid.workflow.grid import changed_command, train_command
from pellucid.workflow.report_parts.told import Told, picture

__all__ = ["again", "data", "doctor", "layers", "learning", "network"]

_MOST_COLUMNS = 100
_MOST_INPUTS = 200_000  # weights of a matrix that is looked through for its strongest


def doctor(told: Told) -> Sequence[Block]:
    """What is wrong, and the command that tries the fix."""
    found = told.run.findings
    if not found:
        return [Paragraph(text="The doctor found nothing wrong with this training, its rows or its columns.")]
    config = None if told.run.path is None else told.run.path / CONFIG_FILE
    blocks = []
    for each in found:
        parts = [("Evidence", each.evidence), ("So", each.consequence), ("Fix", each.fix)]
        if each.rows and told.rows:
            parts.append(("Rows, from 0", ", ".join(map(str, each.rows))))
        command = None
        if each.change:
            command = changed_command(each.change, told.source, told.prepared.settings, config)
        blocks.append(Article(title=each.finding, parts=parts, command=command))
    return blocks


def data(told: Told) -> Sequence[Block]:
    """What was read and what each column is."""
    schema, table = told.prepared.schema, told.prepared.table.report
    rows = [
        [c.name, c.kind, c.role, f"{c.n_missing:,}", f"{c.n_distinct:,}", c.reason]
        for c in schema.columns[:_MOST_COLUMNS]
    ]
    left = len(schema.columns) - len(rows)
    return [
        Paragraph(text=f"{table.n_rows:,} rows and {table.n_columns:,} columns; {table.format}."),
        Paragraph(text=f"Split: {told.prepared.split.how}."),
        Numbers(
            caption="Columns" + (f", the first {_MOST_COLUMNS} of {len(schema.columns):,}" if left else ""),
            headings=["column", "kind", "role", "missing", "distinct", "why"],
            rows=rows,
            right=(3, 4),
        ),
        *(Paragraph(text=note) for note in told.prepared.notes),
    ]


def network(told: Told) -> Sequence[Block]:
    """A drawing, and each layer."""
    model = told.run.model
    dense = [(i, layer) for i, layer in enumerate(model.network.layers) if isinstance(layer, Dense)]
    widths = [model.network.inputs, *(layer.outputs for _, layer in dense)]
    headings = [f"{widths[0]:,} inputs", *(f"{w:,} units" for w in widths[1:-1]), f"{widths[-1]:,} out"]
    names = [str(c) for c in model.task.classes] if widths[-1] > 1 else [model.task.target]
    several = ""
    if model.more:
        several = f"{len(model.members)} networks of this shape, their answers averaged; the first is drawn. "
    rows = []
    for i, layer in enumerate(model.network.layers):
        shapes = [p.shape for p in model.network.parameters() if p.name.startswith(f"{i}.") and p.trainable]
        count = sum(_size(shape) for shape in shapes)
        rows.append([str(i), describe(layer), f"{count:,}" if count else ""])
    settings = told.prepared.settings
    return [
        picture(
            lambda: network_drawing(headings, widths, [model.parameters[f"{i}.weight"] for i, _ in dense], names),
            "network-drawing",
            f"The network as columns of circles: {' → '.join(map(str, widths))}.",
            f"{several}Lines are the strongest weights: blue above 0, vermilion below.",
        ),
        Numbers(
            caption=f"{model.network.n_trainable:,} weights", headings=["", "layer", "weights"], rows=rows, right=(2,)
        ),
        Paragraph(
            text=f"{model.task.loss.name}, {settings.optimizer} at {settings.learning_rate:g}, batches of "
            f"{settings.batch_size}, {told.run.summary.get('engine')} on {told.run.summary.get('device')}."
        ),
    ]


def learning(told: Told) -> Sequence[Block]:
    """Losses over epochs, of every network."""
    histories = [history for history in told.run.histories if history]
    if not histories:
        return []
    lines: dict[str, tuple[list[float], list[float]]] = {}
    for k, history in enumerate(histories[:4], 1):
        which = f" {k}" if len(histories) > 1 else ""
        epochs = [float(line.epoch) for line in history]
        lines[f"training{which}"] = (epochs, [line.train_loss for line in history])
        lines[f"validation{which}"] = (epochs, [line.validation_loss for line in history])
    best = [min(history, key=lambda line: line.validation_loss).epoch for history in histories]
    first = histories[0]
    return [
        picture(
            lambda: curves(
                lines, title="", y_label=told.run.model.task.loss.name,
                dashed=[name for name in lines if name.startswith("training")],
            ),
            "learning-curves",
            f"Loss over {len(first)} epochs: training from {first[0].train_loss:.3g} to {first[-1].train_loss:.3g}, "
            f"validation from {first[0].validation_loss:.3g} to {first[-1].validation_loss:.3g}.",
            f"The weights kept are those of epoch {', '.join(map(str, best))}. The training loss is taken while "
            "weights change and with dropout active, so it may stand above the validation loss.",
        )
    ]  # fmt: skip


def layers(told: Told) -> Sequence[Block]:
    """What was seen inside at the start and at the end."""
    looks = told.run.looks
    if not looks:
        return []
    chosen = [looks[0], looks[-1]] if len(looks) > 1 else [looks[0]]
    rows = [
        [
            f"{look.epoch}", f"{layer.index}", f"{layer.units:,}", f"{layer.gradient:.1e}", f"{layer.weight:.3f}",
            "" if layer.moved is None else f"{layer.moved:.1%}", f"{layer.spread:.3f}",
            "" if layer.dead is None else f"{layer.dead:.0%}",
            "" if layer.saturated is None else f"{layer.saturated:.0%}",
        ]
        for look in chosen
        for layer in look.layers
    ]  # fmt: skip
    return [
        Numbers(
            caption="The first network, on a sample of the training rows",
            headings=[
                "after epoch",
                "layer",
                "units",
                "gradient",
                "weight",
                "moved in the epoch",
                "spread",
                "dead",
                "saturated",
            ],
            rows=rows,
            right=tuple(range(9)),
        ),
        Paragraph(
            text="Gradient and weight are root mean squares; spread is the standard deviation of what a layer gives to "
            "the next. For pictures of every unit: "
            f"pellucid units {told.run.path}"
        ),
    ]


def again(told: Told) -> Sequence[Block]:
    """The command, the versions, the fingerprint, the whole config."""
    libraries = told.run.model.facts.get("libraries", {})
    config = write_config(told.prepared.settings, os.fspath(told.source) if isinstance(told.source, str) else None)
    return [
        Code(text=train_command(told.source, told.prepared.settings), caption="The command:"),
        Numbers(
            caption="Made with",
            headings=["", "version"],
            rows=[[str(name), str(version)] for name, version in libraries.items()],
        ),
        Paragraph(
            text="Fingerprint of the rows and settings that the network saw: " + told.prepared.fingerprint()[:32]
            + ". A run with the same fingerprint and versions comes to the same weights."
        ),
        Code(text=config, caption="Every setting (config.yaml):"),
    ]  # fmt: skip


def _size(shape: Sequence[int]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size
