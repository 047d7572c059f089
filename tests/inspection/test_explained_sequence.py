"""What tokens and steps add to an answer: complete, against Captum, and where it is known to lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from pellucid.engines.torch_engine.module import build, forward
from pellucid.errors import DataError, SettingError
from pellucid.inspection import explained_sequence, sequences
from pellucid.inspection.explained_output import ExplainedOutput
from pellucid.inspection.explained_sequence import mean_series, sequence_explained
from pellucid.inspection.explained_sequences import explain_sequences, sequences_explained
from pellucid.network import mlp
from tests.sequence_models import NETWORKS, WORDS, model_of, rows_of

_TEXT = ("the", "film", "was", "not", "very", "good")


@pytest.mark.parametrize("kind", list(NETWORKS))
@pytest.mark.parametrize("members", [1, 2])
def test_what_steps_add_is_complete(kind: str, members: int) -> None:
    model = model_of(kind, members)
    one = rows_of(model)
    found = sequence_explained(one, None if model.network.dtype == "int64" else rows_of(model, 20))
    assert found.shown.length == 6
    assert found.prediction in ("neg", "pos")
    whole = found.gradients.answer - found.gradients.reference
    assert found.by_step.sum() == pytest.approx(whole, abs=2e-3 * max(1, abs(whole)))
    assert found.gradients.answer == pytest.approx(float(model.answers_to(one.features)[0, 1]), abs=1e-9)
    other = sequence_explained(one, None if model.network.dtype == "int64" else rows_of(model, 20), label="neg")
    np.testing.assert_allclose(other.by_step, -found.by_step, atol=1e-9)
    facts = found.to_json()
    assert len(facts["integrated_gradients"]["steps"]) == len(facts["steps"]) == 6
    assert len(found.sentences) == 2
    assert len(found.figure().axes) >= 2


@pytest.mark.parametrize("kind", ["gru", "transformer", "lstm"])
def test_captum_finds_the_same(kind: str) -> None:
    """Captum integrates along the same line, over the vectors of the tokens or the steps of the series."""
    attr = pytest.importorskip("captum.attr", reason="Captum is not installed: pip install captum")
    model = model_of(kind)
    one, background = rows_of(model), rows_of(model, 20)
    found = sequence_explained(one, background, cover="unknown" if model.network.dtype == "int64" else None)
    module = build(model.network, model.parameters, torch.float64).eval()
    row = torch.from_numpy(found.shown.row)[None]
    if model.network.dtype == "int64":
        start = torch.from_numpy(model.parameters["0.weight"])[row[0, :6]][None]
        reference = torch.zeros_like(start)

        def answer(vectors: torch.Tensor) -> torch.Tensor:
            padded = nn.functional.pad(vectors, (0, 0, 0, 2))
            hook = module[0].register_forward_hook(lambda *_: padded)
            z = forward(module, row.expand(len(vectors), -1))
            hook.remove()
            return torch.sigmoid(z[:, 0])
    else:
        start = row[:, :6]
        mean = mean_series(np.asarray(explained_sequence.rows_for(model.network.shape, background.features)))
        reference = torch.from_numpy(mean)[None, :6]

        def answer(vectors: torch.Tensor) -> torch.Tensor:
            return torch.sigmoid(forward(module, nn.functional.pad(vectors, (0, 0, 0, 2), value=torch.nan))[:, 0])

    theirs = attr.IntegratedGradients(answer).attribute(
        start, baselines=reference, n_steps=found.gradients.points, method="gausslegendre"
    )
    np.testing.assert_allclose(found.by_step, theirs[0].sum(dim=1).detach().numpy(), atol=1e-9)

    if model.network.dtype != "int64":
        return

    def of_tokens(tokens: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(forward(module, tokens)[:, 0])

    lost = attr.FeatureAblation(of_tokens).attribute(row, baselines=torch.ones_like(row))
    np.testing.assert_allclose(found.occlusion, lost[0, :6].detach().numpy(), atol=1e-9)


def test_a_token_that_counts_is_the_one_that_adds() -> None:
    """Of a network that looks at one token alone, no other adds anything, by either method."""
    model = model_of("gru")
    parameters = {name: np.zeros_like(array) for name, array in model.parameters.items()}
    parameters["0.weight"][2 + WORDS.index("not")] = (1.0, 0.0, 0.0)
    parameters["1.weight_ih_l0"][8, 0] = 3.0  # the candidate of the first unit
    parameters["3.weight"][0, 0] = 2.0
    one = rows_of(replace(model, parameters=parameters))
    found = sequence_explained(one)
    place = _TEXT.index("not")
    for values in (found.by_step, found.occlusion):
        assert values[place] > 0.01
        np.testing.assert_allclose(np.delete(values, place), 0, atol=1e-12)
    assert f'step {place} "not" speaks for it most' in found.sentences[0]


def test_covers() -> None:
    model = model_of("transformer")
    one = rows_of(model)
    by_padding = sequence_explained(one)
    row = by_padding.shown.row
    output = ExplainedOutput(model=model, index=1)
    covered = row.copy()
    covered[2] = 0  # within a row it counts as a step
    values = output.values(np.stack([row, covered]))
    assert by_padding.occlusion[2] == pytest.approx(float(values[0] - values[1]))
    vectors = output.vectors_of(row)[np.newaxis]
    vectors[0, :, 5] = 0  # the last step is still there
    assert by_padding.occlusion[5] == pytest.approx(float(values[0] - output.slopes_of_vectors(vectors)[0][0]))
    with pytest.raises(SettingError, match="cover of texts must be padding or unknown, got 'grey'"):
        sequence_explained(one, cover="grey")
    series = model_of("causal")
    with pytest.raises(SettingError, match="cover of series must be mean"):
        sequence_explained(rows_of(series), rows_of(series, 9), cover="unknown")


def test_channels_of_a_series_are_covered_each_by_itself() -> None:
    model = model_of("causal")
    background = rows_of(model, 20)
    found = sequence_explained(rows_of(model), background)
    assert found.window == 1
    assert found.occlusion.shape == found.by_channel.shape == (6, 2)  # type: ignore[union-attr]
    mean = mean_series(np.asarray(explained_sequence.rows_for(model.network.shape, background.features)))
    covered = found.shown.row.copy()
    covered[4, 1] = mean[4, 1]
    values = found.output.values(np.stack([found.shown.row, covered]))
    assert found.occlusion[4, 1] == pytest.approx(float(values[0] - values[1]))
    assert found.shown.channels == ("speed", "height")
    assert sequences.sequence_row(model, background.features, 3).length == 8


@pytest.mark.parametrize("kind", ["transformer", "lstm"])
def test_over_many_rows_what_steps_add_is_averaged(kind: str) -> None:
    model = model_of(kind)
    rows = rows_of(model, 4)
    found = sequences_explained(rows)
    assert found.n_rows == 4
    each = [sequence_explained(rows.take(np.array([k])), rows) for k in range(4)]
    if found.is_text:
        assert len(found.tokens) == 6
        for token, many, mean in zip(found.tokens, found.rows, found.means, strict=True):
            wanted = np.mean([one.by_step[_TEXT.index(token)] for one in each])
            assert many == 4
            assert mean == pytest.approx(wanted, abs=2e-3)
        for_it, against = found.strongest
        assert all(found.means[k] > 0 for k in for_it)
        assert all(found.means[k] < 0 for k in against)
        assert found.to_json()["tokens"][0]["mean"] == max(found.means)
    else:
        assert found.channels == ("speed", "height")
        longer = np.mean([np.abs(one.by_channel[7]) for one in each[1:]], axis=0)  # type: ignore[index]
        np.testing.assert_allclose(found.by_step[7], longer, atol=2e-3)
        assert np.shape(found.to_json()["steps"]) == (8, 2)
    assert found.figure().axes
    with pytest.raises(DataError, match="does not read its rows step by step"):
        explain_sequences(replace(model, network=mlp(2, [2], 1)))
