"""Fetching data sets, from a server on this machine that answers as bad servers do; never from the network."""

from __future__ import annotations

import gzip
import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from pellucid.data.images import download
from pellucid.data.images.download import SETS, DataSet, RemoteFile, cache_folder, locate
from pellucid.data.images.read import read_images
from pellucid.errors import DataError, SettingError, StorageError
from tests.data.images.test_idx import idx_bytes

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
RNG = np.random.default_rng(0)
ARRAYS = (
    RNG.integers(0, 256, (600, 12, 12), dtype=np.uint8), np.arange(600, dtype=np.uint8) % 3,
    RNG.integers(0, 256, (50, 12, 12), dtype=np.uint8), np.arange(50, dtype=np.uint8) % 3,
)  # fmt: skip
CONTENT = {f"{name}.gz": gzip.compress(idx_bytes(array), mtime=0) for name, array in zip(NAMES, ARRAYS, strict=True)}
FIRST = f"{NAMES[0]}.gz"


@dataclass
class Server:
    """A server of the files under some first folders of the path, each with its own failing."""

    address: str
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def mirror(self, failing: str) -> str:
        return f"{self.address}/{failing}/"


def answer(handler: BaseHTTPRequestHandler, server: Server) -> None:
    _, failing, name = handler.path.split("/")
    wish = handler.headers.get("Range")
    server.asked.append((handler.path, wish))
    content = CONTENT[name]
    if failing == "absent":
        handler.send_error(404, "Not Found")
        return
    if failing == "wrong":
        content = bytes(len(content))
    if failing == "long":
        content += b"more"
    start = 0
    if wish and failing != "whole":  # "whole" does not know the header Range
        found = re.fullmatch(r"bytes=(\d+)-", wish)
        assert found
        start = int(found[1])
        if start >= len(content):
            handler.send_error(416, "Range Not Satisfiable")
            return
    handler.send_response(206 if start else 200)
    if start:
        shift = 7 if failing == "shifted" else 0
        handler.send_header("Content-Range", f"bytes {start + shift}-{len(content) - 1}/{len(content)}")
    handler.send_header("Content-Length", str(len(content) - start))
    handler.end_headers()
    body = content[start:]
    if failing == "cut":  # a third of the file at a time
        body = body[: len(content) // 3 + 1]
    if failing == "half" and name == FIRST:  # half of it, and then never anything
        body = body[: len(content) // 2] if not start else b""
    handler.wfile.write(body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, known)

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = Server(address=f"http://127.0.0.1:{listening.server_port}")
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield known
    listening.shutdown()
    listening.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mnist"


def use(monkeypatch: pytest.MonkeyPatch, *mirrors: str) -> None:
    wanted = tuple(
        RemoteFile(name=name, size=len(content), md5=hashlib.md5(content, usedforsecurity=False).hexdigest())
        for name, content in CONTENT.items()
    )
    monkeypatch.setitem(SETS, "mnist", DataSet(title="MNIST", files=wanted, mirrors=mirrors))


def is_filled(folder: Path) -> bool:
    return {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENT


def test_fetched_once_and_then_found(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, server.mirror("good"))
    told: list[str] = []
    assert locate("mnist", tell=told.append) == cache
    assert is_filled(cache)
    assert [path for path, _ in server.asked] == [f"/good/{name}" for name in CONTENT]
    assert len(told) == 4
    assert told[0].startswith(f"downloading {FIRST} of MNIST (")
    read = read_images(cache)
    assert read.test is not None
    assert (read.train.n_rows, read.test.n_rows) == (600, 50)
    assert locate("mnist") == cache
    assert locate("mnist", offline=True) == cache
    assert len(server.asked) == 4


def test_only_what_is_missing_or_damaged_is_fetched(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, server.mirror("good"))
    locate("mnist")
    server.asked.clear()
    (cache / FIRST).write_bytes(bytes(len(CONTENT[FIRST])))
    assert locate("mnist", offline=True) is None
    assert locate("mnist") == cache
    assert server.asked == [(f"/good/{FIRST}", None)]
    assert is_filled(cache)


@pytest.mark.parametrize("bad", ["absent", "wrong", "long"])
def test_the_next_mirror_is_tried(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    use(monkeypatch, server.mirror(bad), server.mirror("good"))
    told: list[str] = []
    assert locate("mnist", tell=told.append) == cache
    assert is_filled(cache)
    # nothing of a wrong file is built upon
    assert all(wish is None for path, wish in server.asked if path.startswith("/good"))
    reason = {"absent": "it answered 404", "wrong": "is not the published one", "long": "is longer than the published"}
    assert any(server.mirror(bad) in line and reason[bad] in line for line in told)


@pytest.mark.parametrize("bad", ["absent", "wrong", "long", "half"])
def test_none_when_no_mirror_has_it(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    use(monkeypatch, server.mirror(bad))
    told: list[str] = []
    assert locate("mnist", tell=told.append) is None
    assert not any(path.suffix == ".gz" for path in cache.iterdir())
    assert told[-1] == f"MNIST could not be downloaded: no server answered with the right {FIRST}"
    assert len(server.asked) <= 5


def test_nobody_listens(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    told: list[str] = []
    with socket.socket() as taken:  # a port that nobody listens at, and that nobody else can take meanwhile
        taken.bind(("127.0.0.1", 0))
        use(monkeypatch, f"http://127.0.0.1:{taken.getsockname()[1]}/")
        assert locate("mnist", tell=told.append) is None
    assert "there is no connection" in told[1]
    assert list(cache.iterdir()) == []


def test_a_broken_connection_is_taken_up_again(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, server.mirror("cut"))
    assert locate("mnist") == cache
    assert is_filled(cache)
    third = len(CONTENT[FIRST]) // 3 + 1
    assert server.asked[:3] == [(f"/cut/{FIRST}", wish) for wish in (None, f"bytes={third}-", f"bytes={2 * third}-")]


def test_a_part_of_an_earlier_run_is_used(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, server.mirror("half"))
    assert locate("mnist") is None
    half = len(CONTENT[FIRST]) // 2
    assert (cache / f"{FIRST}.part").read_bytes() == CONTENT[FIRST][:half]
    server.asked.clear()
    use(monkeypatch, server.mirror("good"))
    assert locate("mnist") == cache
    assert server.asked[0] == (f"/good/{FIRST}", f"bytes={half}-")
    assert is_filled(cache)


def test_a_server_that_ignores_the_range_starts_anew(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, server.mirror("whole"))
    cache.mkdir(parents=True)
    (cache / f"{FIRST}.part").write_bytes(CONTENT[FIRST][:100])
    assert locate("mnist") == cache
    assert server.asked[0][1] == "bytes=100-"
    assert is_filled(cache)


@pytest.mark.parametrize(
    ("mirror", "part"),
    [
        ("good", b"rubbish"),  # the sum is wrong after the rest has come
        ("good", bytes(10_000_000)),  # longer than the file: the server answers 416
        ("shifted", CONTENT[FIRST][:100]),  # the server sends another part than was asked for
    ],
)
def test_a_part_that_does_not_fit_is_thrown_away(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch, mirror: str, part: bytes
) -> None:
    use(monkeypatch, server.mirror(mirror))
    cache.mkdir(parents=True)
    (cache / f"{FIRST}.part").write_bytes(part)
    assert locate("mnist") == cache
    assert [wish for path, wish in server.asked if path.endswith(FIRST)] == [f"bytes={len(part)}-", None]
    assert is_filled(cache)


def test_a_whole_part_only_takes_its_name(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, server.mirror("good"))
    cache.mkdir(parents=True)
    (cache / f"{FIRST}.part").write_bytes(CONTENT[FIRST])
    assert locate("mnist") == cache
    assert FIRST not in {path.rpartition("/")[2] for path, _ in server.asked}
    assert is_filled(cache)


def test_the_disk_is_synced_before_and_after_the_name(
    server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, server.mirror("good"))
    steps: list[str] = []
    fsync, replace, sync = download.os.fsync, Path.replace, download.sync_directory
    monkeypatch.setattr(download.os, "fsync", lambda number: (steps.append("file"), fsync(number))[1])
    monkeypatch.setattr(Path, "replace", lambda self, to: (steps.append("name"), replace(self, to))[1])
    monkeypatch.setattr(download, "sync_directory", lambda path: (steps.append("folder"), sync(path))[1])
    locate("mnist")
    assert [step for step in steps if step != "file"] == ["name", "folder"] * 4
    assert steps[:2] == ["file", "name"]


def test_a_cache_that_cannot_be_written(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, server.mirror("good"))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="could not"):
        locate("mnist")
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache" / "mnist" / f"{FIRST}.part").mkdir(parents=True)
    with pytest.raises(StorageError, match=r"could not write .*\.part'"):
        locate("mnist")


def test_offline_nothing_is_fetched(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, server.mirror("good"))
    told: list[str] = []
    assert locate("mnist", offline=True, tell=told.append) is None
    assert (server.asked, cache.exists()) == ([], False)
    assert told == [f"MNIST is not in the cache {str(cache)!r}, and nothing is downloaded when offline"]


def test_a_given_folder(tmp_path: Path) -> None:
    own = tmp_path / "own"
    with pytest.raises(DataError, match=r"data_dir must be a folder with the files of MNIST; there is no"):
        locate("mnist", own)
    own.mkdir()
    for name in (NAMES[0], f"{NAMES[1]}.gz", NAMES[2].replace("-idx", ".idx")):
        (own / name).write_bytes(b"")
    with pytest.raises(DataError, match=r"lacks t10k-labels-idx1-ubyte\.gz of MNIST"):
        locate("mnist", own)
    (own / NAMES[3]).write_bytes(b"")
    assert locate("mnist", str(own)) == own


def test_names_and_places(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingError, match="got 'fashon'; did you mean 'fashion'"):
        locate("fashon")
    monkeypatch.setenv("PELLUCID_CACHE", "own")
    monkeypatch.setenv("XDG_CACHE_HOME", "general")
    assert cache_folder() == Path("own")
    monkeypatch.delenv("PELLUCID_CACHE")
    assert cache_folder() == Path("general/pellucid")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_folder() == Path.home() / ".cache" / "pellucid"

    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(StorageError, match="PELLUCID_CACHE"):
        cache_folder()


def test_the_published_sums_are_those_of_the_real_files(shared_data: Path) -> None:
    for name, folder in (("mnist", "mnist"), ("fashion", "fashion_mnist")):
        assert locate(name, shared_data / folder) == shared_data / folder
        for file in SETS[name].files:
            content = (shared_data / folder / file.name).read_bytes()
            assert (len(content), hashlib.md5(content, usedforsecurity=False).hexdigest()) == (file.size, file.md5)


def test_a_cache_of_the_real_files_is_found(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    (tmp_path / "fashion").symlink_to(shared_data / "fashion_mnist", target_is_directory=True)
    assert locate("fashion", offline=True) == tmp_path / "fashion"


def test_the_files_of_another_set_are_refused(shared_data: Path) -> None:
    with pytest.raises(DataError, match=r"is of Fashion-MNIST, not of MNIST"):
        locate("mnist", shared_data / "fashion_mnist")
    assert locate("fashion", shared_data / "fashion_mnist") == shared_data / "fashion_mnist"
