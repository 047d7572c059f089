"""Snapshots of a network in training: cheap signs of its health, which the doctor reads.

At the start, after some epochs and at the end, up to 128 training rows go through the network and back in the textbook
engine, with dropout inactive. The epochs are 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, …: in pairs, so that what the weights
move in one epoch is seen, and ever further apart, so that a long training takes only a few snapshots.

Legend: B rows of the sample, I inputs and O outputs of a layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.support import blas
from pellucid.engines.textbook.backprop import StepBack, backward
from pellucid.engines.textbook.forward import Step, forward
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.engines.textbook.sequences import mask_of, steps_of
from pellucid.network import Network, Role
from pellucid.network.layers.convolution import Convolution
from pellucid.network.layers.recurrent import Recurrent
from pellucid.network.shapes import typed
from pellucid.network.task import Loss
from pellucid.training.loop import Rows

__all__ = ["LayerSignal", "Snapshot", "SnapshotRecorder"]

Array = NDArray[Any]

SAMPLE = 128
_FEWEST, _VALUES = 8, 1 << 22  # rows, and numbers in all their maps
_NEAR_THE_END = 0.01  # of the range of a sigmoid or tanh: a unit this close to the ends hardly learns
_RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
_DYING = ("relu",)  # functions whose units can be 0 with slope 0 for every row


@dataclass(frozen=True, kw_only=True)
class LayerSignal:
    """A weighted layer and the activation that follows it, in one snapshot.

    Attributes
    ----------
    index
        The layer's place in the network; inside a composite, the composite's place.
    units
        ``O``; of a convolution its channels.
    positions
        Of a convolution's maps; 1 for other layers.
    first_step, last_step
        Only of recurrent layers: ‖∂L/∂x‖ at the first and at the last step of a row, the mean over the longer half of
        the rows.
    gradient, weight
        Root mean square of ∂L/∂W and of W ``[O, I]``.
    moved
        ‖ΔW‖/‖W‖ since the snapshot one epoch before; ``None`` if there is none.
    spread
        Standard deviation of the output to the next layer, over rows and units.
    dead
        Share of units that are 0 for every row of the sample, at every position (padding is none); only for ReLU, else
        ``None``.
    saturated
        Share of values within 1 % of the ends of a sigmoid or tanh; ``None`` for others.
    """

    index: int
    units: int
    gradient: float
    weight: float
    moved: float | None
    spread: float
    dead: float | None
    saturated: float | None
    positions: int = 1
    first_step: float | None = None
    last_step: float | None = None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The network after ``epoch`` epochs (0: the initial weights), on the sample: its loss and its layers."""

    epoch: int
    loss: float
    layers: tuple[LayerSignal, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; a number that is not finite becomes ``null``."""
        return {
            "epoch": self.epoch,
            "loss": _finite(self.loss),
            "layers": [{name: _finite(value) for name, value in asdict(layer).items()} for layer in self.layers],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Snapshot:
        """Read what `to_json` wrote; raises `TypeError`, `KeyError` or `ValueError` for anything else."""

        def number(found: Any) -> float:
            return math.nan if found is None else float(found)

        def share(found: Any) -> float | None:
            return None if found is None else float(found)

        layers = tuple(
            LayerSignal(
                index=int(each["index"]), units=int(each["units"]),
                gradient=number(each["gradient"]), weight=number(each["weight"]), spread=number(each["spread"]),
                moved=share(each["moved"]), dead=share(each["dead"]), saturated=share(each["saturated"]),
                positions=int(each.get("positions", 1)),
                first_step=share(each.get("first_step")), last_step=share(each.get("last_step")),
            )
            for each in value["layers"]
        )  # fmt: skip
        return cls(epoch=int(value["epoch"]), loss=number(value["loss"]), layers=layers)


class SnapshotRecorder:
    """Takes the snapshots.

    >>> from pellucid.network.initialise import initialise
    >>> from pellucid.network import mlp
    >>> net = mlp(2, [3], 1)
    >>> recorder = SnapshotRecorder(net, Loss(name="mse"), Rows(inputs=np.ones((5, 2)), targets=np.ones((5, 1))))
    >>> snapshot = recorder.after(0, lambda: initialise(net, seed=0))
    >>> [layer.index for layer in recorder.snapshots[0].layers]
    [0, 2]
    """

    def __init__(self, network: Network, loss: Loss, rows: Rows, *, sample: int = SAMPLE) -> None:
        self.network, self.loss = network, loss
        few = np.linspace(0, len(rows) - 1, min(_rows_within(network, sample), len(rows))).astype(np.int64)
        rows = rows.take(few)
        self._rows = replace(rows, inputs=np.asarray(rows.inputs))
        self._before: tuple[int, Mapping[str, Array]] | None = None
        self.snapshots: list[Snapshot] = []

    def after(self, epoch: int, parameters: Callable[[], Mapping[str, Array]]) -> Snapshot | None:
        """Take a snapshot after this many epochs, if one is due; ``parameters`` returns the weights."""
        if is_snapshot_epoch(epoch):
            # On several threads such small products mostly wait for each other: on a busy machine up to a hundred times
            # as long.
            with blas().limit(limits=1):
                return self.take(epoch, parameters())
        return None

    def take(self, epoch: int, parameters: Mapping[str, Array]) -> Snapshot:
        """Take a snapshot now."""
        rows = self._rows
        dtype = next(iter(parameters.values())).dtype
        with np.errstate(all="ignore"):  # diverging weights are what is looked for
            inputs = typed(self.network, rows.inputs, dtype)
            passed = forward(self.network, parameters, inputs)
            counts = mask_of(steps_of(inputs)[1], inputs.shape[1])  # [B, T] where rows are padded
            result = loss_and_gradient(self.loss, passed.logits, rows.targets, rows.weights)
            back = backward(parameters, passed, result.d_logits.astype(dtype, copy=False))
            gradients, at_ends = back.parameters, dict(_at_both_ends(back.steps, steps_of(rows.inputs)[1]))
            layers = []
            for step, function, outputs in _weighted(passed.steps):
                own = tuple(n for n, g in gradients.items() if n.startswith(f"{step.name}.") and g.ndim > 1)
                outputs = _units_first(step, outputs)  # noqa: PLW2901
                seen = _that_counts(outputs, counts)
                layers.append(
                    LayerSignal(
                        index=int(step.name.partition(".")[0]),
                        units=outputs.shape[1],
                        gradient=_rms(_together(gradients, own)),
                        weight=_rms(_together(parameters, own)),
                        moved=self._moved(epoch, own, parameters),
                        spread=float(seen.std()),
                        dead=_dead(seen) if function in _DYING else None,
                        saturated=_saturated(function, seen),
                        positions=math.prod(outputs.shape[2:]),
                        **at_ends.get(step.name, {}),
                    )
                )
        snapshot = Snapshot(epoch=epoch, loss=result.value, layers=tuple(layers))
        self.snapshots.append(snapshot)
        self._before = (epoch, parameters)
        return snapshot

    def _moved(self, epoch: int, own: Sequence[str], parameters: Mapping[str, Array]) -> float | None:
        if self._before is None or self._before[0] != epoch - 1:
            return None
        now = _together(parameters, own)
        return _rms(now - _together(self._before[1], own)) / max(_rms(now), 1e-30)


def _at_both_ends(steps: Sequence[StepBack], lengths: Array | None) -> Iterator[tuple[str, dict[str, float]]]:
    """By the name of a recurrent layer, ‖∂L/∂x‖ at the first and at the last step that counts."""
    for step in steps:
        yield from _at_both_ends(step.inner, lengths)
        if isinstance(step.layer, Recurrent):
            sizes = np.sqrt(np.square(step.d_inputs.astype(np.float64)).sum(axis=2))  # [B, T]
            last = np.full(len(sizes), sizes.shape[1]) if lengths is None else lengths
            long = np.flatnonzero(last >= np.median(last))
            first_step, last_step = sizes[long, 0].mean(), sizes[long, last[long] - 1].mean()
            yield step.name, {"first_step": float(first_step), "last_step": float(last_step)}


def _together(arrays: Mapping[str, Array], names: Sequence[str]) -> Array:
    """The weights of a layer: one matrix, or all numbers of several, as attention has them."""
    found = [arrays[name] for name in names]
    return found[0] if len(found) == 1 else np.concatenate([array.ravel() for array in found])


def _units_first(step: Step, outputs: Array) -> Array:
    """Units before positions, as maps have them: of a sequence, ``[B, T, D]``, the steps come first."""
    sequence = outputs.ndim == 3 and not isinstance(step.layer, Convolution)
    return outputs.swapaxes(1, 2) if sequence else outputs


def _that_counts(outputs: Array, counts: Array | None) -> Array:
    """Of a sequence ``[B, D, T]`` the steps that are no padding, ``[n, D]``; other outputs as they are."""
    if counts is None or outputs.ndim != 3 or outputs.shape[2] != counts.shape[1]:
        return outputs
    found: Array = outputs.swapaxes(1, 2)[counts]
    return found


def _weighted(steps: Sequence[Step]) -> Iterator[tuple[Step, str | None, Array]]:
    """Each weighted layer, including those inside composites, the activation that follows it, and its output.

    Without an activation, as after the last layer, the output of the layer itself.
    """
    for place, step in enumerate(steps):
        if step.inner:
            yield from _weighted(step.inner)
        elif step.layer.role is Role.WEIGHTED:
            after = next((s for s in steps[place + 1 :] if not _keeps_units(s)), None)
            if after is not None and after.layer.role is Role.ACTIVATING:
                yield step, after.layer.words(), after.outputs
            else:
                yield step, None, step.outputs


def _keeps_units(step: Step) -> bool:
    """Whether a layer between weights and activation leaves the units apart: normalisation, or pooling of maps."""
    return step.layer.role is Role.NORMALISING or (step.layer.role is Role.SHAPING and step.outputs.ndim > 2)


def _rows_within(network: Network, sample: int) -> int:
    """How many rows are sampled: fewer where maps are large, because the way back needs all of them at once."""
    if network.on_columns:
        return sample
    values = sum(math.prod(shape) for shape in (network.shape, *network.shapes())) + network.between
    return min(sample, max(_FEWEST, _VALUES // values))


def is_snapshot_epoch(epoch: int) -> bool:
    """Whether a snapshot is taken after this many epochs.

    >>> [epoch for epoch in range(40) if is_snapshot_epoch(epoch)]
    [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32]
    """
    return epoch == 0 or epoch & (epoch - 1) == 0 or (epoch + 1) & epoch == 0


def _dead(outputs: Array) -> float:
    """The share of units, or of channels, that are 0 for every row and at every position."""
    others = tuple(axis for axis in range(outputs.ndim) if axis != 1)
    return float((outputs == 0).all(axis=others).mean())


def _saturated(function: str | None, outputs: Array) -> float | None:
    if function not in _RANGES:
        return None
    low, high = _RANGES[function]
    near = _NEAR_THE_END * (high - low)
    return float(((outputs < low + near) | (outputs > high - near)).mean())


def _rms(array: Array) -> float:
    flat = array.ravel()
    return math.sqrt(float(np.dot(flat, flat)) / flat.size) if flat.size else 0.0


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
