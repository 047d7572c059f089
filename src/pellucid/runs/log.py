"""``log.txt`` as a listener: how a run began, continued and ended."""

from __future__ import annotations

from pellucid.network import describe
from pellucid.preparation.prepare import Prepared
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
        *(f"layer {i}: {describe(layer)}" for i, layer in enumerate(prepared.network.layers)),
        f"{prepared.network.n_trainable:,} trainable parameters",
    ]
