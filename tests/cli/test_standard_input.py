"""``-`` is standard input wherever a table is named; names, sheets and limits hold in the commands that follow."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest

from pellucid.data.tables import read_table
from pellucid.errors import DataError, RunFolderError
from pellucid.model.model import Model
from pellucid.preparation.reading import MOST_BELIEVED, unpacked_for
from pellucid.reports.report import report
from pellucid.runs.rows_of_run import rows_of_run
from pellucid.settings.settings import Settings
from pellucid.workflow.train import resume, train

QUICK = {"preset": "plain", "hidden": (4,), "epochs": 3, "verdict": False, "report": False}
ROWS = [f"{i / 10},{(7 * i) % 10},{'high' if i >= 20 else 'low'}" for i in range(40)]


def pellucid(*words: object, given: bytes | None = b"", folder: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "pellucid", *map(str, words)]
    return subprocess.run(command, input=given, capture_output=True, cwd=folder, check=False)


def workbook(path: Path, sheet: str = "Data") -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["about"])
    page = book.create_sheet(sheet)
    page.append(["x", "y", "z"])
    for i, row in enumerate(ROWS):
        page.append([i / 10, (7 * i) % 10, row.split(",")[2]])
    book.save(path)
    return path.read_bytes()


def test_a_run_from_standard_input_to_standard_output(tmp_path: Path) -> None:
    content = workbook(tmp_path / "t.xlsx")
    quick = ("--preset", "plain", "--hidden", "4", "--epochs", "3", "--no-verdict", "--no-report")
    done = pellucid("train", "-", "--target", "z", "--out", "run", *quick, given=content, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "data: '-'" in (tmp_path / "run" / "config.yaml").read_text(encoding="utf-8")
    new = "\n".join(["# new rows", "x,y", "0.1,3", "3.5,2"]).encode()
    done = pellucid("predict", "run", "-", "-o", "-", given=new, folder=tmp_path)
    lines = done.stdout.decode().splitlines()
    assert (done.returncode, len(lines), lines[0].split(",")[0]) == (0, 3, "prediction")
    assert b"comment" in done.stderr
    for words in (("evaluate", "run", "-"), ("trace", "run", "-"), ("inspect", "-", "--target", "z")):
        done = pellucid(*words, given="\n".join(["x,y,z", *ROWS]).encode(), folder=tmp_path)
        assert done.returncode == 0, (words, done.stderr)
    for words in (("trace", "run"), ("report", "run"), ("check", "run"), ("doctor", "run", "--try")):
        done = pellucid(*words, given=b"x,y,z\n1,2,low\n", folder=tmp_path)
        assert (done.returncode, b"standard input, which cannot be read again" in done.stderr) == (2, True), words


def test_nothing_piped_in_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = pellucid("inspect", "-", folder=tmp_path)
    assert (done.returncode, b"standard input is empty" in done.stderr) == (2, True)

    class Terminal:
        closed = False

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(DataError, match="nothing is piped into it"):
        read_table("-")


def test_runs_of_standard_input_say_what_cannot_be_done(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["x,y,z", *ROWS]), encoding="utf-8")
    run = train(str(table), "z", out=tmp_path / "run", **QUICK)
    config = tmp_path / "run" / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace(f"data: {table}", "data: '-'"), encoding="utf-8")
    with pytest.raises(RunFolderError, match="standard input, which cannot be read again"):
        rows_of_run(tmp_path / "run", run.model)
    with pytest.raises(RunFolderError, match="standard input, which cannot be read again"):
        report(tmp_path / "run")
    (tmp_path / "run" / "metrics.json").unlink()
    with pytest.raises(RunFolderError, match="standard input, which cannot be read again"):
        resume(tmp_path / "run")


def test_names_hold_in_every_command(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join(ROWS), encoding="utf-8")
    run = train(str(path), "kind", names="x,y,kind", out=tmp_path / "run", **QUICK)
    expected = run.predict({"x": [0.1, 3.5], "y": [3, 2]}).tolist()
    new = tmp_path / "new.csv"
    for lines in (["0.1,3", "3.5,2"], ["0.1,3,low", "3.5,2,high"], ["y,x", "3,0.1", "2,3.5"]):
        new.write_text("\n".join(lines), encoding="utf-8")
        assert Model.read(tmp_path / "run").predict(new).tolist() == expected
    new.write_text("0.1,3,low,5\n3.5,2,high,6\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"names gives 3 names .* have 4 fields"):
        Model.read(tmp_path / "run").table(new)
    assert "names: [x, y, kind]" in (tmp_path / "run" / "config.yaml").read_text(encoding="utf-8")


def test_a_target_that_stands_first_may_be_left_out_without_names(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join(",".join([r.split(",")[2], *r.split(",")[:2]]) for r in ROWS), encoding="utf-8")
    run = train(str(path), "column_1", **QUICK)
    new = tmp_path / "new.csv"
    new.write_text("0.1,3\n3.5,2\n", encoding="utf-8")
    assert run.predict(new).tolist() == run.predict({"column_2": [0.1, 3.5], "column_3": [3, 2]}).tolist()


def test_sheets_tables_and_lines_are_tried_on_new_files_and_can_be_said(tmp_path: Path) -> None:
    workbook(tmp_path / "t.xlsx")
    run = train(str(tmp_path / "t.xlsx"), "z", sheet="Data", **QUICK)
    expected = run.model.predict({"x": [i / 10 for i in range(40)], "y": [(7 * i) % 10 for i in range(40)]}).tolist()
    workbook(tmp_path / "new.xlsx", sheet="Other")
    table = run.model.table(tmp_path / "new.xlsx")
    assert any("there is no sheet 'Data' here, so 'Other' was read" in note for note in table.report.notes)
    assert run.model.predict(table).tolist() == expected
    with pytest.raises(DataError, match="there is no sheet 'Gone'"):
        run.model.table(tmp_path / "new.xlsx", how={"sheet": "Gone"})
    with closing(sqlite3.connect(tmp_path / "new.db")) as made:
        for name in ("a", "b"):
            made.execute(f"CREATE TABLE {name} (x, y)")
            made.execute(f"INSERT INTO {name} VALUES (0.1, 3)")
        made.commit()
    assert run.model.table(tmp_path / "new.db", how={"table": "b"}).n_rows == 1
    titled = tmp_path / "titled.csv"
    titled.write_text("\n".join(["a,b,c", "d,e,f", "x,y,z", *ROWS]), encoding="utf-8")
    run = train(str(titled), "z", header_row=3, **QUICK)
    assert run.model.table(titled).n_rows == 40
    plain = tmp_path / "plain.csv"
    plain.write_text("\n".join(["x,y", "0.1,3", "3.5,2", "1,2", "2,3"]), encoding="utf-8")
    assert run.model.table(plain).names == ("x", "y")


def test_a_model_file_does_not_lift_the_limit_for_what_is_packed() -> None:
    settings = Settings(max_unpacked=2_000_000)
    assert unpacked_for(settings) == MOST_BELIEVED
    assert unpacked_for(settings, 5_000) == 5_000
    assert unpacked_for(Settings()) is None


def test_predict_takes_a_limit_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["x,y,z", *ROWS]), encoding="utf-8")
    train(str(path), "z", out=tmp_path / "run", **QUICK)
    import gzip

    (tmp_path / "new.csv.gz").write_bytes(gzip.compress(b"x,y\n" + b"0.5,3\n" * 400_000, mtime=0))
    done = pellucid("predict", "run", "new.csv.gz", "--max-unpacked", "1", folder=tmp_path)
    assert (done.returncode, b"--max-unpacked 4" in done.stderr) == (2, True)


def test_inspect_shows_all_columns(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    names = [f"c{i}" for i in range(120)]
    path.write_text("\n".join([",".join(names), *(",".join(str(i * j % 7) for j in range(120)) for i in range(9))]))
    some = pellucid("inspect", path, folder=tmp_path).stdout.decode()
    every = pellucid("inspect", path, "--all", folder=tmp_path).stdout.decode()
    assert "--all" in some
    assert "c110" not in some
    assert all(f"{name} " in every for name in names)
    assert "more (" not in every
