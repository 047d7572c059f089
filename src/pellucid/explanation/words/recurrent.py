"""The arithmetic of recurrent layers: at one step the weighted sums of inputs and state, the gates, the new state.

Legend: ``T`` steps, ``I`` inputs and ``H`` units of one layer and direction, ``G`` gates. A layer has the arrays of
PyTorch, of which the suffix says the layer and the direction: ``_l0``, ``_l0_reverse``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.unit_names import as_steps, at, step_names
from pellucid.explanation.words.values import Derivative, Derivatives, Equation, Note, Parts, Sum
from pellucid.network import Shape
from pellucid.network.layers.recurrent import Recurrent

__all__ = ["At", "RecurrentWords", "seen"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class At:
    """A unit of one layer and direction at a step.

    Attributes
    ----------
    layer, suffix
        Which of the layers upon each other, from 0, and what the names of its arrays end in.
    t, unit
        The step, and the unit within the direction.
    """

    layer: int
    suffix: str
    t: int
    unit: int


class RecurrentWords(Words):
    """h[t] from the step's inputs and h[t − 1]; ∂L/∂x[t] from ∂L/∂ of the sums that x[t] enters.

    The words are those of the uppermost layer; a layer below it is computed in the same way.
    """

    sums: ClassVar[tuple[str, ...]]  # the letters of the weighted sums, as PyTorch stacks their weights
    formula: ClassVar[str]

    @abstractmethod
    def cell(self, step: NamedStep, here: At) -> Parts:
        """From the sums to h, in equations."""

    def symbol(self, given: str) -> str:
        """The letter of what comes out: h, the state."""
        return "h"

    def names_of_block(self, number: str, shape_out: Shape, outputs: Sequence[str] = ()) -> Sequence[str]:
        """The units at each step."""
        return step_names(number, shape_out, outputs)

    def explain(self, step: NamedStep) -> str:
        """The formula, and what is carried from step to step."""
        layer = _layer(step)
        size = sum(array.size for array in step.work.parameters.values())
        below = f" {layer.layers} layers lie upon each other; these are the numbers of the last." * (layer.layers > 1)
        both = " The second half of the units goes from the last step to the first." * layer.bidirectional
        return (
            f"At each of {step.work.shape_in[0]:,} steps, with the same weights: {self.formula}. The state h is 0 at "
            f"the start of a row and then goes from step to step; padding gives 0. {size:,} parameters in all."
            f"{below}{both}"
        )

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """The weighted sums of this step, then the gates and the state."""
        here = self.place(step, unit)
        if not step.work.kept["counts"][0, here.t]:
            result = float(step.work.outputs[unit])
            note = Note(text=f"Step {here.t} is padding: it gives 0, and the state stays as it is.")
            return [note, Equation(symbol=step.symbol, calculation="{padding}", values={"padding": 0.0}, result=result)]
        return [*self.weighted(step, here), *self.cell(step, here)]

    def weighted(self, step: NamedStep, here: At) -> Parts:
        """z = Σ w · x + Σ w · h + b for each of the sums."""
        return [self.sum_of_both(step, here, gate) for gate in range(len(self.sums))]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂x = Σ ∂L/∂z · w, over all sums of the first layer that the input enters at its step."""
        layer, width = _layer(step), step.work.shape_in[1]
        t, column = divmod(unit, width)
        slopes, weights, names = list[Array](), list[Array](), list[str]()
        for suffix in layer.suffixes(0):
            slopes.append(step.work.kept_back[f"d_given{suffix}"][0, t])
            weights.append(step.work.parameters[f"weight_ih{suffix}"][:, column])
            direction = ", backwards" if suffix.endswith("reverse") else ""
            names += [f"{gate} of unit {k + 1}{direction}" for gate in self.sums for k in range(layer.width)]
        d, w = np.concatenate(slopes), np.concatenate(weights)
        note = "∂L/∂z holds what comes from this step's own output and, through the state, from the steps after it."
        return [
            Note(text=note),
            Sum(
                symbol=step.d_given,
                formula="Σ ∂L/∂z · w",
                origin="through",
                calculation="{∂L/∂z} · {w}",
                names=names,
                factors=(d, w),
                values=d * w,
                result=float(step.d_inputs[unit]),
            ),
        ]

    def owners(self, step: NamedStep) -> Sequence[int]:
        """The units of the first step: all steps share their weights."""
        return range(step.work.shape_out[1]) if step.work.gradients else ()

    def derivatives(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂w = Σ ∂L/∂z · x and Σ ∂L/∂z · h over the steps, for each sum and in each of the layers."""
        direction, k = divmod(unit % step.work.shape_out[1], _layer(step).width)
        return [
            self._derivatives(step, At(layer=layer, suffix=_layer(step).suffixes(layer)[direction], t=0, unit=k), gate)
            for layer in range(_layer(step).layers)
            for gate in range(len(self.sums))
        ]

    # ── what the kinds take their parts from ──────────────────────────────────────────────────────────────────────

    def place(self, step: NamedStep, unit: int) -> At:
        """The unit of the uppermost layer and the step that a number of the output belongs to."""
        layer = _layer(step)
        t, column = divmod(unit, step.work.shape_out[1])
        direction, k = divmod(column, layer.width)
        last = layer.layers - 1
        return At(layer=last, suffix=layer.suffixes(last)[direction], t=t, unit=k)

    def value(self, step: NamedStep, name: str, here: At) -> float:
        """One of the numbers that the cell made for the unit, such as a gate."""
        return float(seen(step, name, here)[here.unit])

    def sum_of_both(self, step: NamedStep, here: At, gate: int) -> Sum:
        """z = Σ w · x + Σ w · h + b."""
        names = [*_inputs(step, here), *_states(step, here)]
        work, row = step.work, gate * _layer(step).width + here.unit
        values = np.concatenate([work.kept[f"x_l{here.layer}"][0, here.t], seen(step, "before", here)])
        weights = self._row(step, here, row)
        return Sum(
            symbol=self.sums[gate],
            formula=f"Σ w · {step.given} + Σ w · h + b",
            origin="from",
            calculation="{w} · {value}",
            names=names,
            factors=(weights, values),
            values=weights * values,
            bias=sum(float(work.parameters[f"bias_{of}{here.suffix}"][row]) for of in ("ih", "hh")),
            result=float(seen(step, "given", here)[row] + seen(step, "recalled", here)[row]),
        )

    def sum_of_one(self, step: NamedStep, here: At, gate: int, *, of_state: bool) -> Sum:
        """Σ w · x + b or Σ w · h + b by itself.

        Parameters
        ----------
        step, here
            The layer at work and the unit.
        gate
            Which of the sums.
        of_state
            Whether of the state instead of the inputs.
        """
        work, row = step.work, gate * _layer(step).width + here.unit
        of, letter, kept = ("hh", "h", "recalled") if of_state else ("ih", step.given, "given")
        weights = work.parameters[f"weight_{of}{here.suffix}"][row]
        values = seen(step, "before", here) if of_state else work.kept[f"x_l{here.layer}"][0, here.t]
        return Sum(
            symbol="q" if of_state else "p",
            formula=f"Σ w · {letter} + b",
            origin="from",
            calculation=f"{{w}} · {{{letter}}}",
            names=_states(step, here) if of_state else _inputs(step, here),
            factors=(weights, values),
            values=weights * values,
            bias=float(work.parameters[f"bias_{of}{here.suffix}"][row]),
            result=float(seen(step, kept, here)[row]),
        )

    @staticmethod
    def _row(step: NamedStep, here: At, row: int) -> Array:
        """The weights of one sum: those of the inputs, then those of the state."""
        arrays = step.work.parameters
        return np.concatenate([arrays[f"weight_ih{here.suffix}"][row], arrays[f"weight_hh{here.suffix}"][row]])

    def _derivatives(self, step: NamedStep, here: At, gate: int) -> Derivatives:
        layer, work, suffix = _layer(step), step.work, here.suffix
        row, steps = gate * layer.width + here.unit, work.shape_in[0]
        slope = float(work.kept_back[f"d_given{suffix}"][0, :, row].sum())
        name = self.sums[gate]
        inputs = as_steps(step.names_in, work.shape_in).units
        if here.layer:
            inputs = [f"h of layer {here.layer}, unit {j + 1}" for j in range(layer.outputs)]

        def both(arrays: Any) -> Array:
            return np.concatenate([arrays[f"weight_{of}{suffix}"][row] for of in ("ih", "hh")])

        own = tuple(
            Derivative(
                sign=f"b_{of}",
                name=f"bias b_{of}",
                factor=1.0
                if np.isclose(work.gradients[f"bias_{of}{suffix}"][row], slope, rtol=1e-9, atol=1e-12)
                else None,
                gradient=float(work.gradients[f"bias_{of}{suffix}"][row]),
                old=float(work.parameters[f"bias_{of}{suffix}"][row]),
                new=float(work.updated[f"bias_{of}{suffix}"][row]),
            )
            for of in ("ih", "hh")
        )
        which = f" in layer {here.layer + 1}" if layer.layers > 1 else ""
        backwards = ", backwards" if suffix.endswith("reverse") else ""
        return Derivatives(
            caption=f"Its weights in {name}{which}, ∂L/∂w = Σ ∂L/∂{name} · {step.given} or h over {steps:,} steps",
            unit=f"{name} of unit {here.unit + 1}{which}{backwards}",
            symbol=f"Σ ∂L/∂{name}",
            slope=slope,
            factor="value",
            own=own,
            names=[*inputs, *(f"h of unit {j + 1}" for j in range(layer.width))],
            gradients=both(work.gradients),
            old=both(work.parameters),
            new=both(work.updated),
            positions=steps,
            sum_of=partial(_weight, step, here, row),
        )


def seen(step: NamedStep, name: str, here: At) -> Array:
    """What the cell saw at the step, such as its gates, of all units."""
    found: Array = step.work.kept[f"{name}{here.suffix}"][0, here.t]
    return found


def _weight(step: NamedStep, here: At, row: int, i: int) -> Sum:
    """∂L/∂w of one weight: Σ ∂L/∂z · x, or ∂L/∂z · h of the step before, over all steps."""
    work, suffix = step.work, here.suffix
    x = work.kept[f"x_l{here.layer}"][0]
    width = x.shape[1]
    of_state = i >= width
    values = work.kept[f"before{suffix}"][0, :, i - width] if of_state else x[:, i]
    slopes = work.kept_back[f"{'d_recalled' if of_state else 'd_given'}{suffix}"][0, :, row]
    of = "hh" if of_state else "ih"
    return Sum(
        symbol="∂L/∂w",
        formula="Σ ∂L/∂z · value",
        origin="at",
        calculation="{∂L/∂z} · {value}",
        names=[f"step {t}" for t in range(len(values))],
        factors=(slopes, values),
        values=slopes * values,
        result=float(work.gradients[f"weight_{of}{suffix}"][row, i - width * of_state]),
    )


def _inputs(step: NamedStep, here: At) -> list[str]:
    """The names of what the layer reads at the step."""
    layer, width = _layer(step), step.work.shape_in[1]
    if here.layer:
        return [f"h of layer {here.layer}, unit {j + 1} {at([here.t])}" for j in range(layer.outputs)]
    names = as_steps(step.names_in, step.work.shape_in)
    return [names[here.t * width + j] for j in range(width)]


def _states(step: NamedStep, here: At) -> list[str]:
    """The names of the state that the step before left."""
    counts = step.work.kept["counts"][0]
    before = here.t + 1 if here.suffix.endswith("reverse") else here.t - 1
    there = 0 <= before < len(counts) and bool(counts[before])
    when = at([before]) if there else "at the start"
    return [f"h of unit {j + 1} {when}" for j in range(_layer(step).width)]


def _layer(step: NamedStep) -> Recurrent:
    assert isinstance(step.work.layer, Recurrent)
    return step.work.layer
