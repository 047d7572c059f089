"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

import os
import signal

# A shell lets what it starts in the background ignore Ctrl-C, and so would the processes that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests run in several processes, and NumPy's products on several threads each would mostly wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

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


@pytest.fixture(autouse=True, scope="session")
def _plain_networks() -> None:
    """What is not about the usual preset is tested with the plain one, which trains one network and not four.

    Other processes, such as those of the command line's and the README's tests, take the usual one.
    """
    from pellucid.workflow import presets

    presets.FOR_TABLES = "plain"


@pytest.fixture(autouse=True, scope="session")
def _no_reports() -> None:
    """Runs are tested without their page, which takes longer than most of them; the page has tests of its own."""
    from pellucid.workflow import report

    report.WRITTEN = False


@pytest.fixture
def usual_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are trained as users train them who ask for no preset."""
    monkeypatch.setattr("pellucid.workflow.presets.FOR_TABLES", "best")
