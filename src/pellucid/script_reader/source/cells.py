"""Code in notebooks and saved texts: cells, fenced code, prompts and magics."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pellucid.errors import DataError
from pellucid.script_reader.source.text import Cell, Source, lines_of, read_script

__all__ = ["read_source", "source_of", "without_magics"]

_MAX_CELLS = 5_000
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_PROMPT = re.compile(r"^\s*(>>>|\.\.\.)(?: |$)")
# Cell magics whose cells are Python; cells with any other magic are skipped.
_PYTHON_CELLS = ("time", "timeit", "capture", "prun", "python", "python3", "py", "wandb", "memit", "mprun", "lprun")
_MAGIC = re.compile(r"^(\s*)(?:[%!?]|\w[\w.]*\?{1,2}\s*$)")
_ASSIGNED = re.compile(r"^(\s*[\w, ]+=\s*)[!%].*$")
_TIMED = re.compile(r"^(\s*)%(?:time|timeit|prun|memit)\s+(?![-\d])(\S.*)$")


def source_of(text: str, name: str, folder: Path | None = None) -> Source:
    """Return the code in ``text``: of a notebook (nbformat 3 and 4), of text with fences or prompts, or all of it.

    Raises
    ------
    DataError
        When a notebook cannot be read or is not written in Python.
    """
    if name.lower().endswith(".ipynb") or _is_notebook(text):
        return Source(name=name, cells=_cells(text, name), folder=folder)
    lines = lines_of(text)
    if any(_FENCE.match(line) for line in lines) and not name.lower().endswith(".py"):
        return Source(name=name, cells=(Cell("\n".join(_fenced(lines))),), folder=folder)
    if sum(bool(_PROMPT.match(line)) for line in lines) > 1 and not name.lower().endswith(".py"):
        return Source(name=name, cells=(Cell("\n".join(_prompted(lines))),), folder=folder)
    return Source(name=name, cells=(Cell(text),), folder=folder)


def _is_notebook(text: str) -> bool:
    start = text[:200].lstrip()
    return start.startswith("{") and '"nbformat"' in text and ('"cells"' in text or '"worksheets"' in text)


# ── notebooks ─────────────────────────────────────────────────────────────────────────────────────────────────


def _cells(text: str, name: str) -> tuple[Cell, ...]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        at = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "its structure"
        raise DataError(
            f"{name} cannot be read as a notebook ({at} is not valid JSON); open it in Jupyter and save it again"
        ) from error
    _check_language(content, name)
    found: list[Cell] = []
    for cell in _raw_cells(content):
        code = cell.get("source", cell.get("input", ""))
        code = "".join(part for part in code if isinstance(part, str)) if isinstance(code, list) else code
        if cell.get("cell_type") == "code" and isinstance(code, str):
            found.append(Cell(code, len(found) + 1))
        if len(found) >= _MAX_CELLS:
            break
    if not found:
        raise DataError(f"{name} is a notebook without code cells; name the notebook that trains")
    return tuple(found)


def _raw_cells(content: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(content, dict):
        return
    sheets = content.get("worksheets")
    groups = [content] if "cells" in content else (sheets if isinstance(sheets, list) else [])
    for group in groups:
        cells = group.get("cells") if isinstance(group, dict) else None
        yield from (cell for cell in (cells if isinstance(cells, list) else []) if isinstance(cell, dict))


def _check_language(content: Any, name: str) -> None:
    meta = content.get("metadata") if isinstance(content, dict) else None
    meta = meta if isinstance(meta, dict) else {}
    for key, field in (("kernelspec", "language"), ("language_info", "name")):
        part = meta.get(key)
        language = part.get(field) if isinstance(part, dict) else None
        if isinstance(language, str) and language and "python" not in language.lower():
            raise DataError(f"{name} is a notebook in {language[:40]}; the doctor only reads Python")


# ── lines that are not Python ──────────────────────────────────────────────────────────────────────────────────


def without_magics(text: str) -> str:
    r"""The text without notebook commands (``%…``, ``!…``, ``…?``); the number of lines stays the same.

    >>> without_magics("%matplotlib inline\nif x:\n    !ls\nfiles = !ls")
    'pass\nif x:\n    pass\nfiles = None'
    """
    lines = lines_of(text)
    first = next((n for n, line in enumerate(lines) if line.strip()), None)
    if first is not None and lines[first].startswith("%%"):
        words = lines[first][2:].split()
        if not words or words[0] not in _PYTHON_CELLS:
            return "\n".join("" for _ in lines)
        lines[first] = ""
    changed, more = [], False
    for line in lines:
        found = _MAGIC.match(line)
        timed = _TIMED.match(line)
        assigned = _ASSIGNED.match(line)
        if more:
            changed.append("")
        elif timed:
            changed.append(timed.group(1) + timed.group(2))
        elif found:
            changed.append(found.group(1) + "pass")
        elif assigned:
            changed.append(assigned.group(1) + "None")
        else:
            changed.append(line)
            continue
        more = line.rstrip().endswith("\\")
    return "\n".join(changed)


def _fenced(lines: list[str]) -> Iterator[str]:
    """The lines between fences; all others become empty, so that line numbers stay the same."""
    inside = python = False
    for line in lines:
        if _FENCE.match(line):
            inside = not inside
            language = line.strip().strip("`~").strip().lower()
            python = inside and language in ("", "python", "py", "python3", "pycon")
            yield ""
        else:
            yield line if python else ""


def _prompted(lines: list[str]) -> Iterator[str]:
    for line in lines:
        found = _PROMPT.match(line)
        yield line[found.end() :] if found else ""


def read_source(path: str | os.PathLike[str]) -> Source:
    """Return a script, a notebook (``.ipynb``) or a saved text with code in it, ready for parsing.

    Raises
    ------
    StorageError
        When there is no such file or it cannot be read.
    DataError
        When it is too large, is not text, or is not a Python notebook.
    """
    target = Path(path)
    return source_of(read_script(target), target.name, target.absolute().parent)
