"""From text to syntax trees: each cell by itself, with lines counted through all files."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
import warnings
from dataclasses import dataclass

from pellucid.errors import DataError
from pellucid.script_reader.source.cells import without_magics
from pellucid.script_reader.source.old_python import as_python_3
from pellucid.script_reader.source.text import MAX_BYTES, Cell, Section, Source, lines_of

__all__ = ["Parsed", "parse_script", "parse_source"]

_MAX_BRACKETS = 100
_MAX_REPAIRS = 20  # more than there are old forms; each is rewritten everywhere
_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class Parsed:
    """The statements of all cells, their lines, where each cell begins, and notes for the user."""

    body: list[ast.stmt]
    lines: list[str]
    sections: list[Section]
    notes: list[str]


def parse_source(source: Source, first: int = 1, file: str = "") -> Parsed:
    """Parse every cell; its lines are counted from ``first`` on. A cell that is not Python does not stop the others.

    Raises
    ------
    DataError
        When no cell can be parsed; the message names the line.
    """
    if sum(len(cell.text) for cell in source.cells) > MAX_BYTES:
        size = sum(len(cell.text) for cell in source.cells)
        raise DataError(f"{source.name} has {size:,} characters of code, but at most {MAX_BYTES:,} are read; "
                        "give only the training script")  # fmt: skip
    found = Parsed([], [], [], list(source.notes))
    failed: list[DataError] = []
    for cell in source.cells:
        at = first + len(found.lines)
        found.sections.append(Section(at, file, cell.number))
        try:
            tree, notes = _parse_cell(cell, source.name)
        except DataError as error:
            failed.append(error)
        else:
            ast.increment_lineno(tree, at - 1)
            found.body.extend(tree.body)
            found.notes.extend(n for n in notes if n not in found.notes)
        found.lines.extend(lines_of(cell.text))
    if failed and not found.body:
        raise failed[0]
    found.notes.extend(f"{str(error).partition(';')[0]}; this cell was skipped." for error in failed)
    return found


def parse_script(text: str, name: str) -> ast.Module:
    """Return the syntax tree of ``text``.

    Raises
    ------
    DataError
        When it is too large, not valid in this version of Python, or nested too deeply; the message names the line.
    """
    return _parse_cell(Cell(text), name)[0]


def _parse_cell(cell: Cell, name: str) -> tuple[ast.Module, list[str]]:
    text, inside = cell.text.replace("\r\n", "\n").replace("\r", "\n"), f", cell {cell.number}" if cell.number else ""
    if len(text) > MAX_BYTES:
        raise DataError(
            f"{name} has {len(text):,} characters, but at most {MAX_BYTES:,} are read; give only the training script"
        )
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DataError(
            f"{name}{inside}, line {line}: contains a null character, so it is not text; give a Python script"
        )
    _check_brackets(text, name + inside)
    try:
        return _parsed(text, name, inside)
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name}{inside}: not valid Python ({error}); correct it") from error
    except (RecursionError, MemoryError) as error:
        raise DataError(f"{name} is nested too deeply to be read; split its longest expression") from error


def _parsed(text: str, name: str, inside: str) -> tuple[ast.Module, list[str]]:
    """The tree of a text that may contain notebook commands or syntax of an older Python."""
    notes: list[str] = []
    try:
        return _tree(text, name), notes
    except SyntaxError as error:
        wrong = error
    plain = without_magics(text)
    if plain != text and not inside:
        notes.append(f"{name}: notebook commands (%…, !…) were skipped.")
    forms: dict[str, int] = {}
    for _ in range(_MAX_REPAIRS):
        try:
            tree = _tree(plain, name)
        except SyntaxError as error:
            wrong = error
            mended = as_python_3(plain, error.lineno or 1, error.msg)
            if mended is None:
                break
            plain, form = mended
            forms.setdefault(form, error.lineno or 1)
            continue
        if forms:
            said = ", ".join(f"{form} in line {line}" for form, line in forms.items())
            notes.append(
                f"{name}{inside} is written for an older Python ({said}); it was read with its old meaning, "
                f"but Python {_VERSION} cannot run it."
            )
        return tree, notes
    raise DataError(
        f"{name}{inside}, line {wrong.lineno or 1}: not valid Python {_VERSION} ({wrong.msg}); "
        "correct it, or run it with Python for details"
    ) from wrong


def _tree(text: str, name: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as invalid escapes in the user's strings
        return ast.parse(text, name)


def _check_brackets(text: str, name: str) -> None:
    """Raise before the parser meets hundreds of open brackets; strings and comments are ignored."""
    depth = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.OP:
                depth += (token.string in "([{") - (token.string in ")]}")
                if depth > _MAX_BRACKETS:
                    raise DataError(
                        f"{name}, line {token.start[0]}: more than {_MAX_BRACKETS} open brackets; split the expression"
                    )
    except (tokenize.TokenError, SyntaxError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        return  # the parser's own error is clearer
