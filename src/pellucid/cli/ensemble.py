"""What the terminal shows of an ensemble: which network is training, and what averaging them gains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from pellucid.cli.console import TrainingDisplay, console
from pellucid.numerals import numerals

if TYPE_CHECKING:
    from pellucid.runs.members import TrainedMembers
    from pellucid.training.history import Epoch
    from pellucid.training.loop import Plan

__all__ = ["EnsembleDisplay", "show_ensemble"]


class EnsembleDisplay(TrainingDisplay):
    """The display of a run; its live line also names the network that is training."""

    def network_epoch(self, network: int, n_networks: int, epoch: Epoch, plan: Plan) -> None:
        """Move the live line."""
        if self._live:
            self._live.update(
                f"network {network}/{n_networks}  epoch {epoch.epoch}/{plan.epochs}  loss {epoch.train_loss:.4f}  "
                f"{self._chooses} {epoch.validation_loss:.4f}  score {epoch.validation_score:.4f}"
            )

    def networks_trained(self, members: TrainedMembers) -> None:
        """Remove the live line and say how training ended."""
        self.close()
        outcomes = members.outcomes
        epochs = [len(outcome.history) for outcome in outcomes]
        seconds = sum(epoch.seconds for outcome in outcomes for epoch in outcome.history)
        together = ", several at a time" if members.stacked else ""
        ends = ", ".join(dict.fromkeys(outcome.reason for outcome in outcomes))
        span = f"{min(epochs)} to {max(epochs)}" if min(epochs) < max(epochs) else f"{epochs[0]}"
        networks = "1 network" if len(outcomes) == 1 else f"{len(outcomes):,} networks"
        console.print(f"{networks}{together}: {span} epochs, {seconds:.1f} s in all; stopped by: {ends}\n")
        self.what_follows()


def show_ensemble(facts: Mapping[str, Any]) -> None:
    """Print the ensemble beside its networks, and a sentence on cost and gain."""
    how = "by folds" if facts["how"] == "folds" else "by seeds"
    count = facts["n_networks"]
    title = f"Ensemble of {count:,} network{'s' if count != 1 else ''}, {how}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("metric")
    for heading in ("ensemble", "mean network", "best", "worst"):
        table.add_column(heading, justify="right")
    for name, numbers in facts["metrics"].items():
        cells = numerals([numbers[key] for key in ("together", "mean", "best", "worst")])
        table.add_row(escape(name.replace("_", " ")), *cells)
    console.print(table)
    console.print(escape(facts["sentence"]))
