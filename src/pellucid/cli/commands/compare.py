"""``pellucid compare``: settings trained on the same folds, side by side."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from pellucid.cli.options import with_settings
from pellucid.cli.streams import say, warn
from pellucid.settings.settings import Settings

if TYPE_CHECKING:
    from rich.live import Live

    from pellucid.preparation.folds import Folds
    from pellucid.preparation.grid import Grid
    from pellucid.selection.comparison import Compared, Comparison
    from pellucid.training.history import Epoch

__all__ = ["compare", "with_lists"]

_LONG = 300.0  # seconds: shorter comparisons start without asking
_ROWS_WITH_ONE_VALUE = ("data", "split")  # sections


def with_lists(command: Callable[..., None]) -> Callable[..., None]:
    """Give ``command`` the options of the settings; each may be repeated or take values separated by commas.

    ``--hidden`` and ``--channels`` contain commas themselves, so they can only be repeated. A switch is compared by
    giving it both ways (``--batch-norm --no-batch-norm``). The command gets what the user wrote as ``settings``.
    """
    own = inspect.signature(command, eval_str=True)
    given = inspect.signature(with_settings(_stub)).parameters
    each_of = {each.name: each for each in fields(Settings) if each.metadata["section"] != "outcome"}
    options = [option for each in each_of.values() for option in _options(each, given[each.name])]
    names = {option.name for option in options}

    @functools.wraps(command)
    def wrapped(**arguments: Any) -> None:
        written = {name: v for name, v in arguments.items() if name in names and v not in (None, [], False)}
        others = {name: v for name, v in arguments.items() if name not in names}
        settings = {name: value for each in each_of.values() for name, value in _read(each, written)}
        command(**others, settings=settings)

    rest = [p for p in own.parameters.values() if p.name != "settings"]
    wrapped.__signature__ = own.replace(parameters=rest + options)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in rest + options}
    return wrapped


def _stub(*, config: str | None = None, settings: dict[str, Any]) -> None:
    """Carries the options of the settings."""


def _options(each: Any, usual: inspect.Parameter) -> list[inspect.Parameter]:
    """The option of one setting; of a switch two, one a way."""
    kind, option = get_args(usual.annotation)
    if each.metadata["is_flag"]:
        dashed = each.name.replace("_", "-")
        ways = {each.name: f"--{dashed}", f"no_{each.name}": f"--no-{dashed}"}
        panel = option.rich_help_panel
        helps = dict(zip(ways, (option.help, f"Turn {dashed} off; give both options to compare the two."), strict=True))
        return [_parameter(n, bool, typer.Option(w, help=helps[n], rich_help_panel=panel)) for n, w in ways.items()]
    return [_parameter(each.name, kind if kind == list[str] | None else list[str] | None, option)]


def _parameter(name: str, kind: Any, option: Any) -> inspect.Parameter:
    default = False if kind is bool else None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


def _read(each: Any, written: dict[str, Any]) -> list[tuple[str, Any]]:
    """The setting's name and value or list of values, if it was written at all."""
    if each.metadata["is_flag"]:
        ways = [way for way, name in ((True, each.name), (False, f"no_{each.name}")) if name in written]
        return [(each.name, ways)] if ways else []
    if each.name not in written:
        return []
    texts = written[each.name]
    if each.name in ("hidden", "channels") or isinstance(each.default, tuple):
        return [(each.name, texts)]
    if each.metadata["section"] in _ROWS_WITH_ONE_VALUE:  # a column's name may hold a comma
        return [(each.name, texts)] if len(texts) > 1 else [(each.name, texts[0])]
    return [(each.name, [part.strip() for text in texts for part in text.split(",")])]


@with_lists
def compare(
    data: Annotated[str | None, typer.Argument(help="A table, images, or a built-in data set.")] = None,
    *,
    config: Annotated[str | None, typer.Option("-c", "--config", help="A config.yaml; options override it.")] = None,
    folds: Annotated[int, typer.Option(help="Number of folds.", metavar="K")] = 5,
    metric: Annotated[
        str | None, typer.Option(help="The metric to compare; default: roc_auc, accuracy or rmse.", metavar="WORD")
    ] = None,
    out: Annotated[str | None, typer.Option(help="The output folder; default: runs/<name>-comparison-<n>.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the comparison in --out.")] = False,
    limit: Annotated[int, typer.Option(help="Refuse more combinations than this.", metavar="N")] = 200,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a long comparison.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the result.")] = False,
    settings: dict[str, Any],
) -> None:
    """Compare settings on DATA: every combination on the same folds.

    Repeat an option, or separate its values by commas: --hidden 64 --hidden 128,64 --activation relu,silu
    """
    from pellucid.errors import NotKeptError
    from pellucid.selection.compare import compare as workflow

    display, unwritten = None if json or quiet else _Display(yes=yes), None
    try:
        found = workflow(
            data, config=config, folds=folds, metric=metric, out=out, overwrite=overwrite, save=True, limit=limit,
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
        if quiet:
            warn(found.notes_on_rows)
        _show(found)
    if unwritten is not None:
        raise unwritten
    if found.is_interrupted:
        raise typer.Exit(130)
    if found.best.scores.diverged:
        raise typer.Exit(1)


def _show(found: Comparison) -> None:
    from rich.markup import escape
    from rich.table import Table

    from pellucid.cli.console import console, notes

    headings, rows = found.table()
    table = Table(title="Best first", title_justify="left", box=None, pad_edge=False, header_style="bold")
    varied = len(found.best.values)
    for place, heading in enumerate(headings):
        left = place < varied or not heading
        shown = heading.replace("_", "\n") if place < varied else heading.replace("95 % ", "95 %\n")
        # In a narrow terminal an interval may take two lines, a setting's value none less than it has.
        least = max(len(row[place]) for row in rows) if " – " not in rows[0][place] + rows[-1][place] else None
        table.add_column(escape(shown), justify="left" if left else "right", min_width=least, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)
    for sentence in found.sentences():
        console.print(escape(sentence))
    notes(found.notes)
    notes(f"{row.label} diverged in {row.scores.problem}" for row in found.rows if row.scores.diverged)
    console.print(f"\nTable, figure and best.yaml are in {found.path}", soft_wrap=True, markup=False)
    if not found.best.scores.diverged:
        console.print("Command for the best setting:", soft_wrap=True)
        console.print(found.command, soft_wrap=True, markup=False)


class _Display:
    """A line for each finished combination and, on a terminal, a live line for the current one."""

    def __init__(self, *, yes: bool) -> None:
        self._yes = yes
        self._total = self._folds = 0
        self._live: Live | None = None

    def began(self, folds: Folds, grid: Grid, metric: str) -> None:
        """Say what was read, how it is split and how many trainings there are."""
        from rich.markup import escape

        from pellucid.cli.console import console, notes, reading_line
        from pellucid.evaluation.names import name_of_metric

        self._total, self._folds = len(grid), len(folds)
        console.print(escape(reading_line(folds.base.table.report)))
        notes(folds.notes)
        held, tested = sum(len(split.test) for split in folds.splits), folds.base.measured
        test = f"; {len(tested.rows):,} test rows are set aside" if tested.name == "test" else ""
        console.print(escape(f"{folds.how}, {held:,} rows{test}"))
        n = len(grid) * len(folds)
        console.print(f"{len(grid)} combinations × {len(folds)} folds = {n:,} trainings, by {name_of_metric(metric)}\n")
        self._open()

    def epoch(self, combination: int, fold: int, epoch: Epoch) -> None:
        """Move the live line."""
        if self._live:
            where = f"combination {combination}/{self._total}  fold {fold}/{self._folds}"
            self._live.update(f"{where}  epoch {epoch.epoch}  validation {epoch.validation_loss:.4f}")

    def scored(self, row: Compared, left: int, seconds_left: float) -> bool:
        """Print the score; after the first, say how long the rest will take, and ask if that is long."""
        from rich.markup import escape

        from pellucid.cli.console import console
        from pellucid.evaluation.names import name_of_metric
        from pellucid.selection.comparison import shown_number

        number, scores = self._total - left, row.scores
        value = "diverged" if scores.diverged else f"{name_of_metric(scores.metric)} {shown_number(scores.mean)}"
        console.print(escape(f"{number}/{self._total}  {row.label}: {value}  ({scores.seconds:.1f} s)"))
        if number > 1 or not left:
            return True
        console.print(
            f"the other {left} will take about {_span(seconds_left)} if each takes as long; "
            "Ctrl-C keeps the results so far"
        )
        return self._yes or seconds_left < _LONG or self._agreed()

    def measuring(self, best: Compared) -> None:
        """Say that the best setting is trained once more."""
        if self._live:
            self._live.update("measuring the best on the test rows")

    def close(self) -> None:
        """Release the terminal."""
        if self._live:
            self._live.stop()
            self._live = None

    def _open(self) -> None:
        from rich.live import Live

        from pellucid.cli.console import console

        if console.is_terminal:
            self._live = Live("", console=console, transient=True, refresh_per_second=8)
            self._live.start()

    def _agreed(self) -> bool:
        """Ask at a terminal; a script continues without asking."""
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return True
        self.close()
        try:
            answer = typer.confirm("Continue?", default=True)
        except typer.Abort:
            answer = False
        self._open()
        return answer


def _span(seconds: float) -> str:
    """A time in words.

    >>> _span(3.4), _span(200), _span(9000)
    ('3 s', '3 min', '2.5 h')
    """
    if seconds < 90:
        return f"{max(1.0, seconds):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
