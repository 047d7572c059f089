"""The other end of the pipe: starts one process a contestant, asks, and never lets one of them stop the benchmark."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from peers.entries import Entry
from peers.job import Job
from peers.limits import environment

__all__ = ["BENCHMARKS", "Worker", "Workers"]

BENCHMARKS = Path(__file__).resolve().parents[1]
PATIENCE = 600.0  # seconds that an answer may take


class Worker:
    """A contestant in a process of its own; ``status`` says how it fares."""

    def __init__(self, who: Entry, job: Job, *, patience: float = PATIENCE) -> None:
        self.entry, self.patience = who, patience
        self.process = subprocess.Popen(
            [sys.executable, "-m", "peers.worker", who.name, who.make, *who.needs],
            cwd=BENCHMARKS,
            env=environment(job.threads, who.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.status = "ok"
        self.prepared: dict[str, Any] = {}
        self._send({"do": "load", "threads": job.threads})

    def prepare(self, job: Job) -> None:
        """Wait until the library is loaded, and make what does the job."""
        self._receive()
        self.prepared = self.ask({"do": "prepare", "job": job.to_json()})

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer, or an empty dict where there is none; then ``status`` says why."""
        if self.status != "ok":
            return {}
        self._send(request)
        return self._receive()

    def _send(self, request: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # whoever has ended gives no answer either
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        clock = threading.Timer(self.patience, self.process.kill)
        clock.start()
        try:
            line = self.process.stdout.readline()
        finally:
            late = not clock.is_alive()
            clock.cancel()
        if not line:
            code = self.process.wait()
            self.status = f"failed: no answer in {self.patience:.0f} s" if late else f"failed: ended with {code}"
            return {}
        found = json.loads(line)
        self.status = found.pop("status")
        return found if self.status == "ok" else {}

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.close()
            self.process.wait(timeout=5)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Workers:
    """One worker for each contestant of a job, in a ``with`` block."""

    def __init__(self, entries: tuple[Entry, ...], job: Job) -> None:
        self.all = {who.name: Worker(who, job) for who in entries}
        for worker in self.all.values():  # they import side by side, and are made one after another
            worker.prepare(job)

    def __enter__(self) -> Workers:
        """The workers, made."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """All of them ended."""
        for worker in self.all.values():
            worker.close()

    def round(self, request: dict[str, Any], turn: int) -> dict[str, dict[str, Any]]:
        """Ask each in turn, only one at a time; every round begins with another one."""
        names = list(self.all)
        start = turn % len(names)
        return {name: self.all[name].ask(dict(request)) for name in names[start:] + names[:start]}
