"""Sequences seen through: attention and states beside autograd, tokens as vectors, steps covered."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.engines.inside import look_inside
from pellucid.engines.torch_engine.module import build
from pellucid.explanation.attention import attention_of
from pellucid.explanation.occlusion import occlusion_of_steps
from pellucid.explanation.own_tokens import vectors_as_tokens
from pellucid.explanation.trace import LayerAtWork, trace_row
from pellucid.explanation.unrolled import unrolled
from pellucid.network import SelfAttention, rnn, transformer
from pellucid.network.initialise import initialise
from pellucid.network.layers.recurrent import Recurrent
from pellucid.network.task import Loss

TARGET = np.array([[1.0]])


def every(layers: Any) -> Any:
    for layer in layers:
        yield layer
        yield from every(layer.inner)


def of_kind(found: Any, kind: type) -> LayerAtWork:
    return next(each for each in every(found.layers) if isinstance(each.layer, kind))


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_that_of_autograd(causal: bool) -> None:
    network = transformer((6,), 8, 1, vocabulary=9, heads=2, depth=1, causal=causal)
    parameters = initialise(network, seed=3)
    tokens = np.array([4, 2, 8, 3, 0, 0])
    found = trace_row(network, parameters, tokens, loss=Loss(name="mse"), target=TARGET)
    assert found.steps == 4
    work = of_kind(found, SelfAttention)
    seen = attention_of(work, found.steps)

    x = torch.from_numpy(work.inputs.reshape(work.shape_in))[None]
    module = nn.MultiheadAttention(8, 2, batch_first=True, dtype=torch.float64)
    module.load_state_dict({name: torch.from_numpy(array) for name, array in work.parameters.items()})
    hidden = torch.zeros(6, 6, dtype=torch.bool)
    hidden[:, 4:] = True
    if causal:
        hidden |= torch.triu(torch.ones(6, 6, dtype=torch.bool), 1)
    _, weights = module(x, x, x, attn_mask=hidden, average_attn_weights=False)
    np.testing.assert_allclose(seen.weights, weights[0].detach().numpy(), atol=1e-12)
    assert np.array_equal(np.isnan(seen.scores), np.broadcast_to(hidden.numpy(), (2, 6, 6)))

    # the same by hand, with every number in between kept, so that autograd says what each has to say
    w, b = (torch.from_numpy(work.parameters[name]) for name in ("in_proj_weight", "in_proj_bias"))
    q, k, v = (each.reshape(6, 2, 4).transpose(0, 1) for each in (x[0] @ w.T + b).requires_grad_().chunk(3, dim=-1))
    scores = (q @ k.transpose(1, 2) / math.sqrt(4)).masked_fill(hidden, -torch.inf)
    chances = scores.softmax(dim=-1)
    context = (chances @ v).transpose(0, 1).reshape(6, 8)
    out = context @ torch.from_numpy(work.parameters["out_proj.weight"]).T
    assert work.d_outputs is not None
    wanted = torch.autograd.grad(
        out, [q, k, v, scores, chances, context], torch.from_numpy(work.d_outputs.reshape(work.shape_out))
    )
    ours = (seen.d_queries, seen.d_keys, seen.d_values, seen.d_scores, seen.d_weights, seen.d_context)
    for one, other in zip(ours, wanted, strict=True):
        assert one is not None
        np.testing.assert_allclose(one, other.numpy(), atol=1e-12)
    there = ~np.isnan(seen.scores)
    np.testing.assert_allclose(seen.scores[there], scores.detach().numpy()[there], atol=1e-12)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_states_and_their_slopes_are_those_of_autograd(cell: str) -> None:
    network = rnn((5, 2), (3,), 1, cell=cell)
    parameters = initialise(network, seed=1)
    series = np.random.default_rng(2).normal(size=(5, 2))
    series[4] = np.nan
    found = trace_row(network, parameters, series, loss=Loss(name="mse"), target=TARGET)
    (seen,) = unrolled(of_kind(found, Recurrent))
    assert found.steps == 4
    assert seen.counts.tolist() == [True] * 4 + [False]

    kind = {"rnn": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}[cell](2, 3, dtype=torch.float64)
    own = {
        name.removeprefix("0.").removesuffix("_l0"): torch.from_numpy(a)
        for name, a in parameters.items()
        if "_l0" in name
    }
    kind.load_state_dict(own)
    state: Any = None
    states, cells = [], []
    for x in torch.from_numpy(series[:4]):
        state = kind(x[None], state)
        h = state[0] if cell == "lstm" else state
        h.retain_grad()
        states.append(h)
        cells.append(state[1] if cell == "lstm" else h)
    z = states[-1] @ torch.from_numpy(parameters["2.weight"]).T + torch.from_numpy(parameters["2.bias"])
    ((z - 1.0) ** 2).sum().backward()
    assert seen.slopes is not None
    for t in range(4):
        np.testing.assert_allclose(seen.values["h"][t], states[t].detach()[0].numpy(), atol=1e-12)
        np.testing.assert_allclose(seen.slopes[t], states[t].grad[0].numpy(), atol=1e-12)
        if cell == "lstm":
            np.testing.assert_allclose(seen.values["c"][t], cells[t].detach()[0].numpy(), atol=1e-12)
    lengths = seen.lengths_of_slopes
    assert lengths is not None
    assert lengths[4] == 0
    assert lengths[3] == pytest.approx(float(states[3].grad.norm()))


@pytest.mark.parametrize("kind", ["gru", "transformer"])
def test_vectors_in_the_places_of_tokens(kind: str) -> None:
    """Their answers are the tokens' own where they are the tokens' own, and their slopes those of autograd."""
    network = (
        rnn((5,), (3,), 1, vocabulary=7, embedding=4, pool="mean")
        if kind == "gru"
        else transformer((5,), 4, 1, vocabulary=7, heads=2, depth=1)
    )
    parameters = initialise(network, seed=0)
    tokens = np.array([[3, 6, 1, 0, 0]])
    vectors = parameters["0.weight"][tokens[:, :3]]
    other, weights, rows = vectors_as_tokens(network, parameters, np.concatenate([vectors, 2 * vectors]))
    seen = look_inside(other, weights, rows, names=["0"], towards=np.ones_like)
    np.testing.assert_allclose(seen.logits[0], look_inside(network, parameters, tokens).logits[0], atol=1e-12)

    module = build(network, parameters, torch.float64).eval()
    given = torch.tensor(2 * vectors, requires_grad=True)
    full = torch.cat([given, torch.zeros(1, 2, 4, dtype=torch.float64)], dim=1)
    module[0].register_forward_hook(lambda *_: full)
    from pellucid.engines.torch_engine.module import forward

    forward(module, torch.from_numpy(tokens)).sum().backward()
    assert given.grad is not None
    np.testing.assert_allclose(seen.d_outputs["0"][1, :3], given.grad[0].numpy(), atol=1e-12)


def test_each_stretch_is_covered() -> None:
    weights = np.array([1.0, 10.0, 100.0, 0.0])
    sums = lambda rows: np.nansum(rows[:, :, 0] * weights, axis=1)  # noqa: E731
    row = np.array([[1.0], [2.0], [3.0], [np.nan]])
    found = occlusion_of_steps(sums, row, np.zeros(()), length=3, window=1, step=1)
    assert found.tolist() == [1.0, 20.0, 300.0]
    wide = occlusion_of_steps(sums, row, np.zeros(()), length=3, window=2, step=1)
    assert wide.tolist() == [21.0, (21.0 + 320.0) / 2, 320.0]
