"""A text as whole numbers, and back: characters, words, or byte pairs.

| units | a token is | decoded | unknown |
|---|---|---|---|
| ``characters`` | one character (code point) | exactly the text | characters not in training |
| ``words`` | a word or a sign (see `division`) | words and signs, one space between | rare and new words |
| ``byte-pairs`` | a frequent run of bytes (see `byte_pairs`) | exactly the text | nothing: every byte is a token |

Id 0 is padding and nothing else; id 1 is unknown. Of characters and words, ids from 2 on go to the most frequent first;
of byte pairs they go to the 256 bytes, and then to the merges in the order in which they were learned.

**What is changed in a text**: with ``lower`` (usual for words) the text is lowercased. A lone half of a surrogate
pair, which no file can hold, becomes U+FFFD. Nothing else is changed: no Unicode normal form is applied (``é`` as one
character and as two are different), and NUL, other control characters, right-to-left marks, combining marks and the
parts of an emoji are characters like all others. Only words drop spaces.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, assert_never, cast, get_args

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError
from pellucid.preprocessing import checks
from pellucid.preprocessing.steps.byte_pairs import BYTES, Pair, merged, spelled
from pellucid.preprocessing.steps.division import MOST_BYTES, chunks_in, words_in

__all__ = [
    "FIRST",
    "MAX_LENGTH",
    "MAX_VOCABULARY",
    "PADDING",
    "TOKEN_UNITS",
    "UNKNOWN",
    "TokenUnits",
    "Tokenizer",
    "code_points",
]

TokenUnits = Literal["characters", "words", "byte-pairs"]
TOKEN_UNITS: tuple[str, ...] = get_args(TokenUnits)
IdArray = NDArray[np.int64]

PADDING, UNKNOWN = 0, 1
FIRST = 2  # the id of the first token that has a text
MAX_VOCABULARY = 100_000
MAX_LENGTH = 100_000
_REPLACEMENT = "\ufffd"  # how an unknown token and a broken character are written
_HALF = re.compile("[\ud800-\udfff]")
_KNOWN = 1 << 18  # chunks whose byte pairs are remembered while texts are encoded


@dataclass(frozen=True, kw_only=True)
class Tokenizer:
    """What the tokens of a text are; make one with `fit_tokenizer` (in `vocabulary`).

    Parameters
    ----------
    units
        What a token is.
    vocabulary
        The characters or words, from id 2 on; empty for byte pairs.
    merges
        The pairs of symbols that are merged, in order; empty for characters and words.
    lower
        Whether texts are lowercased first.

    >>> tokenizer = Tokenizer(units="words", vocabulary=("call", "now", "!"), lower=True)
    >>> tokenizer.encode("CALL me now!").tolist(), tokenizer.decode([2, 1, 3, 4, 0, 0])
    ([2, 1, 3, 4], 'call � now !')
    """

    units: TokenUnits
    vocabulary: tuple[str, ...] = ()
    merges: tuple[Pair, ...] = ()
    lower: bool = False

    @property
    def size(self) -> int:
        """How many ids there are, padding and unknown included: the rows of an embedding."""
        return FIRST + (BYTES + len(self.merges) if self.units == "byte-pairs" else len(self.vocabulary))

    # ── from text to ids ──

    def encode(self, text: str, most: int | None = None) -> IdArray:
        """The ids of a text, ``[tokens]``: all, or at most so many from its beginning.

        >>> Tokenizer(units="byte-pairs", merges=((97, 97),)).encode("aaab").tolist()
        [258, 99, 100]
        """
        (ids,) = self.encode_each((text,), most)
        return ids

    def encode_each(self, texts: Iterable[str], most: int | None = None) -> Iterator[IdArray]:
        """The ids of each text, as `encode` gives them; faster than one by one, since chunks recur."""
        known: dict[str, list[int]] = {}
        for text in map(self.prepared, texts):
            match self.units:
                case "characters":
                    yield self._table.take(code_points(text[:most]), mode="clip")
                case "words":
                    places = self._places
                    yield np.array([places.get(word, UNKNOWN) for word in words_in(text)[:most]], dtype=np.int64)
                case "byte-pairs":
                    yield self._paired(chunks_in(text)[:most], known)[:most]
                case _:
                    assert_never(self.units)

    def prepared(self, text: str) -> str:
        """The text that is divided into tokens: lowercased if need be, and without lone surrogates."""
        text = _HALF.sub(_REPLACEMENT, text)
        return text.lower() if self.lower else text

    def _paired(self, chunks: list[str], known: dict[str, list[int]]) -> IdArray:
        ids: list[int] = []
        for chunk in chunks:
            found = known.get(chunk)
            if found is None:
                found = [FIRST + symbol for symbol in merged(chunk.encode(), self._ranks)]
                if len(known) < _KNOWN:
                    known[chunk] = found
            ids += found
        return np.array(ids, dtype=np.int64)

    @cached_property
    def _table(self) -> IdArray:
        """The id of every code point up to the largest known, and one more, which stands for all that follow."""
        codes = [ord(character) for character in self.vocabulary]
        table = np.full(max(codes, default=0) + 2, UNKNOWN, dtype=np.int64)
        table[codes] = np.arange(FIRST, self.size)
        return table

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.vocabulary, start=FIRST)}

    @cached_property
    def _ranks(self) -> dict[Pair, int]:
        return {pair: rank for rank, pair in enumerate(self.merges)}

    # ── from ids to text ──

    def decode(self, ids: Iterable[int]) -> str:
        """The text of these ids; padding is left out, an unknown token or a broken character is written as ``�``.

        Raises
        ------
        DataError
            An id that the vocabulary does not have.
        """
        return "".join(self.stream(ids))

    def stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text piece by piece as ids come in; joined, the pieces are the text that `decode` gives.

        A piece is empty while a character of several bytes is incomplete.

        >>> tokenizer = Tokenizer(units="byte-pairs")
        >>> list(tokenizer.stream(tokenizer.encode("né")))
        ['n', '', 'é', '']
        """
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        between = ""
        for token in map(self._checked, ids):
            if token == PADDING:
                continue
            match self.units:
                case "characters":
                    yield self._written(token)
                case "words":
                    yield between + self._written(token)
                    between = " "
                case "byte-pairs":
                    if token == UNKNOWN:  # a network may give it, though no text does
                        yield decoder.decode(b"", final=True) + _REPLACEMENT
                    else:
                        yield decoder.decode(self._bytes[token - FIRST])
                case _:
                    assert_never(self.units)
        if self.units == "byte-pairs":
            yield decoder.decode(b"", final=True)

    def shown(self, token: int) -> str:
        r"""How a token is shown to a reader: its text, with bytes that are no whole character written out.

        >>> tokenizer = Tokenizer(units="byte-pairs", merges=((97, 98),))
        >>> [tokenizer.shown(each) for each in (0, 1, 97 + 2, 255 + 2, 258)]
        ['(padding)', '(unknown)', 'a', '\\xff', 'ab']
        """
        token = self._checked(token)
        if token < FIRST:
            return ("(padding)", "(unknown)")[token]
        if self.units == "byte-pairs":
            return self._bytes[token - FIRST].decode("utf-8", "backslashreplace")
        return self._written(token)

    def _checked(self, token: int) -> int:
        if not 0 <= token < self.size:
            raise DataError(f"a token must be a whole number from 0 to {self.size - 1:,}, got {token!r}")
        return int(token)

    def _written(self, token: int) -> str:
        return _REPLACEMENT if token == UNKNOWN else self.vocabulary[token - FIRST]

    @cached_property
    def _bytes(self) -> tuple[bytes, ...]:
        return spelled(self.merges)

    # ── kept ──

    def to_json(self) -> dict[str, Any]:
        """The tokenizer as plain JSON values."""
        if self.units == "byte-pairs":
            return {"units": self.units, "lower": self.lower, "merges": [list(pair) for pair in self.merges]}
        return {"units": self.units, "lower": self.lower, "vocabulary": list(self.vocabulary)}

    @classmethod
    def from_json(cls, value: object, where: str) -> Tokenizer:
        """Read what `to_json` wrote, checking every field; raises `ModelFileError`."""
        given = value.get("units") if isinstance(value, dict) else value
        units = cast(TokenUnits, checks.choice(given, f"{where}.units", TOKEN_UNITS))
        learned = "merges" if units == "byte-pairs" else "vocabulary"
        v = checks.fields(value, where, ("units", "lower", learned))
        lower = checks.flag(v["lower"], f"{where}.lower")
        if learned == "merges":
            return cls(units=units, merges=_read_merges(v[learned], f"{where}.{learned}"), lower=lower)
        return cls(units=units, vocabulary=_read_vocabulary(v[learned], f"{where}.{learned}", units), lower=lower)


def code_points(text: str) -> NDArray[np.uint32]:
    """The code point of each character, ``[characters]``.

    >>> code_points("a😀").tolist()
    [97, 128512]
    """
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


def _read_vocabulary(value: object, where: str, units: TokenUnits) -> tuple[str, ...]:
    tokens = checks.listing(value, where, MAX_VOCABULARY - FIRST)
    checks.whole(len(tokens), f"the number of {where}", 1)
    longest = 1 if units == "characters" else checks.MAX_TEXT
    for i, token in enumerate(tokens):
        checks.whole(len(checks.text(token, f"{where}[{i}]")), f"the number of characters of {where}[{i}]", 1, longest)
    return checks.unique(tokens, where)


def _read_merges(value: object, where: str) -> tuple[Pair, ...]:
    """Pairs of earlier symbols whose bytes fit into a chunk: otherwise a file could double them again and again."""
    items = checks.listing(value, where, MAX_VOCABULARY - FIRST - BYTES)
    sizes = [1] * BYTES
    merges: list[Pair] = []
    for i, item in enumerate(items):
        at = f"{where}[{i}]"
        left, right = (checks.whole(x, at, 0, len(sizes) - 1) for x in checks.listing(item, at, 2, length=2))
        merges.append((left, right))
        sizes.append(checks.whole(sizes[left] + sizes[right], f"the number of bytes of {at}", 2, MOST_BYTES))
    checks.unique([f"{left} {right}" for left, right in merges], where)
    return tuple(merges)
