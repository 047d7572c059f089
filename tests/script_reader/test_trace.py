"""A user's script in a process of its own: what it does wrong is seen, and however it ends is said plainly."""

from __future__ import annotations

from pathlib import Path

import pytest

from pellucid.errors import DataError, SettingError, StorageError
from pellucid.script_reader.tracing.trace import TracedScript, trace_script

START = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
torch.set_num_threads(1)
X = torch.randn(64, 4)
"""


def traced(folder: Path, text: str, seconds: float = 60.0) -> TracedScript:
    script = folder / "train.py"
    script.write_text(START + text, encoding="utf-8")
    return trace_script(script, seconds=seconds)


def line_of(text: str, piece: str) -> int:
    return next(n for n, line in enumerate((START + text).splitlines(), 1) if piece in line)


def test_a_softmax_a_missing_zero_grad_and_a_missing_eval_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
from torch.nn.functional import cross_entropy
y = torch.randint(3, (64,))
loader = DataLoader(TensorDataset(X, y), batch_size=8, shuffle=True)
names = ["Lin" + "ear", "Soft" + "max"]
model = nn.Sequential(getattr(nn, names[0])(4, 3), nn.BatchNorm1d(3), getattr(nn, names[1])(1))
torch.save(model.state_dict(), "model.pt")
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(1000):
    for x, t in loader:
        cross_entropy(model(x), t).backward()
        optimizer.step()
    with torch.no_grad():
        print("x" * 100_000)
        model(X)
"""
    monkeypatch.chdir(tmp_path)
    found = traced(tmp_path, text)
    assert {(f.rule, f.line) for f in found.findings} == {
        ("softmax-before-cross-entropy", line_of(text, "cross_entropy(model(x)")),
        ("zero-grad", line_of(text, "optimizer.step()")),
        ("eval-mode", line_of(text, "    model(X)")),
    }
    assert "stopped on purpose after 2 optimizer steps and an evaluation batch" in found.sentence
    assert f"torch.save in line {line_of(text, 'torch.save')} wrote nothing" in found.sentence
    assert not (tmp_path / "model.pt").exists()
    assert len(found.facts["losses"]) == 2
    assert all(step["norm"] > 0 for step in found.facts["steps"])


@pytest.mark.parametrize(
    ("zero", "clip"), [("optimizer.zero_grad()", ""), ("optimizer.zero_grad(set_to_none=False)", "")]
)
def test_a_healthy_script_has_no_findings(tmp_path: Path, zero: str, clip: str) -> None:
    text = f"""
y = X.sum(1, keepdim=True)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(5):
    model.train()
    for i in range(0, 64, 16):
        {zero}
        nn.MSELoss()(model(X[i:i + 16]), y[i:i + 16]).backward()
        {clip}
        optimizer.step()
    model.eval()
    with torch.no_grad():
        print(nn.functional.mse_loss(model(X), y).item())
"""
    found = traced(tmp_path, text)
    assert found.findings == ()
    assert found.facts["end"] == "enough"


def test_steps_without_gradients_a_column_against_a_row_and_an_exit_are_seen(tmp_path: Path) -> None:
    text = """
import warnings
warnings.simplefilter("ignore")
y = X.sum(1)
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    loss = nn.functional.mse_loss(model(X), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
exit(7)
"""
    found = traced(tmp_path, text)
    assert [(f.rule, f.line) for f in found.findings] == [
        ("column-against-row", line_of(text, "mse_loss")),
        ("step-order", line_of(text, "optimizer.step()")),
    ]
    assert "called exit(7) after 3 optimizer steps and no evaluation batch" in found.sentence


def test_an_error_is_named_with_its_line(tmp_path: Path) -> None:
    text = "name = 'linear'\nmodel = nn.Linear(4, 1)\nmodel(X.double())\n"
    found = traced(tmp_path, text)
    assert [(f.rule, f.line) for f in found.findings] == [("error", line_of(text, "X.double()"))]
    assert "RuntimeError" in found.findings[0].finding
    assert "model(X.double())" in found.findings[0].evidence


def test_a_script_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pellucid.script_reader.tracing.trace._GRACE", 1.0)
    script = tmp_path / "wait.py"
    script.write_text("import time\nwhile True:\n    time.sleep(1)\n")
    assert "stopped after 3 s" in trace_script(script, seconds=3.0).sentence


def test_a_script_that_catches_everything_is_stopped_all_the_same(tmp_path: Path) -> None:
    text = """
model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
while True:
    try:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(X), torch.zeros(64, dtype=torch.long)).backward()
        optimizer.step()
        with torch.no_grad():
            model(X)
    except BaseException:
        pass
"""
    found = traced(tmp_path, text)
    assert found.findings == ()
    assert found.facts["end"] == "enough"


def test_a_process_that_dies_is_reported(tmp_path: Path) -> None:
    found = traced(tmp_path, "import os, sys\nprint('no memory', file=sys.stderr, flush=True)\nos._exit(9)\n")
    assert found.findings[0].rule == "error"
    assert "died: no memory" in found.sentence


def test_what_cannot_be_run_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "a.py"
    script.write_text("x = 1\n")
    with pytest.raises(SettingError, match="seconds must be above 0"):
        trace_script(script, seconds=0)
    with pytest.raises(StorageError, match="check the path"):
        trace_script(tmp_path / "none.py")
    script.write_bytes(b"\xff")
    with pytest.raises(DataError, match="UTF-8"):
        trace_script(script)
