"""A kind of layer in the kernel: what is packed, and that compiled code on disk notices a change of its file."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("numba")

from pellucid.engines.kernel import compiled
from pellucid.engines.kernel.layers import RULES
from pellucid.engines.kernel.layers.activation import CODES
from pellucid.engines.kernel.layers.dense import DENSE


def test_every_code_is_another() -> None:
    assert len({DENSE, *CODES.values()}) == 1 + len(CODES)


def test_the_checksum_of_compiled_code_sees_the_files_of_the_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    before = compiled._checksum()
    assert before == compiled._checksum()
    read = Path.read_bytes
    names = {f"layers/{kind.__name__.lower()}.py" for kind in RULES} | {"training.py"}
    for name in names:
        changed = Path(compiled.__file__).parent / name
        assert changed.is_file()
        monkeypatch.setattr(Path, "read_bytes", lambda self, at=changed: read(self) + b"#" * (self == at))
        assert compiled._checksum() != before, name
