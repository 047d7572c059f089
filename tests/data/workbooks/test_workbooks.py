"""Workbooks: types come through, the table is found in its sheet, and no file takes more memory than it may."""

from __future__ import annotations

import datetime
import io
import random
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table as OdfTable
from odf.table import TableCell, TableRow
from odf.text import P

from pellucid.data.tables import Table, read_table
from pellucid.errors import DataError, PellucidError

HEAD = ["zip", "n", "price", "day", "ok"]
ROWS: list[list[Any]] = [
    [f"0{1000 + i}", i, 1.5 + i / 4, datetime.date(2024, 1, 1 + i), bool(i % 2)] for i in range(24)
]
TYPES = ["dictionary", "int64", "double", "timestamp[us]", "bool"]


def xlsx(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def xls(path: Path, rows: list[list[Any]]) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("One")
    style = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            sheet.write(i, j, cell, *([style] if isinstance(cell, datetime.date) else []))
    book.save(str(path))
    return path


def ods(path: Path, rows: list[list[Any]]) -> Path:
    document, sheet = OpenDocumentSpreadsheet(), OdfTable(name="Blatt")
    for row in rows:
        line = TableRow()
        for value in row:
            if isinstance(value, bool):
                cell = TableCell(valuetype="boolean", booleanvalue=str(value).lower())
            elif isinstance(value, int | float):
                cell = TableCell(valuetype="float", value=value)
            elif isinstance(value, datetime.date):
                cell = TableCell(valuetype="date", datevalue=value.isoformat())
            else:
                cell = TableCell(valuetype="string")
                cell.addElement(P(text=value))
            line.addElement(cell)
        line.addElement(TableCell(numbercolumnsrepeated=1000))  # as LibreOffice fills its rows
        sheet.addElement(line)
    rest = TableRow(numberrowsrepeated=1_048_000)
    rest.addElement(TableCell(numbercolumnsrepeated=1024))
    sheet.addElement(rest)
    document.spreadsheet.addElement(sheet)
    document.save(str(path))
    return path


def types(table: Table) -> list[str]:
    return [str(kind).split("<")[0] for kind in table.arrow.schema.types]


@pytest.mark.parametrize("form", ["xlsx", "xls", "ods"])
def test_types_come_through(tmp_path: Path, form: str) -> None:
    rows = [HEAD, *ROWS]
    make: dict[str, Callable[[], Path]] = {
        "xlsx": lambda: xlsx(tmp_path / "t", {"One": rows}),
        "xls": lambda: xls(tmp_path / "t", rows),
        "ods": lambda: ods(tmp_path / "t", rows),
    }
    table = read_table(make[form]())
    assert (table.report.format, table.names, types(table)) == (form, tuple(HEAD), TYPES)
    assert table.n_rows == len(ROWS)
    assert table.arrow.slice(1, 1).to_pylist() == [
        {"zip": "01001", "n": 1, "price": 1.75, "day": datetime.datetime(2024, 1, 2), "ok": True}
    ]


def test_the_table_is_found_in_its_sheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["B2"] = "Sales report"
    sheet.merge_cells("B2:F2")
    sheet["B3"] = "all plants"
    for i, row in enumerate([HEAD, [None, None, "EUR", None, None], *ROWS], start=5):
        for j, cell in enumerate(row, start=2):
            sheet.cell(i, j, cell)
    sheet.cell(5 + len(ROWS) + 3, 2, "Source: the plants")
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx")
    assert (table.names, types(table), table.n_rows) == (tuple(HEAD), TYPES, len(ROWS))
    said = " ".join(table.report.notes)
    assert "above the table" in said
    assert "row 2 of the sheet, 'Sales report'" in said
    assert "row 6 of the sheet, 'EUR'" in said
    assert "'Source: the plants'" in said
    assert read_table(tmp_path / "t.xlsx", header_row=5).names == tuple(HEAD)
    with pytest.raises(DataError, match=r"header_row is 4, but .* has nothing in that row"):
        read_table(tmp_path / "t.xlsx", header_row=4)


def test_totals_merged_cells_errors_and_odd_texts(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["region", "q", "v", "as text"])
    for i in range(9):
        sheet.append([["N", "S", "E"][i // 3] if i % 3 == 0 else None, i, "#N/A" if i == 4 else i * 1.5, str(i)])
    for first in (2, 5, 8):
        sheet.merge_cells(f"A{first}:A{first + 2}")
    sheet.append(["Total", 36, 54 - 6, None])
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx")
    assert table.column("region").to_pylist() == ["N"] * 3 + ["S"] * 3 + ["E"] * 3
    assert table.column("v").null_count == 1
    assert types(table)[1:] == ["int64", "double", "int64"]
    assert any("'Total'" in note for note in table.report.notes)
    assert read_table(tmp_path / "t.xlsx", trim=False).n_rows == 10


def test_sheets_are_listed_and_chosen(tmp_path: Path) -> None:
    path = xlsx(
        tmp_path / "t.xlsx", {"About": [["a text"]], "Data": [HEAD, *ROWS], "More": [["a", "b"], [1, 2], [3, 4]]}
    )
    table = read_table(path)
    assert table.names == tuple(HEAD)
    assert any("the sheet 'Data' was read; the others are 'About', 'More' (--sheet" in n for n in table.report.notes)
    assert read_table(path, sheet="More").names == ("a", "b")
    assert not read_table(path, sheet="more ").report.notes
    with pytest.raises(DataError, match=r"there is no sheet 'Mor'.*'More'"):
        read_table(path, sheet="Mor")
    with pytest.raises(DataError, match=r"header .* but no rows|is empty"):
        read_table(path, sheet="About", header=True)
    assert read_table(path, sheet="More", names="p,q", header=True).names == ("p", "q")


def altered(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(path.with_suffix(".new"), "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return path.with_suffix(".new")


@pytest.mark.parametrize("kind", ["corner", "elsewhere", "padding", "repeated", "xls"])
def test_what_would_take_all_memory_is_refused_before(tmp_path: Path, kind: str) -> None:
    if kind == "repeated":
        path = altered(
            ods(tmp_path / "t", [HEAD, *ROWS]),
            lambda name, raw: raw.replace(
                b"<table:table-row>", b'<table:table-row table:number-rows-repeated="9000000">'
            ),
        )
    elif kind == "xls":
        book = xlwt.Workbook()
        for k in range(4):
            sheet = book.add_sheet(f"s{k}")
            sheet.write(0, 0, 1)
            sheet.write(65_535, 255, 1)
        book.save(str(tmp_path / "t"))
        path = tmp_path / "t"
    else:
        path = xlsx(tmp_path / "t", {"One": [HEAD, *ROWS]})
        if kind == "padding":
            path = altered(path, lambda name, raw: raw + b" " * 150_000_000 if "sheet1" in name else raw)
        else:
            path = altered(path, lambda _, raw: raw.replace(b'r="C7"', b'r="XFD1048576"'))
        if kind == "elsewhere":  # a part may have any name
            moved = path.with_suffix(".moved")
            with zipfile.ZipFile(path) as old, zipfile.ZipFile(moved, "w") as new:
                for name in old.namelist():
                    raw = old.read(name).replace(b"worksheets/sheet1.xml", b"odd/place.xml")
                    new.writestr(name.replace("worksheets/sheet1.xml", "odd/place.xml"), raw)
            path = moved
    with pytest.raises(DataError, match=r"unpacks to .* but at most 1\d\d MB|but at most .* max_unpacked"):
        read_table(path)


@pytest.mark.parametrize("form", ["xlsx", "xls", "ods"])
def test_damaged_workbooks_are_refused_in_words(tmp_path: Path, form: str) -> None:
    make = {"xlsx": lambda p: xlsx(p, {"One": [HEAD, *ROWS]}), "xls": lambda p: xls(p, [HEAD, *ROWS]),
            "ods": lambda p: ods(p, [HEAD, *ROWS])}  # fmt: skip
    whole = make[form](tmp_path / "whole").read_bytes()
    draw = random.Random(form)
    for k in range(40 if form != "xls" else 25):
        raw = bytearray(whole[: draw.randrange(len(whole))] if k % 2 else whole)
        if not k % 2:
            for _ in range(6):
                raw[draw.randrange(len(raw))] = draw.randrange(256)
        path = tmp_path / "damaged"
        path.write_bytes(raw)
        with suppress(PellucidError):  # and nothing else
            read_table(path)


def test_a_chain_of_sectors_that_leads_in_a_circle_ends(tmp_path: Path) -> None:
    path = xls(tmp_path / "t", [HEAD, *ROWS])
    raw = bytearray(path.read_bytes())
    fat = (int.from_bytes(raw[76:80], "little") + 1) * 512
    raw[fat : fat + 4] = (0).to_bytes(4, "little")  # the first sector is followed by itself
    path.write_bytes(raw)
    with pytest.raises(DataError, match="a chain leads in a circle"):
        read_table(path)


def test_other_documents_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t"
    for names, words in (
        ({"[Content_Types].xml": "", "word/document.xml": ""}, "an Office document"),
        ({"[Content_Types].xml": "", "xl/workbook.bin": ""}, "binary Excel workbook"),
        ({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": ""}, "not a spreadsheet"),
    ):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            for name, content in names.items():
                archive.writestr(name, content)
        path.write_bytes(made.getvalue())
        with pytest.raises(DataError, match=words):
            read_table(path)
    path.write_text("<html><table><tr><td>1</td></tr></table></html>", encoding="utf-8")
    with pytest.raises(DataError, match="HTML or XML"):
        read_table(path)
