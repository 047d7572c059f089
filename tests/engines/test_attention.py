"""Embedding, positions and attention: by hand, beside a twin in plain PyTorch, and never a look at padding."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from pellucid.engines import fused, kernel
from pellucid.engines.inside import look_inside
from pellucid.engines.support import not_columns
from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import forward, logits_of
from pellucid.engines.textbook.inside import look_inside as by_textbook
from pellucid.engines.torch_engine.inside import look_inside as by_torch
from pellucid.engines.torch_engine.module import build
from pellucid.engines.torch_engine.module import forward as torch_forward
from pellucid.network import Dense, Embedding, Flatten, Layer, LayerNorm, Network, Positions, SelfAttention, Transpose
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine, unsupported

Array = NDArray[Any]

T, D = 7, 6


def drawn(network: Network, seed: int = 0) -> dict[str, Array]:
    """Parameters none of which is 0."""
    rng = np.random.default_rng(seed)
    return {p.name: rng.normal(size=p.shape) * 0.7 for p in network.parameters()}


def series(steps: int = T, lengths: tuple[int, ...] = (T, 3, 1), seed: int = 1) -> Array:
    x = np.random.default_rng(seed).normal(size=(len(lengths), steps, D))
    for row, length in enumerate(lengths):
        x[row, length:] = np.nan
    return x


def both(network: Network, parameters: dict[str, Array], x: Array) -> tuple[Array, Array]:
    """What the textbook and what PyTorch gives."""
    module = build(network, parameters, torch.float64).eval()
    return forward(network, parameters, x).logits, torch_forward(module, torch.from_numpy(x)).detach().numpy()


# ── by hand ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_attention_by_hand() -> None:
    """Two steps of one number, query x, key 2x, value 3x: scores 2 q k, softmax of two, the mean of two values."""
    network = Network(shape=(2, 1), layers=(SelfAttention(width=1, heads=1),))
    w = {
        "0.in_proj_weight": np.array([[1.0], [2.0], [3.0]]), "0.in_proj_bias": np.zeros(3),
        "0.out_proj.weight": np.array([[10.0]]), "0.out_proj.bias": np.array([0.5]),
    }  # fmt: skip
    found = forward(network, w, np.array([[[1.0], [0.0]]])).logits[0, :, 0]
    share = math.exp(2) / (math.exp(2) + 1)  # of step 0, as seen from step 0: scores 2 and 0
    np.testing.assert_allclose(found, [30 * share + 0.5, 30 * 0.5 + 0.5], rtol=1e-14)


def test_a_causal_first_step_sees_itself_alone() -> None:
    network = Network(shape=(T, D), layers=(SelfAttention(width=D, heads=3, causal=True),))
    w, x = drawn(network), series()
    values = x[:, 0] @ w["0.in_proj_weight"][2 * D :].T + w["0.in_proj_bias"][2 * D :]
    wanted = values @ w["0.out_proj.weight"].T + w["0.out_proj.bias"]
    for found in both(network, w, x):
        np.testing.assert_allclose(found[:, 0], wanted, rtol=0, atol=1e-13)


def test_sinusoidal_positions_are_those_of_the_paper() -> None:
    network = Network(shape=(T, 5), layers=(Positions(steps=50, width=5),))
    for found in both(network, {}, np.zeros((1, T, 5))):
        for t in range(T):
            for k in range(5):
                angle = t / 10_000 ** (2 * (k // 2) / 5)
                assert found[0, t, k] == pytest.approx(math.cos(angle) if k % 2 else math.sin(angle), abs=1e-14)


def test_a_step_shifted_is_a_step_turned() -> None:
    """The scalar product of two positions depends on their distance alone."""
    network = Network(shape=(20, 8), layers=(Positions(steps=20, width=8),))
    p = forward(network, {}, np.zeros((1, 20, 8))).logits[0]
    products = p @ p.T
    assert products[3, 7] == pytest.approx(products[11, 15], abs=1e-12)
    assert products[3, 7] != pytest.approx(products[3, 9], abs=1e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_padding_is_zeros_whatever_the_file_holds(dtype: str) -> None:
    network = Network(shape=(4,), dtype="int64", layers=(Embedding(vocabulary=5, width=3), Flatten()))
    w = {"0.weight": np.arange(1.0, 16.0).reshape(5, 3)}
    x = np.array([[2, 0, 4, 0]])
    wanted = [[7, 8, 9, 0, 0, 0, 13, 14, 15, 0, 0, 0]]
    for name in ("textbook", "torch"):
        engine = make_engine(name, network, Loss(name="mse"), Optimizer(), w, dtype=dtype, device="cpu")
        assert engine.logits(x).tolist() == wanted
        assert engine.logits(x).dtype == dtype


def test_nothing_is_learned_for_padding() -> None:
    layers = (Embedding(vocabulary=5, width=3), Flatten(), Dense(inputs=12, outputs=1))
    network = Network(shape=(4,), dtype="int64", layers=layers)
    rule = Optimizer(name="adamw", weight_decay=0.1)
    for name in ("textbook", "torch"):
        first = initialise(network, 0)
        engine = make_engine(name, network, Loss(name="mse"), rule, first, dtype="float64", device="cpu")
        engine.load_rows(np.array([[1, 2, 0, 0], [3, 0, 1, 0]]), np.ones((2, 1)))
        for _ in range(5):
            engine.step(np.arange(2), [], 0.1)
        after = engine.parameters()["0.weight"]
        assert not after[0].any()
        assert (after[1:4] != first["0.weight"][1:4]).all()


# ── a twin in plain PyTorch ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("lengths", [(T, T, T), (T, 3, 1)])
def test_attention_is_that_of_multihead_attention(causal: bool, lengths: tuple[int, ...]) -> None:
    network = Network(shape=(T, D), layers=(SelfAttention(width=D, heads=3, causal=causal),))
    w, x = drawn(network), series(lengths=lengths)
    filled = torch.from_numpy(np.nan_to_num(x)).requires_grad_()
    padded = torch.arange(T) >= torch.tensor(lengths)[:, None]
    later = torch.ones(T, T, dtype=torch.bool).triu(1) if causal else None
    twin = nn.MultiheadAttention(D, 3, batch_first=True, dtype=torch.float64)
    twin.load_state_dict({name.removeprefix("0."): torch.from_numpy(array) for name, array in w.items()})
    wanted, _ = twin(filled, filled, filled, key_padding_mask=padded, attn_mask=later)
    for found in both(network, w, x):
        np.testing.assert_allclose(found, wanted.detach().numpy(), rtol=0, atol=1e-12)
    slopes = np.random.default_rng(5).normal(size=(3, T, D))
    (wanted * torch.from_numpy(slopes)).sum().backward()
    ours = backward(w, forward(network, w, x), slopes)
    assert filled.grad is not None
    np.testing.assert_allclose(ours.d_inputs[0], filled.grad.numpy(), rtol=0, atol=1e-12)
    for name, parameter in twin.named_parameters():
        np.testing.assert_allclose(ours.parameters[f"0.{name}"], parameter.grad.numpy(), rtol=0, atol=1e-12)


def test_the_weights_are_those_that_multihead_attention_tells() -> None:
    network = Network(shape=(T, D), layers=(SelfAttention(width=D, heads=2),))
    w, x = drawn(network), series()
    twin = nn.MultiheadAttention(D, 2, batch_first=True, dtype=torch.float64)
    twin.load_state_dict({name.removeprefix("0."): torch.from_numpy(array) for name, array in w.items()})
    filled = torch.from_numpy(np.nan_to_num(x))
    padded = torch.arange(T) >= torch.tensor([T, 3, 1])[:, None]
    _, weights = twin(filled, filled, filled, key_padding_mask=padded, average_attn_weights=False)
    kept = forward(network, w, x).steps[0].kept["weights"]
    np.testing.assert_allclose(kept, weights.detach().numpy(), rtol=0, atol=1e-13)
    np.testing.assert_allclose(kept.sum(axis=-1), 1, atol=1e-14)
    assert not kept[1, :, :, 3:].any()


def test_equal_keys_share_the_weight() -> None:
    network = Network(shape=(4, D), layers=(SelfAttention(width=D, heads=2),))
    x = np.repeat(np.random.default_rng(0).normal(size=(1, 1, D)), 4, axis=1)
    weights = forward(network, drawn(network), x).steps[0].kept["weights"]
    np.testing.assert_allclose(weights, 0.25, atol=1e-15)


def test_embedding_and_positions_are_those_of_torch() -> None:
    layers = (Embedding(vocabulary=9, width=D), Positions(steps=12, width=D, learned=True))
    network = Network(shape=(T,), dtype="int64", layers=layers)
    w = initialise(network, 3)
    x = np.array([[1, 2, 2, 8, 0, 3, 0], [4, 0, 0, 0, 0, 0, 0]])
    tokens, places = nn.Embedding(9, D, padding_idx=0, dtype=torch.float64), nn.Embedding(12, D, dtype=torch.float64)
    tokens.load_state_dict({"weight": torch.from_numpy(w["0.weight"])})
    places.load_state_dict({"weight": torch.from_numpy(w["1.weight"])})
    wanted = tokens(torch.from_numpy(x)) + places(torch.arange(T))
    slopes = np.random.default_rng(5).normal(size=(2, T, D))
    (wanted * torch.from_numpy(slopes)).sum().backward()
    ours = backward(w, forward(network, w, x), slopes)
    for found in both(network, w, x):
        np.testing.assert_array_equal(found, wanted.detach().numpy())
    assert ours.d_inputs[0].shape == x.shape
    assert not ours.d_inputs[0].any()
    for name, twin in (("0.weight", tokens), ("1.weight", places)):
        np.testing.assert_allclose(ours.parameters[name], twin.weight.grad.numpy(), rtol=0, atol=1e-13)


# ── padding and the future ────────────────────────────────────────────────────────────────────────────────────────

KINDS: dict[str, tuple[Layer, ...]] = {
    "attention": (SelfAttention(width=D, heads=2),),
    "causal": (SelfAttention(width=D, heads=2, causal=True),),
    "twice": (SelfAttention(width=D, heads=2), Dense(inputs=D, outputs=D), SelfAttention(width=D, heads=3)),
    "positions": (Positions(steps=12, width=D), SelfAttention(width=D, heads=2)),
    "learned": (Positions(steps=12, width=D, learned=True), SelfAttention(width=D, heads=2)),
    "stepwise": (Dense(inputs=D, outputs=D), LayerNorm(width=D)),
    "turned twice": (Transpose(), Transpose(), SelfAttention(width=D, heads=2)),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_row_does_not_depend_on_how_long_the_others_are(name: str) -> None:
    """The steps that count give the same alone, beside longer rows, and with more padding."""
    layers, x = KINDS[name], series(lengths=(T, 3, 1))
    network, longer = Network(shape=(T, D), layers=layers), Network(shape=(12, D), layers=layers)
    short = Network(shape=(3, D), layers=layers)
    w = drawn(network)
    more = np.concatenate([x, np.full((3, 12 - T, D), np.nan)], axis=1)
    for one, other, alone in zip(both(network, w, x), both(longer, w, more), both(short, w, x[1:2, :3]), strict=True):
        for row, length in enumerate((T, 3, 1)):
            np.testing.assert_allclose(one[row, :length], other[row, :length], rtol=0, atol=1e-13)
        np.testing.assert_allclose(one[1, :3], alone[0], rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", ["attention", "causal", "learned"])
def test_what_stands_in_the_padding_is_never_seen(name: str) -> None:
    """Other tokens after the end would change the answer; padding there does not."""
    embedding = Embedding(vocabulary=9, width=D)
    network = Network(shape=(T,), dtype="int64", layers=(embedding, *KINDS[name]))
    w = drawn(network)
    x = np.array([[3, 1, 4, 0, 0, 0, 0], [3, 1, 4, 1, 5, 2, 6]])
    for found in both(network, w, x):
        same = np.allclose(found[0, :3], found[1, :3], rtol=0, atol=1e-13)
        assert same == (name == "causal")


def test_later_steps_do_not_change_what_a_causal_step_gives() -> None:
    network = Network(shape=(T, D), layers=KINDS["causal"])
    w, x = drawn(network), series(lengths=(T, T))
    other = x.copy()
    other[:, 4:] += 1
    for before, after in zip(both(network, w, x), both(network, w, other), strict=True):
        np.testing.assert_allclose(before[:, :4], after[:, :4], rtol=0, atol=1e-14)
        assert np.abs(before[:, 4:] - after[:, 4:]).min() > 1e-6


def test_large_scores_do_not_overflow() -> None:
    network = Network(shape=(T, D), layers=(SelfAttention(width=D, heads=1),))
    w = {name: array * 100 for name, array in drawn(network).items()}
    ours, theirs = both(network, w, series())
    assert np.isfinite(ours).all()
    np.testing.assert_allclose(ours, theirs, rtol=1e-11)


# ── around ────────────────────────────────────────────────────────────────────────────────────────────────────────


def classifier(vocabulary: int | None = 9) -> Network:
    """With heads and all: a Dense layer on all steps."""
    body: tuple[Layer, ...] = (Positions(steps=T, width=D), SelfAttention(width=D, heads=2), Flatten())
    end = Dense(inputs=T * D, outputs=2)
    if vocabulary is None:
        return Network(shape=(T, D), layers=(*body, end))
    return Network(shape=(T,), dtype="int64", layers=(Embedding(vocabulary=vocabulary, width=D), *body, end))


@pytest.mark.parametrize("vocabulary", [9, None])
def test_both_engines_see_the_same_inside(vocabulary: int | None) -> None:
    network = classifier(vocabulary)
    w = drawn(network)
    x = np.array([[3, 1, 4, 0, 0, 0, 0], [3, 1, 4, 1, 5, 2, 6]]) if vocabulary else series()
    names = ["0", "1", "2"]
    one, other = (see(network, w, x, names, lambda z: 2 * z) for see in (by_textbook, by_torch))
    np.testing.assert_allclose(one.logits, other.logits, atol=1e-12)
    for name in names:
        np.testing.assert_allclose(one.outputs[name], other.outputs[name], atol=1e-12)
        np.testing.assert_allclose(one.d_outputs[name], other.d_outputs[name], atol=1e-12)
    assert one.d_inputs is not None
    assert other.d_inputs is not None
    there = np.ones(x.shape, bool) if vocabulary else ~np.isnan(x)
    np.testing.assert_allclose(one.d_inputs[there], other.d_inputs[there], atol=1e-12)
    assert look_inside(network, w, x).logits.tolist() == by_torch(network, w, x).logits.tolist()


def test_many_rows_are_answered_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    network = classifier()
    w, x = drawn(network), np.random.default_rng(0).integers(0, 9, (50, T))
    whole = forward(network, w, x).logits
    monkeypatch.setattr("pellucid.engines.textbook.forward._VALUES_AT_ONCE", 4_000)
    np.testing.assert_allclose(logits_of(network, w, x), whole, atol=1e-12)


@pytest.mark.parametrize("vocabulary", [9, None])
def test_engines_that_cannot_say_why(vocabulary: int | None) -> None:
    network = classifier(vocabulary)
    wanted = "takes rows of numbers, not of int64" if vocabulary else f"not of the shape [{T}, {D}]"
    for reason in (fused.supports(network), kernel.supports(network), not_columns("the engine", network)):
        assert reason is not None
        assert wanted in reason
    assert unsupported("textbook", network, "cpu") is None
    assert unsupported("torch", network, "cpu") is None
