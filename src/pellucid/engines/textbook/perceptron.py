"""The perceptron: one neuron with a step function as its activation, and the first learning rule for a neuron.

Legend: x the inputs of a row ``[I]``, w the weights ``[I]``, b the bias, t the target and y the answer (0 or 1),
η the learning rate.

    z = w · x + b        y = 1 where z ≥ 0, else 0
    w ← w + η (t − y) x        b ← b + η (t − y)

(Rosenblatt 1958, "The perceptron", Psychological Review 65.) A correct answer has t − y = 0 and changes nothing. A
wrong one moves z in the right direction: after the step, z of the same row is larger by η (|x|² + 1) if the target is
1, and smaller by as much if it is 0.

The convergence theorem (Novikoff 1962): if some straight line (plane, hyperplane) has the ones on one side and the
zeros on the other, the rule makes only finitely many mistakes; from zero weights at most (R / γ)², where R is the
length of the longest (x, 1) and γ the least distance of any (x, 1) from the separating plane through the origin.
If there is no such line, the rule never stops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, SettingError

__all__ = ["Learned", "Update", "answer", "find_cycle", "learn", "step"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Update:
    """What happened at one row; if ``error`` is 0, nothing changed.

    Attributes
    ----------
    epoch, row
        From 1, and from 0.
    inputs, target, answer
        x ``[I]``, t and y.
    error
        t − y: 1, 0 or −1.
    weights, bias
        After this row, ``[I]`` and a number.
    """

    epoch: int
    row: int
    inputs: Array
    target: int
    answer: int
    error: int
    weights: Array
    bias: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """The result of the rule, and how it got there.

    Attributes
    ----------
    weights, bias
        At the end, ``[I]`` and a number.
    learning_rate
        η.
    epochs
        The number of passes over all rows.
    converged
        Whether the last epoch had no error: then every answer is correct, and further epochs change nothing.
    updates
        One for each row that it looked at, in order.
    """

    weights: Array
    bias: float
    learning_rate: float
    epochs: int
    converged: bool
    updates: tuple[Update, ...]

    @property
    def mistakes(self) -> tuple[Update, ...]:
        """The updates with an error: those that changed the weights."""
        return tuple(update for update in self.updates if update.error)


def step(z: Array) -> Array:
    """y = 1 where z ≥ 0, else 0; its derivative is 0 wherever it exists, so no gradient could train this neuron.

    >>> step(np.array([-0.5, 0.0, 2.0]))
    array([0, 1, 1])
    """
    return (np.asarray(z) >= 0).astype(np.int64)


def answer(weights: Array, bias: float, inputs: Array) -> Array:
    """The neuron's answers y ``[N]`` to the rows ``inputs`` ``[N, I]``.

    >>> answer(np.array([1.0, 1.0]), -1.5, np.array([[0, 1], [1, 1]]))
    array([0, 1])
    """
    return step(inputs @ weights + bias)


def learn(
    inputs: Array,
    targets: Array,
    *,
    learning_rate: float = 1.0,
    epochs: int = 100,
    weights: Array | None = None,
    bias: float = 0.0,
) -> Learned:
    """Go through the rows in order, epoch by epoch, and correct the weights after each wrong answer.

    Stops after an epoch without an error, or after ``epochs``.

    Parameters
    ----------
    inputs, targets
        Rows ``[N, I]`` and the target of each, ``[N]``, 0 or 1.
    learning_rate
        η. From zero weights it only sets the scale of w and b, and the answers do not depend on it. Only where z should
        be exactly 0 can rounding decide (0.1 + 0.2 − 0.3 is not 0 in a computer), and then results may differ.
    epochs
        The most passes over all rows.
    weights, bias
        Where to start, ``[I]`` and a number; zeros by default.

    Raises
    ------
    SettingError
        The learning rate is not above 0, or ``epochs`` is below 1.
    DataError
        Shapes do not match, a target is neither 0 nor 1, or an input is not a finite number.

    >>> rows = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> learned = learn(rows, np.array([0, 0, 0, 1]))                    # AND
    >>> learned.converged, answer(learned.weights, learned.bias, rows)
    (True, array([0, 0, 0, 1]))
    """
    if not (0 < learning_rate < np.inf):
        raise SettingError(f"learning_rate must be above 0, got {learning_rate!r}; 1 is usual for a perceptron")
    if epochs < 1:
        raise SettingError(f"epochs must be at least 1, got {epochs!r}")
    rows = _checked(inputs, targets)
    w, b = np.zeros(rows.shape[1]) if weights is None else np.array(weights, np.float64), float(bias)
    if w.shape != rows.shape[1:]:
        raise DataError(f"weights must be one for each of the {rows.shape[1]} inputs, got shape {list(w.shape)}")

    updates: list[Update] = []
    errors, epoch = 1, 0
    while errors and epoch < epochs:
        errors, epoch = 0, epoch + 1
        for row, (x, t) in enumerate(zip(rows, targets, strict=True)):
            y = int(step(w @ x + b))
            error = int(t) - y
            w = w + learning_rate * error * x
            b = b + learning_rate * error
            errors += abs(error)
            updates.append(
                Update(epoch=epoch, row=row, inputs=x, target=int(t), answer=y, error=error, weights=w, bias=b)
            )
    return Learned(
        weights=w,
        bias=b,
        learning_rate=learning_rate,
        epochs=epoch,
        converged=errors == 0,
        updates=tuple(updates),
    )


def find_cycle(learned: Learned) -> tuple[int, int] | None:
    """The first epoch that ended with the weights of an earlier one, as ``(earlier, later)``; ``None`` if none did.

    The weights are the rule's only state, so from there it repeats forever. Weights count as equal if they differ by
    less than a millionth of the learning rate, because sums of 0.1 are not exact.

    >>> rows = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> find_cycle(learn(rows, np.array([0, 1, 1, 0])))                 # XOR
    (2, 3)
    """
    if learned.converged:
        return None
    ends = {update.epoch: np.append(update.weights, update.bias) for update in learned.updates}
    seen: dict[tuple[float, ...], int] = {}
    for epoch, end in ends.items():
        key = tuple(np.round(end / (1e-6 * learned.learning_rate)).tolist())
        if key in seen:
            return seen[key], epoch
        seen[key] = epoch
    return None


def _checked(inputs: Array, targets: Array) -> Array:
    rows = np.asarray(inputs, np.float64)
    if rows.ndim != 2 or not rows.size or np.shape(targets) != (len(rows),):
        raise DataError(
            "inputs must be rows [N, I] and targets one answer for each [N], "
            f"got shapes {list(rows.shape)} and {list(np.shape(targets))}"
        )
    if not np.isfinite(rows).all():
        raise DataError(f"inputs must be numbers, row {int(np.argmax(~np.isfinite(rows).all(axis=1)))} has another")
    others = np.asarray(targets)[~np.isin(targets, (0, 1))]
    if len(others):
        raise DataError(f"targets must be 0 or 1, got {others[0]!r}")
    return rows
