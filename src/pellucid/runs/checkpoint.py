"""A run's state on disk: all that is needed to resume it as if it had never stopped.

One safetensors file, written aside and renamed, so that a kill at any moment leaves either the previous checkpoint or
the new one, complete. It holds no code and no training rows. A network of an ensemble that has been trained is kept as
its `Outcome`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import ModelFileError
from pellucid.io import safe_tensors
from pellucid.network import Network
from pellucid.network.optimizer import REMEMBERS
from pellucid.training.engine import Engine
from pellucid.training.history import Epoch
from pellucid.training.loop import Outcome, Plan, Reason, State
from pellucid.training.schedules import Plateau
from pellucid.training.stopping import EarlyStopping

__all__ = ["CHECKPOINT", "Checkpointer", "read_outcome", "read_state", "write_outcome", "write_state"]

CHECKPOINT = "last.safetensors"
_FORMAT = 1
_MAX_BYTES = 16 << 30
_WRONG = (KeyError, TypeError, ValueError, RecursionError, AttributeError)  # errors that a foreign file leads to


class Checkpointer:
    """Saves the state after an epoch, at most once in ``seconds``, so that a kill costs no more than that.

    ``fingerprint`` ties the file to its data and settings.
    """

    def __init__(self, path: Path, fingerprint: str, seconds: float = 1.0) -> None:
        self._path, self._fingerprint, self._seconds = path, fingerprint, seconds
        self._last = -math.inf

    def __call__(self, state: Callable[[], State]) -> None:
        """Write the state, if enough time has passed since the last write."""
        if time.monotonic() - self._last >= self._seconds:
            write_state(self._path, state(), self._fingerprint)
            self._last = time.monotonic()


def write_state(path: Path, state: State, fingerprint: str) -> None:
    """Write a checkpoint, completely or not at all."""
    groups = {"parameters": state.parameters, "best": state.best_parameters, "memory": state.memory}
    groups["average"] = state.average
    tensors = {f"{group}/{name}": a for group, arrays in groups.items() for name, a in arrays.items()}
    facts = {
        "format": _FORMAT,
        "fingerprint": fingerprint,
        "epoch": state.epoch,
        "history": [asdict(epoch) for epoch in state.history],
        "stopping": asdict(state.stopping),
        "plateau": asdict(state.plateau),
    }
    safe_tensors.write(path, tensors, {"checkpoint": json.dumps(facts)})


def read_state(path: Path, fingerprint: str, engine: Engine, plan: Plan) -> State:
    """Read what `write_state` wrote, for a run with this engine and plan.

    Parameters
    ----------
    path
        The checkpoint.
    fingerprint
        That of the run's data and settings; the file must hold the same.
    engine
        Its network and update rule say which arrays the file must hold.
    plan
        Says how many epochs there are, and how early stopping and the schedule follow from the history.

    Raises
    ------
    ModelFileError
        The file is damaged or altered, or belongs to other data, settings or network.
    """
    tensors, facts = _read(path, fingerprint)
    try:
        _check_fields(facts, "epoch", "history", "stopping", "plateau")
        history = _history(facts)
        epoch = facts["epoch"]
        _check(_is_whole(epoch) and 1 <= epoch <= plan.epochs, f"its epoch {epoch!r} is not from 1 to {plan.epochs:,}")
        _check(len(history) == epoch, f"its history has {len(history):,} epochs, not {epoch:,}")
        stopping, plateau = EarlyStopping(patience=plan.patience), Plateau()
        for line in history:
            stopping = stopping.after(line.epoch - 1, line.validation_loss)
            plateau = plateau.after(line.validation_loss, plan.schedule)
        _check(facts["stopping"] == asdict(stopping), "its early stopping does not follow from its history")
        _check(facts["plateau"] == asdict(plateau), "its schedule does not follow from its history")
        groups = _groups(tensors, "parameters", "best", "memory", "average")
        _check_parameters(groups["parameters"], "parameters", engine.network)
        _check_parameters(groups["best"], "best parameters", engine.network)
        _check((plan.average != "none") == bool(groups["average"]), "its average is not what this run asks for")
        if groups["average"]:
            _check_parameters(groups["average"], "average", engine.network)
        _check_memory(groups["memory"], engine, epoch)
    except _WRONG as error:
        raise _not_ours(path, error) from error
    return State(
        epoch=epoch,
        parameters=groups["parameters"],
        memory=groups["memory"],
        best_parameters=groups["best"],
        history=history,
        stopping=stopping,
        plateau=plateau,
        average=groups["average"],
    )


def write_outcome(path: Path, outcome: Outcome, fingerprint: str) -> None:
    """Write the outcome of a trained network, completely or not at all."""
    facts = {
        "format": _FORMAT,
        "fingerprint": fingerprint,
        "history": [asdict(epoch) for epoch in outcome.history],
        "best_epoch": outcome.best_epoch,
        "reason": outcome.reason,
        "problem": outcome.problem,
    }
    tensors = {f"best/{name}": array for name, array in outcome.parameters.items()}
    safe_tensors.write(path, tensors, {"checkpoint": json.dumps(facts)})


def read_outcome(path: Path, fingerprint: str, network: Network) -> Outcome:
    """Read what `write_outcome` wrote.

    Raises
    ------
    ModelFileError
        The file is damaged, or belongs to other data, settings or network.
    """
    tensors, facts = _read(path, fingerprint)
    try:
        _check_fields(facts, "history", "best_epoch", "reason", "problem")
        history, best, reason, problem = _history(facts), facts["best_epoch"], facts["reason"], facts["problem"]
        fewest = 1 if history else 0
        _check(_is_whole(best) and fewest <= best <= len(history), f"its best epoch {best!r} is not in its history")
        _check(reason in get_args(Reason) and reason != "interrupted", f"it cannot have ended by {reason!r}")
        _check(isinstance(problem, str) if reason == "diverged" else problem is None, "its problem fits no ending")
        _check(bool(history) or reason == "diverged", "it has no history")
        parameters = _groups(tensors, "best")["best"]
        _check_parameters(parameters, "best parameters", network)
    except _WRONG as error:
        raise _not_ours(path, error) from error
    return Outcome(parameters=parameters, history=history, best_epoch=best, reason=reason, problem=problem)


def _read(path: Path, fingerprint: str) -> tuple[Mapping[str, NDArray[Any]], dict[str, Any]]:
    """The arrays and the facts of a checkpoint that belongs to this run."""
    tensors, metadata = safe_tensors.read(path, max_bytes=_MAX_BYTES, max_tensors=20_000)
    try:
        facts = json.loads(metadata["checkpoint"])
        _check(isinstance(facts, dict), "its facts are not a mapping")
        version, belongs_to = facts["format"], facts["fingerprint"]
    except _WRONG as error:
        raise _not_ours(path, error) from error
    if version != _FORMAT:
        raise ModelFileError(f"{path} is a checkpoint of format {version!r}, this version reads {_FORMAT}")
    if belongs_to != fingerprint:
        raise ModelFileError(
            f"{path} belongs to other data or settings than this run: the data file has changed since; start a new run"
        )
    return tensors, facts


def _not_ours(path: Path, error: Exception) -> ModelFileError:
    reason = error if isinstance(error, _DamageError) else repr(error)
    return ModelFileError(
        f"{path} is damaged or is not a checkpoint of this run ({reason}): remove it and resume, which then trains "
        "from the beginning, or start a new run"
    )


class _DamageError(ValueError):
    """A value that does not belong in a checkpoint."""


def _check(right: bool, otherwise: str) -> None:
    if not right:
        raise _DamageError(otherwise)


def _check_fields(facts: Mapping[str, Any], *names: str) -> None:
    _check(set(facts) == {"format", "fingerprint", *names}, "it has other fields")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _history(facts: Mapping[str, Any]) -> tuple[Epoch, ...]:
    """The epochs in order; every number is finite, except the score for a constant target."""
    history = tuple(Epoch(**line) for line in facts["history"])
    for number, line in enumerate(history, start=1):
        values = asdict(line)
        _check(_is_whole(line.epoch) and line.epoch == number, f"epoch {number} of its history is {line.epoch!r}")
        for name, value in values.items():
            kind = type(value) in (int, float) and (math.isfinite(value) or name == "validation_score")
            _check(kind, f"{name} {value!r} in epoch {number} of its history is not a finite number")
        _check(line.seconds >= 0 and line.learning_rate >= 0, f"epoch {number} of its history has a number below 0")
    return history


def _groups(tensors: Mapping[str, NDArray[Any]], *names: str) -> dict[str, dict[str, NDArray[Any]]]:
    """The arrays by the group that their names begin with."""
    groups: dict[str, dict[str, NDArray[Any]]] = {name: {} for name in names}
    for name, array in tensors.items():
        group, _, rest = name.partition("/")
        _check(group in groups, f"it has an array {name!r}")
        groups[group][rest] = np.array(array)
    return groups


def _check_parameters(arrays: Mapping[str, NDArray[Any]], which: str, network: Network) -> None:
    shapes = {name: array.shape for name, array in arrays.items()}
    _check(
        shapes == {p.name: p.shape for p in network.parameters()}, f"its {which} do not belong to this run's network"
    )
    for p in network.parameters():
        array = arrays[p.name]
        kind = array.dtype == np.int64 if p.dtype == "int64" else array.dtype in (np.float32, np.float64)
        _check(kind and bool(np.isfinite(array).all()), f"its {which} {p.name} are not all finite")
        if p.name.endswith(("running_var", "num_batches_tracked")):
            _check(bool((array >= 0).all()), f"its {which} {p.name} are below 0")


def _check_memory(memory: Mapping[str, NDArray[Any]], engine: Engine, epoch: int) -> None:
    """The optimizer's state: complete, for this network, with values that an optimizer can reach."""
    shapes = {
        f"{p.name}.{what}": p.shape for p in engine.network.trainable() for what in REMEMBERS[engine.optimizer.name]
    }
    found = {name: array.shape for name, array in memory.items()}
    _check(found == {"step": (), **shapes}, f"its memory is not that of {engine.optimizer.name} and this run's network")
    step = memory["step"]
    _check(step.dtype.kind in "iu" and int(step) >= epoch and int(step) % epoch == 0, f"its memory has {step} steps")
    for name in shapes:
        array = memory[name]
        squares = name.endswith(("exp_avg_sq", "square_avg"))  # may have grown beyond what float32 holds
        right = (array >= 0).all() if squares else np.isfinite(array).all()
        _check(array.dtype in (np.float32, np.float64) and bool(right), f"its memory {name} is not finite")
