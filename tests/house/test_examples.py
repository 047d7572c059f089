"""Every example runs, and so does every block of Python and of commands in the README."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import pellucid

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


def run(arguments: list[str], folder: Path) -> str:
    done = subprocess.run(
        arguments, cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "COLUMNS": "120", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.name)
def test_example(path: Path, tmp_path: Path) -> None:
    assert run([sys.executable, "-W", "error", str(path)], tmp_path)


def test_readme_python(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    run([sys.executable, "-W", "error", "-c", "\n".join(blocks)], tmp_path)


COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("pellucid ")
]
ON_A_RUN = [line for line in COMMANDS if "my-run" in line]  # in their order: the first one trains it


def test_readme_commands_on_a_run(tmp_path: Path) -> None:
    first, *others = ON_A_RUN
    assert "pellucid train" in first
    run([sys.executable, "-m", *shlex.split(first, comments=True)], tmp_path)
    for line in others:
        assert pellucid(*shlex.split(line, comments=True)[1:], cwd=tmp_path, literal=True).stdout


@pytest.mark.parametrize("line", [line for line in COMMANDS if line not in ON_A_RUN])
def test_readme_command(line: str, tmp_path: Path) -> None:
    arguments = shlex.split(line, comments=True)
    if line == COMMANDS[0]:  # as a process of its own
        run([sys.executable, "-m", *arguments], tmp_path)
    else:
        assert pellucid(*arguments[1:], cwd=tmp_path, literal=True).stdout


def test_readme_pictures_are_those_that_are_made() -> None:
    shown = set(re.findall(r"!\[[^\]]+\]\((docs/pictures/[^)]+)\)", README))
    there = {f"docs/pictures/{path.name}" for path in (ROOT / "docs" / "pictures").glob("*.png")}
    assert shown == there
    made = (ROOT / "docs" / "pictures" / "make.py").read_text(encoding="utf-8")
    for name in there:
        study, _, picture = Path(name).stem.partition("-")
        assert f'"{study}": (' in made
        assert f'"{picture}"' in made


def test_readme_tree_names_what_is_there() -> None:
    tree = re.search(r"```text\n(src/pellucid.*?)```", README, re.DOTALL)
    assert tree is not None
    folder = ROOT / "src" / "pellucid"
    named = {
        line.split()[0].rstrip("/") for line in tree.group(1).splitlines()[1:] if line[:2] == "  " and line[2] != " "
    }
    there = {
        p.name for p in folder.iterdir() if p.name not in ("__pycache__", "__init__.py", "__main__.py", "py.typed")
    }
    assert named == there
