"""New rows that do not quite fit: other headings, columns that are missing, cells that cannot be read."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pellucid
from pellucid.errors import DataError, SettingError
from tests.running import pellucid as command

N = 200
Columns = dict[str, list[Any]]


def table() -> Columns:
    rng = np.random.default_rng(1)
    size, code = rng.uniform(10, 90, N).round(1), rng.choice(["007", "012", "100"], N)
    return {
        "Floor Size": size.tolist(),
        "shop_code": code.tolist(),
        "noise": rng.normal(size=N).round(3).tolist(),
        "price": (3 * size + 200 * (code == "007")).tolist(),
    }


def write(path: Path, columns: Columns) -> Path:
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rows")
    write(folder / "t.csv", table())
    command(
        "train", "t.csv", "--target", "price", "--out", "run", "--epochs", "60", "--lr", "0.02", "--hidden", "8",
        "--no-report", "-q", cwd=folder,
    )  # fmt: skip
    return folder


def renamed(columns: Columns, **names: str) -> Columns:
    return {names.get(name.replace(" ", "_"), name): cells for name, cells in columns.items()}


# ── headings ──


def test_headings_that_differ_in_case_and_signs_are_matched_and_said(place: Path) -> None:
    other = renamed(table(), Floor_Size="FLOOR-SIZE", shop_code="Shop Code", price="Price")
    turned = dict(reversed(other.items()))
    write(place / "other.csv", turned)
    done = command("predict", "run", "other.csv", cwd=place)
    assert done.stdout == command("predict", "run", "t.csv", cwd=place).stdout  # codes such as 007 stay codes
    assert "'Shop Code' is 'shop_code'" in done.stderr
    assert "'FLOOR-SIZE' is 'Floor Size'" in done.stderr
    figures = [
        command("evaluate", "run", name, "--json", cwd=place).stdout.partition('"notes"')[0]
        for name in ("t.csv", "other.csv")
    ]
    assert figures[0] == figures[1]


def test_two_headings_for_one_column_stop(place: Path) -> None:
    both = renamed(table(), Floor_Size="floor size")
    write(place / "both.csv", {**both, "FLOOR_SIZE": both["floor size"]})
    done = command("predict", "run", "both.csv", cwd=place, code=2)
    assert "'Floor Size' is not in the table, and 'floor size' and 'FLOOR_SIZE' both differ" in done.stderr


def test_further_columns_are_said_once_and_change_nothing(place: Path) -> None:
    write(place / "more.csv", {"extra": ["x"] * N, **table(), "more": [1] * N})
    done = command("predict", "run", "more.csv", cwd=place)
    assert done.stdout == command("predict", "run", "t.csv", cwd=place).stdout
    assert done.stderr.count("2 columns ('extra', 'more') are new to the model and not used") == 1
    assert "not used" not in command("predict", "run", "t.csv", cwd=place).stderr


# ── columns that are missing ──


def without(*names: str) -> Columns:
    return {name: cells for name, cells in table().items() if name not in names}


@pytest.mark.parametrize("source", ["run", "run/model.safetensors"])
def test_a_missing_column_stops_and_says_what_it_is_worth(place: Path, source: str) -> None:
    write(place / "lacks.csv", without("noise", "shop_code"))
    said = command("predict", source, "lacks.csv", cwd=place, code=2).stderr
    assert "2 columns are missing in the table" in said
    assert "By the increase of the RMSE on 40 test rows without a column, 'shop_code' " in said
    assert said.index("'shop_code' ") < said.index("'noise' ")
    assert "of the importance of all 3 columns" in said
    assert "--fill-missing (fill_missing=True)" in said


def test_missing_columns_are_filled_where_it_is_asked(place: Path) -> None:
    write(place / "lacks.csv", without("shop_code"))
    done = command("predict", "run", "lacks.csv", "--fill-missing", cwd=place)
    assert "column 'shop_code' is not in the table and treated as missing in every row" in done.stderr
    assert "none was in training" not in done.stderr
    empty = {**table(), "shop_code": [""] * N}
    write(place / "empty.csv", empty)
    assert done.stdout == command("predict", "run", "empty.csv", cwd=place).stdout
    assert command("evaluate", "run", "lacks.csv", "--fill-missing", cwd=place).stdout
    assert "'shop_code' is missing" in command("evaluate", "run", "lacks.csv", cwd=place, code=2).stderr


def test_all_that_matters_missing_is_said(place: Path) -> None:
    write(place / "lacks.csv", without("shop_code", "Floor Size"))
    for options, code in (((), 2), (("--fill-missing",), 0)):
        said = command("predict", "run", "lacks.csv", *options, cwd=place, code=code).stderr
        assert "nearly everything important is missing, so there is little left to predict from" in said
    write(place / "nothing.csv", {"price": [1] * N, "x": [2] * N})
    said = command("predict", "run", "nothing.csv", "--fill-missing", cwd=place, code=2).stderr
    assert "none of the 3 columns that the model was trained on is in" in said


def test_without_the_runs_measure_the_weights_say_which_matters(place: Path) -> None:
    from dataclasses import replace

    model = pellucid.load(place / "run").model  # type: ignore[union-attr]
    old = replace(model, facts={**model.facts, "schema": {}})
    with pytest.raises(DataError, match=r"By the size of the weights in the first layer, it is number \d of 3"):
        old.predict(without("noise"))


# ── cells that cannot be read ──


def test_a_cell_that_cannot_be_read_is_taken_as_missing_and_counted(place: Path) -> None:
    spoiled = table()
    spoiled["noise"][5:9] = ["a lot", "?", "lots", "very; much"]
    spoiled["noise"][20:25] = ["q", "r", "s", "t", "u"]
    write(place / "spoiled.csv", spoiled)
    spoiled["noise"] = ["" if isinstance(cell, str) else cell for cell in spoiled["noise"]]
    write(place / "emptied.csv", spoiled)
    done = command("predict", "run", "spoiled.csv", cwd=place)
    assert done.stdout == command("predict", "run", "emptied.csv", cwd=place).stdout
    assert "column 'noise': 8 cells are no numbers and taken as missing (first: row 5, from 0: 'a lot')" in done.stderr
    for name in ("predict", "evaluate"):
        said = command(name, "run", "spoiled.csv", "--strict", cwd=place, code=2).stderr
        assert "column 'noise': 8 cells are no numbers (first: row 5, from 0: 'a lot')" in said
    assert command("predict", "run", "emptied.csv", "--strict", cwd=place).stdout == done.stdout


def test_one_cell_that_reading_takes_as_missing_stops_too(place: Path) -> None:
    spoiled = table()
    spoiled["noise"][17] = "much"
    write(place / "one.csv", spoiled)
    assert "'much'" in command("predict", "run", "one.csv", cwd=place).stderr
    assert "'much'" in command("predict", "run", "one.csv", "--strict", cwd=place, code=2).stderr


def test_in_python_it_is_a_warning_or_an_error(place: Path) -> None:
    model = pellucid.load(place / "run").model  # type: ignore[union-attr]
    row = {"Floor Size": "large", "shop_code": "007", "noise": 0.1}
    with pytest.warns(pellucid.DataWarning, match="'Floor Size': 1 cell is no number") as caught:
        answer = model.predict([row])
    assert caught[0].filename == __file__
    with pytest.warns(pellucid.DataWarning, match="missing"):
        np.testing.assert_array_equal(answer, model.predict([{**row, "Floor Size": None}]))
    with pytest.raises(DataError, match="'large'"):
        model.predict([row], strict=True)
    with pytest.raises(DataError, match="'shop_code' is missing"):
        model.predict([{"Floor Size": 3, "noise": 0.1}])
    with pytest.warns(pellucid.DataWarning, match="'shop_code' is not in the table"):
        model.predict([{"Floor Size": 3.0, "noise": 0.1}] * 2, fill_missing=True)


@pytest.mark.parametrize("cells", [["2024-01-01"] * 3, [True, False, True], ["x", "y", "z"]])
def test_a_column_of_another_type_is_no_crash(place: Path, cells: list[Any]) -> None:
    model = pellucid.load(place / "run").model  # type: ignore[union-attr]
    rows = {"Floor Size": np.array(cells, "datetime64[D]") if "-" in str(cells[0]) else cells}
    rows |= {"shop_code": ["007"] * 3, "noise": [0.1] * 3}
    table = model.table(rows)
    assert np.isfinite(model.answers(table)).all()


# ── dates in another layout ──


@pytest.fixture(scope="module")
def dated() -> Any:
    days = [datetime(2023, 1, 1) + timedelta(days=i) for i in range(N)]
    return pellucid.train(
        {"day": days, "size": table()["noise"], "price": [float(day.day) for day in days]},
        "price", preset="plain", hidden=(4,), epochs=3, verdict=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "layout", "read"),
    [
        (["03.01.2023", "28.02.2023", "31.03.2023"], "%d.%m.%Y", 3),
        (["03/01/2023", "28/02/2023", "31/03/2023"], "%d/%m/%Y", 3),
        (["01/03/2023", "02/28/2023", "03/31/2023"], "%m/%d/%Y", 3),
        (["3 Jan 2023", "28 Feb 2023", "31 Mar 2023"], "%d %b %Y", 3),
        (["2023-01-03", "28.02.2023", "31.03.2023"], "%d.%m.%Y", 2),
    ],
)
def test_a_model_of_dates_reads_text_in_the_layout_that_the_column_shows(
    dated: Any, texts: list[str], layout: str, read: int
) -> None:
    columns = {"size": [0.0, 0.0, 0.0]}
    wanted = dated.predict({**columns, "day": ["2023-01-03", "2023-02-28", "2023-03-31"]})
    with pytest.warns(pellucid.DataWarning, match=f"'day': {read} cells are written as {layout}") as told:
        found = dated.predict({**columns, "day": texts})
    np.testing.assert_array_equal(found, wanted)
    assert len(told) == 1


def test_only_what_no_layout_fits_is_missing(dated: Any) -> None:
    rows = {"size": [0.0] * 3, "day": ["03.01.2023", "soon", "28.02.2023"]}
    read = dated.model.table(rows)
    layout, unread = read.report.notes
    assert layout.cells == 2
    assert "'03.01.2023' was read as 3 January 2023" in layout
    assert unread.cells == 1
    assert "'soon'" in unread
    with pytest.raises(DataError, match="'soon'"):
        dated.model.table(rows, strict=True)


def test_dates_that_may_be_read_both_ways_are_said(dated: Any) -> None:
    (note,) = dated.model.table({"size": [0.0], "day": ["03.04.2023"]}).report.notes
    assert "3 April 2023, but day and month could be the other way round" in note


def test_a_layout_of_training_is_kept_while_it_reads_a_cell() -> None:
    days = [f"{1 + i % 12:02}/{1 + i % 28:02}/2023" for i in range(N)]
    run = pellucid.train(
        {"day": days, "price": list(map(float, range(N)))}, "price", preset="plain", hidden=(4,), epochs=2
    )
    (note,) = run.model.table({"day": ["03/04/2023", "25/04/2023"]}).report.notes
    assert (note.what, note.cells) == ("unread", 1)
    (note,) = run.model.table({"day": ["25.04.2023"]}).report.notes
    assert note.what == "layout"


# ── what is no table of new rows ──


def test_a_hint_ends_in_one_sign(place: Path) -> None:
    other = renamed(table(), Floor_Size="Floor Sizes X")
    write(place / "near.csv", other)
    said = command("predict", "run", "near.csv", cwd=place, code=2).stderr
    assert "did you mean 'Floor Sizes X'? " in said
    assert "?." not in said


def test_the_folder_of_a_run_is_no_table(place: Path) -> None:
    for said in (
        command("predict", "run", "run", cwd=place, code=2).stderr,
        command("train", "run", "--target", "price", cwd=place, code=2).stderr,
        command("train", "t.csv", "--target", "price", "--test-data", "run", cwd=place, code=2).stderr,
    ):
        assert "error: 'run' is a run folder, not a table" in said.replace(f"{place}/", "")


def test_a_sheet_or_a_table_that_a_file_cannot_have(place: Path, tmp_path: Path) -> None:
    for option in ("--sheet", "--table"):
        for arguments in (("train", "t.csv", "--target", "price"), ("predict", "run", "t.csv"), ("inspect", "t.csv")):
            said = command(*arguments, option, "X", cwd=place, code=2).stderr
            assert (
                f"{option[2:]} is 'X', but 't.csv' is a single table without {option[2:]}s; leave {option} out" in said
            )
    with pytest.raises(SettingError, match="sheet is 'X', but only workbooks have sheets"):
        pellucid.train("iris", sheet="X")
    pd.DataFrame(table()).to_excel(tmp_path / "book.xlsx", sheet_name="Data", index=False)
    book = tmp_path / "book.xlsx"
    with pytest.raises(SettingError, match=r"table is 'X', but .* has sheets, not tables; name one with sheet="):
        pellucid.train(book, "price", table="X", epochs=1)
    run = pellucid.train(
        book, "price", sheet="Data", test_data=place / "t.csv", preset="plain", hidden=(4,), epochs=2, report=False
    )
    assert len(run.predict(place / "t.csv")) == N  # which has no sheets, and training had one
