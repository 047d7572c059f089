"""A run's state on disk: all that is needed to go on as if it had never stopped.

One safetensors file, written aside and renamed, so that a kill at any moment leaves the checkpoint before it or the
new one, whole. It holds no code and no training rows. A network of an ensemble that has been trained is kept as its
`Outcome`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid import safe_tensors
from pellucid.errors import ModelFileError
from pellucid.network import Network
from pellucid.training.history import Epoch
from pellucid.training.loop import Outcome, State
from pellucid.training.schedules import Plateau
from pellucid.training.stopping import EarlyStopping

__all__ = ["CHECKPOINT", "Checkpointer", "read_outcome", "read_state", "write_outcome", "write_state"]

CHECKPOINT = "last.safetensors"
_FORMAT = 1
_MAX_BYTES = 16 << 30
_WRONG = (KeyError, TypeError, ValueError, RecursionError, AttributeError)  # what a file of something else leads to


class Checkpointer:
    """Saves the state after an epoch, at most every ``seconds`` (an early kill then costs no more than that).

    It is handed to `fit` as ``save``; ``fingerprint`` ties the file to its data and settings.
    """

    def __init__(self, path: Path, fingerprint: str, seconds: float = 1.0) -> None:
        self._path, self._fingerprint, self._seconds = path, fingerprint, seconds
        self._last = -math.inf

    def __call__(self, state: Callable[[], State]) -> None:
        """Write the state, if enough time has passed since the last writing."""
        if time.monotonic() - self._last >= self._seconds:
            write_state(self._path, state(), self._fingerprint)
            self._last = time.monotonic()


def write_state(path: Path, state: State, fingerprint: str) -> None:
    """Write a checkpoint, whole or not at all."""
    groups = {"parameters": state.parameters, "best": state.best_parameters, "memory": state.memory}
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


def read_state(path: Path, fingerprint: str, network: Network) -> State:
    """Read what `write_state` wrote.

    Raises
    ------
    ModelFileError
        The file is damaged, or belongs to other data, settings or network.
    """
    tensors, facts = _read(path, fingerprint)
    try:
        state = State(
            epoch=int(facts["epoch"]),
            parameters=_group(tensors, "parameters"),
            memory=_group(tensors, "memory"),
            best_parameters=_group(tensors, "best"),
            history=_history(facts),
            stopping=EarlyStopping(**facts["stopping"]),
            plateau=Plateau(**facts["plateau"]),
        )
    except _WRONG as error:
        raise _not_ours(path, error) from error
    for which, arrays in (("parameters", state.parameters), ("best", state.best_parameters)):
        _check_shapes(path, which, arrays, network)
    return state


def write_outcome(path: Path, outcome: Outcome, fingerprint: str) -> None:
    """Write what a network that is trained came to, whole or not at all."""
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
        outcome = Outcome(
            parameters=_group(tensors, "best"),
            history=_history(facts),
            best_epoch=int(facts["best_epoch"]),
            reason=facts["reason"],
            problem=facts["problem"],
        )
    except _WRONG as error:
        raise _not_ours(path, error) from error
    _check_shapes(path, "best", outcome.parameters, network)
    return outcome


def _read(path: Path, fingerprint: str) -> tuple[Mapping[str, NDArray[Any]], dict[str, Any]]:
    """The arrays and the facts of a checkpoint that belongs to this run."""
    tensors, metadata = safe_tensors.read(path, max_bytes=_MAX_BYTES, max_tensors=20_000)
    try:
        facts = json.loads(metadata["checkpoint"])
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
    return ModelFileError(f"{path} is not a checkpoint of Pellucid ({error!r}); start a new run")


def _check_shapes(path: Path, which: str, arrays: Mapping[str, NDArray[Any]], network: Network) -> None:
    shapes = {name: array.shape for name, array in arrays.items()}
    if shapes != {p.name: p.shape for p in network.parameters()}:
        raise ModelFileError(f"{path}: its {which} do not belong to this run's network; start a new run")


def _history(facts: Mapping[str, Any]) -> tuple[Epoch, ...]:
    return tuple(Epoch(**line) for line in facts["history"])


def _group(tensors: Mapping[str, NDArray[Any]], group: str) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(f"{group}/"): np.array(array)
        for name, array in tensors.items()
        if name.startswith(f"{group}/")
    }
