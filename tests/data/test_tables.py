"""Reading tables: real ones against their published figures, made ones in every dialect, broken ones by message."""

from __future__ import annotations

import bz2
import contextlib
import csv
import gzip
import io
import lzma
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

from pellucid.data.tables import read_table
from pellucid.errors import DataError, SettingError, StorageError

# file, rows, columns, header, separator, missing cells by marker
REAL = [
    ("adult/adult-train.csv.gz", 32_561, 15, False, ",", {"?": 4_262}),
    ("adult/adult-test.csv.gz", 16_281, 15, False, ",", {"?": 2_203}),
    ("california_housing/housing.csv.gz", 20_640, 10, True, ",", {"": 207}),
    ("titanic/titanic.csv.gz", 891, 12, True, ",", {"": 866}),
    ("german_credit/german.csv.gz", 1_000, 21, False, ",", {}),
    ("wine_quality/winequality-red.csv.gz", 1_599, 12, True, ";", {}),
    ("wine_quality/winequality-white.csv.gz", 4_898, 12, True, ";", {}),
    ("abalone/abalone.csv.gz", 4_177, 9, False, ",", {}),
    ("covtype_20k/covtype.20k.csv.gz", 20_000, 55, False, ",", {}),
    ("telco_churn/Telco-Customer-Churn.csv.gz", 7_043, 21, True, ",", {" ": 11}),
    ("diamonds/diamonds.csv.gz", 53_940, 10, True, ",", {}),
    ("penguins/penguins.csv.gz", 344, 8, True, ",", None),
    ("penguins/penguins_raw.csv.gz", 344, 17, True, ",", None),
    ("mushroom/agaricus-lepiota.csv.gz", 8_124, 23, True, ",", {"?": 2_480}),
    ("pima_diabetes/pima-indians-diabetes.csv.gz", 768, 9, False, ",", {}),
    ("higgs_sample/binary.test.tsv.gz", 500, 29, False, "\t", {}),
    ("higgs_sample/binary.train.tsv.gz", 7_000, 29, False, "\t", {}),
    ("kdd99_10pct/kddcup.data_10_percent.csv.gz", 494_021, 42, False, ",", {}),
    ("give_me_some_credit/creditsample-training.csv.gz", 150_000, 12, True, ",", {"NA": 33_655}),
    ("automobile/auto_imports.csv.gz", 201, 26, False, ",", {"?": 51}),
    ("horse_colic/horse-colic.csv.gz", 300, 28, False, ",", {"?": 1_605}),
    ("breast_cancer_wisconsin/breast-cancer-wisconsin.csv.gz", 699, 11, False, ",", {"?": 16}),
    ("beijing_pm25/pollution.csv.gz", 43_824, 13, True, ",", {"NA": 2_067}),
    ("arrhythmia/arrhythmia.csv.gz", 452, 280, True, ",", {"?": 408}),
    ("nyc_taxis/taxis.csv.gz", 6_500, 21, True, ",", None),
    ("concrete/concrete.csv.gz", 1_030, 9, True, ",", {}),
    ("iris/iris.csv.gz", 150, 5, False, ",", {}),
    ("sonar/sonar.csv.gz", 208, 61, False, ",", {}),
    ("oil_spill/oil-spill.csv.gz", 937, 50, False, ",", {}),
    ("lending_club/loans_full_schema.csv.gz", 10_000, 56, True, ",", {"": 42_191}),
    ("hotel_rates/hotel_rates.csv.gz", 15_402, 29, True, ",", None),
    ("cps_wages/CPSSW8.csv.gz", 61_395, 6, True, ",", {}),
    ("inst_eval/InstEval.csv.gz", 73_421, 8, True, ",", {}),
    ("pd_speech/pd_speech.csv.gz", 252, 753, True, ",", None),
    ("parkinsons_telemonitoring/parkinsons.csv.gz", 5_875, 22, True, ",", {}),
    ("ctg/CTG.csv.gz", 2_126, 40, True, ",", {}),
    ("occupancy/datatraining.csv.gz", 8_143, 8, True, ",", {}),
    ("occupancy/datatest.csv.gz", 2_665, 8, True, ",", {}),
    ("occupancy/datatest2.csv.gz", 9_752, 8, True, ",", {}),
    ("optdigits/optdigits.tra.csv.gz", 3_823, 65, True, ",", {}),
    ("optdigits/optdigits.tes.csv.gz", 1_797, 65, True, ",", {}),
    ("sms_spam/smsspamcollection.tsv.gz", 5_572, 4, True, "\t", {}),
    ("univariate_series/airline-passengers.csv.gz", 144, 2, True, ",", {}),
    ("univariate_series/daily-min-temperatures.csv.gz", 3_650, 2, True, ",", {}),
    ("univariate_series/monthly-sunspots.csv.gz", 2_820, 2, True, ",", {}),
    ("univariate_series/cta_ridership.csv.gz", 7_701, 5, True, ",", {}),
    ("ucr_time_series/ECG200_TRAIN.txt.gz", 100, 97, False, ",", {}),
    ("ucr_time_series/ECG5000_TRAIN.txt.gz", 500, 141, False, " ", {}),
    ("ucr_time_series/50words_TEST.txt.gz", 455, 271, False, ",", {}),
    ("ucr_time_series/Gun_Point_TRAIN.txt.gz", 50, 151, False, ",", {}),
    ("ucr_time_series/ItalyPowerDemand_TEST.txt.gz", 1_029, 25, False, ",", {}),
]


@pytest.mark.parametrize(("path", "rows", "columns", "header", "separator", "missing"), REAL, ids=lambda v: str(v)[:30])
def test_real_tables_have_their_published_figures(
    shared_data: Path, path: str, rows: int, columns: int, header: bool, separator: str, missing: dict[str, int] | None
) -> None:
    table = read_table(shared_data / path)
    report = table.report
    assert (report.n_rows, report.n_columns) == (rows, columns) == (table.n_rows, len(table.names))
    assert (report.header, report.separator, report.compression) == (header, separator, "gzip")
    if missing is not None:
        assert report.missing == missing
    assert sum(report.missing.values()) == sum(c.null_count for c in table.arrow.columns)
    allowed = {pa.int64(), pa.float64(), pa.bool_(), pa.timestamp("us"), pa.dictionary(pa.int32(), pa.string())}
    assert set(table.arrow.schema.types) <= allowed
    assert all(c.num_chunks == 1 for c in table.arrow.columns)


def test_numbers_of_a_real_table_are_those_that_pandas_reads(shared_data: Path) -> None:
    for path in ("california_housing/housing.csv.gz", "lending_club/loans_full_schema.csv.gz", "ctg/CTG.csv.gz"):
        ours, theirs = read_table(shared_data / path, trim=False), pd.read_csv(shared_data / path)
        assert list(ours.names) == list(theirs.columns)
        for name in ours.names:
            if pd.api.types.is_numeric_dtype(theirs[name]):
                values = ours.column(name).to_numpy(zero_copy_only=False).astype(float)
                np.testing.assert_array_equal(values, theirs[name].to_numpy(float))


def test_telco_total_charges_is_numeric_for_all_its_blank_cells(shared_data: Path) -> None:
    column = read_table(shared_data / "telco_churn/Telco-Customer-Churn.csv.gz").column("TotalCharges")
    assert column.type == pa.float64()
    assert column.null_count == 11


def test_names_are_as_given_or_made_up(shared_data: Path) -> None:
    assert read_table(shared_data / "iris/iris.csv.gz").names == tuple(f"column_{i}" for i in range(1, 6))
    occupancy = read_table(shared_data / "occupancy/datatest.csv.gz")
    assert occupancy.names[:3] == ("column_1", "date", "Temperature")
    assert any("no name" in note for note in occupancy.report.notes)
    assert read_table(shared_data / "concrete/concrete.csv.gz").names[0].startswith("Cement")  # no byte-order mark


# --- made by Python's csv module, read back equal

words = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\0", exclude_categories=("Cs", "Cc"))
    | st.sampled_from(',;\t|"\n'),
    min_size=1,
    max_size=12,
).map(lambda w: "w" + w + "w")  # neither a number nor a marker, nor with blanks at its ends
numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
cells = st.sampled_from(["text", "float", "int"])


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_round_trip_through_the_csv_module(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    kinds = data.draw(st.lists(cells, min_size=2, max_size=5))
    n = data.draw(st.integers(min_value=2, max_value=8))
    make = {"text": words, "float": numbers, "int": st.integers(-(2**53), 2**53)}
    columns = [data.draw(st.lists(st.none() | make[k], min_size=n, max_size=n)) for k in kinds]
    separator = data.draw(st.sampled_from([",", ";", "\t", "|"]))
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    marker = data.draw(st.sampled_from(["", "NA", "?", "null", "nan"]))
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    names = [f"name {i}" for i in range(len(kinds))]
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end)
    writer.writerow(names)
    for row in zip(*columns, strict=True):
        writer.writerow([marker if v is None else v for v in row])
    text = out.getvalue()
    if data.draw(st.booleans()):
        text = text.removesuffix(end)
    compress = data.draw(st.sampled_from([bytes, gzip.compress, bz2.compress, lzma.compress]))
    path = tmp_path_factory.mktemp("round") / "table"
    path.write_bytes(compress(text.encode(encoding)))
    table = read_table(path, separator=separator, header=True)
    assert table.names == tuple(names)
    for name, kind, column in zip(names, kinds, columns, strict=True):
        read = table.column(name).to_pylist()
        if kind == "text" or all(v is None for v in column):
            assert read == column
        else:
            assert [None if v is None else float(v) for v in read] == [None if v is None else float(v) for v in column]
    assert sum(table.report.missing.values()) == sum(v is None for c in columns for v in c)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 999), st.sampled_from(["red", "green", "blue"]), numbers), min_size=6),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    header=st.booleans(),
)
def test_separator_and_header_are_found(
    rows: list[tuple[int, str, float]], separator: str, header: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("found") / "table.csv"
    lines = [separator.join(map(str, row)) for row in rows]
    path.write_text("\n".join([*([separator.join(("count", "colour", "weight"))] if header else []), *lines]))
    report = read_table(path).report
    assert (report.separator, report.header, report.n_rows) == (separator, header, len(rows))


# --- dialects by hand


def read(tmp_path: Path, text: str | bytes, **options: Any) -> Any:
    path = tmp_path / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path, **options)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;b\n1,5;x\n2,25;y\n", {"a": [1.5, 2.25], "b": ["x", "y"]}),  # decimal comma
        ('a, b\n1, "x, y"\n2, "z"\n', {"a": [1, 2], "b": ["x, y", "z"]}),  # a space before the quote
        ('a,b\n"x\ny",1\n"p""q",2\n', {"a": ["x\ny", 'p"q'], "b": [1, 2]}),  # line end and quote inside
        ("a,b\r1,2\r3,4\r", {"a": [1, 3], "b": [2, 4]}),  # old Macintosh line ends
        ("\n\na,b\n\n1,2\n\n3,4\n\n", {"a": [1, 3], "b": [2, 4]}),  # blank lines
        ("a,b\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4]}),  # a separator at each line's end
        ("x,y\n1,2,3\n2,4,5\n", {"column_1": [1, 2], "x": [2, 4], "y": [3, 5]}),  # R's row names
        ("a,,c\n1,2,3\n4,5,6\n", {"a": [1, 4], "column_2": [2, 5], "c": [3, 6]}),
        (",0,1,2\n0,1.5,2,3\n1,2,3,4\n", {"column_1": [0, 1], "0": [1.5, 2.0], "1": [2, 3], "2": [3, 4]}),
        (
            "land,1990,1991,1992\nA,1.5,2,1\nB,3,4,1\n",
            {"land": ["A", "B"], "1990": [1.5, 3.0], "1991": [2, 4], "1992": [1, 1]},
        ),
        ('"age" "job"\n"1" 34 "my x"\n"2" 35 "b"\n', {"column_1": [1, 2], "age": [34, 35], "job": ["my x", "b"]}),
        ("  1.0   2.0\n  3.0   4.5  \n", {"column_1": [1.0, 3.0], "column_2": [2.0, 4.5]}),
        ("zip,y\n01234,1\n99999,0\n", {"zip": ["01234", "99999"], "y": [1, 0]}),  # postcodes keep their zero
        ('a,b\n"$1,200",x\n$3,y\n', {"a": [1200, 3], "b": ["x", "y"]}),
        ('a\tb\n"hello\t1\nx\t2\ny\t3\n', {"a": ['"hello', "x", "y"], "b": [1, 2, 3]}),  # a quote that never closes
        ("a,b\n 1 , x \n 2 ,y\n", {"a": [1, 2], "b": ["x", "y"]}),
        ("t,x\n10:20:30,1\n11:00:00,2\n", {"t": [37230, 39600], "x": [1, 2]}),
        ("a,b\n1,2\n3,4\n   \n \n", {"a": [1, 3], "b": [2, 4]}),  # lines of spaces at the end
        ("1\n2\n3\n", {"column_1": [1, 2, 3]}),
        ("1,2,3\n", {"column_1": [1], "column_2": [2], "column_3": [3]}),
        ("t,x\ntrue,1\nFALSE,2\n", {"t": [True, False], "x": [1, 2]}),
    ],
)
def test_dialects(tmp_path: Path, text: str, expected: dict[str, list[Any]]) -> None:
    assert read(tmp_path, text).arrow.to_pydict() == expected


def test_what_is_given_is_not_guessed(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b\n1,2\n", header=False).arrow.to_pydict() == {
        "column_1": ["a", "1"],
        "column_2": ["b", "2"],
    }
    assert read(tmp_path, "1,2\n3,4\n", header=True).arrow.to_pydict() == {"1": [3], "2": [4]}
    assert read(tmp_path, "a,b;c\n1,2;3\n", separator=";").names == ("a,b", "c")
    assert read(tmp_path, "a\tb\n1\t2\n", separator="tab").names == ("a", "b")
    latin = "name,x\ncafé,1\nb,2\n".encode("latin-1")
    assert read(tmp_path, latin, encoding="latin-1").column("name").to_pylist() == ["café", "b"]


def test_missing_markers(tmp_path: Path) -> None:
    text = "a,b\n-999,x\n3,gone\n1,NA\n"
    table = read(tmp_path, text, missing=["-999", "gone"])
    assert table.arrow.to_pydict() == {"a": [None, 3, 1], "b": ["x", None, None]}
    assert table.report.missing == {"-999": 1, "gone": 1, "NA": 1}
    only = read(tmp_path, text, missing=["gone"], default_missing=False)
    assert only.arrow.to_pydict() == {"a": [-999, 3, 1], "b": ["x", None, "NA"]}


def test_a_few_odd_cells_among_numbers_are_missing_and_named(tmp_path: Path) -> None:
    text = "a\n" + "".join(f"{i}\n" for i in range(300)) + "oops\noops\n"
    table = read(tmp_path, text)
    assert table.column("a").type == pa.int64()
    assert table.column("a").null_count == 2
    assert table.report.missing == {"oops": 2}
    assert "2 cells" in table.report.notes[0]
    assert "'oops', row 300" in table.report.notes[0]
    assert read(tmp_path, text, text_columns=["a"]).column("a").null_count == 0
    many = read(tmp_path, "a\n" + "1\nx\n" * 50)
    assert many.column("a").to_pylist() == ["1", "x"] * 50


def test_numeric_columns_are_numbers_on_the_users_word(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b\n1,1\nx,2\n3,3\n4,4\n", numeric_columns=["a"])
    assert table.column("a").to_pylist() == [1, None, 3, 4]
    with pytest.raises(DataError, match=r"'a' cannot be numeric: 3 of its 4 cells .*first: 'x', row 0"):
        read(tmp_path, "a,b\nx,1\ny,2\n3,3\nz,4\n", numeric_columns=["a"])


def test_infinite_cells_are_missing_and_reported(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b\n1.5,2\ninf,3\n-inf,4\n")
    assert table.column("a").to_pylist() == [1.5, None, None]
    assert table.report.infinite == {"a": (2, 1)}


# --- broken input


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (gzip.compress(b""), "is empty"),
        (b"a,b\n\n  \n", "has a header .'a', 'b'. but no rows"),
        (b"a,b\n", "has a header .'a', 'b'. but no rows"),
        (b"a,b,c\n1,2,3\n4,5\n6,7,8\n", "line 3: 2 fields, but the header has 3 .*--separator"),
        (b'a,b\n1,2\n"x\ny",3\n1,2,3\n', "line 5: 3 fields, but the header has 2"),
        (b"1,2\n1,2\n\n1\n", "line 4: 1 field, but the other rows have 2"),
        (b"a,b,a\n1,2,3\n", "'a' is used for columns 1 and 3"),
        (b"name,x\ncaf\xe9\xc3\xa9,1\n", "byte 0xe9 at position 10, line 2.*--encoding latin-1"),
        (b"a\0b,c\n1,2\n", "zero bytes"),
        (gzip.compress(b"a,b\n1,2\n" * 999)[:-40], "gzip, but the data is damaged or cut short"),
        (lzma.compress(b"a,b\n1,2\n" * 999)[:-40], "xz, but the data is damaged or cut short"),
        (b"PAR1 not really", "looks like Parquet but is damaged"),
        (b"ARROW1\0\0not really", "looks like Arrow but is damaged"),
        (b"\xff\xff\xff\xffnot really", "looks like Arrow but is damaged"),
        (b"PK\x03\x04", "begins as a zip archive or a workbook, but is damaged"),
        (b'{"a": 1}\n{"a": }\n', "line 2: not valid JSON"),
        (b'{"a": {"b": 1}}\n', "column 'a' holds records"),
        (b'{"a": [1, "x"]}\n', "column 'a' holds"),
        (b'{"a": ' + b"[" * 100_000, "nested too deep"),
        (b'{"a": 1}\n[1]\n', r"line 2: expected an object"),
    ],
    ids=range(22),
)
def test_broken_files_are_refused_in_words(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, content)


def test_a_ragged_row_far_down_has_its_line_named(tmp_path: Path) -> None:
    lines = ["a,b,c"] + ["12345,23456,34567"] * 300_000
    lines[250_000] = "1,2"
    with pytest.raises(DataError, match=r"line 250,001: 2 fields, but the header has 3 \('1,2'\)"):
        read(tmp_path, "\n".join(lines))


def test_a_bad_byte_far_down_has_its_line_named(tmp_path: Path) -> None:
    lines = [b"a,b"] + [b"caf\xc3\xa9,1"] * 300_000
    lines[200_000] = b"caf\xe9,1"
    with pytest.raises(DataError, match=r"line 200,001"):
        read(tmp_path, b"\n".join(lines))


def test_paths_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "people.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"no file .*peple.csv.*did you mean 'people.csv'"):
        read_table(tmp_path / "peple.csv")
    (tmp_path / "people.csv.gz").write_bytes(b"")
    (tmp_path / "notes.md").write_bytes(b"")
    named = r"is a folder: give the file that holds the table, such as 'people\.csv', 'people\.csv\.gz'$"
    with pytest.raises(DataError, match=named):
        read_table(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StorageError, match="permission is missing"):
        read_table(tmp_path / "people.csv")


def test_settings_that_break_their_rule(tmp_path: Path) -> None:
    for options, message in (
        ({"encoding": "klingon"}, "unknown"),
        ({"separator": "::"}, "one ASCII character"),
        ({"missing": "NA"}, "list of texts"),
        ({"text_columns": ["a"], "numeric_columns": ["a"]}, "both text and numeric"),
    ):
        with pytest.raises(SettingError, match=message):
            read(tmp_path, "a,b\n1,2\n", **options)
    for source in (None, 3, object()):
        with pytest.raises(SettingError, match="a table must be a path"):
            read_table(source)


# --- other files

FRAME = pd.DataFrame(
    {
        "i": [1, 2, 3],
        "f": [1.5, None, 3.0],
        "s": ["x", None, " y"],
        "b": [True, False, True],
        "d": pd.to_datetime(["2020-01-01 00:00", "2020-02-03 10:00", None]),
    }
)
EXPECTED = {
    "i": [1, 2, 3],
    "f": [1.5, None, 3.0],
    "s": ["x", None, "y"],
    "b": [True, False, True],
    "d": [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-02-03 10:00"), None],
}


@pytest.mark.parametrize("form", ["parquet", "parquet.gz", "arrow", "arrows", "jsonl", "jsonl.zst", "json"])
def test_files_other_than_text(tmp_path: Path, form: str) -> None:
    path = tmp_path / "misleading.csv"  # a file's name says nothing
    arrow = pa.Table.from_pandas(FRAME, preserve_index=False)
    if form.startswith("parquet"):
        parquet.write_table(arrow, path)
        if form.endswith("gz"):
            path.write_bytes(gzip.compress(path.read_bytes()))
    elif form == "arrow":
        feather.write_feather(arrow, str(path))
    elif form == "arrows":
        with pa.ipc.new_stream(str(path), arrow.schema) as writer:
            writer.write_table(arrow)
    else:
        text = FRAME.to_json(orient="records", lines=form != "json", date_format="iso", date_unit="s")
        content = text.replace(".000Z", "Z").encode()
        path.write_bytes(pa.compress(content, "zstd", asbytes=True) if form.endswith("zst") else content)
    table = read_table(path)
    read_back = table.arrow.to_pydict()
    if form == "json":  # dates in a JSON list stay texts until the schema sees them
        read_back["d"] = [None if v is None else pd.Timestamp(v).tz_localize(None) for v in read_back["d"]]
    assert read_back == EXPECTED
    assert table.report.format == form.partition(".")[0].replace("arrows", "arrow").replace("json", "jsonl").replace(
        "jsonll", "jsonl"
    )


def test_json_lines_with_mixed_cells(tmp_path: Path) -> None:
    table = read(tmp_path, '{"a": 1, "b": 2}\n{"a": "x"}\n')
    assert table.arrow.to_pydict() == {"a": ["1", "x"], "b": [2, None]}


# --- in memory


def test_frames() -> None:
    for frame in (FRAME, pl.from_pandas(FRAME), pl.from_pandas(FRAME).lazy(), pa.Table.from_pandas(FRAME)):
        table = read_table(frame)
        assert table.arrow.to_pydict() == EXPECTED
        assert table.report.format == "frame"


def test_pandas_types() -> None:
    frame = pd.DataFrame(
        {
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "category": pd.Categorical(["a", "b", None], categories=["unused", "b", "a"]),
            "codes": pd.Categorical([1, 2, 1]),
            "mixed": [1, "x", None],
            "numbers": [1, "?", "2"],
            "delta": pd.to_timedelta([1, 2, 3], unit="h"),
            "truth": pd.array([True, None, False], dtype="boolean"),
            "infinite": [1.0, np.inf, np.nan],
        }
    )
    table = read_table(frame)
    assert table.arrow.to_pydict() == {
        "nullable": [1, None, 3],
        "category": ["a", "b", None],
        "codes": ["1", "2", "1"],
        "mixed": ["1", "x", None],
        "numbers": [1, None, 2],
        "delta": [3600.0, 7200.0, 10800.0],
        "truth": [True, None, False],
        "infinite": [1.0, None, None],
    }
    assert sorted(table.column("category").dictionary.to_pylist()) == ["a", "b"]
    assert table.report.missing == {"?": 1}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (np.array([[1, 2.5], [3, np.nan]]), {"column_1": [1.0, 3.0], "column_2": [2.5, None]}),
        (np.array([(1, "x")], dtype=[("a", int), ("b", "U3")]), {"a": [1], "b": ["x"]}),
        (np.array([[1, "a"], [2, None]], dtype=object), {"column_1": [1, 2], "column_2": ["a", None]}),
        (np.ones((1, 1), dtype=">f4"), {"column_1": [1.0]}),
        (np.array([[True]]), {"column_1": [True]}),
        ({"a": 1, "b": "x"}, {"a": [1], "b": ["x"]}),
        ({"a": [1, None], "b": ["x", "NA"]}, {"a": [1, None], "b": ["x", None]}),
        ([{"a": 1}, {"a": 2, "b": "y"}], {"a": [1, 2], "b": [None, "y"]}),
        ([[1, "x"], [3, "y"]], {"column_1": [1, 3], "column_2": ["x", "y"]}),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])), {"a x": [1], "a y": [2]}),
        ({"a": [2**70, 1]}, {"a": [float(2**70), 1.0]}),
    ],
)
def test_arrays_and_dicts(source: Any, expected: dict[str, list[Any]]) -> None:
    assert read_table(source).arrow.to_pydict() == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a' is used for columns 1 and 2"),
        (pd.DataFrame({"a": [["x"], ["y"]]}), "column 'a' holds lists"),
        (pd.DataFrame({"a": [{1}, {2}]}), "column 'a' holds a set"),
        (pd.DataFrame({"a": []}), "no rows"),
        (pd.DataFrame(), "no columns"),
        (np.array([1, 2]), "two dimensions"),
        (np.array([[1j]]), "complex"),
        ({"a": [1, 2], "b": [1]}, "different lengths"),
        ([], "empty"),
        ([[1, 2], [3]], "row 1 has 1 values"),
        ({"a": [b"x"]}, "bytes"),
    ],
)
def test_what_no_table_can_hold(source: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(source)


def test_taking_rows_and_columns() -> None:
    table = read_table({"a": [1, 2, 3], "b": ["x", "y", "x"]})
    assert table.take(np.array([2, 0])).arrow.to_pydict() == {"a": [3, 1], "b": ["x", "x"]}
    with pytest.raises(DataError, match=r"no column 'aa'.*did you mean 'a'"):
        table.column("aa")
    assert os.fspath(Path("x")) not in table.report.source


SEEDS = [
    b"id,name,when,x\n"
    + b"".join(b'%d,"n, %d",2020-01-%02d,%d.5\n' % (i, i % 5, i % 28 + 1, i * 7) for i in range(30)),
    b"".join(b'{"a": %d, "b": "x%d", "c": null}\n' % (i, i % 3) for i in range(30)),
]


@settings(max_examples=300, deadline=None)
@given(
    seed=st.sampled_from([*SEEDS, gzip.compress(SEEDS[0], mtime=0)]),
    at=st.lists(st.integers(0, 2_000), min_size=1, max_size=5),
    new=st.binary(max_size=4) | st.sampled_from([b'"', b",", b"\n", b"\r", b"\xe9", b";", b"inf"]),
    cut=st.integers(0, 40),
)
def test_altered_files_raise_nothing_but_our_own_errors(
    seed: bytes, at: list[int], new: bytes, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = seed
    for i in (k % len(seed) for k in at):
        content = content[:i] + new + content[i + cut // len(at) :]
    path = tmp_path_factory.mktemp("altered") / "table"
    path.write_bytes(content)
    with contextlib.suppress(DataError):
        assert read_table(path).n_rows > 0
