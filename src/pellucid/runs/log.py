"""``log.txt`` as a listener: how a run began, continued and ended."""

from __future__ import annotations

from pellucid.network import Network, describe
from pellucid.preparation.continuing import PreparedText
from pellucid.preparation.prepare import Prepared
from pellucid.runs.continuing import TextPrepared
from pellucid.runs.events import RunPrepared
from pellucid.runs.folder import RunFolder
from pellucid.training.engine import why_chosen
from pellucid.training.events import Event, TrainingBegan, TrainingEnded

__all__ = ["RunLog"]


class RunLog:
    """Writes the events of a run to its log, except the epochs, which are in ``history.csv``."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder, self._many = folder, 1

    def __call__(self, event: Event) -> None:
        """Write an event if it belongs in the log."""
        match event:
            case RunPrepared(prepared=prepared, resumed_after=epoch, engine=engine):
                self._many = prepared.settings.n_networks
                self._folder.log(_opening_lines(prepared) if epoch is None else [f"resumed after epoch {epoch}"])
                self._folder.log([f"engine {engine.name} on {engine.device}: {why_chosen(engine)}"])
            case TextPrepared(prepared=text, resumed_after=epoch, engine=engine):
                self._folder.log(_opening_of_text(text) if epoch is None else [f"resumed after epoch {epoch}"])
                self._folder.log([f"engine {engine.name} on {engine.device}: {why_chosen(engine)}"])
            case TrainingBegan(member=member, history=[*_, last]) if self._many > 1:
                self._folder.log([f"{self._which(member)}resumed after epoch {last.epoch}"])
            case TrainingEnded(member=member, outcome=outcome):
                end = f"trained {len(outcome.history)} epochs, best {outcome.best_epoch}; stopped by: {outcome.reason}"
                self._folder.log([self._which(member) + end])
            case _:
                pass

    def _which(self, member: int) -> str:
        return f"network {member + 1} of {self._many}: " if self._many > 1 else ""


def _opening_lines(prepared: Prepared) -> list[str]:
    report = prepared.table.report
    return [
        f"read {report.source}: {report.n_rows:,} rows, {report.n_columns} columns ({report.format})",
        *prepared.notes,
        *(f"column {c.name!r}: {c.kind}, {c.role}; {c.reason}" for c in prepared.schema.columns),
        f"split: {prepared.split.how}",
        *_lines_on_network(prepared.network),
    ]


def _opening_of_text(prepared: PreparedText) -> list[str]:
    return [
        f"read {prepared.prose.source}: {len(prepared.prose.text):,} characters, {len(prepared.tokens):,} "
        f"{prepared.unit}s of {prepared.tokenizer.size - 2:,} kinds",
        *prepared.notes,
        f"split: {prepared.how_split}",
        *_lines_on_network(prepared.network),
    ]


def _lines_on_network(network: Network) -> list[str]:
    return [
        *(f"layer {i}: {describe(layer)}" for i, layer in enumerate(network.layers)),
        f"{network.n_trainable:,} trainable parameters",
    ]
