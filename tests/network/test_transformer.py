"""The networks that transformer() builds: their layers, their twins in plain PyTorch, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import forward
from pellucid.engines.torch_engine.module import build
from pellucid.engines.torch_engine.module import forward as torch_forward
from pellucid.errors import SettingError
from pellucid.network import Network, transformer
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine
from pellucid.training.parity import compare
from pellucid.training.rows import Rows
from tests.parity.cases import make_parameters

Array = NDArray[Any]

T, D, V = 6, 8, 11
TOKENS = np.array([[3, 1, 4, 1, 5, 9], [2, 6, 5, 0, 0, 0], [7, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]])


def usual(**fields: Any) -> Network:
    return transformer((T,), D, 3, **{"vocabulary": V, "heads": 2, "depth": 2, **fields})


def test_its_layers_in_order() -> None:
    network = usual(dropout=0.1, depth=1, feed=2)
    assert [layer.words() for layer in network.layers] == [
        "Embedding 11 → 8",
        "Positions 6 × 8",
        "Residual of LayerNorm 8, SelfAttention 8, 2 heads, Dropout 0.1",
        "Residual of LayerNorm 8, Dense 8 → 16, gelu, Dense 16 → 8, Dropout 0.1",
        "LayerNorm 8",
        "StepPool mean",
        "Dense 8 → 3",
    ]
    assert network.dtype == "int64"
    assert network.outputs == 3


def test_a_series_begins_with_a_dense_layer_on_its_channels() -> None:
    network = transformer((20, 2), D, 1, heads=2, causal=True, pool="none", positions="learned")
    assert network.dtype == "float"
    assert network.layers[0].words() == "Dense 2 → 8"
    assert network.layers[1].words() == "Positions 20 × 8, learned"
    assert network.shapes()[-1] == (20, 1)
    assert Network.from_json(json.loads(json.dumps(network.to_json()))) == network


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: transformer((T, 2), D, 1, vocabulary=V), "with vocabulary=… tokens, rows of the shape (steps,)"),
        (lambda: transformer((T,), D, 1), "takes series, rows of the shape (steps, channels)"),
        (lambda: usual(pool="median"), "pool must be one of last, mean, max, none, got 'median'"),
        (lambda: usual(positions="learnt"), "did you mean 'learned'"),
        (lambda: usual(depth=0), "depth must be a whole number from 1"),
        (lambda: usual(feed=0.5), "feed must be a whole number from 1"),
        (lambda: usual(heads=3), "heads must divide its width"),
        (lambda: usual(dropout=1.0), "dropout must be at least 0 and below 1"),
    ],
)
def test_what_does_not_fit_is_said(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(SettingError) as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize("causal", [False, True])
def test_a_block_is_that_of_transformer_encoder_layer(causal: bool) -> None:
    """PyTorch's own block, normalised before each part, loads the same weights under its own names."""
    network = usual(depth=2, causal=causal, pool="none")
    w = make_parameters(network)
    names = {
        "self_attn.": "{}.1.", "norm1.": "{}.0.", "norm2.": "{}.0.", "linear1.": "{}.1.", "linear2.": "{}.3.",
    }  # fmt: skip
    blocks = []
    for first in (2, 4):
        made = nn.TransformerEncoderLayer(
            D, 2, 4 * D, dropout=0.0, activation="gelu", batch_first=True, norm_first=True, dtype=torch.float64
        )
        state = {}
        for theirs, ours in names.items():
            place = ours.format(first if theirs in ("self_attn.", "norm1.") else first + 1)
            state |= {
                theirs + name.removeprefix(place): torch.from_numpy(a)
                for name, a in w.items()
                if name.startswith(place)
            }
        made.load_state_dict(state)
        blocks.append(made.train())  # in evaluation it may take another path, of nested tensors
    tokens = nn.Embedding(V, D, padding_idx=0, dtype=torch.float64)
    tokens.load_state_dict({"weight": torch.from_numpy(w["0.weight"])})
    x = tokens(torch.from_numpy(TOKENS[:3])) + torch.from_numpy(forward(network, w, TOKENS[:1] * 0).steps[1].outputs)
    padded = torch.from_numpy(TOKENS[:3] == 0)
    later = torch.ones(T, T, dtype=torch.bool).triu(1) if causal else None
    for made in blocks:
        x = made(x, src_mask=later, src_key_padding_mask=padded)
    x = nn.functional.layer_norm(x, (D,), torch.from_numpy(w["6.weight"]), torch.from_numpy(w["6.bias"]))
    wanted = nn.functional.linear(x, torch.from_numpy(w["7.weight"]), torch.from_numpy(w["7.bias"]))
    found = forward(network, w, TOKENS[:3])
    np.testing.assert_allclose(found.logits, wanted.detach().numpy(), rtol=0, atol=1e-12)
    slopes = np.random.default_rng(0).normal(size=wanted.shape)
    (wanted * torch.from_numpy(slopes)).sum().backward()
    ours = backward(w, found, slopes).parameters
    for first, made in zip((2, 4), blocks, strict=True):
        for name, parameter in made.named_parameters():
            theirs = next(each for each in names if name.startswith(each))
            place = names[theirs].format(first if theirs in ("self_attn.", "norm1.") else first + 1)
            slope = ours[place + name.removeprefix(theirs)]
            np.testing.assert_allclose(slope, parameter.grad.numpy(), rtol=0, atol=1e-11, err_msg=name)
    assert tokens.weight.grad is not None
    np.testing.assert_allclose(ours["0.weight"], tokens.weight.grad.numpy(), rtol=0, atol=1e-11)


NETWORKS: dict[str, Network] = {
    "tokens": usual(),
    "causal, last, learned": usual(causal=True, pool="last", positions="learned"),
    "max, dropout": usual(pool="max", dropout=0.3, depth=1),
    "series": transformer((T, 2), D, 3, heads=2, depth=1, dropout=0.2),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_engines_agree(name: str) -> None:
    network, rng = NETWORKS[name], np.random.default_rng(0)
    lengths = np.array([T, 3, 1, 0, T, 2, 5, 4] * 2)
    gone = np.arange(T) >= lengths[:, None]
    inputs: Array = rng.integers(1, V, (16, T))
    if network.dtype == "float":
        inputs = rng.normal(size=(16, T, 2))
        inputs[gone] = np.nan
    else:
        inputs[gone] = 0
    rows = Rows(inputs=inputs, targets=rng.integers(0, 3, 16), weights=rng.uniform(0.5, 2, 16))
    parity = compare(
        network, Loss(name="cross_entropy", label_smoothing=0.1), Optimizer(name="adamw", weight_decay=0.01),
        make_parameters(network), rows, learning_rate=0.01, batch_size=7, n_steps=6, engines=("textbook", "torch"),
    )  # fmt: skip
    assert parity.agrees, parity


@pytest.mark.parametrize("pool", ["mean", "max", "last"])
def test_an_answer_does_not_depend_on_the_other_rows(pool: str) -> None:
    network, shorter = usual(pool=pool), transformer((3,), D, 3, vocabulary=V, heads=2, depth=2, pool=pool)
    w = make_parameters(network)
    module = build(shorter, w, torch.float64).eval()
    whole = forward(network, w, TOKENS).logits
    for row in (1, 2):
        np.testing.assert_allclose(forward(network, w, TOKENS[[row]]).logits[0], whole[row], rtol=0, atol=1e-13)
        short = TOKENS[[row], :3]
        np.testing.assert_allclose(forward(shorter, w, short).logits[0], whole[row], rtol=0, atol=1e-13)
        theirs = torch_forward(module, torch.from_numpy(short)).detach().numpy()[0]
        np.testing.assert_allclose(theirs, whole[row], rtol=0, atol=1e-12)


def test_a_causal_one_never_sees_the_future() -> None:
    network = usual(causal=True, pool="none")
    w, other = make_parameters(network), TOKENS[:1].copy()
    other[0, 4:] = (2, 2)
    before, after = (forward(network, w, x).logits[0] for x in (TOKENS[:1], other))
    np.testing.assert_allclose(before[:4], after[:4], rtol=0, atol=1e-14)
    assert (before[4:] != after[4:]).all()


def test_it_learns_an_order() -> None:
    """Which of two tokens came first cannot be told from their number: positions are needed."""
    rng = np.random.default_rng(0)
    inputs = np.stack([rng.permutation([1, 2, 3, 4, 5, 6]) for _ in range(64)])
    first = (inputs == 1).argmax(axis=1) < (inputs == 2).argmax(axis=1)
    network = transformer((6,), 8, 1, vocabulary=7, heads=2, depth=1, feed=2)
    engine = make_engine(
        "torch", network, Loss(name="bce"), Optimizer(name="adam"), initialise(network, 0), dtype="float32",
        device="cpu",
    )  # fmt: skip
    engine.load_rows(inputs, first[:, None].astype(float))
    for _ in range(150):
        engine.step(np.arange(64), [], 0.01)
    assert ((engine.logits(inputs)[:, 0] > 0) == first).mean() > 0.95
