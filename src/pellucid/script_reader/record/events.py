"""The events of a run, in order: calls of models and losses, steps, splits, fits.

A loop's body is read twice, so that effects of one round on the next are seen; `Where` says in which pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pellucid.script_reader.values.value import Array, Fit, Object, Value

__all__ = [
    "Accumulated",
    "Backward",
    "Decision",
    "Event",
    "Fitted",
    "Forward",
    "FunctionalDropout",
    "HiddenLayers",
    "LoaderRead",
    "Loop",
    "LossCall",
    "Mode",
    "MoveNotKept",
    "Observation",
    "PassedToUnknown",
    "ShapeMismatch",
    "Split",
    "Step",
    "Where",
    "ZeroGrad",
]


@dataclass(frozen=True)
class Loop:
    """A loop, by its place and by the calls that led to it; ``roles`` are those of the rows that it runs over."""

    line: int
    end: int
    key: tuple[int, ...]
    roles: frozenset[str] = field(default=frozenset(), compare=False)
    loader: Object | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Where:
    """A point in the run: ``passes`` and ``guards`` (open conditions) go with ``loops``, from the outside in."""

    line: int
    order: int
    loops: tuple[Loop, ...] = ()
    passes: tuple[int, ...] = ()
    guards: tuple[int, ...] = ()
    guarded: bool = False
    called: bool = True

    def guarded_in(self, loop: Loop) -> bool:
        """Whether a condition stands between ``loop`` and this point."""
        return sum(self.guards[self.loops.index(loop) :]) > 0


@dataclass(frozen=True, eq=False, kw_only=True)
class Event:
    """Something that happens at a point."""

    where: Where


@dataclass(frozen=True, eq=False, kw_only=True)
class Forward(Event):
    """A model is called; ``mode`` is ``train``, ``eval``, ``maybe eval`` or None, ``mode_line`` who set it."""

    number: int
    module: Object | None
    inputs: tuple[Value, ...]
    output: Value
    grad: bool | None
    mode: str | None
    mode_line: int
    mode_dependent: str | None
    device: str | None
    device_line: int


@dataclass(frozen=True, eq=False, kw_only=True)
class LossCall(Event):
    """A loss of PyTorch is computed; ``kind`` is such as ``cross_entropy``."""

    kind: str
    name: str
    prediction: Value
    target: Value
    function_line: int


@dataclass(frozen=True, eq=False, kw_only=True)
class ShapeMismatch(Event):
    """Predictions of (n, 1) meet targets of (n,) in arithmetic."""

    prediction: Array
    target: Array


@dataclass(frozen=True, eq=False, kw_only=True)
class Backward(Event):
    """Gradients are computed; ``of`` is the loss."""

    of: Value | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Step(Event):
    """An optimizer steps; None where it is not known which."""

    optimizer: Object | None
    name: str = ""
    closure: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class ZeroGrad(Event):
    """Gradients are set to zero: an optimizer's, a model's, or (None) unknown ones."""

    of: Object | None
    name: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Mode(Event):
    """``model.train()`` or ``model.eval()``."""

    module: Object | None
    training: bool | None


@dataclass(frozen=True, eq=False, kw_only=True)
class PassedToUnknown(Event):
    """Values are passed to a function that cannot be read."""

    values: tuple[Value, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Fitted(Event):
    """A transformer learns from rows."""

    rows: Value
    fit: Fit


@dataclass(frozen=True, eq=False, kw_only=True)
class Split(Event):
    """Rows are divided; ``how`` is ``random``, ``position`` or ``folds``."""

    rows: tuple[Value, ...]
    how: str
    call: str
    first_line: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class LoaderRead(Event):
    """A loop runs over a `DataLoader`."""

    loader: Object
    loop: Loop


@dataclass(frozen=True, eq=False, kw_only=True)
class Decision(Event):
    """A condition on a score, or a scheduler that is given one; ``acts`` says what depends on it."""

    taint: frozenset[str]
    acts: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Accumulated(Event):
    """A loss that carries its graph is added to what outlives the batch."""

    number: int
    name: str
    how: str
    value: Value | None = None  # what was added, where only a later `backward` says that it is a loss


@dataclass(frozen=True, eq=False, kw_only=True)
class MoveNotKept(Event):
    """``x.to(device)`` whose result is not kept."""

    text: str


@dataclass(frozen=True, eq=False, kw_only=True)
class FunctionalDropout(Event):
    """``F.dropout`` without ``training=``."""

    name: str


@dataclass(frozen=True, eq=False, kw_only=True)
class HiddenLayers(Event):
    """Layers in a plain list or dictionary of a module."""

    attribute: str
    owner: str
    container: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Observation(Event):
    """Something that one rule needs; ``reading.observe`` lists the kinds and their values."""

    kind: str
    value: Value | None = None
    other: Value | None = None
    text: str = ""
    number: int = 0
