"""A column of text as rows of tokens: filled up, cut, counted; empty and missing cells; JSON."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.errors import DataError, ModelFileError
from pellucid.preprocessing import TokenSettings, TokenStep
from pellucid.preprocessing.features import Features
from pellucid.preprocessing.steps.tokenizer import Tokenizer
from pellucid.preprocessing.steps.tokens import TokenCounts, fit_tokens

ALL_UNITS = ["characters", "words", "byte-pairs"]
STEP = TokenStep(name="note", tokenizer=Tokenizer(units="words", vocabulary=("call", "me", "!")), length=3)
CELLS = st.lists(st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["NA", " a ", "a b", "?"])), max_size=8)


def column(*cells: str | None) -> Any:
    return pa.array(cells, pa.string())


def test_rows_are_filled_up_and_cut_at_the_end() -> None:
    read = STEP.tokens(column("call me!", "me", "", None, "call call me me", "who?", "n/a"))
    assert read.values.tolist() == [[2, 3, 4], [3, 0, 0], [0, 0, 0], [0, 0, 0], [2, 2, 3], [1, 1, 0], [0, 0, 0]]
    assert read.lengths.tolist() == [3, 1, 0, 0, 3, 2, 0]
    assert read.values.dtype == np.int64
    assert STEP.features == ("note[0]", "note[1]", "note[2]")


def test_they_are_features() -> None:
    features = Features({"note": STEP.tokens(column("call me", None))})  # which checks them
    assert features.shape == (3,)
    assert features.flat.tolist() == [[2, 3, 0], [0, 0, 0]]
    assert {name: array.tolist() for name, array in features.batch(np.array([0])).items()} == {
        "note": [[2, 3, 0]],
        "note.lengths": [2],
    }


@pytest.mark.parametrize(
    "cells",
    [
        pa.array(["me", None, "me"]).dictionary_encode(),
        pa.chunked_array([["me"], [None, " me "]]),
        pa.chunked_array([pa.array(["me"]).dictionary_encode(), pa.array([None, "me"]).dictionary_encode()]),
        pa.array(["me", None, "me"], pa.large_string()),
    ],
)
def test_columns_of_every_type_of_text(cells: Any) -> None:
    assert STEP.tokens(cells).values.tolist() == [[3, 0, 0], [0, 0, 0], [3, 0, 0]]


def test_columns_without_rows_or_without_text() -> None:
    assert STEP.tokens(column()).values.shape == (0, 3)
    assert STEP.tokens(pa.nulls(2)).values.tolist() == [[0, 0, 0]] * 2
    assert STEP.counts(column()) == TokenCounts(rows=0, empty=0, cut=0, tokens=0, unknown=0, longest=0)
    numbers = TokenStep(name="n", tokenizer=Tokenizer(units="characters", vocabulary=("1", "2")), length=2)
    assert numbers.tokens(pa.array([12, None, 3])).values.tolist() == [[2, 3], [0, 0], [1, 0]]
    assert numbers.encode_one(12) == (2, 3)


@settings(max_examples=150, deadline=None)
@given(CELLS, CELLS, st.sampled_from(ALL_UNITS), st.integers(1, 6))
def test_one_row_gets_the_numbers_of_a_column(
    learned: list[str | None], asked: list[str | None], units: str, length: int
) -> None:
    step = fit_tokens("t", column(*learned, "x"), TokenSettings(units=units, length=length))
    assert 1 <= step.length <= length
    read = step.tokens(column(*asked))
    read.check("t")
    out = np.zeros((len(asked), step.length), dtype=np.float32)
    step.encode(column(*asked), out)
    np.testing.assert_array_equal(out, read.values)
    for cell, row, size in zip(asked, read.values.tolist(), read.lengths.tolist(), strict=True):
        assert step.encode_one(cell) == tuple(row)
        assert all(row[:size])
        assert not any(row[size:])


def test_the_length_is_that_of_the_longest_training_text_up_to_the_limit() -> None:
    texts = column("a b", "a b c d e", "a")
    assert fit_tokens("t", texts).length == 5
    assert fit_tokens("t", texts, TokenSettings(length=4)).length == 4
    assert fit_tokens("t", column("a" * 3), TokenSettings(units="characters")).length == 3
    long = column("ab " * 1000, "a")
    for units, limit in (("characters", 512), ("words", 256), ("byte-pairs", 256)):
        assert fit_tokens("t", long, TokenSettings(units=units)).length == limit
    # of the two, the one with fewer characters has more tokens
    assert fit_tokens("t", column("international", "a b c d"), TokenSettings(units="words")).length == 4


def test_what_is_cut_and_unknown_is_counted_and_said() -> None:
    cells = column("call me!", "call me now, please", "", None, "call me now, please", "me")
    counts = STEP.counts(cells)
    # five tokens in "call me now, please", three of them unknown
    assert counts == TokenCounts(rows=6, empty=2, cut=2, tokens=3 + 5 + 5 + 1, unknown=6, longest=5)
    note = STEP.cut_note(counts)
    assert note == "column 'note': 2 of 6 texts have more than 3 words and signs (up to 5) and are cut off there"
    assert STEP.cut_note(STEP.counts(column("call me!", None))) is None


@pytest.mark.parametrize("units", ["auto", *ALL_UNITS])
@pytest.mark.parametrize("cells", [[], [None], ["", None], [" ", "NA", "\n"]])
def test_a_column_without_any_text_is_refused(cells: list[str | None], units: str) -> None:
    with pytest.raises(DataError, match=f"'t' has no text to learn tokens from: all {len(cells)} .*leave the column"):
        fit_tokens("t", column(*cells), TokenSettings(units=units))


@pytest.mark.parametrize("units", ["auto", *ALL_UNITS])
def test_one_character_alone(units: str) -> None:
    step = fit_tokens("t", column("a", "a", None), TokenSettings(units=units))
    assert step.length == 1
    read = step.tokens(column("a", "b", "aa", None))
    assert read.lengths.tolist() == [1, 1, 1, 0]
    assert step.tokenizer.decode(read.values[0]) == "a"


def test_missing_cells_and_their_spellings_are_not_learned() -> None:
    step = fit_tokens("t", column("b", None, "NA", "null", "b"), TokenSettings(units="characters"))
    assert step.tokenizer.vocabulary == ("b",)


def test_very_long_tables_are_learned_from_some_of_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.preprocessing.steps.text._CHARACTERS", 4)
    step = fit_tokens("t", column("a", "b", "c", "d", "e", "f", "g", "h"), TokenSettings(units="characters"))
    assert step.tokenizer.vocabulary == ("a", "c", "e", "g")


@pytest.mark.parametrize("units", ALL_UNITS)
def test_it_survives_its_json_and_a_pickle(units: str) -> None:
    cells = column("the cat sat", "the mat\x00é😀", None)
    step = fit_tokens("a text", cells, TokenSettings(units=units))
    before = step.tokens(cells)
    for again in (
        TokenStep.from_json(json.loads(json.dumps(step.to_json())), "step"),
        pickle.loads(pickle.dumps(step)),
    ):
        assert again == step
        np.testing.assert_array_equal(again.tokens(cells).values, before.values)


@pytest.mark.parametrize(
    "change",
    [
        {"length": 0},
        {"length": 10**9},
        {"length": "3"},
        {"name": None},
        {"tokenizer": None},
        {"tokenizer": {"units": "words", "lower": True, "vocabulary": []}},
        {"extra": 1},
    ],
)
def test_a_damaged_step_is_refused(change: dict[str, object]) -> None:
    whole = STEP.to_json()
    assert TokenStep.from_json(whole, "step") == STEP
    with pytest.raises(ModelFileError, match="step"):
        TokenStep.from_json({**whole, **change}, "step")
    for key in whole:
        with pytest.raises(ModelFileError, match="step"):
            TokenStep.from_json({name: value for name, value in whole.items() if name != key}, "step")


def test_applying_a_step_loads_no_other_library() -> None:
    code = (
        "import sys\n"
        "import pyarrow as pa\n"
        "from pellucid.preprocessing.steps.tokens import fit_tokens\n"
        "fit_tokens('t', pa.array(['a b'])).encode_one('a')\n"
        "assert not {'sklearn', 'scipy', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
