"""States, heads and tokens of networks that read step by step: what is drawn of them is what PyTorch makes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pellucid.engines.torch_engine.module import build, forward
from pellucid.explanation.trace import trace_row
from pellucid.inspection.units_found import FILES
from pellucid.inspection.units_of_positions import units_of_rows_by_step
from pellucid.inspection.units_of_sequences import last_outputs, layers_of_sequences, sequence_units
from pellucid.network import Activation, Dense, Network, SelfAttention, StepPool
from pellucid.preprocessing.features import rows_for
from tests.sequence_models import NETWORKS, WORDS, model_of, parameters_of, rows_of


@pytest.mark.parametrize("kind", list(NETWORKS))
def test_pictures_of_each_kind_are_drawn_and_written(kind: str, tmp_path: Path) -> None:
    model = model_of(kind)
    found = units_of_rows_by_step(rows_of(model, 12), rows_of(model))
    figures = found.figures()
    recurrent = kind in ("gru", "lstm", "rnn")
    assert ("states-1" in figures) is recurrent
    assert ("gates-1" in figures) is recurrent
    assert ("attention" in figures) is not recurrent
    assert ("embedding" in figures) is (model.network.dtype == "int64")
    assert ("text-1" in figures) is (recurrent and model.network.dtype == "int64")
    assert ("slopes" in figures) is recurrent
    assert {f"{name}.png" for name in figures} <= set(FILES)
    facts = json.loads(json.dumps(found.to_json()))
    assert len(facts["sequence"]["steps"]) == 6
    assert found.sequence is not None
    assert found.sequence.sentences
    if kind == "gru":
        folder = found.save(tmp_path / "units")
        assert (folder / "text-1.svg").is_file()
        assert (folder / "units.json").is_file()


def test_states_and_weights_are_pytorchs() -> None:
    model = model_of("gru")
    module = build(model.network, model.parameters, torch.float64).eval()
    kept = {}
    module[1].register_forward_hook(lambda m, given, gave: kept.update(h=gave))
    rows = rows_of(model)
    forward(module, torch.from_numpy(rows_for(model.network.shape, rows.features)))
    found = sequence_units(model, [("as trained", model.parameters)], 0, rows, rows)
    ((name, each),) = found.recurrent
    assert name == "1 GRU 3 → 4"
    np.testing.assert_allclose(each.values["h"], kept["h"][0].detach().numpy(), atol=1e-12)
    assert sorted(found.tokens) == sorted(("the", "film", "was", "not", "very", "good"))
    vectors = model.parameters["0.weight"][[2 + WORDS.index(word) for word in found.tokens]]
    apart = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1) ** 2
    (places,) = found.places
    share = (places.places**2).sum() / apart.sum()  # in two of three dimensions
    assert share == pytest.approx(sum(places.shares))


def test_several_moments_are_drawn_beside_each_other() -> None:
    model, rows = model_of("transformer"), rows_of(model_of("transformer"))
    moments = [("epoch 0 of 2", parameters_of(model.network, 9)), ("epoch 2 of 2, kept", model.parameters)]
    found = sequence_units(model, moments, 1, rows, rows)
    figures = found.figures()
    assert {"attention", "attention-over-epochs", "embedding"} <= set(figures)
    titles = [axis.get_title() for axis in figures["embedding"].axes if axis.get_title()]
    assert titles == ["epoch 0 of 2", "epoch 2 of 2, kept"]
    layer, seen = found.attention[0]
    assert layer == "layer 2.1"
    trace = trace_row(model.network, model.parameters, found.shown.row, loss=model.task.loss)
    work = next(each for each in trace.layers[2].inner if isinstance(each.layer, SelfAttention))
    np.testing.assert_allclose(seen.weights, work.kept["weights"][0], atol=1e-12)
    assert found.sentences[0].startswith("layer 2.1, head 1: ")
    recurrent = model_of("gru")
    rows = rows_of(recurrent)
    both = [("epoch 0 of 1", parameters_of(recurrent.network, 9)), ("epoch 1 of 1, kept", recurrent.parameters)]
    slopes = sequence_units(recurrent, both, 1, rows, rows).figures()["slopes"]
    assert [line.get_label() for line in slopes.axes[0].lines] == [
        "1 GRU 3 → 4, epoch 0 of 1", "1 GRU 3 → 4, epoch 1 of 1, kept",
    ]  # fmt: skip


def test_padded_steps_are_no_outputs_of_units() -> None:
    """A unit that is 0 at every step is dead, whatever it gives at padding; only steps are counted."""
    model = model_of("causal")
    network = Network(
        shape=(8, 2),
        layers=[
            Dense(inputs=2, outputs=3),
            Activation(function="relu"),
            StepPool(how="mean"),
            Dense(inputs=3, outputs=1),
        ],
    )
    parameters = parameters_of(network)
    parameters["0.weight"][0] = 0.0
    parameters["0.bias"][0] = 0.5
    other = replace(model, network=network, parameters=parameters)
    rows = np.array(rows_for(network.shape, rows_of(other, 2).features))
    (first,) = layers_of_sequences(other, rows, np.array([0, 1]), 2)
    assert first.means[0] == pytest.approx(0.5)
    assert first.counts.sum(axis=1).tolist() == [3 * 6, 3 * 8]
    assert first.layer.text == "3 relu"
    parameters["0.bias"][0] = -0.5
    (first,) = layers_of_sequences(other, rows, None, 1)
    assert first.dead.tolist()[0] is True
    wanted = np.maximum(rows[1] @ parameters["0.weight"].T + parameters["0.bias"], 0).mean(axis=0)
    np.testing.assert_allclose(last_outputs(network, parameters, rows)[1], wanted, atol=1e-12)
