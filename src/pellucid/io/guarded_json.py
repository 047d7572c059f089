"""Parse JSON from a file that may be hostile: limited before it is parsed, and strict.

Python's parser accepts more than JSON (``NaN``, ``Infinity``, ``1e999`` as infinity, duplicate keys) and nests as deep
as the recursion limit allows. A model file needs none of this, so all of it is refused.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from pellucid.errors import ModelFileError

__all__ = ["parse"]

MAX_DIGITS = 20  # more than any 64-bit integer has
MAX_REAL = 100  # characters; the longest that Python writes has 24

CHUNK = 1 << 18  # marks looked at together

_BETWEEN = 2
_STEPS = np.zeros(256, dtype=np.int8)
_STEPS[list(b"[{")], _STEPS[list(b"]}")], _STEPS[list(b",:")] = 1, -1, _BETWEEN
_NO_MARKS = bytes(set(range(256)) - set(b'[]{},:"'))


class _RefusedError(ValueError):
    """What one of the hooks below does not allow; the message is a part of a sentence."""


def parse(raw: bytes, *, what: str, max_depth: int, max_values: int, remedy: str) -> Any:
    """Parse ``raw`` as strict JSON in UTF-8.

    Parameters
    ----------
    raw
        The text.
    what
        What the text is, for messages: "the header of 'a.safetensors'".
    max_depth, max_values
        The largest nesting depth, and the largest number of values (including field names).
    remedy
        The end of a message.

    Raises
    ------
    ModelFileError
        Not UTF-8, not JSON, too deep, too many values, a field given twice, a NaN, an infinity, a number with
        more digits than a 64-bit one, or half a character (a lone surrogate).

    >>> parse(b'{"a": [1, 2.5]}', what="the note", max_depth=3, max_values=10, remedy="write it again")
    {'a': [1, 2.5]}
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelFileError(f"{what} is not UTF-8 text (byte {error.start:,}): {remedy}") from error
    _check_size(raw, what, max_depth, max_values, remedy)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_whole,
            parse_float=_real,
        )
    except _RefusedError as error:
        raise ModelFileError(f"{what} {error}: {remedy}") from error
    except json.JSONDecodeError as error:
        at = f"{error.msg}, character {error.pos:,}"
        raise ModelFileError(f"{what} is not JSON ({at}): {remedy}") from error
    if b"\\u" in raw:  # only an escape can make a lone surrogate, which could not be printed or saved later
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            raise ModelFileError(f"{what} holds half a character (a lone surrogate): {remedy}") from error
    return value


def _check_size(raw: bytes, what: str, max_depth: int, max_values: int, remedy: str) -> None:
    """Count brackets and separators outside of texts: in linear time, with little memory, without parsing."""
    # With the escapes gone, every quote begins or ends a text; then only the marks matter. Two quotes in a row
    # hold no mark between them, and what comes after is as much in a text, or out of one, without them.
    marks = raw.replace(rb"\\", b"").replace(rb"\"", b"").translate(None, _NO_MARKS).replace(b'""', b"")
    values, depth, within = 1, 0, 0  # within: 1 inside a text
    for start in range(0, len(marks), CHUNK):
        codes = np.frombuffer(marks, dtype=np.uint8, count=min(CHUNK, len(marks) - start), offset=start)
        parity = (np.cumsum(codes == ord('"'), dtype=np.int32) + within) % 2
        within = int(parity[-1])
        steps = _STEPS[codes[parity == 0]]  # +1 opens, −1 closes
        values += int(np.count_nonzero(steps == 1) + np.count_nonzero(steps == _BETWEEN))
        if values > max_values:
            raise ModelFileError(f"{what} holds more than {max_values:,} values: {remedy}")
        levels = depth + np.cumsum(steps[np.abs(steps) == 1], dtype=np.int32)
        if levels.size:
            deepest, depth = int(levels.max()), int(levels[-1])
            if deepest > max_depth:
                raise ModelFileError(f"{what} is nested {deepest:,} or more deep, the most is {max_depth}: {remedy}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _RefusedError(f"gives the field {twice[:60]!r} twice")
    return value


def _constant(word: str) -> Any:
    raise _RefusedError(f"holds {word}, which is not a number")


def _whole(digits: str) -> int | float:
    if len(digits) > MAX_DIGITS:
        raise _RefusedError(f"holds a whole number of {len(digits):,} digits")
    return int(digits) if digits != "-0" else -0.0  # no whole number has that sign


def _real(digits: str) -> float:
    value = float(digits) if len(digits) <= MAX_REAL else math.inf
    if not math.isfinite(value):
        raise _RefusedError(f"holds the number {digits[:40]}, which is too large or too long")
    return value
