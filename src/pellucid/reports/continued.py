"""``report.html`` of a network that continues a text: how well it predicts, what it writes, and how it was trained."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pellucid.io.files import write_text
from pellucid.network import describe
from pellucid.numerals import numeral, numerals
from pellucid.plots.maps import maps_drawing
from pellucid.plots.outcome import learning_curves
from pellucid.preparation.continuing import PreparedText
from pellucid.reports.blocks import Article, Block, Code, Numbers, Paragraph, Points, Section
from pellucid.reports.page import page
from pellucid.reports.parts.report_input import picture
from pellucid.runs.folder import RunFolder
from pellucid.runs.run import Run
from pellucid.settings.config import write_config

__all__ = ["write_text_report"]

_MEANS = {
    "nats_per_token": "cross-entropy, nats a {unit}",
    "bits_per_character": "bits a character",
    "perplexity": "perplexity (as hard as choosing among so many)",
    "accuracy": "share of {unit}s that were the most probable one",
}


def write_text_report(
    run: Run, prepared: PreparedText, *, source: object, rows: bool = True, out: str | os.PathLike[str] | None = None
) -> Path:
    """Write the page; returns its path.

    Parameters
    ----------
    run, prepared
        The run, and its text as it was prepared.
    source
        Where the text is; a file is named without its folder.
    rows
        Whether the page may show what the network writes, which can repeat the text.
    out
        The path of the page; ``None``: the run's own.

    Raises
    ------
    StorageError
        The page cannot be written.
    """
    assert run.path is not None or out is not None
    target = Path(out) if out is not None else RunFolder(run.path or ".").file("report")
    name = run.path.name if run.path is not None else prepared.name
    parts: Sequence[tuple[str, str, Sequence[Block], bool]] = (
        ("summary", "Summary", _summary(run, prepared), False),
        ("samples", "What it writes", _samples(run) if rows else [], False),
        ("learning", "Learning curves", _learning(run, prepared), False),
        ("verdict", "Comparison with n-grams", _verdict(run), False),
        ("metrics", "Metrics", _metrics(run, prepared), True),
        ("network", "The network", _network(run, prepared), True),
        ("data", "The text", _data(prepared, source), True),
        ("again", "Reproduce this run", _again(prepared, source), True),
    )
    sections = [
        Section(name=key, title=title, blocks=blocks, folded=folded) for key, title, blocks, folded in parts if blocks
    ]
    lead = (
        f"A network that continues texts, {prepared.unit} by {prepared.unit}. Of {len(prepared.tokens):,} "
        f"{prepared.unit}s, {prepared.how_split}."
    )
    write_text(target, page(f"Report of {name}", [lead], sections))
    return target


def _summary(run: Run, prepared: PreparedText) -> Sequence[Block]:
    nats, bits, perplexity = (run.metrics[each] for each in ("nats_per_token", "bits_per_character", "perplexity"))
    held, unit = prepared.measured_on, prepared.unit
    said = f"On the {held} text it needs {nats.value:.3f} nats a {unit}"
    said += "" if np.isnan(nats.low) else f" (95 % interval: {nats.low:.3f} to {nats.high:.3f})"
    said += (
        f", {bits.value:.3f} bits a character: as hard as choosing among {numeral(perplexity.value, 3)} equally likely "
        f"{unit}s. By frequency alone it would be {_baseline(run):.3f} nats."
    )
    if held != "test":
        said += " This text also chose the best epoch." if held == "validation" else " It has learned from this text."
    blocks: list[Block] = [Article(title="Is it good?", text=said, parts=())]
    if run.verdict is not None:
        blocks.append(Article(title="Is it worth it?", text=run.verdict.sentence, parts=()))
    folder = str(run.path) if run.path is not None else "RUN"
    command = shlex.join(["pellucid", "generate", folder, "--temperature", "0.8"])
    blocks.append(Article(title="What to do next?", text="Let it write.", parts=(), command=command))
    return blocks


def _baseline(run: Run) -> float:
    return float(run.summary["baseline"]["nats_per_token"]["value"])


def _samples(run: Run) -> Sequence[Block]:
    return [
        Code(
            text=sample["text"],
            caption=f"Temperature {sample['temperature']:g}, without a prompt",
            command=False,
        )
        for sample in run.summary["samples"]
    ]


def _learning(run: Run, prepared: PreparedText) -> Sequence[Block]:
    history = run.history
    if not history:
        return []
    best = min(history, key=lambda line: line.validation_loss).epoch
    first, last = history[0], history[-1]
    ends = numerals([first.train_loss, last.train_loss, first.validation_loss, last.validation_loss], 3)
    chooses = "validation" if prepared.ends[1] > prepared.ends[0] else "training, after each epoch"
    return [
        picture(
            lambda: learning_curves(
                [[line.train_loss for line in history]],
                [[line.validation_loss for line in history]],
                [[float(line.epoch) for line in history]],
                loss=f"nats a {prepared.unit}",
                chooses=chooses,
            ),
            "learning-curves",
            f"Loss over {len(history)} epochs: training from {ends[0]} to {ends[1]}, {chooses} from {ends[2]} to "
            f"{ends[3]}.",
            f"Dot: the lowest {chooses.partition(',')[0]} loss, at epoch {best}; its weights are kept. The dashed "
            "training loss is measured while weights change and dropout is active, so it may be higher; each window of "
            "training also begins without anything before it.",
        )
    ]


def _verdict(run: Run) -> Sequence[Block]:
    verdict = run.verdict
    if verdict is None or not verdict.peers:
        return []
    rows = [["network", f"{verdict.value:.3f}", "", ""]]
    for peer in verdict.peers:
        interval = "—" if np.isnan(peer.low) else f"{peer.low:.3f} to {peer.high:.3f}"
        rows.append([peer.name, f"{peer.value:.3f}", f"{peer.difference:.3f}", interval])
    headings = ["model", str(verdict.metric), "network better by", "95 % interval"]
    return [
        Numbers(caption=f"The same {verdict.rows:,} tokens", headings=headings, rows=rows, right=(1, 2, 3)),
        Points(texts=verdict.notes),
    ]


def _metrics(run: Run, prepared: PreparedText) -> Sequence[Block]:
    rows = []
    for name, found in run.metrics.items():
        low, high = ("—", "—") if np.isnan(found.low) else (f"{found.low:.4f}", f"{found.high:.4f}")
        base = run.summary["baseline"][name]["value"]
        rows.append([_MEANS[name].format(unit=prepared.unit), f"{found.value:.4f}", f"{low} to {high}", f"{base:.4f}"])
    headings = ["metric", "value", "95 % interval", "by frequency alone"]
    return [Numbers(caption=f"On the {prepared.measured_on} text", headings=headings, rows=rows, right=(1, 2, 3))]


def _network(run: Run, prepared: PreparedText) -> Sequence[Block]:
    network, settings = run.model.network, prepared.settings
    rows = []
    for i, layer in enumerate(network.layers):
        count = sum(p.size for p in network.trainable() if p.name.startswith(f"{i}."))
        rows.append([str(i), describe(layer), f"{count:,}" if count else ""])
    facts = (
        f"Windows of {settings.length:,} {prepared.unit}s, {settings.batch_size:,} in a batch. Optimizer: "
        f"{settings.optimizer}, learning rate {settings.learning_rate:g}. Engine: {run.summary['engine']} on "
        f"{run.summary['device']}."
    )
    return [
        picture(
            lambda: maps_drawing(network, []),
            "network-drawing",
            f"The network as rectangles: {network.outline()}.",
            "Each rectangle is what a layer gives: as wide as there are steps, as high as each has numbers.",
        ),
        Numbers(caption=f"{network.n_trainable:,} weights", headings=["", "layer", "weights"], rows=rows, right=(2,)),
        Paragraph(text=facts),
    ]


def _data(prepared: PreparedText, source: object) -> Sequence[Block]:
    where = Path(source).name if isinstance(source, str) else prepared.name
    said = (
        f"{where}: {len(prepared.prose.text):,} characters, {len(prepared.tokens):,} {prepared.unit}s, of "
        f"{prepared.tokenizer.size - 2:,} kinds. By place: {prepared.how_split}."
    )
    return [Paragraph(text=said), *([Points(texts=prepared.notes)] if prepared.notes else [])]


def _again(prepared: PreparedText, source: object) -> Sequence[Block]:
    where = Path(source).name if isinstance(source, str) else prepared.name
    return [
        Code(text=shlex.join(["pellucid", "train", where, "--config", "config.yaml"])),
        Code(text=write_config(prepared.settings, where), caption="config.yaml", command=False),
    ]
