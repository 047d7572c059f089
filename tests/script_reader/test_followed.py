"""What was looked at is said, so that an empty list of findings is no promise; a fault of the reader's costs little."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pellucid.script_reader import Examined, ScriptFinding, examine, source_of
from pellucid.script_reader import check as checks
from pellucid.script_reader.language.statements import STATEMENTS
from pellucid.script_reader.record.script import Script

HEALTHY = sorted((Path(__file__).parent / "healthy").glob("*.txt"))
LOOP = """import torch
from torch import nn
model = nn.Linear(4, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
"""
TEST = """with torch.no_grad():
    for x, y in test_loader:
        print(model(x))
"""


def read(text: str) -> Examined:
    return examine(source_of(text, "train.py"))


def test_each_part_of_a_training_is_named_by_its_line() -> None:
    seen = read(LOOP + TEST).followed
    assert dict(seen.seen) == {
        "model": "line 3", "training loop": "line 6", "loss": "line 8", "optimizer": "line 4", "evaluation": "line 13",
    }  # fmt: skip
    assert seen.sentences("train.py") == [
        "Checked: the model (line 3), the training loop (line 6), the loss (line 8), the optimizer (line 4) and the "
        "evaluation (line 13)."
    ]
    assert seen.to_json()["followed"] == {
        "model": "line 3", "training_loop": "line 6", "loss": "line 8", "optimizer": "line 4", "evaluation": "line 13",
    }  # fmt: skip


def test_what_was_not_seen_is_said() -> None:
    without = read(LOOP).followed.sentences("train.py")
    assert without[1] == "Not found, so not checked: an evaluation on held-out rows."
    nothing = read("import torch\nx = torch.zeros(3)\n").followed
    assert nothing.sentences("t.py") == [
        "No part of a training was found. Not found, so not checked: a model, a training loop, "
        "a loss of PyTorch, an optimizer or an evaluation on held-out rows."
    ]
    assert nothing.to_json()["followed"] == dict.fromkeys(("model", "training_loop", "loss", "optimizer", "evaluation"))


@pytest.mark.parametrize(
    ("text", "which"),
    [
        ("from tensorflow import keras\nmodel = keras.Sequential([])\n", " (this is TensorFlow)"),
        ("from sklearn.linear_model import Ridge\nRidge().fit(X, y)\n", " (this is scikit-learn)"),
        ("print('hello')\n", ""),
        ("", ""),
        ("# torch\n", ""),
    ],
)
def test_no_pytorch_is_said(text: str, which: str) -> None:
    found = read(text)
    assert found.findings == ()
    assert not found.followed.torch
    (sentence,) = found.followed.sentences("train.py")
    assert sentence.startswith(f"No PyTorch found{which}; ")


def test_loops_of_a_framework_are_seen() -> None:
    text = """import pytorch_lightning as pl
import torch
class M(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.l = torch.nn.Linear(4, 3)
    def training_step(self, batch, i):
        x, y = batch
        return torch.nn.functional.cross_entropy(self.l(x), y)
    def validation_step(self, batch, i):
        self.log('v', self.training_step(batch, i))
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())
pl.Trainer().fit(M(), train_loader)
"""
    for each in (text, text.replace("pl.Trainer().fit(M(), train_loader)\n", "")):
        assert dict(read(each).followed.seen) == {
            "model": "line 3", "training loop": "line 7", "loss": "line 9", "optimizer": "line 13",
            "evaluation": "line 10",
        }  # fmt: skip


# ── faults of the reader itself ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", HEALTHY, ids=lambda p: p.stem)
def test_nothing_is_lost_of_a_script(path: Path) -> None:
    assert examine(source_of(path.read_text(encoding="utf-8"), path.name)).followed.notes == ()


def test_a_fault_costs_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> str:
        raise IndexError("planted")

    monkeypatch.setitem(STATEMENTS, ast.Delete, fails)
    softmax = LOOP.replace("nn.Linear(4, 3)", "nn.Sequential(nn.Linear(4, 3), nn.Softmax(1))")
    text = softmax.replace("        optimizer.zero_grad()\n", "        optimizer.zero_grad()\n        del y\n")
    found = read(text)
    assert [f.rule for f in found.findings] == [f.rule for f in read(softmax).findings]
    assert found.followed.notes == (
        "Line 8 could not be followed (IndexError in test_followed.py); the rest was checked.",
    )
    many = "import torch\n" + "del x\n" * 200 + "def f():\n    del x\n"
    notes = read(many).followed.notes
    assert len(notes) == 6
    assert notes[-1] == "95 more statements could not be followed."


def test_a_fault_in_a_function_that_is_never_called_costs_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    from pellucid.script_reader.language.interpreter import Interpreter

    def fails(*_: object, **__: object) -> None:
        raise KeyError("planted")

    monkeypatch.setattr(Interpreter, "_bind", fails)
    found = read("import torch\ndef f(a):\n    return a\n" + LOOP)
    assert found.followed.notes == (
        "Line 2 could not be followed (KeyError in test_followed.py); the rest was checked.",
    )
    assert found.followed.seen["training loop"]


def test_a_fault_of_one_rule_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(script: Script) -> Iterator[ScriptFinding]:
        raise ZeroDivisionError
        yield

    monkeypatch.setattr(checks, "RULES", (broken, *checks.RULES))
    found = read(LOOP.replace("        optimizer.zero_grad()\n", ""))
    assert [f.rule for f in found.findings] == ["zero-grad"]
    assert found.followed.notes == ("The check 'broken' failed with ZeroDivisionError; all others ran.",)


def test_a_script_without_end_is_read_in_part() -> None:
    body = "".join(f"def f{i}(x):\n    return f{i - 1}(x) + f{i - 1}(x)\n" for i in range(1, 60))
    found = read("import torch\ndef f0(x):\n    return x\n" + body + "f59(1)\n" + LOOP)
    assert found.followed.notes[-1].startswith("The script is too long to be followed to its end")


def test_lines_are_counted_as_python_counts_them() -> None:
    text = "import torch\ntext = 'a\\\n\x0c\u2028b'\r\n" + LOOP.replace("        optimizer.zero_grad()\n", "")
    (finding,) = read(text).findings
    assert finding.evidence.splitlines()[-1].endswith(": optimizer.step()")
    assert finding.line == 12
