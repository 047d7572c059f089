"""What all contestants are asked to do: one network, its rows, the batch size and the number of epochs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEARNING_RATE", "Arrays", "Job"]

Array = NDArray[Any]

LEARNING_RATE = 1e-3  # Adam's, everywhere


@dataclass(frozen=True, kw_only=True)
class Arrays:
    """Inputs ``[N, I]`` as float32 and class numbers ``[N]`` as int64, to train and to test on."""

    x: Array
    y: Array
    x_test: Any  # what a contestant's `probabilities` takes: an array, or rows of mixed columns
    y_test: Array


@dataclass(frozen=True, kw_only=True)
class Job:
    """The same for every contestant.

    Parameters
    ----------
    name
        What the tables call it.
    widths
        Inputs, hidden widths, outputs; one output means two classes and binary cross-entropy.
    batch
        Rows a step.
    rows
        Rows of a table drawn at random; unused with ``folder``.
    epochs
        Of a whole fit.
    dropout
        After each hidden layer, in whole fits.
    folder
        Where ``x.npy``, ``y.npy``, ``x_test.npy`` and ``y_test.npy`` are; None draws rows at random.
    threads
        How many threads the libraries may use.

    >>> Job(name="iris", widths=(4, 10, 3), batch=120, rows=120).classes
    3
    """

    name: str
    widths: tuple[int, ...]
    batch: int
    rows: int = 0
    epochs: int = 1
    dropout: float = 0.0
    folder: str | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        """Check the numbers."""
        if len(self.widths) < 2 or min(self.widths) < 1:
            raise ValueError(f"widths must be two or more positive numbers, got {self.widths!r}")
        for name in ("batch", "epochs", "threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)!r}")
        if self.folder is None and self.rows < self.batch:
            raise ValueError(f"rows must be at least batch ({self.batch}), got {self.rows!r}")

    @property
    def is_binary(self) -> bool:
        """Whether the network ends in one logit."""
        return self.widths[-1] == 1

    @property
    def classes(self) -> int:
        """How many classes the targets have."""
        return max(2, self.widths[-1])

    @property
    def shape(self) -> str:
        """The widths, as text."""
        return "-".join(map(str, self.widths))

    @property
    def products(self) -> float:
        """About how many multiplications and additions a step makes: 6 for each weight and row."""
        return 6.0 * self.batch * sum(a * b for a, b in zip(self.widths, self.widths[1:], strict=False))

    def arrays(self) -> Arrays:
        """The rows: read from the folder, or drawn at random with a fixed seed."""
        if self.folder is not None:
            folder = Path(self.folder)
            parts = {name: np.load(folder / f"{name}.npy") for name in ("x", "y", "x_test", "y_test")}
            return Arrays(**parts)
        generator = np.random.default_rng(0)
        x = generator.standard_normal((self.rows, self.widths[0]), dtype=np.float32)
        y = generator.integers(0, self.classes, self.rows)
        few = slice(0, min(self.rows, 1000))
        return Arrays(x=x, y=y, x_test=x[few], y_test=y[few])

    def to_json(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """The job that `to_json` wrote."""
        found = {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()}
        if "channels" in found and cls is Job:
            from peers.pictures.job import PictureJob

            return PictureJob.from_json(text)
        return cls(**{each.name: found[each.name] for each in fields(cls)})
