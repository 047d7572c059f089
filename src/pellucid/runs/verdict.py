"""The verdict of a run: the peers trained on its rows and compared with its network on its test rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.notes import LeakNote
from pellucid.evaluation.baselines import (
    Fitted,
    boosting_answers,
    dummy_answers,
    forest_answers,
    least_boosting_seconds,
    linear_answers,
    load_scikit_learn,
    within_budget,
)
from pellucid.evaluation.paired import METRICS, Headline, headline, paired_differences
from pellucid.evaluation.suspect import column_strengths, is_nearly_perfect, is_strong, one_column, question
from pellucid.evaluation.verdict import (
    BOOSTING,
    DENSE,
    DUMMY,
    FOREST,
    LINEAR,
    NETWORK,
    OF_PICTURES,
    OF_SERIES,
    OF_TABLES,
    OF_TEXTS,
    Peer,
    Verdict,
    judge,
    no_verdict,
    spoken,
)
from pellucid.numerals import numeral
from pellucid.preparation.prepare import Prepared
from pellucid.preparation.weights import weights_of
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.preprocessing.steps.text import TextStep
from pellucid.preprocessing.target import TargetScaler
from pellucid.runs.forecast import Rolled
from pellucid.runs.forecast_peers import forecast_verdict
from pellucid.runs.other_task import other_way
from pellucid.runs.peer_inputs import WORDS_FOR_TREES, columns_for_trees, inputs_for_lines, line_or_curve
from pellucid.runs.picture_peers import (
    FIRST,
    FIRST_FOR_DENSE,
    LONGEST,
    LONGEST_FOR_EDGES,
    fits_of_pictures,
    picture_step,
)
from pellucid.runs.sequence_peers import firsts_of_sequences, fits_of_sequences, sequence_step
from pellucid.training.loop import Outcome

__all__ = ["reach_verdict"]

Array = NDArray[Any]
Clock = Callable[[], float]

LEAST_ROWS = 10  # test rows, and groups of them
LEAST_SECONDS = 60.0
_CELLS_AT_FIRST = 1_000_000  # rows × inputs × outputs of the first attempt at a large table
_ROWS_AT_FIRST = 200
_LEAST_SECONDS_FOR_PICTURES, _SHARE_FOR_PICTURES = 15.0, 1 / 8


def reach_verdict(
    prepared: Prepared,
    outcome: Outcome,
    answers: Array,
    *,
    tested: Rolled | None = None,
    clock: Clock = time.perf_counter,
) -> Verdict | None:
    """Compare the network with simpler models: of `evaluation.baselines`, `.picture_peers` or `.peers`.

    The peers learn from the training and the validation rows together: the network used the validation rows to choose
    its best epoch, while the peers do not use them to choose anything. Each peer gets as long as the network's training
    took, or a minute if that is longer; of pictures an eighth of it, or 15 seconds.

    Parameters
    ----------
    prepared
        The run's rows, and its settings, which say whether a verdict is wanted.
    outcome
        The outcome of its training.
    answers
        The network's answers on the measured rows: probabilities ``[N, C]``, or numbers ``[N]`` in the target's unit.
    tested
        The network's forecasts of the test part, if it is a forecast.
    clock
        Returns the time in seconds.

    Returns
    -------
    Verdict or None
        ``None`` if it is not wanted; a verdict without peers says why there is no comparison.
    """
    if not prepared.settings.verdict:
        return None
    why_not = _why_not(prepared, outcome)
    if why_not is not None:
        return no_verdict(why_not)
    if tested is not None:
        return forecast_verdict(prepared, tested)
    return _compare(prepared, outcome, answers, clock)


def _why_not(prepared: Prepared, outcome: Outcome) -> str | None:
    held = prepared.measured
    if outcome.problem is not None or outcome.reason == "interrupted":
        return "the training did not finish"
    if prepared.target is None:
        return "a reconstruction is not compared with other models"
    if held.name != "test":
        return f"there are no test rows, and the {held.name} rows have already been used to train or choose the network"
    units, what = len(held.rows), "test rows"
    if held.groups is not None:
        units, what = len(np.unique(held.groups)), "groups of test rows"
    if units < LEAST_ROWS:
        return f"{units:,} {what} are too few to tell models apart, {LEAST_ROWS} or more are needed"
    if not prepared.task.is_classification:
        return None
    parts = {"training": _targets(prepared), "test": held.truth}
    return next((f"the {name} rows hold only one class" for name, y in parts.items() if len(np.unique(y)) < 2), None)


def _compare(prepared: Prepared, outcome: Outcome, answers: Array, clock: Clock) -> Verdict:
    held = prepared.measured
    metric = headline(prepared.task)
    peers, notes = _peers(prepared, outcome, clock)
    every = [answers, *(peer.answers for peer in peers.values())]
    values, differences = paired_differences(metric, held.truth, every, groups=held.groups, weights=held.weights)
    compared = [
        Peer(
            name=name,
            value=float(value),
            difference=found.value,
            low=found.low,
            high=found.high,
            rows=peer.rows,
            seconds=peer.seconds,
        )
        for (name, peer), value, found in zip(peers.items(), values[1:], differences, strict=True)
    ]
    by_name = dict(zip((NETWORK, *peers), zip(values.tolist(), every, strict=True), strict=True))
    suspect, more = _doubts(prepared, metric, by_name)
    if (said := other_way(prepared, answers)) is not None:
        more = [*more, said]
    n_rows, told = len(held.rows), [*notes, *more]
    judged = judge(metric, float(values[0]), n_rows, compared, told, suspect=suspect, expected=_expected(prepared))
    return judged if not prepared.doubts else judged.doubted([doubt.short for doubt in prepared.doubts])


def _doubts(
    prepared: Prepared, metric: Headline, found: dict[str, tuple[float, Array]]
) -> tuple[str | None, list[str]]:
    """Why no model should be recommended yet, and what to check first."""
    known = next((note for note in prepared.schema.warnings if isinstance(note, LeakNote)), None)
    if known is not None:
        return f"{known[0].upper()}{known[1:]}. A model that sees the answer is no proof: settle this first", []
    # No single pixel, word or step is a column that might be known too late.
    if picture_step(prepared) is not None or sequence_step(prepared) is not None:
        return None, []
    held, (dummy, _) = prepared.measured, found[DUMMY]
    best = (min if metric == "rmse" else max)(value for value, _ in found.values())
    simplest_first = (name for name in (LINEAR, FOREST, BOOSTING, NETWORK) if name in found)
    name = next((n for n in simplest_first if is_nearly_perfect(metric, dummy, held.truth, *found[n])), None)
    if prepared.target is None or (name is None and not is_strong(metric, dummy, best, len(held.truth))):
        return None, []
    learned, categorical, columns = columns_for_trees(prepared.recipe, prepared.train.inputs)
    asked, *_ = columns_for_trees(prepared.recipe, held.inputs)
    targets, classes = prepared.target.at(prepared.split.train), len(prepared.task.classes)
    strengths = column_strengths(metric, learned, targets, asked, held.truth, classes, categorical)
    alone = one_column(metric, best, strengths, columns)
    notes = [alone] if alone is not None else []
    if name is None:
        return None, notes
    said = f"{METRICS[metric]} {numeral(found[name][0], 3)}; without any column {numeral(dummy, 3)}"
    asking = question(metric, dummy, strengths, columns, spoken(name), said)
    # Classes that a curved boundary separates but a line does not are often just a clean problem.
    if metric == "rmse" or name == LINEAR:
        return asking, notes
    return None, notes + ([asking] if asking is not None else [])


@dataclass(frozen=True, kw_only=True)
class _Contender:
    """A peer before it is trained.

    Parameters
    ----------
    name
        Its name in the verdict.
    fit
        From the rows to learn from to its answers on the measured rows.
    first
        How many rows to begin with.
    why_not
        Why it cannot be trained in the time.
    """

    name: str
    fit: Callable[[Array], Array]
    first: int
    why_not: str | None = None


def _expected(prepared: Prepared) -> tuple[str, ...]:
    """The names of the peers that a network is compared with, if none has to be left out."""
    sequences = sequence_step(prepared)
    if sequences is not None:
        return OF_TEXTS if sequences.kind == "tokens" else OF_SERIES
    if picture_step(prepared) is None:
        return OF_TABLES
    return tuple(name for name in OF_PICTURES if name != DENSE or len(prepared.network.shape) > 1)


def _peers(prepared: Prepared, outcome: Outcome, clock: Clock) -> tuple[dict[str, Fitted], list[str]]:
    """The peers' answers on the measured rows, and what was left out."""
    scaler, seed = _plain_scaler(prepared), prepared.settings.seed
    classes = len(prepared.task.classes)
    targets = _targets(prepared)
    n_rows, n_asked = len(targets), len(prepared.measured.rows)
    every = weights_of(prepared.table, prepared.settings)
    order = np.concatenate([prepared.split.train, prepared.split.validation])
    weights = None if every is None else every[order]
    step, trained = picture_step(prepared), sum(epoch.seconds for epoch in outcome.history)
    load_scikit_learn()
    began = clock()
    constant = dummy_answers(targets, n_asked, classes, weights)
    peers = {DUMMY: Fitted(answers=constant, rows=n_rows, seconds=clock() - began)}
    notes: list[str] = []
    if sequence_step(prepared) is not None:
        allowed = max(LEAST_SECONDS, trained)
        contenders = _for_sequences(prepared, targets, weights)
    elif step is None:
        allowed = max(LEAST_SECONDS, trained)
        contenders, notes = _for_tables(prepared, targets, weights, allowed)
    else:
        allowed = max(_LEAST_SECONDS_FOR_PICTURES, _SHARE_FOR_PICTURES * trained)
        contenders, notes = _for_pictures(prepared, step, targets, weights)
    for contender in contenders:
        if contender.why_not is not None:
            notes.append(f"{spoken(contender.name)} was left out: {contender.why_not}")
            continue
        try:
            fitted = within_budget(
                contender.fit,
                n_rows,
                first=contender.first,
                budget=allowed,
                classes_of=targets if classes else None,
                seed=seed,
                clock=clock,
            )
        except (ValueError, ArithmeticError, RuntimeError, MemoryError) as error:
            said = str(error)[:200]
            notes.append(f"{spoken(contender.name)} was left out, because it could not be trained: {said}")
            continue
        peers[contender.name] = fitted
        if fitted.rows < n_rows:
            notes.append(
                f"{spoken(contender.name)} was trained on {fitted.rows:,} random rows of {n_rows:,}, because more "
                f"would have taken longer than {allowed:,.0f} seconds; with all of them it may be better"
            )
    if scaler is not None:
        peers = {n: Fitted(answers=scaler.inverse(p.answers), rows=p.rows, seconds=p.seconds) for n, p in peers.items()}
    return peers, notes


def _for_tables(
    prepared: Prepared, targets: Array, weights: Array | None, allowed: float
) -> tuple[list[_Contender], list[str]]:
    """The linear model, the random forest and gradient boosting, and what to know of them.

    Parameters
    ----------
    prepared
        The run's rows.
    targets, weights
        Of the training rows and after them the validation rows, ``[N]``.
    allowed
        The seconds that each peer may take.
    """
    scaler, seed, recipe = _plain_scaler(prepared), prepared.settings.seed, prepared.recipe
    balanced = prepared.settings.class_weight == "balanced"
    classes = len(prepared.task.classes)
    asked = prepared.measured.inputs
    parts = [prepared.train.inputs, prepared.validation.inputs if len(prepared.split.validation) else asked[:0]]

    def counted(rows: Array) -> Array | None:
        return None if weights is None else weights[rows]

    def linear(rows: Array) -> Array:
        learned, wanted = inputs_for_lines(prepared, rows)
        if scaler is not None and prepared.scaler is not None and prepared.scaler.is_log:
            return line_or_curve(learned, targets[rows], wanted, scaler, prepared.scaler, counted(rows))
        return linear_answers(learned, targets[rows], wanted, classes, balanced=balanced, weights=counted(rows))

    def forest(rows: Array) -> Array:
        learned, *_ = columns_for_trees(recipe, _take(parts, rows))
        wanted, *_ = columns_for_trees(recipe, asked)
        return forest_answers(
            learned, targets[rows], wanted, classes, balanced=balanced, weights=counted(rows), seed=seed
        )

    def boosting(rows: Array) -> Array:
        learned, categorical, _ = columns_for_trees(recipe, _take(parts, rows))
        wanted, *_ = columns_for_trees(recipe, asked)
        return boosting_answers(
            learned,
            targets[rows],
            wanted,
            classes,
            categorical=categorical,
            balanced=balanced,
            weights=counted(rows),
            seed=seed,
        )

    n_columns = columns_for_trees(recipe, asked[:1])[0].shape[1]
    wide = [s.name for s in recipe.steps if isinstance(s, TextStep) and len(s.terms) > WORDS_FOR_TREES]
    notes = []
    if wide:
        notes.append(
            f"the random forest and gradient boosting saw only the {WORDS_FOR_TREES} most telling words of "
            f"{', '.join(map(repr, wide))}; the linear model saw all that the network sees"
        )
    least, why_not = least_boosting_seconds(n_columns, classes), None
    if least > allowed:
        why_not = f"with {n_columns:,} columns it would take about {least:,.0f} seconds, and it may take {allowed:,.1f}"

    def first(columns: int) -> int:
        return max(_ROWS_AT_FIRST, _CELLS_AT_FIRST // (columns * max(1, classes)))

    contenders = [
        _Contender(name=LINEAR, fit=linear, first=first(n_columns if wide else asked.shape[1])),
        _Contender(name=FOREST, fit=forest, first=first(n_columns)),
        _Contender(name=BOOSTING, fit=boosting, first=first(n_columns), why_not=why_not),
    ]
    return contenders, notes


def _for_pictures(
    prepared: Prepared, step: ImageStep, targets: Array, weights: Array | None
) -> tuple[list[_Contender], list[str]]:
    """The peers of a network for pictures, and what to know of them.

    Parameters
    ----------
    prepared
        The run's rows.
    step
        How its pictures become numbers.
    targets, weights
        Of the training rows and after them the validation rows, ``[N]``.
    """
    if prepared.settings.class_weight == "balanced" and prepared.task.classes:
        shares = np.bincount(targets, weights=weights, minlength=len(prepared.task.classes))
        weights = (np.ones(len(targets)) if weights is None else weights) / shares[targets]
    fits = fits_of_pictures(prepared, step, targets, weights)
    notes = []
    if max(step.height, step.width) > LONGEST:
        notes.append(
            f"the simpler models saw the pictures of {step.height} × {step.width} pixels reduced to at most {LONGEST} "
            f"along the longer side, {LONGEST_FOR_EDGES} for edges"
        )
    firsts = dict.fromkeys(fits, FIRST) | {DENSE: FIRST_FOR_DENSE}
    return [_Contender(name=name, fit=fit, first=firsts[name]) for name, fit in fits.items()], notes


def _for_sequences(prepared: Prepared, targets: Array, weights: Array | None) -> list[_Contender]:
    """The peers of a network for texts or series."""
    balanced = prepared.settings.class_weight == "balanced"
    fits = fits_of_sequences(prepared, targets, weights, balanced=balanced)
    firsts = firsts_of_sequences(prepared)
    return [_Contender(name=name, fit=fit, first=firsts[name]) for name, fit in fits.items()]


def _targets(prepared: Prepared) -> Array:
    """Class numbers, or standardised numbers, of the training rows and after them the validation rows."""
    assert prepared.target is not None
    target, split = prepared.target, prepared.split
    together = np.concatenate([target.at(split.train), target.at(split.validation)])
    scaler = _plain_scaler(prepared)
    return together if scaler is None else scaler.transform(together)


def _plain_scaler(prepared: Prepared) -> TargetScaler | None:
    """The scaler of the number itself, even if the network predicts its logarithm: peers learn the number."""
    if prepared.scaler is None or not prepared.scaler.is_log or prepared.target is None:
        return prepared.scaler
    return TargetScaler.fit(prepared.target.at(prepared.split.train), prepared.train.weights)


def _take(parts: list[Array], rows: Array) -> Array:
    """These rows, ascending, from the concatenated parts."""
    edge = int(np.searchsorted(rows, len(parts[0])))
    if len(rows) == len(parts[0]) + len(parts[1]):
        return np.concatenate(parts)
    return np.concatenate([parts[0][rows[:edge]], parts[1][rows[edge:] - len(parts[0])]])
