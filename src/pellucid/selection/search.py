"""A search for good settings: TPE proposes, folds score, poor trials end early, test rows are used once."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from pellucid.errors import DataError, DivergenceError, NotKeptError, RunFolderError, SettingError, StorageError
from pellucid.evaluation.names import HIGHER_IS_BETTER
from pellucid.evaluation.paired import METRICS as PAIRED
from pellucid.evaluation.paired import paired_differences
from pellucid.io.files import could_not, sweep
from pellucid.io.lock import locked
from pellucid.preparation.folds import Folds, cut_folds
from pellucid.preparation.grid import train_command
from pellucid.preparation.prepare import settings_for
from pellucid.runs.folder import refuse_link
from pellucid.runs.reads import check_output
from pellucid.runs.run import Run
from pellucid.selection.cross_validate import FoldScores, by_fold, check_ensemble, cross_validate, metric_for
from pellucid.selection.search_result import FILES, OnTest, Search, Tried, location, tried
from pellucid.selection.search_space import Space, space_for, starting_values
from pellucid.selection.search_study import Study, identity_of, is_journal, need_optuna
from pellucid.settings.config import read_config
from pellucid.settings.settings import Settings, setting_names
from pellucid.training.history import Epoch
from pellucid.training.interrupt import listening_for_interrupt
from pellucid.workflow.train import train

__all__ = ["MINUTES", "Watcher", "search"]

MINUTES = 5.0  # where neither minutes nor trials are given
JOURNAL = "study.journal"
_WRITTEN = (FILES["json"], FILES["csv"], FILES["best"], FILES["figure"], "search.svg")

Reason = Literal["the trials are done", "the time is over", "interrupted"]


class Watcher(Protocol):
    """Receives the progress of a search; the command line shows it."""

    def began(self, folds: Folds, space: Space, metric: str, known: int, folder: Path) -> None:
        """The table has been read and split, and the study opened.

        Parameters
        ----------
        folds, space, metric, known, folder
            What is searched and scored, how many trials were begun before, and where the study is kept.
        """

    def epoch(self, trial: int, fold: int, epoch: Epoch) -> None:
        """An epoch of a trial has ended."""

    def tried(self, trial: Tried, best: Tried | None) -> None:
        """A trial has ended; ``best`` is the best of all so far."""

    def measuring(self) -> None:
        """The best and the default setting are trained once more, to be measured on the test rows."""


class _BrokenOff(Exception):  # noqa: N818 - not an error
    """Ends a running trial; holds the reason."""


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A running search."""

    source: object
    folds: Folds
    space: Space
    metric: str
    higher_is_better: bool
    study: Study
    folder: Path
    watcher: Watcher | None
    deadline: float
    trials: float
    interrupted: Callable[[], bool] = lambda: False

    def why_stop(self) -> Reason | None:
        """Why to start no further trial, or None; the first trial always starts."""
        if self.interrupted():
            return "interrupted"
        if self.study.begun() >= self.trials:
            return "the trials are done"
        if time.monotonic() > self.deadline and self.study.has_score():
            return "the time is over"
        return None


def search(
    data: object,
    target: str | None = None,
    *,
    minutes: float | None = None,
    trials: int | None = None,
    folds: int = 3,
    metric: str | None = None,
    config: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    storage: str | None = None,
    watcher: Watcher | None = None,
    **settings: Any,
) -> Search:
    """Search for settings that do well on this table.

    Each trial is scored on the same folds; the first is the default setting. A trial ends early if its mean over the
    folds so far is worse than that of half the trials. The test rows, those of `pellucid.train`, are in no fold: at the
    end, the best and the default setting are trained on all other rows and measured on them.

    The same call on the same folder continues its study. Several processes, and machines with a common folder or
    database, can share one; each counts its own minutes, and ``trials`` counts those of all.

    Parameters
    ----------
    data, target, config
        As for `pellucid.train`.
    minutes
        Time limit, also for the running trial; default: 5, unless ``trials`` is given. The final test adds to it.
    trials
        Stop when the study has this many.
    folds
        The number of folds, from 2 to 100.
    metric
        The metric to optimise; default: ROC AUC for two classes, accuracy for more, RMSE for numbers. Others:
        ``log_loss``, ``balanced_accuracy``, ``mae`` …
    out
        The folder of the study and the results; default: ``runs/<name>-search``.
    storage
        Where the study is kept, if not in the folder: a file for a journal, or the URL of a database such as
        ``sqlite:///study.db`` (for several processes on one machine, prefer the journal).
    settings
        Any setting of `pellucid.Settings`: those given are fixed, the others are searched
        (`pellucid.selection.search_space` lists them and their ranges). The seed is also that of the search.

    Returns
    -------
    Search
        With ``best``, ``settings``, ``command``, ``trials``, ``on_test``, ``figure()``; after Ctrl-C, results so far.

    Raises
    ------
    SettingError
        Optuna is missing, a setting cannot be used, or the study belongs to another search.
    DataError
        The table cannot be used, or is too small for so many folds.
    StorageError
        The study cannot be read or written.

    >>> import tempfile
    >>> fixed = {"hidden": (8,), "epochs": 10, "engine": "textbook"}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = search("iris", trials=2, out=folder, **fixed)
    >>> len(found.trials), found.on_test.n_rows
    (2, 30)
    """
    need_optuna()
    _check_budget(minutes, trials)
    began = time.monotonic()
    from_file, file_data = ({}, None) if config is None else read_config(config)
    given = {**from_file, **settings, **({} if target is None else {"target": target})}
    source = data if data is not None else file_data
    if source is None:
        raise SettingError("no table was given: data must be a path, a built-in name (see 'pellucid data'), or a frame")
    asked = settings_for(source, starting_values(source, given), given)
    reads, written = [source, config, asked.test_data], [JOURNAL, *_WRITTEN]
    for place in () if storage is None or "://" in storage else (storage,):
        check_output(place, data=reads)
    if out is not None:
        check_output(out, data=reads, names=written)
    cut = cut_folds(source, asked, folds=folds)
    name = metric_for(cut.base.task, metric)
    check_ensemble(cut.base.settings)
    space = space_for(cut, name, _fixed(from_file, given))
    folder = _folder(out, cut.base.name, has_journal=storage is None)
    try:
        study = Study(
            storage or str(folder / JOURNAL),
            identity_of(cut, space, name),
            space,
            higher_is_better=name in HIGHER_IS_BETTER,
            seed=cut.base.settings.seed,
        )
    except BaseException:
        with suppress(OSError):
            folder.rmdir()  # if it is empty
        raise
    limit = math.inf if minutes is None and trials is not None else 60 * (MINUTES if minutes is None else minutes)
    job = _Job(
        source=source,
        folds=cut,
        space=space,
        metric=name,
        higher_is_better=name in HIGHER_IS_BETTER,
        study=study,
        folder=folder,
        watcher=watcher,
        deadline=began + limit,
        trials=math.inf if trials is None else trials,
    )
    return _run(job)


def _run(job: _Job) -> Search:
    if job.watcher:
        job.watcher.began(job.folds, job.space, job.metric, job.study.begun(), job.folder)
    with listening_for_interrupt() as interrupted:
        listening = replace(job, interrupted=interrupted)
        while (reason := listening.why_stop()) is None:
            _one_trial(listening)
    found = _concluded(job, reason)
    _save(found, found.save_table)
    if reason != "interrupted":
        on_test, run, note = _measured(job, found)
        found = replace(found, on_test=on_test, run=run, notes=(*found.notes, *([note] if note else [])))
    _save(found, found.save)
    return found


def _save(found: Search, save: Callable[[], None]) -> None:
    """Write the files; several processes may share the folder, so one at a time."""
    try:
        with locked(found.path, wait=True):
            sweep(found.path, _WRITTEN.__contains__)
            save()
    except StorageError as error:
        raise NotKeptError(f"{error}; the study is kept, and the same command continues it", found) from error


def _one_trial(job: _Job) -> None:
    """Ask for a setting, score it on the folds and report the result; the trial always ends."""
    trial, values = job.study.ask()
    began, scores = time.perf_counter(), list[float]()

    def on_epoch(fold: int, epoch: Epoch) -> None:
        if job.watcher:
            job.watcher.epoch(trial.number, fold, epoch)
        if job.interrupted():
            raise _BrokenOff("interrupted")
        if time.monotonic() > job.deadline and job.study.has_score():
            raise _BrokenOff("the time was over")

    def on_fold(fold: int, score: float) -> bool:
        if math.isnan(score):
            return True
        scores.append(float(score))
        return job.study.prune(trial, fold, sum(scores) / len(scores)) and fold < len(job.folds)

    state, score, problem = "fail", None, None
    try:
        settings = job.space.settings(values)
        found = cross_validate(job.folds, settings, metric=job.metric, listener=by_fold(on_epoch), on_fold=on_fold)
        state, score, problem = _state_of(found)
    except _BrokenOff as why:
        problem = str(why)
    except (SettingError, DataError) as error:  # values that do not fit together
        state, problem = "pruned", str(error)
    except BaseException:
        job.study.tell(trial, "fail", None, {"problem": "it was interrupted"})
        raise
    facts = {"folds": scores, "seconds": time.perf_counter() - began}
    job.study.tell(trial, state, score, facts if problem is None else {**facts, "problem": problem})
    if job.watcher:
        trials = tried(job.study.trials(), job.space)
        ended = next(each for each in trials if each.number == trial.number)
        ranked = _ranked(trials, job.higher_is_better)
        job.watcher.tried(ended, ranked[0] if ranked else None)


def _state_of(found: FoldScores) -> tuple[str, float | None, str | None]:
    """How a trial ended, its score if it has one, and what went wrong."""
    if found.diverged:
        return "pruned", None, found.problem
    return ("complete", found.mean, None) if found.is_complete else ("pruned", None, None)


# ── the end ───────────────────────────────────────────────────────────────────────────────────────────────────


def _concluded(job: _Job, reason: Reason) -> Search:
    """What the study holds now."""
    trials = tried(job.study.trials(), job.space)
    ranked = _ranked(trials, job.higher_is_better)
    if not ranked:
        problem = next((trial.problem for trial in trials if trial.problem is not None), None)
        raise SettingError(
            f"no trial was scored on all folds{f' (the first problem: {problem})' if problem else ''}: allow more time "
            "or trials, or check the settings that you fixed"
        )
    best = Settings.of(job.space.fixed.to_json(), ranked[0].values)
    return Search(
        trials=trials,
        metric=job.metric,
        higher_is_better=job.higher_is_better,
        settings=best,
        command=train_command(job.source, best),
        storage=job.study.where,
        path=job.folder,
        how=f"{job.folds.how}, {sum(len(split.test) for split in job.folds.splits):,} rows",
        data=location(job.source),
        importances=job.study.importances(),
        stopped_by=reason,
        notes=tuple(dict.fromkeys(job.folds.notes)),
    )


def _measured(job: _Job, found: Search) -> tuple[OnTest | None, Run | None, str | None]:
    """The best and the default setting, trained and measured on the test rows; or why not."""
    if job.folds.base.measured.name != "test":
        return None, None, "there are no test rows, so the best setting was measured only by its folds"
    if job.watcher:
        job.watcher.measuring()
    default, runs = job.space.fixed, []
    for settings in (found.settings, default):
        try:
            run = train(job.source, **{**settings.to_json(), "verdict": False})
        except DivergenceError as error:
            return None, None, f"trained on all rows outside the test part, a network diverged: {error}"
        except KeyboardInterrupt:
            return None, None, "interrupted before the best setting was measured on the test rows"
        runs.append(run)
    best_run, default_run = runs
    n_rows = int(best_run.summary["rows"]["test"])
    better_by = None
    if job.metric in PAIRED:
        better_by = _difference(job, found.settings, default, best_run, default_run)
    on_test = OnTest(
        n_rows=n_rows,
        best=best_run.metrics[job.metric],
        default=default_run.metrics[job.metric],
        better_by=better_by,
        times_before=job.study.count_measurement(),
    )
    return on_test, best_run, None


def _difference(job: _Job, best: Settings, default: Settings, best_run: Run, default_run: Run) -> Any:
    """How much better the best setting is on the same test rows, with its interval."""
    from pellucid.preparation.prepare import prepare

    held = job.folds.base.measured
    answers = []
    for settings, run in ((best, best_run), (default, default_run)):
        answers.append(np.asarray(run.model.answers_to(prepare(job.source, settings).measured.inputs)))
    _, (difference,) = paired_differences(
        job.metric,  # type: ignore[arg-type]
        held.truth,
        answers,
        groups=held.groups,
    )
    return difference


def _ranked(trials: tuple[Tried, ...], higher_is_better: bool) -> list[Tried]:
    sign = -1.0 if higher_is_better else 1.0
    complete = (trial for trial in trials if trial.state == "complete")
    return sorted(complete, key=lambda trial: (sign * trial.score, trial.number))


# ── before anything is trained ────────────────────────────────────────────────────────────────────────────────


def _check_budget(minutes: float | None, trials: int | None) -> None:
    if minutes is not None and (isinstance(minutes, bool) or not 0 < minutes < math.inf):
        raise SettingError(f"minutes must be above 0 and finite, got {minutes!r}")
    if trials is not None and (isinstance(trials, bool) or not isinstance(trials, int) or trials < 1):
        raise SettingError(f"trials must be a whole number of at least 1, got {trials!r}")


def _fixed(from_file: Mapping[str, Any], given: Mapping[str, Any]) -> set[str]:
    """The settings that are not searched: those that were given, and those that a config file changes.

    A config file may hold every setting; those at their default are still searched.
    """
    plain = Settings()
    changed = Settings.of({**from_file})
    return {
        name
        for name in setting_names()
        if name in given and (name not in from_file or getattr(changed, name) != getattr(plain, name))
    }


def _folder(out: str | os.PathLike[str] | None, name: str, *, has_journal: bool) -> Path:
    path = Path("runs") / f"{name}-search" if out is None else Path(out)
    if path.exists() and not path.is_dir():
        raise RunFolderError(f"{str(path)!r} is a file: give a folder for the search")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(could_not("write", path, error)) from error
    if has_journal:
        refuse_link(path / JOURNAL)
    there = [name for name in _WRITTEN if os.path.lexists(path / name)]
    if there and not is_journal(path / JOURNAL) and not _is_search(path):
        raise RunFolderError(
            f"the folder {str(path)!r} holds {there[0]!r} but no search, so nothing in it is replaced: choose "
            "another with out (--out)"
        )
    return path


def _is_search(path: Path) -> bool:
    """Whether a folder holds the results of a search."""
    try:
        facts = json.loads((path / FILES["json"]).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(facts, dict) and {"best_trial", "storage", "settings"} <= set(facts)
