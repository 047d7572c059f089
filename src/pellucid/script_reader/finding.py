"""One mistake in a training script."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["ScriptFinding"]


@dataclass(frozen=True, kw_only=True)
class ScriptFinding:
    """One mistake: the lines that show it, its consequence, and what to write instead.

    A remark has less weight: it is not a mistake by itself and is not counted as one.
    ``rule`` is the rule's short name, ``line`` counts from 1 (0 if a traced run found something without a line)
    within the notebook's code cell ``cell`` (0 in a script) and the imported ``file`` (empty in the script itself).

    >>> ScriptFinding(rule="zero-grad", line=3, finding="f", evidence="3: opt.step()", consequence="c", fix="x").line
    3
    """

    rule: str
    line: int
    finding: str
    evidence: str
    consequence: str
    fix: str
    remark: bool = False
    file: str = ""
    cell: int = 0

    def to_json(self) -> dict[str, object]:
        """Every field by its name; ``file`` and ``cell`` only if they are set."""
        return {name: value for name, value in asdict(self).items() if name not in ("file", "cell") or value}

    def place(self, name: str) -> str:
        """Where it is, in a script called ``name``: ``train.py, line 3``."""
        cell = f"cell {self.cell}, " if self.cell else ""
        return f"{self.file or name}, {cell}line {self.line}" if self.line else name
