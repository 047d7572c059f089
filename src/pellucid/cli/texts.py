"""How a run on a text is shown: what was read, how well it is predicted, and what the network writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from pellucid.cli.console import console, layers_table, metrics_table, notes, show_verdict

if TYPE_CHECKING:
    from pellucid.runs.continuing import TextPrepared
    from pellucid.runs.run import Run

__all__ = ["show_text", "show_text_outcome"]

_SHOWN = 300  # characters of a sample
_TEMPERATURE = 0.8


def show_text(event: TextPrepared) -> None:
    """What was read, and what will be trained."""
    prepared, plan = event.prepared, event.plan
    console.print(
        escape(
            f"{prepared.prose.source}: a text to be continued, {len(prepared.prose.text):,} characters; "
            f"{len(prepared.tokens):,} {prepared.unit}s of {prepared.tokenizer.size - 2:,} kinds"
        )
    )
    notes(prepared.notes)
    console.print(escape(f"Split by place: {prepared.how_split}"))
    console.print()
    console.print(layers_table(prepared.network))
    console.print(
        f"\n{event.engine.name} on {event.engine.device}, {prepared.task.loss.name}, {event.engine.optimizer.name} "
        f"at {plan.learning_rate:g}, batches of {min(plan.batch_size, prepared.train.n):,} windows, "
        f"{plan.epochs:,} epoch{'s' * (plan.epochs > 1)}"
    )


def show_text_outcome(run: Run, *, quiet: bool) -> None:
    """The metrics, the verdict, a sample, and the next command."""
    from pellucid.runs.folder import RunFolder

    held, unit = run.summary["measured_on"], run.summary["unit"]
    n = run.summary["rows"].get(held) or run.summary["rows"]["train"]
    console.print(metrics_table(run.metrics, run.summary["baseline"], f"On the {n:,} {held} {unit}s"))
    if run.verdict is not None:
        console.print()
        show_verdict(run.verdict)
    if not quiet:
        sample = next(each for each in run.summary["samples"] if each["temperature"] == _TEMPERATURE)
        console.print(f"\n[bold]It writes[/] (temperature {_TEMPERATURE:g}):")
        console.print(sample["text"][:_SHOWN], markup=False, highlight=False, soft_wrap=True)
    notes(run.remarks)
    folder = RunFolder(run.path or ".")
    console.print(f"\nThe run is in {run.path}", soft_wrap=True, markup=False)
    if folder.is_finished and not folder.lost:
        command = folder.command("generate", "--temperature", f"{_TEMPERATURE:g}")
        console.print(f"Next: {command}", soft_wrap=True, markup=False)
