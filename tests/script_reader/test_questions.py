"""Code as it stands in a question: without its imports, between fences, in a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from pellucid.script_reader import check_script, examine, looks_like_script, read_source

CODE = """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(13, 3)

    def forward(self, x):
        return self.fc(x)

net = Net()
criterion = nn.MSELoss()
optimizer = optim.SGD(net.parameters(), lr=0.01)
for inputs, labels in train_loader:
    optimizer.zero_grad()
    _, chosen = torch.max(net(inputs), 1)
    loss = criterion(chosen.float(), labels.float())
    loss.backward()
    optimizer.step()
"""
STEP = "for x, y in loader:\n    loss = criterion(model(x), y)\n    loss.backward()\n    optimizer.step()\n"


@pytest.mark.parametrize("name", ["question.txt", "question.md", "train.py"])
def test_code_without_imports_is_read_as_pytorch(tmp_path: Path, name: str) -> None:
    text = CODE if name.endswith(".py") else f"Hi all, nothing is learned:\n\n```python\n{CODE}```\nAny help?\n"
    file = tmp_path / name
    file.write_text(text)
    assert looks_like_script(file)
    examined = examine(read_source(file))
    assert [f.rule for f in examined.findings] == ["argmax-before-loss"]
    assert "_, chosen" in examined.findings[0].evidence
    assert examined.followed.torch
    assert "never imports (nn, optim, torch)" in examined.followed.notes[0]


def test_a_single_step_is_code_and_pytorch(tmp_path: Path) -> None:
    file = tmp_path / "step.txt"
    file.write_text(STEP)
    assert looks_like_script(file)
    assert [f.rule for f in check_script(STEP)] == ["zero-grad"]


def test_a_table_with_such_words_in_it_is_a_table(tmp_path: Path) -> None:
    file = tmp_path / "posts.txt"
    file.write_text("title,answer\nmy net,call loss.backward() and optimizer.step()\nnn.Module,see the manual\n")
    assert not looks_like_script(file)


def test_names_of_the_script_are_not_taken_for_a_librarys() -> None:
    text = "import torch\nfrom mine import *\nx = F.dropout(torch.ones(3))\n"
    assert check_script(text) == ()
