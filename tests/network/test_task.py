"""Reconstructions and continuations as tasks: what belongs together, and its JSON."""

from __future__ import annotations

from typing import Any

import pytest

from pellucid.errors import SettingError
from pellucid.network.task import Loss, Task


def test_a_reconstruction_has_no_target_and_as_many_outputs_as_inputs() -> None:
    task = Task.reconstruction(12)
    assert (task.outputs, task.link, task.is_classification, task.target) == (12, "identity", False, "")
    assert task.loss.name == "mse"
    for name in ("mae", "huber"):
        Task(kind="reconstruction", target="", width=3, loss=Loss(name=name))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "task",
    [Task.reconstruction(7), Task.regression("y"), Task.binary("y", (0, 1)), Task.multiclass("y", ("a", "b", "c"))],
)
def test_json_gives_the_task_back(task: Task) -> None:
    assert Task.from_json(task.to_json()) == task
    assert ("width" in task.to_json()) == (task.kind == "reconstruction")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"width": None}, "needs the width"),
        ({"width": 0}, "needs the width"),
        ({"width": True}, "needs the width"),
        ({"width": 3.0}, "needs the width"),
        ({"target": "y"}, "has no target"),
        ({"classes": ("a", "b")}, "cannot have 2 classes"),
        ({"loss": Loss(name="bce")}, "does not suit a reconstruction"),
        ({"kind": "regression"}, "width is for a reconstruction"),
    ],
)
def test_what_does_not_belong_together(changed: dict[str, Any], words: str) -> None:
    fields: dict[str, Any] = {"kind": "reconstruction", "target": "", "width": 3, "loss": Loss(name="mse")}
    with pytest.raises(SettingError, match=words):
        Task(**{**fields, **changed})


def test_json_of_other_tasks_takes_no_width() -> None:
    with pytest.raises(SettingError, match="exactly the fields"):
        Task.from_json({**Task.regression("y").to_json(), "width": 3})
    without = Task.reconstruction(3).to_json()
    del without["width"]
    with pytest.raises(SettingError, match="exactly the fields"):
        Task.from_json(without)


def test_a_continuation_has_a_logit_for_each_token() -> None:
    task = Task.continuation(67)
    assert (task.outputs, task.link, task.is_classification) == (67, "softmax", False)
    assert task.question == "continuation of texts of 67 tokens"
    assert Task.from_json(task.to_json()) == task


@pytest.mark.parametrize("wrong", [{"width": None}, {"width": 0}, {"target": "x"}, {"classes": ("a", "b")}])
def test_a_continuation_that_is_none(wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"kind": "continuation", "target": "", "width": 5, "loss": Loss(name="cross_entropy")}
    with pytest.raises(SettingError):
        Task(**{**given, **wrong})
    with pytest.raises(SettingError, match="does not suit a continuation"):
        Task(**{**given, "loss": Loss(name="mse")})
