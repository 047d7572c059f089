"""Byte pairs: by hand on four words, and as the plain definition says on any chunks."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.preprocessing.steps.byte_pairs import learned_pairs, merged, spelled
from pellucid.preprocessing.steps.division import MOST_BYTES, chunks_in

# The words of Sennrich, Haddow & Birch 2016, and how often each occurs.
WORDS = {"low": 5, "lower": 2, "newest": 6, "widest": 3}

# Few letters, so that pairs recur, overlap and tie; some of two to four bytes that share their first ones.
CHUNKS = st.dictionaries(st.text("aab éèд漢漣😀", min_size=1, max_size=8), st.integers(1, 4), max_size=10)


def replaced(symbols: Sequence[int], pair: tuple[int, int], new: int) -> list[int]:
    made: list[int] = []
    for symbol in symbols:
        made.append(symbol)
        if tuple(made[-2:]) == pair:
            made[-2:] = [new]
    return made


def plain(counts: Mapping[str, int], most: int) -> list[tuple[int, int]]:
    """The definition: count all pairs of all chunks anew after each merge."""
    chunks = {chunk: list(chunk.encode()) for chunk in counts}
    merges: list[tuple[int, int]] = []
    while len(merges) < most:
        totals: Counter[tuple[int, int]] = Counter()
        for chunk, symbols in chunks.items():
            for pair in pairwise(symbols):
                totals[pair] += counts[chunk]
        frequent = [pair for pair, total in totals.items() if total > 1 and total == max(totals.values())]
        if not frequent:
            break
        merges.append(min(frequent))
        chunks = {chunk: replaced(symbols, merges[-1], 255 + len(merges)) for chunk, symbols in chunks.items()}
    return merges


def test_four_words_by_hand() -> None:
    merges = learned_pairs(WORDS, 100)
    # es and st occur 9 times, and (101, 115) is before (115, 116); then es+t 9 times; lo and ow 7 times, …;
    # in the end er and low+e occur twice, and nothing is left when each word is one symbol.
    made = [b"es", b"est", b"lo", b"low", b"ew", b"new", b"newest", b"dest", b"idest", b"widest", b"er", b"lower"]
    assert list(spelled(merges)[256:]) == made
    assert merges[:4] == ((101, 115), (256, 116), (108, 111), (258, 119))
    assert learned_pairs(WORDS, 3) == merges[:3]
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    assert merged(b"lowest", ranks) == [259, 257]  # low, est
    assert merged(b"slow", ranks) == [ord("s"), 259]
    assert merged(b"", ranks) == []


def test_repeated_letters_are_merged_from_the_left() -> None:
    # aaaaa: aa is there at four places; merged from the left it is X X a, then XX (once) and Xa (once) are left.
    assert learned_pairs({"aaaaa": 1}, 10) == ((97, 97),)
    assert merged(b"aaaaa", {(97, 97): 0}) == [256, 256, 97]
    # twice the same: XX and Xa occur twice; (256, 97) is before (256, 256), then X and Xa are left.
    assert learned_pairs({"aaaaa": 2}, 10) == ((97, 97), (256, 97), (256, 257))


@settings(max_examples=300, deadline=None)
@given(CHUNKS, st.integers(0, 30))
def test_the_merges_are_those_of_the_definition(counts: dict[str, int], most: int) -> None:
    assert list(learned_pairs(counts, most)) == plain(counts, most)


def test_the_merges_of_longer_texts_are_those_of_the_definition() -> None:
    draw = random.Random(3)
    text = " ".join("".join(draw.choices("abcde", k=draw.randint(1, 9))) for _ in range(400))
    counts = Counter(chunks_in(text))
    assert list(learned_pairs(counts, 150)) == plain(counts, 150)


@settings(max_examples=200, deadline=None)
@given(CHUNKS, st.text("aab éèд漢漣😀", max_size=12))
def test_a_chunk_is_encoded_by_the_merges_in_their_order(counts: dict[str, int], chunk: str) -> None:
    merges = learned_pairs(counts, 20)
    symbols = list(chunk.encode())
    for rank, pair in enumerate(merges):
        symbols = replaced(symbols, pair, 256 + rank)
    found = merged(chunk.encode(), {pair: rank for rank, pair in enumerate(merges)})
    assert found == symbols
    assert b"".join(spelled(merges)[symbol] for symbol in found) == chunk.encode()


def test_only_the_most_frequent_chunks_are_looked_at() -> None:
    counts = {"abab": 3, "cdcd": 2, "efef": 1}
    assert learned_pairs(counts, 2, most_bytes=8) == learned_pairs({"abab": 3, "cdcd": 2}, 2)
    assert learned_pairs(counts, 9, most_bytes=4) == learned_pairs({"abab": 3}, 9) != ()
    assert learned_pairs(counts, 9, most_bytes=3) == ()


def test_no_symbol_is_longer_than_a_chunk_may_be() -> None:
    counts = Counter(chunks_in("\u0e00" * 1000 + " " + "\u0dff" * 1000 + " " + "😀" * 1000))
    sizes = [len(symbol) for symbol in spelled(learned_pairs(counts, 500))]
    assert 70 < max(sizes) <= MOST_BYTES
