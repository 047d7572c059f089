# ruff: noqa: E501
"""What a finding shows and says: whose line it is, which optimizer is meant, what is to be written."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from pellucid.cli.main import app
from pellucid.script_reader import check_script, examine, read_source

TOP = "import torch\nfrom torch import nn\n"
GAN = (
    TOP + "from rows import loader\nD = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid())\n"
    "G = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 4))\nbce = nn.BCELoss()\n"
    "d_step = torch.optim.Adam(D.parameters(), lr=0.0002)\ng_step = torch.optim.Adam(D.parameters(), lr=0.0002)\n"
    "for x in loader:\n    one, zero = torch.ones(8, 1), torch.zeros(8, 1)\n"
    "    d_step.zero_grad()\n    loss = bce(D(x), one) + bce(D(G(torch.randn(8, 2)).detach()), zero)\n    loss.backward()\n    d_step.step()\n"
    "    g_step.zero_grad()\n    loss = bce(D(G(torch.randn(8, 2))), one)\n    loss.backward()\n    g_step.step()\n"
)


def test_the_optimizer_of_the_other_network_is_shown_and_mended() -> None:
    (found,) = check_script(GAN)
    assert found.rule == "no-optimizer"
    assert "8: g_step = torch.optim.Adam(D.parameters()" in found.evidence
    assert found.fix == "g_step = torch.optim.Adam(G.parameters(), lr=0.0002)"


def test_lines_of_two_files_each_say_whose_they_are(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        TOP
        + "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(4, 3)\n"
        "    def forward(self, x):\n        return torch.softmax(self.fc(x), 1)\n"
    )
    file = tmp_path / "train.py"
    file.write_text(TOP + "from net import Net\nloss = nn.CrossEntropyLoss()(Net()(torch.randn(8, 4)), y)\n")
    (found,) = examine(read_source(file)).findings
    assert found.file == "net.py"
    assert found.evidence.splitlines()[0].startswith("train.py, line 4: loss =")
    assert found.evidence.splitlines()[-1].startswith("net.py, line 8: return")


def test_rows_are_resampled_after_the_split() -> None:
    text = (
        "import pandas as pd\nfrom imblearn.over_sampling import SMOTE\nfrom sklearn.model_selection import train_test_split\n"
        "df = pd.read_csv('a.csv')\nX, y = df.drop(columns='c'), df['c']\nX, y = SMOTE().fit_resample(X, y)\n"
        "a, b, c, d = train_test_split(X, y)\n"
    )
    (found,) = check_script(text)
    assert "the training rows only: X_train, y_train = SMOTE().fit_resample(X_train, y_train)" in found.fix


def test_remarks_are_counted_apart(tmp_path: Path) -> None:
    text = (
        TOP
        + "from torch.utils.data import DataLoader\nfrom rows import train, test\nnet = nn.Sequential(nn.Linear(3, 2), nn.Softmax(1))\n"
        "optimizer = torch.optim.Adam(net.parameters())\nloss_of = nn.CrossEntropyLoss()\n"
        "train_loader, test_loader = DataLoader(train, 8, shuffle=True), DataLoader(test, 8)\n"
        "for epoch in range(9):\n    for x, y in train_loader:\n        loss = loss_of(net(x), y)\n"
        "        optimizer.zero_grad()\n        loss.backward()\n        optimizer.step()\n"
        "    with torch.no_grad():\n        for x, y in test_loader:\n            print(loss_of(net(x), y))\n"
    )
    file = tmp_path / "train.py"
    file.write_text(text)
    assert "1 finding and 1 remark in train.py." in CliRunner().invoke(app, ["doctor", str(file)]).output
    file.write_text(text.replace(", nn.Softmax(1)", ""))
    assert "\n1 remark in train.py." in CliRunner().invoke(app, ["doctor", str(file)]).output
