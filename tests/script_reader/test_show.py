"""What the terminal shows of a script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pellucid.cli.commands.doctor_script import show_script
from pellucid.errors import UserError

FAULTY = """import torch
from torch import nn
model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
loss = nn.CrossEntropyLoss()(model(torch.randn(8, 4)), torch.zeros(8, dtype=torch.long))  # [bold]
"""


def test_a_finding_is_shown_with_its_lines_and_the_code_to_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "train.py"
    script.write_text(FAULTY)
    assert show_script(script, run=False, as_json=False) == 1
    shown = capsys.readouterr().out
    assert "1. train.py, line 3: A softmax is applied before cross-entropy" in shown
    assert (
        "     4: loss = nn.CrossEntropyLoss()(model(torch.randn(8, 4)), torch.zeros(8, dtype=torch.long))  # [bold]"
        in shown
    )
    assert "Fix: " in shown
    assert "1 finding in train.py." in shown


def test_nothing_found_says_what_was_looked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "train.py"
    script.write_text(FAULTY.replace(", nn.Softmax(dim=1)", ""))
    assert show_script(script, run=False, as_json=False) == 0
    shown = capsys.readouterr().out
    assert "Nothing found in train.py. Looked for: activations" in shown


def test_json_has_every_field_and_what_the_run_saw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "train.py"
    script.write_text(FAULTY)
    assert show_script(script, run=True, as_json=True) == 1
    found = json.loads(capsys.readouterr().out)
    assert [f["rule"] for f in found["findings"]] == ["softmax-before-cross-entropy"]
    assert set(found["findings"][0]) == {"rule", "line", "finding", "evidence", "consequence", "fix", "remark"}
    assert found["facts"]["losses"][0]["input"]["made_by"] == "Softmax"
    assert "ran to its end" in found["run"]


def test_what_is_no_script_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("for\n")
    with pytest.raises(UserError, match="line 1"):
        show_script(script, run=False, as_json=False)


def test_remarks_alone_are_shown_and_do_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "net.py"
    script.write_text(
        "import torch\nfrom torch import nn\nnet = nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 2))\n"
        "net(torch.zeros(5, 3))\n"
    )
    assert show_script(script, run=False, as_json=False) == 0
    assert "net.py, line 3: (remark) Two linear layers follow each other" in capsys.readouterr().out
