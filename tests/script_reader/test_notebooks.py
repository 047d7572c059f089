"""Notebooks, and code that was saved or pasted with what stood around it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pellucid.errors import DataError
from pellucid.script_reader import Examined, examine, source_of

MODEL = "import torch\nfrom torch import nn\nmodel = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))\n"
LOSS = "criterion = nn.CrossEntropyLoss()\nloss = criterion(model(x), y)\n"


def notebook(*cells: str, language: str = "python", markdown_first: bool = True) -> str:
    """A notebook of nbformat 4 with these code cells."""
    made: list[dict[str, Any]] = [{"cell_type": "markdown", "metadata": {}, "source": ["# Title\n"]}] * markdown_first
    made += [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": cell.splitlines(keepends=True)} for cell in cells
    ]
    meta = {"kernelspec": {"language": language, "name": "k"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": meta, "cells": made})


def read(text: str, name: str = "train.ipynb") -> Examined:
    return examine(source_of(text, name))


def test_a_finding_names_cell_and_line() -> None:
    found = read(notebook(MODEL, "# nothing", LOSS))
    (finding,) = found.findings
    assert (finding.rule, finding.cell, finding.line) == ("softmax-before-cross-entropy", 1, 3)
    assert finding.place("train.ipynb") == "train.ipynb, cell 1, line 3"
    assert finding.evidence.splitlines() == [
        "cell 1, line 3: model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))",
        "cell 3, line 1: criterion = nn.CrossEntropyLoss()",
        "cell 3, line 2: loss = criterion(model(x), y)",
    ]
    assert found.followed.seen["loss"] == "cell 3, line 2"


def test_the_third_format_is_read() -> None:
    cells = [
        {"cell_type": "heading", "level": 1, "source": ["x"]},
        {"cell_type": "code", "language": "python", "input": MODEL.splitlines(keepends=True), "outputs": []},
        {"cell_type": "code", "language": "python", "input": LOSS, "outputs": []},
    ]
    text = json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]})
    assert [(f.cell, f.line) for f in read(text).findings] == [(1, 3)]
    assert [(f.cell, f.line) for f in read(text, "saved.txt").findings] == [(1, 3)]


def test_magics_are_skipped_and_lines_keep_their_numbers() -> None:
    first = "%matplotlib inline\n!pip install torch \\\n  torchvision\nfiles = !ls\ntorch?\n" + MODEL
    found = read(notebook("%%bash\nls\nfor x in", first, "%%time\nif True:\n    !nvidia-smi\n    %time pass\n" + LOSS))
    assert [(f.cell, f.line) for f in found.findings] == [(2, 8)]
    assert found.followed.notes == ()


def test_a_percent_that_continues_an_expression_stays() -> None:
    found = read(notebook(MODEL + "text = ('%d'\n  % 3)\n" + LOSS))
    assert [f.rule for f in found.findings] == ["softmax-before-cross-entropy"]


def test_a_broken_cell_leaves_the_others_standing() -> None:
    found = read(notebook(MODEL, "for x in range(", LOSS))
    assert [f.line for f in found.findings] == [3]
    (note,) = found.followed.notes
    assert note.startswith("train.ipynb, cell 2, line 1: not valid Python 3")
    assert note.endswith("this cell was skipped.")
    with pytest.raises(DataError, match="cell 1, line 1: not valid Python"):
        read(notebook("for x in range("))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (notebook("x <- 1", language="R"), "is a notebook in R"),
        (notebook(), "without code cells"),
        ("{", "cannot be read as a notebook"),
        ("[" * 100_000, "cannot be read as a notebook"),
        ("[1]", "without code cells"),
        ('{"cells": 3}', "without code cells"),
        ('{"cells": [1, {"cell_type": "code", "source": 3}]}', "without code cells"),
        ('{"worksheets": [3]}', "without code cells"),
    ],
)
def test_what_is_no_notebook_of_python_is_refused(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(text)


def test_code_between_fences_is_read() -> None:
    text = f"My script:\n\n```python\n{MODEL}```\nand then\n~~~\n{LOSS}~~~\n```bash\nfor x in\n```\n"
    (finding,) = read(text, "saved.txt").findings
    assert finding.line == 6
    assert finding.evidence.splitlines()[-1] == "11: loss = criterion(model(x), y)"


def test_code_after_prompts_is_read() -> None:
    text = (
        ">>> import torch\n>>> from torch import nn\n>>> model = nn.Sequential(nn.Linear(4, 3),\n"
        "...     nn.Softmax(dim=1))\n>>> model\nSequential(\n)\n>>> nn.CrossEntropyLoss()(model(x), y)\ntensor(1.)\n"
    )
    assert [f.line for f in read(text, "saved.txt").findings] == [4]


# ── older forms ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ("print 'x', model", "print without parentheses"),
        ("print 'a %s' % (\n    model)", "print without parentheses"),
        ("if x: print x", "print without parentheses"),
        ("print >>f, x", None),
        ("print ('x'), 3", None),
        ("x = y.cuda(async=True)", "async="),
        ("try:\n    x\nexcept ValueError, e:\n    pass", "except X, e"),
        ("try:\n    x\nexcept (ValueError, KeyError), e:\n    pass", "except X, e"),
        ("raise ValueError, 'no'", "raise X, text"),
        ("a <> b", "<>"),
        ("mode = 0777", "numbers such as 0777"),
        ("n = 10L", "numbers such as 0777"),
        ("t = ur'x'", "ur'"),
        ("f = lambda (a, b): a", "lambda"),
        ("exec 'x = 1'", "exec"),
        ("if x:\n        a = 1\n\tb = 2", "tabs"),
    ],
)
def test_forms_of_an_older_python_are_read_as_what_they_meant(line: str, form: str | None) -> None:
    found = read(MODEL + LOSS + line + "\n", "train.py")
    assert [f.rule for f in found.findings] == ["softmax-before-cross-entropy"]
    assert len(found.followed.notes) == (form is not None)
    if form is not None:
        assert form in found.followed.notes[0]
        assert f"in line {6 + line.count(chr(10)) - ('except' in line)}" in found.followed.notes[0] or "%" in line


def test_text_that_cannot_be_encoded_is_refused_with_its_cell() -> None:
    assert read(notebook(MODEL + LOSS, "x = '\ud800'")).findings
    with pytest.raises(DataError, match="cell 1: not valid Python"):
        read(notebook("x = '\ud800'"))


def test_old_forms_are_mended_wherever_they_stand() -> None:
    many = "print 'x'\ntry:\n    x.cuda(async=True)\nexcept ValueError, e:\n    raise KeyError, 'no'\n" * 100
    found = read(MODEL + LOSS + many, "train.py")
    assert [f.line for f in found.findings] == [3]
    assert "print without parentheses in line 6, async= (now non_blocking=) in line 8" in found.followed.notes[0]


def test_what_no_python_reads_is_an_error_with_its_line() -> None:
    with pytest.raises(DataError, match=r"line 7: not valid Python"):
        read(MODEL + LOSS + "print 'x'\nfor\n", "train.py")
