"""A small part of the campaign of `benchmarks/model_file_fuzz.py`, and proof that it would notice."""

from __future__ import annotations

import importlib
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.io import safe_tensors
from pellucid.model import model_file

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is measured as Linux tells it")


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module of the campaign."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    module = importlib.import_module("model_file_fuzz")
    monkeypatch.setattr(module, "SLOW", 60.0)  # a busy machine is no finding
    yield module
    for name in ("model_file_fuzz", "model_file_mutations"):
        sys.modules.pop(name, None)


def kinds_of(fuzz: Any, *names: str) -> list[Any]:
    return [kind for kind in (*fuzz.BLIND, *fuzz.SEALED) if kind.__name__ in names]


def test_four_hundred_mutated_files(fuzz: Any, tmp_path: Path) -> None:
    tallies, failures = fuzz.campaign(400, 7, tmp_path)
    assert failures == []
    assert len(tallies) == 16
    for name, tally in tallies.items():
        assert tally.files == 25
        assert tally.files == sum(tally.refused.values()) + tally.unchanged + tally.other, name
    refused = sum((tally.refused for tally in tallies.values()), start=type(tallies["splice"].refused)())
    assert min(refused[stage] for stage in ("layout", "checksum", "contents")) >= 5
    assert tallies["edit_numbers"].other > 5  # a valid edit is not refused
    assert "400 mutated model files were read" in fuzz.report(tallies, failures, 7, 1.0)


def test_a_checksum_that_is_not_compared_is_noticed(fuzz: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Equal(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __ne__(self, _: object) -> bool:
            return False

    digest = safe_tensors._digest
    monkeypatch.setattr(fuzz, "originals", lambda folder, made=fuzz.originals: (made(folder), blind())[0])

    def blind() -> None:
        monkeypatch.setattr(safe_tensors, "_digest", lambda *given: Equal(digest(*given)))

    _, failures = fuzz.campaign(120, 7, tmp_path, kinds_of(fuzz, "flip_bits"))
    assert any("past the checksum" in failure for failure in failures)


def test_a_field_that_is_not_checked_is_noticed(fuzz: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "_check_parameters", lambda *_: None)
    _, failures = fuzz.campaign(60, 7, tmp_path, kinds_of(fuzz, "edit_numbers", "edit_layout"))
    assert any("that is not valid" in failure for failure in failures)


def test_an_exception_that_is_not_ours_is_noticed(fuzz: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "_check_scalars", lambda *_: None)
    _, failures = fuzz.campaign(600, 7, tmp_path, kinds_of(fuzz, "edit_network_or_task"))
    assert any("TypeError: unhashable" in failure for failure in failures)


def test_memory_on_the_files_word_is_noticed(fuzz: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # More than the allocator may keep of what earlier tests in this process have freed, which is no growth.
    monkeypatch.setattr(safe_tensors, "_foreign", lambda _: str(np.ones(200 << 20, dtype=np.uint8))[:0])
    _, failures = fuzz.campaign(3, 7, tmp_path, kinds_of(fuzz, "foreign"))
    assert any("MiB for a file" in failure for failure in failures)
    monkeypatch.setattr(safe_tensors, "_foreign", lambda _: str(np.empty(4 << 30, dtype=np.uint8).shape)[:0])
    _, failures = fuzz.campaign(3, 7, tmp_path, kinds_of(fuzz, "foreign"))
    assert any("MemoryError" in failure for failure in failures)


def test_a_slow_refusal_and_an_execution_are_noticed(
    fuzz: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safe_tensors, "_foreign", lambda _: str(eval("1"))[:0])
    _, failures = fuzz.campaign(5, 7, tmp_path, kinds_of(fuzz, "foreign"))
    assert any("caused " in failure for failure in failures)
    monkeypatch.setattr(fuzz, "SLOW", 0.05)
    monkeypatch.setattr(safe_tensors, "_foreign", lambda _: str(time.sleep(0.06))[:0])
    _, failures = fuzz.campaign(5, 7, tmp_path, kinds_of(fuzz, "foreign"))
    assert any(re.search(r"took [\d.]+ s", failure) for failure in failures)
