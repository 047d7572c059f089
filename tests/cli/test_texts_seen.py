"""Runs on texts, seen through: trace, units, explain, check, mistakes and the report, each as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import pellucid as package
from tests.running import pellucid

_GOOD, _BAD, _REST = (
    ("great", "lovely"),
    ("awful", "dull"),
    ["the", "film", "was", "a", "story", "of", "two", "friends", "with", "music"],
)


def reviews() -> dict[str, list[str]]:
    """Sixty short texts, each with one word that tells its class."""
    texts, labels = [], []
    for k in range(60):
        words = [_REST[(k * j + j) % len(_REST)] for j in range(1, 3 + k % 5)]
        words.insert(k % len(words), (_GOOD if k % 2 else _BAD)[k // 2 % 2])
        texts.append(" ".join(words))
        labels.append("pos" if k % 2 else "neg")
    return {"review": texts, "label": labels}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts")
    lines = ["review,label", *(f"{a},{b}" for a, b in zip(*reviews().values(), strict=True))]
    (path / "reviews.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    own: dict[str, dict[str, Any]] = {"gru": {}, "transformer": {"heads": 2, "depth": 1}}
    for network, more in own.items():
        given = {"network": network, "width": 8, "epochs": 25, "dropout": 0.0, "learning_rate": 0.02, **more}
        source, out = str(path / "reviews.csv"), path / network
        package.train(source, "label", text=["review"], verdict=False, out=out, **given)
    return path


@pytest.mark.parametrize("network", ["gru", "transformer"])
def test_a_text_is_traced_and_explained(folder: Path, network: str) -> None:
    shown = pellucid("trace", network, "--row", "3", "--units", "1", cwd=folder).stdout
    assert "tokens with their numbers" in shown
    assert "Checked on this row" in shown
    assert ("unrolled" in shown) is (network == "gru")
    assert ("all heads; a line is the step that looks" in shown) is (network != "gru")
    facts = json.loads(pellucid("trace", network, "--row", "3", "--json", cwd=folder).stdout)
    assert facts["agreement"]["gradients"] < 1e-12
    assert facts["sequence"]["steps"] == reviews()["review"][3].split()
    page = pellucid("trace", network, "--row", "3", "--html", "page.html", cwd=folder).stdout
    assert "page.html" in page
    assert 'id="row"' in (folder / "page.html").read_text(encoding="utf-8")
    unit = pellucid("trace", network, "--row", "3", "--unit", "0.2,1", cwd=folder).stdout
    assert "at step 1" in unit

    explained = pellucid("explain", network, "--row", "3", "--out", "pictures", cwd=folder).stdout
    assert "What each token adds" in explained
    assert (folder / "pictures" / "row.svg").is_file()
    facts = json.loads(pellucid("explain", network, "--json", cwd=folder).stdout)
    means = {each["token"]: each["mean"] for each in facts["tokens"]}
    seen = [word for word in _GOOD if word in means], [word for word in _BAD if word in means]
    assert min(means[word] for word in seen[0]) > max(means[word] for word in seen[1])
    typed = json.loads(pellucid("explain", network, "--input", "review=a dull story", "--json", cwd=folder).stdout)
    steps = typed["integrated_gradients"]["steps"]
    assert typed["steps"] == ["a", "dull", "story"]
    assert steps[1] < 0


def test_units_check_mistakes_and_report(folder: Path) -> None:
    shown = pellucid("units", "gru", "--row", "2", cwd=folder).stdout
    assert "bit-identical with the run" in shown
    names = {path.name for path in (folder / "gru" / "units").iterdir()}
    assert {"states-1.png", "gates-1.svg", "text-1.png", "embedding.png", "units.json"} <= names
    shown = pellucid("units", "transformer", "--no-replay", "--out", "seen", cwd=folder).stdout
    assert "of its weights are on the step itself" in shown
    assert (folder / "seen" / "attention.png").is_file()
    assert "The engines agree." in pellucid("check", "gru", cwd=folder).stdout
    assert "The engines agree." in pellucid("check", "transformer", cwd=folder).stdout
    assert "Worst mistakes" in pellucid("mistakes", "transformer", cwd=folder).stdout
    pellucid("report", "gru", cwd=folder)
    page = (folder / "gru" / "report.html").read_text(encoding="utf-8")
    assert "What tokens and steps add" in page
    assert "integrated gradients say what each step adds" in page


def test_what_cannot_be_shown_is_said(folder: Path) -> None:
    for asked, said in (
        (("trace", "gru", "--unit", "1.2,99"), "the step must be a whole number from 0 to"),
        (("explain", "gru", "--row", "1", "--cover", "grey"), "cover of texts must be padding or unknown, got 'grey'"),
        (("units", "gru", "--picture", "a.png"), "they belong to a convolutional network"),
    ):
        found = pellucid(*asked, cwd=folder, code=2)
        assert said in " ".join(found.stderr.split())


def test_a_network_that_continues_texts_is_looked_at_and_checked(tmp_path: Path) -> None:
    (tmp_path / "verse.txt").write_text("the cat sat on the mat and the rat ate the oat.\n" * 60, encoding="utf-8")
    sizes = ("--width", "8", "--epochs", "1", "--length", "16")
    asked = ("train", "verse.txt", "--task", "continuation", "--network", "gru", *sizes, "--out", "run")
    pellucid(*asked, cwd=tmp_path)
    shown = pellucid("units", "run", "--row", "1", cwd=tmp_path).stdout
    assert "stretches of 16 tokens of the last tenth of verse.txt" in shown
    facts = json.loads((tmp_path / "run" / "units" / "units.json").read_text(encoding="utf-8"))
    assert len(facts["sequence"]["steps"]) == 16
    assert (tmp_path / "run" / "units" / "text-1.png").is_file()
    assert (
        "row must be a whole number from 0 to" in pellucid("units", "run", "--row", "999", cwd=tmp_path, code=2).stderr
    )
    assert "The engines agree." in pellucid("check", "run", cwd=tmp_path).stdout
