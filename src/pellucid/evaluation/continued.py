"""How well a text is predicted: nats a token with their interval, beside n-grams, and the sentence on which to use.

The surprise of a token is −ln of the probability that it was given. Its mean is the cross-entropy, in nats a token;
e to it is the perplexity, the number of equally likely tokens that would be as hard to guess. Tokens that stand
together are surprising together, so intervals come from means of blocks of the text (Künsch 1989), not from tokens.

Legend: N tokens of the text that measures, in order.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.bootstrap import Estimate, no_interval
from pellucid.evaluation.peers.ngrams import learn_ngrams, surprises
from pellucid.evaluation.shares import student
from pellucid.evaluation.verdict import Peer, Verdict
from pellucid.numerals import numeral

__all__ = ["ALONE", "NGRAMS", "compared_with_ngrams", "mean_by_blocks", "single_tokens", "text_metrics"]

Array = NDArray[Any]

NGRAMS, ALONE = "n-grams", "single tokens"
_BLOCKS, _SMALLEST = 40, 20  # blocks, tokens in one
_FEWEST = 8
_MATTERS = 0.02  # nats a token


def mean_by_blocks(values: Array) -> Estimate:
    """The mean of numbers in the order of a text, with a 95 % interval from the means of up to 40 blocks.

    >>> found = mean_by_blocks(np.tile([1.0, 2.0, 3.0, 2.0], 200))
    >>> float(found), found.low == found.high == 2.0
    (2.0, True)
    """
    value = float(values.mean())
    many = min(_BLOCKS, len(values) // _SMALLEST)
    if many < _FEWEST:
        return no_interval(value, f"{len(values):,} tokens are too few")
    means = np.array([block.mean() for block in np.array_split(values, many)])
    reach = student(many - 1) * float(means.std(ddof=1)) / math.sqrt(many)
    return Estimate(value=value, low=value - reach, high=value + reach)


def text_metrics(nats: Array, right: Array, characters: int) -> dict[str, Estimate]:
    """The metrics of a text that was predicted.

    Parameters
    ----------
    nats
        The surprise of each token, ``[N]``.
    right
        Whether the token was the most probable one, ``[N]``.
    characters
        How many characters the N tokens stand for.
    """
    mean = mean_by_blocks(nats)
    share = len(nats) / max(1, characters)

    def of(change: Any) -> Estimate:
        return Estimate(value=change(mean.value), low=change(mean.low), high=change(mean.high), why=mean.why)

    return {
        "nats_per_token": mean,
        "bits_per_character": of(lambda value: value * share / math.log(2)),
        "perplexity": of(math.exp),
        "accuracy": mean_by_blocks(right.astype(np.float64)),
    }


def single_tokens(learned: Array, measured: Array, vocabulary: int) -> tuple[Array, Array]:
    """The surprise ``[N]`` of each token by how frequent it is, and whether it is the most frequent one.

    >>> nats, right = single_tokens(np.array([1, 1, 1, 2]), np.array([1, 2]), 3)
    >>> bool(nats[0] < nats[1]), right.tolist()
    (True, [True, False])
    """
    model = learn_ngrams(learned, vocabulary, 1)
    return surprises(model, measured), measured == np.bincount(learned).argmax()


def compared_with_ngrams(nats: Array, learned: Array, measured: Array, vocabulary: int, *, unit: str) -> Verdict:
    """The network beside n-grams on the same tokens; n-grams learn from all that comes before.

    Parameters
    ----------
    nats
        The network's surprise of each token, ``[N]``.
    learned
        The tokens before, from which n-grams learn, ``[L]``.
    measured
        The tokens themselves, ``[N]``.
    vocabulary
        How many different tokens there can be.
    unit
        What a token is: ``character``, ``word``, ``byte pair``.
    """
    peers, longest = [], 1
    for name, order in ((ALONE, 1), (NGRAMS, None)):
        began = time.perf_counter()
        model = learn_ngrams(learned, vocabulary, order)
        theirs = surprises(model, measured, learned)
        apart = mean_by_blocks(theirs - nats)
        peers.append(
            Peer(
                name=name,
                value=float(theirs.mean()),
                difference=apart.value,
                low=apart.low,
                high=apart.high,
                rows=len(learned),
                seconds=time.perf_counter() - began,
            )
        )
        longest = model.order
    sentence, winner = _sentence(float(nats.mean()), peers[1], longest, unit)
    return Verdict(
        sentence=sentence,
        winner=winner,
        metric=f"nats a {unit}",
        value=float(nats.mean()),
        rows=len(nats),
        peers=tuple(peers),
        notes=(f"the n-grams look at the {longest - 1} {unit}s before; they learned from all text before the test",),
    )


def _sentence(value: float, peer: Peer, order: int, unit: str) -> tuple[str, str | None]:
    """Which of the two to use, and the winner."""
    ours, theirs = (f"{each:.3f}" for each in (value, peer.value))
    both = f"the network needs {ours} nats a {unit}, counted {order}-grams {theirs}"
    if math.isnan(peer.low):
        return f"No verdict: {both}, on too few {unit}s to tell them apart.", None
    interval = f"95 % interval of the difference: {numeral(peer.low, 3)} to {numeral(peer.high, 3)}"
    match peer.outcome:
        case "network" if peer.difference >= _MATTERS:
            return f"The network is worth it: {both} ({interval}). Use the network.", "network"
        case "network":
            return (
                f"The network is hardly better: {both} ({interval}). Use the n-grams, which are learned in "
                f"{max(peer.seconds or 0, 0.1):.1f} s, unless every {unit} counts.",
                None,
            )
        case "peer":
            return f"The network is not worth it: {both} ({interval}). Use the n-grams.", NGRAMS
        case _:
            return (
                f"The network is not shown to be better: {both} ({interval}). Use the n-grams, which are simpler.",
                None,
            )
