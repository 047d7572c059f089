"""A run on a text to be continued: its sizes, its engine, and its end, when it is measured and written."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.diagnosis.sequences import leak_finding
from pellucid.errors import NotKeptError, StorageError
from pellucid.evaluation.continued import compared_with_ngrams, single_tokens, text_metrics
from pellucid.evaluation.metrics import metrics_to_json
from pellucid.evaluation.verdict import no_verdict
from pellucid.io.files import write_text
from pellucid.model.generating import Sampling, generated
from pellucid.model.model import Model
from pellucid.network.initialise import initialise
from pellucid.preparation.continuing import PreparedText
from pellucid.runs.diagnosis import findings_to_json
from pellucid.runs.folder import RunFolder
from pellucid.runs.machine import on_this_machine
from pellucid.runs.outcome import libraries_of
from pellucid.runs.output import write_table
from pellucid.runs.plan import optimizer_of, use_threads_of
from pellucid.runs.run import Run, histories_to_csv
from pellucid.runs.sequence_evidence import TRIED, future_leak
from pellucid.settings.settings import Settings
from pellucid.training.driver import TrainedMembers
from pellucid.training.engine import Engine, make_engine, why_chosen
from pellucid.training.events import Event
from pellucid.training.interrupt import listening_for_interrupt
from pellucid.training.loop import Plan
from pellucid.training.rows import Rows

__all__ = ["TextPrepared", "decided_for_text", "engine_for_text", "finish_text_run", "token_surprises"]

Array = NDArray[Any]

_LOGITS_AT_ONCE = 1 << 22
_FEWEST_TIMED, _MOST_TIMED, _TIMED = 3, 50, 2.0  # steps, and seconds
_SAMPLES = (0.5, 0.8, 1.0)  # temperatures
_OF_A_SAMPLE = 400  # characters
_MINUTES = 13.5  # so that measuring and comparing end within a quarter of an hour


@dataclass(frozen=True, kw_only=True, eq=False)
class TextPrepared(Event):
    """The text is read and the network is built; training comes next.

    Attributes
    ----------
    resumed_after
        The epochs that were done before the run was stopped; ``None`` for a new run.
    """

    prepared: PreparedText
    engine: Engine
    plan: Plan
    resumed_after: int | None = None


# ── before training ───────────────────────────────────────────────────────────────────────────────────────────


def decided_for_text(prepared: PreparedText) -> PreparedText:
    """The same with batch size, rate, engine, threads, and last the epochs decided, where they are left open."""
    settings, windows = prepared.settings, prepared.train.n
    sized = replace(
        settings,
        batch_size=settings.batch_size or _batch_size(windows),
        learning_rate=settings.learning_rate or _rate(settings),
        epochs=settings.epochs or 1,
    )
    assert sized.batch_size is not None
    sized = on_this_machine(sized, prepared.network, prepared.task.loss, min(sized.batch_size, windows))
    if settings.epochs is None:
        usual = _epochs(prepared.train.n * prepared.network.shape[0])
        minutes = settings.train_minutes or _MINUTES
        fitting = int(60 * minutes / _seconds_of_epoch(replace(prepared, settings=sized)))
        sized = replace(sized, epochs=max(1, fitting if settings.train_minutes else min(usual, fitting)))
    return replace(prepared, settings=sized)


def _rate(settings: Settings) -> float:
    """The peak rate: a wide recurrent network, and a transformer, take a smaller one."""
    narrow = settings.network != "transformer" and (settings.width or 0) < 256
    return 0.005 if narrow else 0.003


def _batch_size(windows: int) -> int:
    """From 8 to 32, so that small texts also get some steps in each epoch."""
    return next(size for least, size in ((2_000, 32), (500, 16), (0, 8)) if windows >= least)


def _epochs(tokens: int) -> int:
    """A small text is read more often, but not until it is known by heart.

    >>> [_epochs(n) for n in (1_000, 16_000, 100_000, 900_000, 10_000_000)]
    [100, 60, 40, 16, 4]
    """
    steps = ((4_000, 100), (40_000, 60), (400_000, 40), (2_000_000, 16), (5_000_000, 8))
    return next((epochs for most, epochs in steps if tokens < most), 4)


def _seconds_of_epoch(prepared: PreparedText) -> float:
    """About how long an epoch and its validation take here, by the time of a few steps that change nothing."""
    engine, settings, train = engine_for_text(prepared), prepared.settings, prepared.train
    assert settings.batch_size is not None
    rows = next(train.batches(settings.batch_size, settings.seed, 0))
    masks = [np.ones((len(rows), *mask.shape), np.float32) for mask in prepared.network.masks()]
    engine.step(train.ready(engine, rows), masks, 0.0)
    seconds: list[float] = []
    while len(seconds) < _FEWEST_TIMED or (len(seconds) < _MOST_TIMED and sum(seconds) < _TIMED):
        began = time.perf_counter()
        engine.step(train.ready(engine, rows), masks, 0.0)
        seconds.append(time.perf_counter() - began)
    of_window = float(np.median(seconds)) / len(rows)
    return of_window * (train.n + len(prepared.validation) / 3)


def engine_for_text(prepared: PreparedText) -> Engine:
    """The engine from the settings, with the initial weights of their seed."""
    settings = prepared.settings
    if settings.engine == "torch":
        use_threads_of(settings)
    return make_engine(
        settings.engine,
        prepared.network,
        prepared.task.loss,
        optimizer_of(settings),
        initialise(prepared.network, settings.seed, scheme=settings.init, scale=settings.init_scale),  # type: ignore[arg-type]
        dtype=settings.dtype,
        device=settings.device,
    )


# ── after training ────────────────────────────────────────────────────────────────────────────────────────────


def token_surprises(engine: Engine, rows: Rows) -> tuple[Array, Array]:
    """−ln p of each token that counts, in the order of the text, and whether it was the most probable one.

    >>> from pellucid.network import rnn
    >>> from pellucid.network.optimizer import Optimizer
    >>> from pellucid.network.task import Loss
    >>> from pellucid.training.windows import measured_windows
    >>> net = rnn((4,), (3,), 5, vocabulary=5, pool="none")
    >>> start = {p.name: np.zeros(p.shape) for p in net.parameters()}
    >>> engine = make_engine("textbook", net, Loss(name="cross_entropy"), Optimizer(), start)
    >>> token_surprises(engine, measured_windows(np.array([2, 3, 4, 2]), 4, 0, 4))[0].round(4).tolist()  # ln 5
    [1.6094, 1.6094, 1.6094]
    """
    at_once = max(1, _LOGITS_AT_ONCE // math.prod(engine.network.shapes()[-1]))
    nats, right = [], []
    for start in range(0, len(rows), at_once):
        inputs, targets = rows.inputs[start : start + at_once], rows.targets[start : start + at_once]
        counts = targets != 0
        z, truth = engine.logits(inputs)[counts].astype(np.float64), targets[counts]
        z -= z.max(axis=1, keepdims=True)
        nats.append(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), truth])
        right.append(z.argmax(axis=1) == truth)
    return np.concatenate(nats), np.concatenate(right)


def finish_text_run(
    prepared: PreparedText, engine: Engine, trained: TrainedMembers, folder: RunFolder | None
) -> tuple[Run, bool]:
    """Measure the best weights, which the engine holds, and write everything; ``metrics.json`` comes last.

    Parameters
    ----------
    prepared
        What the run was prepared from.
    engine
        The engine that trained.
    trained
        The outcome of its training.
    folder
        Where to write; ``None`` writes nothing.

    Returns
    -------
    tuple
        The run, and whether it was interrupted.

    Raises
    ------
    NotKeptError
        A file could not be written; carries the run.
    """
    settings, (outcome,) = prepared.settings, trained.outcomes
    model = Model(
        network=prepared.network,
        task=prepared.task,
        recipe=prepared.recipe,
        scaler=None,
        parameters=outcome.parameters,
        facts={
            "settings": {**settings.to_json(), "test_data": None},
            "schema": {},
            "libraries": libraries_of(engine),
            "metrics": {},
        },
    )
    end = prepared.measured_part[1]
    with listening_for_interrupt() as asked:  # what is trained is measured and kept
        nats, right = token_surprises(engine, prepared.measured)
        tokens = prepared.tokens[end - len(nats) : end]
        learned, vocabulary = prepared.tokens[: end - len(nats)], prepared.tokenizer.size
        if prepared.measured_on == "training":
            learned = prepared.tokens[:end]
        metrics = text_metrics(nats, right, prepared.characters)
        constant = text_metrics(*single_tokens(learned, tokens, vocabulary), prepared.characters)
        samples = samples_of(model, settings.seed)
        leak = future_leak(prepared.network, outcome.parameters, np.asarray(prepared.measured.inputs[:TRIED]))
    interrupted = trained.interrupted or asked()
    verdict = no_verdict("the comparison with n-grams was interrupted") if settings.verdict else None
    if settings.verdict and not asked():
        try:
            verdict = compared_with_ngrams(nats, learned, tokens, vocabulary, unit=prepared.unit)
        except KeyboardInterrupt:  # the network is complete, and is kept
            interrupted = True
    facts: dict[str, Any] = {
        "measured_on": prepared.measured_on,
        "rows": {
            "train": prepared.ends[0],
            "validation": prepared.ends[1] - prepared.ends[0],
            "test": len(nats) if prepared.measured_on == "test" else 0,
        },
        "unit": prepared.unit,
        "metrics": metrics_to_json(metrics),
        "baseline": metrics_to_json(constant),
        "best_epoch": outcome.best_epoch,
        "epochs": len(outcome.history),
        "stopped_by": outcome.reason,
        "engine": engine.name,
        "device": engine.device,
        "why_this_engine": why_chosen(engine),
        "precision": settings.precision,
        "threads": settings.threads,
        "verdict": None if verdict is None else verdict.to_json(),
        "warnings": [],
        "samples": samples,
    }
    steady = facts if verdict is None else {**facts, "verdict": verdict.without_times().to_json()}
    model = replace(model, facts={**model.facts, "metrics": steady})  # equal runs write equal model files
    run = Run(
        model=model,
        history=outcome.history,
        histories=(outcome.history,),
        metrics=metrics,
        summary=facts,
        verdict=verdict,
        findings=tuple(found for found in (leak_finding(leak, settings.to_json()),) if found is not None),
        path=folder.path if folder else None,
    )
    if folder is not None:
        try:
            run = _write(folder, run, _predictions(prepared, tokens, nats, end - len(nats)))
        except StorageError as error:
            rest = f"what is missing is written {folder.by('train', '--resume')}"
            raise NotKeptError(f"{error}; the network is trained, and {rest}", run) from error
    return run, interrupted


def samples_of(model: Model, seed: int) -> list[dict[str, Any]]:
    """What the network writes by itself, at three temperatures."""
    return [
        {
            "temperature": temperature,
            "text": "".join(
                generated(model, "", length=_OF_A_SAMPLE, sampling=Sampling(temperature=temperature), seed=seed)
            ),
        }
        for temperature in _SAMPLES
    ]


def _predictions(prepared: PreparedText, tokens: Array, nats: Array, first: int) -> Any:
    import pyarrow as pa

    shown = prepared.tokenizer.shown
    names = {int(token): shown(int(token)) for token in np.unique(tokens)}
    columns: Mapping[str, Any] = {
        "place": np.arange(first, first + len(tokens)),
        "token": [names[int(token)] for token in tokens],
        "nats": nats,
    }
    return pa.table(columns)


def _write(folder: RunFolder, run: Run, predictions: Any) -> Run:
    """Write every file of a run except the report; returns the run with remarks on them."""
    run.model.save(folder.file("model"))
    write_text(folder.file("history"), histories_to_csv(run.histories))
    run = replace(run, remarks=write_table(folder.file("predictions"), predictions))
    folder.log([] if run.verdict is None else [run.verdict.sentence, *run.verdict.notes])
    folder.log(run.remarks)
    write_text(folder.file("doctor"), findings_to_json(run.findings, ()))
    write_text(folder.file("metrics"), json.dumps(run.summary, indent=2, allow_nan=False) + "\n")
    return run
