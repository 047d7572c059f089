"""A text as its terms: words and pairs of words, or, of languages that write no spaces, pieces of up to three letters.

| units | of ``Call now!`` | of ``很好`` |
|---|---|---|
| words | ``call``, ``now``, ``call now`` | ``很好`` |
| characters | ``c``, ``a``, …, ``ca``, …, ``cal``, … | ``很``, ``好``, ``很好`` |

All letters are made small. A word is a run of letters, digits and underscores; other signs only divide. Runs of spaces
count as one sign among characters. These are the terms of scikit-learn's ``CountVectorizer`` with ``token_pattern``
`PATTERN`, or with ``analyzer="char"``; a test compares them. They are found here once more so that a prediction need
not load scikit-learn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Literal, get_args

from pellucid.data.columns.undivided import is_undivided

__all__ = ["PATTERN", "REACH", "UNITS", "Units", "terms_of", "units_of"]

Units = Literal["words", "characters"]
UNITS: tuple[str, ...] = get_args(Units)

PATTERN = r"(?u)\w+"
REACH: dict[str, tuple[int, int]] = {"words": (1, 2), "characters": (1, 3)}  # how many units a term has

_WORD = re.compile(PATTERN)
_SPACES = re.compile(r"\s\s+")


def units_of(texts: Iterable[str]) -> Units:
    """What divides these texts: words; characters where their script writes no spaces, or where there is no word.

    >>> units_of(["a good film"]), units_of(["很好的电影"]), units_of(["☺ ☺"])
    ('words', 'characters', 'characters')
    """
    said = list(texts)
    return "words" if any(map(_WORD.search, said)) and not is_undivided(said) else "characters"


def terms_of(text: str, units: Units) -> list[str]:
    """The terms of a text, each as often as it occurs.

    >>> terms_of("Call me, call me!", "words")
    ['call', 'me', 'call', 'me', 'call me', 'me call', 'call me']
    >>> terms_of("ab", "characters")
    ['a', 'b', 'ab']
    """
    if units == "words":
        words = _WORD.findall(text.lower())
        return [*words, *(f"{one} {other}" for one, other in pairwise(words))]
    signs = _SPACES.sub(" ", text.lower())
    return [signs[i : i + n] for n in range(1, REACH[units][1] + 1) for i in range(len(signs) - n + 1)]
