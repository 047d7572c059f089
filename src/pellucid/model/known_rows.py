"""Recognise rows that a model is measured on although it was trained on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from pellucid.evaluation.names import name_of_metric
from pellucid.model.trained import TrainedModel
from pellucid.numerals import numerals

__all__ = ["TRAINED_ON", "figure_of_run", "notes_on_known_rows"]

Array = NDArray[Any]

TRAINED_ON = "most were trained on"  # how a note on rows that nearly all were begins
_MOST = 0.5  # of the rows
_WORTH_A_WORD = 0.01


def notes_on_known_rows(model: TrainedModel, inputs: Array, values: Array | None) -> tuple[str, ...]:
    """A note if many rows equal training or validation rows; otherwise nothing.

    Parameters
    ----------
    inputs, values
        What the network sees of the rows ``[N, features]``, and their class numbers or values ``[N]``; ``None`` for a
        reconstruction.
    """
    from pellucid.model.seen import bits_of_rows
    from pellucid.preparation.rows import training_rows

    known = model.seen.rows
    if known is None or not len(inputs):
        return ()
    judged, met = known.among(bits_of_rows(training_rows(model.task, model.scaler, inputs, values)))
    if not judged or met / judged < _WORTH_A_WORD or (met < 2 < len(inputs)):
        return ()
    share = met / judged
    rows = (
        f"{met:,} of these {judged:,} rows ({share:.0%})"
        if judged == len(inputs)
        else f"about {share:.0%} of these rows"
    )
    it = "the figures tell" if share >= _MOST else "they tell"
    most = f"{TRAINED_ON}: " if share >= _MOST else ""
    figure = figure_of_run(model)
    return (f"{most}{rows} equal rows that the model learned from, so {it} little about new rows{figure}",)


def figure_of_run(model: TrainedModel) -> str:
    """The first metric of the run on its own test or validation rows, as the end of a sentence; may be empty."""
    facts = model.facts.get("metrics")
    metrics = facts.get("metrics") if isinstance(facts, Mapping) else None
    if not isinstance(metrics, Mapping) or not metrics or not isinstance(facts, Mapping):
        return ""
    part = facts.get("measured_on")
    if part not in ("test", "validation"):
        return ""
    rows = (facts.get("rows") or {}).get(part)
    name, told = next(iter(metrics.items()))
    value, low, high = (told.get(key) if isinstance(told, Mapping) else None for key in ("value", "low", "high"))
    if not isinstance(value, int | float):
        return ""
    known = isinstance(low, int | float) and isinstance(high, int | float)
    shown = numerals([value, low, high] if known else [value], 3)
    between = f" ({shown[1]} – {shown[2]})" if known else ""
    count = f"{rows:,} " if isinstance(rows, int) else ""
    return f"; on its own {count}{part} rows: {name_of_metric(str(name))} {shown[0]}{between}"
