# ruff: noqa: E501
"""Mistakes of fine-tuning, of single outputs, of Q-learning and of leaves: each broken, and alike but right."""

from __future__ import annotations

import pytest

from pellucid.script_reader import check_script

TOP = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\nfrom torchvision import models\n"
NET = "net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))\n"
MAKE = "from rows import train_loader\noptimizer = torch.optim.SGD(net.parameters(), lr=0.001)\n"
STEP = "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n"
TRAIN = "for x, y in train_loader:\n    loss = F.cross_entropy(net(x), y)\n" + STEP
FREEZE = "for p in net.parameters():\n    p.requires_grad = False\n"
VGG, RESNET = "net = models.vgg16(weights='DEFAULT')\n", "net = models.resnet18(weights='DEFAULT')\n"
PUT, FC = "net.classifier[6] = nn.Linear(4096, 2)\n", "net.fc = nn.Linear(512, 2)\n"
BETWEEN = "layers = list(net.classifier.children())[:-1]\nlayers.extend([nn.Linear(4096, 2)])\nnet.classifier = nn.Sequential(*layers)\n"
ONE = TOP + "net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1), nn.Softmax(dim=1))\n" + MAKE
BCE = "for x, y in train_loader:\n    loss = F.binary_cross_entropy(net(x), y)\n" + STEP
SUM = (
    TOP
    + NET
    + MAKE
    + "total = 0\nfor x, y in train_loader:\n    parts = net(x)\n    loss = sum(v for v in parts.values())\n    total += loss\n"
    + STEP
)
Q = (
    TOP + NET + "from rows import batches\noptimizer = torch.optim.SGD(net.parameters(), lr=0.001)\n"
    "for s, a, r, t in batches:\n    q = net(s).gather(1, a)\n    wanted = r + 0.9 * net(t).max(1)[0].detach()\n"
    "    loss = F.mse_loss(q, wanted)\n" + STEP
)
LEAF = (
    TOP
    + NET
    + MAKE
    + "for x, y in train_loader:\n    out = net(x).detach()\n    out.requires_grad = True\n    loss = F.mse_loss(out, y)\n"
    + STEP
)
HOP = (
    TOP
    + NET
    + MAKE
    + "def distance(a, b):\n    d = (a - b).detach().numpy()\n    return torch.tensor((d ** 2).mean(), requires_grad=True)\n"
    "for x, y in train_loader:\n    loss = distance(net(x), y)\n" + STEP
)
LIT = (
    "import torch\nfrom torch import nn\nimport torch.nn.functional as F\nimport lightning as L\nclass Net(L.LightningModule):\n"
    "    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(4, 2)\n"
    "    def training_step(self, batch, i):\n        x, y = batch\n        loss = F.cross_entropy(self.fc(x), y)\n        self.log('loss', loss)\n"
)
PLATEAU = (
    TOP + NET + MAKE + "lower = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)\n" + TRAIN + "    lower.step()\n"
)
OPTION = (
    TOP
    + "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--lr', type=float, default=0.5)\nargs = parser.parse_args()\n"
    + NET
    + MAKE.replace("SGD(net.parameters(), lr=0.001)", "Adam(net.parameters(), lr=args.lr)")
    + TRAIN
)

# rule, broken, a piece of the line that is named, right
CASES = (
    ("frozen", TOP + VGG + PUT + FREEZE + MAKE + TRAIN, "p.requires_grad", TOP + VGG + FREEZE + PUT + MAKE + TRAIN),
    ("frozen", TOP + RESNET + FC + FREEZE + MAKE + TRAIN, "p.requires_grad", TOP + RESNET + FREEZE + FC + MAKE + TRAIN),
    ("frozen", TOP + VGG + BETWEEN + FREEZE + MAKE + TRAIN, "p.requires_grad", TOP + VGG + FREEZE + BETWEEN + MAKE + TRAIN),
    ("frozen", TOP + RESNET + FC + FREEZE + MAKE + TRAIN, "p.requires_grad", TOP + RESNET + FREEZE + "from heads import put\nput(net)\n" + MAKE + TRAIN),
    ("frozen", TOP + VGG + FREEZE + MAKE + TRAIN, "p.requires_grad", TOP + VGG + FREEZE + "for p in net.classifier.parameters():\n    p.requires_grad = True\n" + MAKE + TRAIN),
    ("softmax-of-one-output", ONE + BCE, "nn.Softmax", ONE.replace("Softmax(dim=1)", "Sigmoid()") + BCE),
    ("softmax-of-one-output", ONE + BCE.replace("binary_cross_entropy", "mse_loss"), "nn.Softmax", ONE.replace("dim=1", "dim=0") + BCE.replace("binary_cross_entropy", "mse_loss")),
    ("loss-graph", SUM, "total += loss", SUM.replace("total += loss", "total += loss.item()")),
    ("loss-graph", SUM.replace("sum(v for v in parts.values())", "sum(parts.values())"), "total += loss", SUM.replace("    loss.backward()", "    total.backward()")),
    ("column-against-row", Q, "F.mse_loss", Q.replace("gather(1, a)", "gather(1, a).squeeze(1)")),
    ("column-against-row", Q, "F.mse_loss", Q.replace("max(1)[0].detach()", "max(1)[0].unsqueeze(1).detach()")),
    ("column-against-row", Q, "F.mse_loss", Q.replace("max(1)[0].detach()", "max(1, keepdim=True)[0].detach()")),
    ("graph-cut", LEAF, ".detach()", LEAF.replace("F.mse_loss(out, y)", "F.mse_loss(net(out), y)").replace("(8, 2)", "(8, 4)")),
    ("graph-cut", LEAF, ".detach()", LEAF.replace("    optimizer.step()", "    net(x).backward(out.grad)\n    optimizer.step()")),
    ("graph-cut", HOP, ".detach()", HOP.replace("d = (a - b).detach().numpy()", "d = a - b").replace("torch.tensor((d ** 2).mean(), requires_grad=True)", "(d ** 2).mean()")),
    ("loss-not-returned", LIT, "def training_step", LIT + "        return loss\n"),
    ("loss-not-returned", LIT, "def training_step", LIT.replace("        self.fc", "        self.automatic_optimization = False\n        self.fc")),
    ("scheduler-metric", PLATEAU, "lower.step()", PLATEAU.replace("lower.step()", "lower.step(loss.item())")),
    ("learning-rate", OPTION, "lr=args.lr", OPTION.replace("default=0.5", "default=0.001")),
    ("learning-rate", OPTION, "lr=args.lr", OPTION.replace("args = parser.parse_args()\n", "args = parser.parse_args()\nargs.lr = args.lr / 256\n")),
)  # fmt: skip


@pytest.mark.parametrize(("rule", "broken", "line", "right"), CASES, ids=[f"{n} {c[0]}" for n, c in enumerate(CASES)])
def test_a_mistake_is_named_at_its_line_and_what_is_right_is_left_alone(
    rule: str, broken: str, line: str, right: str
) -> None:
    found = [f for f in check_script(broken) if not f.remark]
    assert [f.rule for f in found] == [rule]
    assert line in broken.splitlines()[found[0].line - 1]
    assert [f.rule for f in check_script(right) if not f.remark] == []


def test_rows_gathered_inside_a_model_keep_an_open_width() -> None:
    text = (
        TOP
        + "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(16, 2)\n"
        "    def forward(self, x, kept):\n        return self.fc(self.fc(x).gather(1, kept))\nnet = Net()\nprint(net(a, b))\n"
    )
    assert check_script(text) == ()
