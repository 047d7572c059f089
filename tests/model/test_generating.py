"""How tokens are drawn, and what a prompt may hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pellucid.errors import DataError, ModelFileError, SettingError
from pellucid.model.generating import Sampling
from pellucid.model.model import Model
from pellucid.network import rnn
from pellucid.network.initialise import initialise
from pellucid.network.task import Task
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.tokenizer import Tokenizer
from pellucid.preprocessing.steps.tokens import TokenStep

LOGITS = np.log(np.array([9.0, 9.0, 0.5, 0.3, 0.15, 0.05]))  # padding and unknown first


def model(tokenizer: Tokenizer) -> Model:
    network = rnn((8,), (6,), tokenizer.size, vocabulary=tokenizer.size, embedding=4, pool="none")
    weights = {name: 3 * array for name, array in initialise(network, 0).items()}
    return Model(
        network=network,
        task=Task.continuation(tokenizer.size),
        recipe=Recipe(steps=(TokenStep(name="text", tokenizer=tokenizer, length=8),)),
        scaler=None,
        parameters=weights,
        facts={"settings": {}, "schema": {}, "libraries": {}, "metrics": {}},
    )


LETTERS = model(Tokenizer(units="characters", vocabulary=("a", "b", "c", "\n")))
WORDS = model(Tokenizer(units="words", vocabulary=("call", "me", "now"), lower=True))
PAIRS = model(Tokenizer(units="byte-pairs", merges=((97, 98),)))


def drawn(sampling: Sampling, many: int = 4_000) -> Any:
    generator = np.random.default_rng(0)
    return np.bincount([sampling.draw(LOGITS, generator) for _ in range(many)], minlength=6) / many


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    shares = drawn(Sampling())
    assert not shares[:2].any()
    np.testing.assert_allclose(shares[2:], [0.5, 0.3, 0.15, 0.05], atol=0.03)  # 4 standard errors


def test_temperature_sharpens_and_flattens() -> None:
    squares = np.array([0.5, 0.3, 0.15, 0.05]) ** 2
    np.testing.assert_allclose(drawn(Sampling(temperature=0.5))[2:], squares / squares.sum(), atol=0.03)
    assert drawn(Sampling(temperature=1e9)).round(1)[2:].tolist() == pytest.approx([0.25] * 4, abs=0.06)
    assert drawn(Sampling(temperature=0), 5)[2] == 1
    assert drawn(Sampling(temperature=1e-300), 5)[2] == 1


def test_only_the_most_probable() -> None:
    np.testing.assert_allclose(drawn(Sampling(top_k=2))[2:], [0.625, 0.375, 0, 0], atol=0.04)
    np.testing.assert_allclose(drawn(Sampling(top_p=0.8))[2:], [0.625, 0.375, 0, 0], atol=0.04)
    assert drawn(Sampling(top_p=0.81))[4] > 0
    assert drawn(Sampling(top_p=0.01), 9)[2] == 1
    assert drawn(Sampling(top_k=99, top_p=1.0))[5] > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -0.1}, {"temperature": float("nan")}, {"temperature": float("inf")}, {"temperature": "warm"},
        {"top_k": 0}, {"top_k": 1.5}, {"top_p": 0}, {"top_p": 1.1},
    ],
)  # fmt: skip
def test_numbers_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        Sampling(**wrong)


def test_a_seed_gives_the_same_text_in_pieces() -> None:
    text = "".join(LETTERS.generate("ab", length=60, seed=3))
    assert len(text) == 60
    assert set(text) <= set("abc\n")
    assert text == "".join(LETTERS.generate("ab", length=60, seed=3))
    assert text.startswith("".join(LETTERS.generate("ab", length=20, seed=3)))
    assert text != "".join(LETTERS.generate("ab", length=60, seed=4))
    assert "".join(LETTERS.generate(length=9, temperature=0)) == "".join(
        LETTERS.generate("\n", length=9, temperature=0)
    )


def test_the_continuation_is_what_the_whole_network_makes_most_probable() -> None:
    text = "".join(LETTERS.generate("abc", length=5, temperature=0))
    ids = [2, 3, 4]
    for letter in text:
        row = np.zeros((1, 8), np.int64)
        row[0, : len(ids)] = ids
        logits = LETTERS.logits(row)[0, len(ids) - 1]
        assert letter == "abc\n"[int(logits[2:].argmax())]
        ids.append(2 + "abc\n".index(letter))


def test_words_and_byte_pairs() -> None:
    words = "".join(WORDS.generate("Call me", length=40))
    assert words.startswith(" ")
    assert set(words.split()) <= {"call", "me", "now"}
    assert len("".join(PAIRS.generate("née", length=30))) >= 30
    assert "".join(PAIRS.generate(length=5))


@pytest.mark.parametrize(
    ("of", "prompt", "said"),
    [
        (LETTERS, "abXcYX", "characters that the training text did not have: 'X', 'Y'; leave them out"),
        (WORDS, "call him now", "words that the training text did not have: 'him'"),
        (LETTERS, "stuvwxyz", "'s', 't', 'u', 'v', 'w' and 3 more"),
    ],
)
def test_unknown_tokens_of_a_prompt_are_named(of: Model, prompt: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        of.generate(prompt)


def test_what_cannot_be_generated() -> None:
    for wrong, said in (({"length": 0}, "length"), ({"seed": -1}, "seed"), ({"prompt": 3}, "prompt")):
        with pytest.raises(SettingError, match=said):
            LETTERS.generate(**wrong)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="continues texts and answers no rows"):
        LETTERS.predict([{"text": "ab"}])
    with pytest.raises(DataError, match="continues texts and answers no rows"):
        LETTERS.predict_proba({"text": ["ab"]})


def test_a_model_file_of_a_network_that_cannot_continue_is_refused(tmp_path: Any) -> None:
    LETTERS.save(tmp_path / "right.safetensors")
    text = "".join(LETTERS.generate("ab", length=20))
    assert "".join(Model.read(tmp_path / "right.safetensors").generate("ab", length=20)) == text
    size = LETTERS.task.outputs
    for network, task in (
        (rnn((8,), (6,), size, vocabulary=size, bidirectional=True, pool="none"), LETTERS.task),
        (rnn((8,), (6,), size, vocabulary=size), LETTERS.task),
        (LETTERS.network, Task.multiclass("x", tuple(range(size)))),
    ):
        wrong = replace(LETTERS, network=network, task=task, parameters=initialise(network, 0))
        with pytest.raises(ModelFileError, match=r"belong together|reads backwards"):
            wrong.save(tmp_path / "wrong.safetensors")
