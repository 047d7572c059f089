"""A perceptron learns four gates and goes round on the fifth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.studies import run
from pellucid.studies.basics.gates import GATES, Gates
from pellucid.studies.story import Story, Table
from tests.studies.checks import assert_labelled, closing, said


def told(**settings: Any) -> tuple[Story, Gates]:
    story = run("gates", **{"pictures": False, **settings})
    return story, story.result


def test_four_gates_are_learned_and_xor_is_not() -> None:
    story, result = told()
    assert {name: gate.learned for name, gate in result.gates.items()} == {
        "AND": True, "OR": True, "NAND": True, "NOT": True, "XOR": False,
    }  # fmt: skip
    for name, gate in result.gates.items():
        if gate.learned:
            inputs, targets = GATES[name]
            sums = inputs @ gate.weights + gate.bias
            assert tuple((sums >= 0).astype(int)) == gate.answers == targets, name
            assert gate.wrong[-1] == 0
            assert sum(gate.wrong) == len(gate.mistakes)
    assert "One neuron can learn AND, OR, NAND and NOT" in closing(story)
    assert "One neuron cannot learn XOR" in closing(story)


def test_the_truth_tables_are_pythons_own() -> None:
    own = {
        "AND": lambda a, b: a and b, "OR": lambda a, b: a or b, "NAND": lambda a, b: not (a and b),
        "XOR": lambda a, b: a != b,
    }  # fmt: skip
    for name, function in own.items():
        inputs, targets = GATES[name]
        assert [int(function(bool(a), bool(b))) for a, b in inputs] == list(targets), name
    assert [int(not a) for (a,) in GATES["NOT"][0]] == list(GATES["NOT"][1])


def test_xor_comes_back_to_the_weights_that_it_had() -> None:
    story, result = told(gate="XOR")
    gate = result.gates["XOR"]
    assert gate.cycle is not None
    first, again = gate.cycle
    ends = {update.epoch: (*update.weights, update.bias) for update in gate.mistakes}
    assert ends[first] == ends[again]
    assert gate.answers != gate.targets
    assert gate.epochs == 100
    assert f"Epoch {again} ends with the weights of epoch {first}" in said(story)


def test_no_weights_on_a_fine_grid_answer_xor() -> None:
    """The four inequalities contradict each other, so a search finds nothing either."""
    inputs, targets = GATES["XOR"]
    at = np.linspace(-2, 2, 41)
    w1, w2, b = (each.ravel() for each in np.meshgrid(at, at, at))
    right = [((w1 * x1 + w2 * x2 + b >= 0) == (target == 1)) for (x1, x2), target in zip(inputs, targets, strict=True)]
    assert not np.logical_and.reduce(right).any()
    assert np.logical_and.reduce(right[:3]).any()


def test_three_neurons_in_two_layers_answer_xor() -> None:
    assert told()[1].two_layers == GATES["XOR"][1]
    assert told(epochs=1)[1].two_layers is None
    assert told(gate="AND")[1].two_layers is None


def test_each_line_of_the_table_obeys_the_rule() -> None:
    story, result = told(gate="AND", lr=0.5)
    (table,) = [block for block in story.blocks if isinstance(block, Table) and "mistakes" in block.title]
    assert len(table.rows) == len(result.gates["AND"].mistakes)
    before = np.zeros(3)
    for row in table.rows:
        line = dict(zip(table.headings, row, strict=True))
        x, change, after = (numbers(line[key]) for key in ("x", "Δw", "w after"))
        error = int(line["target"]) - int(line["answer"])
        assert number(line["error"]) == error
        assert change == [0.5 * error * each for each in x]
        assert after == (before[:2] + change).tolist()
        before = np.array([*after, before[2] + 0.5 * error])
        assert number(line["b after"]) == before[2]


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def numbers(text: str) -> list[float]:
    return [number(part) for part in text.strip("[]").split(",")]


def test_too_few_epochs_are_said() -> None:
    story, result = told(gate="AND", epochs=1)
    assert not result.gates["AND"].learned
    assert "AND is not learned yet" in said(story)
    assert "1 epoch did not suffice" in closing(story)
    story, _ = told(gate="XOR", epochs=2)
    assert "none has ended yet with the weights of an earlier one" in said(story)


def test_a_long_way_is_shortened() -> None:
    story, result = told(gate="and", lr=0.03, seed=2)
    assert len(result.gates["AND"].mistakes) > 18
    (table,) = [block for block in story.blocks if isinstance(block, Table) and "mistakes" in block.title]
    assert len(table.rows) == 18
    assert ("…",) * 10 in table.rows


def test_the_seed_draws_the_first_weights() -> None:
    zeros, drawn, again = (told(gate="OR", **s)[1].gates["OR"] for s in ({}, {"seed": 1}, {"seed": 1}))
    assert drawn.learned
    assert drawn.weights.tolist() == again.weights.tolist() != zeros.weights.tolist()


def test_pictures() -> None:
    story, _ = told(pictures=True)
    assert_labelled(story, "lines", "xor-lines", "mistakes")
    assert [axis.get_title() for axis in story.pictures[0].figure.axes] == ["AND", "OR", "NAND", "NOT"]
    story, _ = told(gate="not", pictures=True)
    assert_labelled(story, "lines")
    story, _ = told(gate="xor", pictures=True, epochs=1)
    assert_labelled(story, "xor-lines")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gate": "XORR"}, "did you mean 'XOR'"),
        ({"lr": 0.0}, "lr must be"),
        ({"lr": float("nan")}, "lr must be"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        told(**settings)
