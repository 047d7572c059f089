r"""How a text is divided before it becomes tokens: words and signs, or chunks within which byte pairs are merged.

| division | of ``I'm 1234 years`` | joined again |
|---|---|---|
| `words_in` | ``I``, ``'``, ``m``, ``1234``, ``years`` | the text without its spaces |
| `chunks_in` | ``I``, ``'``, ``m``, `` 123``, ``4``, `` years`` | exactly the text |

**Words.** A word is a run of letters, digits and underscores; every other sign that is no space is a token of its own.
Combining marks, variation selectors and joiners stay with the sign before them, so that ``é`` written as two
characters, a Hindi vowel and a joined emoji are not torn from their letter. What is a letter or a mark is said by the
Unicode tables of the Python in use; those of Python 3.11 to 3.14 differ in characters added since 2021 only.

**Chunks.** Letters, digits (three at most) or other ASCII signs, each with the one space before it, and runs of spaces.
All that is not ASCII counts as a letter, so chunks are the same whatever Unicode tables a machine has. A chunk has at
most 24 letters; from U+0E00 on (Thai, Chinese, Japanese, Korean, also typographic quotes and emoji) at most 8, apart
from others, since many of these scripts write no spaces. The rule is that of GPT-2 (Radford et al. 2019), simplified.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import groupby

__all__ = ["MOST_BYTES", "chunks_in", "words_in"]

MOST_BYTES = 3 * 24 + 1  # of a chunk, in UTF-8

_CHUNK = re.compile(
    r" ?[A-Za-z\x80-\u0dff]{1,24}| ?[\u0e00-\U0010ffff]{1,8}| ?[0-9]{1,3}"
    r"| ?[^\sA-Za-z0-9\x80-\U0010ffff]{1,24}|\s{1,24}(?!\S)|\s{1,24}",
    re.ASCII,
)
_WORD = re.compile(r"\w+|[^\w\s]")
_JOINERS = "\u200c\u200d"  # within words of Persian and Indian scripts, and in emoji
_SELECTORS = "\U000e0100-\U000e01ef"


def words_in(text: str) -> list[str]:
    """The words and signs of a text, without its spaces.

    >>> words_in("Don't call 0800-100, OK?")
    ['Don', "'", 't', 'call', '0800', '-', '100', ',', 'OK', '?']
    """
    return (_WORD if text.isascii() else _word_with_marks()).findall(text)


def chunks_in(text: str) -> list[str]:
    r"""The chunks of a text: joined, they are the text.

    >>> chunks_in("It's  12345 €\n")
    ['It', "'", 's', ' ', ' 123', '45', ' €', '\n']
    """
    return _CHUNK.findall(text)


@cache
def _word_with_marks() -> re.Pattern[str]:
    """Compiled for the first text that is not ASCII: looking up the marks takes some ten milliseconds."""
    marks = [code for code in range(0x300, 0x20000) if unicodedata.category(chr(code)).startswith("M")]
    runs = [[code for _, code in run] for _, run in groupby(enumerate(marks), lambda each: each[1] - each[0])]
    attached = "".join(f"{chr(run[0])}-{chr(run[-1])}" for run in runs) + _JOINERS + _SELECTORS
    return re.compile(rf"\w[\w{attached}]*|[^\w\s][{attached}]*")
