"""Encodings that are guessed are said; those that cannot be are shown in several."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from pellucid.data.notes import CellNote
from pellucid.data.tables import read_table
from pellucid.data.text_files.encodings import to_utf8
from pellucid.errors import DataError

GERMAN = "name,x\nMüller,1\nGroß,2\nÖzil,3\n"


def test_cp1252_is_guessed_and_said(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes((GERMAN + "5 €,4\n").encode("cp1252"))
    table = read_table(path)
    assert table.column("name").to_pylist() == ["Müller", "Groß", "Özil", "5 €"]
    assert table.report.encoding == "cp1252, guessed"
    (note,) = table.report.notes
    assert isinstance(note, CellNote)
    assert "'Müller' and 'Groß' (line 2)" in note
    assert "--encoding" in note
    assert not read_table(path, encoding="cp1252").report.notes


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32"])
def test_wide_encodings_are_known_with_and_without_a_mark(encoding: str) -> None:
    found = to_utf8(pa.py_buffer(GERMAN.encode(encoding)), "it", None)
    assert found.content.to_pybytes().decode() == GERMAN
    assert bool(found.notes) == encoding.endswith(("le", "be"))


@pytest.mark.parametrize(
    ("text", "encoding", "word"),
    [
        ("имя,x\nМосква,1\n", "cp1251", "cp1251: 'имя'"),
        ("名前,x\n東京,1\n", "shift_jis", "shift_jis: '名前'"),
        ("姓名,x\n北京,1\n", "gb18030", "gb18030: '姓名'"),
        ("name,x\nť,1\n", "cp1250", "cp1250: 'ť'"),  # a byte that stands for nothing in cp1252
    ],
)
def test_what_is_not_western_is_shown_in_several_encodings(text: str, encoding: str, word: str) -> None:
    with pytest.raises(DataError, match=r"--encoding") as refused:
        to_utf8(pa.py_buffer(text.encode(encoding)), "it", None)
    assert word in str(refused.value)
    assert to_utf8(pa.py_buffer(text.encode(encoding)), "it", encoding).content.to_pybytes().decode() == text


@pytest.mark.parametrize("raw", [b"caf\xc3\xa9,1\ncaf\xc3\xa9,2\ncaf\xe9,3\n", "café".encode()[:-1], b"a\xff\0\x01,1"])
def test_damaged_utf8_is_no_other_encoding(raw: bytes) -> None:
    with pytest.raises(DataError, match="not written in UTF-8: byte 0x"):
        to_utf8(pa.py_buffer(raw), "it", None)
