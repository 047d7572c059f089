"""Commands as a user types them, run in this process: a Python and a PyTorch of its own for each would take longest.

Some also run as processes of their own: the README's first ones (``house/test_examples.py``), and here and there where
a test is about the process (``apart=True``).
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pellucid.cli.console import console
from pellucid.cli.main import main
from pellucid.settings import presets

__all__ = ["Result", "pellucid"]

Result = subprocess.CompletedProcess[str]


def pellucid(
    *arguments: object,
    cwd: Path,
    code: int = 0,
    typed: str = "",
    columns: int = 120,
    apart: bool = False,
    literal: bool = False,
    environment: dict[str, str] | None = None,
) -> Result:
    """What ``pellucid ARGUMENTS`` printed, after it ended with ``code`` and no traceback.

    Unless ``literal``, trainings are spared the verdict and the several networks of the usual preset.
    """
    if not literal and arguments and arguments[0] == "train" and not {"--verdict", "--resume"} & set(arguments):
        arguments = (*arguments, "--no-verdict")  # the peers would take longer than these trainings
    trains = not literal and bool(arguments) and arguments[0] in ("train", "compare", "init")
    if trains and not {"--preset", "--resume", "-c"} & set(arguments):
        arguments = (*arguments, "--preset", "plain")  # the usual one has tests of its own
    line = [str(argument) for argument in arguments]
    if apart or environment:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "pellucid", *line],
            cwd=cwd, capture_output=True, text=True, timeout=120, check=False, input=typed, encoding="utf-8",
            env={**os.environ, "COLUMNS": str(columns), "OMP_NUM_THREADS": "1", **(environment or {})},
        )  # fmt: skip
    else:
        done = _here(line, cwd, typed, columns)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done


def _here(line: list[str], cwd: Path, typed: str, columns: int) -> Result:
    # Streams of bytes under text, as a process has them: some commands write bytes.
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["pellucid", *line])
        patch.setattr(sys, "stdin", io.StringIO(typed))
        patch.setenv("COLUMNS", str(columns))
        patch.setattr(console, "width", columns)
        patch.setitem(presets.USUAL, "table", "best")  # as users have them, who gave no preset
        patch.setitem(presets.USUAL, "pictures", "pictures")
        code: object = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                code = end.code
        texts = []
        for stream in (out, err):
            stream.flush()
            texts.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(line, int(code or 0), *texts)  # type: ignore[call-overload]
