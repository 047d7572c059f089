"""Scripts for Python 2 and early Python 3: outdated syntax is rewritten in today's form."""

from __future__ import annotations

import re

__all__ = ["as_python_3"]

_BEFORE = r"^(\s*(?:[^#'\"\n]*[:;]\s*)?)"
# No form is valid Python today, so nothing else is changed; line numbers stay the same.
_FORMS = (
    ("print without parentheses", re.compile(_BEFORE + r"print\s+(?:>>\s*)?(?=[^\s=(.,)\]])"), r"\1_ = "),
    ("print without parentheses", re.compile(_BEFORE + r"print\s+(?=\()"), r"\1_ = "),
    ("exec without parentheses", re.compile(r"^(\s*)exec\s+(?=['\"\w])"), r"\1_ = "),
    ("except X, e", re.compile(r"^(\s*except\s+[\w.()]+(?:\s*,\s*[\w.]+\))?)\s*,\s*(\w+)\s*:"), r"\1 as \2:"),
    ("except X, e", re.compile(r"^(\s*except\s+\([^)]*\))\s*,\s*(\w+)\s*:"), r"\1 as \2:"),
    ("raise X, text", re.compile(r"^(\s*raise\s+[\w.]+)\s*,.*$"), r"\1"),
    ("async= (now non_blocking=)", re.compile(r"\basync\s*=\s*(?=\w)"), "non_blocking="),
    ("<>", re.compile(r"<>"), "!="),
    ("numbers such as 0777 or 10L", re.compile(r"(?<![\w.])0+([1-7][0-7]*)(?![\w.])"), r"0o\1"),
    ("numbers such as 0777 or 10L", re.compile(r"(?<![\w.])(\d+)[lL]\b"), r"\1"),
    ("ur'…'", re.compile(r"(?<!\w)[uU][rR](?=['\"])"), "r"),
    ("lambda (a, b):", re.compile(r"\blambda\s*\(([\w\s,]+)\)\s*:"), r"lambda \1:"),
)  # fmt: skip


def as_python_3(text: str, line: int, message: str) -> tuple[str, str] | None:
    r"""``text`` with the outdated form that stopped the parser in ``line`` rewritten everywhere, and the form's name;
    None if the line contains no known form.

    >>> as_python_3("if a:\n    print 'x', a", 2, "")
    ("if a:\n    _ = 'x', a", 'print without parentheses')
    """
    lines = text.split("\n")
    near = [n for n in (line - 1, line - 2) if 0 <= n < len(lines)]
    if "tabs" in message or "indent" in message:
        changed = "\n".join(_untabbed(each) for each in lines)
        return (changed, "tabs among spaces") if changed != text else None
    for name, form, meant in _FORMS:
        if not any(form.search(lines[n]) for n in near):
            continue
        changed = "\n".join(form.sub(meant, each) for each in lines)
        if changed != text:
            return changed, name
    return None


def _untabbed(line: str) -> str:
    """A tab in the indentation reaches to the next multiple of eight columns, as in Python 2."""
    body = line.lstrip(" \t")
    return line[: len(line) - len(body)].expandtabs(8) + body
