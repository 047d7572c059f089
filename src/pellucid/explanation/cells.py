"""What preprocessing makes of the cells of one row, in words and numbers: ``(41 − 38.2) / 13.1 = 0.214``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pellucid.preprocessing.boolean import BooleanStep
from pellucid.preprocessing.both import BothStep
from pellucid.preprocessing.categorical import CategoricalStep
from pellucid.preprocessing.dates import DateStep
from pellucid.preprocessing.numeric import CLIP, NumericStep
from pellucid.preprocessing.piecewise import PiecewiseStep
from pellucid.preprocessing.recipe import Recipe, Step
from pellucid.preprocessing.values import is_missing, number_of

__all__ = ["EncodedCell", "encoded_cells"]


@dataclass(frozen=True, kw_only=True)
class EncodedCell:
    """A cell and the features that stand for it.

    Attributes
    ----------
    column, cell
        As in the table; ``None`` is a missing cell.
    how
        What was done, in a few words or as arithmetic.
    features
        Each feature's name and value, in the order of the network's inputs.
    """

    column: str
    cell: object
    how: str
    features: tuple[tuple[str, float], ...]


def encoded_cells(recipe: Recipe, row: Mapping[str, object]) -> tuple[EncodedCell, ...]:
    """The cells of a row, column → value, in the order of the recipe.

    >>> import pyarrow as pa
    >>> from pellucid.preprocessing.numeric import fit_numeric
    >>> recipe = Recipe(steps=(fit_numeric("age", pa.array([20.0, 30.0, 40.0])),))
    >>> cell, = encoded_cells(recipe, {"age": 41})
    >>> cell.how
    '(41 − 30) / 8.165 = 1.347'
    """
    found = []
    for step in recipe.steps:
        cell = row[step.name]
        values = step.encode_one(cell)
        missing = is_missing(cell)
        found.append(
            EncodedCell(
                column=step.name,
                cell=None if missing else cell,
                how=_how(step, cell, values, missing=missing),
                features=tuple(zip(step.features, values, strict=True)),
            )
        )
    return tuple(found)


def _how(step: Step, cell: object, values: tuple[float, ...], *, missing: bool) -> str:
    match step:
        case NumericStep():
            said = _scaled(step, step.fill if missing else number_of(cell, step.name), values[0])
            found = f"missing, so the median: {said}" if missing else said
        case PiecewiseStep():
            found = _in_bins(step, values, missing=missing)
        case BothStep():
            scaled = _how(step.number, cell, values[:1], missing=missing)
            found = f"{scaled}; {_in_bins(step.bins, values[1:], missing=missing)}"
        case CategoricalStep():
            found = _in_levels(step, values)
        case BooleanStep():
            found = "missing" if missing else f"{values[0]:g}"
        case DateStep():
            found = "its parts, scaled or as points on a circle"
        case _:
            found = "its pixels, standardised"
    return found


def _in_levels(step: CategoricalStep, values: tuple[float, ...]) -> str:
    at = [name for name, value in zip(step.features, values, strict=True) if value == 1.0]
    if not at:
        return "not seen in training: the shares that its categories had there"
    return f"1 for {at[0]!r}, 0 for the others" if len(values) > 1 else f"1 for {at[0]!r}"


def _scaled(step: NumericStep, x: float, result: float) -> str:
    if step.scaling == "quantile":
        return f"the normal score of its place among the training rows: {_short(result)}"
    if step.scale == 0.0:
        return "one value in all training rows: 0"
    if step.scaling == "none":
        return f"as it is: {_short(result)}"
    ratio = f"({_short(x)} − {_short(step.centre)}) / {_short(step.scale)}"
    if step.scaling == "robust":
        return f"z = {ratio} = {_short((x - step.centre) / step.scale)}, z / √(1 + (z/{CLIP:g})²) = {_short(result)}"
    return f"{ratio} = {_short(result)}"


def _in_bins(step: PiecewiseStep, values: tuple[float, ...], *, missing: bool) -> str:
    if not step.n_bins:
        return "one value in all training rows: no bin"
    if missing and step.indicator:
        return "missing: 0 in every bin"
    below = sum(value == 1.0 for value in values[: step.n_bins])
    return f"past {below} of {step.n_bins} bins" if below else f"in the first of {step.n_bins} bins"


def _short(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")
