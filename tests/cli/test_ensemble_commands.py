"""Ensembles and the lottery as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.running import pellucid


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of five networks."""
    path = tmp_path_factory.mktemp("ensemble")
    shown = pellucid(
        "train", "iris", "--preset", "plain", "--n-networks", "5", "--epochs", "5", "--out", "five", cwd=path
    ).stdout
    for piece in ("Ensemble of 5 networks, by seeds", "mean network", "5 networks", "times as long as"):
        assert piece in shown, piece
    return path


def test_what_reads_a_run_reads_an_ensemble(folder: Path) -> None:
    shown = pellucid("inspect", "five", cwd=folder).stdout
    for piece in ("5 networks of this shape", "Ensemble of 5 networks", "times as long as one", "first network"):
        assert piece in " ".join(shown.split()), piece
    of_file = pellucid("inspect", "five/model.safetensors", cwd=folder).stdout
    assert "Ensemble of 5" in of_file
    assert "times as long" not in of_file  # a model file keeps nothing of the machine's speed
    facts = json.loads(pellucid("inspect", "five", "--json", cwd=folder).stdout)
    assert (facts["n_networks"], len(facts["histories"])) == (5, 5)
    assert len(pellucid("predict", "five", "iris", cwd=folder).stdout.splitlines()) == 151
    assert "log loss" in pellucid("evaluate", "five", "iris", cwd=folder).stdout
    assert "agree" in pellucid("check", "five", cwd=folder).stdout


def test_folds_and_their_errors(folder: Path) -> None:
    done = pellucid("train", "iris", "--n-networks", "3", "--ensemble", "folds", "--epochs", "3", cwd=folder)
    assert "by folds" in done.stdout
    assert "the preprocessing is fitted once" in " ".join(done.stdout.split())
    done = pellucid("train", "iris", "--preset", "plain", "--ensemble", "folds", cwd=folder, code=2)
    assert "needs n_networks from 2 to 100" in done.stderr


def test_an_ensemble_that_lies_is_refused_by_inspect(folder: Path) -> None:
    """`inspect` prints what a file says of its metrics; where that is nonsense, it says so."""
    from pellucid.io import safe_tensors

    arrays, metadata = safe_tensors.read(folder / "five" / "model.safetensors")
    document = json.loads(metadata["pellucid"])
    for nonsense in ("five", {"how": "seeds"}, [1]):
        document["metrics"]["ensemble"] = nonsense
        path = folder / "other.safetensors"
        safe_tensors.write(path, arrays, {"format": "pellucid", "pellucid": json.dumps(document)})
        assert "not written by Pellucid" in pellucid("inspect", path, cwd=folder, code=2).stderr


def test_the_lottery(folder: Path) -> None:
    plain = ("--preset", "plain", "--epochs", "3")
    done = pellucid("lottery", "iris", "--seeds", "5", *plain, "--out", "luck", cwd=folder)
    shown = " ".join(done.stdout.split())
    for piece in ("drawn anew", "The seed changes accuracy by ±", "5 seeds", "Next: pellucid train iris"):
        assert piece in shown, piece
    assert "--n-networks 10" in shown
    assert (folder / "luck" / "lottery.png").stat().st_size > 5_000
    facts = json.loads(pellucid("lottery", "five", "--seeds", "5", "--epochs", "2", "--json", cwd=folder).stdout)
    assert facts["seeds"]["runs"] == 5
    for wrong in (["iris", "--seeds", "2"], ["iris", "--out", "luck"], ["iris", "--metric", "rmse"], []):
        pellucid("lottery", *wrong, cwd=folder, code=2)
