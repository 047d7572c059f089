"""SQLite databases, zip archives, ORC and JSON objects: the one table in them, or a choice that is asked for."""

from __future__ import annotations

import gzip
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import feather, orc

from pellucid.data.images.read import is_image_source
from pellucid.data.tables import read_table
from pellucid.data.typed_files import sqlite as database_module
from pellucid.errors import DataError, PellucidError

CSV = "town,x\n" + "".join(f"t{i % 3},{i}\n" for i in range(9))


def database(path: Path, *commands: str) -> Path:
    with closing(sqlite3.connect(path)) as made:
        made.execute('CREATE TABLE "my ""table" (id INTEGER, zip TEXT, v REAL, mix, pic BLOB, day TEXT, word TEXT)')
        for i in range(9):
            row = (i, f"0{i}", i * 1.5, i if i else "none", b"x", f"2024-01-0{i + 1}", str(i))
            made.execute('INSERT INTO "my ""table" VALUES (?, ?, ?, ?, ?, ?, ?)', row)
        for command in commands:
            made.execute(command)
        made.commit()
    return path


def test_the_only_table_of_a_database_is_read_with_its_types(tmp_path: Path) -> None:
    path = database(tmp_path / "t.db")
    before = path.read_bytes()
    table = read_table(path)
    kinds = {name: str(table.column(name).type).split("<")[0] for name in table.names}
    assert kinds == {
        "id": "int64",
        "zip": "dictionary",
        "v": "double",
        "mix": "dictionary",
        "day": "dictionary",
        "word": "int64",
    }
    assert table.column("zip").to_pylist()[:2] == ["00", "01"]
    assert any("'pic' holds bytes" in note for note in table.report.notes)
    assert (path.read_bytes(), [each.name for each in tmp_path.iterdir()]) == (before, ["t.db"])


def test_tables_and_views_are_chosen_by_name(tmp_path: Path) -> None:
    path = database(tmp_path / "t.db", 'CREATE VIEW "a view" AS SELECT id, v FROM "my ""table"')
    with pytest.raises(
        DataError, match=r"has 2 tables \('a view' \(a view\), 'my \"table'\); say which with .*--table"
    ):
        read_table(path)
    assert read_table(path, table="a view").names == ("id", "v")
    assert read_table(path, table='MY "TABLE').n_rows == 9
    with pytest.raises(DataError, match=r"there is no table 'a vew'.*did you mean 'a view'"):
        read_table(path, table="a vew")


def test_a_view_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT {} FROM r"
    path = database(
        tmp_path / "t.db",
        f"CREATE VIEW rows_for_ever AS {endless.format('x')}",
        f"CREATE VIEW one_row AS {endless.format('count(*) AS n')}",
    )
    with pytest.raises(DataError, match="max_unpacked"):
        read_table(path, table="rows_for_ever", max_unpacked=1)
    monkeypatch.setattr(database_module, "_STEPS", 1_000)
    with pytest.raises(DataError, match="takes too long"):
        read_table(path, table="one_row")


def test_a_database_with_a_log_is_read_without_touching_it(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    database(path)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute('INSERT INTO "my ""table" (id) VALUES (99)')
        writer.commit()
        table = read_table(path)
    assert table.n_rows == 9
    assert any("-wal' and were not read" in note for note in table.report.notes)


@pytest.mark.parametrize("keep", [20, 100, 4_000, 8_000])
def test_a_database_that_was_cut_is_refused(tmp_path: Path, keep: int) -> None:
    path = database(tmp_path / "t.db")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(PellucidError, match=r"damaged or cut short|without a table|no rows|is a truncated SQLite"):
        read_table(path)


def archive(path: Path, **files: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name.replace("__", "/").replace("_", "."), content)
    return path


def test_the_one_table_in_an_archive_is_read(tmp_path: Path) -> None:
    for k, files in enumerate(
        (
            {"data__t_csv": CSV},
            {"t_csv": CSV, "README_txt": "about it", "_DS_Store": "x"},
            {"t_csv_gz": gzip.compress(CSV.encode())},
            {"t_db": database(tmp_path / "one.db", 'ALTER TABLE "my ""table" RENAME TO t').read_bytes()},
        )
    ):
        table = read_table(archive(tmp_path / f"{k}.zip", **files))
        assert table.n_rows == 9
        assert "in the zip archive" in table.report.notes[0]


def test_of_several_tables_one_is_asked_for(tmp_path: Path) -> None:
    path = archive(tmp_path / "t.zip", a_csv=CSV, b__b_csv=CSV.replace("town", "city"))
    with pytest.raises(DataError, match=r"of 2 files \('a.csv', 'b/b.csv'\); say which .*--table"):
        read_table(path)
    assert [read_table(path, table=name).names[0] for name in ("a.csv", "b", "b/b.csv")] == ["town", "city", "city"]
    with pytest.raises(DataError, match=r"there is no file 'c\.csv'"):
        read_table(path, table="c.csv")
    with pytest.raises(DataError, match="empty zip archive"):
        read_table(archive(tmp_path / "none.zip"))
    inner = archive(tmp_path / "1", a_csv=CSV).read_bytes()
    for k in range(2, 5):
        inner = archive(tmp_path / f"{k}", a_zip=inner).read_bytes()
    with pytest.raises(DataError, match="archives within archives"):
        read_table(tmp_path / "4")


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "t.zip", a_csv=b"1,2\n" * 30_000_000)
    with pytest.raises(DataError, match="unpacks to 120 MB, but at most 100 MB"):
        read_table(path)
    raw = bytearray(path.read_bytes())  # the directory says less than there is
    for at in (22, raw.rfind(b"PK\x01\x02") + 24):
        raw[at : at + 4] = (40).to_bytes(4, "little")
    path.write_bytes(raw)
    with pytest.raises(DataError, match="is damaged"):
        read_table(path)


def test_a_document_with_a_picture_is_no_set_of_images(tmp_path: Path) -> None:
    document = archive(tmp_path / "t.ods", mimetype="application/x", content_xml="<x/>", Thumbnails__a_png="x")
    assert not is_image_source(document)
    assert is_image_source(archive(tmp_path / "p.zip", cats__a_png="x", list_csv=CSV))


def test_orc_feather_and_json_objects(tmp_path: Path) -> None:
    columns = {"a": [1, 2, 3], "b": ["x", "y", "z"]}
    orc.write_table(pa.table(columns), tmp_path / "t.orc")
    feather.write_feather(pa.table(columns), tmp_path / "t.feather")
    (tmp_path / "columns.json").write_text('{"a": [1, 2, 3], "b": ["x", "y", "z"]}', encoding="utf-8")
    rows = '[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "z"}]'
    (tmp_path / "list.json").write_text(rows, encoding="utf-8")
    (tmp_path / "within.json").write_text(f'{{"count": 3, "data": {rows}}}', encoding="utf-8")
    for name in ("t.orc", "t.feather", "columns.json", "list.json", "within.json"):
        table = read_table(tmp_path / name)
        assert {n: table.column(n).to_pylist() for n in table.names} == columns
    path = tmp_path / "t.orc"
    path.write_bytes(path.read_bytes()[:-40] + path.read_bytes()[-5:])
    with pytest.raises(DataError, match="looks like ORC but is damaged"):
        read_table(path)
    path.write_text("ORC,x\n1,2\n", encoding="utf-8")
    assert read_table(path).names == ("ORC", "x")
