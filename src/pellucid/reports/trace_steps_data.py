"""The numbers of a traced text or series for its page: every step's values once, and how each layer made them.

As for a picture (`pellucid.reports.trace_maps_data`), the page's script looks numbers up and multiplies those that it
shows; every sum is the network's own number from here. Of a long row the page holds a stretch of steps, of a wide
network the strongest units; sums count what is not there as "others".

Legend: ``T`` steps on the page, ``D`` numbers of a step, ``H`` heads or units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import RULES
from pellucid.explanation.attention import attention_of
from pellucid.explanation.trace import LayerAtWork, RowTrace
from pellucid.explanation.unrolled import STATES, Unrolled, strongest_stretch, unrolled
from pellucid.explanation.words import NamedStep, words_of
from pellucid.explanation.words.activation import written_in
from pellucid.explanation.words.recurrent import RecurrentWords
from pellucid.explanation.words.unit_names import units_of
from pellucid.explanation.words.values import strongest
from pellucid.network import (
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    LayerNorm,
    Network,
    Positions,
    Residual,
    SelfAttention,
    StepPool,
)
from pellucid.network.layers.convolution import Convolution
from pellucid.network.layers.recurrent import Recurrent
from pellucid.reports.trace_maps_data import packed

__all__ = ["has_page_of_steps", "steps_data"]

Array = NDArray[Any]
_MOST = 700_000  # numbers on a page: about 4 MB
_SIZES = ((256, 0), (128, 0), (64, 0), (64, 64), (32, 64), (32, 32), (32, 16), (16, 16))  # steps and units; 0: all


def has_page_of_steps(network: Network) -> bool:
    """Whether a row is read step by step all the way: not by convolutions, whose maps have a page of their own."""
    if any(isinstance(layer, Convolution | BatchNorm) for layer in network.every_layer()):
        return False
    return network.on_sequences


def steps_data(
    row: RowTrace,
    steps: Sequence[NamedStep],
    slopes_of_outputs: Sequence[str],
    labels: Sequence[str],
    *,
    most: int = _MOST,
) -> dict[str, Any]:
    """Everything that the script of the page looks up.

    Parameters
    ----------
    row, steps
        The trace, and its layers with names.
    slopes_of_outputs
        How ∂L/∂ of each output arises from the loss, in a sentence; empty if the target is not known.
    labels
        The texts of the tokens that count; for a series none.
    most
        How many numbers the page holds.
    """
    total = row.steps or 1
    found: dict[str, Any] = {}
    for many, units in _SIZES:
        window = strongest_stretch(_strength(row), total, many)
        collected = _Collected(window=window, units=units, counting=total)
        collected.add(steps, row)
        found = {"nodes": collected.nodes, "layers": collected.layers}
        if collected.numbers <= most:
            break
    first, last = window.start, window.stop
    return {
        **found,
        "fromLoss": list(slopes_of_outputs),
        "start": first,
        "steps": last - first,
        "total": total,
        "labels": list(labels[first:last]),
        "strength": _strength(row)[first:last].tolist(),
        "trimmed": bool(collected.units),
    }


def _strength(row: RowTrace) -> Array:
    """How much the loss depends on each step ``[T]``: the length of its slope; zeros without a target.

    Of a token it is the slope of its vector.
    """
    first = row.layers[0]
    slopes, shape = first.d_inputs, first.shape_in
    if isinstance(first.layer, Embedding):
        slopes, shape = first.d_outputs, first.shape_out
    found: Array = np.zeros(shape[0]) if slopes is None else np.linalg.norm(slopes.reshape(shape), axis=1)
    return found


@dataclass(kw_only=True)
class _Collected:
    """The nodes, which are the row and what each layer gives, and the layers between them.

    ``units`` is how many units of a node are kept, 0 for all; ``counting`` how many steps of the row count.
    """

    window: slice
    units: int
    counting: int
    numbers: int = 0
    nodes: list[dict[str, Any]] = field(default_factory=list)
    layers: list[dict[str, Any]] = field(default_factory=list)

    def add(self, steps: Sequence[NamedStep], row: RowTrace) -> None:
        """The row and all layers."""
        first = steps[0]
        start = -1
        if not isinstance(first.work.layer, Embedding):
            names = units_of(first.names_in, first.work.shape_in[1])
            start = self.node("x", first.given, names, self.cut(first.work.inputs, first.work.shape_in),
                              self.cut(first.work.d_inputs, first.work.shape_in))  # fmt: skip
        self.layers_of(steps, start)

    def cut(self, values: Array | None, shape: Sequence[int]) -> Array | None:
        """``[T, D]`` of the steps on the page; a list is one step."""
        if values is None:
            return None
        return values.reshape(shape)[self.window] if len(shape) == 2 else values.reshape(1, -1)

    def pack(self, values: Array | None) -> str | None:
        """An array for the page, counted."""
        if values is None:
            return None
        self.numbers += values.size
        return packed(values)

    def node(
        self, key: str, symbol: str, names: Sequence[str], values: Array | None, slopes: Array | None, **more: Any
    ) -> int:
        """Add values ``[T, D]`` under a key; returns their number."""
        assert values is not None
        wide = values.shape[1]
        kept = sorted(strongest(np.abs(values).max(axis=0), self.units)) if 0 < self.units < wide else list(range(wide))
        self.nodes.append({
            "key": key, "symbol": symbol, "names": [names[k] for k in kept], "kept": kept, "units": wide,
            "steps": len(values), "list": more.pop("flat", False), "values": self.pack(values[:, kept]),
            "slopes": self.pack(None if slopes is None else slopes[:, kept]), **more,
        })  # fmt: skip
        return len(self.nodes) - 1

    def kept(self, node: int) -> list[int]:
        """The units of a node that are on the page."""
        kept: list[int] = self.nodes[node]["kept"]
        return kept

    def layer(self, kind: str, step: NamedStep, start: Any, end: int, depth: int, **more: Any) -> None:
        """Add what leads from one node to another."""
        words = words_of(step.work.layer)
        self.layers.append({
            "kind": kind, "key": step.work.name, "text": words.title(step), "explain": words.explain(step),
            "from": start, "to": end, "depth": depth, "given": step.given, "symbol": step.symbol, **more,
        })  # fmt: skip

    def layers_of(self, steps: Sequence[NamedStep], start: int, depth: int = 0) -> int:
        """Add successive layers from a node on; return the last node."""
        for step in steps:
            match step.work.layer:
                case Recurrent():
                    start = self.recurrent(step, start, depth)
                case SelfAttention():
                    start = self.attention(step, start, depth)
                case _:
                    start = self.plain(step, start, depth)
        return start

    def plain(self, step: NamedStep, start: int, depth: int) -> int:
        """A layer that makes one node of another."""
        work = step.work
        inside = self.layers_of(step.inner, start, depth + 1) if step.inner else None
        names = units_of(step.names_out, work.shape_out[-1]) if len(work.shape_out) == 2 else step.names_out
        end = self.node(work.name, step.symbol, names, self.cut(work.outputs, work.shape_out),
                        self.cut(work.d_outputs, work.shape_out), flat=len(work.shape_out) == 1)  # fmt: skip
        kind, more = self.arithmetic(step, start, end)
        self.layer(kind, step, start, end, depth, inside=inside, **more)
        return end

    def arithmetic(self, step: NamedStep, start: int, end: int) -> tuple[str, dict[str, Any]]:  # noqa: PLR0911
        """The kind of a layer for the script, and what it needs to show how the outputs arise."""
        work, layer = step.work, step.work.layer
        match layer:
            case Embedding():
                tokens = work.inputs[self.window].astype(int)
                gradients = None if not work.gradients else work.gradients["weight"][tokens][:, self.kept(end)]
                return "embedding", {"ids": tokens.tolist(), "tokenGradients": self.pack(gradients)}
            case Positions():
                added = (work.outputs - work.inputs).reshape(work.shape_out)[self.window][:, self.kept(end)]
                return "positions", {"added": self.pack(added)}
            case Dense():
                return "dense", self.weights(work, "weight", "bias", start, end)
            case LayerNorm():
                return "norm", self.normalised(work, layer, end)
            case Activation():
                rule = RULES[layer.function]
                slope = self.cut(rule.derivative(work.inputs, work.outputs), work.shape_in)
                assert slope is not None
                return "activation", {
                    "function": layer.function, "formula": written_in(rule.formula, step.given),
                    "slopeFormula": written_in(rule.derivative_formula, step.given),
                    "local": self.pack(slope[:, self.kept(start)]),
                }  # fmt: skip
            case Residual():
                through = self.cut(step.inner[0].work.d_inputs, work.shape_in)
                return "residual", {"through": self.pack(None if through is None else through[:, self.kept(start)])}
            case StepPool():
                shares = work.kept["share"][0][self.window][:, self.kept(end)]
                return "pool", {"how": layer.how, "shares": self.pack(shares)}
            case Dropout():
                return "same", {}
            case _:
                return "text", {}

    def weights(
        self, work: LayerAtWork, weight: str, bias: str, start: int, end: int, first: int = 0
    ) -> dict[str, Any]:
        """A matrix between the units of two nodes, its rows from ``first`` on."""
        rows, columns = np.array(self.kept(end)) + first, self.kept(start)
        own = {"weight": work.parameters[weight][rows][:, columns]}
        steep = {} if not work.gradients else {"weight": work.gradients[weight][rows][:, columns]}
        if bias in work.parameters:
            own["bias"] = work.parameters[bias][rows]
            steep |= {} if not work.gradients else {"bias": work.gradients[bias][rows]}
        return {"parameters": self.packs(own), "gradients": self.packs(steep)}

    def packs(self, arrays: Mapping[str, Array]) -> dict[str, str | None]:
        """Arrays by name."""
        return {name: self.pack(array) for name, array in arrays.items()}

    def normalised(self, work: LayerAtWork, layer: LayerNorm, end: int) -> dict[str, Any]:
        """Mean and variance of each step; backwards, the means of γ ∂L/∂u and of γ ∂L/∂u x̂."""
        x = self.cut(work.inputs, work.shape_in)
        assert x is not None
        mean, variance = x.mean(axis=1), x.var(axis=1)
        found = {"mean": mean, "variance": variance}
        if work.d_outputs is not None:
            slopes = self.cut(work.d_outputs, work.shape_out)
            assert slopes is not None
            scaled = slopes * work.parameters["weight"]
            own = (x - mean[:, np.newaxis]) / np.sqrt(variance + layer.eps)[:, np.newaxis]
            found |= {"slope": scaled.mean(axis=1), "tilt": (scaled * own).mean(axis=1)}
        of_units = {name: work.parameters[name][self.kept(end)] for name in ("weight", "bias")}
        steep = {name: work.gradients[name][self.kept(end)] for name in ("weight", "bias") if work.gradients}
        return {"eps": layer.eps, "ofStep": self.packs(found), "parameters": self.packs(of_units),
                "gradients": self.packs(steep)}  # fmt: skip

    def recurrent(self, step: NamedStep, start: int, depth: int) -> int:
        """A cell for each layer and direction; two directions are joined."""
        work, layer = step.work, step.work.layer
        assert isinstance(layer, Recurrent)
        cells = unrolled(work)
        for index in range(layer.layers):
            own = self.own_slopes(work, layer, index)
            ends = list[int]()
            for place, suffix in enumerate(layer.suffixes(index)):
                cell = next(each for each in cells if each.suffix == suffix)
                alone = index == layer.layers - 1 and not layer.bidirectional
                slopes = None if own is None else own[:, place * layer.width : (place + 1) * layer.width]
                ends.append(self.cell(step, cell, slopes, work.name if alone else f"{work.name}{suffix}", start, depth))
            start = ends[0]
            if len(ends) == 2:
                values = np.concatenate([each.values["h"] for each in cells if each.layer == index], axis=1)[
                    self.window
                ]
                last = index == layer.layers - 1
                key = work.name if last else f"{work.name}_l{index}"
                names = (
                    units_of(step.names_out, layer.outputs)
                    if last
                    else [f"unit {k + 1}" for k in range(2 * layer.width)]
                )
                start = self.node(key, "h", names, values, None if own is None else own[self.window])
                self.layer("joined", step, ends, start, depth, width=layer.width)
        return start

    @staticmethod
    def own_slopes(work: LayerAtWork, layer: Recurrent, index: int) -> Array | None:
        """∂L/∂ of what one of the layers gives, but for the way through its own later steps, ``[all steps, D]``."""
        if work.d_outputs is None:
            return None
        if index == layer.layers - 1:
            own: Array = work.d_outputs.reshape(work.shape_out)
            return own
        found = np.zeros((work.shape_in[0], layer.outputs))
        for suffix in layer.suffixes(index + 1):
            found += work.kept_back[f"d_given{suffix}"][0] @ work.parameters[f"weight_ih{suffix}"]
        return found

    def cell(self, step: NamedStep, cell: Unrolled, own: Array | None, key: str, start: int, depth: int) -> int:
        """One layer in one direction."""
        work, window, suffix = step.work, self.window, cell.suffix
        words, layer = words_of(work.layer), work.layer
        assert isinstance(layer, Recurrent)
        assert isinstance(words, RecurrentWords)
        names = (
            units_of(step.names_out, layer.outputs)
            if key == work.name
            else [f"unit {k + 1}" for k in range(layer.width)]
        )
        end = self.node(key, "h", names, cell.values["h"][window],
                        None if cell.slopes is None else cell.slopes[window], title=cell.title)  # fmt: skip
        kept = self.kept(end)
        rows = [gate * layer.width + k for gate in range(layer.gates) for k in kept]

        def of_rows(name: str) -> str | None:
            return self.pack(work.kept[f"{name}{suffix}"][0][window][:, rows])

        def steep(name: str) -> str | None:
            return self.pack(work.kept_back[f"{name}{suffix}"][0][window][:, rows]) if work.kept_back else None

        own_weights = {
            "ih": work.parameters[f"weight_ih{suffix}"][rows][:, self.kept(start)],
            "hh": work.parameters[f"weight_hh{suffix}"][rows][:, kept],
            "b_ih": work.parameters[f"bias_ih{suffix}"][rows],
            "b_hh": work.parameters[f"bias_hh{suffix}"][rows],
        }
        gradients = {} if not work.gradients else {
            "ih": work.gradients[f"weight_ih{suffix}"][rows][:, self.kept(start)],
            "hh": work.gradients[f"weight_hh{suffix}"][rows][:, kept],
            "b_ih": work.gradients[f"bias_ih{suffix}"][rows],
            "b_hh": work.gradients[f"bias_hh{suffix}"][rows],
        }  # fmt: skip
        letters = STATES[type(layer)]
        before_c = {"c_before": self.pack(work.kept[f"c_before{suffix}"][0][window][:, kept])} if "c" in letters else {}
        self.layer(
            "cell", step, start, end, depth,
            cell=type(layer).__name__.lower(), function=getattr(layer, "function", "tanh"), backwards=cell.backwards,
            sums=list(words.sums), letters=list(letters), wide=layer.width, title=cell.title,
            states={letter: self.pack(cell.values[letter][window][:, kept]) for letter in letters},
            before=self.pack(cell.before[window][:, kept]), **before_c,
            sumsOf={"given": of_rows("given"), "recalled": of_rows("recalled")},
            slopesOf={"given": steep("d_given"), "recalled": steep("d_recalled")},
            own=self.pack(None if own is None else own[window][:, kept]),
            back=self.pack(None if cell.lengths_of_slopes is None else cell.lengths_of_slopes[window]),
            parameters=self.packs(own_weights), gradients=self.packs(gradients),
        )  # fmt: skip
        return end

    # ── attention ─────────────────────────────────────────────────────────────────────────────────────────────────

    def attention(self, step: NamedStep, start: int, depth: int) -> int:
        """Queries, keys and values; the weights of every head; the context; the output."""
        work, layer, window = step.work, step.work.layer, self.window
        assert isinstance(layer, SelfAttention)
        seen = attention_of(work, self.counting)
        size = layer.width // layer.heads
        names = [f"number {i + 1} of head {h + 1}" for h in range(layer.heads) for i in range(size)]
        parts: dict[str, int] = {}
        for place, (letter, what, values, slopes) in enumerate((
            ("q", "query", seen.queries, seen.d_queries),
            ("k", "key", seen.keys, seen.d_keys),
            ("v", "value", seen.values, seen.d_values),
        )):  # fmt: skip
            parts[letter] = self.node(
                f"{work.name}.{letter}", letter, names, _joined(values)[window],
                None if slopes is None else _joined(slopes)[window], title=what,
            )  # fmt: skip
            first = place * layer.width
            more = self.weights(work, "in_proj_weight", "in_proj_bias", start, parts[letter], first)
            self.layer("dense", step, start, parts[letter], depth, **{**more, "symbol": letter, "part": what})
        heads = self.heads_node(f"{work.name}.heads", seen)
        self.layer(
            "heads",
            step,
            [parts["q"], parts["k"]],
            heads,
            depth,
            size=size,
            causal=layer.causal,
            part="weights of each head",
        )
        context = self.node(f"{work.name}.c", "c", names, seen.context[window],
                            None if seen.d_context is None else seen.d_context[window], title="context")  # fmt: skip
        self.layer("context", step, [heads, parts["v"]], context, depth, size=size, part="context", causal=layer.causal)
        units = units_of(step.names_out, layer.width)
        end = self.node(work.name, step.symbol, units, self.cut(work.outputs, work.shape_out),
                        self.cut(work.d_outputs, work.shape_out))  # fmt: skip
        more = self.weights(work, "out_proj.weight", "out_proj.bias", context, end)
        self.layer("dense", step, context, end, depth, given="c", part="output", **more)
        return end

    def heads_node(self, key: str, seen: Any) -> int:
        """Scores and weights ``[H, T, T]`` of every head, and ∂L/∂ of both."""
        cut = (slice(None), self.window, self.window)
        arrays = {"P": seen.weights, "S": seen.scores, "dP": seen.d_weights, "dS": seen.d_scores}
        self.nodes.append({
            "key": key, "symbol": "P", "heads": seen.heads, "kept": list(range(seen.heads)), "units": seen.heads,
            "steps": self.window.stop - self.window.start, "title": "weights",
            "names": [f"head {h + 1}" for h in range(seen.heads)],
            **{name: self.pack(None if a is None else a[cut]) for name, a in arrays.items()},
        })  # fmt: skip
        return len(self.nodes) - 1


def _joined(values: Array) -> Array:
    """``[H, T, d]`` to ``[T, D]``."""
    return values.swapaxes(0, 1).reshape(values.shape[1], -1)
