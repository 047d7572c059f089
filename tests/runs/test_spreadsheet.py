"""CSV files that a spreadsheet may open: nothing in them is run, numbers stay numbers, and nothing is lost."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pellucid.runs.output import encode
from pellucid.runs.spreadsheet import csv_text, safe_cell
from tests.running import pellucid

RUN = [
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", " =1", "\t=1", "\u00a0=1", "\ufeff=1", "\n=1", "\r=1",
    "\tplain", "\rplain", "\uff1d1+1", "\uff0b1", "\uff0d1+1", "\uff20x", "'=1", "''=1", "' =1", "-", "+", "- 1", "-a",
    "--1", "-1-1", "-0.5.5", "+49 30 1234", "-\u0661",
]  # fmt: skip
PLAIN = ["yes", "", "-0.5", "+3", "-1e-05", "1,5", "-1,5", ".5", "-.5", " -2 ", "a=b", "'", "it's", "x@y", "a-b", "é"]


@pytest.mark.parametrize("text", RUN)
def test_what_would_be_run_is_after_an_apostrophe_and_comes_back(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", PLAIN)
def test_all_else_stays(text: str) -> None:
    assert safe_cell(text) == text


def test_a_table_in_the_three_formats() -> None:
    words = [*RUN, *PLAIN, None]
    table = pa.table({"=word": pa.array(words).dictionary_encode(), "number": [-0.5] * len(words)})
    written, notes = encode(table, ".csv", "out.csv")
    lines = list(csv.reader(io.StringIO(written.decode(), newline="")))
    assert lines[0] == ["'=word", "number"]
    assert [line[0] for line in lines[1:]] == [*(f"'{word}" for word in RUN), *PLAIN, ""]
    assert {line[1] for line in lines[1:]} == {"-0.5"}
    assert notes == (
        f"column '=word': {len(RUN)} cells would be run by a spreadsheet (first: '=1+1'); in out.csv an apostrophe is "
        "before them",
        "the name of column '=word' would be run by a spreadsheet; in out.csv an apostrophe is before it",
    )
    # Exact, and without a word, where no spreadsheet runs what it reads.
    content, said = encode(table, ".parquet", "out.parquet")
    assert (pq.read_table(pa.BufferReader(content)).column("=word").to_pylist(), said) == (words, ())
    content, said = encode(table, ".jsonl", "out.jsonl")
    assert ([json.loads(line)["=word"] for line in content.decode().split("\n")[:-1]], said) == (words, ())


def test_lines_that_are_parted_elsewhere_hold_no_formula_either() -> None:
    """Where a semicolon or a tab parts the cells, what follows one would begin a cell: quotes hold it together."""
    assert csv_text([["x;=1", "y"], ["=1", -1.5]]) == '"x;=1","y"\n\'=1,-1.5\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table whose classes are formulas, and a run of it."""
    folder = tmp_path_factory.mktemp("formulas")
    classes = ["=1+1", "@SUM(A1)", "-0.5"]
    lines = [f"{i % 3}.{i % 7},{classes[i % 3]}" for i in range(120)]
    (folder / "t.csv").write_text("\n".join(["a,y", *lines]) + "\n")
    done = pellucid("train", "t.csv", "--task", "multiclass", "--target", "y", "--epochs", 2, "--engine", "textbook",
                    "--no-report", "-q", "--out", "run", cwd=folder)  # fmt: skip
    (folder / "said").write_text(done.stdout)
    return folder


def test_a_run_says_what_it_changed_in_its_predictions(folder: Path) -> None:
    written = (folder / "run/predictions.csv").read_text()
    assert not re.search('(?m)(^|,)"?[=@]', written)
    assert "-0.5" in written
    assert "'-0.5" not in written
    said = " ".join((folder / "said").read_text().split())
    assert "column 'actual': " in said
    assert "in predictions.csv an apostrophe is before them" in said
    assert "in predictions.csv an apostrophe is before them" in (folder / "run/log.txt").read_text()


@pytest.mark.parametrize("output", [[], ["-o", "out.csv"]], ids=["the terminal", "a file"])
def test_predict_says_what_it_changed(output: list[str], folder: Path) -> None:
    done = pellucid("predict", "run", "t.csv", *output, cwd=folder)
    written = (folder / "out.csv").read_text() if output else done.stdout
    assert not re.search('(?m)(^|,)"?[=@]', written)
    assert "note: column 'prediction': " in done.stderr
    assert f"in {'out.csv' if output else 'this table'} an apostrophe is before" in done.stderr


def test_an_apostrophe_less_gives_the_answers_back(folder: Path) -> None:
    """As a program reads the file: exactly the cells that begin with apostrophes and a sign lose the first of them."""
    for name in ("out.csv", "out.jsonl"):
        pellucid("predict", "run", "t.csv", "-o", name, cwd=folder)
    with (folder / "out.csv").open(newline="") as stream:
        read = [line["prediction"] for line in csv.DictReader(stream)]
    exact = [json.loads(line)["prediction"] for line in (folder / "out.jsonl").read_text().splitlines()]
    assert [re.sub(r"^'(?='*\s*[=+\-@])", "", cell) for cell in read] == exact
    assert read != exact
