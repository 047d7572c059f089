# ruff: noqa: E501
"""Losses and steps that a script writes for itself: what they are taken for, and what they must not hide."""

from __future__ import annotations

from pellucid.explanation.script import check_script, examine, source_of

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
