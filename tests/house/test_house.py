"""Rules of the house that no linter knows."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pellucid

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(m.name for m in pkgutil.walk_packages(pellucid.__path__, "pellucid.") if "__main__" not in m.name)
HEAVY = {"torch", "matplotlib", "pandas", "polars", "sklearn", "scipy", "typer", "rich", "pyarrow"}


RNG = np.random.default_rng(4)


def loaded_by(code: str) -> set[str]:
    """The packages that are loaded after running ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*{{m.partition('.')[0] for m in sys.modules}})"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return set(done.stdout.split())


def test_import_pellucid_is_light() -> None:
    assert not loaded_by("import pellucid") & (HEAVY | {"numpy"})


def test_the_textbook_is_numpy_alone() -> None:
    assert not loaded_by("import pellucid.engines.textbook.engine, pellucid.engines.textbook.gradient_check") & HEAVY


def test_the_command_line_loads_no_engine() -> None:
    assert not loaded_by("import pellucid.cli.main") & (HEAVY - {"typer", "rich"})


def test_exported_names() -> None:
    assert set(pellucid.__all__) == {
        "Activation", "BatchNorm", "DataError", "DataWarning", "Dense", "DivergenceError", "Dropout", "Interrupted",
        "LayerNorm", "Loss", "Model", "ModelFileError", "Network", "NeuralAutoencoder", "NeuralClassifier",
        "NeuralRegressor", "NotKeptError", "Optimizer", "PellucidError", "PerceptronClassifier", "Residual", "Run",
        "RunFolderError", "SettingError", "Settings", "StorageError", "Task", "UserError", "__version__", "augmented",
        "boundary",
        "check", "compare", "cross_validate", "doctor", "explain_columns", "explain_image", "explain_row",
        "explain_sequence", "learn",
        "load", "lottery", "lr_range_test", "mistakes", "mlp", "report", "resume", "search", "study", "trace", "train",
        "units",
    }  # fmt: skip
    for name in pellucid.__all__:
        assert getattr(pellucid, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        pellucid.nothing  # noqa: B018


def test_a_name_that_was_renamed_still_works_and_says_its_name_today() -> None:
    with pytest.warns(DeprecationWarning, match="explain_columns"):
        assert pellucid.overview is pellucid.explain_columns


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is_for_and_its_examples_run(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    failed, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_exported_on_purpose(name: str) -> None:
    module = importlib.import_module(name)
    if module.__file__ is not None and not module.__file__.endswith("__init__.py"):
        exported = module.__all__
        assert len(exported) == len(set(exported))
        for public in exported:
            assert hasattr(module, public)


def tracked() -> list[Path]:
    if shutil.which("git") is None:
        pytest.skip("git is not installed, and only git knows which files belong to the project")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        pytest.skip("git knows no files here: clone the project as the user who runs the tests")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_address_of_a_registry_and_no_path_of_a_machine() -> None:
    hosts = r"files\.python" + r"hosted|py" + r"pi\.org|registry\.npm" + "js"
    # The folder that this stands in, as a path and not as the end of another: `src/pellucid` is not `/pellucid`.
    forbidden = re.compile(rf"{hosts}|(?<![\w./-]){re.escape(str(ROOT))}(?![\w.-])")
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "replace")
        assert not forbidden.search(text), path


def test_nothing_that_executes_a_file() -> None:
    """No pickle, eval, exec or torch.load anywhere in the package.

    But for the compiled code of the kernel, which Numba keeps as pickles: it is this user's own, and read only with the
    digest and the owner that it was written with.
    """
    modules = r"import (pickle|marshal|shelve|dill|joblib)|from (pickle|marshal|shelve|dill|joblib)"
    dangerous = re.compile(modules + r"|\beval\(|\bexec\(|torch\.load|yaml\.(unsafe_)?load\(")
    kernel = ROOT / "src" / "pellucid" / "engines" / "kernel" / "code_cache.py"
    for path in (ROOT / "src").rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            allowed = path == kernel and line == "import pickle"
            if dangerous.search(line) and ".eval()" not in line and not allowed:
                pytest.fail(f"{path.name}: {line.strip()}")


@pytest.mark.parametrize("turn", [1, 2])
def test_a_generator_of_a_whole_file_of_tests_begins_anew_with_each(turn: int) -> None:
    """What a test draws does not depend on which tests ran before it."""
    assert RNG.random() == np.random.default_rng(4).random(), turn


def test_the_list_of_a_room_names_what_is_in_it() -> None:
    for path in (ROOT / "src").rglob("__init__.py"):
        rows = re.findall(r"^\| (`.+?) \|", path.read_text(encoding="utf-8"), re.MULTILINE)
        for name in re.findall(r"`(\w+)`", " ".join(rows)):
            there = (path.parent / f"{name}.py").is_file() or (path.parent / name).is_dir()
            assert there, f"{path} lists {name!r}, which is not there"


def test_files_stay_small() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 420, f"{path} has {lines} lines: it probably hides two"
