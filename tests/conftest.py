"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets, where it stands beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real data sets (../shared/data) is not here")
    return SHARED


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Tests run in several processes; each of them computes on one thread."""
    import torch

    torch.set_num_threads(1)
