"""n-grams: by hand, against a dictionary of strings, and as probabilities."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pellucid.errors import DataError, SettingError
from pellucid.evaluation.peers import ngrams as module
from pellucid.evaluation.peers.ngrams import learn_ngrams, next_probabilities, surprises


def text(length: int, vocabulary: int, seed: int) -> Any:
    """Numbers of which each depends on the two before."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.full(vocabulary, 0.3), size=(vocabulary, vocabulary))
    found = [0, 1]
    for _ in range(length - 2):
        found.append(int(rng.choice(vocabulary, p=chances[found[-2], found[-1]])))
    return np.array(found)


class Plain:
    """The formula with dictionaries of tuples, one string at a time."""

    def __init__(self, ids: Any, vocabulary: int, order: int) -> None:
        self.vocabulary, self.order = vocabulary, order
        ids = tuple(ids.tolist())
        strings = {m: [ids[i : i + m] for i in range(len(ids) - m + 1)] for m in range(1, order + 1)}
        self.counts = {order: Counter(strings[order])}
        for m in range(1, order):
            self.counts[m] = Counter(longer[1:] for longer in set(strings[m + 1]))
        self.discounts = {}
        for m, counts in self.counts.items():
            n = [list(counts.values()).count(k) for k in range(5)]
            if min(n[1:]) == 0:
                self.discounts[m] = [0, 0.5, 0.5, 0.5]
            else:
                y = n[1] / (n[1] + 2 * n[2])
                self.discounts[m] = [0, *(np.clip(k - (k + 1) * y * n[k + 1] / n[k], 0.05, k) for k in (1, 2, 3))]

    def probability(self, context: tuple[int, ...], word: int) -> float:
        if len(context) > self.order - 1:
            context = context[len(context) - self.order + 1 :]
        m = len(context) + 1
        shorter = self.probability(context[1:], word) if context else 1 / self.vocabulary
        counts = {w: self.counts[m][(*context, w)] for w in range(self.vocabulary)}
        total = sum(counts.values())
        if total == 0:
            return shorter
        taken = {w: self.discounts[m][min(count, 3)] for w, count in counts.items()}
        return (counts[word] - taken[word]) / total + sum(taken.values()) / total * shorter


def test_by_hand() -> None:
    """a b a b a: too few strings to estimate a discount, so it is ½.

    After a: b twice, (2 − ½)/2 + ¼·p(b); a never, ¼·p(a). Alone, a follows one character and b one:
    (1 − ½)/2 + ½·½ = ½ each.
    """
    model = learn_ngrams(np.array([0, 1, 0, 1, 0]), 2, order=2)
    np.testing.assert_allclose(next_probabilities(model, np.array([0])), [0.125, 0.875])
    np.testing.assert_allclose(next_probabilities(model, np.array([1, 1, 1])), [0.875, 0.125])
    # Of order 1, a counts 3 and b 2 of 5: (3 − ½)/5 + 1/5 · ½, and (2 − ½)/5 + 1/5 · ½.
    np.testing.assert_allclose(
        next_probabilities(learn_ngrams(np.array([0, 1, 0, 1, 0]), 2, 1), np.array([1])), [0.6, 0.4]
    )
    np.testing.assert_allclose(surprises(model, np.array([0, 1, 1])), -np.log([0.5, 0.875, 0.125]))


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize(("length", "vocabulary"), [(6, 3), (300, 4), (2000, 9)])
def test_probabilities_are_those_of_dictionaries(order: int, length: int, vocabulary: int) -> None:
    learned, asked = text(length, vocabulary, 0), np.random.default_rng(1).integers(0, vocabulary, 40)
    model, known = learn_ngrams(learned, vocabulary, order), Plain(learned, vocabulary, order)
    expected = [known.probability(tuple(asked[:t].tolist()), int(w)) for t, w in enumerate(asked)]
    np.testing.assert_allclose(np.exp(-surprises(model, asked)), expected, rtol=1e-10)
    whole = np.concatenate([learned, asked]).tolist()
    expected = [known.probability(tuple(whole[: length + t]), int(w)) for t, w in enumerate(asked)]
    np.testing.assert_allclose(np.exp(-surprises(model, asked, before=learned)), expected, rtol=1e-10)


def test_estimated_discounts_are_used_somewhere() -> None:
    """Else the comparison above would be of the usual ones alone."""
    known = Plain(text(2000, 9, 0), 9, 5)
    assert sum(found != [0, 0.5, 0.5, 0.5] for found in known.discounts.values()) >= 2


@pytest.mark.parametrize("order", [1, 2, 4, 8])
def test_probabilities_sum_to_one(order: int) -> None:
    model = learn_ngrams(text(500, 6, 3), 8, order)  # 6 and 7 never occur
    rng = np.random.default_rng(0)
    for length in range(10):
        context = rng.integers(0, 8, length)
        p = next_probabilities(model, context)
        assert p.min() > 0
        np.testing.assert_allclose(p.sum(), 1, rtol=1e-12)
        each = [surprises(model, np.array([w]), before=context)[0] for w in range(8)]
        np.testing.assert_allclose(np.exp(-np.array(each)), p, rtol=1e-12)


def test_the_order_is_that_of_the_text() -> None:
    """Each depends on the two before: three it is. Of random characters, none tells anything."""
    assert learn_ngrams(text(6000, 5, 0), 5).order == 3
    assert learn_ngrams(np.random.default_rng(0).integers(0, 5, 6000), 5).order == 1
    assert learn_ngrams(np.tile([0, 1, 2, 3, 1, 4], 200), 5).order >= 3
    assert learn_ngrams(np.array([0, 1]), 2).order == 2
    assert learn_ngrams(np.arange(50), 50).order == 3


def test_it_comes_close_to_what_is_known_of_the_text() -> None:
    """The entropy of the process is the least that any model can reach in the mean."""
    rng = np.random.default_rng(4)
    chances = rng.dirichlet(np.full(4, 0.5), size=4)
    ids = [0]
    for _ in range(20_000):
        ids.append(int(rng.choice(4, p=chances[ids[-1]])))
    learned, asked = np.array(ids[:18_000]), np.array(ids[18_000:])
    truth = -np.log([chances[a, b] for a, b in pairwise(ids[17_999:])]).mean()
    found = surprises(learn_ngrams(learned, 4), asked, learned).mean()
    assert abs(found - truth) < 0.01


def test_the_text_before_counts_and_is_not_scored() -> None:
    learned = text(800, 4, 5)
    model = learn_ngrams(learned, 4, 3)
    after = surprises(model, learned[400:420], before=learned[:400])
    np.testing.assert_allclose(after, surprises(model, learned[:420])[400:])
    assert len(after) == 20
    assert surprises(model, np.zeros(0, np.int64)).shape == (0,)
    assert surprises(model, np.array([1]), before=np.array([2])).shape == (1,)


@pytest.mark.parametrize(
    ("given", "vocabulary", "order", "error", "message"),
    [
        ([1], 3, None, DataError, r"text of two characters or more, got 1: give a longer text"),
        ([], 3, None, DataError, r"two characters or more, got 0"),
        ([0, 3], 3, None, DataError, r"numbers from 0 to 2, got 0 to 3: make the vocabulary large enough"),
        ([0, -1], 3, None, DataError, r"got -1 to 0"),
        ([0.5, 1.0], 3, None, DataError, r"one row of whole numbers, got float64 of the shape \(2,\)"),
        ([[0, 1]], 3, None, DataError, r"of the shape \(1, 2\)"),
        ([0, 1, 1], 3, 0, SettingError, r"order must be from 1 to the 3 characters of the text, got 0"),
        ([0, 1, 1], 3, 4, SettingError, r"got 4"),
    ],
)
def test_odd_texts_and_orders(given: Any, vocabulary: int, order: int | None, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        learn_ngrams(np.asarray(given), vocabulary, order)


def test_discounts_never_take_more_than_there_is() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        found = module._discounts(rng.integers(0, 6, rng.integers(1, 40)))
        assert found[0] == 0
        assert (found[1:] >= 0.05).all()
        assert (found <= [0, 1, 2, 3]).all()
