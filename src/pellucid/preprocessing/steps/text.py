"""Free text: one TF-IDF feature for each term that is kept, and one for a missing cell.

The terms of a text are its words and pairs of words, or runs of up to three characters (see `words`). A term t that
occurs c ≥ 1 times in a text, and in n_t of the N training texts, gets the weight

    v_t = (1 + ln c) · idf_t,    idf_t = 1 + ln((1 + N) / (1 + n_t))

and every text is scaled to length 1: its features are v / ‖v‖. A text without known terms is 0 everywhere, like a
missing one; where training rows were missing, a feature of its own marks missing cells.

**Which terms are kept**: of those in at least two training texts (one, if no term is in two), the ones with the
largest F · √n_t. F is the statistic that says how much a term's weight differs between the classes, or correlates with
the number to predict; the root prefers, of two such terms, the more frequent one. Without a target they are the most
frequent terms. At most 3,000, and fewer in long tables: the inputs of the network are held in memory,
[rows, features], and 100 million numbers are enough (400 MB).

Statistics and terms come from the training rows, of very long tables from as many of them as make 32 million
characters. The fitting is scikit-learn's (``TfidfVectorizer``, ``f_classif``, ``f_regression``); what it found is kept
as JSON, and applying it needs no scikit-learn.

Sources: Salton & Buckley 1988, "Term-weighting approaches in automatic text retrieval"; the formulas are those of
scikit-learn's ``TfidfTransformer(sublinear_tf=True)``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, cast

import numpy as np

from pellucid.errors import SettingError, nearest
from pellucid.preprocessing import checks
from pellucid.preprocessing.steps.words import PATTERN, REACH, UNITS, Units, terms_of, units_of
from pellucid.preprocessing.values import MISSING_TEXTS, FloatArray, IntArray, text_codes, text_of

__all__ = ["MAX_WORDS", "TextStep", "Words", "auto_words", "fit_text", "spread_rows"]

MAX_WORDS = 100_000
_USUAL = 3_000
_FEWEST = 50
_CELLS = 100_000_000  # rows × terms, 400 MB in float32
_CHARACTERS = 1 << 25  # of the texts that terms are counted in
_LONGEST = 100  # characters of a term: longer ones are links and codes
_LARGEST_IDF = 100.0  # 1 + ln(N) of any table is far below
_DIGITS = 6  # of the statistic that terms are ordered by, so that rounding decides nothing


@dataclass(frozen=True, kw_only=True, eq=False)
class Words:
    """How the terms of text columns are to be found.

    Parameters
    ----------
    most
        The most terms a column; ``None`` for `auto_words`.
    units
        ``auto``, ``words`` or ``characters``.
    target
        ``[training rows]`` what terms should tell: class numbers, or numbers; ``None`` keeps the most frequent.
    classes
        Whether the target is a class.

    Raises
    ------
    SettingError
        A setting out of range.
    """

    most: int | None = None
    units: str = "auto"
    target: FloatArray | IntArray | None = None
    classes: bool = False

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.most is not None and (type(self.most) is not int or not 1 <= self.most <= MAX_WORDS):
            raise SettingError(f"max_words must be a whole number from 1 to {MAX_WORDS:,}, got {self.most!r}")
        if self.units not in ("auto", *UNITS):
            raise SettingError(f"text_units {self.units!r} is not known{nearest(str(self.units), ('auto', *UNITS))}")


@dataclass(frozen=True, kw_only=True)
class TextStep:
    """How one column of free text becomes features.

    Parameters
    ----------
    name
        The column.
    units
        ``words`` (with pairs of words) or ``characters`` (one to three).
    terms
        The terms kept, the most telling first.
    idf
        The weight of each.
    indicator
        Whether a last feature tells that the cell was missing.
    """

    name: str
    units: Units
    terms: tuple[str, ...]
    idf: tuple[float, ...]
    indicator: bool = False

    kind: ClassVar[str] = "text"

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the features: ``message: "free"``, …."""
        named = tuple(f'{self.name}: "{term}"' for term in self.terms)
        return (*named, f"{self.name} is missing") if self.indicator else named

    def encode(self, column: Any, out: FloatArray) -> None:
        """Write the features of an Arrow column into ``out`` ``[rows, features]``, which holds zeros."""
        texts, codes = text_codes(column)
        found = [self.weights_of(text) for text in texts]
        for row, code in enumerate(codes.tolist()):
            weights = found[code] if code >= 0 else None
            if weights is None:
                if self.indicator:
                    out[row, -1] = 1.0
            elif weights:
                out[row, list(weights)] = list(weights.values())

    def encode_one(self, value: object) -> tuple[float, ...]:
        """The features of one value: the same numbers as `encode` gives."""
        text = text_of(value)
        weights = None if text is None else self.weights_of(text)
        row = [0.0] * len(self.features)
        if weights is None:
            if self.indicator:
                row[-1] = 1.0
        else:
            for place, weight in weights.items():
                row[place] = weight
        return tuple(row)

    def weights_of(self, text: str) -> dict[int, float] | None:
        """The features of a text that are not 0, by their place; ``None`` for a text that stands for a missing cell.

        >>> step = TextStep(name="note", units="words", terms=("free", "call now"), idf=(2.0, 1.5))
        >>> step.weights_of("FREE! Call now."), step.weights_of("no"), step.weights_of("n/a")
        ({0: 0.8, 1: 0.6}, {}, None)
        """
        if text in MISSING_TEXTS:
            return None
        places = self._places
        counts = Counter(places[term] for term in terms_of(text, self.units) if term in places)
        weights = {place: (1.0 + math.log(n)) * self.idf[place] for place, n in sorted(counts.items())}
        length = math.sqrt(math.fsum(weight * weight for weight in weights.values()))
        return {place: weight / length for place, weight in weights.items()}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {term: place for place, term in enumerate(self.terms)}

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        return {
            "kind": self.kind,
            "name": self.name,
            "units": self.units,
            "terms": list(self.terms),
            "idf": list(self.idf),
            "indicator": self.indicator,
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> TextStep:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        v = checks.fields(value, where, ("kind", "name", "units", "terms", "idf", "indicator"))
        terms = checks.listing(v["terms"], f"{where}.terms", MAX_WORDS)
        idf = checks.listing(v["idf"], f"{where}.idf", MAX_WORDS, length=len(terms))
        return cls(
            name=checks.text(v["name"], f"{where}.name"),
            units=cast(Units, checks.choice(v["units"], f"{where}.units", UNITS)),
            terms=checks.unique([checks.text(t, f"{where}.terms[{i}]") for i, t in enumerate(terms)], f"{where}.terms"),
            # 1 + ln((1 + N) / (1 + n)) is 1 at the least, so that no length is 0
            idf=tuple(checks.number(x, f"{where}.idf[{i}]", 1.0, _LARGEST_IDF) for i, x in enumerate(idf)),
            indicator=checks.flag(v["indicator"], f"{where}.indicator"),
        )


def auto_words(n_rows: int, n_columns: int = 1) -> int:
    """How many terms a text column keeps at most, for so many training rows and text columns.

    >>> auto_words(1_000), auto_words(100_000), auto_words(100_000, 2)
    (3000, 1000, 500)
    """
    return max(_FEWEST, min(_USUAL, _CELLS // (n_rows * n_columns)))


def fit_text(name: str, column: Any, words: Words | None = None, *, n_columns: int = 1) -> TextStep:
    """Find the terms of an Arrow column that holds the training rows only.

    Parameters
    ----------
    name
        The column's name.
    column
        ``[N]``, the Arrow column of the training rows.
    words
        How terms are found; ``None``: as `Words` says by default.
    n_columns
        How many columns of the table are text: together they keep to a limit of features.

    >>> import pyarrow as pa
    >>> notes = pa.array(["call now", "call me now", "see you", "see you soon", None])
    >>> step = fit_text("note", notes, Words(most=3, target=np.array([1, 1, 0, 0, 0]), classes=True))
    >>> step.features
    ('note: "call"', 'note: "now"', 'note: "see"', 'note is missing')
    """
    words = Words() if words is None else words
    texts, codes = text_codes(column)
    odd = np.array([text in MISSING_TEXTS for text in (*texts, "")])
    rows: IntArray = np.flatnonzero(~odd[codes])
    most = words.most or auto_words(len(codes), n_columns)
    rows = spread_rows(rows, np.array([len(text) for text in (*texts, "")])[codes[rows]])
    said = [texts[code] for code in codes[rows].tolist()]
    units = units_of(said) if words.units == "auto" else cast(Units, words.units)
    terms, idf = _chosen(said, units, None if words.target is None else words.target[rows], words.classes, most)
    return TextStep(name=name, units=units, terms=terms, idf=idf, indicator=bool(odd[codes].any()))


def spread_rows(rows: IntArray, lengths: IntArray) -> IntArray:
    """All rows, or as many spread over the table as hold the characters that are counted."""
    total = int(lengths.sum())
    if total <= _CHARACTERS:
        return rows
    return rows[:: -(-total // _CHARACTERS)]


def _chosen(
    texts: Sequence[str], units: Units, target: Any, classes: bool, most: int
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The terms kept, the most telling first, and their weights."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.feature_selection import f_classif, f_regression

    if not any(terms_of(text, units) for text in texts):
        return (), ()
    how = {"token_pattern": PATTERN} if units == "words" else {"analyzer": "char"}
    vectorizer = TfidfVectorizer(ngram_range=REACH[units], sublinear_tf=True, **how)
    weights = vectorizer.fit_transform(texts)  # [N, all terms], sparse
    held: IntArray = np.bincount(weights.indices, minlength=weights.shape[1])
    names = vectorizer.get_feature_names_out()
    short = np.array([len(name) <= _LONGEST for name in names])
    often = (held > 1) & short
    kept: IntArray = np.flatnonzero(often if often.any() else short)
    if not len(kept):
        return (), ()
    if target is None or len(np.unique(target)) < 2:
        worth = held[kept].astype(np.float64)
    else:
        with np.errstate(all="ignore"):  # a term that parts the classes exactly has an infinite F
            worth = (f_classif if classes else f_regression)(weights[:, kept], target)[0] * np.sqrt(held[kept])
    worth = np.array([float(f"{x:.{_DIGITS}g}") for x in np.nan_to_num(worth, nan=-1.0, posinf=np.finfo(float).max)])
    chosen = kept[np.lexsort((names[kept], -held[kept], -worth))[:most]]
    return tuple(str(name) for name in names[chosen]), tuple(vectorizer.idf_[chosen].tolist())
