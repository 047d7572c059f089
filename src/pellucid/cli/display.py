"""A run as it is shown while it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from pellucid.cli.console import console, layers_table, notes, reading_line, schema_table

if TYPE_CHECKING:
    from rich.live import Live

    from pellucid.preparation.prepare import Prepared
    from pellucid.training.driver import TrainedMembers
    from pellucid.training.engine import Engine
    from pellucid.training.events import Event
    from pellucid.training.history import Epoch
    from pellucid.training.loop import Plan

__all__ = ["TrainingDisplay"]

_LARGE = 200_000  # cells of the network's inputs: more, and the simpler models take a while


class TrainingDisplay:
    """Listens to a run and shows it: the table, the network, and a live line where there is a terminal."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._compared = False
        self._chooses = "validation"
        self._many, self._epochs = 1, 0
        self.cautions: tuple[str, ...] = ()  # what flatters the figures, once it has been said at length

    def __call__(self, event: Event) -> None:
        """Show what is new."""
        from pellucid.runs.continuing import TextPrepared
        from pellucid.runs.events import RunPrepared, RunTrained
        from pellucid.training.events import EpochEnded

        match event:
            case RunPrepared():
                self._many, self._epochs = event.prepared.settings.n_networks, event.plan.epochs
                self._prepared(event.prepared, event.engine, event.plan)
            case TextPrepared():
                from pellucid.cli.texts import show_text

                self._epochs = event.plan.epochs
                show_text(event)
                self._go_live()
            case EpochEnded():
                self._epoch(event.member, event.epoch)
            case RunTrained():
                self._trained(event.trained)
            case _:
                pass

    def _prepared(self, prepared: Prepared, engine: Engine, plan: Plan) -> None:
        """Show what was read and what will be trained."""
        large = prepared.train.inputs.size > _LARGE and len(prepared.measured.rows) > 0
        self._compared = prepared.settings.verdict and large
        self._chooses = "validation" if prepared.n_choosing else "after it"
        if prepared.forecast is None:
            console.print(escape(reading_line(prepared.table.report)))
            console.print()
            console.print(schema_table(prepared.schema))
        else:
            from pellucid.preparation.forecast_rows import said_of_series

            console.print(escape(said_of_series(prepared.forecast)))
        console.print()
        notes(prepared.notes)
        self.cautions = prepared.cautions
        console.print(escape(f"Split: {prepared.split.how}"))
        console.print()
        console.print(layers_table(prepared.network))
        console.print(
            f"\n{engine.name} on {engine.device}, {prepared.task.loss.name}, {engine.optimizer.name} "
            f"at {plan.learning_rate:g}, batches of {min(plan.batch_size, len(prepared.train)):,}"
        )
        self._go_live()

    def _go_live(self) -> None:
        """Begin the live line, where there is a terminal."""
        if console.is_terminal:
            from rich.live import Live

            self._live = Live("", console=console, transient=True, refresh_per_second=8)
            self._live.start()

    def _epoch(self, member: int, epoch: Epoch) -> None:
        """Move the live line."""
        if not self._live:
            return
        network = f"network {member + 1}/{self._many}  " if self._many > 1 else ""
        seconds = f"  ({epoch.seconds:.2f} s)" if self._many == 1 else ""
        self._live.update(
            f"{network}epoch {epoch.epoch}/{self._epochs}  loss {epoch.train_loss:.4f}  "
            f"{self._chooses} {epoch.validation_loss:.4f}  score {epoch.validation_score:.4f}{seconds}"
        )

    def _trained(self, trained: TrainedMembers) -> None:
        """Take the live line away and say how training ended, and what takes long now: the comparison."""
        self.close()
        outcomes = trained.outcomes
        seconds = sum(epoch.seconds for outcome in outcomes for epoch in outcome.history)
        epochs = [len(outcome.history) for outcome in outcomes]
        if self._many == 1:
            ended = f"{epochs[0]} epochs in {seconds:.1f} s, best {outcomes[0].best_epoch}"
        else:
            networks = "1 network" if len(outcomes) == 1 else f"{len(outcomes):,} networks"
            together = ", several at a time" if trained.stacked else ""
            span = f"{min(epochs)} to {max(epochs)}" if min(epochs) < max(epochs) else f"{epochs[0]}"
            ended = f"{networks}{together}: {span} epochs, {seconds:.1f} s in all"
        reasons = ", ".join(dict.fromkeys(outcome.reason for outcome in outcomes))
        console.print(f"{ended}; stopped by: {reasons}\n")
        if self._compared:
            console.print(
                "Training simpler models on the same rows, for comparison; each "
                "may take a minute, or as long as the network did (skip this with --no-verdict)\n"
            )

    def close(self) -> None:
        """Give the terminal back, whatever happened."""
        if self._live:
            self._live.stop()
            self._live = None
