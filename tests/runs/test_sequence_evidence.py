"""What is known of the texts of a run: lengths, unknown tokens, copies; and whether a network sees the future."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pellucid.network import Dense, Embedding, LayerNorm, Network, Transpose, rnn, transformer
from pellucid.network.initialise import initialise
from pellucid.preparation.prepare import Prepared, prepare
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.tokens import fit_tokens
from pellucid.preprocessing.steps.vocabulary import TokenSettings
from pellucid.runs.sequence_evidence import bare, future_leak, sequence_evidence
from pellucid.settings.settings import Settings

IDS = np.random.default_rng(0).integers(2, 9, (6, 10))
IDS[1, 7:] = IDS[4, 3:] = 0


def prepared_for(texts: list[str], length: int | None = None, test_data: Any = None, **settings: Any) -> Prepared:
    """Texts of two classes by turns, which become tokens of words."""
    data = {"text": texts, "label": [("bad", "good")[k % 2] for k in range(len(texts))]}
    prepared = prepare(
        data, Settings(**{"target": "label", "text": ["text"], "network": "mlp", **settings}), test_data=test_data
    )
    learned = prepared.table.take(prepared.split.train).column("text")
    step = fit_tokens("text", learned, TokenSettings(units="words", length=length))
    return replace(prepared, recipe=Recipe(steps=(step,)))


def texts_of_words(n: int, words: int = 6) -> list[str]:
    rng = np.random.default_rng(1)
    return [" ".join("abcdefghij"[w] * 3 for w in rng.integers(0, 10, words)) for _ in range(n)]


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_recurrent_layers_see_the_future_only_in_two_directions(cell: Any) -> None:
    for both in (False, True):
        network = rnn((10,), (4,), 9, cell=cell, vocabulary=9, embedding=3, bidirectional=both, pool="none")
        leak = future_leak(network, initialise(network, seed=0), IDS)
        assert leak is not None
        assert leak.rows == 6
        assert (leak.changed, leak.largest > 1e-3) == ((6, True) if both else (0, False))


@pytest.mark.parametrize("causal", [True, False])
def test_attention_sees_the_future_without_a_mask(causal: bool) -> None:
    network = transformer((10,), 8, 9, heads=2, depth=2, vocabulary=9, causal=causal, pool="none")
    leak = future_leak(network, initialise(network, seed=0), IDS)
    assert leak is not None
    assert (leak.changed == 0) == causal
    assert (leak.largest < 1e-5) == causal


def test_normalising_over_the_steps_shows_the_future() -> None:
    layers = [
        Embedding(vocabulary=9, width=4),
        Transpose(),
        LayerNorm(width=10),
        Transpose(),
        Dense(inputs=4, outputs=9),
    ]
    network = Network(shape=(10,), dtype="int64", layers=layers)
    full = np.random.default_rng(0).integers(2, 9, (6, 10))
    leak = future_leak(network, initialise(network, seed=0), full)
    assert leak is not None
    assert leak.changed > 0


def test_rows_of_one_token_say_nothing() -> None:
    network = rnn((4,), (3,), 5, vocabulary=5, pool="none")
    assert future_leak(network, initialise(network, seed=0), np.array([[4, 0, 0, 0], [0, 0, 0, 0]])) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("You WON all 500 pounds!", "you won all 123 pounds", True),
        ("You won all 500 pounds", "you won all 50 pounds", False),
        ("A  good\tfilm, really.", "a good film: really", True),
        ("a good film, really", "a dull film, really", False),
    ],
)
def test_near_copies_differ_in_case_spaces_signs_and_digits(one: str, other: str, same: bool) -> None:
    assert (bare(one) == bare(other)) == same
    assert bare("not a copy") is None


def test_copies_of_training_texts_are_found_by_row() -> None:
    texts = texts_of_words(100)
    prepared = prepared_for(texts)
    assert sequence_evidence(prepared, {}).copies == ()  # type: ignore[union-attr]
    split = prepared.split
    texts[split.test[0]] = texts[split.train[3]].upper() + "!"
    texts[split.validation[1]] = "  ".join(texts[split.train[5]].split())
    texts[split.test[1]] = "ok"
    texts[split.train[0]] = "Ok"
    found = sequence_evidence(prepared_for(texts), {})
    assert found is not None
    assert found.copies == (int(split.test[0]), int(split.validation[1]))
    assert found.unseen == len(split.test) + len(split.validation)


def test_lengths_and_unknown_tokens() -> None:
    texts = [*texts_of_words(80, 6), *texts_of_words(20, 30)]
    prepared = prepared_for(texts, length=10)
    found = sequence_evidence(prepared, {})
    assert found is not None
    assert (found.units, found.steps, found.what) == ("words", 10, "texts")
    assert sorted({*found.lengths.tolist()}) == [6, 30]
    assert found.cut == np.mean(prepared.split.train >= 80)
    assert found.future is None
    strange = {"text": ["never heard of such things"] * 20, "label": ["bad", "good"] * 10}
    unknown = sequence_evidence(prepared_for(texts, length=10, test_data=strange, validation=0.0), {})
    assert unknown is not None
    assert unknown.unknown == 1.0
    assert unknown.unknown_learned is not None
    assert unknown.unknown_learned < 0.1
    assert unknown.unseen == 20


def test_a_table_of_numbers_is_no_sequence() -> None:
    data = {"x": [float(k % 7) for k in range(60)], "label": ["a", "b"] * 30}
    assert sequence_evidence(prepare(data, Settings(target="label")), {}) is None
