"""How preprocessing encodes the cells of one row, in words and numbers: ``(41 − 38.2) / 13.1 = 0.214``."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pellucid.preprocessing.recipe import Recipe, Step
from pellucid.preprocessing.steps.boolean import BooleanStep
from pellucid.preprocessing.steps.both import BothStep
from pellucid.preprocessing.steps.categorical import CategoricalStep
from pellucid.preprocessing.steps.dates import WEEKDAYS, DatePart, DateStep
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.preprocessing.steps.numeric import BOUND, CLIP, NumericStep
from pellucid.preprocessing.steps.piecewise import PiecewiseStep
from pellucid.preprocessing.steps.series import SeriesStep
from pellucid.preprocessing.steps.text import TextStep
from pellucid.preprocessing.steps.tokens import TokenStep
from pellucid.preprocessing.values import is_missing, number_of

__all__ = ["EncodedCell", "encoded_cells"]


_TERMS = 6  # shown of a text


@dataclass(frozen=True, kw_only=True)
class EncodedCell:
    """A cell and the features that encode it.

    Attributes
    ----------
    column, cell
        The column's name and the cell, as in the table; ``None`` is a missing cell.
    how
        How the cell was encoded, in a few words or as arithmetic.
    features
        Each feature's name and value, in the order of the network's inputs.
    """

    column: str
    cell: object
    how: str
    features: tuple[tuple[str, float], ...]


def encoded_cells(recipe: Recipe, row: Mapping[str, object]) -> tuple[EncodedCell, ...]:
    """The encoded cells of a row (column → value), in the order of the recipe.

    >>> import pyarrow as pa
    >>> from pellucid.preprocessing.steps.numeric import fit_numeric
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
            found = _in_bins(step, cell, values, missing=missing)
        case BothStep():
            scaled = _how(step.number, cell, values[:1], missing=missing)
            found = f"{scaled}; {_in_bins(step.bins, cell, values[1:], missing=missing)}"
        case CategoricalStep():
            found = _in_levels(step, values)
        case BooleanStep():
            found = "missing" if missing else f"{values[0]:g}"
        case DateStep():
            found = _in_parts(step, cell, values)
        case ImageStep():
            found = "each pixel p: " + "; ".join(_of_channel(step, c) for c in range(step.channels))
        case TextStep():
            found = _in_terms(step, values, missing=missing or step.weights_of(str(cell).strip()) is None)
        case TokenStep():
            found = _in_tokens(step, values)
        case SeriesStep():
            found = f"{step.steps:,} steps: " + "; ".join(
                _of_series(step, c) for c in range(min(_TERMS, step.channels))
            )
        case _:
            raise AssertionError(step)
    return found


def _in_levels(step: CategoricalStep, values: tuple[float, ...]) -> str:
    at = [name for name, value in zip(step.features, values, strict=True) if value == 1.0]
    if not at:
        return "not seen in training: the shares that its categories had there"
    return f"1 for {at[0]!r}, 0 for the others" if len(values) > 1 else f"1 for {at[0]!r}"


def _in_terms(step: TextStep, values: tuple[float, ...], *, missing: bool) -> str:
    """The terms with the largest weights in a text."""
    what = "words and pairs of words" if step.units == "words" else "pieces"
    if missing:
        return f"missing: 0 for all {what}"
    known = sorted((i for i in range(len(step.terms)) if values[i]), key=lambda i: (-values[i], i))
    if not known:
        return f"none of the {what} that are known: 0 for all"
    shown = ", ".join(f'"{step.terms[i]}" {_short(values[i])}' for i in known[:_TERMS])
    more = f" and {len(known) - _TERMS:,} more" if len(known) > _TERMS else ""
    return f"{len(known):,} known {what}, TF-IDF brought to length 1: {shown}{more}"


def _in_tokens(step: TokenStep, values: tuple[float, ...]) -> str:
    """The first tokens with their numbers."""
    ids = [int(value) for value in values]
    while ids and not ids[-1]:
        ids.pop()
    if not ids:
        return "no text: padding alone"
    shown = ", ".join(f'"{step.tokenizer.shown(token)}" {token}' for token in ids[:_TERMS])
    more = f" and {len(ids) - _TERMS:,} more" if len(ids) > _TERMS else ""
    padded = f", then {len(values) - len(ids):,} of padding (0)" if len(ids) < len(values) else ""
    return f"{len(ids):,} token{'s' * (len(ids) != 1)} with their numbers: {shown}{more}{padded}"


def _of_series(step: SeriesStep, channel: int) -> str:
    name = f"{step.channel_names[channel]} " if step.channels > 1 else ""
    match step.scaling:
        case "series":
            how = "(x − the series' own mean) / its own deviation"
        case "rows":
            how = f"(x − {_within(step.mean[channel])}) / {_short(step.deviation[channel])}"
        case _:
            how = "x as it is"
    return name + how


def _scaled(step: NumericStep, x: float, result: float) -> str:
    if step.scaling == "quantile":
        return _between_quantiles(step, x, result)
    if step.scale == 0.0:
        return "one value in all training rows: 0"
    if step.scaling == "none":
        return f"as it is: {_short(result)}"
    ratio = f"({_short(x)} − {_within(step.centre)}) / {_short(step.scale)}"
    if step.scaling == "robust":
        return f"z = {ratio} = {_short((x - step.centre) / step.scale)}, z / √(1 + (z/{CLIP:g})²) = {_short(result)}"
    return f"{ratio} = {_held((x - step.centre) / step.scale, result)}"


def _between_quantiles(step: NumericStep, x: float, result: float) -> str:
    if len(step.knots) < 2:
        return "one value in all training rows: 0"
    held = min(max(x, step.knots[0]), step.knots[-1])
    i = min(max(bisect_right(step.knots, held) - 1, 0), len(step.knots) - 2)
    low, high = step.knots[i], step.knots[i + 1]
    one, other = step.scores[i], step.scores[i + 1]
    return (
        f"between {_short(low)} and {_short(high)}, whose normal scores among the training rows are {_short(one)} and "
        f"{_short(other)}: {_short(one)} + ({_short(held)} − {_within(low)}) / ({_short(high)} − {_within(low)}) · "
        f"({_short(other)} − {_within(one)}) = {_short(result)}"
    )


def _in_bins(step: PiecewiseStep, cell: object, values: tuple[float, ...], *, missing: bool) -> str:
    bins, edges = step.n_bins, step.edges
    if not bins:
        return "one value in all training rows: no bin"
    if missing and step.indicator:
        return "missing: 0 in every bin"
    x = step.fill if missing else number_of(cell, step.name)
    if step.bounded and not edges[0] <= x <= edges[-1]:
        return f"beyond {_short(edges[0] if x < edges[0] else edges[-1])}: {_short(values[0])} in every bin"
    at = min(max(bisect_right(edges, x) - 1, 0), bins - 1)
    low, high = edges[at], edges[at + 1]
    below, above = at, bins - 1 - at
    others = [f"1 in the {below} below"] * (below > 0) + [f"0 in the {above} above"] * (above > 0)
    share = _held((x - low) / (high - low), values[at])
    ratio = f"({_short(x)} − {_within(low)}) / ({_short(high)} − {_within(low)}) = {share}"
    return f"in bin {at + 1} of {bins}: {ratio}" + "".join(f", {other}" for other in others)


def _in_parts(step: DateStep, cell: object, values: tuple[float, ...]) -> str:
    raw = step.raw_parts(cell)
    if raw is None:
        return "missing, so the means of its parts in the training rows"
    said, at = [], 0
    for part, number in zip(step.parts, raw, strict=True):
        made = values[at : at + len(part.fill)]
        at += len(part.fill)
        said.append(_of_date(part, number, made))
    return "; ".join(said)


def _of_date(part: DatePart, number: float, made: tuple[float, ...]) -> str:
    if part.part == "weekday":
        return f"1 for {WEEKDAYS[int(number)]}, 0 for the other days"
    if part.part in ("month", "time"):
        turns = 12 if part.part == "month" else 1440
        what = f"month {number + 1:g}" if turns == 12 else f"{int(number) // 60:02d}:{int(number) % 60:02d}"
        sine, cosine = (_short(round(value, 12) + 0.0) for value in made)  # the sine of π is 0 up to rounding
        return f"{what}: sin and cos of 2π · {number:g}/{turns} are {sine} and {cosine}"
    what = "days since 1970" if part.part == "elapsed" else part.part
    scaled = _held((number - part.centre) / part.scale, made[0])
    return f"{what}: ({_long(number)} − {_within(part.centre, _long)}) / {_short(part.scale)} = {scaled}"


def _of_channel(step: ImageStep, channel: int) -> str:
    mean, deviation = step.mean[channel], step.deviation[channel]
    how = f"(p / 255 − {_short(mean)}) / {_short(deviation)}" if deviation > 0 else "0, as all are equal in training"
    names = ("red", "green", "blue", "alpha")
    return how if step.channels == 1 else f"{names[channel] if channel < 4 else channel} {how}"


def _held(value: float, feature: float) -> str:
    """The result of the arithmetic, and the limit it was clipped to if it is too far out."""
    return f"{_short(value)}, held at {_short(feature)}" if abs(feature) == BOUND else _short(feature)


def _short(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def _long(value: float) -> str:
    """More digits, for values that are large compared with their spread: a day among days, a year among years."""
    return f"{value:.8g}".replace("-", "−")


def _within(value: float, spelled: Callable[[float], str] = _short) -> str:
    """In brackets if a sign would stand next to an operator."""
    return f"({spelled(value)})" if value < 0 else spelled(value)
