"""Compiled code on disk: what is damaged or foreign is ignored with a warning, and replaced where possible.

Each function here is compiled in well under a second.
"""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numba")

from numba.core import config

from pellucid.engines.kernel import code_cache
from pellucid.engines.kernel.compiled import CachedFunction


def _made() -> CachedFunction:
    def seven(x: Any) -> Any:
        return 7 * x

    return CachedFunction(seven)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where code is kept in this test; nothing has been said yet."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(code_cache, "_warned", set())
    return tmp_path


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _hits(function: CachedFunction) -> int:
    return sum(function._function.stats.cache_hits.values())


class _Planted:
    """What a stranger would have run: loading it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "a byte": lambda content: content[:1],
    "forty bytes": lambda content: content[:40],
    "half": lambda content: content[: len(content) // 2],
    "all but the last byte": lambda content: content[:-1],
    "a flipped bit in the middle": lambda content: _flipped(content, len(content) // 2),
    "a flipped bit at the end": lambda content: _flipped(content, len(content) - 1),
    "a flipped bit in the first line": lambda content: _flipped(content, 3),
    "zeros": lambda content: bytes(len(content)),
    "more at the end": lambda content: content + b"x",
    "text": lambda content: b"hello\n" * 100,
}


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]


@pytest.mark.parametrize("which", [0, 1], ids=["index", "data"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_passed_over_with_a_warning_and_replaced(
    damage: str, which: int, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert _made()(2.0) == 14.0
    files = sorted(_files(folder), key=lambda path: path.suffix, reverse=True)
    assert [path.suffix for path in files] == [".nbi", ".nbc"]
    whole = files[which].read_bytes()
    files[which].write_bytes(DAMAGES[damage](whole))
    second = _made()
    assert not second.ready("float64")
    assert second(2.0) == 14.0
    assert _hits(second) == 0
    assert [record.message for record in caplog.records if "is damaged: compiled again" in record.message]
    caplog.clear()
    third = _made()
    assert third(2.0) == 14.0
    assert _hits(third) == 1
    assert not caplog.records


def test_what_is_not_ours_is_not_unpickled(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert _made()(2.0) == 14.0
    for file in _files(folder):
        file.write_bytes(pickle.dumps(_Planted(folder / "run")))
    assert _made()(2.0) == 14.0
    assert not (folder / "run").exists()


def test_code_of_another_user_is_not_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert _made()(2.0) == 14.0
    monkeypatch.setattr(code_cache, "_owner", lambda number: 54321)
    second = _made()
    assert second(2.0) == 14.0
    assert _hits(second) == 0
    assert "belongs to another user: compiled again" in caplog.records[0].message


def test_code_of_other_versions_is_passed_over_without_a_warning(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(code_cache, "_VERSIONS", "pellucid 1, numba 0.1, Python 3.0")
    assert _made()(2.0) == 14.0
    monkeypatch.undo()
    monkeypatch.setattr(config, "CACHE_DIR", str(folder))
    second = _made()
    assert second(2.0) == 14.0
    assert _hits(second) == 0
    assert not caplog.records


def test_what_stands_in_the_way_is_left_alone_with_a_warning(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert _made()(2.0) == 14.0
    for file in _files(folder):
        file.unlink()
        (file / "kept").mkdir(parents=True)
    assert _made()(2.0) == 14.0
    assert any("cannot be kept in" in record.message for record in caplog.records)
    assert any("set NUMBA_CACHE_DIR to a folder that you can write to" in record.message for record in caplog.records)


def test_where_there_is_no_folder_it_is_said_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(self: Any) -> None:
        raise OSError("read-only file system")

    monkeypatch.setattr(code_cache._caching._CacheLocator, "ensure_cache_path", refuse)
    function = _made()
    assert (function(2.0), function(3.0)) == (14.0, 21.0)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "there is no folder to keep compiled code in" in caplog.records[0].message
