"""The process of one contestant: reads a line of JSON, does what it says, answers with a line of JSON.

    python -m peers.worker NAME MODULE:MAKER [PACKAGE …]

| request | answer |
|---|---|
| ``{"do": "load"}`` | nothing: the library is imported |
| ``{"do": "prepare", "job": …}`` | memory after importing, what is timed |
| ``{"do": "steps", "seconds": 0.3}`` | how many steps were made in how many seconds |
| ``{"do": "fit"}`` | seconds, test accuracy, peak memory |
| ``{"do": "predict", "rows": "1", "seconds": 0.3}`` | how many calls in how many seconds, rows a call |

What goes wrong is an answer, too: ``{"status": "failed: …"}``.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import re
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from peers.contestant import Contestant, DoesNotApplyError
from peers.entries import Entry
from peers.job import Job
from peers.limits import bind

__all__ = ["Server", "load", "make", "peak_mib"]

_SHORT = 5  # a timed chunk of steps takes about a fifth of a round
_WORDS = 160  # of an error


def peak_mib() -> float:
    """The most memory that this process has had, in MiB.

    Linux counts into ``ru_maxrss`` what the parent had when it started this process, so its own mark goes before.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8"))
        if found:
            return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def load(who: Entry) -> Any:
    """Import what makes the contestant."""
    module, _, name = who.make.partition(":")
    return getattr(importlib.import_module(module), name)


def make(who: Entry, job: Job) -> tuple[Contestant, dict[str, float]]:
    """The contestant, and the memory that importing it took."""
    maker = load(who)
    memory = peak_mib()
    return maker(job, job.arrays()), {"import_mib": memory}


class Server:
    """Answers requests for one contestant."""

    def __init__(self, who: Entry) -> None:
        self.who = who
        self.contestant: Contestant | None = None
        self.chunk = 0

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer, whatever happens."""
        try:
            does = {
                "load": self._load,
                "prepare": self._prepare,
                "steps": self._steps,
                "fit": self._fit,
                "predict": self._predict,
            }
            return {"status": "ok", **does[request.pop("do")](**request)}
        except DoesNotApplyError as error:
            return {"status": f"does not apply: {error}"}
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            known = missing in self.who.needs
            return {"status": "not installed" if known else f"failed: {error}"[:_WORDS]}
        except Exception as error:  # whatever a library throws belongs into the table
            text = f"failed: {type(error).__name__}: {error}".replace("\n", " ")
            return {"status": text[:_WORDS]}

    def _load(self, threads: int) -> dict[str, Any]:
        bind(threads)
        load(self.who)
        return {}

    def _prepare(self, job: str) -> dict[str, Any]:
        described = Job.from_json(job)
        bind(described.threads)
        self.contestant, took = make(self.who, described)
        return {**took, "timed": self.contestant.timed, "note": self.contestant.note}

    def _steps(self, seconds: float) -> dict[str, Any]:
        contestant = self._ready()
        if not self.chunk:
            self.chunk = 1
            contestant.steps(1)
            while _timed(contestant.steps, self.chunk)[0] < seconds / _SHORT:
                self.chunk *= 2
        gc.collect()
        took, done = 0.0, 0
        while took < seconds:
            one, count = _timed(contestant.steps, self.chunk)
            took, done = took + one, done + count
        return {"seconds": took, "count": done, "facts": contestant.facts()}

    def _fit(self) -> dict[str, Any]:
        contestant = self._ready()
        gc.collect()
        took, _ = _timed(contestant.fit)
        peak = peak_mib()
        arrays = contestant.arrays
        right = contestant.probabilities(arrays.x_test).argmax(axis=1) == arrays.y_test
        return {"seconds": took, "accuracy": float(right.mean()), "peak_mib": peak, "facts": contestant.facts()}

    def _predict(self, rows: str, seconds: float) -> dict[str, Any]:
        contestant = self._ready()
        inputs, count = contestant.inputs_for(rows)
        contestant.probabilities(inputs)
        took, calls = 0.0, 0
        while took < seconds or calls < 2:
            took += _timed(contestant.probabilities, inputs)[0]
            calls += 1
        return {"seconds": took, "count": calls, "rows": count}

    def _ready(self) -> Contestant:
        if self.contestant is None:
            raise RuntimeError("the contestant is not prepared")
        return self.contestant


def _timed(function: Any, *arguments: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - began, result


def main() -> None:
    """Answer until the pipe is closed."""
    # What a library prints must not mix with the answers: they get a descriptor of their own.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    name, maker, *needs = sys.argv[1:]
    server = Server(Entry(name=name, make=maker, label=name, needs=tuple(needs)))
    for line in sys.stdin:
        print(json.dumps(server.answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
