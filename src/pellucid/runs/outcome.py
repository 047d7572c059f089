"""The end of a run: the best weights are measured and everything is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.diagnosis import diagnose
from pellucid.errors import NotKeptError, StorageError
from pellucid.evaluation.forecasts import errors_to_json
from pellucid.evaluation.metrics import Metrics, baseline, confusion_matrix, metrics_to_json
from pellucid.evaluation.reconstruction import mean_answer, reconstruction_metrics, row_errors
from pellucid.evaluation.verdict import no_verdict
from pellucid.io.files import write_text
from pellucid.model.measuring import measure
from pellucid.model.model import Model
from pellucid.model.remember import seen_of
from pellucid.preparation.members import Member
from pellucid.preparation.prepare import Prepared
from pellucid.preparation.weights import weights_of
from pellucid.runs.diagnosis import evidence_of, findings_to_json
from pellucid.runs.ensemble import ensemble_facts, with_times
from pellucid.runs.folder import RunFolder
from pellucid.runs.forecast import rolled_forecasts
from pellucid.runs.forecast_evidence import forecast_evidence
from pellucid.runs.members import TrainedMembers
from pellucid.runs.output import write_table
from pellucid.runs.run import Run, histories_to_csv
from pellucid.runs.verdict import reach_verdict
from pellucid.training.engine import Engine, why_chosen
from pellucid.training.interrupt import listening_for_interrupt
from pellucid.training.loop import Outcome
from pellucid.training.signals import Snapshot

__all__ = ["finish_run", "libraries_of"]

Array = NDArray[Any]


def finish_run(
    prepared: Prepared,
    engine: Engine,
    members: Sequence[Member],
    trained: TrainedMembers,
    snapshots: Sequence[Snapshot],
    folder: RunFolder | None,
) -> tuple[Run, bool]:
    """Measure the best weights and write everything; ``metrics.json`` comes last and marks the run as finished.

    Parameters
    ----------
    prepared
        What the run was prepared from.
    engine
        The engine that trained.
    members
        The networks that were to be trained, with their rows and seeds.
    trained
        The outcomes of their training.
    snapshots
        What was recorded of the layers of the first network.
    folder
        Where to write; ``None`` writes nothing.

    Returns
    -------
    tuple
        The run, and whether it was interrupted: in training, while it was measured, or during the comparison with
        simpler models.

    Raises
    ------
    NotKeptError
        A file could not be written; carries the run.
    """
    settings, outcomes = prepared.settings, trained.outcomes
    outcome = _as_one(trained)
    model = Model(
        network=prepared.network,
        task=prepared.task,
        recipe=prepared.recipe,
        scaler=prepared.scaler,
        parameters=outcome.parameters,
        more=tuple(other.parameters for other in outcomes[1:]),
        facts={
            "settings": {**settings.to_json(), "test_data": None},  # no path of this machine goes into the model file
            "schema": _schema_without_rows(prepared),
            "libraries": libraries_of(engine),
            "metrics": {},
        },
    )
    schema = {**model.facts["schema"], "seen": seen_of(prepared, members, model).to_json()}
    model = replace(model, facts={**model.facts, "schema": schema})
    rolled = None
    if prepared.forecast is not None:
        forecaster, tested, errors = rolled_forecasts(prepared, model)
        schema = {**schema, "forecast": forecaster.to_json()}
        model, rolled = replace(model, facts={**model.facts, "schema": schema}), (tested, errors)
    answers = model.answers_to(prepared.measured.inputs)
    held = prepared.measured
    with listening_for_interrupt() as asked:  # what is trained is measured and kept
        metrics = measure(
            prepared.task, held.truth, answers, groups=held.groups, weights=held.weights, seed=settings.seed
        )
    interrupted = trained.interrupted or asked()
    verdict = no_verdict("the comparison with simpler models was interrupted") if settings.verdict else None
    if not asked():
        try:
            verdict = reach_verdict(prepared, outcome, answers, tested=None if rolled is None else rolled[0])
        except KeyboardInterrupt:  # the network is complete, and is kept
            interrupted = True
    facts: dict[str, Any] = {
        "measured_on": prepared.measured.name,
        "rows": {
            "train": len(prepared.train),
            "validation": len(prepared.split.validation),
            "test": len(prepared.measured.rows) if prepared.measured.name == "test" else 0,
        },
        "metrics": metrics_to_json(metrics),
        "baseline": metrics_to_json(_baseline(prepared)),
        "confusion_matrix": _confusion(prepared, answers),
        "best_epoch": outcome.best_epoch,
        "epochs": len(outcomes[0].history),
        "stopped_by": outcome.reason,
        "engine": engine.name,
        "device": engine.device,
        "why_this_engine": why_chosen(engine),
        "precision": settings.precision,
        "threads": settings.threads,
        "products": getattr(engine, "products", settings.products),
        "verdict": None if verdict is None else verdict.to_json(),
        "warnings": [str(note) for note in prepared.flattering],
    }
    if rolled is not None:
        facts["forecast"] = errors_to_json(rolled[1])
    if settings.n_networks > 1:
        facts["ensemble"] = ensemble_facts(prepared, model, outcomes, answers)
    steady = facts if verdict is None else {**facts, "verdict": verdict.without_times().to_json()}
    model = replace(model, facts={**model.facts, "metrics": steady})  # equal runs write equal model files
    if settings.n_networks > 1:
        facts = {**facts, "ensemble": with_times(facts["ensemble"], trained)}
    first = outcomes[0]
    evidence = evidence_of(prepared, model, first.history, outcome.reason, snapshots, answers, verdict)
    if rolled is not None and prepared.forecast is not None:
        evidence = replace(evidence, forecast=forecast_evidence(prepared.forecast, rolled[0]))
    findings = diagnose(evidence)
    run = Run(
        model=model,
        findings=findings,
        snapshots=tuple(snapshots),
        history=first.history,
        histories=tuple(each.history for each in outcomes),
        metrics=metrics,
        summary=facts,
        verdict=verdict,
        path=folder.path if folder else None,
    )
    if folder is not None:
        try:
            run = _write(folder, run, _predictions(prepared, model, answers))
        except StorageError as error:
            rest = f"what is missing is written {folder.by('train', '--resume')}"
            raise NotKeptError(f"{error}; the network is trained, and {rest}", run) from error
    return run, interrupted


def _write(folder: RunFolder, run: Run, predictions: Any) -> Run:
    """Write every file of a run except the report; returns the run with remarks on them."""
    n_networks = run.model.facts["settings"]["n_networks"]
    run.model.save(folder.file("model"))
    write_text(folder.file("history"), histories_to_csv(run.histories))
    run = replace(run, remarks=write_table(folder.file("predictions"), predictions))
    folder.log([run.summary["ensemble"]["sentence"]] if n_networks > 1 else [])
    folder.log([] if run.verdict is None else [run.verdict.sentence, *run.verdict.notes])
    folder.log([f"{each.finding} {each.evidence}" for each in run.findings])
    folder.log(run.remarks)
    write_text(folder.file("doctor"), findings_to_json(run.findings, run.snapshots))
    write_text(folder.file("metrics"), json.dumps(run.summary, indent=2, allow_nan=False) + "\n")
    return run


def _as_one(trained: TrainedMembers) -> Outcome:
    """One outcome for all networks: the weights of the first, the epochs of all, and the worst of the reasons."""
    outcomes = trained.outcomes
    first = outcomes[0]
    problem = next((outcome.problem for outcome in outcomes if outcome.problem is not None), None)
    reason = "diverged" if problem is not None else "interrupted" if trained.interrupted else first.reason
    every = tuple(epoch for outcome in outcomes for epoch in outcome.history)
    return replace(first, history=every, reason=reason, problem=problem)


def _schema_without_rows(prepared: Prepared) -> dict[str, Any]:
    """The schema without the example values: of the rows, only the classes go into the model file."""
    schema, target = prepared.schema.to_json(), prepared.target
    if target is not None and target.classes and target.origin is not None:
        schema["labels"] = target.origin.to_json(target.classes)
    return {**schema, "columns": [{**column, "examples": []} for column in schema["columns"]]}


def _baseline(prepared: Prepared) -> Metrics:
    """The metrics of a constant prediction: the classes' shares, or the mean, of rows that were learned from.

    With test rows, these include the validation rows, as for the verdict's dummy: one screen shows both.
    """
    held, split = prepared.measured, prepared.split
    if prepared.target is None:
        constant = mean_answer(prepared.train.inputs, len(held.truth), prepared.train.weights)
        return reconstruction_metrics(held.truth, constant, weights=held.weights)
    learned = np.concatenate([split.train, split.validation]) if held.name == "test" else split.train
    every = weights_of(prepared.table, prepared.settings)
    return baseline(
        prepared.task,
        prepared.target.at(learned),
        held.truth,
        training_weights=None if every is None else every[learned],
        weights=held.weights,
    )


def _confusion(prepared: Prepared, answers: Array) -> list[list[int]] | None:
    """Rows are true classes, columns predicted ones, both in the order of the task's classes."""
    if not prepared.task.is_classification:
        return None
    matrix = confusion_matrix(prepared.measured.truth, answers.argmax(axis=1), len(prepared.task.classes))
    return [[int(n) for n in row] for row in matrix]


def _predictions(prepared: Prepared, model: Model, answers: Array) -> Any:
    import pyarrow as pa

    held, task = prepared.measured, prepared.task
    columns: dict[str, Any] = {"row": held.rows}
    if held.files is not None:
        columns["file"] = held.files.cast(pa.string())
    if task.kind == "reconstruction":
        return pa.table({**columns, "reconstruction_error": row_errors(held.truth, answers)})
    truth = [task.classes[i] for i in held.truth] if task.is_classification else held.truth.tolist()
    columns |= {"actual": truth, "prediction": model.labels(answers).tolist()}
    if task.is_classification:
        columns |= {f"probability_{label}": answers[:, i] for i, label in enumerate(task.classes)}
    return pa.table(columns)


def libraries_of(engine: Engine) -> dict[str, str]:
    import pyarrow as pa

    from pellucid.version import __version__

    versions = {"pellucid": __version__, "numpy": np.__version__, "pyarrow": pa.__version__}
    if engine.name == "kernel":
        versions["numba"] = version("numba")
    elif engine.name != "textbook":
        import torch

        versions["torch"] = torch.__version__
    return versions
