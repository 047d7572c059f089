"""Faults planted in pictures: the campaign knows the doctor's names, and a fault differs from its twin."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.doctor.page import write_page
from benchmarks.doctor.picture_faults import PICTURE_FAULTS
from benchmarks.doctor.planted import Planted, try_planted

from pellucid.diagnosis import NAMES


def test_faults_have_names_of_the_doctor_and_labels_of_their_own() -> None:
    assert {fault.name for fault in PICTURE_FAULTS} <= {*NAMES}
    assert len({fault.label for fault in PICTURE_FAULTS}) == len(PICTURE_FAULTS)


@pytest.mark.parametrize("fault", PICTURE_FAULTS, ids=lambda fault: fault.label)
def test_a_fault_differs_from_its_twin(fault: Planted, tmp_path: Path) -> None:
    one, twin = (fault.make(np.random.default_rng(0), tmp_path / str(planted), planted) for planted in (True, False))
    same = one.settings == twin.settings
    for a, b in ((one.data, twin.data), (one.test, twin.test)):
        if isinstance(a, Path):
            files = ({p.relative_to(path): p.read_bytes() for p in path.rglob("*.*")} for path in (a, b))
            same &= next(files) == next(files)
        elif a is not None:
            same &= np.array_equal(a["image"], b["image"]) and a["label"] == b["label"]
    assert not same


def test_one_fault_is_found_and_its_twin_is_silent(tmp_path: Path) -> None:
    (fault,) = (each for each in PICTURE_FAULTS if each.name == "copies-with-different-labels")
    tried = try_planted(fault, 0)
    assert fault.name in tried["found"]
    assert fault.name not in tried["twin"]
    (tmp_path / "tables.jsonl").write_text("")
    (tmp_path / "planted.jsonl").write_text(json.dumps(tried) + "\n")
    write_page(tmp_path / "page.md", tmp_path / "tables.jsonl", tmp_path / "planted.jsonl")
    assert "| copies-with-different-labels | 1 | 1.00 | 1.00 |" in (tmp_path / "page.md").read_text()
