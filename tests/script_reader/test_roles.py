# ruff: noqa: E501
"""Which rows are which: by short names, by the part that an argument names, and by the folds of cross-validation."""

from __future__ import annotations

import pytest

from pellucid.script_reader import check_script, examine, source_of

TOP = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\nfrom torch.utils.data import DataLoader\n"
NET = "net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 2))\n"
OPTIMIZER = "optimizer = torch.optim.Adam(net.parameters())\n"
EPOCH = (
    "    net.train()\n    for x, y in a:\n        loss = F.cross_entropy(net(x), y)\n"
    "        optimizer.zero_grad()\n        loss.backward()\n        optimizer.step()\n"
    "    net.eval()\n    right = 0\n    with torch.no_grad():\n        for x, y in b:\n"
    "            right += (net(x).argmax(1) == y).sum().item()\n"
)
BY_ARGUMENT = {
    "a word": "from faces import Faces\na, b = DataLoader(Faces('train'), 8, shuffle=True), DataLoader(Faces('valid'), 8)\n",
    "a path": "from torchvision import datasets\na = DataLoader(datasets.ImageFolder('d/train'), 8, shuffle=True)\n"
    "b = DataLoader(datasets.ImageFolder('d/val'), 8)\n",
    "a formatted path": "from torchvision import datasets\na = DataLoader(datasets.ImageFolder(f'{d}/train'), 8, shuffle=True)\n"
    "b = DataLoader(datasets.ImageFolder(f'{d}/val'), 8)\n",
    "a joined path": "import os\nfrom torchvision import datasets\n"
    "a = DataLoader(datasets.ImageFolder(os.path.join(d, 'train')), 8, shuffle=True)\n"
    "b = DataLoader(datasets.ImageFolder(os.path.join(d, 'val')), 8)\n",
    "a class of the script": "class Rows(torch.utils.data.Dataset):\n    def __init__(self, part):\n        self.part = part\n"
    "    def __getitem__(self, i):\n        return read(self.part, i)\n"
    "a, b = DataLoader(Rows('train'), 8, shuffle=True), DataLoader(Rows('valid'), 8)\n",
}  # fmt: skip
FOLDS = (
    TOP + "import numpy as np\nimport pandas as pd\nfrom sklearn.model_selection import KFold\n"
    "test = pd.read_csv('test.csv')\nX, y = np.load('X.npy'), np.load('y.npy')\n"
    "for i, j in KFold(5, shuffle=True).split(X, y):\n    " + NET + "    " + OPTIMIZER + "    best = 0\n"
    "    xt, yt = torch.tensor(X[i]), torch.tensor(y[i])\n    xv, yv = torch.tensor(X[j]), torch.tensor(y[j])\n"
    "    for epoch in range(50):\n        net.train()\n        loss = F.cross_entropy(net(xt), yt)\n"
    "        optimizer.zero_grad()\n        loss.backward()\n        optimizer.step()\n        net.eval()\n"
    "        with torch.no_grad():\n            right = (net(xv).argmax(1) == yv).float().mean().item()\n"
    "        if right > best:\n            best = right\n            torch.save(net.state_dict(), 'best.pt')\n"
)


def rules(text: str) -> list[str]:
    return [f.rule for f in check_script(text) if not f.remark]


@pytest.mark.parametrize("rows", BY_ARGUMENT.values(), ids=BY_ARGUMENT)
def test_an_argument_says_which_rows_a_data_set_holds(rows: str) -> None:
    text = TOP + rows + NET + OPTIMIZER + "for epoch in range(9):\n" + EPOCH
    assert rules(text) == []
    assert rules(text.replace("    net.eval()\n", "")) == ["eval-mode"]


@pytest.mark.parametrize("names", [("i", "j"), ("train_index", "test_index"), ("tr", "va")])
def test_rows_that_a_fold_leaves_out_are_validation_rows(names: tuple[str, str]) -> None:
    one, other = names
    text = FOLDS.replace("for i, j", f"for {one}, {other}").replace("[i]", f"[{one}]").replace("[j]", f"[{other}]")
    assert rules(text) == []
    assert rules(text.replace("xv", "X_test")) == []
    assert rules(text.replace("        net.eval()\n", "")) == ["eval-mode"]


def test_a_loop_of_answers_without_gradients_after_the_training_is_an_evaluation() -> None:
    rows = "from rows import first as a, second as b\n"
    text = TOP + rows + NET + OPTIMIZER + "for epoch in range(9):\n" + EPOCH
    for scored in (text, text.replace("torch.no_grad", "torch.inference_mode").replace("    net.eval()\n", "")):
        seen = examine(source_of(scored, "script.py")).followed.seen
        assert seen["evaluation"] == f"line {scored[: scored.index('argmax')].count(chr(10)) + 1}"
    assert (
        examine(source_of(text.replace("with torch.no_grad():", "if True:"), "s.py")).followed.seen["evaluation"] == ""
    )
