"""No command writes over what it reads, by whatever name the output goes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.errors import SettingError
from pellucid.runs.reads import check_output
from tests.running import pellucid

PLAIN = ("--preset", "plain", "--hidden", "4", "--epochs", "2", "--no-report")
ROWS = [f"{k % 7},{(3 * k) % 5},{'yes' if k % 7 > 3 else 'no'}" for k in range(80)]
TABLE = "\n".join(["a,b,y", *ROWS, ""])


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "t.csv").write_text(TABLE)
    pellucid("train", "t.csv", "--target", "y", *PLAIN, "--out", "r", cwd=folder)
    pellucid("init", "t.csv", "--target", "y", "-o", "c.yaml", cwd=folder)
    rng = np.random.default_rng(0)
    for label in "ab":
        (folder / "images" / label).mkdir(parents=True)
        for k in range(20):
            dark = 120 * (label == "b")
            pixels = rng.integers(dark, 120 + dark, (6, 6), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "images" / label / f"{k}.png")
    pellucid("train", "images", *PLAIN, "--out", "of-images", cwd=folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    there = tmp_path / "there"
    shutil.copytree(made, there)
    config = there / "r" / "config.yaml"  # the run's table is the copy
    config.write_text(config.read_text().replace(str(made), str(there)))
    (there / "sub").mkdir()
    (there / "soft.csv").symlink_to("t.csv")
    os.link(there / "t.csv", there / "hard.csv")
    (there / "hard.html").symlink_to("t.csv")
    os.link(there / "t.csv", there / "hard.yaml")
    return there


@pytest.mark.parametrize(
    "line",
    [
        "predict r t.csv -o t.csv",
        "predict r t.csv -o ./sub/../t.csv",
        "predict r t.csv -o soft.csv",
        "predict r t.csv -o hard.csv",
        "predict r soft.csv -o t.csv",
        "predict r t.csv -o r/predictions.csv",
        "report r --out t.csv",
        "report r --out r/model.safetensors",
        "report r --out r/metrics.json",
        "report r --out r/checkpoints/last.safetensors",
        "trace r --html hard.html",
        "trace r hard.html --html hard.html",
        "init t.csv -o t.csv --overwrite",
        "init t.csv -o hard.yaml --overwrite",
        "init t.csv -c c.yaml -o c.yaml --overwrite",
        "train t.csv -c r/config.yaml --out r --overwrite",
        "train r/predictions.csv --target actual --out r --overwrite",
        "train t.csv --target y --test-data r/history.csv --out r --overwrite",
        "mistakes of-images images --out images/a/1.png",
        "mistakes of-images images --out images/a/new.png",
        "explain of-images images --row 0 --out images/a",
        "units r t.csv --out images/a --no-replay",
    ],
)
def test_the_command_refuses_and_nothing_changes(line: str, folder: Path) -> None:
    if "units" in line:
        line = line.replace("units r t.csv", "units of-images images")
    before = contents(folder)
    done = pellucid(*line.split(), cwd=folder, code=2, literal=True)
    assert "name another" in done.stderr or "would replace it" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("lr", "range-test.csv"),
        ("compare", "comparison.csv"),
        ("search", "trials.csv"),
    ],
)
def test_a_folder_whose_file_is_the_table(command: str, file: str, folder: Path) -> None:
    (folder / "sub" / file).write_text(TABLE)
    before = contents(folder)
    more = ["--hidden", "4", "--hidden", "3"] if command == "compare" else []
    where = f"sub/{file}"
    done = pellucid(command, where, "--target", "y", *more, "--out", "sub", cwd=folder, code=2, literal=True)
    assert "is read by this command" in done.stderr
    assert contents(folder) == before


def test_the_config_of_a_search_is_not_replaced(folder: Path) -> None:
    shutil.copy(folder / "c.yaml", folder / "sub" / "best.yaml")
    before = contents(folder)
    line = ["search", "t.csv", "-c", "sub/best.yaml", "--out", "sub", "--trials", "1"]
    assert "is read by this command" in pellucid(*line, cwd=folder, code=2, literal=True).stderr
    assert contents(folder) == before


@pytest.mark.parametrize(
    "line",
    [
        "predict r t.csv -o answers.csv",
        "predict r t.csv -o r/answers.csv",
        "report r",
        "report r --out r/report.html",
        "trace r --html trace.html",
        "mistakes of-images images --out worst.png --no-explain",
        "train t.csv -c r/config.yaml --out again",
    ],
)
def test_what_is_no_input_is_written(line: str, folder: Path) -> None:
    pellucid(*line.split(), cwd=folder, literal=True)


LINKS: dict[str, Callable[[Path, Path], None]] = {
    "the same": lambda table, out: None,
    "a symbolic link": lambda table, out: out.symlink_to(table),
    "a chain of links": lambda table, out: (out.with_suffix(".x").symlink_to(table), out.symlink_to(f"{out.stem}.x"))[
        1
    ],
    "a hard link": os.link,
}


@pytest.mark.parametrize("link", LINKS)
def test_two_names_of_one_file(link: str, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a\n1\n")
    out = table if link == "the same" else tmp_path / "o.csv"
    LINKS[link](table, out)
    for data in (table, [None, "iris", table], os.fspath(table)):
        with pytest.raises(SettingError, match="is read by this command"):
            check_output(out, data=data)
    check_output(tmp_path / "other.csv", data=table)
    check_output(out, data=[None, "iris", {"a": [1]}, tmp_path / "none.csv"])


def test_an_image_under_another_name(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").write_bytes(b"png")
    os.link(tmp_path / "images" / "1.png", tmp_path / "hard.png")
    with pytest.raises(SettingError, match="is read by this command"):
        check_output(tmp_path / "hard.png", data=tmp_path / "images")
    check_output(tmp_path / "images" / "answers.csv", data=tmp_path / "images")
