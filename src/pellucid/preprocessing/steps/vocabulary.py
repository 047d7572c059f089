"""Which tokens texts have: the characters, the frequent words, or the byte pairs of training texts.

Everything is counted, nothing drawn, and ties go to the smaller code point (or the smaller numbers of a pair), so that
the same texts give the same tokens on every machine, in whatever order they stand.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never, cast

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, SettingError, nearest
from pellucid.preprocessing.steps.byte_pairs import BYTES, learned_pairs
from pellucid.preprocessing.steps.division import chunks_in, words_in
from pellucid.preprocessing.steps.tokenizer import (
    FIRST,
    MAX_LENGTH,
    MAX_VOCABULARY,
    TOKEN_UNITS,
    Tokenizer,
    TokenUnits,
    code_points,
)
from pellucid.preprocessing.steps.words import units_of

__all__ = ["TokenSettings", "fit_tokenizer"]

_USUAL: dict[TokenUnits, int] = {"characters": 5_000, "words": 10_000, "byte-pairs": 2_000}
_LONGEST = 100  # characters of a word: longer ones are links and codes
_CODES_AT_ONCE = 1 << 22
_LOOKED_AT, _BEGINNING = 2_000, 1_000  # texts, and characters of each, whose script is looked at


@dataclass(frozen=True, kw_only=True)
class TokenSettings:
    """How texts are to become tokens.

    Parameters
    ----------
    units
        ``characters``, ``words``, ``byte-pairs``, or ``auto``: words, and characters where the script writes no spaces
        between words.
    most
        The most ids, padding and unknown included; ``None``: 5,000 characters, 10,000 words or 2,000 byte pairs.
    length
        The most tokens of a text; ``None``: 512 characters, or 256 words or byte pairs.
    lower
        Whether texts are lowercased; ``None``: for words only.

    Raises
    ------
    SettingError
        A setting out of range.
    """

    units: str = "auto"
    most: int | None = None
    length: int | None = None
    lower: bool | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        known = ("auto", *TOKEN_UNITS)
        if self.units not in known:
            raise SettingError(f"tokens of the kind {self.units!r} are not known{nearest(str(self.units), known)}")
        fewest = FIRST + BYTES if self.units == "byte-pairs" else FIRST + 1
        if self.most is not None and (type(self.most) is not int or not fewest <= self.most <= MAX_VOCABULARY):
            why = ", since padding, unknown and 256 bytes are always among them" if self.units == "byte-pairs" else ""
            raise SettingError(
                f"a vocabulary must have from {fewest:,} to {MAX_VOCABULARY:,} tokens{why}, got {self.most!r}"
            )
        if self.length is not None and (type(self.length) is not int or not 1 <= self.length <= MAX_LENGTH):
            raise SettingError(
                f"the most tokens of a text must be a whole number from 1 to {MAX_LENGTH:,}, got {self.length!r}"
            )
        if self.lower is not None and type(self.lower) is not bool:
            raise SettingError(f"lower must be true, false or left out, got {self.lower!r}")


def fit_tokenizer(texts: Sequence[str], settings: TokenSettings | None = None) -> Tokenizer:
    """Learn what the tokens are from all of the training texts.

    A vocabulary of words holds those that occur at least twice (once, if none does) and have at most 100 characters.
    Texts of one repeated character give a vocabulary of one character.

    Raises
    ------
    DataError
        The texts hold no token.

    >>> tokenizer = fit_tokenizer(["call me now", "call now"], TokenSettings(units="words"))
    >>> tokenizer.vocabulary, tokenizer.size
    (('call', 'now'), 4)
    """
    settings = TokenSettings() if settings is None else settings
    units = _units(texts) if settings.units == "auto" else cast(TokenUnits, settings.units)
    lower = units == "words" if settings.lower is None else settings.lower
    most = (_USUAL[units] if settings.most is None else settings.most) - FIRST
    prepared = map(Tokenizer(units=units, lower=lower).prepared, texts)
    match units:
        case "characters":
            counts = _characters_counted(prepared)
        case "words":
            counts = _frequent(_counted(map(words_in, prepared)))
        case "byte-pairs":
            counts = _counted(map(chunks_in, prepared))
        case _:
            assert_never(units)
    if not counts:
        raise DataError("there is no text to learn tokens from: every text is empty or only spaces; give more text")
    if units == "byte-pairs":
        return Tokenizer(units=units, merges=learned_pairs(counts, most - BYTES), lower=lower)
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return Tokenizer(units=units, vocabulary=tuple(token for token, _ in ordered[:most]), lower=lower)


def _units(texts: Sequence[str]) -> TokenUnits:
    """Words or characters, by the beginnings of texts spread over all of them."""
    return units_of(text[:_BEGINNING] for text in texts[:: max(1, len(texts) // _LOOKED_AT)])


def _counted(divided: Iterable[list[str]]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for pieces in divided:
        counts.update(pieces)
    return counts


def _frequent(counts: Counter[str]) -> Counter[str]:
    """The words without long ones and those that occur once, unless that leaves nothing."""
    short = Counter({word: n for word, n in counts.items() if len(word) <= _LONGEST}) or counts
    return Counter({word: n for word, n in short.items() if n > 1}) or short


def _characters_counted(texts: Iterable[str]) -> Counter[str]:
    counts: NDArray[np.int64] = np.zeros(sys.maxunicode + 1, dtype=np.int64)
    for block in _joined(texts):
        counts += np.bincount(code_points(block), minlength=len(counts))
    return Counter({chr(code): int(counts[code]) for code in np.flatnonzero(counts).tolist()})


def _joined(texts: Iterable[str]) -> Iterable[str]:
    """The texts put together in blocks that are counted at once."""
    waiting: list[str] = []
    size = 0
    for text in texts:
        waiting.append(text)
        size += len(text)
        if size >= _CODES_AT_ONCE:
            yield "".join(waiting)
            waiting, size = [], 0
    yield "".join(waiting)
