"""The benchmark on pictures: all contestants are there, build the same network, and what is written keeps the file."""

from __future__ import annotations

import doctest
import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peers.job import Job
from peers.measure import Measured, Table
from peers.pictures import tables
from peers.pictures.entries import ANSWERING, CONVOLUTIONS, LEARNING, ROUNDED
from peers.pictures.job import PictureJob, normalised
from pellucid.network import cnn

JOB = PictureJob(name="small", widths=(80, 3), shape_of=(1, 8, 10), channels=(4, 6), depth=2, batch=8, rows=24)


def made(name: str) -> Any:
    who = next(each for each in (*LEARNING, *ROUNDED, *ANSWERING, CONVOLUTIONS) if each.name == name)
    module, _, maker = who.make.partition(":")
    return getattr(importlib.import_module(module), maker)(JOB, JOB.arrays())


def test_every_entry_names_something_that_exists() -> None:
    everybody = (*LEARNING, *ROUNDED, CONVOLUTIONS)
    assert len({who.name for who in everybody}) == len(everybody)
    for who in (*everybody, *ANSWERING):
        module, _, name = who.make.partition(":")
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        assert f"class {name}(" in Path(spec.origin).read_text(encoding="utf-8")


def test_examples_run() -> None:
    assert doctest.testmod(importlib.import_module("peers.pictures.job")).failed == 0


def test_a_job_of_pictures_comes_back_from_json() -> None:
    assert Job.from_json(JOB.to_json()) == JOB


def test_the_plain_loop_has_the_network_of_cnn() -> None:
    from peers.pictures.plain import module

    network = cnn(JOB.shape_of, JOB.channels, JOB.classes, depth=JOB.depth)
    shapes = [tuple(p.shape) for p in module(JOB).parameters()]
    assert shapes == [p.shape for p in network.trainable()]


def test_all_start_from_the_same_numbers() -> None:
    pixels = np.array([[[[0], [255]]]], np.uint8)
    np.testing.assert_allclose(normalised(pixels)[0, 0, 0], [-0.1307 / 0.3081, (1 - 0.1307) / 0.3081], rtol=1e-5)


@pytest.mark.parametrize("name", ["fused_pictures", "torch_pictures", "plain_pictures", "last_pictures", "fused_bf16"])
def test_contestants_learn_and_answer(name: str) -> None:
    contestant = made(name)
    inputs, count = contestant.inputs_for("5")
    before = contestant.probabilities(inputs)
    assert contestant.steps(3) == 3
    after = contestant.probabilities(inputs)
    assert before.shape == after.shape == (count, 3)
    assert np.abs(after - before).max() > 1e-6
    np.testing.assert_allclose(after.sum(axis=1), 1, rtol=1e-3)


def test_the_loader_gives_what_the_others_have_in_memory() -> None:
    pytest.importorskip("PIL")
    from peers.pictures.loader import Pictures

    arrays = JOB.arrays()
    picture, target = Pictures(arrays.x, arrays.y)[3]
    np.testing.assert_allclose(picture.numpy(), normalised(arrays.x)[3], rtol=1e-5, atol=1e-6)
    assert target == arrays.y[3]


def test_the_convolutions_alone_are_a_contestant() -> None:
    assert made("convolutions").steps(2) == 2


def steps(**values: float) -> Table:
    return {name: Measured(values=[value] * 3, facts={"timed": "a step"}) for name, value in values.items()}


def test_the_section_says_who_is_ahead() -> None:
    found = steps(fused_pictures=20e3, plain_pictures=30e3, jax_pictures=10e3, convolutions=15e3)
    text = "\n".join(tables.section({"the network": found}, {}, threads=2, how="how"))
    assert "A step of the network: JAX, compiled loop takes 10 ms, ours at best 20 ms (2.00 times as long)." in text
    assert "would take 75 % alone" in text
    assert "| **Pellucid, fused** | 1.50× |" in text
    ahead = tables.section({"the network": steps(fused_pictures=1.0, jax_pictures=2.0)}, {}, threads=2, how="how")
    assert "Nowhere in what was measured, by more than three in a hundred." in ahead


def test_results_has_the_factors_and_says_who_is_ahead() -> None:
    found = steps(fused_pictures=20e3, plain_pictures=30e3, keras_pictures=10e3)
    text = "\n".join(tables.rows({"the network": found}, {}))
    assert "| **Pellucid, fused** | 1.50× |" in text
    assert "Keras on JAX takes 10 ms" in text


def test_other_sections_of_the_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "IMAGES.md"
    tables.put(path, "How fast it trains", ["one"])
    assert path.read_text(encoding="utf-8") == "# Pictures\n\n## How fast it trains\n\none\n"
    path.write_text("# Pictures\n\n## A\n\na\n\n## How fast it trains\n\nold\n\n## B\n\nb\n", encoding="utf-8")
    tables.put(path, "How fast it trains", ["new"])
    text = path.read_text(encoding="utf-8")
    assert text == "# Pictures\n\n## A\n\na\n\n## How fast it trains\n\nnew\n\n## B\n\nb\n"
