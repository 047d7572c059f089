"""``pellucid train``: from a table to a trained, measured and saved network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import with_settings
from pellucid.cli.streams import say, warn

if TYPE_CHECKING:
    from pellucid.cli.display import TrainingDisplay
    from pellucid.diagnosis import Finding
    from pellucid.runs.run import Run

__all__ = ["train"]


@with_settings
def train(
    data: Annotated[
        str | None,
        typer.Argument(help="A table (- is standard input), images, series, a text to continue, or a built-in set."),
    ] = None,
    *,
    config: Annotated[str | None, typer.Option("-c", "--config", help="A config.yaml; options override it.")] = None,
    out: Annotated[str | None, typer.Option(help="The run folder; default: runs/<name>-<n>.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in --out.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out (or DATA).")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result.")] = False,
    settings: dict[str, Any],
) -> None:
    """Train a network on DATA and save it in a run folder."""
    from pellucid.cli.console import console
    from pellucid.cli.display import TrainingDisplay
    from pellucid.errors import NotKeptError
    from pellucid.runs.folder import RunFolder
    from pellucid.runs.run import Interrupted
    from pellucid.workflow import train as workflow

    display, interrupted = None if json or quiet else TrainingDisplay(), False
    unwritten: NotKeptError | None = None
    try:
        if resume:
            run = _resumed(data, out, display, settings)
        else:
            run = workflow.train(
                data, config=config, out=out, overwrite=overwrite, save=True, listener=display, **settings
            )
    except Interrupted as stopped:
        run, interrupted = stopped.run, True
    except NotKeptError as error:
        run, unwritten = error.result, error
    finally:
        if display:
            display.close()

    if json:
        import json as json_

        say(json_.dumps({"run": str(run.path), **run.summary}))
    elif run.model.task.kind == "continuation":
        from pellucid.cli.texts import show_text_outcome

        show_text_outcome(run, quiet=quiet)
    else:
        _show_outcome(run, quiet=quiet, cautions=() if display is None else display.cautions)
    if unwritten is not None:
        raise unwritten
    if interrupted:
        if not json:
            unfinished = run.summary["stopped_by"] == "interrupted"
            kept = RunFolder(run.path or ".")
            next_ = kept.command("train", "--resume") if unfinished else kept.command("report")
            said = "continue with" if unfinished else "the network is trained and saved; write its report with"
            console.print(f"Interrupted; {said}: {next_}", soft_wrap=True, markup=False)
        raise typer.Exit(130)


def _resumed(data: str | None, out: str | None, display: TrainingDisplay | None, settings: dict[str, Any]) -> Run:
    from pellucid.cli.console import notes
    from pellucid.errors import SettingError
    from pellucid.runs.folder import RunFolder
    from pellucid.workflow import train as workflow

    folder = out or data
    if folder is None:
        raise SettingError("name the run to resume: pellucid train RUN --resume")
    was_finished = RunFolder(folder).is_finished and not RunFolder(folder).lost
    run = workflow.resume(folder, data=data if out is not None else None, listener=display, **settings)
    if was_finished and run.summary["stopped_by"] != "interrupted" and display:
        notes([f"the run in {folder} had already finished; nothing was trained"])
    return run


def _is_told(finding: Finding, flattering: Sequence[str]) -> bool:
    """Whether a note on the metrics has already said what this finding says."""
    if finding.name in ("known-ones-in-the-test", "neighbours-in-the-test"):
        return bool(flattering)
    dropped = [name for name in finding.change.get("drop", ()) if repr(name) in finding.finding]
    return finding.name == "leak" and all(any(repr(name) in note for note in flattering) for name in dropped)


def _show_outcome(run: Run, *, quiet: bool, cautions: Sequence[str]) -> None:
    """Print the metrics and why they may be too optimistic, the verdict, the findings, and the next command.

    ``cautions`` are one-line versions of warnings that were printed in full before training.
    """
    from rich.markup import escape

    from pellucid.cli.console import (
        console,
        metrics_table,
        no_better_than_the_mean,
        notes,
        show_verdict,
    )
    from pellucid.cli.ensemble import show_ensemble
    from pellucid.cli.forecast import horizon_table
    from pellucid.data.notes import FlatteringNote
    from pellucid.runs.folder import RunFolder

    held = run.summary["measured_on"]
    n = run.summary["rows"].get(held) or run.summary["rows"]["train"]
    console.print(metrics_table(run.metrics, run.summary["baseline"], f"On the {n:,} {held} rows"))
    flattering = [FlatteringNote(each) for each in run.summary.get("warnings", [])]
    if quiet:
        warn(flattering)
    else:
        notes(cautions or flattering)
    if caution := no_better_than_the_mean(run.metrics, run.summary["baseline"]):
        notes([caution])
    if "forecast" in run.summary:
        console.print()
        console.print(horizon_table(run.summary["forecast"]))
    if "ensemble" in run.summary:
        console.print()
        show_ensemble(run.summary["ensemble"])
    if run.verdict is not None:
        console.print()
        show_verdict(run.verdict, flattering)
    if run.findings:
        console.print()
        for each in run.findings:
            if _is_told(each, flattering):
                continue
            console.print(f"Doctor: {escape(each.finding)} Fix: {escape(each.fix)}", soft_wrap=True)
    notes(run.remarks)
    folder = RunFolder(run.path or ".")
    is_whole = folder.is_finished and not folder.lost  # it is not where the disk was full
    if run.findings and is_whole:
        command = folder.command("doctor")
        console.print(f"For the evidence and the commands: {command}", soft_wrap=True, markup=False)
    console.print(f"\nThe run is in {run.path}", soft_wrap=True, markup=False)
    if is_whole:
        rows = "" if "forecast" in run.summary else " DATA"
        console.print(f"Next: {folder.command('predict')}{rows} -o predictions.csv", soft_wrap=True, markup=False)
