"""The arithmetic of embeddings, positions, attention and layers on each step: it adds up, with every parameter once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pellucid.explanation import RowTrace, trace_row
from pellucid.explanation.words import NamedStep, named_steps, words_of
from pellucid.explanation.words.embedding import EmbeddingWords
from pellucid.explanation.words.self_attention import SelfAttentionWords
from pellucid.explanation.words.values import Derivatives, Equation, Note, Sum
from pellucid.network import (
    Activation,
    Dense,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    Network,
    Positions,
    Residual,
    SelfAttention,
    Transpose,
)
from pellucid.network.task import Loss
from tests.arithmetic import assert_holds
from tests.parity.cases import make_parameters

T, D = 5, 4
TOKENS = np.array([3, 1, 4, 1, 0])
BODY: tuple[Layer, ...] = (
    Positions(steps=T, width=D, learned=True),
    Residual(block=(LayerNorm(width=D), SelfAttention(width=D, heads=2, causal=True))),
    Residual(block=(LayerNorm(width=D), Dense(inputs=D, outputs=6), Activation(function="gelu"),
                    Dense(inputs=6, outputs=D))),
    SelfAttention(width=D, heads=1),
    LayerNorm(width=D),
    Transpose(),
    Transpose(),
    Positions(steps=T, width=D),
    Flatten(),
    Dense(inputs=T * D, outputs=2),
)  # fmt: skip


def traced() -> tuple[RowTrace, tuple[NamedStep, ...]]:
    network = Network(shape=(T,), dtype="int64", layers=(Embedding(vocabulary=6, width=D), *BODY))
    found = trace_row(network, make_parameters(network), TOKENS, loss=Loss(name="mse"), target=np.array([[-1.0, 1.0]]))
    return found, named_steps(found, [f"token {t}" for t in range(T)], ["y", "z"])


def every(steps: tuple[NamedStep, ...]) -> Iterator[NamedStep]:
    for step in steps:
        yield step
        yield from every(step.inner)


def check(steps: tuple[NamedStep, ...]) -> None:
    for step in every(steps):
        words, work = words_of(step.work.layer), step.work
        assert len(step.names_out) == len(work.outputs)
        for k in range(len(work.outputs)):
            ends_in(words.forward(step, k), float(work.outputs[k]))
        for k in range(len(work.inputs)):
            ends_in(words.backward(step, k), float(step.d_inputs[k]))
        if not step.inner:
            every_parameter_once(step)


def ends_in(parts: Any, result: float) -> None:
    for part in parts:
        assert_holds(part)
    numbers = [part for part in parts if isinstance(part, Equation | Sum)]
    assert not numbers or numbers[-1].result == pytest.approx(result, abs=1e-12)


def every_parameter_once(step: NamedStep) -> None:
    words, told = words_of(step.work.layer), []
    for k in words.owners(step):
        for part in words.derivatives(step, k):
            assert_holds(part)
            if isinstance(part, Derivatives):
                told += [row.gradient for row in (*part.weights(), *part.own)]
    arrays = [array.ravel() for array in step.work.gradients.values()]
    if isinstance(step.work.layer, Embedding):
        arrays = [step.work.gradients["weight"][[1, 3, 4]].ravel()]
    wanted = np.concatenate(arrays) if arrays else np.zeros(0)
    np.testing.assert_allclose(np.sort(told), np.sort(wanted), rtol=1e-9, atol=1e-12)


def test_whatever_is_shown_adds_up() -> None:
    found, steps = traced()
    assert found.agreement.logits is not None
    assert found.agreement.gradients is not None
    assert max(found.agreement.logits, found.agreement.gradients) < 1e-12
    check(steps)


def test_units_are_named_by_step() -> None:
    _, steps = traced()
    assert steps[0].names_out[D + 1] == "unit 1.2 at step 1"
    assert steps[2].names_out[D + 1] == "unit 2.2 at step 1"
    assert steps[2].inner[1].names_out[D] == "unit 2.1.1 at step 1"
    assert steps[6].names_out[1] == "unit 4.1 at step 1"
    assert steps[7].names_out[1] == "unit 4.2 at step 0"
    assert list(steps[-1].names_out) == ["y", "z"]


def test_padding_and_repeated_tokens_are_said() -> None:
    _, steps = traced()
    words = EmbeddingWords()
    (note,) = words.forward(steps[0], 4 * D)
    assert isinstance(note, Note)
    assert "padding" in note.text
    (part,) = words.derivatives(steps[0], D)
    assert isinstance(part, Derivatives)
    assert "the 2 steps with this token" in part.caption


def test_a_causal_head_names_no_later_step() -> None:
    _, steps = traced()
    parts = SelfAttentionWords().forward(steps[2].inner[1], D)  # of step 1
    weighted = next(part for part in parts if isinstance(part, Sum) and part.symbol == "c")
    assert list(weighted.names) == ["at step 0", "at step 1"]


@pytest.mark.parametrize("way", ["forward", "backward", "derivatives"])
def test_a_number_that_is_not_the_networks_is_seen(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = getattr(SelfAttentionWords, way)

    def wrong(self: Any, step: NamedStep, k: int) -> Any:
        return [
            replace(part, factors=(part.factors[0] + 0.1, *part.factors[1:])) if isinstance(part, Sum)
            else replace(part, gradients=part.gradients * 2) if isinstance(part, Derivatives) else part
            for part in right(self, step, k)
        ]  # fmt: skip

    monkeypatch.setattr(SelfAttentionWords, way, wrong)
    _, steps = traced()
    with pytest.raises(AssertionError):
        check(steps)
