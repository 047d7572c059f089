"""A text is trained on and continued as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pellucid.evaluation.continued import NGRAMS
from tests.running import pellucid
from tests.workflow.test_continue_text import written


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``input.txt`` and a run on it."""
    path = tmp_path_factory.mktemp("texts")
    written(path)
    small = ("--width", 8, "--length", 16, "--epochs", 4, "--threads", 1, "--verdict")
    done = pellucid("train", "input.txt", "--out", "run", *small, cwd=path)
    for piece in (
        "a text to be continued", "characters of 17 kinds", "Split by place: the first", "GRU", "4 epochs",
        "nats per token", "bits per character", NGRAMS, "Use the n-grams", "It writes (temperature 0.8):",
        "Next: pellucid generate run --temperature 0.8",
    ):  # fmt: skip
        assert piece in " ".join(done.stdout.split()), piece
    return path


def test_a_prompt_is_continued_and_a_seed_repeats_it(folder: Path) -> None:
    asked = ("generate", "run", "--prompt", "the cat", "--length", 60, "--temperature", 0.8, "--seed")
    first = pellucid(*asked, 1, cwd=folder).stdout
    assert first.startswith("the cat")
    assert len(first) == len("the cat") + 60 + 1
    assert first == pellucid(*asked, 1, cwd=folder).stdout
    assert first != pellucid(*asked, 2, cwd=folder).stdout
    narrow = pellucid("generate", "run", "--length", 9, "--top-k", 1, cwd=folder).stdout
    assert narrow == pellucid("generate", "run", "--length", 9, "--temperature", 0, cwd=folder).stdout
    assert len(pellucid("generate", "run/model.safetensors", "--top-p", 0.5, cwd=folder).stdout) == 501


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("generate", "run", "--prompt", "the Cat?"), "did not have: 'C', '?'"),
        (("generate", "run", "--temperature", -1), "temperature must be 0 (always the most probable token)"),
        (("generate", "run", "--length", 0), "length must be a whole number"),
        (("generate", "run", "--top-k", 0), "top_k must be"),
        (("generate", "run", "--top-p", 2), "top_p must be"),
        (("generate", "nowhere"), "nowhere"),
        (("predict", "run", "input.txt"), "continues texts and answers no rows"),
        (("evaluate", "run", "input.txt"), "continues texts and answers no rows"),
        (("trace", "run"), "continues texts and answers no rows"),
        (("mistakes", "run"), "is no table"),
        (("lottery", "input.txt", "--task", "continuation"), "is no table"),
    ],
)
def test_what_cannot_be_done(folder: Path, asked: tuple[object, ...], said: str) -> None:
    done = pellucid(*asked, cwd=folder, code=2)
    assert said in " ".join(done.stderr.split())
    assert done.stdout == ""


def test_a_run_on_a_table_is_not_continued(folder: Path) -> None:
    pellucid("train", "iris", "--epochs", 1, "--out", "iris", cwd=folder)
    done = pellucid("generate", "iris", cwd=folder, code=2)
    assert "trained for multiclass classification of 'species'" in done.stderr


def test_json_standard_input_and_the_report_again(folder: Path) -> None:
    text = (folder / "input.txt").read_text()
    small = ("--width", 6, "--length", 8, "--epochs", 1, "--threads", 1)
    done = pellucid("train", "-", "--task", "continuation", *small, "--json", cwd=folder, typed=text)
    facts = json.loads(done.stdout)
    assert facts["unit"] == "character"
    assert facts["metrics"]["nats_per_token"]["value"] > 0
    assert pellucid("generate", facts["run"], "--length", 5, cwd=folder).stdout
    assert "report.html" in pellucid("report", "run", cwd=folder).stdout
    assert "already finished" in pellucid("train", "run", "--resume", cwd=folder).stdout
