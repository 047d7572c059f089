"""Networks that read a row step by step: from a column of text to a trained network, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid import Settings
from pellucid.errors import SettingError
from pellucid.network.layers import GRU, LSTM, RNN, Embedding, SelfAttention
from pellucid.preparation.prepare import prepare
from pellucid.preprocessing.features import Features, Series, Tokens, rows_for

GOOD, BAD = "fine warm sunny bright", "grey cold rainy dark"
TABLE: dict[str, Any] = {
    "note": [
        f"the day {i} was {(GOOD if i % 2 else BAD).split()[i // 2 % 4]} and {'long' if i % 3 else 'short'} "
        f"for all of us here in town number {i * 7}"
        for i in range(120)
    ],
    "kind": ["good" if i % 2 else "bad" for i in range(120)],
}
KINDS = {"gru": GRU, "lstm": LSTM, "rnn": RNN, "transformer": SelfAttention}
SMALL = {"epochs": 2, "width": 8, "embedding": 8, "heads": 2, "verdict": False, "text": "note"}


@pytest.mark.parametrize("family", KINDS)
def test_text_is_read_token_by_token_and_predicted_again_from_the_file(family: str, tmp_path: Any) -> None:
    run = pellucid.train(TABLE, target="kind", network=family, out=tmp_path / "run", **SMALL)
    network = run.model.network
    assert network.dtype == "int64"
    assert isinstance(network.layers[0], Embedding)
    assert any(isinstance(leaf.layer, KINDS[family]) for leaf in network.leaves())
    asked = {"note": TABLE["note"][:5]}
    again = pellucid.load(tmp_path / "run").predict_proba(asked)
    np.testing.assert_allclose(again, run.predict_proba(asked), rtol=1e-12)
    one_by_one = [run.predict_proba({"note": [note]})[0] for note in asked["note"]]
    np.testing.assert_allclose(one_by_one, again, rtol=1e-5)  # a row does not depend on the others


def test_a_gru_learns_which_words_tell() -> None:
    run = pellucid.train(TABLE, target="kind", network="gru", learning_rate=0.02, **{**SMALL, "epochs": 15})
    assert run.metrics["accuracy"].value > 0.9


def test_sizes_are_taken_from_the_settings() -> None:
    settings = Settings(target="kind", network="lstm", width=6, depth=2, embedding=5, bidirectional=False, text="note")
    assert [layer.words() for layer in prepare(TABLE, settings).network.layers][1:4] == [
        "LSTM 5 → 6",
        "LSTM 6 → 6",
        "StepPool max",
    ]


def test_the_length_limits_what_is_read() -> None:
    prepared = prepare(TABLE, Settings(target="kind", network="gru", length=4, vocabulary=12, text="note"))
    assert prepared.network.shape == (4,)
    assert prepared.train.inputs.shape[1] == 4
    assert prepared.train.inputs.max() < 12
    assert prepared.train.inputs.dtype == np.int64


@pytest.mark.parametrize(
    ("table", "settings", "said"),
    [
        (
            {"x": [i * 0.37 % 1 for i in range(60)], "y": ["a", "b", "a"] * 20},
            {"target": "y", "network": "gru"},
            "has the column 'x'",
        ),
        (
            {**TABLE, "x": [i * 0.37 % 1 for i in range(120)]},
            {"target": "kind", "network": "lstm", "text": "note"},
            "beside 'note' the",
        ),
        ({**TABLE, "more": TABLE["note"][::-1]}, {"target": "kind", "network": "rnn"}, "there are 2, 'note', 'more'"),
        (TABLE, {"target": "kind", "text_units": "byte-pairs", "text": "note"}, "for networks that read tokens"),
        (TABLE, {"task": "reconstruction", "network": "gru", "drop": "kind", "text": "note"}, "is a reconstruction"),
    ],
)
def test_what_cannot_be_read_step_by_step_is_refused_with_a_remedy(table: Any, settings: Any, said: str) -> None:
    if "more" in table:
        settings = {**settings, "text": ("note", "more")}
    with pytest.raises(SettingError, match=said):
        prepare(table, Settings(**settings))


def test_the_rows_of_sequences_are_given_as_engines_take_them() -> None:
    tokens = Tokens.of_ids(np.array([[5, 7, 0], [3, 0, 0], [0, 0, 0]]))
    assert tokens.lengths.tolist() == [2, 1, 0]
    assert rows_for((3,), Features({"note": tokens})).tolist() == [[5, 7, 0], [3, 0, 0], [0, 0, 0]]
    series = Series(values=np.arange(12.0).reshape(2, 3, 2), lengths=np.array([3, 1]))
    given = rows_for((3, 2), Features({"series": series}))
    assert np.isnan(given[1, 1:]).all()
    np.testing.assert_array_equal(given[0], series.values[0])
    np.testing.assert_array_equal(given[1, 0], series.values[1, 0])
    np.testing.assert_array_equal(rows_for((3, 2), series.values.reshape(2, 6)), series.values)
