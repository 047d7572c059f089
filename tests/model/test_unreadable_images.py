"""Predicting a folder in which files cannot be read: all are named, or left out on request; the others are answered."""

from __future__ import annotations

from pathlib import Path

import pytest

import pellucid
from pellucid.errors import DataError
from pellucid.model.reading_rows import read_rows
from tests.data.images.drawn import draw, files, noise


def test_unreadable_files_can_be_left_out_of_predictions(tmp_path: Path) -> None:
    for i in range(20):
        draw(tmp_path / "photos" / "ab"[i % 2] / f"{i}.png", noise(8, 8, seed=i))
    run = pellucid.train(
        str(tmp_path / "photos"), out=tmp_path / "run", epochs=1, verdict=False, augment="none", skip_unreadable=True
    )
    new = tmp_path / "new"
    draw(new / "1.png", noise(8, 8))
    (new / "2.png").write_bytes(b"text")
    assert run.model is not None
    with pytest.raises(DataError, match=r"2\.png' is not a complete image file.*--skip-unreadable"):
        read_rows(run.model, new, how={})
    read = read_rows(run.model, new, how={"skip_unreadable": True})
    assert files(read) == ["1.png"]
