"""How well a text is predicted, with intervals from blocks of it, and which of network and n-grams to use."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.evaluation.continued import (
    ALONE,
    NGRAMS,
    compared_with_ngrams,
    mean_by_blocks,
    single_tokens,
    text_metrics,
)
from pellucid.evaluation.peers.ngrams import learn_ngrams, surprises

TEXT = np.random.default_rng(0).integers(1, 5, 6_000)
LEARNED, MEASURED = TEXT[:5_000], TEXT[5_000:]


def test_the_interval_is_students_of_the_means_of_blocks() -> None:
    values = np.random.default_rng(1).normal(2.0, 1.0, 4_000)
    found = mean_by_blocks(values)
    means = values.reshape(40, 100).mean(axis=1)
    reach = 2.0227 * means.std(ddof=1) / np.sqrt(40)  # t of 39 degrees of freedom, from a table
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - reach, values.mean() + reach), abs=1e-4)


def test_tokens_that_are_hard_together_make_it_wider() -> None:
    alone = np.random.default_rng(1).normal(2.0, 1.0, 4_000)
    together = np.sort(alone.reshape(-1, 100), axis=0).ravel()  # the same numbers, alike ones beside each other
    narrow, wide = mean_by_blocks(alone), mean_by_blocks(together)
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_a_short_text_has_no_interval() -> None:
    found = mean_by_blocks(np.ones(50))
    assert np.isnan(found.low)
    assert "too few" in found.why


def test_metrics_by_hand() -> None:
    metrics = text_metrics(np.full(400, np.log(4)), np.arange(400) % 2 == 0, characters=800)
    assert metrics["nats_per_token"].value == pytest.approx(np.log(4))
    assert metrics["bits_per_character"].value == pytest.approx(1.0)  # 2 bits a token of two characters
    assert metrics["perplexity"].value == pytest.approx(4.0)
    assert metrics["accuracy"].value == 0.5


def test_single_tokens_are_known_by_how_frequent_they_are() -> None:
    nats, right = single_tokens(np.array([1] * 90 + [2] * 10), np.array([1, 2, 1]), 3)
    assert nats[0] == pytest.approx(-np.log(0.9), abs=0.02)
    assert nats[1] > 1.5
    assert right.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("better_by", "said", "winner"),
    [
        (0.3, "The network is worth it", "network"),
        (0.005, "hardly better", None),
        (-0.3, "not worth it", NGRAMS),
    ],
)
def test_the_sentence_says_which_to_use(better_by: float, said: str, winner: str | None) -> None:
    theirs = surprises(learn_ngrams(LEARNED, 5), MEASURED, LEARNED)
    verdict = compared_with_ngrams(theirs - better_by, LEARNED, MEASURED, 5, unit="character")
    assert said in verdict.sentence
    assert ("Use the network" in verdict.sentence) == (winner == "network")
    assert verdict.winner == winner
    assert [peer.name for peer in verdict.peers] == [ALONE, NGRAMS]
    assert verdict.peers[1].difference == pytest.approx(better_by)
    assert verdict.peers[1].value == pytest.approx(theirs.mean())


def test_a_tie_and_too_few() -> None:
    theirs = surprises(learn_ngrams(LEARNED, 5), MEASURED, LEARNED)
    noise = np.random.default_rng(3).normal(0, 1, len(theirs))
    tie = compared_with_ngrams(theirs + noise - noise.mean(), LEARNED, MEASURED, 5, unit="character")
    assert "not shown to be better" in tie.sentence
    assert "No verdict" in compared_with_ngrams(theirs[:30], LEARNED, MEASURED[:30], 5, unit="word").sentence
