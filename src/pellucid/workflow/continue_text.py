"""From a text to a network that continues it: read, divide by place, train, measure, save."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from pellucid.data.files.standard_input import is_standard_input
from pellucid.data.given import is_builtin
from pellucid.data.prose import is_prose
from pellucid.errors import DivergenceError, NotKeptError, SettingError, StorageError
from pellucid.preparation.continuing import PreparedText, prepare_text, settings_for_text
from pellucid.reports.continued import write_text_report
from pellucid.runs.checkpoint import read_state
from pellucid.runs.continuing import TextPrepared, decided_for_text, engine_for_text, finish_text_run
from pellucid.runs.events import RunTrained
from pellucid.runs.folder import FILES, RunFolder
from pellucid.runs.kept import KeptNetwork
from pellucid.runs.log import RunLog
from pellucid.runs.plan import plan_of
from pellucid.runs.reads import check_output
from pellucid.runs.run import Interrupted, Run
from pellucid.settings.config import RUN_HEADING, write_config
from pellucid.settings.settings import Settings
from pellucid.training.driver import train_members
from pellucid.training.engine import Engine
from pellucid.training.events import Listener, to_all
from pellucid.training.interrupt import listening_for_interrupt
from pellucid.training.loop import State
from pellucid.training.ways import Alone, Group, Learner

__all__ = ["continues", "resume_text", "train_text"]


_OF_TABLES = ("target", "forecast", "series", "series_id", "series_time")  # only a table has them


def continues(source: object, asked: Mapping[str, Any]) -> bool:
    """Whether ``source`` is a text to be continued: ``task`` says so, or it is prose, and nothing asks for a table.

    Parameters
    ----------
    source
        What is trained on.
    asked
        The settings that are given.
    """
    task = asked.get("task", "auto")
    if task != "auto" or any(asked.get(name) for name in _OF_TABLES):
        return bool(task == "continuation")
    return not is_builtin(source) and is_prose(source)


def train_text(
    source: object,
    *given: Mapping[str, Any],
    reads: object = (),
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    save: bool | None = None,
    listener: Listener | None = None,
) -> Run:
    """Train a network that continues a text.

    Parameters
    ----------
    source
        A path of a text file or of a folder of ``.txt`` files, or ``-`` for standard input.
    given
        Settings; later ones override earlier ones.
    reads
        What else is read and must not be written over.
    out, overwrite, save, listener
        As in `pellucid.train`.

    Raises
    ------
    SettingError, DataError, DivergenceError, StorageError, Interrupted
        As in `pellucid.train`.
    """
    if not isinstance(source, str | os.PathLike):
        raise SettingError(
            f"a text to be continued is read from a file: name its path, got {type(source).__name__}; write "
            "what is in memory to a .txt file first"
        )
    asked = settings_for_text(*given)
    if asked.test_data is not None:
        raise SettingError("a text to be continued measures on its own last part: leave test_data out, or set test")
    if out is not None:
        check_output(out, data=[source, reads], names=FILES.values())
    kept = out is not None or save
    with RunFolder.reserved(out, overwrite=overwrite) if kept else nullcontext() as begin:
        prepared = decided_for_text(prepare_text(source, asked))
        engine, folder = engine_for_text(prepared), None
        if begin is not None:
            location = os.fspath(source) if is_standard_input(source) else str(Path(source).absolute())
            folder = begin(prepared.name, write_config(prepared.settings, location, heading=RUN_HEADING))
        return _train(prepared, engine, folder, listener, start=None, source=source)


def resume_text(folder: RunFolder, source: str, settings: Settings, listener: Listener | None) -> Run:
    """Continue a run that was interrupted; its folder is locked.

    Parameters
    ----------
    folder
        The run.
    source, settings
        What its config.yaml says.
    listener
        As in `pellucid.train`.
    """
    prepared = prepare_text(source, settings_for_text(settings.to_json()))
    engine, start = engine_for_text(prepared), None
    if folder.checkpoint.exists():
        start = read_state(folder.checkpoint, prepared.fingerprint(), engine, plan_of(prepared.settings))
    return _train(prepared, engine, folder, listener, start=start, source=source)


def _train(
    prepared: PreparedText,
    engine: Engine,
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
    epoch = None if start is None else start.epoch
    tell(TextPrepared(prepared=prepared, engine=engine, plan=plan, resumed_after=epoch))
    learner = Learner(train=prepared.train, validation=prepared.validation, plan=plan, start=engine.parameters)
    store = None if folder is None else KeptNetwork(folder.checkpoint, prepared.fingerprint(), start)
    try:
        with listening_for_interrupt() as interrupted:
            trained = train_members(
                [learner], [Group(Alone(lambda learner: engine), [0])],
                store=store, listener=tell, interrupted=interrupted,
            )  # fmt: skip
        tell(RunTrained(trained=trained))
    except StorageError as error:
        if folder is None:
            raise
        raise StorageError(
            f"{error}; training has stopped, and what was saved before is kept: continue it "
            f"{folder.by('train', '--resume')}"
        ) from error
    run, interrupted_now = finish_text_run(prepared, engine, trained, folder)
    unwritten = None
    if folder is not None and prepared.settings.report:
        try:
            write_text_report(run, prepared, source=source, rows=prepared.settings.rows)
        except KeyboardInterrupt:  # the run is complete; 'pellucid report' writes the page another time
            interrupted_now = True
        except StorageError as error:
            said = f"{error}; everything else of the run is kept; write its report {folder.by('report')}"
            unwritten = NotKeptError(said, run)
    (outcome,) = trained.outcomes
    if outcome.problem is not None:
        kept = f"; the best weights before that (epoch {outcome.best_epoch}) are in {folder.path}" if folder else ""
        raise DivergenceError(outcome.problem + kept)
    if interrupted_now:
        raise Interrupted(run)
    if unwritten is not None:
        raise unwritten
    return run
