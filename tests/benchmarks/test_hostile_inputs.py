"""The campaign of hostile inputs tells what was refused from what went wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import hostile_inputs
from hostile_files import KINDS, Case, configurations, no_files
from hostile_inputs import Tally, report, run_one
from pellucid.cli import main


def test_what_a_command_came_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text("a,y\n" + "1,0\n2,1\n" * 9)
    assert run_one(["inspect", str(tmp_path / "t.csv")])[0] == "answered"
    became, said = run_one(["inspect", str(tmp_path / "none.csv")])
    assert (became, "there is no file" in said) == ("refused", True)

    def broken(**_: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(main, "app", broken)
    became, said = run_one(["inspect", str(tmp_path / "t.csv")])
    assert (became, "RuntimeError: ours" in said) == ("failed", True)


@pytest.mark.parametrize("kind", [no_files, configurations])
def test_an_input_is_made_from_its_seed_alone(tmp_path: Path, kind: object) -> None:
    assert kind in KINDS
    cases: list[Case] = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        cases.append(kind(random.Random("3 5"), tmp_path / name))  # type: ignore[operator]
    assert cases[0].how == cases[1].how
    assert cases[0].path.name == cases[1].path.name


def test_the_page_counts_what_failed() -> None:
    tally = Tally(tried=3, slowest=1.25, peak=5_000_000)
    tally.became.update(refused=2, failed=1)
    text = report({"csv_mutated": tally}, ["csv_mutated, input 4: ended with -6"], 7, 12.0)
    assert "3 inputs were tried: 2 were refused with a word and exit code 2, 0 answered, **1 failed**" in text
    assert "| csv mutated | 3 | 2 | 0 | 1 | 1.2 | 5 |" in text
    assert "- csv_mutated, input 4: ended with -6" in text
    assert hostile_inputs.SECONDS == 60


def test_paths_that_lead_nowhere_end_with_two(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in ("x" * 5_000, str(tmp_path / "loop"), str(tmp_path / ("y" * 300)), str(tmp_path / "a\udcff")):
        for command in (["inspect", path], ["train", path, "--target", "y"], ["predict", path, path]):
            became, said = run_one(command)
            assert (became, len(said) <= 300) == ("refused", True), (command, said)
