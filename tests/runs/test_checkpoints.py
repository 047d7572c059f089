"""A checkpoint that was damaged or altered: our own error or a run like any other, never another exception."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import ModelFileError
from pellucid.io import safe_tensors
from pellucid.preparation.members import prepare_run
from pellucid.runs import checkpoint
from pellucid.settings.settings import Settings
from tests.listening import StopAfter
from tests.running import pellucid as command

QUICK: dict[str, Any] = {
    "hidden": (4,), "epochs": 6, "preset": "plain", "verdict": False, "batch_norm": True, "optimizer": "adam",
}  # fmt: skip
Facts, Arrays = dict[str, Any], dict[str, np.ndarray]


class _StopError(Exception):
    pass


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was broken off after five of six epochs, all saved."""
    out = tmp_path_factory.mktemp("broken") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint.Checkpointer.__init__, "__defaults__", (0.0,))
        with pytest.raises(_StopError):
            pellucid.train("iris", out=out, listener=StopAfter(5, _StopError), engine="textbook", **QUICK)
    return out


@pytest.fixture
def run(broken: Path, tmp_path: Path) -> Path:
    shutil.copytree(broken, tmp_path / "run")
    return tmp_path / "run"


def altered(file: Path, change: Callable[[Facts, Arrays], None]) -> None:
    """Write the checkpoint again, its checksum right, with something changed."""
    found, metadata = safe_tensors.read(file)
    arrays = {name: np.array(array) for name, array in found.items()}
    facts = json.loads(metadata["checkpoint"])
    change(facts, arrays)
    safe_tensors.write(file, arrays, {**metadata, "checkpoint": json.dumps(facts)})


def put(*path: Any) -> Callable[[Facts, Arrays], None]:
    """Set a value of the facts; the last is the value."""

    def change(facts: Facts, arrays: Arrays) -> None:
        place: Any = facts
        for step in path[:-2]:
            place = place[step]
        place[path[-2]] = path[-1]

    return change


def array(group: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Facts, Arrays], None]:
    """Change the first array whose name begins so."""

    def changed(facts: Facts, arrays: Arrays) -> None:
        name = next(n for n in sorted(arrays) if n.startswith(group))
        arrays[name] = change(arrays[name])

    return changed


def first_is(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(found: np.ndarray) -> np.ndarray:
        found.flat[0] = value
        return found

    return change


def without(group: str) -> Callable[[Facts, Arrays], None]:
    def change(facts: Facts, arrays: Arrays) -> None:
        for name in [n for n in arrays if n.startswith(group)]:
            del arrays[name]

    return change


DAMAGES: dict[str, Callable[[Facts, Arrays], None]] = {
    "epoch below 0": put("epoch", -1),
    "epoch 0": put("epoch", 0),
    "epoch beyond the plan": put("epoch", 7),
    "epoch true": put("epoch", True),
    "epoch a text": put("epoch", "5"),
    "epoch not a number": put("epoch", math.nan),
    "epoch huge": put("epoch", 10**30),
    "history too short": lambda facts, arrays: facts["history"].pop(),
    "history empty": put("history", []),
    "history no list": put("history", 3),
    "history of texts": put("history", ["a"] * 5),
    "history out of order": lambda facts, arrays: facts["history"].reverse(),
    "a loss not a number": put("history", 2, "validation_loss", math.nan),
    "a loss infinite": put("history", 2, "train_loss", math.inf),
    "a loss true": put("history", 2, "train_loss", True),
    "a loss a text": put("history", 2, "train_loss", "0.1"),
    "a score a list": put("history", 2, "validation_score", [1]),
    "a time below 0": put("history", 2, "seconds", -1.0),
    "a line with another field": put("history", 2, "more", 1),
    "stopping of another history": put("stopping", "best_epoch", 0),
    "stopping that waited": put("stopping", "waited", 99),
    "stopping with a best loss of −∞": put("stopping", "best_loss", -math.inf),
    "stopping with another patience": put("stopping", "patience", 1),
    "stopping no mapping": put("stopping", 3),
    "a schedule's scale not a number": put("plateau", "scale", math.nan),
    "a schedule's scale of 0": put("plateau", "scale", 0.0),
    "a schedule of texts": put("plateau", "best", "x"),
    "another field": put("more", 1),
    "a field less": lambda facts, arrays: facts.pop("plateau") and None,
    "a newer format": put("format", 2),
    "another run's": put("fingerprint", "0" * 64),
    "no optimizer memory": without("memory"),
    "no steps": without("memory/step"),
    "a part of the memory": without("memory/0.weight.exp_avg_sq"),
    "no weights": without("parameters"),
    "no best weights": without("best"),
    "weights not a number": array("parameters/", first_is(math.nan)),
    "best weights infinite": array("best/", first_is(math.inf)),
    "memory not a number": array("memory/0.weight.exp_avg", first_is(math.nan)),
    "squares below 0": array("memory/0.weight.exp_avg_sq", first_is(-1.0)),
    "squares not a number": array("memory/0.weight.exp_avg_sq", first_is(math.nan)),
    "a variance below 0": array("parameters/1.running_var", first_is(-1.0)),
    "weights of another shape": array("parameters/0.weight", lambda a: a[:1].copy()),
    "best weights of another shape": array("best/0.weight", lambda a: a[:1].copy()),
    "memory of another shape": array("memory/0.weight.exp_avg", lambda a: a[:1].copy()),
    "whole numbers for weights": array("parameters/0.weight", lambda a: a.astype(np.int64)),
    "whole numbers for memory": array("memory/0.weight.exp_avg", lambda a: a.astype(np.int64)),
    "steps below 0": array("memory/step", lambda a: np.array(-5)),
    "steps of 0": array("memory/step", lambda a: np.array(0)),
    "steps that fit no epochs": array("memory/step", lambda a: np.array(7)),
    "several steps": array("memory/step", lambda a: np.array([5, 5])),
    "steps with a fraction": array("memory/step", lambda a: np.array(5.0)),
    "an array of no group": lambda facts, arrays: arrays.update(x=np.zeros(2)),
    "an array of another network": lambda facts, arrays: arrays.update({"parameters/9.weight": np.zeros(2)}),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_a_value_that_no_checkpoint_has(name: str, run: Path) -> None:
    file = run / "checkpoints" / checkpoint.CHECKPOINT
    altered(file, DAMAGES[name])
    before = file.read_bytes()
    with pytest.raises(ModelFileError, match=checkpoint.CHECKPOINT) as caught:
        pellucid.resume(run)
    assert "start a new run" in str(caught.value) or "this version reads" in str(caught.value)
    assert file.read_bytes() == before


def test_the_command_says_it_in_a_line(run: Path) -> None:
    altered(run / "checkpoints" / checkpoint.CHECKPOINT, without("memory"))
    done = command("train", run, "--resume", "-q", cwd=run.parent, code=2)
    assert "its memory is not that of adam and this run's network" in done.stderr
    assert "remove it and resume" in done.stderr


def test_an_unaltered_one_is_read(run: Path) -> None:
    altered(run / "checkpoints" / checkpoint.CHECKPOINT, lambda facts, arrays: None)
    assert len(pellucid.resume(run).history) == 6


def test_squares_beyond_float32_are_read(run: Path) -> None:
    altered(run / "checkpoints" / checkpoint.CHECKPOINT, array("memory/0.weight.exp_avg_sq", first_is(math.inf)))
    assert len(pellucid.resume(run).history) == 6


VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    7,
    10**30,
    0.5,
    -0.5,
    math.nan,
    math.inf,
    -math.inf,
    "",
    "x",
    [],
    [1],
    {},
    {"a": 1},
]


def spoil(draw: random.Random, facts: Facts, arrays: Arrays) -> None:
    """Change something, anywhere."""
    if draw.random() < 0.6:
        place: Any = facts
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw.choice(keys)
            if isinstance(place[key], dict | list) and place[key] and draw.random() < 0.8:
                place = place[key]
                continue
            if draw.random() < 0.15:
                del place[key]
            else:
                place[key] = copy.deepcopy(draw.choice(VALUES))
            return
    name = draw.choice(sorted(arrays))
    found = arrays[name]
    match draw.randrange(6):
        case 0:
            del arrays[name]
        case 1:
            arrays[name] = np.zeros(draw.choice([(), (0,), (1,), (2, 3)]), found.dtype)
        case 2:
            arrays[name] = found.astype(draw.choice([np.float64, np.int64, np.bool_, np.uint8]))
        case 3 if found.size and found.dtype.kind == "f":
            arrays[name].flat[draw.randrange(found.size)] = draw.choice([math.nan, math.inf, -math.inf, -1.0])
        case 4:
            arrays[draw.choice([name + "x", "best/" + name, "x/y", "memory/step"])] = found
        case _:
            arrays[name] = -found if found.dtype.kind in "fi" else found


@pytest.mark.parametrize("seed", range(10))
def test_damaged_at_random(seed: int, broken: Path, tmp_path: Path) -> None:
    """Thirty checkpoints a seed; most are refused, and what is not refused trains to its end."""
    draw = random.Random(seed)
    whole = (broken / "checkpoints" / checkpoint.CHECKPOINT).read_bytes()
    run, refused = tmp_path / "run", 0
    for _ in range(30):
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(broken, run)
        file = run / "checkpoints" / checkpoint.CHECKPOINT
        if draw.random() < 0.2:
            torn = bytearray(whole[: draw.randrange(len(whole))] if draw.random() < 0.5 else whole)
            for _ in range(draw.randrange(4)):
                if torn:
                    torn[draw.randrange(len(torn))] = draw.randrange(256)
            file.write_bytes(torn)
        else:
            altered(file, lambda facts, arrays: spoil(draw, facts, arrays))
        try:
            assert len(pellucid.resume(run).history) == 6
        except ModelFileError:
            refused += 1
    assert refused > 15


# ── networks of an ensemble that are trained ──


OUTCOMES: dict[str, Callable[[Facts, Arrays], None]] = {
    "best epoch below 0": put("best_epoch", -1),
    "best epoch 0": put("best_epoch", 0),
    "best epoch beyond": put("best_epoch", 99),
    "best epoch true": put("best_epoch", True),
    "no reason": put("reason", None),
    "another reason": put("reason", "the moon"),
    "interrupted": put("reason", "interrupted"),
    "a list for a reason": put("reason", ["early stopping"]),
    "a problem with a happy end": put("problem", "x"),
    "diverged without a problem": put("reason", "diverged"),
    "no history": put("history", []),
    "a loss not a number": put("history", 0, "validation_loss", math.nan),
    "another field": put("more", 1),
    "weights not a number": array("best/", first_is(math.nan)),
    "weights of another shape": array("best/0.weight", lambda a: a[:1].copy()),
    "more weights": lambda facts, arrays: arrays.update({"memory/step": np.array(1)}),
}


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ensemble that was broken off in its second network."""
    out = tmp_path_factory.mktemp("ensemble") / "run"
    with pytest.raises(_StopError):
        pellucid.train("iris", out=out, listener=StopAfter(8, _StopError), engine="textbook", n_networks=2, **QUICK)
    assert (out / "checkpoints" / "network-1.safetensors").exists()
    return out


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_network_that_is_altered(name: str, ensemble: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(ensemble, run)
    altered(run / "checkpoints" / "network-1.safetensors", OUTCOMES[name])
    with pytest.raises(ModelFileError, match=r"network-1\.safetensors .* start a new run"):
        pellucid.resume(run)
    (run / "checkpoints" / "network-1.safetensors").unlink()
    assert len(pellucid.resume(run).histories) == 2


# The settings that the fingerprint of a checkpoint is made of: those of the first version that wrote one.
FORMER = """
    activation batch_norm batch_size bins bins_by boolean categorical class_weight clip_norm comment date
    day_first decimal device drop dropout edit_labels encoding engine ensemble epochs group header header_row
    hidden huber_delta image_channels image_size init init_scale keep label_smoothing learning_rate loss
    max_categories max_unpacked max_words missing momentum n_networks names number_encoding numeric optimizer
    patience precision preset products rare_below report rows sample_weight scaling schedule schedule_every
    schedule_gamma seed separator sheet table target target_transform task test test_data text text_units
    thousands threads time trim validation verdict weight_decay
"""


def test_checkpoints_of_the_first_version_belong_to_the_same_run() -> None:
    """Their fingerprint is a digest of the settings of then, by their names of then, of the network and of the rows."""
    prepared = prepare_run("iris", Settings.of({**QUICK, "target": "species", "engine": "textbook"}))
    former = {**prepared.settings.to_json(), "engine": "numpy"}
    digest = hashlib.sha256(repr(sorted((name, former[name]) for name in FORMER.split())).encode())
    digest.update(repr(prepared.network.to_json()).encode())
    train, validation, measured = prepared.train, prepared.validation, prepared.measured
    for array in (
        train.inputs, train.targets, validation.inputs, validation.targets, measured.inputs, measured.truth
    ):  # fmt: skip
        digest.update(np.ascontiguousarray(array).data)
    assert prepared.fingerprint() == digest.hexdigest()
    assert replace(prepared, settings=replace(prepared.settings, residual=True)).fingerprint() != digest.hexdigest()
