"""``pellucid search``: good settings for a table, found by trials scored on folds."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import with_settings
from pellucid.cli.streams import say

if TYPE_CHECKING:
    from pathlib import Path

    from rich.live import Live

    from pellucid.preparation.folds import Folds
    from pellucid.selection.search_result import Search, Tried
    from pellucid.selection.search_space import Space
    from pellucid.training.history import Epoch

__all__ = ["search"]


@partial(with_settings, preset="quick")
def search(
    data: Annotated[str | None, typer.Argument(help="A table, images, or a built-in data set.")] = None,
    *,
    minutes: Annotated[
        float | None, typer.Option(help="How long to search (default: 5, unless --trials is given).")
    ] = None,
    trials: Annotated[int | None, typer.Option(help="Total number of trials in the study.")] = None,
    folds: Annotated[int, typer.Option(help="Number of folds that score a trial.")] = 3,
    metric: Annotated[
        str | None, typer.Option(help="The metric to optimise; default: ROC AUC, accuracy or RMSE, by task.")
    ] = None,
    config: Annotated[
        str | None,
        typer.Option("-c", "--config", help="A config.yaml; values in it that differ from the default are fixed."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(help="The output folder; default: runs/<name>-search. A study found in it is continued."),
    ] = None,
    storage: Annotated[
        str | None, typer.Option(help="The study, if not in the folder: a file, or a URL such as sqlite:///study.db.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result.")] = False,
    settings: dict[str, Any],
) -> None:
    """Search for good settings on DATA: those you give are fixed, the others are tried. Needs Optuna.

    Repeat the command to continue its study; several processes that run it at once share the study.
    """
    from pellucid.errors import NotKeptError
    from pellucid.selection import search as workflow

    display, unwritten = None if json or quiet else SearchDisplay(), None
    try:
        found = workflow.search(
            data, minutes=minutes, trials=trials, folds=folds, metric=metric, config=config, out=out, storage=storage,
            watcher=display, **settings,
        )  # fmt: skip
    except NotKeptError as error:
        found, unwritten = error.result, error
    finally:
        if display:
            display.close()
    if json:
        import json as json_

        say(json_.dumps({**found.to_json(), "out": str(found.path)}))
    else:
        _show(found, display.said if display else ())
    if unwritten is not None:
        raise unwritten
    if found.stopped_by == "interrupted":
        raise typer.Exit(130)


def _show(found: Search, said: Collection[str]) -> None:
    from pellucid.cli.console import console, notes

    counts = ", ".join(f"{n:,} {_SPOKEN.get(state, state)}" for state, n in found.counts().items())
    console.print(f"{len(found.trials):,} trials ({counts}); stopped by: {found.stopped_by}\n")
    headings, rows = found.table()
    console.print(_table(f"The best {len(rows)}" if len(rows) > 1 else "The best", headings, rows))
    if found.importances:
        shares = ", ".join(
            f"{name.replace('_', ' ')} {share:.0%}" for name, share in list(found.importances.items())[:4]
        )
        console.print(f"Most important settings: {shares}")
    console.print()
    notes(found.sentences())
    notes(note for note in found.notes if note not in said)
    console.print(f"\nTrials, figure and best.yaml are in {found.path}", soft_wrap=True, markup=False)
    if found.stopped_by == "interrupted":
        console.print("Interrupted; finished trials are kept. Continue with the same command")
    console.print(f"Next: {found.command}", soft_wrap=True, markup=False)


_SPOKEN = {"complete": "on all folds", "pruned": "ended early", "fail": "failed"}


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(escape(heading), justify="left" if heading == headings[-1] else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


class SearchDisplay:
    """Shows a search: a line for each trial that is the best so far, and a live line below."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._began = time.monotonic()
        self._trials, self._now, self._best = 0, "", ""
        self.said: tuple[str, ...] = ()

    def began(self, folds: Folds, space: Space, metric: str, known: int, folder: Path) -> None:
        """Say what is searched, and on which rows.

        Parameters
        ----------
        folds, space, metric
            The rows, what may be chosen, and what the trials are compared by.
        known
            How many trials there are already, of a search that goes on.
        folder
            Where the search is kept.
        """
        from rich.markup import escape

        from pellucid.cli.console import console, notes, reading_line
        from pellucid.evaluation.names import name_of_metric
        from pellucid.selection.search_space import searched_settings

        console.print(escape(reading_line(folds.base.table.report)))
        notes(folds.notes)
        self.said = folds.notes
        rows = sum(len(split.test) for split in folds.splits)
        measured = folds.base.measured
        apart = f"; {len(measured.rows):,} test rows set aside" if measured.name == "test" else ""
        console.print(escape(f"{name_of_metric(metric)} on {folds.how}, {rows:,} rows{apart}"))
        console.print(escape(f"searched: {', '.join(searched_settings(space))}"))
        if known:
            console.print(escape(f"continuing the study in {folder} after {known:,} trials"))
        console.print()
        if console.is_terminal:
            from rich.live import Live

            self._live = Live("", console=console, transient=True, refresh_per_second=8)
            self._live.start()

    def epoch(self, trial: int, fold: int, epoch: Epoch) -> None:
        """Move the live line."""
        self._now = f"trial {trial}, fold {fold}, epoch {epoch.epoch}"
        self._update()

    def tried(self, trial: Tried, best: Tried | None) -> None:
        """Print a trial that is the best so far."""
        from rich.markup import escape

        from pellucid.cli.console import console
        from pellucid.selection.comparison import shown_number

        self._trials += 1
        if best is not None:
            self._best = f"best {shown_number(best.score)} (trial {best.number})"
            if best.number == trial.number:
                chosen = trial.label if not trial.is_default else "the default setting"
                console.print(escape(f"trial {trial.number}: {shown_number(trial.score)}  {chosen}"))
        self._update()

    def measuring(self) -> None:
        """Say that the trials are done."""
        self._now = "training the best and the default setting, to measure them on the test rows"
        self._update()

    def _update(self) -> None:
        if self._live:
            seconds = time.monotonic() - self._began
            self._live.update(f"{self._trials:,} trials in {seconds:.0f} s  {self._best}  {self._now}")

    def close(self) -> None:
        """Release the terminal."""
        if self._live:
            self._live.stop()
            self._live = None
