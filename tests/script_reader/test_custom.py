# ruff: noqa: E501
"""Losses and steps that a script writes for itself: what they are taken for, and what they must not hide."""

from __future__ import annotations

import pytest

from pellucid.script_reader import check_script, examine, source_of

TOP = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
DICE = (
    "class DiceLoss(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.bce = nn.BCELoss()\n"
    "    def forward(self, p, t):\n        return self.bce(p, t) + 1 - (p * t).sum() / (p + t).sum()\n"
)
ON_DEVICE = (
    TOP + DICE + "from torch.utils.data import DataLoader, TensorDataset\n"
    "loader = DataLoader(TensorDataset(torch.randn(90, 4), torch.rand(90, 1)), 8, shuffle=True)\ndevice = torch.device('cuda')\n"
    "net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid()).to(device)\n"
    "optimizer = torch.optim.Adam(net.parameters())\ncriterion = DiceLoss()\n"
    "for x, y in loader:\n    x, y = x.to(device), y.to(device)\n    loss = criterion(net(x), y)\n"
    "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n"
)


def rules(text: str) -> list[str]:
    return [f.rule for f in check_script(text) if not f.remark]


def test_a_loss_without_parameters_need_not_be_moved_to_a_device() -> None:
    assert rules(ON_DEVICE) == []
    buffer = "self.register_buffer('w', torch.ones(1))"
    with_buffer = ON_DEVICE.replace("self.bce = nn.BCELoss()", f"self.bce = nn.BCELoss()\n        {buffer}")
    assert rules(with_buffer) == ["device"]
    assert "device" in rules(ON_DEVICE.replace("nn.Sigmoid()).to(device)", "nn.Sigmoid())"))


def test_a_loss_of_the_script_is_not_followed_as_its_model() -> None:
    seen = examine(source_of(ON_DEVICE, "script.py")).followed.seen
    assert seen["model"] == "line 13"


LOGGED = (
    TOP + "from rows import train_loader\nfrom helpers import progress\nnet = nn.Linear(3, 2)\n"
    "optimizer = torch.optim.Adam(net.parameters())\nfor epoch in range(9):\n    correct = total = shown = 0\n"
    "    for x, y in train_loader:\n        out = net(x)\n        loss = F.cross_entropy(out, y)\n"
    "        optimizer.zero_grad()\n        loss.backward()\n        optimizer.step()\n"
    "        shown += loss.item()\n        total += y.size(0)\n        correct += out.argmax(1).eq(y).sum().item()\n"
)
CALLS = (
    "progress(100. * correct / total)",
    "progress(epoch, 'loss %.3f, acc %.1f%% (%d)' % (shown / total, 100. * correct / total, total))",
    "progress('{:.3f}'.format(correct / total))",
    "progress(f'{correct / total}')",
    "progress(correct, total, shown / len(train_loader))",
)


@pytest.mark.parametrize("call", CALLS)
def test_numbers_that_are_shown_hide_no_missing_step(call: str) -> None:
    text = LOGGED + f"        {call}\n"
    assert rules(text) == []
    assert rules(text.replace("        optimizer.zero_grad()\n", "")) == ["zero-grad"]
    assert rules(text.replace("        loss.backward()\n", "")) == ["backward"]
    assert rules(text.replace("        optimizer.step()\n", "")) == ["step"]


def test_a_loss_that_is_handed_over_is_stepped_elsewhere_perhaps() -> None:
    assert rules(LOGGED.replace("        loss.backward()\n", "") + "        progress(loss)\n") == []
    assert rules(LOGGED.replace("        optimizer.zero_grad()\n", "") + "        progress(optimizer)\n") == []


def test_windows_of_a_series_are_rightly_split_by_position() -> None:
    text = (
        TOP + "import numpy as np\nimport pandas as pd\ndata = pd.read_csv('a.csv')[['Close']].values\n"
        "n = int(len(data) * 0.8)\ntrain, test = data[:n], data[n:]\n"
        "def windows(d, k=10):\n    return np.array([d[i : i + k, 0] for i in range(len(d) - k)]), np.array([d[i + k] for i in range(len(d) - k)])\n"
        "x, y = windows(train)\nu, v = windows(test)\n"
    )
    assert rules(text) == []
    assert rules(text.replace("d[i + k]", "d[i]")) == ["split-by-position"]
