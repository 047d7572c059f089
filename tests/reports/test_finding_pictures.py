"""The doctor's findings on images are shown with thumbnails of the rows they name, unless rows are to stay hidden."""

from __future__ import annotations

from pathlib import Path

import pytest

import pellucid
from tests.data.images.drawn import draw, noise


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("photos")
    for i in range(24):
        draw(root / "ab"[i % 2] / f"{i:02}.png", noise(12, 12, 3, seed=i))
    (root / "b" / "again.png").write_bytes((root / "a" / "00.png").read_bytes())
    (root / "b" / "broken.png").write_bytes(b"text")
    return root


@pytest.mark.parametrize("rows", [True, False])
def test_rows_of_findings_are_shown_as_pictures(root: Path, tmp_path: Path, rows: bool) -> None:
    run = pellucid.train(
        str(root),
        out=tmp_path / "run",
        epochs=1,
        verdict=False,
        skip_unreadable=True,
        rows=rows,
        report=True,
        augment="none",
    )
    names = [each.name for each in run.findings]
    assert {"copies-with-different-labels", "unreadable-files"} <= set(names)
    found = next(each for each in run.findings if each.name == "copies-with-different-labels")
    assert found.rows == (0, 24)  # a/00.png and b/again.png
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert ("The images of these rows" in page) is rows
    assert ("broken.png" in page) is rows
