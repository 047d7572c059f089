"""Free text: the numbers are scikit-learn's, the step survives its JSON, and what is odd has its answer."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from pellucid.data.schema import infer_schema
from pellucid.data.tables import read_table
from pellucid.errors import ModelFileError, SettingError
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.text import TextStep, Words, fit_text
from pellucid.preprocessing.steps.words import PATTERN, REACH, terms_of
from pellucid.preprocessing.values import MISSING_TEXTS

SPAM = ["win a free prize now", "free entry, call now", "call to claim the prize", "win cash, call FREE"] * 5
HAM = ["see you at home", "are you at home?", "ok, see you later", "I am late, sorry"] * 5
LABELS = np.array([1] * len(SPAM) + [0] * len(HAM))

# Letters of several scripts, some that change their length when made small, combining signs, spaces of all kinds.
ALPHABET = st.sampled_from("aAbB09_ßİǅéÉе́漢字かナไทย한 \t\n\u00a0\u2003.,!'-😀\u0301")
TEXTS = st.lists(st.text(ALPHABET, min_size=1, max_size=30).map(str.strip), min_size=3, max_size=12)


def encoded(step: TextStep, texts: list[str | None]) -> np.ndarray[Any, Any]:
    out = np.zeros((len(texts), len(step.features)))
    step.encode(pa.array(texts, pa.string()).dictionary_encode(), out)
    return out


def scikit_learns(units: str, **how: Any) -> TfidfVectorizer:
    kind = {"token_pattern": PATTERN} if units == "words" else {"analyzer": "char"}
    return TfidfVectorizer(ngram_range=REACH[units], sublinear_tf=True, **kind, **how)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from(["words", "characters"]))
def test_the_numbers_are_scikit_learns(learned: list[str], asked: list[str], units: str) -> None:
    step = fit_text("t", pa.array(learned, pa.string()), Words(most=1000, units=units))
    if not step.terms:
        return
    learned = [text for text in learned if text not in MISSING_TEXTS]
    reference = scikit_learns(units, vocabulary=list(step.terms)).fit(learned)
    np.testing.assert_allclose(step.idf, reference.idf_, rtol=1e-12)
    kept = [text for text in asked if text not in MISSING_TEXTS]
    if kept:
        wanted = reference.transform(kept).toarray()
        np.testing.assert_allclose(encoded(step, kept)[:, : len(step.terms)], wanted, atol=1e-12)  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40), st.sampled_from(["words", "characters"]))
def test_the_terms_are_scikit_learns(text: str, units: Any) -> None:
    assert sorted(terms_of(text, units)) == sorted(scikit_learns(units).build_analyzer()(text))


def test_one_row_gets_the_same_numbers_as_a_column() -> None:
    step = fit_text("message", pa.array([*SPAM, *HAM, None]), Words(most=20))
    asked = ["Free prize!", "nothing known", None, "call call me", "NA", " see  you "]
    together = encoded(step, asked)
    for text, row in zip(asked, together, strict=True):
        assert step.encode_one(text) == tuple(row.tolist())
    assert together[2].tolist() == [0.0] * 20 + [1.0]
    assert together[4].tolist() == together[2].tolist()
    assert not together[1].any()


def test_the_words_that_tell_the_classes_apart_are_kept() -> None:
    texts = [*SPAM, *HAM]
    terms = fit_text("m", pa.array(texts), Words(most=4, target=LABELS, classes=True)).terms
    assert len(terms) == 4
    assert set(terms) < {"call", "free", "you", "home", "at", "at home", "see", "see you", "win", "prize", "now"}
    # A word that most texts hold, but that tells nothing, goes first only where there is no target.
    noisy = [f"the {text}" for text in texts]
    assert "the" not in fit_text("m", pa.array(noisy), Words(most=4, target=LABELS, classes=True)).terms
    assert fit_text("m", pa.array(noisy), Words(most=4)).terms[0] == "the"


def test_words_are_chosen_for_numbers_too() -> None:
    texts = ["cheap room", "cheap flat", "grand villa", "grand palace"] * 5
    prices = np.array([10.0, 12.0, 90.0, 95.0] * 5)
    assert set(fit_text("t", pa.array(texts), Words(most=2, target=prices)).terms) == {"cheap", "grand"}


@pytest.mark.parametrize(
    ("texts", "units"),
    [
        (["很好的电影", "不好的电影"] * 3, "characters"),
        (["とても良い映画", "つまらない映画"] * 3, "characters"),
        (["หนังดีมาก", "หนังไม่ดี"] * 3, "characters"),
        (["정말 좋은 영화", "나쁜 영화"] * 3, "words"),
        (["une bonne idée", "une autre"] * 3, "words"),
        (["☺ ☺", "☹"] * 3, "characters"),
    ],
)
def test_units_follow_the_script(texts: list[str], units: str) -> None:
    step = fit_text("t", pa.array(texts))
    assert step.units == units
    assert step.terms
    assert fit_text("t", pa.array(texts), Words(units="words")).units == "words"


def test_it_survives_its_json() -> None:
    step = fit_text("m", pa.array([*SPAM, *HAM, None]), Words(most=30, target=np.append(LABELS, 0), classes=True))
    back = TextStep.from_json(json.loads(json.dumps(step.to_json())), "step")
    assert back == step
    assert back.encode_one("free call") == step.encode_one("free call")


@pytest.mark.parametrize(
    "change",
    [
        {"units": "letters"},
        {"terms": ["a", "a"], "idf": [1.0, 1.0]},
        {"idf": [1.0]},
        {"idf": [0.0, 1.0]},
        {"idf": [1.0, 1e308]},
        {"terms": "ab"},
        {"terms": ["a", 3], "idf": [1.0, 1.0]},
        {"indicator": 1},
        {"terms": ["a", "\ud800"], "idf": [1.0, 1.0]},
        {"extra": 1},
    ],
)
def test_a_damaged_step_is_refused(change: dict[str, object]) -> None:
    whole = TextStep(name="t", units="words", terms=("a", "b"), idf=(1.0, 2.0)).to_json()
    TextStep.from_json(whole, "step")
    with pytest.raises(ModelFileError):
        TextStep.from_json({**whole, **change}, "step")


def test_long_tables_keep_fewer_words() -> None:
    column = pa.array([f"w{i} w{i + 1}" for i in range(400)])
    assert len(fit_text("t", column).terms) > 50
    assert len(fit_text("t", column, n_columns=10**6).terms) == 50


def test_words_beyond_all_length_are_left_out() -> None:
    step = fit_text("t", pa.array(["x" * 500 + " yes", "x" * 500 + " no"] * 3))
    assert "yes" in step.terms
    assert max(map(len, step.terms)) <= 100


@pytest.mark.parametrize("how", [{"most": 0}, {"most": True}, {"most": 10**6}, {"units": "letters"}])
def test_settings_out_of_range(how: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        Words(**how)


def test_a_recipe_with_text_and_numbers() -> None:
    table = read_table(
        {
            "m": [f"{t} {i}" for i, t in enumerate([*SPAM, *HAM])],
            "n": [0.5 * (i * i % 7) for i in range(40)],
            "y": LABELS,
        }
    )
    schema = infer_schema(table, target="y", text=["m"])
    rows = np.arange(40)
    recipe = Recipe.fit(table, schema, rows, words=Words(most=6, target=LABELS, classes=True))
    assert {column.name: column.kind for column in recipe.columns} == {"m": "text", "n": "numeric"}
    assert recipe.feature_names[0].startswith('m: "')
    inputs = recipe.transform(table, dtype=np.float64).flat
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    np.testing.assert_array_equal(again.transform(table, dtype=np.float64).flat, inputs)
    one = {name: table.column(name)[3].as_py() for name in ("m", "n")}
    np.testing.assert_array_equal(recipe.transform_row(one, dtype=np.float64), inputs[3])
    with pytest.raises(SettingError, match="words need a target"):
        Recipe.fit(table, schema, rows, words=Words(target=LABELS[:5], classes=True))


def test_applying_a_step_loads_no_scikit_learn() -> None:
    code = (
        "import sys\n"
        "from pellucid.preprocessing.steps.text import TextStep\n"
        "TextStep(name='t', units='words', terms=('a',), idf=(1.0,)).encode_one('a b')\n"
        "assert 'sklearn' not in sys.modules and 'scipy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
