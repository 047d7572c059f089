"""Faults of pictures and texts, and what comes of trainings with and without them: data made on the spot, in seconds.

    python -m benchmarks.doctor.planted                        # five seeds; a campaign that was stopped goes on
    python -m benchmarks.doctor.planted --seeds 1 --only dead-channels --out elsewhere

Every training is a line of ``planted.jsonl``; ``DOCTOR.md`` is written from these and from those of the tables.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import pellucid
from pellucid.errors import DivergenceError

__all__ = ["Planted", "Trial", "try_planted"]

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What is trained: the data, other test rows where there are some, and the settings."""

    data: Any
    settings: dict[str, Any] = field(default_factory=dict)
    test: Any = None


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One fault, and its healthy twin.

    Parameters
    ----------
    name
        What the doctor must find.
    make
        From random numbers, a folder to write into, and whether the fault is wanted, to what is trained.
    kind
        Which of several faults of that name.
    fresh
        From random numbers to rows that no training sees, on which the fix is judged by log loss; ``None``: no
        setting mends it.
    """

    name: str
    make: Callable[[np.random.Generator, Path, bool], Trial]
    kind: str = ""
    fresh: Callable[[np.random.Generator], Any] | None = None

    @property
    def label(self) -> str:
        """The name and the kind."""
        return f"{self.name}, {self.kind}" if self.kind else self.name


def try_planted(fault: Planted, seed: int) -> dict[str, Any]:
    """Train with the fault, with the doctor's change, and the healthy twin.

    Returns
    -------
    dict
        ``found`` and ``twin``: names of findings; ``before`` and ``after``: log loss with the fault and with the fix.
    """
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        faulty = fault.make(np.random.default_rng(seed), folder / "faulty", True)
        healthy = fault.make(np.random.default_rng(seed), folder / "healthy", False)
        run, twin = _train(faulty, seed), _train(healthy, seed)
        mine = next((each for each in run.findings if each.name == fault.name), None)
        before = after = math.nan
        if mine is not None and mine.change and fault.fresh is not None:
            fresh = fault.fresh(np.random.default_rng(seed + 1_000))
            before = _loss(run, fresh)
            try:
                after = _loss(_train(faulty, seed, mine.change), fresh)
            except DivergenceError:
                after = math.inf
    return {
        "what": fault.label,
        "seed": seed,
        "found": [each.name for each in run.findings],
        "twin": [each.name for each in twin.findings],
        "before": before,
        "after": after,
    }


def _train(trial: Trial, seed: int, change: Any = None) -> Any:
    given = {"verdict": False, "seed": seed, "threads": 1, **trial.settings, **(change or {})}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pellucid.train(trial.data, test_data=trial.test, **given)


def _loss(run: Any, fresh: Any) -> float:
    value = float(run.evaluate(fresh)["log_loss"].value)
    return value if math.isfinite(value) else math.inf


def main() -> None:
    """Parse, go on where the lines end, write the page."""
    from benchmarks.doctor.page import write_page
    from benchmarks.doctor.picture_faults import PICTURE_FAULTS
    from benchmarks.doctor.sequence_faults import SEQUENCE_FAULTS

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="", help="names of faults, with commas between")
    parser.add_argument("--out", type=Path, default=HERE)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    lines, only = asked.out / "planted.jsonl", set(asked.only.split(",")) - {""}
    before = lines.read_text(encoding="utf-8").splitlines() if lines.exists() else []
    done = {(each["what"], each["seed"]) for each in map(json.loads, before)}
    with lines.open("a", encoding="utf-8") as stream:
        for seed in range(asked.seeds):
            for fault in (*PICTURE_FAULTS, *SEQUENCE_FAULTS):
                if (only and fault.name not in only) or (fault.label, seed) in done:
                    continue
                stream.write(json.dumps(try_planted(fault, seed)) + "\n")
                stream.flush()
    if asked.out == HERE:
        write_page(HERE / "DOCTOR.md", HERE / "doctor.jsonl", lines)


if __name__ == "__main__":
    main()
