"""Text as tokens: each text becomes a row of whole numbers, for networks that read one token after the other.

What a token is, and what is and is not changed in a text, is said in `tokenizer`; the tokens are learned from training
rows alone (`vocabulary`). A row has T places, the most tokens of a training text, though no more than the limit:

* of a **longer text** the first T tokens are read; `TokenStep.counts` says how many texts that concerns, and
  `TokenStep.cut_note` says it in a sentence;
* a **shorter text** is filled up with 0 at its end;
* an **empty text and a missing cell** have no token: their row is 0 everywhere, and its length 0. Cells are read as in
  every other step: spaces at both ends are taken off, and ``NA`` and its like stand for a missing cell.

Very long tables are learned from as many training rows, spread over the table, as make 32 million characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from pellucid.errors import DataError
from pellucid.preprocessing import checks
from pellucid.preprocessing.feature_arrays import Tokens
from pellucid.preprocessing.steps.text import spread_rows
from pellucid.preprocessing.steps.tokenizer import MAX_LENGTH, UNKNOWN, Tokenizer, TokenUnits
from pellucid.preprocessing.steps.vocabulary import TokenSettings, fit_tokenizer
from pellucid.preprocessing.values import MISSING_TEXTS, FloatArray, IntArray, text_codes, text_of

__all__ = ["TokenCounts", "TokenStep", "fit_tokens"]

_LIMIT: dict[TokenUnits, int] = {"characters": 512, "words": 256, "byte-pairs": 256}
_NAMES: dict[TokenUnits, str] = {"characters": "characters", "words": "words and signs", "byte-pairs": "byte pairs"}


@dataclass(frozen=True, kw_only=True)
class TokenCounts:
    """What the rows of a column come to as tokens.

    Attributes
    ----------
    rows
        All rows.
    empty
        Rows without any token.
    cut
        Rows with more tokens than are read.
    tokens
        All tokens of all rows, those beyond the limit included.
    unknown
        How many of them are unknown.
    longest
        The most tokens of one row.
    """

    rows: int
    empty: int
    cut: int
    tokens: int
    unknown: int
    longest: int


@dataclass(frozen=True, kw_only=True)
class TokenStep:
    """How one column of text becomes tokens.

    Parameters
    ----------
    name
        The column.
    tokenizer
        What a token is.
    length
        T: how many tokens of a text are read.

    >>> import pyarrow as pa
    >>> step = TokenStep(name="note", tokenizer=Tokenizer(units="words", vocabulary=("call", "me")), length=3)
    >>> read = step.tokens(pa.array(["call me", "me call them back", None]))
    >>> read.values.tolist(), read.lengths.tolist()
    ([[2, 3, 0], [3, 2, 1], [0, 0, 0]], [2, 3, 0])
    """

    name: str
    tokenizer: Tokenizer
    length: int

    kind: ClassVar[str] = "tokens"

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the places: ``note[0]``, …."""
        return tuple(f"{self.name}[{place}]" for place in range(self.length))

    def tokens(self, column: Any) -> Tokens:
        """An Arrow column as ids ``[N, T]`` (int64) and lengths ``[N]``."""
        texts, codes = text_codes(column)
        ids = np.zeros((len(texts) + 1, self.length), dtype=np.int64)  # the last row is that of a missing cell
        lengths = np.zeros(len(texts) + 1, dtype=np.int64)
        for row, found in enumerate(self.tokenizer.encode_each(map(_said, texts), self.length)):
            ids[row, : len(found)] = found
            lengths[row] = len(found)
        return Tokens(values=ids[codes], lengths=lengths[codes])

    def encode(self, column: Any, out: FloatArray) -> None:
        """Write the ids of an Arrow column into ``out`` ``[rows, T]``."""
        out[:] = self.tokens(column).values

    def encode_one(self, value: object) -> tuple[int, ...]:
        """The ids of one value, filled up to T: the same numbers as `tokens` gives."""
        ids = self.tokenizer.encode(_said(text_of(value)), self.length).tolist()
        return (*ids, *[0] * (self.length - len(ids)))

    def counts(self, column: Any) -> TokenCounts:
        """How many texts of an Arrow column are empty or cut, and how many tokens are unknown."""
        texts, codes = text_codes(column)
        found = np.zeros((len(texts) + 1, 2), dtype=np.int64)  # tokens, unknown
        for row, ids in enumerate(self.tokenizer.encode_each(map(_said, texts))):
            found[row] = len(ids), np.count_nonzero(ids == UNKNOWN)
        tokens, unknown = found[codes].T
        return TokenCounts(
            rows=len(codes),
            empty=int(np.count_nonzero(tokens == 0)),
            cut=int(np.count_nonzero(tokens > self.length)),
            tokens=int(tokens.sum()),
            unknown=int(unknown.sum()),
            longest=int(tokens.max(initial=0)),
        )

    def cut_note(self, counts: TokenCounts) -> str | None:
        """A sentence on texts that are longer than what is read of them; ``None`` where there are none.

        >>> step = TokenStep(name="note", tokenizer=Tokenizer(units="characters", vocabulary=("a",)), length=3)
        >>> step.cut_note(TokenCounts(rows=9, empty=0, cut=1, tokens=20, unknown=0, longest=7))
        "column 'note': 1 of 9 texts has more than 3 characters (up to 7) and is cut off there"
        """
        if not counts.cut:
            return None
        has, is_cut = ("has", "is") if counts.cut == 1 else ("have", "are")
        return (
            f"column {self.name!r}: {counts.cut:,} of {counts.rows:,} texts {has} more than {self.length:,} "
            f"{_NAMES[self.tokenizer.units]} (up to {counts.longest:,}) and {is_cut} cut off there"
        )

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        return {"kind": self.kind, "name": self.name, "tokenizer": self.tokenizer.to_json(), "length": self.length}

    @classmethod
    def from_json(cls, value: object, where: str) -> TokenStep:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        v = checks.fields(value, where, ("kind", "name", "tokenizer", "length"))
        return cls(
            name=checks.text(v["name"], f"{where}.name"),
            tokenizer=Tokenizer.from_json(v["tokenizer"], f"{where}.tokenizer"),
            length=checks.whole(v["length"], f"{where}.length", 1, MAX_LENGTH),
        )


def fit_tokens(name: str, column: Any, settings: TokenSettings | None = None) -> TokenStep:
    """Learn the tokens of an Arrow column that holds the training rows only, and how many are read of a text.

    Parameters
    ----------
    name
        The column's name.
    column
        ``[N]``, the Arrow column of the training rows.
    settings
        What tokens are wanted; ``None``: as `TokenSettings` says by default.

    Raises
    ------
    DataError
        No training row holds any text.

    >>> import pyarrow as pa
    >>> step = fit_tokens("note", pa.array(["call now", "Call me now", None]), TokenSettings(units="words"))
    >>> step.tokenizer.vocabulary, step.length, step.encode_one("now!")
    (('call', 'now'), 3, (3, 1, 0))
    """
    settings = TokenSettings() if settings is None else settings
    texts, codes = text_codes(column)
    said = [*map(_said, texts), ""]
    sizes = np.array([len(text) for text in said])
    rows: IntArray = np.flatnonzero(sizes[codes])
    rows = spread_rows(rows, sizes[codes[rows]])
    if not len(rows):
        raise DataError(
            f"column {name!r} has no text to learn tokens from: all {len(codes):,} training cells are empty or "
            "missing; leave the column out"
        )
    learned = [said[code] for code in codes[rows].tolist()]
    tokenizer = fit_tokenizer(learned, settings)
    limit = _LIMIT[tokenizer.units] if settings.length is None else settings.length
    return TokenStep(name=name, tokenizer=tokenizer, length=_longest(tokenizer, learned, limit))


def _said(text: str | None) -> str:
    """The text, or none where it stands for a missing cell."""
    return "" if text is None or text in MISSING_TEXTS else text


def _longest(tokenizer: Tokenizer, texts: Sequence[str], limit: int) -> int:
    """The most tokens of a text, up to the limit; long texts are looked at first, and often end the search."""
    longest = 1
    for ids in tokenizer.encode_each(sorted(set(texts), key=len, reverse=True), limit):
        longest = max(longest, len(ids))
        if longest == limit:
            break
    return longest
