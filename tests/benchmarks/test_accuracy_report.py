"""The accuracy benchmark's comparison: ranks, targets, paired tests and a report, from made-up lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import accuracy
from accuracy_peers.comparison import behind, fields, mean_errors, mean_ranks, normalised, time_ratio
from accuracy_peers.jobs import add
from accuracy_peers.paired import Tally, outcomes, tallied, tallies
from accuracy_peers.report import LABELS, written
from accuracy_peers.tables import TABLES
from accuracy_peers.targets import targets
from accuracy_peers.worker import answers_file, truth_file

Line = dict[str, Any]
Results = dict[tuple[str, int, str], Line]


def of(table: str, seed: int, who: str, error: float, cpu: float = 1.0, **more: Any) -> Line:
    return {
        "table": table, "seed": seed, "contestant": who, "status": "ok", "error": error, "fit_cpu_s": cpu, **more,
    }  # fmt: skip


def made(*lines: Line) -> Results:
    return {(line["table"], line["seed"], line["contestant"]): line for line in lines}


def failed(table: str, seed: int, who: str) -> Line:
    return {"table": table, "seed": seed, "contestant": who, "status": "time limit of 1 s"}


# ── comparison ──

LINES = [
    *(of("abalone", seed, who, error, cpu) for seed in (0, 1) for who, error, cpu in (
        ("dummy", 1.0, 0.0), ("best", 0.5, 2.0), ("linear", 0.6, 0.5), ("LightGBM", 0.4, 1.0),
        ("RealMLP-TD", 0.55, 8.0),
    )),
    *(of("titanic", 0, who, error, cpu) for who, error, cpu in (
        ("dummy", 0.5, 0.0), ("best", 0.2, 1.0), ("linear", 0.2, 0.5), ("RealMLP-TD", 0.3, 16.0),
    )),
    failed("titanic", 0, "LightGBM"),
]  # fmt: skip


def test_ranks_share_ties_and_put_failures_last() -> None:
    names = ["best", "dummy", "linear", "LightGBM", "RealMLP-TD"]
    (field,) = fields(made(*LINES), ["abalone", "titanic"], names)
    assert len(field.pairs) == 3
    ranks = mean_ranks(made(*LINES), field)
    assert ranks["best"] == pytest.approx((2 + 2 + 1.5) / 3)
    assert ranks["LightGBM"] == pytest.approx((1 + 1 + 5) / 3)
    assert ranks["dummy"] == pytest.approx((5 + 5 + 4) / 3)


def test_whoever_is_measured_on_few_pairs_is_compared_apart() -> None:
    few = made(*LINES, of("titanic", 0, "TabM-D", 0.1))
    main, everybody = fields(few, ["abalone", "titanic"], ["best", "dummy", "linear", "TabM-D"])
    assert "TabM-D" not in main.contestants
    assert everybody.pairs == (("titanic", 0),)
    assert mean_ranks(few, everybody)["TabM-D"] == 1.0
    assert fields(few, ["adult"], ["best", "dummy"]) == []


def test_normalised_scores_lie_between_the_dummy_and_the_best() -> None:
    hopeless = [of("adult", 0, who, 0.5) for who in ("best", "dummy", "linear", "LightGBM", "RealMLP-TD")]
    wild = of("titanic", 0, "RealMLP-TD", 40.0)
    results = made(*LINES, *hopeless, wild)
    (field,) = fields(results, ["abalone", "titanic", "adult"], ["best", "dummy", "linear", "LightGBM", "RealMLP-TD"])
    found, left_out = normalised(results, field)
    assert left_out == ["adult"]
    assert found["dummy"] == 0.0
    assert found["best"] == pytest.approx((2 * 0.5 / 0.6 + 1) / 3)
    assert found["LightGBM"] == pytest.approx(2 / 3)
    assert found["RealMLP-TD"] == pytest.approx(2 * 0.45 / 0.6 / 3)


def test_times_and_gaps() -> None:
    results = made(*LINES)
    ratio, pairs = time_ratio(results, ["abalone", "titanic"], "RealMLP-TD", "best")
    assert (ratio, pairs) == (pytest.approx((4 * 4 * 16) ** (1 / 3)), 3)
    assert time_ratio(results, ["adult"], "RealMLP-TD", "best")[1] == 0
    gap = behind(results, "abalone", "best", ["linear", "LightGBM"])
    assert gap is not None
    assert (gap.share, gap.peer, gap.learnt) == (pytest.approx(0.1), "LightGBM", True)
    assert behind(results, "adult", "best", ["linear"]) is None
    assert mean_errors(results, "titanic", ["LightGBM", "TabM-D", "best"]) == {
        "LightGBM": None, "TabM-D": None, "best": (0.2, 1),
    }  # fmt: skip


def told(results: Results, *tables: str, times: Results | None = None) -> list[str]:
    names = ["quick", "best", "dummy", "linear", "LightGBM", "scikit-learn MLP", "RealMLP-TD", "TabM-D"]
    return [text for _, text in targets(results, results if times is None else times, tables, names, LABELS)]


def test_targets_say_what_is_missed_and_what_is_not_measured() -> None:
    rank, worse, real, tab, share, half = told(made(*LINES), "abalone", "titanic", "ctg")
    assert rank.startswith("reached (1.83) among 3 peers on 3 pairs")
    assert rank.endswith("not measured yet: scikit-learn MLP, TabM-D")
    assert worse == "missed on 1 of 2: abalone (10.0 %, LightGBM); 1 table not measured yet"
    assert real == "reached: 6.3 times, geometric mean of 3 pairs (4.0 to 16.0)"
    assert tab == share == half == "not measured yet"
    assert told({}, "abalone") == ["not measured yet"] * 6


def test_targets_on_times_look_at_the_run_of_times_alone() -> None:
    times = made(of("titanic", 0, "best", 0.2, 2.0), of("titanic", 0, "RealMLP-TD", 0.3, 6.0))
    found = told(made(*LINES), "abalone", "titanic", times=times)
    assert found[2] == "missed: 3.0 times, on 1 pair alone"
    assert found[0].startswith("reached (1.83)")
    assert told(made(*LINES), "abalone", times={})[2] == "not measured yet"


def test_a_table_that_nobody_learns_is_named_as_such() -> None:
    results = made(*(of("ctg", 0, who, error) for who, error in (("best", 2.0), ("dummy", 1.0), ("linear", 1.5))))
    assert told(results, "ctg")[1] == "missed on 1 of 1: ctg (50.0 %, linear; the dummy is better than all)"


def test_targets_on_quick() -> None:
    lines = [of(name, 0, "scikit-learn MLP", 0.5, 4.0) for name in sorted(TABLES)[:5]]
    lines += [
        of(name, 0, "quick", error, 1.0) for name, error in zip(sorted(TABLES)[:5], [0.4] * 4 + [0.6], strict=True)
    ]
    found = told(made(*lines), *sorted(TABLES)[:5])
    assert found[4] == "reached: on 4 of 5; not on california_housing"
    assert found[5] == "reached: 0.25 of it, geometric mean of 5 pairs (0.25 to 0.25)"


# ── paired tests and report ──


@pytest.fixture
def kept(tmp_path: Path) -> Callable[..., None]:
    """Keeps made-up answers for 200 rows of abalone."""
    truth = np.random.default_rng(0).normal(size=200)
    np.savez(truth_file(tmp_path, "abalone", 0), truth=truth)

    def keep(who: str, noise: float, seed: int) -> None:
        answers = truth + noise * np.random.default_rng(seed).normal(size=200)
        np.savez(answers_file(tmp_path, "abalone", 0, who), answers=answers.astype(np.float32))

    return keep


def test_wins_ties_losses_and_answers_not_kept(tmp_path: Path, kept: Callable[..., None]) -> None:
    for who, noise, seed in (("best", 0.5, 1), ("linear", 1.0, 2), ("XGBoost", 0.5, 3), ("LightGBM", 0.1, 4)):
        kept(who, noise, seed)
    peers = ["linear", "XGBoost", "LightGBM", "CatBoost"]
    results = made(*(of("abalone", 0, who, 0.5) for who in ["best", *peers]))
    found = outcomes(tmp_path, results, "best", peers)
    counted = tallies(found, ["abalone"], peers)
    assert [(t.wins, t.ties, t.losses, t.untested) for t in counted.values()] == [
        (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1),
    ]  # fmt: skip
    assert tallies(found, ["adult"], peers)["linear"].wins == 0
    assert outcomes(tmp_path, results, "best", peers) == found
    kept("linear", 0.01, 5)  # measured again: an old outcome must not stand
    os.utime(answers_file(tmp_path, "abalone", 0, "linear"), ns=(1, 1))
    assert tallies(outcomes(tmp_path, results, "best", peers), ["abalone"], peers)["linear"].losses == 1


def test_the_report_shows_the_best_and_what_is_missing() -> None:
    text = written(made(*LINES), {}, {"development": {"best": {"linear": Tally(wins=1)}}})
    (line,) = [each for each in text.splitlines() if each.startswith("| abalone (")]
    assert "**0.4000**" in line
    assert line.count("**") == 2
    (line,) = [each for each in text.splitlines() if each.startswith("| titanic (")]
    assert "failed" in line
    assert "| linear | 1 | 0 | 0 | 0 |" in text
    assert "- LightGBM on titanic, seed 0: time limit of 1 s." in text
    assert "- TabM-D: 72 of 72 pairs not measured yet." in text
    assert "ours (best)" in text
    assert "Nothing is measured on these tables yet." in text
    assert text.count("No fit was timed on these tables.") == 2


def test_times_come_from_their_own_run_and_say_on_how_many_tables() -> None:
    run = {"date": "2026-11-30", "commit": "abcdef0", "versions": {"pellucid": "1"}}
    times = made(
        *(of(table, 0, who, 0.5, cpu, **run) for table in ("abalone", "titanic") for who, cpu in
          (("dummy", 0.0), ("best", 4.0), ("linear", 2.0))),
        of("abalone", 0, "RealMLP-TD", 0.55, 10.0, **run),
    )  # fmt: skip
    text = written(made(*LINES), times, {})
    assert "on 2 of the 12 tables: abalone, titanic." in text
    assert "RealMLP-TD was timed only on abalone. TabM-D was not timed on these tables." in text
    assert "| ours (best) | 4.00 (2) |  |" in text
    assert "| linear | 2.00 (2) | 2.00 (2) |" in text
    assert "| RealMLP-TD | 10.00 (1) | 0.40 (1) |" in text
    assert "missed: 2.5 times, on 1 pair alone" in text
    assert "| times: ours (best), dummy, linear | 2 each | 2026-11-30 | pellucid 1 | source of abcdef0 |" in text
    assert "in 1 of 2 fits of Pellucid, not in ours (best) on titanic (the largest difference is 0.3000); in 2" in text


def test_tallies_stand_in_for_answers_only_while_the_errors_are_the_same(
    tmp_path: Path, kept: Callable[..., None]
) -> None:
    for who, noise, seed in (("best", 0.5, 1), ("linear", 1.0, 2)):
        kept(who, noise, seed)
    store, peers = tmp_path / "tallies.json", ["linear"]
    results = made(of("abalone", 0, "best", 0.5), of("abalone", 0, "linear", 0.6))

    def found(results: Results) -> Tally:
        tested = {"best": outcomes(tmp_path, results, "best", peers)}
        return tallied(tested, results, peers, store)["development"]["best"]["linear"]

    assert found(results) == Tally(wins=1)
    answers_file(tmp_path, "abalone", 0, "linear").unlink()
    assert found(results) == Tally(wins=1)
    assert found(results | made(of("abalone", 0, "linear", 0.7))) == Tally(untested=1)
    assert found(results) == Tally(wins=1)  # and what was kept stays


def test_nothing_tested_keeps_no_tallies(tmp_path: Path) -> None:
    assert tallied({"best": {}}, {}, ["linear"], tmp_path / "tallies.json")["second"]["best"] == {"linear": Tally()}
    assert not (tmp_path / "tallies.json").exists()


def test_the_command_writes_a_report_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "ACCURACY.md"
    add(tmp_path / "lines", of("abalone", 0, "quick", 0.5, versions={"pellucid": "1"}))
    monkeypatch.setattr(
        sys, "argv",
        ["accuracy.py", "--report-only", "--results", str(tmp_path / "lines"), "--answers", str(tmp_path),
         "--times", str(tmp_path / "times"), "--out", str(out)],
    )  # fmt: skip
    accuracy.main()
    assert "ours (quick)" in out.read_text(encoding="utf-8")
