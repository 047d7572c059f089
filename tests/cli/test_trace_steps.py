"""A traced text or series in the terminal and as JSON: its numbers are those of the trace, bounded in length."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from pellucid.cli.commands import trace as command
from pellucid.cli.trace_steps import attention_lines, row_lines, slope_lines, unrolled_lines
from pellucid.explanation.attention import Attention
from pellucid.explanation.unrolled import Unrolled
from pellucid.explanation.words.values import n
from pellucid.inspection.sequences import SequenceRow
from pellucid.inspection.trace_sequences import attentions, recurrent_layers
from pellucid.inspection.trace_unit import address, every_step, find_unit
from tests.sequence_models import NETWORKS, traced_sequence


@pytest.mark.parametrize("kind", list(NETWORKS))
def test_a_row_is_shown_in_the_terminal(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = traced_sequence(kind)
    command._show(found, 2)
    said = capsys.readouterr().out
    for step, each in recurrent_layers(found.steps):
        assert f"{step.work.name}  {each.title}{': ' * bool(each.title)}Back through time" in said
        assert each.lengths_of_slopes is not None
        assert n(each.lengths_of_slopes[5]) in said
    for _, seen in attentions(found.row, found.steps):
        assert "all heads; a line is the step that looks" in said
        assert n(float(seen.weights.max())) in said or seen.heads > 1
    assert "For one unit at one step in full" in said
    assert "step 7" not in said.partition("Backward")[0]  # padding


@pytest.mark.parametrize("kind", list(NETWORKS))
def test_units_are_found_by_their_step(kind: str) -> None:
    found = traced_sequence(kind)
    for step in every_step(found.steps):
        for k in (0, len(step.work.outputs) - 1):
            assert find_unit(found.steps, address(step, k)) == (step, k)
            if len(step.work.shape_out) == 2:
                t, unit = divmod(k, step.work.shape_out[1])
                assert address(step, k) == f"{step.work.name}.{unit + 1},{t}"


@pytest.mark.parametrize("kind", list(NETWORKS))
def test_states_slopes_and_weights_are_in_json(kind: str) -> None:
    found = traced_sequence(kind)
    facts: dict[str, Any] = json.loads(json.dumps(found.to_json()))
    said = facts["sequence"]
    assert len(said["steps"]) == 6
    cells = list(recurrent_layers(found.steps))
    assert len(said["recurrent"]) == len(cells)
    for own, (_, each) in zip(said["recurrent"], cells, strict=True):
        np.testing.assert_array_equal(own["states"]["h"], each.values["h"][:6])
        assert len(own["lengths_of_slopes"]) == 6
    layers = list(attentions(found.row, found.steps))
    assert len(said["attention"]) == len(layers)
    for own, (_, seen) in zip(said["attention"], layers, strict=True):
        np.testing.assert_array_equal(own["weights"], seen.weights[:, :6, :6])
        assert own["looked_at_most"][0][5] == int(seen.weights[0, 5].argmax())
    bare = traced_sequence(kind, with_target=False).to_json()["sequence"]
    assert all(each["slopes"] is None for each in bare["recurrent"])


def test_long_rows_are_shown_in_part() -> None:
    many = 200
    shown = SequenceRow(column="text", row=np.ones(many, np.int64), steps=("word",) * many)
    (line,) = row_lines(shown)
    assert line.endswith("… 200 tokens")
    assert len(line) < 1_000
    slopes = np.zeros((many, 2))
    slopes[150:160, 1] = 1.0
    states = {"h": np.ones((many, 2))}
    each = Unrolled(
        layer=0, backwards=False, suffix="_l0", values=states, before=slopes, counts=np.ones(many, bool), slopes=slopes
    )
    lines = unrolled_lines(each, shown, ["unit 1.1", "unit 1.2"])
    assert len(lines) == 26
    assert lines[0].startswith("unit 1.2 unrolled, steps ")
    assert any(line.split()[:1] == ["155"] and line.split()[-1] == "1" for line in lines)
    assert slope_lines(each, shown)[0].startswith("Back through time, ‖∂L/∂h‖: 0 at step 199, ")
    weights = np.full((2, many, many), 1 / many)
    seen = Attention(queries=weights, keys=weights, values=weights, scores=weights, weights=weights, context=weights[0])
    lines = attention_lines(seen, shown)
    assert len(lines) < 60
    assert any("the first 32 of 200 steps" in line for line in lines)
    assert "and 194 more steps, together 0.97" in lines
