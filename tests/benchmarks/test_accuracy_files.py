"""What the accuracy benchmark has committed: times of one run, commits that exist, a report of what its files hold."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
import tarfile
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

import accuracy
import accuracy_times
from accuracy_peers.contestants import CONTESTANTS, OURS
from accuracy_peers.jobs import Key, read
from accuracy_peers.measured import SOURCES, measured
from accuracy_peers.paired import outcomes, tallied
from accuracy_peers.report import written
from accuracy_peers.tables import TABLES, names_of
from accuracy_peers.times import ORDER, SEED, SLOW, in_turn

BENCHMARKS = Path(accuracy.__file__).resolve().parent
NAMES = [who.name for who in CONTESTANTS]
QUICK = [who.name for who in CONTESTANTS if not who.cost]


def git(*command: str) -> bytes:
    done = subprocess.run(["git", *command], cwd=BENCHMARKS, capture_output=True, check=False)
    if done.returncode:
        pytest.fail(f"git {' '.join(command)}: {done.stderr.decode()}")
    return done.stdout


@pytest.fixture
def history() -> None:
    """Skips where the history is not there: a shallow clone, or a copy that was committed anew."""
    try:
        done = subprocess.run(
            ["git", "cat-file", "-e", "6d67429^{commit}"], cwd=BENCHMARKS, capture_output=True, check=False
        )
    except OSError:
        pytest.skip("git is not here")
    if done.returncode:
        pytest.skip("the history is not here")


# ── the order of a run of times ──


def test_all_contestants_of_a_table_are_timed_one_after_another() -> None:
    keys = in_turn(sorted(TABLES, reverse=True), NAMES)
    assert sorted(ORDER) == sorted(TABLES)
    tables = [table for table, _, _ in keys]
    assert list(dict.fromkeys(tables)) == list(ORDER)
    assert sum(one != other for one, other in pairwise(tables)) == len(TABLES) - 1
    for table in TABLES:
        slow = [who for who in SLOW if table in SLOW[who]]
        assert [who for name, _, who in keys if name == table] == [*QUICK, *slow]
    assert set(SLOW) == {who.name for who in CONTESTANTS if who.cost}


def test_realmlp_is_timed_on_three_tables_of_each_half() -> None:
    for half in ("development", "second"):
        assert len(set(SLOW["RealMLP-TD"]) & set(names_of(half))) == 3


def timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fits: list[Key], *given: str) -> Path:
    """Runs accuracy_times.py on the places of two tables, with made-up fits of a minute each."""
    for name in ("titanic", "concrete"):
        (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name / TABLES[name].file).touch()
    clock = iter(range(0, 6000, 60))

    def fit(key: Key, **_: Any) -> dict[str, Any] | None:
        fits.append(key)
        return dict(zip(("table", "seed", "contestant"), key, strict=True)) | {"status": "ok", "fit_cpu_s": 1.0}

    monkeypatch.setattr(accuracy_times, "run_one", fit)
    monkeypatch.setattr(accuracy_times.time, "perf_counter", lambda: float(next(clock)))
    file = tmp_path / "times.jsonl"
    command = ["accuracy_times.py", "--data", str(tmp_path / "data"), "--times", str(file), *given]
    monkeypatch.setattr(sys, "argv", command)
    accuracy_times.main()
    return file


def test_a_run_replaces_the_last_one_and_has_one_date_and_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accuracy_times, "today", lambda: "2026-11-30")
    monkeypatch.setattr(accuracy_times, "source_commit", lambda: "abcdef0")
    (tmp_path / "times.jsonl").write_text('{"table": "adult", "seed": 0, "contestant": "best"}\n', encoding="utf-8")
    fits: list[Key] = []
    lines = read(timed(tmp_path, monkeypatch, fits))
    assert list(lines) == fits
    assert {table for table, _, _ in fits} == {"titanic", "concrete"}
    assert {(line["date"], line["commit"]) for line in lines.values()} == {("2026-11-30", "abcdef0")}


def test_no_table_is_begun_after_the_given_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[Key] = []
    timed(tmp_path, monkeypatch, fits, "--minutes", "2")
    assert fits
    assert {table for table, _, _ in fits} == {"concrete"}  # all of it, and nothing of the next one


@pytest.mark.parametrize("given", [["--minutes", "0"], ["--limit", "-1"]])
def test_wrong_options_end_with_2(given: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["accuracy_times.py", *given])
    with pytest.raises(SystemExit) as ended:
        accuracy_times.main()
    assert ended.value.code == 2


# ── what is committed ──


def test_the_times_are_those_of_one_run_on_one_day() -> None:
    times = read(BENCHMARKS / "accuracy_times.jsonl")
    assert len({(line["date"], line["commit"]) for line in times.values()}) == 1
    assert {line["status"] for line in times.values()} == {"ok"}
    tables = list(dict.fromkeys(table for table, _, _ in times))
    assert [key for key in times if key[0] in tables[:-1]] == in_turn(tables[:-1], NAMES)
    assert {seed for _, seed, _ in times} == {SEED}
    for half in ("development", "second"):
        assert {who for table, _, who in times if table in names_of(half)} >= {*QUICK, "RealMLP-TD"}


def test_who_was_measured_when_counts_every_line_once() -> None:
    results = read(BENCHMARKS / "accuracy.jsonl")
    rows = measured(results)
    assert sum(len(who) * count for who, count, *_ in rows) == len(results)
    assert {(count, commits) for who, count, _, _, commits in rows if "RealMLP-TD" in who} == {
        (24, "recorded in 6d67429"), (48, "recorded in 3cbd34b"),
    }  # fmt: skip
    (ours,) = [row for row in rows if set(OURS) & set(row[0])]
    assert ours == (OURS, 72, "2026-11-22", "pellucid 0.1.0+c694d825", "source of f381279, recorded in 1f6e623")


def test_the_report_is_what_its_files_come_to(tmp_path: Path) -> None:
    results, times = (read(BENCHMARKS / f"{name}.jsonl") for name in ("accuracy", "accuracy_times"))
    peers = [who for who in NAMES if who not in (*OURS, "dummy")]
    tested = {who: outcomes(tmp_path, results, who, peers) for who in OURS}
    text = written(results, times, tallied(tested, results, peers, BENCHMARKS / "accuracy_paired.json"))

    def lines(text: str) -> list[str]:  # without the one that names this machine
        return [line for line in text.splitlines() if not line.startswith("Times are")]

    assert lines(text) == lines((BENCHMARKS / "ACCURACY.md").read_text(encoding="utf-8"))
    assert "held-out" not in text.replace("not a held-out", "").lower()


@pytest.mark.usefixtures("history")
def test_every_commit_that_the_report_names_exists() -> None:
    text = (BENCHMARKS / "ACCURACY.md").read_text(encoding="utf-8")
    commits = set(re.findall(r"(?<![+\w])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7}(?!\w)", text))
    assert set(SOURCES.values()) | {"6d67429", "3cbd34b", "1f6e623"} <= commits
    for commit in commits:
        assert git("cat-file", "-t", commit).strip() == b"commit", commit


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("name", ["accuracy", "accuracy_times"])
def test_a_version_of_ours_is_the_hash_of_the_named_commits_source(name: str) -> None:
    versions = {}
    for key, line in read(BENCHMARKS / f"{name}.jsonl").items():
        if key[2] in OURS:
            source = line["versions"]["pellucid"].partition("+")[2]
            versions[source] = line.get("commit") or SOURCES[source]
    assert versions
    root = git("rev-parse", "--show-toplevel").decode().strip()
    for source, commit in versions.items():
        packed = git("-C", root, "archive", f"{commit}:src/pellucid")
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            files = {}
            for member in archive:
                content = archive.extractfile(member)
                if content and member.name.endswith(".py"):
                    files[PurePosixPath(member.name)] = content.read()
        found = hashlib.sha256()
        for path in sorted(files):
            found.update(path.as_posix().encode() + files[path])
        assert found.hexdigest()[:8] == source, commit
