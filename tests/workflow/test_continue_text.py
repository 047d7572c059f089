"""A text is read, divided by place, learned from, measured beside n-grams, saved, resumed, and continued."""

from __future__ import annotations

import csv
import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import DataError, ModelFileError, SettingError
from pellucid.preparation.continuing import prepare_text, settings_for_text
from pellucid.runs.continuing import TextPrepared
from pellucid.runs.sequence_evidence import future_leak
from pellucid.training.events import EpochEnded, Event
from pellucid.workflow.continue_text import continues

SMALL: dict[str, Any] = {"width": 12, "embedding": 6, "length": 16, "batch_size": 8, "threads": 1}


def written(folder: Path, many: int = 500) -> Path:
    """Sentences of a few words, in which much can be guessed."""
    generator = np.random.default_rng(0)
    words = np.array(["the", "cat", "dog", "sees", "a", "bird", "runs"])
    lengths = generator.integers(2, 9, many // 5)
    lines = [" ".join(words[generator.integers(0, len(words), length)]) + ".\n" for length in lengths]
    path = folder / "input.txt"
    path.write_text("".join(lines))
    return path


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def run(text: Path, tmp_path_factory: pytest.TempPathFactory) -> pellucid.Run:
    return pellucid.train(
        text, out=tmp_path_factory.mktemp("runs") / "run", epochs=12, verdict=True, report=True, **SMALL
    )


def test_a_text_is_recognised(text: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.txt"
    table.write_text("x,y\n1,2\n3,4\n")
    assert continues(text, {})
    assert not continues(table, {})
    assert continues(table, {"task": "continuation"})
    assert not continues(text, {"target": "x"})
    assert not continues("iris", {})


def test_the_text_is_divided_by_place(text: Path) -> None:
    prepared = prepare_text(text, settings_for_text(SMALL))
    whole, ends = text.read_text(), prepared.ends
    assert prepared.tokenizer.decode(prepared.tokens.tolist()) == whole
    tenth = round(0.1 * len(whole))
    assert ends == (len(whole) - 2 * tenth, len(whole) - tenth)
    assert prepared.train.tokens.tolist() == prepared.tokens[: ends[0]].tolist()
    for rows, start, end in ((prepared.validation, *ends), (prepared.measured, ends[1], len(whole))):
        assert rows.targets[rows.targets > 0].tolist() == prepared.tokens[start:end].tolist()
    halves = prepare_text(text, settings_for_text({**SMALL, "validation": 0, "test": 0.5}))
    assert halves.ends == (len(whole) - round(len(whole) / 2),) * 2
    assert halves.measured_on == "test"
    alone = prepare_text(text, settings_for_text({**SMALL, "validation": 0, "test": 0}))
    assert alone.measured_on == "training"
    assert (alone.measured.targets > 0).sum() == len(whole) - 1


def test_it_learns_more_than_how_frequent_characters_are(run: pellucid.Run) -> None:
    frequent = run.summary["baseline"]["nats_per_token"]["value"]
    assert run.metrics["nats_per_token"] < 0.7 * frequent
    nats = run.metrics["nats_per_token"].value
    assert run.metrics["bits_per_character"].value == pytest.approx(nats / np.log(2))
    assert run.metrics["perplexity"].value == pytest.approx(np.exp(nats))
    assert run.verdict is not None
    assert [peer.name for peer in run.verdict.peers] == ["single tokens", "n-grams"]
    assert "nats a character" in run.verdict.sentence


def test_the_figures_are_those_of_the_written_network(run: pellucid.Run, text: Path) -> None:
    again = pellucid.load(run.path or "")
    prepared = prepare_text(text, settings_for_text(SMALL))
    rows = prepared.measured
    logits = again.model.logits(rows.inputs).astype(np.float64)  # type: ignore[union-attr]
    counts = rows.targets > 0
    log_p = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    nats = -log_p[counts, rows.targets[counts]]
    assert run.metrics["nats_per_token"].value == pytest.approx(nats.mean(), abs=1e-5)
    with ((run.path or Path()) / "predictions.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    np.testing.assert_allclose([float(line["nats"]) for line in lines], nats, atol=1e-4)
    assert lines[0]["place"] == str(len(text.read_text()) - len(nats))


def test_every_file_is_written_and_the_page_shows_samples(run: pellucid.Run) -> None:
    folder = run.path or Path()
    names = {"config.yaml", "log.txt", "model.safetensors", "history.csv", "metrics.json", "predictions.csv",
             "report.html", "doctor.json", "checkpoints"}  # fmt: skip
    assert names <= {each.name for each in folder.iterdir()}
    page = (folder / "report.html").read_text()
    assert "What it writes" in page
    assert "Use the " in page
    facts = json.loads((folder / "metrics.json").read_text())
    assert facts["unit"] == "character"
    before = page.count("Temperature")
    pellucid.report(folder, rows=False, out=folder / "other.html")
    assert before
    assert "Temperature" not in (folder / "other.html").read_text()


def test_a_loaded_run_and_its_model_file_go_on_alike(run: pellucid.Run) -> None:
    folder = run.path or Path()
    text = "".join(run.generate("the cat", length=80, seed=2))
    assert len(text) == 80
    assert text == "".join(pellucid.load(folder).generate("the cat", length=80, seed=2))
    assert text == "".join(pellucid.load(folder / "model.safetensors").generate("the cat", length=80, seed=2))


def test_a_run_of_rows_writes_nothing() -> None:
    other = pellucid.train("iris", preset="plain", hidden=(3,), epochs=1, verdict=False)
    with pytest.raises(SettingError, match=r"trained for multiclass.*pellucid train input\.txt"):
        other.generate("x")


@pytest.mark.parametrize("network", ["lstm", "rnn", "transformer"])
def test_other_networks(network: str, text: Path) -> None:
    other = pellucid.train(text, network=network, depth=1, heads=2, epochs=2, verdict=False, dropout=0.1, **SMALL)
    assert other.metrics["nats_per_token"] < 3
    assert len("".join(other.generate(length=40))) == 40


@pytest.mark.parametrize("units", ["words", "byte-pairs"])
def test_other_tokens(units: str, text: Path) -> None:
    more = {"vocabulary": 270} if units == "byte-pairs" else {}
    other = pellucid.train(text, text_units=units, epochs=2, **{**SMALL, **more})
    last = round(0.1 * len(text.read_text()))
    nats, tokens = other.metrics["nats_per_token"].value, other.summary["rows"]["test"]
    assert other.metrics["bits_per_character"].value == pytest.approx(nats * tokens / last / np.log(2))
    assert other.summary["unit"] == {"words": "word", "byte-pairs": "byte pair"}[units]
    assert "".join(other.generate(length=20))


def interrupting(after: int) -> Any:
    def listen(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch.epoch == after:
            signal.raise_signal(signal.SIGINT)

    return listen


def test_an_interrupted_run_resumes_to_the_same_weights(text: Path, tmp_path: Path) -> None:
    whole = pellucid.train(text, out=tmp_path / "whole", epochs=4, dropout=0.1, verdict=False, **SMALL)
    with pytest.raises(pellucid.Interrupted) as stopped:
        pellucid.train(
            text, out=tmp_path / "parts", epochs=4, dropout=0.1, verdict=False, listener=interrupting(2), **SMALL
        )
    assert stopped.value.run.summary["stopped_by"] == "interrupted"
    assert "".join(stopped.value.run.generate(length=10))
    heard: list[Event] = []
    resumed = pellucid.resume(tmp_path / "parts", listener=heard.append)
    (prepared,) = (event for event in heard if isinstance(event, TextPrepared))
    assert prepared.resumed_after in (1, 2)  # states are written at most once a second
    for name, array in whole.model.parameters.items():
        np.testing.assert_array_equal(array, resumed.model.parameters[name])
    assert pellucid.resume(tmp_path / "parts").summary["stopped_by"] == "all epochs done"


def test_a_changed_text_is_not_resumed(tmp_path: Path) -> None:
    path = written(tmp_path)
    with pytest.raises(pellucid.Interrupted):
        pellucid.train(path, out=tmp_path / "run", epochs=3, verdict=False, listener=interrupting(1), **SMALL)
    path.write_text(path.read_text().replace("cat", "cow"))
    with pytest.raises(ModelFileError, match="other data or settings"):
        pellucid.resume(tmp_path / "run")


@pytest.mark.parametrize(
    ("content", "more", "error", "said"),
    [
        ("", {}, DataError, "is empty"),
        ("\n \n", {}, DataError, "only spaces"),
        ("a", {}, DataError, "holds 1 character.*too few"),
        ("a few words only", {}, DataError, "too few to learn from"),
        ("a" * 5_000, {}, DataError, "a single character"),
        ("ab" * 100, {"length": 160}, SettingError, "160 characters .length. does not fit into the 160"),
        ("ab" * 500, {"target": "x"}, SettingError, "no target column"),
        ("ab" * 500, {"n_networks": 3}, SettingError, "one network"),
        ("ab" * 500, {"network": "cnn"}, SettingError, "cnn cannot continue a text"),
        ("ab" * 500, {"network": "gru", "bidirectional": True}, SettingError, "reads backwards"),
        ("ab" * 500, {"test_data": "other.txt"}, SettingError, "its own last part"),
    ],
)
def test_what_cannot_be_learned_from(
    content: str, more: dict[str, Any], error: type[Exception], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "input.txt"
    path.write_text(content)
    with pytest.raises(error, match=said):
        pellucid.train(path, task="continuation", out=tmp_path / "run", epochs=1, **more)
    assert not (tmp_path / "run").exists()


def test_what_is_not_a_path() -> None:
    with pytest.raises(SettingError, match="name its path"):
        pellucid.train({"text": ["a", "b"]}, task="continuation")
    with pytest.raises(DataError, match="no file"):
        pellucid.train("missing.txt", task="continuation")


def test_a_small_text_is_its_own_measure_of_minutes(text: Path) -> None:
    run = pellucid.train(text, train_minutes=0.001, verdict=False, **SMALL)
    assert run.model.facts["settings"]["epochs"] == len(run.history) >= 1


def test_a_network_that_saw_the_future_would_be_found(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None does; so the mistake is planted where it is looked for."""
    from pellucid.diagnosis.sequence_evidence import FutureLeak
    from pellucid.runs import continuing

    seen = []

    def looked(network: Any, parameters: Any, ids: Any) -> FutureLeak:
        found = future_leak(network, parameters, ids)
        assert found is not None
        seen.append(found)
        return FutureLeak(rows=found.rows, changed=found.rows, largest=1.0)

    monkeypatch.setattr(continuing, "future_leak", looked)
    run = pellucid.train(text, network="gru", width=8, epochs=1, verdict=False)
    assert (seen[0].changed, seen[0].rows > 0) == (0, True)
    assert [finding.name for finding in run.findings] == ["future-leaks"]
