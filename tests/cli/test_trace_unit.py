"""``pellucid trace --unit``: patch, filter and products as they are printed multiply and add up."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid as package
from pellucid.cli.trace_unit import backward_of_unit, forward_of_unit
from pellucid.explanation.words.pooling import winner
from pellucid.inspection.trace_unit import address, every_step, find_unit, taken_by
from pellucid.network import MaxPool2d
from pellucid.network.layers.convolution import Convolution
from tests.drawings import save_classes
from tests.explanation.maps import every_map_kind
from tests.running import pellucid


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def grids(lines: list[str]) -> list[list[list[str]]]:
    """The rows of the tables that stand side by side, as their cells."""
    found: list[list[list[str]]] = []
    for line in lines:
        cells = [block.split() for block in re.split(r"\s{4,}", line.strip())]
        numeric = all(re.fullmatch(r"[·−\d.e+]+", cell) for block in cells for cell in block)
        if numeric and len(cells) >= 3:
            found[-1].append([cell for block in cells for cell in block])
        elif "filter w" in line:
            found.append([])
    return found


def test_products_are_patch_times_filter_and_sum_to_the_output() -> None:
    _, steps = every_map_kind()
    convolutions = [step for step in every_step(steps) if isinstance(step.work.layer, Convolution)]
    assert len(convolutions) == 3
    for step in convolutions:
        for k in (0, len(step.work.outputs) - 1):
            lines = forward_of_unit(step, k, 100)
            totals = []
            for table in grids(lines):
                rows = [[0.0 if cell == "·" else number(cell) for cell in row] for row in table]
                values = np.array(rows).reshape(len(rows), 3, -1)
                np.testing.assert_allclose(values[:, 0] * values[:, 1], values[:, 2], rtol=2e-3, atol=1e-3)
                totals.append(values[:, 2].sum())
            bias = step.work.parameters["bias"] if "bias" in step.work.parameters else np.zeros(99)
            channel = k // (len(step.work.outputs) // step.work.shape_out[0])
            assert sum(totals) + bias[channel] == pytest.approx(step.work.outputs[k], abs=1e-2)
            assert number(lines[-1].rpartition("= ")[2]) == pytest.approx(step.work.outputs[k], rel=1e-3)


def test_the_padding_is_a_dot_and_the_winner_has_an_arrow() -> None:
    _, steps = every_map_kind()
    step = next(step for step in steps if isinstance(step.work.layer, MaxPool2d))
    lines = forward_of_unit(step, 0, 5)
    assert lines[0] == "z of channel 1.1, rows −1 to 0, columns −1 to 0"
    assert "·" in lines[1]
    won = float(step.work.inputs[winner(step, 0)])
    (marked,) = [line for line in lines if "←" in line]
    assert number(marked.split("←")[0].split()[-1]) == pytest.approx(won, rel=1e-3)


def test_the_way_back_is_told_for_every_layer() -> None:
    _, steps = every_map_kind()
    for step in every_step(steps):
        k = int(np.abs(step.work.outputs).argmax())
        lines = backward_of_unit(step, taken_by(steps, step), k, 3)
        assert lines
        slope = number(lines[0].rpartition("= ")[2]) if "′" not in lines[0] else None
        if slope is not None:
            assert slope == pytest.approx(step.d_outputs[k], rel=1e-3, abs=1e-12)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unit")
    save_classes(folder / "shapes", 8)
    settings: dict[str, Any] = {"verdict": False, "preset": "plain", "seed": 1, "epochs": 1, "network": "cnn"}
    package.train(str(folder / "shapes"), out=folder / "run", channels=(2, 3), **settings)
    return folder / "run"


def test_pictures_are_told_in_few_lines_and_one_position_in_full(run: Path) -> None:
    whole = pellucid("trace", "run", "--row", "1", cwd=run.parent).stdout
    assert len(whole.splitlines()) < 200
    hint = re.search(r"--unit (0\.\d+,\d+,\d+)", whole)
    assert hint is not None
    one = pellucid("trace", "run", "--row", "1", "--unit", hint[1], cwd=run.parent).stdout
    assert "filter w" in one
    assert "Backward" in one
    found = json.loads(pellucid("trace", "run", "--row", "1", "--unit", hint[1], "--json", cwd=run.parent).stdout)
    traced = package.trace(run, row=1)
    step, k = find_unit(traced.steps, hint[1])
    assert found["value"] == pytest.approx(step.work.outputs[k])
    assert address(step, k) == hint[1]


def test_a_picture_file_is_traced(run: Path) -> None:
    said = pellucid("trace", "run", "shapes/cross/001.png", "--unit", "0.1,3,3", cwd=run.parent).stdout
    assert "cross/001.png" in said
    assert "The row's target is not known" in said


def test_the_page_and_a_unit_can_be_asked_for_together(run: Path) -> None:
    said = pellucid(
        "trace", "run", "--row", "1", "--unit", "1.1,0,0", "--html", "trace.html", cwd=run.parent
    ).stdout  # fmt: skip
    assert "MaxPool2d" in said
    assert "trace.html" in said
    assert (run.parent / "trace.html").is_file()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--complete"], "give --json with it"),
        (["--unit", "0.9,0,0"], "the channel must be a whole number from 1 to 2"),
        (["--unit", "0.1"], "so give 0.CHANNEL,ROW,COLUMN"),
    ],
)
def test_what_cannot_be_shown_is_an_error(run: Path, asked: list[str], said: str) -> None:
    done = pellucid("trace", "run", *asked, cwd=run.parent, code=2)
    assert said in " ".join(done.stderr.split())
