"""Settings compared on the same folds: the best, those that tie with it, and its result on the test rows."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from pellucid.errors import DivergenceError, NotKeptError, RunFolderError, SettingError, StorageError
from pellucid.io.files import could_not, is_aside, sweep
from pellucid.io.lock import locked
from pellucid.preparation.folds import ROW_SETTINGS, Folds, cut_folds, prepare_fold
from pellucid.preparation.grid import Grid, made_of, train_command
from pellucid.preparation.members import n_learned_from
from pellucid.runs.plan import auto_batch_size
from pellucid.runs.reads import check_output
from pellucid.runs.run import Run
from pellucid.selection.comparison import FILES, Compared, Comparison, Measured, ranked
from pellucid.selection.cross_validate import by_fold, check_ensemble, cross_validate, metric_for
from pellucid.settings.config import read_config
from pellucid.settings.settings import Settings
from pellucid.training.history import Epoch
from pellucid.training.loop import check_batches
from pellucid.workflow.train import train

__all__ = ["LIMIT", "Watcher", "compare"]

LIMIT = 200  # combinations
_is_ours = frozenset(FILES.values()).__contains__
_CAN_CLASH = ("loss", "class_weight", "label_smoothing", "batch_norm", "batch_size", "number_encoding", "bins_by")


class Watcher(Protocol):
    """Receives the progress of a comparison; the command line shows it."""

    def began(self, folds: Folds, grid: Grid, metric: str) -> None:
        """The table has been read and split, and every combination checked."""

    def epoch(self, combination: int, fold: int, epoch: Epoch) -> None:
        """An epoch has ended; both numbers count from 1."""

    def scored(self, row: Compared, left: int, seconds_left: float) -> bool:
        """A combination has been scored and ``left`` remain, for about ``seconds_left``; false ends the comparison."""
        raise NotImplementedError

    def measuring(self, best: Compared) -> None:
        """The best setting is trained once more, to be measured on the test rows."""


@dataclass(kw_only=True)
class _Job:
    """A running comparison."""

    source: object
    folds: Folds
    grid: Grid
    metric: str
    watcher: Watcher | None
    folder: Path | None
    rows: list[Compared] = field(default_factory=list)


def compare(
    data: object,
    target: str | None = None,
    *,
    folds: int = 5,
    metric: str | None = None,
    config: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    save: bool | None = None,
    limit: int = LIMIT,
    watcher: Watcher | None = None,
    **settings: Any,
) -> Comparison:
    """Train every combination of the given settings on the same folds, and say which is best.

    The test rows are those of `pellucid.train`, and in no fold: only the best setting is trained once more on all other
    rows and measured on them.

    Parameters
    ----------
    data, target, config
        As for `pellucid.train`.
    folds
        The number of folds, from 2 to 100.
    metric
        The metric; default: ROC AUC for two classes, accuracy for more, RMSE for numbers. Others: ``log_loss``,
        ``mae`` …
    out, save
        A folder for the table, the figure and ``best.yaml``; with ``save`` and no ``out``
        ``runs/<name>-comparison-<n>``. Without both, nothing is written.
    overwrite
        Whether to replace a comparison in ``out``.
    limit
        The maximum number of combinations.
    settings
        Any setting of `pellucid.Settings`; those of preprocessing, network, training and machine may be lists of
        values: ``hidden=[(64,), (128, 64)], activation=["relu", "silu"]``.

    Returns
    -------
    Comparison
        With ``rows``, ``best``, ``cheapest``, ``measured``, ``figure()``, ``to_csv()``, ``to_markdown()``, ``command``.
        After Ctrl-C it holds the combinations scored so far.

    Raises
    ------
    SettingError, DataError
        A setting or the table cannot be used, nothing varies, or there are more combinations than ``limit``.

    >>> import pellucid
    >>> found = compare("iris", hidden=[(), (8,)], epochs=20, learning_rate=0.02, folds=3)
    >>> len(found.rows), found.best.is_best, found.measured.n_rows
    (2, True, 30)
    """
    from_file, file_data = ({}, None) if config is None else read_config(config)
    given = dict(settings) if target is None else {**settings, "target": target}
    source = data if data is not None else file_data
    if source is None:
        raise SettingError("no table was given: data must be a path, a built-in name (see 'pellucid data'), or a frame")
    grid = made_of(source, from_file, given)
    _check_size(grid, limit)
    if out is not None:
        check_output(out, data=[source, config, grid.combinations[0].test_data], names=FILES.values())
    cut = cut_folds(source, grid.combinations[0], folds=folds)
    grid = _resolved(grid, cut)
    _check_combinations(grid, cut)
    job = _Job(
        source=source, folds=cut, grid=grid, metric=metric_for(cut.base.task, metric), watcher=watcher, folder=None
    )
    with ExitStack() as held:
        if out is not None or save:
            job.folder = _folder(out, cut.base.name, overwrite=overwrite)
            held.callback(_remove_if_empty, job.folder)
            held.enter_context(locked(job.folder))
            _check_replaceable(job.folder, overwrite=overwrite)  # another one may have started in it
            sweep(job.folder, _is_ours)
        return _run(job)


def _run(job: _Job) -> Comparison:
    if job.watcher:
        job.watcher.began(job.folds, job.grid, job.metric)
    interrupted = False
    try:
        for number, chosen in enumerate(job.grid.combinations, start=1):
            if not _score(job, number, chosen):
                break
    except KeyboardInterrupt:
        if not job.rows:
            raise
        interrupted = True
    notes = []
    if len(job.rows) < len(job.grid):
        notes.append(
            f"ended after {len(job.rows)} of {len(job.grid)} combinations: the others were not scored, and the best of "
            "these was not measured on the test rows"
        )
        found = _comparison(job, notes, is_interrupted=interrupted)
    else:
        measured, run, why_not = _measure(job)
        notes += [why_not] if why_not else []
        found = _comparison(job, notes, measured=measured, run=run, is_interrupted=why_not == _NOT_MEASURED)
    if job.folder is not None:
        _save(job, found, found.save)
    return found


def _save(job: _Job, found: Comparison, save: Callable[[Path], None]) -> None:
    assert job.folder is not None
    try:
        save(job.folder)
    except StorageError as error:
        scored = f"{len(job.rows)} of {len(job.grid)} combinations are scored"
        raise NotKeptError(f"{error}; {scored}, only their files are missing or out of date", found) from error


def _score(job: _Job, number: int, chosen: Settings) -> bool:
    """Score one combination and keep it; returns whether to continue."""
    watcher = job.watcher

    def on_epoch(fold: int, epoch: Epoch) -> None:
        if watcher:
            watcher.epoch(number, fold, epoch)

    scores = cross_validate(job.folds, chosen, metric=job.metric, listener=by_fold(on_epoch))
    row = Compared(values=job.grid.values(chosen), settings=chosen, scores=scores)
    job.rows.append(row)
    if job.folder is not None:
        if len(job.rows) == 1:
            _forget_older(job.folder)
        so_far = _comparison(job, [])
        _save(job, so_far, so_far.save_table)
    left = len(job.grid) - len(job.rows)
    each = sum(row.scores.seconds for row in job.rows) / len(job.rows)
    return watcher is None or watcher.scored(row, left, each * left)


def _comparison(job: _Job, notes: Sequence[str], **facts: Any) -> Comparison:
    rows = ranked(job.rows)
    source = job.source
    return Comparison(
        rows=rows,
        how=job.folds.how,
        n_rows=sum(len(split.test) for split in job.folds.splits),
        wanted=len(job.grid),
        command=train_command(source, rows[0].settings),
        data=os.fspath(source) if isinstance(source, str | os.PathLike) else None,
        notes=tuple(notes),
        notes_on_rows=job.folds.notes,
        path=job.folder,
        **facts,
    )


def _measure(job: _Job) -> tuple[Measured | None, Run | None, str | None]:
    """The best setting trained and measured on the test rows; or why not."""
    best = ranked(job.rows)[0]
    if best.scores.diverged:
        return None, None, None
    if job.folds.base.measured.name != "test":
        return None, None, "there are no test rows, so the best setting was measured only by its folds"
    settings = {**best.settings.to_json(), "verdict": False}
    try:
        if job.watcher:
            job.watcher.measuring(best)
        run = train(job.source, **settings)
    except DivergenceError as error:
        return None, None, f"trained on all rows outside the test part, the best setting diverged: {error}"
    except KeyboardInterrupt:
        return None, None, _NOT_MEASURED
    n_rows = int(run.summary["rows"]["test"])
    return Measured(value=run.metrics[job.metric], n_rows=n_rows), run, None


_NOT_MEASURED = "interrupted before the best setting was measured on the test rows"


# ── before anything is trained ────────────────────────────────────────────────────────────────────────────────


def _check_size(grid: Grid, limit: int) -> None:
    if len(grid) < 2:
        raise SettingError(
            "there is nothing to compare, because every setting has one value: give several values, such as "
            "--hidden 64 --hidden 128,64 or --activation relu,silu (hidden=[(64,), (128, 64)], "
            "activation=['relu', 'silu'])"
        )
    if len(grid) > limit:
        counts = " × ".join(f"{len(values)} {name}" for name, values in grid.varied.items())
        raise SettingError(
            f"{counts} are {len(grid):,} combinations, but the limit is {limit:,}: give fewer values, or raise the "
            "limit (--limit)"
        )


def _resolved(grid: Grid, folds: Folds) -> Grid:
    """The grid with the names of columns as reading the table has resolved them."""
    known = {name: getattr(folds.base.settings, name) for name in ROW_SETTINGS}
    return replace(grid, combinations=tuple(replace(each, **known) for each in grid.combinations))


def _check_combinations(grid: Grid, folds: Folds) -> None:
    """Refuse values that do not fit together, or do not fit this table, before training."""
    seen: set[tuple[Any, ...]] = set()
    for chosen in grid.combinations:
        check_ensemble(chosen)
        key = (chosen.residual and chosen.hidden, *(getattr(chosen, name) for name in _CAN_CLASH))
        if key in seen:
            continue
        seen.add(key)
        fold = prepare_fold(folds, 0, chosen)
        count = n_learned_from(fold)
        check_batches(fold.network, count, chosen.batch_size or auto_batch_size(count))


def _folder(out: str | os.PathLike[str] | None, name: str, *, overwrite: bool) -> Path:
    try:
        if out is None:
            return _free_folder(Path("runs"), f"{name}-comparison")
        path = Path(out)
        if path.exists() and not path.is_dir():
            raise RunFolderError(f"{str(path)!r} is a file: give a folder for the comparison")
        if path.is_dir():
            _check_replaceable(path, overwrite=overwrite)
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(could_not("write", out or "runs", error)) from error
    return path


def _check_replaceable(path: Path, *, overwrite: bool) -> None:
    """Raise if the folder may not be used; with ``overwrite``, only a comparison is replaced."""
    if all(is_aside(each.name, _is_ours) for each in path.iterdir()):
        return
    if not _is_comparison(path):
        raise RunFolderError(
            f"the folder {str(path)!r} is not empty and holds no comparison, so nothing in it is replaced: choose "
            "another with out (--out)"
        )
    if not overwrite:
        raise RunFolderError(
            f"the folder {str(path)!r} is not empty: choose another with out (--out), or replace the comparison "
            "in it with --overwrite"
        )


def _is_comparison(path: Path) -> bool:
    """Whether a folder holds a comparison, complete or not."""
    try:
        facts = json.loads((path / FILES["json"]).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(facts, dict) and {"combinations", "rows", "settings_of_the_best"} <= set(facts)


def _forget_older(path: Path) -> None:
    """Remove the figure and the best setting of the replaced comparison, before its table is replaced."""
    try:
        for what in ("figure", "best"):
            (path / FILES[what]).unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(could_not("remove", path, error)) from error


def _remove_if_empty(path: Path) -> None:
    with suppress(OSError):
        path.rmdir()


def _free_folder(parent: Path, name: str) -> Path:
    number = 1
    while True:
        path = parent / f"{name}-{number}"
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            if parent.exists() and not parent.is_dir():
                raise
            number += 1
        else:
            return path
