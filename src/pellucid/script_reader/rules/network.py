"""The network itself: layers that do not fit together, that add nothing, or that are created at every call."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.values.value import Array, Const, Object

__all__ = ["last_step", "made_in_forward", "stacked", "widths"]

_ON_PURPOSE = re.compile(
    r"(?i)proj|embed|lora|low_?rank|bottleneck|probe|factor|down|latent|linear_?(net|model|regr)|deep_?linear|to_"
)


_FIRST = {
    "Linear": "in_features", "BatchNorm1d": "num_features", "BatchNorm2d": "num_features",
    "Conv2d": "in_channels", "ConvTranspose2d": "in_channels",
}  # fmt: skip


def _number(layer: Object, place: int, name: str) -> int | None:
    value = layer.kwargs.get(name) or (layer.args[place] if len(layer.args) > place else None)
    return value.value if isinstance(value, Const) and type(value.value) is int else None


def widths(script: Script) -> Iterator[ScriptFinding]:
    """A layer that expects another number of columns than the layer before it returns: "mat1 and mat2 shapes cannot be
    multiplied".
    """
    seen = set()
    for e in script.observed("width"):
        layer, x = e.value, e.other
        if not isinstance(layer, Object) or not isinstance(x, Array) or layer in seen:
            continue
        seen.add(layer)
        name = layer.kind.rpartition(".")[2]
        what = e.text or "columns"
        wanted = _number(layer, 0, _FIRST.get(name, "input_size"))
        before = x.layer.line if x.layer is not None else x.activation_line
        yield ScriptFinding(
            rule="width", line=layer.line,
            finding=f"This {name} expects {wanted} {what} but gets {e.number}.",
            evidence=script.evidence(before, layer.line, e.where.line),
            consequence="The script stops at the first batch: “mat1 and mat2 shapes cannot be multiplied”, “expected "
            "input to have … channels”, or similar.",
            fix=f"nn.{name}({e.number}, …)  # the number that comes in",
        )  # fmt: skip
    lines = set()
    for e in script.observed("regrouped"):
        if isinstance(e.value, Const) and isinstance(e.other, Array) and e.where.line not in lines:
            lines.add(e.where.line)
            shape = " × ".join(str(n) for n in e.other.image or ())
            yield ScriptFinding(
                rule="width", line=e.where.line,
                finding=f"view(-1, {e.value.value}) is applied to images of {shape}, which have {e.number} values "
                "each.",
                evidence=script.evidence(e.where.line),
                consequence="The -1 then no longer equals the batch size: the script stops, or the values of several "
                "rows are mixed.",
                fix=f"x.view(x.size(0), -1), followed by nn.Linear({e.number}, …)",
            )  # fmt: skip


def stacked(script: Script) -> Iterator[ScriptFinding]:
    """Two linear layers with nothing between them are one linear layer: W₂(W₁x + b₁) + b₂ = (W₂W₁)x + (W₂b₁ + b₂).

    A narrow first layer (fewer columns than the input and the output) limits the rank and is not reported.
    """
    seen = set()
    for e in script.observed("stacked"):
        second, first = e.value, e.other
        if not isinstance(first, Object) or not isinstance(second, Object) or second in seen:
            continue
        into, middle = _number(first, 0, "in_features"), _number(first, 1, "out_features")
        out = _number(second, 1, "out_features")
        narrow = None not in (into, middle, out) and middle < min(into, out)  # type: ignore[operator, type-var]
        text = " ".join(
            (e.text, *script.lines[first.line - 1 : first.line], *script.lines[second.line - 1 : second.line])
        )
        if narrow or _ON_PURPOSE.search(text) or not e.where.called:
            continue
        seen.add(second)
        yield ScriptFinding(
            rule="linear-after-linear", line=second.line, remark=True,
            finding="Two linear layers follow each other without an activation between them.",
            evidence=script.evidence(first.line, second.line),
            consequence="Together they can do no more than one linear layer: the first adds weights but no "
            "nonlinearity.",
            fix="Put an activation between them, such as nn.ReLU()",
        )  # fmt: skip
        return


def made_in_forward(script: Script) -> Iterator[ScriptFinding]:
    """Layers created in ``forward`` have new random weights at every call, and no optimizer knows them."""
    seen = set()
    for e in script.observed("made in forward"):
        made = e.value
        if not isinstance(made, Object) or e.where.line in seen or (e.where.guarded and e.where.called):
            continue
        start = int(e.text)
        near = script.lines[start - 1 : made.line + 8]
        if any(".weight" in t or "hasattr" in t or "is None" in t or "load_state_dict" in t for t in near):
            continue
        seen.add(e.where.line)
        name = made.kind.rpartition(".")[2]
        if name.startswith(("LayerNorm", "GroupNorm", "InstanceNorm")):
            continue  # a new one is plain standardisation, which may be intended
        if "Dropout" in name:
            yield ScriptFinding(
                rule="functional-dropout", line=made.line,
                finding=f"nn.{name} is created in forward(): a new layer is always in training mode.",
                evidence=script.evidence(start, made.line),
                consequence="model.eval() does not affect it, so units are dropped in evaluation and prediction as "
                "well.",
                fix=f"self.dropout = nn.{name}(…) in __init__, and self.dropout(x) in forward",
            )  # fmt: skip
        else:
            yield ScriptFinding(
                rule="made-in-forward", line=made.line,
                finding=f"The layer {name} is created in forward().",
                evidence=script.evidence(start, made.line),
                consequence="Every call creates it with new random weights, and no optimizer has its parameters.",
                fix=f"Create it once, in __init__: self.layer = {name}(…)",
            )  # fmt: skip


def last_step(script: Script) -> Iterator[ScriptFinding]:
    """The last step of a recurrent layer's output, taken along the wrong dimension.

    "batch_first – if True, the input and output tensors are provided as (batch, seq, feature) instead of (seq, batch,
    feature). Default: False" (PyTorch, LSTM).
    """
    loaders = any("DataLoader" in text for text in script.lines)
    for e in script.observed("last step"):
        layer, out = e.other, e.value
        if not isinstance(layer, Object) or not isinstance(out, Array):
            continue
        first = layer.kwargs.get("batch_first") or (layer.args[4] if len(layer.args) > 4 else None)
        known = first is None or (isinstance(first, Const) and isinstance(first.value, bool))
        if not known or (out.ndim is not None and out.ndim != 3):
            continue
        batch_first = isinstance(first, Const) and bool(first.value)
        wrong = (not batch_first and e.number == 1) or (batch_first and e.number == 0 and loaders)
        if not wrong:
            continue
        name = layer.kind.rpartition(".")[2]
        yield ScriptFinding(
            rule="batch-first", line=layer.line if not batch_first else e.where.line,
            finding=(
                f"nn.{name} has no batch_first=True, so the second dimension, along which the last step is taken, is "
                "the batch."
                if not batch_first
                else f"nn.{name} has batch_first=True, so [-1] takes the last row of the batch, not the last step."
            ),
            evidence=script.evidence(layer.line, e.where.line),
            consequence="Rows and time steps are mixed up: the prediction for one row comes from the steps of others.",
            fix=f"nn.{name}(…, batch_first=True) and out[:, -1]",
        )  # fmt: skip
        return
