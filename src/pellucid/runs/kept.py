"""What a run folder keeps during training: the states of its networks, and the outcomes of finished ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pellucid.network import Network
from pellucid.runs.checkpoint import CHECKPOINT, Checkpointer, read_outcome, read_state, write_outcome
from pellucid.training.engine import Engine
from pellucid.training.loop import Outcome, Plan, State

__all__ = ["KeptNetwork", "KeptNetworks"]


class KeptNetwork:
    """The state of a run's only network, a store of `pellucid.training.driver`; the model file keeps its outcome.

    Parameters
    ----------
    path
        The file of the state.
    fingerprint
        Ties the file to its data and settings.
    start
        The state to go on from; ``None`` begins.
    """

    def __init__(self, path: Path, fingerprint: str, start: State | None = None) -> None:
        self._checkpointer, self._start = Checkpointer(path, fingerprint), start

    def finished(self, member: int) -> Outcome | None:
        """Always ``None``: a finished run is not trained again."""
        return None

    def state(self, member: int, engine: Engine, plan: Plan) -> State | None:
        """The state of the network at the stop."""
        return self._start

    def save(self, member: int, state: Callable[[], State]) -> None:
        """Write the state, if enough time has passed since the last writing."""
        self._checkpointer(state)

    def finish(self, member: int, outcome: Outcome) -> None:
        """Keep the last state: missing files of the run can be written from it."""


class KeptNetworks:
    """The networks of an ensemble, a store of `pellucid.training.driver`: one file each.

    Parameters
    ----------
    folder
        Where the files lie.
    fingerprint
        Ties the files to their data and settings.
    network
        The description that they share.
    """

    def __init__(self, folder: Path, fingerprint: str, network: Network) -> None:
        self._folder, self._fingerprint, self._network = folder, fingerprint, network
        self._checkpointers: dict[int, Checkpointer] = {}

    def finished(self, member: int) -> Outcome | None:
        """The outcome of a network that was trained before the stop."""
        file = self._finished_file(member)
        return read_outcome(file, self._fingerprint, self._network) if file.exists() else None

    def state(self, member: int, engine: Engine, plan: Plan) -> State | None:
        """The state of a network at the stop."""
        file = self._state_file(member)
        return read_state(file, self._fingerprint, engine, plan) if file.exists() else None

    def save(self, member: int, state: Callable[[], State]) -> None:
        """Write the state, if enough time has passed since the last writing."""
        if member not in self._checkpointers:
            self._checkpointers[member] = Checkpointer(self._state_file(member), self._fingerprint)
        self._checkpointers[member](state)

    def finish(self, member: int, outcome: Outcome) -> None:
        """Write the outcome of a network that has ended, and remove its state."""
        write_outcome(self._finished_file(member), outcome, self._fingerprint)
        self._state_file(member).unlink(missing_ok=True)

    def _finished_file(self, member: int) -> Path:
        return self._folder / f"network-{member + 1}.safetensors"

    def _state_file(self, member: int) -> Path:
        return self._folder / f"network-{member + 1}-{CHECKPOINT}"
