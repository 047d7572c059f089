"""Every activation with its range, use and derivative; softmax, and how to keep it from overflowing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import RULES, softmax
from pellucid.errors import SettingError
from pellucid.numerals import numeral
from pellucid.studies.story import Story

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ActivationFigures", "Activations", "naive_softmax", "study"]

Array = NDArray[Any]

CLASSIC = ("sigmoid", "tanh", "relu")
POINTS = 401  # odd, so that 0 is included, where some slopes are largest and some activations have a kink
H = 1e-5  # of the central differences
OTHER_SCORES = (1.0, 0.0)  # beside z, in the picture of softmax


@dataclass(frozen=True, kw_only=True, eq=False)
class ActivationFigures:
    """One activation measured at all points.

    Attributes
    ----------
    values, derivative
        f(z) and f′(z), ``[N]``.
    largest_slope
        The largest absolute value of f′(z).
    slope_at_ends
        f′ at the smallest and the largest z.
    largest_difference
        Between f′ and the central differences of f, without the point 0.
    """

    values: Array
    derivative: Array
    largest_slope: float
    slope_at_ends: tuple[float, float]
    largest_difference: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Activations:
    """The figures of the study.

    Attributes
    ----------
    z
        The points, ``[N]``.
    functions
        By the activation's name.
    scores, softmax
        The vector and its softmax, ``[C]``.
    far_scores, far_softmax, far_naive
        Scores of ±1,000, and their softmax in the stable form and by the plain formula (NaN: not a number).
    """

    z: Array
    functions: dict[str, ActivationFigures]
    scores: Array
    softmax: Array
    far_scores: Array
    far_softmax: Array
    far_naive: Array


def study(
    story: Story,
    *,
    vector: Annotated[str, "the scores that softmax turns into probabilities"] = "2,1,0.1",
    limit: Annotated[float, "draw the functions from −limit to limit"] = 5.0,
) -> Activations:
    """Show what each activation does, how steep it is, and how softmax works.

    Raises
    ------
    SettingError
        The vector is not 2 to 100 numbers separated by commas, or the limit is not between 1 and 50.
    """
    scores = _scores(vector)
    if not 1 <= limit <= 50:
        raise SettingError(f"limit must be from 1 to 50, got {limit!r}")
    z = np.linspace(-limit, limit, POINTS)
    functions = {name: _figures(name, z) for name in RULES}

    story.heading("What they do")
    story.say(
        "A neuron passes its weighted sum z to an activation, a = f(z). Without activations, a network of many layers "
        "would still be linear. The table shows the range of each activation and where it is used; Φ is the "
        "cumulative distribution function of the normal distribution and φ its density, σ is the sigmoid, "
        "λ ≈ 1.0507 and α ≈ 1.6733."
    )
    story.table(
        "Activations",
        ("name", "formula f(z)", "range", "use", "source"),
        [(name, rule.formula, rule.range, rule.use, rule.source) for name, rule in RULES.items()],
    )
    story.heading("How steep they are")
    story.say(
        "Backpropagation multiplies the gradient by the slope f′(z) once in every layer. Where the slope is near 0, "
        "hardly any gradient passes. The last column compares f′ with central "
        f"differences, (f(z + h) − f(z − h)) / 2h, at {POINTS - 1} points from {_text(-limit)} to {_text(limit)}; "
        "0 is left out because relu, leaky_relu and selu have a kink there."
    )
    story.table(
        "Derivatives; a stands for f(z)",
        ("name", "f′(z)", "largest |f′|", f"f′({_text(-limit)})", f"f′({_text(limit)})", "largest difference"),
        [
            (name, RULES[name].derivative_formula, each.largest_slope, *each.slope_at_ends,
             numeral(each.largest_difference, 1))
            for name, each in functions.items()
        ],
    )  # fmt: skip
    story.draw(
        "classic", lambda: _classic(z, functions),
        "The four classic functions. Softmax needs several scores: here z together with 1 and 0; the three "
        "probabilities sum to 1.",
    )  # fmt: skip
    story.draw("all", lambda: _all(z, functions), "Every activation (solid) and its derivative (dashed).")

    shares = softmax(scores)
    _tell_softmax(story, scores, shares)
    far = np.array([1000.0, 0.0, -1000.0])
    far_shares, far_naive = softmax(far), naive_softmax(far)
    _tell_overflow(story, scores, far, far_shares, far_naive)

    sigmoid, relu = functions["sigmoid"], functions["relu"]
    story.close(
        learned=f"The slope decides how much of the gradient passes back through a unit: sigmoid's is at most "
        f"{_text(sigmoid.largest_slope)} and only {_text(sigmoid.slope_at_ends[1])} at z = {_text(limit)}, relu's is "
        f"{_text(relu.slope_at_ends[1])} for every z above 0 and {_text(relu.slope_at_ends[0])} below.",
        try_next="pellucid study chain-rule",
    )
    return Activations(
        z=z,
        functions=functions,
        scores=scores,
        softmax=shares,
        far_scores=far,
        far_softmax=far_shares,
        far_naive=far_naive,
    )


def naive_softmax(z: Array) -> Array:
    """Softmax by the plain formula, e^zᵢ / Σ e^zⱼ ``[C]``: NaN where e^z overflows.

    >>> naive_softmax(np.array([1000.0, 0.0]))
    array([nan,  0.])
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        e = np.exp(z)
        return np.asarray(e / e.sum())


def _scores(vector: str) -> Array:
    try:
        scores = np.array([float(part) for part in vector.split(",")])
    except ValueError:
        raise SettingError(f"vector must be numbers separated by commas, such as 2,1,0.1, got {vector!r}") from None
    if not 2 <= len(scores) <= 100 or not (np.abs(scores) <= 1e6).all():
        raise SettingError(f"vector must be 2 to 100 numbers, each from −1,000,000 to 1,000,000, got {vector!r}")
    return scores


def _figures(name: str, z: Array) -> ActivationFigures:
    rule = RULES[name]
    values = rule.f(z)
    slope = rule.derivative(z, values)
    near = (rule.f(z + H) - rule.f(z - H)) / (2 * H)
    smooth = np.abs(z) > H  # at a kink the two sides have different slopes, and central differences give their mean
    return ActivationFigures(
        values=values,
        derivative=slope,
        largest_slope=float(np.abs(slope).max()),
        slope_at_ends=(float(slope[0]), float(slope[-1])),
        largest_difference=float(np.abs(slope - near)[smooth].max()),
    )


def _tell_softmax(story: Story, scores: Array, shares: Array) -> None:
    story.heading("Softmax: from scores to probabilities")
    story.say(
        "Softmax uses all scores together: it raises e to the power of each score and divides by the sum, so that the "
        "results are above 0 and sum to 1. The stable form first subtracts the largest score from all; this cancels in "
        "the fraction, so only the intermediate numbers get smaller."
    )
    powers = np.exp(scores - scores.max())
    rows = [
        (_text(z), _text(z - scores.max()), _text(e), _text(p)) for z, e, p in zip(scores, powers, shares, strict=True)
    ]
    story.table(
        f"Softmax of {_vector(scores)}",
        ("score z", "z − max z", "e^(z − max z)", "probability"),
        [*rows, ("sum", "", _text(powers.sum()), _text(shares.sum()))],
    )


def _tell_overflow(story: Story, scores: Array, far: Array, shares: Array, naive: Array) -> None:
    story.heading("Why the largest score is subtracted")
    story.say(f"The largest float64 number is about e^{_text(np.log(np.finfo(np.float64).max))}. The plain formula can "
              "exceed that limit; the stable form cannot.")  # fmt: skip
    higher = scores + 1000
    rows = []
    for row, stable, written in ((far, shares, naive), (higher, softmax(higher), naive_softmax(higher))):
        rows.append((_vector(row), "plain", _vector(written)))
        rows.append((_vector(row), "stable", _vector(stable)))
    story.table("Two forms of the same formula", ("scores", "form", "probabilities"), rows)
    same = float(np.abs(softmax(higher) - softmax(scores)).max())
    story.say(
        "The last row is the vector from above with 1,000 added to every score: its probabilities differ from those "
        f"above by at most {numeral(same, 1)}, because only the differences between scores matter."
    )


# ── pictures ──


def _classic(z: Array, functions: Mapping[str, ActivationFigures]) -> Figure:
    from pellucid.plots.functions import Curve, function_panels

    parts = {name: [Curve(name=f"{name}(z)", values=functions[name].values),
                    Curve(name="derivative", values=functions[name].derivative, dashed=True)]
             for name in CLASSIC}  # fmt: skip
    scores = np.column_stack([z, *(np.full_like(z, other) for other in OTHER_SCORES)])  # [N, 3]
    shares = softmax(scores)
    parts["softmax of [z, 1, 0]"] = [
        Curve(name="share of z", values=shares[:, 0]),
        Curve(name="its derivative", values=shares[:, 0] * (1 - shares[:, 0]), dashed=True),
        Curve(name="share of 1", values=shares[:, 1]),
        Curve(name="share of 0", values=shares[:, 2]),
    ]
    return function_panels(z, parts)


def _all(z: Array, functions: Mapping[str, ActivationFigures]) -> Figure:
    from pellucid.plots.functions import Curve, function_panels

    return function_panels(
        z,
        {
            name: [Curve(name="f(z)", values=each.values),
                   Curve(name="f′(z)", values=each.derivative, dashed=True)]
            for name, each in functions.items()
        },
        columns=4,
    )  # fmt: skip


# ── words ──


def _text(value: float) -> str:
    return "NaN" if np.isnan(value) else numeral(value)


def _vector(values: Array) -> str:
    return "[" + ", ".join(_text(v) for v in values) + "]"
