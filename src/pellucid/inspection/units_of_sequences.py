"""What a network that reads step by step does with its rows: states and gates, heads, tokens in two dimensions.

Legend: N rows, L steps of one row that count, D numbers of a step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.inside import look_inside
from pellucid.engines.support import rows_at_once
from pellucid.explanation.attention import Attention, attention_of
from pellucid.explanation.own_tokens import length_of
from pellucid.explanation.trace import LayerAtWork, RowTrace, trace_row
from pellucid.explanation.units import HiddenLayer, LayerStatistics, Projection, hidden_layers, of_layer, project
from pellucid.explanation.unrolled import Unrolled, unrolled
from pellucid.explanation.words.values import n
from pellucid.inspection.rows import RowsToInspect
from pellucid.inspection.sequences import SequenceRow, sequence_row
from pellucid.model.model import Model
from pellucid.network import Embedding, Network, SelfAttention
from pellucid.network.layers.recurrent import Recurrent
from pellucid.network.shapes import products_of
from pellucid.preparation.rows import training_rows
from pellucid.preprocessing.features import rows_for
from pellucid.preprocessing.steps.tokens import TokenStep
from pellucid.visible import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "LAYERS_DRAWN",
    "SequenceUnits",
    "last_outputs",
    "layers_of_sequences",
    "sequence_units",
    "sequences_to_take",
]

Array = NDArray[Any]
Parameters = Mapping[str, Array]

LAYERS_DRAWN = 4  # recurrent layers, in each direction
_UNITS, _TOKENS, _STEPS = 5, 250, 400  # that are drawn
_PRODUCTS = 2e10  # multiplications that looking may take
_FEWEST, _MOST = 50, 1_000  # rows
_LONG = 0.9  # a gate that is this open keeps most of the state


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceUnits:
    """One row in the network, at several epochs or at the end.

    Attributes
    ----------
    shown, title
        The row, and which it is.
    headings, traces
        Of each moment, and the row's trace there.
    kept
        The place of the moment whose network predicts.
    tokens, places
        The texts of frequent tokens, and where they are in two dimensions at each moment; none for series.
    """

    shown: SequenceRow
    title: str
    headings: tuple[str, ...]
    traces: tuple[RowTrace, ...]
    kept: int
    tokens: tuple[str, ...] = ()
    places: tuple[Projection, ...] = ()

    @property
    def recurrent(self) -> list[tuple[str, Unrolled]]:
        """Every recurrent layer in each direction of the network that predicts, with a name."""
        return _recurrent(self.traces[self.kept])

    @property
    def attention(self) -> list[tuple[str, Attention]]:
        """Every layer of attention of the network that predicts, with a name."""
        return _attention(self.traces[self.kept])

    @property
    def sentences(self) -> tuple[str, ...]:
        """How long states are kept, how the slope fades, where heads look."""
        found = []
        for name, each in self.recurrent:
            gate = next((letter for letter in ("f", "z") if letter in each.values), None)
            counted = each.counts
            if gate is not None:
                share = float((each.values[gate][counted] > _LONG).mean())
                what = "forget gate f" if gate == "f" else "update gate z"
                found.append(
                    f"{name}: the {what} is above {_LONG:g}, so that the state stays, in {share:.0%} of its values"
                )
            lengths = each.lengths_of_slopes
            if lengths is not None and self.shown.length > 1 and lengths[counted].any():
                ends = lengths[: self.shown.length][:: 1 if each.backwards else -1]
                far = f"‖∂L/∂h‖ is {n(ends[0])} at the end that is read last and {n(ends[-1])} at the first"
                found.append(f"{name}: back through time {far}")
        for name, seen in self.attention:
            found += [
                f"{name}, {said}"
                for said in _where_heads_look(seen.weights[:, : self.shown.length, : self.shown.length])
            ]
        return tuple(found)

    def figures(self) -> dict[str, Figure]:
        """The pictures by name: ``states-1``, ``gates-1``, ``text-1``, ``slopes``, ``attention``, ``embedding``."""
        from pellucid.plots import sequences as plots

        shown, found = self.shown, dict[str, Any]()
        few = slice(0, min(shown.length, _STEPS))
        steps, is_text = shown.steps[few], shown.is_text
        for number, (name, each) in enumerate(self.recurrent[:LAYERS_DRAWN], 1):
            h = each.values["h"][few]
            title = f"{name}, {self.title}"
            found[f"states-{number}"] = plots.states_over_steps(h, steps, title=f"States of {title}", is_text=is_text)
            strength = h.std(axis=0) if each.slopes is None else np.abs(each.slopes[few]).max(axis=0)
            best = np.sort(np.argsort(-strength, kind="stable")[:_UNITS])
            curves = [
                (f"unit {k + 1}", {letter: values[few, k] for letter, values in each.values.items()}) for k in best
            ]
            found[f"gates-{number}"] = plots.curves_of_unit(
                curves, steps, title=f"Gates and states of {title}", is_text=is_text
            )
            if is_text:
                units = [(f"unit {k + 1}", h[:, k]) for k in best]
                found[f"text-{number}"] = plots.coloured_text(steps, units, title=f"The state of {title}")
        lines = [(name, each.lengths_of_slopes) for name, each in self.recurrent]
        if len(self.traces) > 1 and lines:
            first = lines[0][0]
            lines = [
                (f"{first}, {heading}", _recurrent(trace)[0][1].lengths_of_slopes)
                for heading, trace in zip(self.headings, self.traces, strict=True)
            ]
        drawn = [(name, values[few]) for name, values in lines if values is not None and values[few].any()]
        if drawn:
            found["slopes"] = plots.slopes_over_steps(drawn, title=f"Back through time, {self.title}")
        if self.attention:
            maps = [(name, seen.weights[:, few, few]) for name, seen in self.attention]
            found["attention"] = plots.attention_maps(maps, steps, title=f"Attention, {self.title}", is_text=is_text)
        if self.attention and len(self.traces) > 1:
            maps = [
                (heading, _attention(trace)[0][1].weights[:, few, few])
                for heading, trace in zip(self.headings, self.traces, strict=True)
            ]
            found["attention-over-epochs"] = plots.attention_maps(
                maps, steps, title=f"{self.attention[0][0]}, {self.title}", is_text=is_text
            )
        if self.places:
            moments = [
                (heading, each.places, each.shares) for heading, each in zip(self.headings, self.places, strict=True)
            ]
            title = f"The {len(self.tokens):,} most frequent tokens in two dimensions"
            found["embedding"] = plots.embedding_places(moments, self.tokens, title=title)
        return found

    def to_json(self) -> dict[str, Any]:
        """The numbers as JSON values."""
        length = self.shown.length
        return {
            "row": self.title,
            "steps": list(self.shown.steps),
            "recurrent": [
                {
                    "layer": name,
                    "states": {letter: values[:length].tolist() for letter, values in each.values.items()},
                    "lengths_of_slopes": None
                    if each.lengths_of_slopes is None
                    else each.lengths_of_slopes[:length].tolist(),
                }
                for name, each in self.recurrent
            ],
            "attention": [
                {"layer": name, "weights": seen.weights[:, :length, :length].tolist()} for name, seen in self.attention
            ],
            "tokens": list(self.tokens),
            "embedding": [
                {"moment": heading, "variance_shares": list(each.shares), "places": each.places.round(6).tolist()}
                for heading, each in zip(self.headings, self.places, strict=bool(self.places))
            ]
            if self.places
            else [],
        }


def sequence_units(
    model: Model, moments: Sequence[tuple[str, Parameters]], kept: int, rows: RowsToInspect, given: RowsToInspect
) -> SequenceUnits:
    """One row in the network at several moments, and the tokens of many rows in two dimensions.

    Parameters
    ----------
    model
        The model.
    moments, kept
        Headings and weights, and which of them predict.
    rows
        The rows whose tokens are counted.
    given
        The row that is shown.
    """
    shown = sequence_row(model, given.features)
    target = None
    if given.truth is not None and not np.isnan(given.truth).any():
        values = given.truth.astype(np.int64) if model.task.is_classification else given.truth
        target = training_rows(model.task, model.scaler, shown.row[np.newaxis], values).targets
    traces = tuple(
        trace_row(model.network, parameters, shown.row, loss=model.task.loss, target=target, compared=False)
        for _, parameters in moments
    )
    (step,) = model.recipe.steps
    tokens: tuple[str, ...] = ()
    places: list[Projection] = []
    if isinstance(step, TokenStep) and isinstance(model.network.layers[0], Embedding):
        ids = _frequent(np.asarray(rows_for(model.network.shape, rows.features)))
        tokens = tuple(one_line(step.tokenizer.shown(int(token))) for token in ids)
        for _, parameters in moments if len(ids) > 1 else ():
            places.append(project(parameters["0.weight"][ids], places[-1] if places else None))
    return SequenceUnits(
        shown=shown,
        title=given.title,
        headings=tuple(heading for heading, _ in moments),
        traces=traces,
        kept=kept,
        tokens=tokens if places else (),
        places=tuple(places),
    )


def sequences_to_take(network: Network, moments: int) -> int:
    """How many rows can be looked at in some seconds."""
    return int(np.clip(_PRODUCTS / (products_of(network) * (1 + moments)), _FEWEST, _MOST))


def layers_of_sequences(model: Model, rows: Array, groups: Array | None, n_groups: int) -> tuple[LayerStatistics, ...]:
    """The behaviour of the units of every hidden layer, at each step that counts.

    Parameters
    ----------
    model
        The model.
    rows
        As the network takes them.
    groups, n_groups
        ``[N]`` the group of each row, -1 for none, and how many there are.
    """
    of = np.zeros(len(rows), np.int64) if groups is None else groups
    lengths = np.array([length_of(row) for row in rows])
    layers = _hidden(model.network)
    outputs = _outputs(model.network, model.parameters, rows, [str(layer.last) for layer in layers])
    found = []
    for layer in layers:
        values = outputs[str(layer.last)]
        if values.ndim == 3 and values.shape[1] == rows.shape[1]:
            there = np.arange(rows.shape[1]) < lengths[:, np.newaxis]
            found.append(of_layer(layer, values[there], np.repeat(of, lengths), n_groups))
        elif values.ndim == 3:  # channels of a convolution: each position is a row
            found.append(
                of_layer(
                    layer, values.swapaxes(1, 2).reshape(-1, values.shape[1]), np.repeat(of, values.shape[2]), n_groups
                )
            )
        else:
            found.append(of_layer(layer, values, of, n_groups))
    return tuple(found)


def last_outputs(network: Network, parameters: Parameters, rows: Array) -> Array:
    """The outputs of the last hidden layer, ``[N, D]``; of a sequence those of each row's last step."""
    name = str(hidden_layers(network)[-1].last)
    values = _outputs(network, parameters, rows, [name])[name]
    if values.ndim == 2:
        return values
    if values.shape[1] == rows.shape[1]:
        ends = np.array([length_of(row) for row in rows]) - 1
        found: Array = values[np.arange(len(rows)), ends]
        return found
    return values.reshape(len(values), -1)


def _outputs(network: Network, parameters: Parameters, rows: Array, names: Sequence[str]) -> dict[str, Array]:
    """What some layers give for rows, a part of them after the other."""
    at_once = rows_at_once(network)
    if network.dtype != "int64":
        rows = rows.astype(parameters[network.trainable()[0].name].dtype)
    parts = [look_inside(network, parameters, rows[i : i + at_once], names=names) for i in range(0, len(rows), at_once)]
    return {name: np.concatenate([part.outputs[name] for part in parts]) for name in names}


def _hidden(network: Network) -> tuple[HiddenLayer, ...]:
    """The hidden layers with their units at each step."""
    shapes = network.shapes()
    found = []
    for layer, block in zip(hidden_layers(network), network.blocks(), strict=False):
        first = network.layers[block.start]
        last = max((i for i in block if len(shapes[i]) == len(shapes[block.start])), default=layer.last)
        shape = shapes[last]  # before the steps are pooled
        units = shape[-1] if len(shape) == 1 or shape[0] == network.shape[0] else shape[0]
        what = layer.function if layer.function != "identity" else type(first).__name__
        found.append(replace(layer, last=last, units=units, text=f"{units:,} {what}"))
    return tuple(found)


def _frequent(rows: Array) -> Array:
    """The most frequent tokens with a text, the most frequent first."""
    ids, counts = np.unique(rows, return_counts=True)
    words = ids > 1
    found: Array = ids[words][np.argsort(-counts[words], kind="stable")[:_TOKENS]]
    return found


def _recurrent(trace: RowTrace) -> list[tuple[str, Unrolled]]:
    found = []
    for work in _every(trace.layers):
        if isinstance(work.layer, Recurrent):
            cells = unrolled(work)
            found += [(f"{work.name} {work.text}" + (f", {each.title}" if each.title else ""), each) for each in cells]
    return found


def _attention(trace: RowTrace) -> list[tuple[str, Attention]]:
    return [
        (f"layer {work.name}", attention_of(work, trace.steps))
        for work in _every(trace.layers)
        if isinstance(work.layer, SelfAttention)
    ]


def _every(layers: Sequence[LayerAtWork]) -> list[LayerAtWork]:
    return [each for work in layers for each in (work, *_every(work.inner))]


def _where_heads_look(weights: Array) -> list[str]:
    """For each head the share of its weights on the step itself, the one before and the first."""
    said = []
    for head, own in enumerate(weights, 1):
        itself = float(np.trace(own) / len(own))
        before = float(np.diagonal(own, -1).sum() / max(1, len(own) - 1))
        first = float(own[:, 0].mean())
        said.append(f"head {head}: {itself:.0%} of its weights are on the step itself, {before:.0%} on the one before, "
                    f"{first:.0%} on the first")  # fmt: skip
    return said
