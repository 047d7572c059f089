"""Boolean columns: one feature, −1 for the lower level, +1 for the higher, 0 where missing or unseen.

−1 and +1 are centred without statistics and leave 0 for "not known", which changes no weight. Where a
training row was missing, a second feature marks missing cells.

The higher level is the true one. Where all levels of the training rows are words of truth
(``true``/``false``, ``yes``/``no``, ``t``/``f``, ``y``/``n``, ``on``/``off``, 1/0, in any case), any such
word is accepted later: a model trained on ``yes`` and ``no`` takes ``True``. Otherwise the levels are the two
texts seen, the higher one the later in sorted order (1 < 2, ``female`` < ``male``); upper and lower case do
not matter. A column with one level in the training rows becomes 0 everywhere, because the network has not
learned what a change of it means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from pellucid.errors import DataError
from pellucid.preprocessing import checks
from pellucid.preprocessing.values import MISSING_TEXTS, FloatArray, other_spelling, text_codes, text_of

__all__ = ["BooleanStep", "fit_boolean"]

_TRUE = frozenset({"true", "yes", "t", "y", "on", "1"})
_FALSE = frozenset({"false", "no", "f", "n", "off", "0"})


@dataclass(frozen=True, kw_only=True)
class BooleanStep:
    """How one boolean column becomes a feature, and a second one where training rows were missing.

    Parameters
    ----------
    name
        The column.
    low, high
        The levels as text, as first spelled in the training rows; ``None`` for one that did not occur there.
    truth
        Whether they are words of truth, so that every such word is understood.
    indicator
        Whether a second feature tells that the cell was missing.
    """

    name: str
    low: str | None
    high: str | None
    truth: bool
    indicator: bool = False

    kind: ClassVar[str] = "boolean"

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the features."""
        main = self.name if self.truth or self.high is None else f"{self.name} = {self.high}"
        return (main, f"{self.name} is missing") if self.indicator else (main,)

    def encode(self, column: Any, out: FloatArray) -> None:
        """Write the features of an Arrow column into ``out`` ``[rows, features]``, which holds zeros."""
        texts, codes = text_codes(column)
        table = np.array([self._code(text) for text in texts] + [math.nan])
        found = table[codes]  # [rows]; code −1 (missing) is the last entry
        missing = np.isnan(found)
        out[:, 0] = np.where(missing, 0.0, found)
        if self.indicator:
            out[:, 1] = missing

    def encode_one(self, value: object) -> tuple[float, ...]:
        """The features of one value: the same numbers as `encode` gives."""
        text = text_of(value)
        found = math.nan if text is None else self._code(text)
        missing = math.isnan(found)
        result = 0.0 if missing else found
        return (result, float(missing)) if self.indicator else (result,)

    def knows(self, text: str) -> bool:
        """Whether a text (trimmed) is one of the two levels, in this or another spelling, or stands for nothing.

        >>> step = BooleanStep(name="member", low="no", high="yes", truth=True)
        >>> step.knows("TRUE"), step.knows("perhaps")
        (True, False)
        """
        own = {level.casefold() for level in (self.low, self.high) if level is not None}
        return text in MISSING_TEXTS or self._code(text) != 0.0 or text.casefold() in own

    def _code(self, text: str) -> float:
        """−1, +1, 0 for another level, NaN for missing."""
        if self.low is None or self.high is None:
            return math.nan if text in MISSING_TEXTS else 0.0
        for spelling in (text, other_spelling(text), text.casefold()):
            if spelling is not None and spelling in self._index:
                return self._index[spelling]
        return math.nan if text in MISSING_TEXTS else 0.0

    @cached_property
    def _index(self) -> dict[str, float]:
        if self.truth:
            return {**dict.fromkeys(_TRUE, 1.0), **dict.fromkeys(_FALSE, -1.0)}
        index = {str(self.low): -1.0, str(self.high): 1.0}
        for level, code in list(index.items()):
            for spelling in (other_spelling(level), level.casefold()):
                if spelling is not None:
                    index.setdefault(spelling, code)
        return index

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        return {
            "kind": self.kind,
            "name": self.name,
            "low": self.low,
            "high": self.high,
            "truth": self.truth,
            "indicator": self.indicator,
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> BooleanStep:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        v = checks.fields(value, where, ("kind", "name", "low", "high", "truth", "indicator"))
        low, high = (None if v[k] is None else checks.text(v[k], f"{where}.{k}") for k in ("low", "high"))
        checks.unique([level for level in (low, high) if level is not None], f"{where}.low and .high")
        return cls(
            name=checks.text(v["name"], f"{where}.name"),
            low=low,
            high=high,
            truth=checks.flag(v["truth"], f"{where}.truth"),
            indicator=checks.flag(v["indicator"], f"{where}.indicator"),
        )


def fit_boolean(name: str, column: Any) -> BooleanStep:
    """Find the two levels in an Arrow column that holds the training rows only.

    Raises
    ------
    DataError
        For three levels or more.

    >>> import pyarrow as pa
    >>> step = fit_boolean("member", pa.array(["Yes", "no", None]))
    >>> step.encode_one(True), step.encode_one("N"), step.encode_one(None)
    ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0))
    """
    texts, codes = text_codes(column)
    used = {texts[i] for i in np.unique(codes[codes >= 0])}
    words = {_folded(text): text for text in sorted(used)}
    low: str | None
    high: str | None
    if len({_truth(word) for word in words}) == min(len(words), 2) and all(w in _TRUE | _FALSE for w in words):
        spelled = {_truth(word): text for word, text in words.items()}
        low, high, truth = spelled.get(False), spelled.get(True), True
    else:
        levels = sorted(used, key=_order)
        if len(levels) > 2:
            shown = ", ".join(repr(level) for level in levels[:4])
            raise DataError(
                f"column {name!r} is declared boolean, but holds {len(levels):,} levels ({shown}"
                f"{', …' if len(levels) > 4 else ''}); pass --categorical {name!r} instead"
            )
        low, high = (None, *levels)[-2:] if levels else (None, None)
        truth = False
    return BooleanStep(name=name, low=low, high=high, truth=truth, indicator=bool(np.any(codes < 0)))


def _folded(text: str) -> str:
    return other_spelling(text) or text.casefold()


def _truth(word: str) -> bool:
    return word in _TRUE


def _order(level: str) -> tuple[int, float, str]:
    plain = other_spelling(level)
    if plain is None or plain in ("true", "false"):
        return (1, 0.0, level)
    return (0, float(plain), level)
