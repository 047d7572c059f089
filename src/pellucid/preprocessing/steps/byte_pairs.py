"""Byte pairs: frequent runs of bytes become symbols, by merging the most frequent pair again and again.

Every chunk of a text (see `division`) is a list of bytes at first, the symbols 0 to 255. **Learning** counts the pairs
of neighbours in all chunks, makes the most frequent pair (a, b) a new symbol, writes it in place of a, b in all chunks
from left to right, and begins again. Of equally frequent pairs the one with the smaller numbers is taken, so that the
result is the same on every machine; a pair that occurs once only is never merged. **Encoding** a chunk merges, of the
pairs in it, the one that was learned first, until it holds no learned pair.

Symbol 256 + k is the k-th merge. Between merges only the chunks that hold the pair are counted again, and a heap knows
the most frequent one: learning takes time in proportion to the bytes of the *different* chunks, of which at most
half a million are looked at, those of the most frequent chunks.

Sources: Gage 1994, "A new algorithm for data compression"; Sennrich, Haddow & Birch 2016, "Neural machine translation
of rare words with subword units"; on bytes: Radford et al. 2019, "Language models are unsupervised multitask learners".
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

__all__ = ["BYTES", "Pair", "learned_pairs", "merged", "spelled"]

Pair = tuple[int, int]

BYTES = 256
_LEAST = 2  # times that a pair occurs
_MOST_BYTES = 1 << 19  # of the chunks that pairs are learned from


def learned_pairs(counts: Mapping[str, int], most: int, *, most_bytes: int = _MOST_BYTES) -> tuple[Pair, ...]:
    """At most ``most`` merges, in the order in which they are applied.

    Parameters
    ----------
    counts
        How often each chunk occurs.
    most
        The most merges.
    most_bytes
        The most bytes of chunks that are looked at, the most frequent chunks first.

    >>> learned_pairs({"aaab": 2, "ab": 1}, 2)  # aa occurs four times, then ab three times
    ((97, 97), (97, 98))
    """
    chunks, times = _most_frequent(counts, most_bytes)
    totals: defaultdict[Pair, int] = defaultdict(int)
    places: defaultdict[Pair, set[int]] = defaultdict(set)  # pair → the chunks that hold it, or held it once
    for place, symbols in enumerate(chunks):
        for pair in pairwise(symbols):
            totals[pair] += times[place]
            places[pair].add(place)
    # The heap may think that a pair is more frequent than it is, never less: what comes up is counted as of now.
    heap = [(-total, pair) for pair, total in totals.items()]
    heapq.heapify(heap)
    merges: list[Pair] = []
    while heap and len(merges) < most:
        thought, pair = heapq.heappop(heap)
        total = totals[pair]
        if total < _LEAST:
            continue
        if total != -thought:
            heapq.heappush(heap, (-total, pair))
            continue
        new = BYTES + len(merges)
        merges.append(pair)
        born: set[Pair] = set()
        for place in places.pop(pair):
            before = chunks[place]
            after = chunks[place] = _replaced(before, pair, new)
            for each in pairwise(before):
                totals[each] -= times[place]
            for each in pairwise(after):
                totals[each] += times[place]
                if new in each:
                    places[each].add(place)
                    born.add(each)
        for each in born:
            heapq.heappush(heap, (-totals[each], each))
    return tuple(merges)


def merged(chunk: bytes, ranks: Mapping[Pair, int]) -> list[int]:
    """The symbols of a chunk, by the place of each pair among the merges.

    >>> merged(b"aaab", {(97, 97): 0, (97, 98): 1})
    [256, 257]
    """
    symbols, none = list(chunk), len(ranks)
    found = [ranks.get(pair, none) for pair in pairwise(symbols)]
    while found and (rank := min(found)) < none:  # the leftmost of the pairs that were learned first
        at = found.index(rank)
        symbols[at : at + 2] = [BYTES + rank]
        del found[at]
        if at > 0:
            found[at - 1] = ranks.get((symbols[at - 1], symbols[at]), none)
        if at < len(found):
            found[at] = ranks.get((symbols[at], symbols[at + 1]), none)
    return symbols


def spelled(merges: Sequence[Pair]) -> tuple[bytes, ...]:
    """The bytes of every symbol: 256 single ones, and then those of the merges.

    >>> spelled([(97, 98), (256, 97)])[97:99], spelled([(97, 98), (256, 97)])[256:]
    ((b'a', b'b'), (b'ab', b'aba'))
    """
    found = [bytes([each]) for each in range(BYTES)]
    for left, right in merges:
        found.append(found[left] + found[right])
    return tuple(found)


def _most_frequent(counts: Mapping[str, int], most_bytes: int) -> tuple[list[list[int]], list[int]]:
    """The chunks as bytes, the most frequent first, and how often each occurs."""
    chunks: list[list[int]] = []
    times: list[int] = []
    n_bytes = 0
    for chunk, n in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        symbols = list(chunk.encode())
        n_bytes += len(symbols)
        if n_bytes > most_bytes:
            break
        chunks.append(symbols)
        times.append(n)
    return chunks, times


def _replaced(symbols: list[int], pair: Pair, new: int) -> list[int]:
    """The symbols with ``new`` in place of the pair, from left to right."""
    left, right = pair
    made: list[int] = []
    at, last = 0, len(symbols) - 1
    while at <= last:
        if symbols[at] == left and at < last and symbols[at + 1] == right:
            made.append(new)
            at += 2
        else:
            made.append(symbols[at])
            at += 1
    return made
