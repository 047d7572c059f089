"""What all tests share: where they start from, in which order they run, and what is said of them at the end."""

from __future__ import annotations

import os
import random
import signal

# A shell lets what it starts in the background ignore Ctrl-C, and so would the processes that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests run in several processes, and NumPy's products on several threads each would mostly wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# What a terminal or a user has set there would change what commands print and where they look.
os.environ.pop("COLUMNS", None)
os.environ.pop("LINES", None)
os.environ.pop("FORCE_COLOR", None)
os.environ.pop("NO_COLOR", None)
os.environ.pop("CLICOLOR_FORCE", None)
os.environ.pop("TERMINAL_WIDTH", None)
os.environ.pop("PELLUCID_CACHE", None)

from collections import Counter
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("anywhere", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("anywhere")

_FIRST: dict[int, tuple[np.random.Generator, Any]] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--random-order", type=int, metavar="SEED", help="files, and tests within each, in a random order")
    parser.addoption(
        "--last-digits",
        type=int,
        metavar="SEED",
        help="move first weights in their 7th digit, as another processor may",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Whatever hangs on the last digits of a training comes out otherwise with ``--last-digits``."""
    if (seed := config.getoption("--last-digits")) is None:
        return
    from pellucid.network import initialise

    right = initialise._draw

    def moved(*given: Any) -> Any:
        weights = right(*given)
        return weights * (1 + 3e-7 * np.random.default_rng([seed, *weights.shape]).uniform(-1, 1, weights.shape))

    initialise._draw = moved


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shuffle the files, and the tests of each: what several tests of a file share is still made once."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    for tests in files.values():
        for value in vars(getattr(tests[0], "module", None) or object).values():
            if isinstance(value, np.random.Generator):
                _FIRST[id(value)] = (value, value.bit_generator.state)
    if (seed := config.getoption("--random-order")) is None:
        return
    chance = random.Random(seed)  # every worker of pytest-xdist must arrive at the same order
    shuffled = list(files.values())
    chance.shuffle(shuffled)
    for tests in shuffled:
        chance.shuffle(tests)
    items[:] = [item for tests in shuffled for item in tests]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A generator of a whole file begins anew with each test: what is drawn is the same whichever tests ran before."""
    for value in vars(getattr(item, "module", None) or object).values():
        if id(value) in _FIRST:
            generator, state = _FIRST[id(value)]
            generator.bit_generator.state = state


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """In plain words: what passed, what was not run and why, and whether all is well."""
    passed, failed, error, skipped = (
        terminalreporter.stats.get(name, []) for name in ("passed", "failed", "error", "skipped")
    )
    reasons = Counter(str(each.longrepr[2]).removeprefix("Skipped: ") for each in skipped)
    say = terminalreporter.write_line
    say("")
    say(f"Tests that passed: {len(passed):,}")
    if skipped:
        say(f"Skipped, because something is not here that they need: {len(skipped):,}")
    for reason, n in reasons.most_common():
        say(f"{n:>6}  {reason}")
    if config.option.markexpr == "not slow":
        say("Left out: long campaigns; to run them too: .venv/bin/python -m pytest -m slow")
    if failed or error:
        say(f"Failed: {len(failed) + len(error):,}; above stands of each what was expected and what came out.")
    elif exitstatus == 0:
        say("All is well.")


SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets, where it stands beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("real tables are not here: they lie in ../shared/data, beside the checkout")
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
    from pellucid.settings import presets

    presets.USUAL["table"] = presets.USUAL["pictures"] = "plain"


@pytest.fixture(autouse=True, scope="session")
def _no_reports() -> None:
    """Runs are tested without their page, which takes longer than most of them; the page has tests of its own."""
    from pellucid.settings.settings import Settings

    defaults = Settings.__init__.__kwdefaults__
    assert defaults is not None
    defaults["report"] = False


@pytest.fixture
def usual_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables and pictures are trained as users train them who ask for no preset."""
    from pellucid.settings.presets import USUAL

    monkeypatch.setitem(USUAL, "table", "best")
    monkeypatch.setitem(USUAL, "pictures", "pictures")
