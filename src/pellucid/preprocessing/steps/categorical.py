"""Categorical columns: one feature per level, 1 for the level of the cell and 0 elsewhere.

The features, in this order:

- the levels, the most frequent first: those seen at least ``rare_below`` times, at most ``max_categories``;
- ``(rare)``: all other levels together, where they fill at least ``rare_below`` training rows;
- ``(missing)``: where a training row was missing.

**A level that training did not keep** counts as ``(rare)``: the rare levels of training are the best guess
for an unseen one. Without a ``(rare)`` feature the cell gets the *average row* instead: each feature holds the
share of its level among the training rows that were not missing, so that a Dense layer receives its average
input. The same holds for a missing cell in a column that was never missing in training.

Levels are compared as trimmed text; 1, 1.0 and ``"1"`` are one level. Only levels that are kept are stored: a
name that few training rows had is never written into the model file.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from pellucid.preprocessing import checks
from pellucid.preprocessing.values import (
    MISSING_TEXTS,
    FloatArray,
    other_spelling,
    text_codes,
    text_of,
)

__all__ = ["CategoricalStep", "fit_categorical"]

_AVERAGE = -1  # the slot of a cell that takes the average row


@dataclass(frozen=True, kw_only=True)
class CategoricalStep:
    """How one categorical column becomes features.

    Parameters
    ----------
    name
        The column.
    levels
        The levels kept, as text, in the order of their features.
    counts
        In how many training rows each of them stood.
    rare
        How many training rows held any other level; 0 means that there is no such bucket.
    missing
        How many training rows were missing; 0 means that there is no such feature.
    """

    name: str
    levels: tuple[str, ...]
    counts: tuple[int, ...]
    rare: int = 0
    missing: int = 0

    kind: ClassVar[str] = "categorical"

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the features."""
        extra = ("(rare)",) * bool(self.rare) + ("(missing)",) * bool(self.missing)
        return tuple(f"{self.name} = {level}" for level in self.levels + extra)

    def encode(self, column: Any, out: FloatArray) -> None:
        """Write the features of an Arrow column into ``out`` ``[rows, features]``, which holds zeros."""
        texts, codes = text_codes(column)
        slot_of_code = np.fromiter(
            (*(self._slot(text) for text in texts), self._missing_slot), np.int64, len(texts) + 1
        )
        slots = slot_of_code[codes]  # [rows]; code −1 (missing) is the last entry
        rows = np.flatnonzero(slots != _AVERAGE)
        if len(rows) == len(slots):
            out[np.arange(len(slots)), slots] = 1.0
        else:
            out[rows, slots[rows]] = 1.0
            out[slots == _AVERAGE] = np.array(self._average)

    def encode_one(self, value: object) -> tuple[float, ...]:
        """The features of one value: the same numbers as `encode` gives."""
        text = text_of(value)
        slot = self._missing_slot if text is None else self._slot(text)
        if slot == _AVERAGE:
            return self._average
        width = len(self.features)
        return (0.0,) * slot + (1.0,) + (0.0,) * (width - slot - 1)

    def knows(self, text: str) -> bool:
        """Whether a text (trimmed) is one of the levels kept, in this or another spelling, or stands for nothing.

        >>> CategoricalStep(name="n", levels=("1", "2"), counts=(5, 5)).knows("1.0")
        True
        """
        return self._known_slot(text) is not None or text in MISSING_TEXTS

    def _known_slot(self, text: str) -> int | None:
        slot = self._index.get(text)
        if slot is None:
            plain = other_spelling(text)
            slot = None if plain is None else self._index.get(plain)
        return slot

    def _slot(self, text: str) -> int:
        slot = self._known_slot(text)
        if slot is None:
            slot = self._missing_slot if text in MISSING_TEXTS else self._unseen_slot
        return slot

    @property
    def _unseen_slot(self) -> int:
        return len(self.levels) if self.rare else _AVERAGE

    @property
    def _missing_slot(self) -> int:
        return len(self.levels) + bool(self.rare) if self.missing else _AVERAGE

    @cached_property
    def _index(self) -> dict[str, int]:
        index = {level: i for i, level in enumerate(self.levels)}
        for i, level in enumerate(self.levels):
            plain = other_spelling(level)
            if plain is not None:
                index.setdefault(plain, i)  # a level of that very spelling goes first
        return index

    @cached_property
    def _average(self) -> tuple[float, ...]:
        present = (*self.counts, self.rare) if self.rare else self.counts
        total = sum(present) or 1
        return tuple(n / total for n in present) + (0.0,) * bool(self.missing)

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        return {
            "kind": self.kind,
            "name": self.name,
            "levels": list(self.levels),
            "counts": list(self.counts),
            "rare": self.rare,
            "missing": self.missing,
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> CategoricalStep:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        v = checks.fields(value, where, ("kind", "name", "levels", "counts", "rare", "missing"))
        levels = checks.listing(v["levels"], f"{where}.levels", checks.MAX_LEVELS)
        counts = checks.listing(v["counts"], f"{where}.counts", checks.MAX_LEVELS, length=len(levels))
        return cls(
            name=checks.text(v["name"], f"{where}.name"),
            levels=checks.unique(
                [checks.text(t, f"{where}.levels[{i}]") for i, t in enumerate(levels)], f"{where}.levels"
            ),
            counts=tuple(checks.whole(n, f"{where}.counts[{i}]", 1) for i, n in enumerate(counts)),
            rare=checks.whole(v["rare"], f"{where}.rare"),
            missing=checks.whole(v["missing"], f"{where}.missing"),
        )


def fit_categorical(name: str, column: Any, *, max_categories: int, rare_below: int) -> CategoricalStep:
    """Count the levels of an Arrow column that holds the training rows only.

    Parameters
    ----------
    name
        The column's name.
    column
        ``[N]``, the Arrow column of the training rows.
    max_categories
        The most levels that get a feature of their own.
    rare_below
        Levels seen fewer times than this share one feature, ``(rare)``.

    >>> import pyarrow as pa
    >>> jobs = pa.array(["nurse"] * 3 + ["cook"] * 2 + ["spy", "clown", None])
    >>> step = fit_categorical("job", jobs, max_categories=50, rare_below=2)
    >>> step.features
    ('job = nurse', 'job = cook', 'job = (rare)', 'job = (missing)')
    >>> step.encode_one("judge")
    (0.0, 0.0, 1.0, 0.0)
    """
    texts, codes = text_codes(column)
    per_code = np.bincount(codes[codes >= 0], minlength=len(texts)).tolist()
    seen: Counter[str] = Counter()
    for text, n in zip(texts, per_code, strict=True):
        if n:
            seen[text] += n
    ordered = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    kept = [(text, n) for text, n in ordered[:max_categories] if n >= rare_below]
    # A rare level that is spelled like a missing cell will be read as one, so it is counted as one.
    odd = sum(n for text, n in ordered[len(kept) :] if text in MISSING_TEXTS)
    rare = sum(n for _, n in ordered[len(kept) :]) - odd
    return CategoricalStep(
        name=name,
        levels=tuple(text for text, _ in kept),
        counts=tuple(n for _, n in kept),
        rare=rare if rare >= rare_below else 0,
        missing=int(np.count_nonzero(codes < 0)) + odd,
    )
