"""Every rule finds its mistake in scripts of several styles, names the line, and says nothing of healthy scripts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pellucid.script_reader import check_script
from tests.script_reader.planted import SHAPES, SOFTMAX, STEPS
from tests.script_reader.planted_modes import MODES, ROWS

HEALTHY = {
    file.stem.replace("_", " "): file.read_text(encoding="utf-8")
    for file in sorted((Path(__file__).parent / "healthy").glob("*.txt"))
}
PLANTED = SOFTMAX + SHAPES + STEPS + MODES + ROWS

ALONGSIDE = {
    ("nll-without-log-softmax", "one-output-cross-entropy"),
    ("eval-mode", "no-grad"), ("fit-on-test", "fit-on-test"), ("train-mode", "eval-mode"),
    ("bce-without-sigmoid", "column-against-row"), ("target-type", "column-against-row"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_script_has_no_findings(name: str) -> None:
    assert [f for f in check_script(HEALTHY[name]) if not f.remark] == []


@pytest.mark.parametrize(("rule", "name", "edits", "line"), PLANTED, ids=[f"{p[0]} in {p[1]}" for p in PLANTED])
def test_a_planted_mistake_is_found_at_its_line(
    rule: str, name: str, edits: tuple[tuple[str, str], ...], line: str
) -> None:
    text = HEALTHY[name]
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    found = [f for f in check_script(text) if not f.remark]
    lines = text.splitlines()
    named = {f.rule: lines[f.line - 1] for f in reversed(found)}
    assert rule in named, [f.rule for f in found]
    assert line in named[rule]
    assert all(other == rule or (rule, other) in ALONGSIDE for other in named), named
    for f in found:
        assert f.evidence
        assert f.consequence
        assert f.fix
        assert f.finding.endswith(".")


def test_every_rule_is_planted_in_four_ways_at_least() -> None:
    counts = Counter(p[0] for p in PLANTED)
    del counts["sigmoid-before-cross-entropy"], counts["relu-before-cross-entropy"]
    assert min(counts.values()) >= 4, counts
