"""Texts become numbers and texts again, in the same way everywhere, whatever Unicode they hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.errors import DataError, ModelFileError, SettingError
from pellucid.preprocessing.steps.tokenizer import FIRST, PADDING, UNKNOWN, Tokenizer
from pellucid.preprocessing.steps.vocabulary import TokenSettings, fit_tokenizer

# Letters of several scripts, some that change their length when made small, marks, spaces, joined emoji, NUL.
ODD = "abcABC 09_'.,\t\n\x00\u00a0ßİΣéÉеनि漢字ไ한עא\u200f\u0301\u200d\ufe0f😀👩🏽"
TEXTS = st.text(st.one_of(st.sampled_from(ODD), st.characters(codec="utf-8")), max_size=40)
ALL_UNITS = ["characters", "words", "byte-pairs"]
TEXT = "the cat sat on the mat, the rat sat on the cat."


def fitted(units: str, *texts: str, **how: Any) -> Tokenizer:
    return fit_tokenizer(texts, TokenSettings(units=units, **how))


def through_json(tokenizer: Tokenizer) -> Tokenizer:
    return Tokenizer.from_json(json.loads(json.dumps(tokenizer.to_json())), "tokenizer")


# ── there and back ──


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6), TEXTS)
def test_byte_pairs_decode_to_the_very_text(learned: list[str], asked: str) -> None:
    tokenizer = fitted("byte-pairs", *learned, "x", most=300)
    for text in (*learned, asked):
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        assert np.all((ids >= FIRST) & (ids < tokenizer.size))  # nothing is unknown
        assert len(ids) <= len(text.encode())


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6), TEXTS)
def test_characters_decode_to_the_text_with_unknown_ones_marked(learned: list[str], asked: str) -> None:
    tokenizer = fitted("characters", *learned, "x")
    for text in learned:
        assert tokenizer.decode(tokenizer.encode(text)) == text
    known = {*"x".join(learned), "x"}
    assert tokenizer.decode(tokenizer.encode(asked)) == "".join(c if c in known else "\ufffd" for c in asked)
    np.testing.assert_array_equal(tokenizer.encode(asked) == UNKNOWN, [c not in known for c in asked])


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.booleans())
def test_words_decode_to_a_text_of_the_same_words(text: str, lower: bool) -> None:
    tokenizer = fitted("words", text, text, "x", lower=lower)
    ids = tokenizer.encode(text)
    said = tokenizer.decode(ids)
    assert tokenizer.encode(said).tolist() == ids.tolist()
    assert said.split() == said.split(" ") or not ids.size
    assert "".join(said.split()) == "".join((text.lower() if lower else text).split())


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4), st.sampled_from(ALL_UNITS), st.booleans(), st.integers(0, 12))
def test_json_limits_and_company_change_nothing(texts: list[str], units: str, lower: bool, most: int) -> None:
    tokenizer = fitted(units, *texts, "x", lower=lower, most=280)
    again = through_json(tokenizer)
    assert again == tokenizer
    alone = [tokenizer.encode(text) for text in texts]
    for one, other, short in zip(alone, again.encode_each(texts), again.encode_each(texts, most), strict=True):
        assert one.dtype == np.int64
        assert other.tolist() == one.tolist()
        assert short.tolist() == one[:most].tolist()
        assert PADDING not in one


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 299), max_size=30), st.sampled_from(ALL_UNITS))
def test_any_ids_are_a_text_and_a_stream_gives_the_same(ids: list[int], units: str) -> None:
    tokenizer = fitted(units, *(TEXT, "é漢😀") * 2, most=300)
    ids = [token % tokenizer.size for token in ids]
    said = tokenizer.decode(np.array(ids, dtype=np.int64))
    said.encode()  # no half characters
    assert "".join(tokenizer.stream(iter(ids))) == said
    assert tokenizer.decode([0, *ids, 0, 0]) == said  # padding is nothing


def test_a_stream_gives_characters_when_they_are_whole() -> None:
    tokenizer = Tokenizer(units="byte-pairs")
    a, b, c, d = (FIRST + byte for byte in "😀".encode())
    assert list(tokenizer.stream([a, b, c, d])) == ["", "", "", "😀", ""]
    assert tokenizer.decode([a, b]) == "\ufffd"
    assert tokenizer.decode([a, b, UNKNOWN, FIRST + 97]) == "\ufffd\ufffda"
    pieces = tokenizer.stream(iter([FIRST + 104, FIRST + 105]))
    assert next(pieces) == "h"


# ── what is learned ──


def test_characters_by_hand() -> None:
    tokenizer = fitted("characters", "banana", "ban", "\x00")
    assert tokenizer.vocabulary == ("a", "n", "b", "\x00")  # 4, 3, 2, 1
    assert tokenizer.encode("nab\x00é😀").tolist() == [3, 2, 4, 5, 1, 1]
    assert tokenizer.size == 6
    assert fitted("characters", "banana", most=4).vocabulary == ("a", "n")
    assert fitted("characters", "bac").vocabulary == ("a", "b", "c")  # equals by code point
    assert fitted("characters", "Aa", lower=True).vocabulary == ("a",)


def test_words_by_hand() -> None:
    tokenizer = fitted("words", "The cat, the mat", "a cat, THE end")
    assert tokenizer.vocabulary == ("the", ",", "cat")  # three times, twice, twice; the others once
    assert tokenizer.encode("The dog,cat").tolist() == [2, 1, 3, 4]
    assert tokenizer.decode([2, 1, 3, 4]) == "the \ufffd , cat"
    assert fitted("words", "one two").vocabulary == ("one", "two")  # no word is there twice
    assert fitted("words", "A a A", lower=False).vocabulary == ("A",)
    assert fitted("words", "b " * 3 + "c c " + "x" * 200 + " " + "x" * 200).vocabulary == ("b", "c")
    assert fitted("words", "x" * 200).vocabulary == ("x" * 200,)


def test_byte_pairs_by_hand() -> None:
    tokenizer = fitted("byte-pairs", "low low low")
    # chunks: low once, " low" twice; lo and ow occur 3 times, " l" twice; then low 3 times, then " "+low twice
    assert [tokenizer.shown(token) for token in range(FIRST + 256, tokenizer.size)] == ["lo", "low", " low"]
    assert tokenizer.encode("low lows").tolist() == [259, 260, FIRST + ord("s")]
    assert fitted("byte-pairs", "low low low", most=259).merges == ((108, 111),)
    assert fitted("byte-pairs", "low low low", most=258).merges == ()


@pytest.mark.parametrize(
    ("texts", "units"),
    [
        (["a good film"], "words"),
        (["很好的电影", "不好的电影"], "characters"),
        (["หนังดีมาก"], "characters"),
        (["정말 좋은 영화"], "words"),
        (["☺"], "characters"),
    ],
)
def test_the_script_decides_where_nobody_does(texts: list[str], units: str) -> None:
    tokenizer = fit_tokenizer(texts)
    assert tokenizer.units == units
    assert tokenizer.lower == (units == "words")


@pytest.mark.parametrize("units", ALL_UNITS)
def test_order_and_hash_seed_of_the_texts_do_not_matter(units: str) -> None:
    texts = ["one two two", "three one three", "four, four", "zwei é漢 é漢"]
    kept = json.dumps(fitted(units, *texts).to_json())
    assert json.dumps(fitted(units, *reversed(texts)).to_json()) == kept
    code = (
        "import json\n"
        "from pellucid.preprocessing.steps.vocabulary import TokenSettings, fit_tokenizer\n"
        f"print(json.dumps(fit_tokenizer({texts!a}, TokenSettings(units={units!r})).to_json()))\n"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-X", "utf8", "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.stdout.strip() == kept


@pytest.mark.parametrize("units", ALL_UNITS)
def test_texts_without_a_token_are_refused(units: str) -> None:
    for texts in ([], [""], ["", ""]):
        with pytest.raises(DataError, match="no text to learn tokens from"):
            fitted(units, *texts)


def test_spaces_are_no_words() -> None:
    with pytest.raises(DataError, match="no text to learn tokens from"):
        fitted("words", " ", "\n\t")
    assert fitted("characters", " ").vocabulary == (" ",)


@pytest.mark.parametrize("units", ALL_UNITS)
def test_one_character_alone_is_a_vocabulary(units: str) -> None:
    tokenizer = fitted(units, "a")
    (token,) = tokenizer.encode("a").tolist()
    assert tokenizer.decode([token]) == "a"
    assert tokenizer.encode("").tolist() == []
    assert tokenizer.decode([]) == ""


# ── what is odd ──


def test_no_normal_form_is_applied() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    for units in ALL_UNITS:
        tokenizer = fitted(units, *(composed, decomposed) * 2)
        assert tokenizer.encode(composed).tolist() != tokenizer.encode(decomposed).tolist()
        assert tokenizer.decode(tokenizer.encode(decomposed)) == decomposed


@pytest.mark.parametrize("units", ALL_UNITS)
def test_half_of_a_surrogate_pair_becomes_a_replacement_character(units: str) -> None:
    tokenizer = fitted(units, "a\ud800 a\ud800", "\udfff")
    assert tokenizer.decode(tokenizer.encode("a\ud800")).replace(" ", "") == "a\ufffd"
    assert through_json(tokenizer) == tokenizer
    assert fitted("characters", "a").encode("\udc00a").tolist() == [UNKNOWN, FIRST]


@pytest.mark.parametrize("token", [-1, 4, 10**12])
def test_ids_that_are_not_there_are_refused(token: int) -> None:
    tokenizer = Tokenizer(units="characters", vocabulary=("a", "b"))
    for give in (lambda: tokenizer.decode([2, token]), lambda: tokenizer.shown(token)):
        with pytest.raises(DataError, match="from 0 to 3, got"):
            give()


def test_a_long_text_without_spaces_takes_no_longer_than_others() -> None:
    tokenizer = fitted("byte-pairs", "ab" * 50_000)
    ids = tokenizer.encode("ab" * 100_000)
    assert tokenizer.decode(ids) == "ab" * 100_000
    assert len(ids) == -(-200_000 // 24)  # a chunk of 24 characters is one token; the last is of 8


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"units": "letters"}, "not known"),
        ({"units": "bytepairs"}, "did you mean 'byte-pairs'"),
        ({"units": "words", "most": 2}, "from 3 to 100,000"),
        ({"units": "byte-pairs", "most": 257}, "from 258 to 100,000.*256 bytes"),
        ({"most": 10**6}, "from 3 to"),
        ({"most": True}, "got True"),
        ({"length": 0}, "from 1 to 100,000, got 0"),
        ({"length": 2.0}, "got 2.0"),
        ({"lower": 1}, "true, false"),
    ],
)
def test_settings_out_of_range(how: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        TokenSettings(**how)


WORDS = Tokenizer(units="words", vocabulary=("a", "b")).to_json()
CHARACTERS = Tokenizer(units="characters", vocabulary=("a", "b")).to_json()
PAIRS = Tokenizer(units="byte-pairs", merges=((97, 98), (256, 99))).to_json()
DOUBLING = [[97, 97], *([256 + i, 256 + i] for i in range(40))]  # 2 bytes, 4, 8, … 2 TB


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        [],
        "words",
        {},
        {**WORDS, "units": "letters"},
        {**WORDS, "units": "byte-pairs"},
        {**WORDS, "units": ["words"]},
        {**WORDS, "merges": []},
        {**WORDS, "lower": 0},
        {**WORDS, "vocabulary": []},
        {**WORDS, "vocabulary": "ab"},
        {**WORDS, "vocabulary": ["a", "a"]},
        {**WORDS, "vocabulary": ["a", ""]},
        {**WORDS, "vocabulary": ["a", 3]},
        {**WORDS, "vocabulary": ["a", None]},
        {**WORDS, "vocabulary": ["a", "\ud800"]},
        {**WORDS, "vocabulary": [str(i) for i in range(100_000)]},
        {**CHARACTERS, "vocabulary": ["a", "bc"]},
        {**PAIRS, "merges": {}},
        {**PAIRS, "merges": [[97, 98], [97, 98]]},
        {**PAIRS, "merges": [[97, 98, 99]]},
        {**PAIRS, "merges": [[97]]},
        {**PAIRS, "merges": [97]},
        {**PAIRS, "merges": [[97, -1]]},
        {**PAIRS, "merges": [[97, 256]]},
        {**PAIRS, "merges": [[97, 98.0]]},
        {**PAIRS, "merges": [[97, True]]},
        {**PAIRS, "merges": [[97, 98], [97, 257]]},
        {**PAIRS, "merges": DOUBLING},
    ],
)
def test_a_damaged_tokenizer_is_refused(damaged: object) -> None:
    for whole in (WORDS, CHARACTERS, PAIRS):
        assert Tokenizer.from_json(whole, "tokenizer").to_json() == whole
    with pytest.raises(ModelFileError, match="tokenizer"):
        Tokenizer.from_json(damaged, "tokenizer")
