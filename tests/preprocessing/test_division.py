"""Texts are divided into chunks without a loss, and into words that divide in the same way once more."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.preprocessing.steps.division import MOST_BYTES, chunks_in, words_in

# Any character, and often one of those that a text is divided at or that stay with the sign before them.
ODD = "aZ09_ \t\n\r\x00\x1c\u00a0\u2003'.,!’…éßعا\u200f漢か\u0301\u093f\u200c\u200d\ufe0f👩🏽"
TEXTS = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(ODD)), max_size=60)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_chunks_are_the_text(text: str) -> None:
    chunks = chunks_in(text)
    assert "".join(chunks) == text
    assert all(0 < len(chunk.encode()) <= MOST_BYTES for chunk in chunks)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_words_are_the_text_without_spaces(text: str) -> None:
    words = words_in(text)
    assert "".join(words) == re.sub(r"\s", "", text)
    assert all(words)
    assert words_in(" ".join(words)) == words


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_marks_stay_with_what_is_before_them(text: str) -> None:
    marks = [word for word in words_in(text) if unicodedata.category(word[0]).startswith("M")]
    alone = re.findall(r"(?<!\S)\S", text)
    assert len(marks) <= sum(unicodedata.category(each).startswith("M") for each in alone)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, world!", ["Hello", ",", "world", "!"]),
        ("a_b c2\u00a0d", ["a_b", "c2", "d"]),
        ("cafe\u0301 noir", ["cafe\u0301", "noir"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("مرحبا، عالم", ["مرحبا", "،", "عالم"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("ok❤\ufe0f👩\u200d👧", ["ok", "❤\ufe0f", "👩\u200d", "👧"]),
        ("a\x00b", ["a", "\x00", "b"]),
        ("\u0301a", ["\u0301", "a"]),
        ("", []),
        (" \t\n", []),
    ],
)
def test_words_of_many_scripts(text: str, words: list[str]) -> None:
    assert words_in(text) == words


@pytest.mark.parametrize(
    ("text", "chunks"),
    [
        ("the  cat", ["the", " ", " cat"]),
        ("in 2024!!", ["in", " 202", "4", "!!"]),
        ("a\n\n  b", ["a", "\n\n ", " b"]),
        ("x ", ["x", " "]),
        ("\n\nx", ["\n", "\n", "x"]),
        ("naïve café", ["naïve", " café"]),
        ("don’t 很好", ["don", "’", "t", " 很好"]),
        ("漢" * 20, ["漢" * 8, "漢" * 8, "漢" * 4]),
        ("y" * 50, ["y" * 24, "y" * 24, "yy"]),
        ("", []),
    ],
)
def test_chunks_by_hand(text: str, chunks: list[str]) -> None:
    assert chunks_in(text) == chunks
