"""``report.html``: everything about a run on one page, the summary first.

The page holds at most 50 rows of the user's table, and none with ``rows=False``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

from pellucid.errors import RunFolderError
from pellucid.inspection.rows import rows_that_measured
from pellucid.io.files import write_text
from pellucid.preparation.continuing import prepare_text
from pellucid.preparation.members import prepare_run
from pellucid.preparation.prepare import Prepared
from pellucid.reports.blocks import Block, Section
from pellucid.reports.continued import write_text_report
from pellucid.reports.page import page
from pellucid.reports.parts import behaviour, forecast, outcome, steps, summary, training
from pellucid.reports.parts.report_input import ReportInput
from pellucid.runs.folder import RunFolder
from pellucid.runs.reads import check_output
from pellucid.runs.run import Run
from pellucid.settings.config import is_there_again, read_config, trained_on
from pellucid.settings.settings import Settings

__all__ = ["report", "write_report"]


def report(run: str | os.PathLike[str], *, rows: bool = True, out: str | os.PathLike[str] | None = None) -> Path:
    """Write the report of a run again, to its folder or to ``out``; returns its path.

    Parameters
    ----------
    run
        A run folder, whose table is read again.
    rows
        Whether the page may show rows of the table (at most 50).
    out
        The path of the page; default: ``report.html`` in the run folder.

    Raises
    ------
    RunFolderError
        The run has not ended, its table was in memory, or another process is writing it.
    SettingError
        ``out`` is a file of the run, or its table.
    DataError
        The table cannot be read again.

    >>> import tempfile
    >>> import pellucid
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> run = pellucid.train("iris", preset="plain", hidden=(4,), epochs=3, verdict=False, out=folder)
    >>> report(folder).name
    'report.html'
    """
    folder = RunFolder.existing(run)
    if not folder.is_finished:
        raise RunFolderError(f"{os.fspath(run)!r} has not ended: continue it ({folder.command('train', '--resume')})")
    written, source = read_config(folder.file("config"))
    if source is None or not is_there_again(source):
        raise RunFolderError(f"{trained_on(source)}: train with out=…, which writes the report")
    if out is not None:
        check_output(out, run=folder.path, own="report")
    with folder.writing("report") if out is None else nullcontext():
        settings = Settings.of(written)
        if settings.task == "continuation":
            text = prepare_text(source, settings)
            return write_text_report(Run.open(run), text, source=source, rows=rows, out=out)
        prepared = prepare_run(source, settings)
        return write_report(Run.open(run), prepared, source=source, rows=rows, out=out)


def write_report(
    run: Run, prepared: Prepared, *, source: object, rows: bool = True, out: str | os.PathLike[str] | None = None
) -> Path:
    """`report` of a run in memory.

    Parameters
    ----------
    run, prepared
        The run, and its rows as they were prepared.
    source
        Where the table is, as the report names it; a file is named without its folder.
    rows
        Whether the page may show rows of the table (at most 50).
    out
        The path of the page; default: ``report.html`` in the run's folder. A run without a folder needs it.

    Raises
    ------
    StorageError
        The page cannot be written.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    assert run.path is not None or out is not None
    target = Path(out) if out is not None else RunFolder(run.path or ".").file("report")
    name = run.path.name if run.path is not None else prepared.name
    # Many short matrix products: two threads take three times as long if a core is busy.
    with threadpool_limits(limits=1):
        measured = rows_that_measured(run.model, prepared)
        given = ReportInput(
            run=run,
            prepared=prepared,
            measured=measured,
            answers=run.model.answers_to(measured.features),
            source=source,
            shows_rows=rows,
        )
        write_text(target, page(f"Report of {name}", [_lead(given)], _sections(given)))
    return target


def _lead(given: ReportInput) -> str:
    """The task, and what the rows were used for."""
    facts = given.run.summary.get("rows", {})
    used = f"for training, {facts.get('validation', 0):,} for choosing the best epoch"
    if not given.prepared.n_choosing:
        used = "for training and for choosing the best epoch"
    elif not facts.get("validation"):
        used = "for training (each network chose its best epoch on a different part of them)"
    asked, n_rows = given.run.model.task.question, given.prepared.table.report.n_rows
    return (
        f"{asked[:1].upper()}{asked[1:]}. Of {n_rows:,} rows, {facts.get('train', 0):,} were used {used}, and "
        f"{len(given.measured.features):,} for measuring the result."
    )


# First what everybody wants to know; what experts look up is folded below its heading.
_PARTS: tuple[tuple[str, str, Callable[[ReportInput], Sequence[Block]]], ...] = (
    ("summary", "Summary", summary.in_short),
    ("forecasts", "Forecasts", forecast.forecasts),
    ("doctor", "Doctor", training.doctor),
    ("answers", "Predictions and errors", outcome.answers),
    ("importance", "Important columns", behaviour.importance),
    ("dependence", "Effect of each column", behaviour.dependence),
    ("steps", "What tokens and steps add", steps.rows_by_step),
    ("mistakes", "Worst mistakes", behaviour.worst),
)
_FOLDED: tuple[tuple[str, str, Callable[[ReportInput], Sequence[Block]]], ...] = (
    ("verdict", "Comparison with simpler models", outcome.verdict),
    ("metrics", "Metrics", outcome.metrics),
    ("data", "Data", training.data),
    ("network", "The network", training.network),
    ("learning", "Learning curves", training.learning),
    ("layers", "Inside the layers", training.layers),
    ("curves", "ROC and precision–recall curves", outcome.curves),
    ("calibration", "Calibration", outcome.calibrated),
    ("boundary", "Predictions over two columns", behaviour.boundary),
    ("seeds", "Effect of the seed", outcome.seeds),
    ("again", "Reproduce this run", training.again),
)


def _sections(given: ReportInput) -> list[Section]:
    made = [
        Section(name=name, title=title, blocks=tuple(part(given)), folded=folded)
        for parts, folded in ((_PARTS, False), (_FOLDED, True))
        for name, title, part in parts
    ]
    return [section for section in made if section.blocks]
