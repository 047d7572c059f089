"""From a table to a trained, measured and saved network, in one call."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pellucid.data.apart import joined, joined_test_rows
from pellucid.data.given import is_builtin
from pellucid.data.notes import FrameNote
from pellucid.errors import DivergenceError, NotKeptError, RunFolderError, SettingError, StorageError
from pellucid.io.lock import locked
from pellucid.model.predicting import warn_of
from pellucid.preparation.members import Member, members_of, prepare_run
from pellucid.preparation.prepare import Prepared, settings_for
from pellucid.reports.report import write_report
from pellucid.runs.checkpoint import read_state
from pellucid.runs.decided import decided
from pellucid.runs.events import RunPrepared, RunTrained
from pellucid.runs.folder import FILES, RunFolder
from pellucid.runs.kept import KeptNetwork, KeptNetworks
from pellucid.runs.log import RunLog
from pellucid.runs.members import fit_members
from pellucid.runs.outcome import finish_run
from pellucid.runs.plan import engine_of, plan_of, resolved
from pellucid.runs.reads import check_output
from pellucid.runs.run import Interrupted, Run
from pellucid.settings.config import RUN_HEADING, is_there_again, read_config, trained_on, write_config
from pellucid.settings.settings import Settings
from pellucid.training.driver import TrainedMembers
from pellucid.training.engine import Engine
from pellucid.training.events import Listener, to_all
from pellucid.training.interrupt import listening_for_interrupt
from pellucid.training.loop import State
from pellucid.training.signals import SnapshotRecorder
from pellucid.training.ways import Store
from pellucid.workflow.continue_text import continues, resume_text, train_text

__all__ = ["resume", "train"]


def train(
    data: object,
    target: object = None,
    *,
    sample_weight: object = None,
    config: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    save: bool | None = None,
    test_data: object = None,
    listener: Listener | None = None,
    **settings: Any,
) -> Run:
    """Train a network on a table, or with ``n_networks=5`` an ensemble of five, whose predictions are averaged.

    Parameters
    ----------
    data
        A path (CSV, TSV, Parquet, Arrow, JSON lines; gzip or zstd), the name of a built-in set, a pandas or polars
        frame, a NumPy array, a sparse matrix, or a dict of columns. Or images: a folder with one sub-folder per class,
        a zip of it, idx or npz files; an array ``[N, H, W]`` or ``[N, H, W, C]``, alone or as a column of a dict.
        Or series: a ``.ts`` or UCR file, or a folder with its training and test file; with ``series=True`` an array
        ``[N, T]`` or ``[N, T, C]``, or a table with a series or a step in each row.
    target
        The name, of any type, of the column to predict; default: that of a built-in set, and for images and files of
        series ``label``. Or the targets themselves, ``train(X, y)``: an array, a list or a series, whose name is kept.
    sample_weight
        How much each row counts, in the loss and in the metrics: a weight for each row, or the name of the column that
        holds them, which is then not a feature. Only their ratios matter, and a weight of 0 leaves a row out.
    config
        A ``config.yaml``; ``settings`` override it.
    out
        The run folder. Without it and without ``save``, nothing is written.
    overwrite
        Whether a run in ``out`` may be replaced.
    save
        Write a run folder ``runs/<name>-<n>`` even without ``out``.
    test_data
        Rows to measure on, like ``data``, or ``(X, y)``; default: the test part that comes with images, or a share of
        ``data``.
    listener
        A function that is called with each event of the run (`pellucid.training.events`, `pellucid.runs.events`).
        What it raises ends training; what was saved until then is kept.
    settings
        Any setting of `pellucid.Settings`: ``hidden=(64, 32)``, ``activation="relu"``, ``learning_rate=1e-3``, ….
        With ``ensemble="folds"`` the preprocessing of all ``n_networks`` is fitted once, on all rows outside the test
        part, and network k chooses its best epoch on the k-th fold of them.

    Returns
    -------
    Run
        With ``predict``, ``evaluate``, ``history``, ``metrics``, ``save``.

    Raises
    ------
    SettingError, DataError
        A setting or the table cannot be used.
    DivergenceError
        The loss became NaN or infinite; names the layer, the batch and the likely cause.
    StorageError
        A file could not be written. If the network was already trained, it is a `NotKeptError`, whose ``result`` is
        the run.
    Interrupted (also a KeyboardInterrupt)
        Ctrl-C or SIGTERM: the current step was finished and the best weights saved; the exception's ``run`` has them.

    >>> import pellucid
    >>> run = pellucid.train("iris", hidden=(10,), epochs=30, learning_rate=0.01)
    >>> run.metrics["accuracy"].value > 0.8
    True
    """
    _refuse_watcher(settings)
    from_file, file_data = ({}, None) if config is None else read_config(config)
    if isinstance(data, tuple):
        raise SettingError(
            "a tuple of rows and targets is not a table: give them as two arguments, train(X, y), or as one table "
            "such as {'x1': …, 'y': …} with target='y'; for images {'image': X, 'label': y}"
        )
    series = bool({**from_file, **settings}.get("series"))
    source, target_name, weight_name = joined(
        data if data is not None else file_data, target, sample_weight, series=series
    )
    if source is None:
        raise SettingError("which table? Give data: a path, a built-in name (see 'pellucid data'), or a frame")
    named = {"target": target_name, "sample_weight": weight_name}
    given = {**settings, **{name: value for name, value in named.items() if value is not None}}
    if isinstance(test_data, str | os.PathLike):
        given["test_data"], test_data = os.fspath(test_data), None
    if test_data is None and continues(source, {**from_file, **given}):
        return train_text(
            source, from_file, given, reads=config, out=out, overwrite=overwrite, save=save, listener=listener
        )
    test_data = joined_test_rows(test_data, target_name, weight_name, series=series)
    asked = settings_for(source, from_file, given)
    if out is not None:
        check_output(out, data=[source, config, asked.test_data], names=FILES.values())
    kept = out is not None or save
    with RunFolder.reserved(out, overwrite=overwrite) if kept else nullcontext() as begin:
        prepared = prepare_run(source, asked, test_data=test_data)
        warn_of(prepared.notes, FrameNote)
        prepared = decided(prepared)
        # An error here must come before there is a folder.
        engine, members = engine_of(prepared), members_of(prepared)
        folder = None
        if begin is not None:
            # Rows in memory cannot be read again: without a location, a run says so when it is to be resumed.
            location = None if test_data is not None else _location(source)
            folder = begin(prepared.name, write_config(_absolute(prepared.settings), location, heading=RUN_HEADING))
        return _train(prepared, engine, members, folder, listener, start=None, source=_location(source))


def resume(
    path: str | os.PathLike[str], *, data: object = None, listener: Listener | None = None, **settings: Any
) -> Run:
    """Resume a run that was interrupted or killed; it ends with the weights that it would have reached without that.

    The table is read again from where it was. A finished run is returned as it is; one that has since lost files trains
    on from its last checkpoint and writes them again. ``data`` and ``settings`` need not be given again; if they are,
    they must be those that the run began with.

    Raises
    ------
    RunFolderError
        There is no run to resume, its table was not a file, or another process is writing it.
    SettingError
        ``data`` or a setting differs from the run's own.
    ModelFileError
        The checkpoint is damaged, or the data has changed since.
    Interrupted
        As `train`.
    """
    _refuse_watcher(settings)
    folder = RunFolder.existing(path)
    from_file, source = read_config(folder.file("config"))
    _check_unchanged(Settings.of(from_file), source, data, settings)
    if _is_complete(folder):
        with suppress(RunFolderError), locked(folder.path):
            folder.sweep()
        return Run.open(folder.path)
    if not folder.is_run:
        raise RunFolderError(
            f"{os.fspath(path)!r} is not a run folder: its config.yaml was not written by a run (train with it: "
            f"pellucid train -c {folder.file('config')})"
        )
    if source is None or not is_there_again(source):
        raise RunFolderError(f"{os.fspath(path)!r}: {trained_on(source)}: train again with the table")
    with folder.writing():
        if _is_complete(folder):  # another process has finished it in the meantime
            return Run.open(folder.path)
        if Settings.of(from_file).task == "continuation":
            return resume_text(folder, source, Settings.of(from_file), listener)
        prepared = prepare_run(source, Settings.of(from_file))
        prepared = replace(prepared, settings=resolved(prepared))
        engine, start = engine_of(prepared), None
        if folder.checkpoint.exists():
            start = read_state(folder.checkpoint, _fingerprint(prepared), engine, plan_of(prepared.settings))
        return _train(prepared, engine, members_of(prepared), folder, listener, start=start, source=source)


def _refuse_watcher(given: Mapping[str, Any]) -> None:
    if "watcher" in given:
        raise SettingError(
            "watcher is now listener: a function that is called with each event of pellucid.training.events and "
            "pellucid.runs.events"
        )


def _check_unchanged(stored: Settings, source: str | None, data: object, given: Mapping[str, Any]) -> None:
    """A run resumed with other data or settings would be another run."""
    if data is not None and _location(data) != source:
        raise SettingError(
            f"this run was trained on {source!r}, not on {data!r}: leave the table out, or start a new run"
        )
    asked = _absolute(Settings.of(given))
    for name in given:
        if getattr(asked, name) != getattr(stored, name):
            raise SettingError(
                f"a resumed run keeps its settings: {name} is {getattr(stored, name)!r}, not {getattr(asked, name)!r}; "
                "leave it out, or start a new run"
            )


def _train(
    prepared: Prepared,
    engine: Engine,
    members: Sequence[Member],
    folder: RunFolder | None,
    listener: Listener | None,
    *,
    start: State | None,
    source: object,
) -> Run:
    if folder is not None:
        folder.ready_for_checkpoints()
    tell = to_all(None if folder is None else RunLog(folder), listener)
    plan = plan_of(prepared.settings)
    tell(RunPrepared(prepared=prepared, engine=engine, plan=plan, resumed_after=None if start is None else start.epoch))
    recorder = SnapshotRecorder(prepared.network, prepared.task.loss, prepared.train.rows)
    try:
        with listening_for_interrupt() as interrupted:
            trained = fit_members(
                prepared, members,
                new_engine=(lambda seed: engine) if len(members) == 1 else None,
                store=None if folder is None else _store(prepared, folder, start),
                listener=tell, interrupted=interrupted, recorder=recorder,
            )  # fmt: skip
        tell(RunTrained(trained=trained))
    except StorageError as error:
        if folder is None:
            raise
        raise StorageError(
            f"{error}; training has stopped, and what was saved before is kept: continue it "
            f"{folder.by('train', '--resume')}"
        ) from error
    run, interrupted_now = finish_run(prepared, engine, members, trained, recorder.snapshots, folder)
    unwritten = None
    if folder is not None and prepared.settings.report:
        try:
            write_report(run, prepared, source=source, rows=prepared.settings.rows)
        except KeyboardInterrupt:  # the run is complete; 'pellucid report' writes the page another time
            interrupted_now = True
        except StorageError as error:
            said = f"{error}; everything else of the run is kept; write its report {folder.by('report')}"
            unwritten = NotKeptError(said, run)
    if (problem := _problem(trained)) is not None:
        epochs = ", ".join(dict.fromkeys(str(outcome.best_epoch) for outcome in trained.outcomes))
        kept = f"; the best weights before that (epoch {epochs}) are in {folder.path}" if folder else ""
        raise DivergenceError(problem + kept)
    if interrupted_now:
        raise Interrupted(run)
    if unwritten is not None:
        raise unwritten
    return run


def _store(prepared: Prepared, folder: RunFolder, start: State | None) -> Store:
    """Where the states and outcomes of the networks are kept while they train."""
    if prepared.settings.n_networks == 1:
        return KeptNetwork(folder.checkpoint, _fingerprint(prepared), start)
    return KeptNetworks(folder.checkpoint.parent, _fingerprint(prepared), prepared.network)


def _problem(trained: TrainedMembers) -> str | None:
    """What the first divergence was, if there was one."""
    many = len(trained.outcomes)
    for k, outcome in enumerate(trained.outcomes, start=1):
        if outcome.problem is not None:
            return outcome.problem if many == 1 else f"network {k} of {many}: {outcome.problem}"
    return None


def _fingerprint(prepared: Prepared) -> str:
    return replace(prepared, settings=_absolute(prepared.settings)).fingerprint()


def _absolute(settings: Settings) -> Settings:
    if settings.test_data is None:
        return settings
    return replace(settings, test_data=str(Path(settings.test_data).absolute()))


def _location(source: object) -> str | None:
    if not isinstance(source, str | os.PathLike):
        return None
    if is_builtin(source):  # also where a file or folder has that name
        return os.fspath(source)
    return str(Path(source).absolute()) if Path(source).exists() else os.fspath(source)


def _is_complete(folder: RunFolder) -> bool:
    return folder.is_finished and not folder.lost and not _was_interrupted(folder)


def _was_interrupted(folder: RunFolder) -> bool:
    file = folder.file("metrics")
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunFolderError(f"{file} cannot be read ({error}); remove it to go on from the last checkpoint") from error
    return isinstance(facts, dict) and facts.get("stopped_by") == "interrupted"
