"""A script is text that nobody has checked: whatever it is, there are findings or one clear error."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from pellucid.errors import DataError, StorageError, UserError
from pellucid.script_reader import check_script, examine, read_script, source_of

HEALTHY = sorted((Path(__file__).parent / "healthy").glob("*.txt"))


def test_the_line_of_a_syntax_error_is_named() -> None:
    with pytest.raises(DataError, match=r"train\.py, line 3: not valid Python 3.*correct it"):
        check_script("import torch\nx = 1\nfor\n", "train.py")


def test_a_notebooks_lines_in_a_script_are_skipped() -> None:
    text = "import torch\n!pip install \\\n  torch\n%matplotlib inline\nfor\n"
    with pytest.raises(DataError, match=r"line 5: "):
        check_script(text)
    assert examine(source_of(text.replace("for\n", ""), "a.py")).followed.notes == (
        "a.py: notebook commands (%…, !…) were skipped.",
    )


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 5000 + ")" * 5000,
        "x = " + "-" * 50_000 + "1",
        "x = " + "+".join(["1"] * 60_000),
        "x = a" + ".b" * 60_000,
        "x = f" + "()" * 30_000,
        "".join("    " * i + "if x:\n" for i in range(99)) + "    " * 99 + "pass",
        "x = " + "[" * 99 + "]" * 99,
        "lambda: " * 20_000 + "0",
        "x = 1\0",
        "é" * 2_000_000,
        "x = '" + "a" * 1_100_000 + "'",
        "not " * 30_000 + "x",
        "x = " + "1 if a else " * 20_000 + "0",
    ],
    ids=range(13),
)
def test_hostile_text_gives_an_answer_or_a_clear_error(text: str, tmp_path: Path) -> None:
    script = tmp_path / "hostile.py"
    script.write_text(text, encoding="utf-8")
    code = (
        "import sys\nfrom pellucid.errors import UserError\n"
        "from pellucid.script_reader import check_script, read_script\n"
        "try:\n    check_script(read_script(sys.argv[1]), 'hostile.py')\nexcept UserError as e:\n    print(e)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-500:]


def test_functions_that_call_each_other_without_end_are_left() -> None:
    text = "import torch\ndef f(x):\n    return g(x) + g(x)\ndef g(x):\n    return f(x) * f(x)\ny = f(1)\n"
    assert check_script(text) == ()
    doubling = "import torch\ndef f0(x):\n    return x\n"
    doubling += "".join(f"def f{i}(x):\n    return f{i - 1}(x) + f{i - 1}(x)\n" for i in range(1, 60)) + "f59(1)\n"
    assert check_script(doubling) == ()
    loops = "".join("    " * i + f"for i{i} in range(9):\n" for i in range(18)) + "    " * 18 + "x = 1\n"
    assert check_script("import torch\n" + loops) == ()


@pytest.mark.parametrize("path", HEALTHY, ids=lambda p: p.stem)
def test_scripts_with_lines_missing_or_mixed_never_crash(path: Path) -> None:
    rng = random.Random(path.stem)
    lines = path.read_text(encoding="utf-8").splitlines()
    for _ in range(8):
        changed = list(lines)
        for _ in range(rng.randint(1, 4)):
            a, b = rng.randrange(len(changed)), rng.randrange(len(changed))
            if rng.random() < 0.5:
                del changed[a]
            else:
                changed[a], changed[b] = changed[b], changed[a]
        try:
            found = check_script("\n".join(changed))
        except UserError:
            continue
        assert all(1 <= f.line <= len(changed) for f in found)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="check the path"):
        read_script(tmp_path / "none.py")
    with pytest.raises(StorageError, match="is a folder"):
        read_script(tmp_path)
    with pytest.raises(StorageError, match="check the path"):
        read_script("a\0b.py")
    file = tmp_path / "a.py"
    file.write_bytes(b"x = 1\ny = '\xff\xfe'\n")
    with pytest.raises(DataError, match=r"line 2.*UTF-8"):
        read_script(file)
    file.write_bytes(b"# coding: nonsense\n")
    with pytest.raises(DataError, match="UTF-8"):
        read_script(file)
    file.write_bytes(b"#" * 1_000_001)
    with pytest.raises(DataError, match="larger than"):
        read_script(file)


def test_encodings_are_those_of_python(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_bytes("# -*- coding: latin-1 -*-\nx = 'é'\r\n".encode("latin-1"))
    assert read_script(file) == "# -*- coding: latin-1 -*-\nx = 'é'\n"
    file.write_bytes("\ufeffimport torch\n".encode())
    assert read_script(file) == "import torch\n"
    assert check_script(read_script(file)) == ()


def test_nothing_of_a_script_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    check_script(f"import torch\nopen({str(mark)!r}, 'w').write('x')\n__import__('os').system('touch {mark}')\n")
    assert not mark.exists()


def test_a_script_without_torch_is_judged_by_its_rows_alone() -> None:
    text = """
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
a, b, c, d = train_test_split(X, y)
for i in range(3):
    loss.backward()
    optimizer.step()
"""
    assert [(f.rule, f.line) for f in check_script(text)] == [("fit-before-split", 6)]
