"""n-grams: how likely each next character is after the few before it, by counting.

Interpolated, modified Kneser-Ney smoothing (Kneser & Ney 1995; Chen & Goodman 1998, section 3). With ``h`` the last
``m − 1`` characters, ``h'`` the same without the first, and ``c`` counts ::

    p_m(w | h) = (c(h w) − D_c) / c(h)  +  λ(h) · p_{m−1}(w | h'),        λ(h) = Σ_w D_c(h w) / c(h)

What the discounts ``D`` take from characters that were seen goes to the shorter context. ``p_0`` is the same for all
characters. Only the longest context counts how often a string occurs; for shorter ones, ``c(h w)`` is the number of
different characters before it: after "San", "Francisco" is no proof that "Francisco" follows other words. A context
that never occurred leaves all to the shorter one. The discounts are those of the paper, by the numbers ``n_k`` of
strings that occur ``k`` times: ``Y = n_1 / (n_1 + 2 n_2)``, ``D_k = k − (k + 1) Y n_{k+1} / n_k`` for ``k`` = 1, 2,
and 3 for all more.

``T`` characters (or other tokens) as numbers from 0 to ``V − 1``, ``n`` the order: an n-gram looks at ``n − 1`` before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.errors import DataError, SettingError

__all__ = ["MOST_ORDER", "NGrams", "learn_ngrams", "next_probabilities", "surprises"]

Array = NDArray[Any]
IntArray = NDArray[np.int64]

MOST_ORDER = 10
_HELD_OUT = 10  # the last tenth of the text chooses the order
_USUAL_DISCOUNT, _LEAST_DISCOUNT = 0.5, 0.05
_ENOUGH_TO_CHOOSE, _ORDER_OF_FEW = 100, 3  # characters


@dataclass(frozen=True)
class _Level:
    """What is known of strings of one length: which there are, and the two terms of the formula.

    A string is written as a number: the place of its context among those one shorter, times V, plus its last character.
    """

    strings: IntArray  # sorted
    shares: Array  # (c − D) / c(h) of each string
    left: Array  # λ of each context, which is a string one shorter

    def places(self, contexts: IntArray, last: IntArray, vocabulary: int) -> IntArray:
        """Where the strings stand among those known; −1 for those that never occurred, as for such contexts."""
        wanted = np.where(contexts < 0, -1, contexts * vocabulary + last)
        at = np.minimum(np.searchsorted(self.strings, wanted), len(self.strings) - 1)
        return np.where(self.strings[at] == wanted, at, -1)

    def mixed(self, contexts: IntArray, at: IntArray, shorter: Array) -> Array:
        """``p_m`` of strings at these places, from ``p_{m−1}``."""
        seen = np.where(at < 0, 0.0, self.shares[at])
        mixed: Array = seen + np.where(contexts < 0, 1.0, self.left[contexts]) * shorter
        return mixed


@dataclass(frozen=True)
class NGrams:
    """The counts of a text, as `learn_ngrams` found them."""

    vocabulary: int
    levels: tuple[_Level, ...]  # of strings of length 1, 2, …, n

    @property
    def order(self) -> int:
        """``n``: a character is predicted from the ``n − 1`` before."""
        return len(self.levels)


def learn_ngrams(text: Array, vocabulary: int, order: int | None = None) -> NGrams:
    """Count the strings of a text.

    Parameters
    ----------
    text
        ``[T]`` numbers from 0 to ``vocabulary − 1``.
    vocabulary
        How many different characters there can be.
    order
        The length of the longest strings; None for the one, up to 10, that predicts the last tenth of the text best
        from the rest.

    Raises
    ------
    DataError
        The text has fewer than two characters, or a number is out of range.
    SettingError
        The order is below 1, or longer than the text.

    >>> model = learn_ngrams(np.array([0, 1, 0, 1, 0]), 2, order=2)
    >>> next_probabilities(model, np.array([0])).tolist()  # after "a" came "b", twice
    [0.125, 0.875]
    """
    ids = _checked_text(text, vocabulary, "the text")
    if len(ids) < 2:
        raise DataError(f"n-grams need a text of two characters or more, got {len(ids)}: give a longer text")
    if order is not None and not 1 <= order <= len(ids):
        raise SettingError(f"the order must be from 1 to the {len(ids)} characters of the text, got {order}")
    longest = _best_order(ids, vocabulary) if order is None else int(order)
    tops, lowers = _levels(ids, vocabulary, longest)
    return NGrams(vocabulary, (*lowers[: longest - 1], tops[longest - 1]))


def surprises(model: NGrams, text: Array, before: Array | None = None) -> Array:
    """``−ln p`` of each character of a text given those before it, in nats, ``[T]``.

    Parameters
    ----------
    model
        From `learn_ngrams`.
    text
        ``[T]`` numbers from 0 to ``vocabulary − 1``.
    before
        What precedes the text, such as the training text that it continues; None for nothing.

    Raises
    ------
    DataError
        A number is out of range.

    >>> model = learn_ngrams(np.array([0, 1, 0, 1, 0]), 2, order=2)
    >>> surprises(model, np.array([1, 0]), before=np.array([0])).round(3).tolist()  # −ln 0.875 twice
    [0.134, 0.134]
    """
    ids = _checked_text(text, model.vocabulary, "the text")
    known = _checked_text(() if before is None else before, model.vocabulary, "what precedes the text")
    known = known[max(0, len(known) - model.order + 1) :]
    whole = np.concatenate([known, ids])
    p = np.full(len(whole), 1 / model.vocabulary)
    strings = np.zeros(len(whole) + 1, np.int64)  # of length 0, by where they begin
    for length, level in enumerate(model.levels, start=1):
        if length > len(whole):
            break
        contexts = strings[:-1]  # what begins at the same place, one shorter
        strings = level.places(contexts, whole[length - 1 :], model.vocabulary)
        p[length - 1 :] = level.mixed(contexts, strings, p[length - 1 :])
    nats: Array = -np.log(p[len(known) :])
    return nats


def next_probabilities(model: NGrams, context: Array) -> Array:
    """How likely each character is after these, ``[V]``; only the last ``n − 1`` count.

    >>> model = learn_ngrams(np.array([0, 1, 0, 1, 0]), 2, order=2)
    >>> next_probabilities(model, np.zeros(0, np.int64)).tolist()  # after how many different characters each came
    [0.5, 0.5]
    """
    ids = _checked_text(context, model.vocabulary, "the context")
    ids = ids[max(0, len(ids) - model.order + 1) :]
    every = np.arange(model.vocabulary)
    p = np.full(model.vocabulary, 1 / model.vocabulary)
    strings = np.zeros(len(ids) + 1, np.int64)
    for length, level in enumerate(model.levels, start=1):
        end = np.full(model.vocabulary, strings[-1])  # the string with which the context ends
        p = level.mixed(end, level.places(end, every, model.vocabulary), p)
        if length > len(ids):
            break
        strings = level.places(strings[:-1], ids[length - 1 :], model.vocabulary)
    return p


def _levels(ids: IntArray, vocabulary: int, order: int) -> tuple[list[_Level], list[_Level]]:
    """Of each length up to ``order``, by how often strings occur; and of each below, by what precedes them."""
    tops: list[_Level] = []
    lowers: list[_Level] = []
    known, strings = np.zeros(1, np.int64), np.zeros(len(ids) + 1, np.int64)  # of length 0
    contexts = 1
    for length in range(1, order + 1):
        written = strings[: len(ids) - length + 1] * vocabulary + ids[length - 1 :]
        longer, first, inverse, counts = np.unique(written, return_index=True, return_inverse=True, return_counts=True)
        if length > 1:
            # Each different string precedes, by its first character, what begins one later.
            preceded = np.bincount(strings[first + 1], minlength=len(known))
            lowers.append(_level(known, preceded, contexts, vocabulary))
        tops.append(_level(longer, counts, len(known), vocabulary))
        contexts, known, strings = len(known), longer, inverse
    return tops, lowers


def _level(strings: IntArray, counts: IntArray, contexts: int, vocabulary: int) -> _Level:
    context = strings // vocabulary
    taken = _discounts(counts)[np.minimum(counts, 3)]
    totals = np.bincount(context, weights=counts, minlength=contexts)
    passed_on = np.bincount(context, weights=taken, minlength=contexts)
    some = np.maximum(totals, 1)  # totals are whole numbers
    return _Level(strings, (counts - taken) / some[context], np.where(totals > 0, passed_on / some, 1.0))


def _discounts(counts: IntArray) -> Array:
    """What is taken from a string that occurs 0, 1, 2, and 3 or more times."""
    n = [int(np.count_nonzero(counts == k)) for k in range(5)]
    if not all(n[1:]):  # too few strings to tell
        return np.array([0.0, *[_USUAL_DISCOUNT] * 3])
    y = n[1] / (n[1] + 2 * n[2])
    return np.array([0.0, *(np.clip(k - (k + 1) * y * n[k + 1] / n[k], _LEAST_DISCOUNT, k) for k in (1, 2, 3))])


def _best_order(ids: IntArray, vocabulary: int) -> int:
    """The order that predicts the last tenth best."""
    if len(ids) < _ENOUGH_TO_CHOOSE:
        return min(_ORDER_OF_FEW, len(ids))
    learned = ids[: len(ids) - len(ids) // _HELD_OUT]
    tops, lowers = _levels(learned, vocabulary, MOST_ORDER)
    models = (NGrams(vocabulary, (*lowers[:length], top)) for length, top in enumerate(tops))
    losses = [float(surprises(model, ids[len(learned) :], learned).mean()) for model in models]
    return int(np.argmin(losses)) + 1


def _checked_text(given: ArrayLike, vocabulary: int, what: str) -> IntArray:
    ids = np.asarray(given)
    if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
        raise DataError(f"{what} must be one row of whole numbers, got {ids.dtype} of the shape {ids.shape}")
    if ids.size and not (ids.min() >= 0 and ids.max() < vocabulary):
        raise DataError(
            f"{what} must be numbers from 0 to {vocabulary - 1}, got {ids.min()} to {ids.max()}: make the vocabulary "
            "large enough, and give one number to all unknown characters"
        )
    return ids.astype(np.int64)
