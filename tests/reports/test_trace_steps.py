"""The page of a traced text or series: its numbers are PyTorch's, and its script shows the arithmetic in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.engines.torch_engine.module import build, forward
from pellucid.explanation.attention import attention_of
from pellucid.explanation.trace import trace_row
from pellucid.explanation.words import NamedStep, named_steps, words_of
from pellucid.explanation.words.recurrent import RecurrentWords
from pellucid.explanation.words.values import Equation, Sum
from pellucid.inspection.trace_unit import address, every_step
from pellucid.network import LayerNorm, Network, Residual, SelfAttention, cnn, mlp, rnn
from pellucid.network.layers.recurrent import Recurrent
from pellucid.network.task import Loss
from pellucid.reports.trace import write_trace_page
from pellucid.reports.trace_maps_data import decoded
from pellucid.reports.trace_steps_data import has_page_of_steps, steps_data
from tests.reports.pages import check
from tests.reports.test_trace_maps import data_of, near, script_of, shown
from tests.sequence_models import NETWORKS, parameters_of, traced_sequence

KINDS = list(NETWORKS)
_STEPS = 6
_OF_CELLS = ("z(r)", "z(z)", "p", "q", "r", "z", "n", "z(i)", "z(f)", "z(g)", "z(o)", "i", "f", "g", "o", "c")


def page_of(folder: Path, kind: str, **more: Any) -> str:
    return write_trace_page(traced_sequence(kind, **more), folder / "trace.html").read_text(encoding="utf-8")


def test_which_networks_have_such_a_page() -> None:
    assert all(map(has_page_of_steps, NETWORKS.values()))
    assert not has_page_of_steps(mlp(4, [3], 1))
    assert not has_page_of_steps(cnn((1, 8, 8), [2], 1))


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_is_one_file_that_may_run_its_own_script_alone(kind: str, tmp_path: Path) -> None:
    page = page_of(tmp_path, kind)
    tree = check(page, script=script_of(page))
    assert len(page) < 200_000
    assert "fetch" not in script_of(page)
    assert "innerHTML" not in script_of(page)
    assert any("noscript" in tag for tag, _ in tree.tags)
    assert "All 6 steps of the row are on this page." in page


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_of_the_page_is_pytorchs(kind: str) -> None:
    found = traced_sequence(kind)
    kept: dict[str, torch.Tensor] = {}
    network: Network = found.row.network
    module = build(network, found.row.parameters, torch.float64).eval()

    def keep(name: str) -> Any:
        def hook(each: nn.Module, given: Any, gave: torch.Tensor) -> None:
            gave.retain_grad()
            kept[name] = gave

        return hook

    names = {step.work.name for step in every_step(found.steps)}
    for name, each in module.named_modules():
        if name in names:
            each.register_forward_hook(keep(name))
    assert found.sequence is not None
    x = torch.from_numpy(found.sequence.row)[None]
    if network.dtype == "int64":
        module.requires_grad_(True)
    z = forward(module, x)
    nn.functional.binary_cross_entropy_with_logits(z, torch.ones_like(z)).backward()
    data = steps_data(found.row, found.steps, [], [])
    nodes, by_key = data["nodes"], {node["key"]: node for node in data["nodes"]}
    makers = {layer["to"]: layer for layer in data["layers"]}
    assert names <= set(by_key)
    for name, gave in kept.items():
        node = by_key[name]
        theirs = gave[0].detach().numpy()
        few = slice(None) if node["list"] else slice(_STEPS)
        theirs = theirs[np.newaxis] if node["list"] else theirs[few]
        np.testing.assert_allclose(decoded(node["values"]).reshape(theirs.shape), theirs, rtol=1e-5, atol=1e-6)
        maker = makers[nodes.index(node)]
        ours = decoded(maker["own"] if maker["kind"] == "cell" else node["slopes"]).reshape(theirs.shape)
        assert gave.grad is not None
        slopes = gave.grad[0].numpy()
        np.testing.assert_allclose(ours, slopes[np.newaxis] if node["list"] else slopes[few], rtol=1e-5, atol=1e-6)
    compared = 0
    weights = dict(module.named_parameters())
    for layer in data["layers"]:
        for name, text in (layer.get("gradients") or {}).items():
            theirs_of = {
                "ih": "weight_ih", "hh": "weight_hh", "b_ih": "bias_ih", "b_hh": "bias_hh",
            }  # fmt: skip
            suffix = nodes[layer["to"]]["key"].removeprefix(layer["key"]) or "_l0"
            if layer["kind"] == "cell" and suffix == "_l0" and f"{layer['key']}.weight_ih_l0" not in weights:
                continue
            own = f"{theirs_of[name]}{suffix}" if layer["kind"] == "cell" else name
            if layer.get("part"):  # attention: a third of the projection in, or the one out
                own = f"in_proj_{name}" if layer["part"] != "output" else f"out_proj.{name}"
            gradient = weights[f"{layer['key']}.{own}"].grad
            assert gradient is not None
            wanted = gradient.numpy()
            if layer.get("part") in ("query", "key", "value"):
                wanted = np.split(wanted, 3)[("query", "key", "value").index(layer["part"])]
            np.testing.assert_allclose(decoded(text), wanted.ravel(), rtol=1e-5, atol=1e-6)
            compared += 1
    assert compared >= 4


def test_a_long_row_shows_a_stretch_and_a_wide_network_its_strongest_units() -> None:
    found = traced_sequence("gru")
    small = steps_data(found.row, found.steps, [], ["a"] * 6, most=1)
    assert small["steps"] == 6  # the smallest page has 16 steps
    assert not small["nodes"][0]["list"]
    wide = rnn((40,), (20,), 1, vocabulary=9, embedding=4)
    tokens = np.random.default_rng(0).integers(1, 9, 40)
    row = trace_row(wide, parameters_of(wide), tokens, loss=Loss(name="mse"), target=np.array([[9.0]]))
    steps = named_steps(row, [f"step {t}" for t in range(40)], ["y"])
    data = steps_data(row, steps, [], list("x" * 40), most=1)
    assert (data["start"], data["steps"], data["total"]) == (
        24,
        16,
        40,
    )  # the last steps: on these the loss depends most
    node = next(each for each in data["nodes"] if each["key"] == "1")
    assert (len(node["kept"]), node["units"]) == (16, 20)
    values = row.layers[1].outputs.reshape(40, 20)[24:][:, node["kept"]]
    np.testing.assert_allclose(decoded(node["values"]).reshape(16, 16), values, rtol=1e-6)
    assert len(data["labels"]) == 16
    assert data["trimmed"]


def place_of(step: NamedStep, k: int) -> str:
    """The address on the page: of a recurrent layer with several directions or layers, that of the cell."""
    layer, words = step.work.layer, words_of(step.work.layer)
    if not isinstance(layer, Recurrent) or not layer.bidirectional:
        return address(step, k)
    assert isinstance(words, RecurrentWords)
    here = words.place(step, k)
    return f"{step.work.name}{here.suffix}.{here.unit + 1},{here.t}"


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_script_shows_is_the_arithmetic_in_words(kind: str, tmp_path: Path) -> None:
    found = traced_sequence(kind)
    asked = []
    for step in every_step(found.steps):
        values = step.work.outputs
        if len(step.work.shape_out) == 2:
            values = values.reshape(step.work.shape_out)[:_STEPS].ravel()
        asked += [(step, k) for k in dict.fromkeys((int(np.abs(values).argmax()), len(values) - 1))]
    said = shown(tmp_path, page_of(tmp_path, kind), [place_of(step, k) for step, k in asked])
    for (step, k), panel in zip(asked, said, strict=True):
        assert near(step.work.outputs[k], panel["result"])
        if not isinstance(step.work.layer, Recurrent):
            assert near(step.d_outputs[k], panel["result"])
        if isinstance(step.work.layer, LayerNorm | Residual):
            continue
        symbols = {step.symbol, *(_OF_CELLS if isinstance(step.work.layer, Recurrent) else ())}
        for part in words_of(step.work.layer).forward(step, k):
            if isinstance(part, Equation | Sum) and part.symbol in symbols:
                assert near(part.result, panel["forward"]), (part.symbol, part.result, panel["forward"])
        assert panel["backward"]


@pytest.mark.parametrize("kind", ["transformer", "causal"])
def test_a_head_shows_score_softmax_and_weight(kind: str, tmp_path: Path) -> None:
    found = traced_sequence(kind)
    step = next(step for step in every_step(found.steps) if isinstance(step.work.layer, SelfAttention))
    seen = attention_of(step.work, 6)
    name = step.work.name
    said = shown(tmp_path, page_of(tmp_path, kind), [f"{name}.heads.2,4,1", f"{name}.heads.1,0,5", f"{name}.c.1,4"])
    assert said[0]["panel-title"].startswith("Head 2: step 4")
    assert seen.d_scores is not None
    assert seen.d_weights is not None
    for value in (seen.scores[1, 4, 1], seen.weights[1, 4, 1], seen.scores[1, 4, 1] * np.sqrt(seen.queries.shape[2])):
        assert near(float(value), said[0]["forward"])
    assert near(float(seen.d_weights[1, 4, 1]), said[0]["backward"])
    assert near(float(seen.d_scores[1, 4, 1]), said[0]["backward"])
    if kind == "causal":
        assert "is not seen" in said[1]["forward"]
    assert near(float(seen.context[4, 0]), said[2]["forward"])


def test_without_a_target_there_is_no_way_back(tmp_path: Path) -> None:
    for kind in KINDS:
        page = page_of(tmp_path, kind, with_target=False)
        data = data_of(page)
        assert all(node.get("slopes") is None for node in data["nodes"])
        assert data["strength"] == [0.0] * _STEPS


def test_the_steps_that_the_loss_depends_on_stand_out() -> None:
    """Of a series by the slope of its values, of a text by that of its vectors."""
    for kind in ("lstm", "gru"):
        found = traced_sequence(kind)
        first = found.row.layers[0]
        slopes, shape = (
            (first.d_inputs, first.shape_in) if kind == "lstm" else (first.d_outputs, first.shape_out)
        )  # fmt: skip
        assert slopes is not None
        wanted = np.sqrt((slopes.reshape(shape)[:_STEPS] ** 2).sum(axis=1))
        np.testing.assert_allclose(steps_data(found.row, found.steps, [], [])["strength"], wanted)
