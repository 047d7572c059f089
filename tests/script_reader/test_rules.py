# ruff: noqa: E501
"""Each rule: a script in which it is broken, the line that is named, and a script that looks like it and is right."""

from __future__ import annotations

import pytest

from pellucid.script_reader import check_script

TOP = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n"
NET = "net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))\n"
OPTIMIZER = "optimizer = torch.optim.Adam(net.parameters())\n"
STEP = "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n"
ROWS = (
    "from torch.utils.data import DataLoader, TensorDataset\n"
    "data = TensorDataset(torch.randn(90, 3), torch.randint(0, 2, (90,)))\n"
    "train_loader = DataLoader(data, batch_size=10, shuffle=True)\n"
)
TRAIN = "for x, y in train_loader:\n    loss = F.cross_entropy(net(x), y)\n" + STEP

# name, broken, a piece of the line that is named, right
RULES: tuple[tuple[str, str, str, str], ...] = (
    (
        "other-parameters",
        ROWS + NET + OPTIMIZER + "net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))\n" + TRAIN,
        "nn.Linear(3, 4)",
        ROWS + NET + "net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))\n" + OPTIMIZER + TRAIN,
    ),
    (
        "other-parameters",
        ROWS + NET + OPTIMIZER + "other = nn.Linear(3, 2)\n" + TRAIN.replace("net(x)", "other(x)"),
        "optimizer = torch",
        ROWS + NET + OPTIMIZER + "other = nn.Linear(3, 2)\n" + TRAIN.replace("net(x)", "net(x) + other(x).detach()"),
    ),
    (
        "no-optimizer",
        ROWS + NET + OPTIMIZER + "head = nn.Linear(2, 2)\n" + TRAIN.replace("net(x)", "head(net(x))"),
        "head = nn.Linear",
        ROWS + NET + "head = nn.Linear(2, 2)\noptimizer = torch.optim.Adam([*net.parameters(), *head.parameters()])\n"
        + TRAIN.replace("net(x)", "head(net(x))"),
    ),
    (
        "frozen",
        ROWS + NET + "for p in net.parameters():\n    p.requires_grad = False\n" + OPTIMIZER + TRAIN,
        "p.requires_grad",
        ROWS + NET + "for p in net[0].parameters():\n    p.requires_grad = False\n" + OPTIMIZER + TRAIN,
    ),
    (
        "frozen",
        ROWS + NET + "net.requires_grad_(False)\n" + OPTIMIZER + TRAIN,
        "requires_grad_(False)",
        ROWS + NET + "net.requires_grad_(False)\nnet.requires_grad_(True)\n" + OPTIMIZER + TRAIN,
    ),
    (
        "graph-cut",
        ROWS + NET + OPTIMIZER + TRAIN.replace("net(x), y)", "net(x), y)\n    loss = torch.tensor(loss.item(), requires_grad=True)"),
        "loss.item()",
        ROWS + NET + OPTIMIZER + TRAIN.replace("net(x), y)", "net(x), y)\n    print(torch.tensor(loss.item()))"),
    ),
    (
        "graph-cut",
        ROWS + NET + OPTIMIZER + TRAIN.replace("net(x)", "net(x).detach()"),
        "detach()",
        ROWS + NET + OPTIMIZER + TRAIN.replace("net(x)", "net(x) + (net(x) - net(x).detach())"),
    ),
    (
        "training-without-gradients",
        ROWS + NET + OPTIMIZER + "with torch.no_grad():\n" + TRAIN.replace("\n", "\n    ").replace("for", "    for", 1).rstrip() + "\n",
        "net(x)",
        ROWS + NET + OPTIMIZER + "with torch.no_grad():\n    net(torch.zeros(1, 3))\n" + TRAIN,
    ),
    (
        "linear-after-linear",
        "net = nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 2))\nnet(torch.zeros(5, 3))\n",
        "nn.Linear(8, 2)",
        "net = nn.Sequential(nn.Linear(300, 8), nn.Linear(8, 200))\nnet(torch.zeros(5, 300))\n",  # of low rank
    ),
    (
        "shuffle",
        "import pandas as pd\ndf = pd.read_csv('a.csv')\nX = torch.tensor(df[['a', 'b', 'c']].values).float()\n"
        "y = torch.tensor(df['t'].values)\n" + NET + OPTIMIZER
        + "for epoch in range(9):\n    for i in range(0, len(X), 10):\n        loss = F.cross_entropy(net(X[i:i + 10]), y[i:i + 10])\n"
        + STEP.replace("    ", "        "),
        "X[i:i + 10]",
        "import pandas as pd\ndf = pd.read_csv('a.csv').sample(frac=1)\nX = torch.tensor(df[['a', 'b', 'c']].values).float()\n"
        "y = torch.tensor(df['t'].values)\n" + NET + OPTIMIZER
        + "for epoch in range(9):\n    for i in range(0, len(X), 10):\n        loss = F.cross_entropy(net(X[i:i + 10]), y[i:i + 10])\n"
        + STEP.replace("    ", "        "),
    ),
    (
        "argmax-dimension",
        ROWS + NET + "for x, y in DataLoader(data, batch_size=30):\n    print((net(x).argmax(0) == y).sum())\n",
        "argmax(0)",
        ROWS + NET + "for x, y in data:\n    print(net(x).argmax(0) == y)\n",
    ),
    (
        "threshold",
        "net = nn.Linear(3, 1)\nx, y = torch.randn(9, 3), torch.ones(9, 1)\nnn.BCEWithLogitsLoss()(net(x), y)\nprint(net(x) > 0.5)\n",
        "> 0.5",
        "net = nn.Linear(3, 1)\nx, y = torch.randn(9, 3), torch.ones(9, 1)\nnn.MSELoss()(net(x), y)\nprint(net(x) > 0.5)\n",
    ),
    (
        "wrong-average",
        ROWS + NET + "hits = 0\nloader = DataLoader(data, batch_size=30)\nfor x, y in loader:\n"
        "    hits += (net(x).argmax(1) == y).sum().item()\nprint(hits / len(loader))\n",
        "len(loader)",
        ROWS + NET + "hits = 0\nloader = DataLoader(data, batch_size=30)\nfor x, y in loader:\n"
        "    hits += (net(x).argmax(1) == y).float().mean().item()\nprint(hits / len(loader))\n",
    ),
    ("zero-grad", ROWS + NET + OPTIMIZER + TRAIN.replace("zero_grad()", "zero_grad"), "zero_grad", ROWS + NET + OPTIMIZER + TRAIN),
    ("backward", ROWS + NET + OPTIMIZER + TRAIN.replace("backward()", "backward"), "backward", ROWS + NET + OPTIMIZER + TRAIN),
    ("eval-mode", NET + "net.eval\n", "net.eval", NET + "net.eval()\n"),
    (
        "no-grad",
        "from torch.autograd import Variable\nx = Variable(torch.zeros(3), volatile=True)\n",
        "volatile",
        "from torch.autograd import Variable\nx = Variable(torch.zeros(3), volatile=False)\n",
    ),
    ("index-of-a-number", "loss = F.mse_loss(a, b)\nprint(loss.data[0])\n", "data[0]", "losses = []\nprint(losses.data[0])\n"),
    (
        "misspelt-hook",
        "import lightning as L\nclass M(L.LightningModule):\n    def trainning_step(self, batch, i): ...\n",
        "trainning_step",
        "import lightning as L\nclass M(L.LightningModule):\n    def training_step(self, batch, i): ...\n    def training_steps_done(self): ...\n",
    ),
    (
        "augmented-test",
        "from torchvision import datasets, transforms as T\ntest = datasets.CIFAR10('.', train=False, transform=T.Compose([T.RandomCrop(32), T.ToTensor()]))\n",
        "train=False",
        "from torchvision import datasets, transforms as T\ntest = datasets.CIFAR10('.', train=False, transform=T.Compose([T.CenterCrop(32), T.ToTensor()]))\n",
    ),
    (
        "train-as-test",
        "from torchvision import datasets\ntest_set = datasets.MNIST('.', train=True)\n",
        "train=True",
        "from torchvision import datasets\nval_set = datasets.MNIST('.', train=True)\n",
    ),
    (
        "fit-on-test",
        "X_train, X_test = torch.zeros(9, 3), torch.zeros(5, 3)\nX_train = (X_train - X_train.mean(0)) / X_train.std(0)\nX_test = (X_test - X_test.mean(0)) / X_test.std(0)\n",
        "mean(0)",
        "X_test = torch.zeros(5, 3)\nX_test = (X_test - X_test.mean(1, keepdim=True)) / X_test.std(1, keepdim=True)\n",  # each row
    ),
    (
        "state-not-detached",
        "rnn = nn.LSTM(3, 4)\noptimizer = torch.optim.Adam(rnn.parameters())\nh = None\nfor x, y in loader:\n"
        "    out, h = rnn(x, h)\n    loss = F.mse_loss(out, y)\n" + STEP,
        "rnn(x, h)",
        "rnn = nn.LSTM(3, 4)\noptimizer = torch.optim.Adam(rnn.parameters())\nh = None\nfor x, y in loader:\n"
        "    out, h = rnn(x, h)\n    loss = F.mse_loss(out, y)\n" + STEP + "    h = tuple(v.detach() for v in h)\n",
    ),
    (
        "made-in-forward",
        "class M(nn.Module):\n    def forward(self, x):\n        return nn.Linear(3, 2)(x)\n",
        "nn.Linear(3, 2)",
        "class M(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = nn.Linear(3, 2)\n"
        "    def forward(self, x):\n        return nn.Sequential(self.a, nn.ReLU())(x)\n",
    ),
    ("learning-rate", NET + "torch.optim.Adam(net.parameters(), lr=0.1)\n", "lr=0.1", "net = nn.Linear(1, 1)\ntorch.optim.Adam(net.parameters(), lr=0.1)\n"),
    (
        "learning-rate",
        NET + "torch.optim.SGD(net.parameters(), lr=-0.1)\n",
        "lr=-0.1",
        NET + "o = torch.optim.SGD(net.parameters(), lr=0)\nfor g in o.param_groups:\n    g['lr'] = 0.1\n",
    ),
    (
        "batch-first",
        "class M(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.rnn = nn.GRU(3, 4)\n"
        "    def forward(self, x):\n        out, _ = self.rnn(x)\n        return out[:, -1]\n",
        "nn.GRU(3, 4)",
        "class M(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.rnn = nn.GRU(3, 4)\n"
        "    def forward(self, x):\n        out, _ = self.rnn(x.transpose(0, 1))\n        return out[-1]\n",
    ),
    (
        "scheduler-order",
        ROWS + NET + OPTIMIZER + "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)\nfor epoch in range(9):\n    scheduler.step()\n    "
        + TRAIN.replace("\n", "\n    ").rstrip() + "\n",
        "scheduler.step()",
        ROWS + NET + OPTIMIZER + "scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)\nfor epoch in range(9):\n    "
        + TRAIN.replace("\n", "\n    ").rstrip() + "\n    scheduler.step()\n",
    ),
    (
        "swapped-arguments",
        ROWS + NET + TRAIN.replace("net(x), y", "y, net(x)"),
        "y, net(x)",
        ROWS + NET + OPTIMIZER + TRAIN,
    ),
    (
        "class-numbers-mse",
        ROWS + NET + "for x, y in train_loader:\n    F.mse_loss(net(x), y)\n",
        "F.mse_loss",
        ROWS + NET + "for x, y in train_loader:\n    F.mse_loss(net(x), F.one_hot(y, 2).float())\n",
    ),
    (
        "argmax-before-loss",
        ROWS + NET + OPTIMIZER + TRAIN.replace("net(x)", "net(x).argmax(1).float()"),
        "argmax(1)",
        ROWS + NET + OPTIMIZER + TRAIN.replace("net(x), y", "net(x), net(x).argmax(1)"),  # pseudo-labels
    ),
    (
        "width",
        "net = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(30, 5))\nnet(torch.zeros(4, 10))\n",
        "nn.Linear(30, 5)",
        "net = nn.Sequential(nn.Linear(10, 20), nn.GLU(), nn.Linear(10, 5))\nnet(torch.zeros(4, 10))\n",  # halved
    ),
    (
        "width",
        "net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 14 * 14, 5))\nnet(torch.zeros(4, 3, 32, 32))\n",
        "nn.Linear(8 * 14",
        "net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 15 * 15, 5))\nnet(torch.zeros(4, 3, 32, 32))\n",
    ),
    (
        "bce-several-columns",
        "net = nn.Linear(2, 3)\nx, y = torch.zeros(100, 2), torch.zeros(100)\nnn.BCEWithLogitsLoss()(net(x).squeeze(), y)\n",
        "squeeze()",
        "net = nn.Linear(2, 3)\nx, y = torch.zeros(100, 2), torch.zeros(100, 3)\nnn.BCEWithLogitsLoss()(net(x), y)\n",
    ),
    ("loss-not-called", ROWS + NET + "for x, y in train_loader:\n    nn.CrossEntropyLoss(net(x), y)\n", "nn.CrossEntropyLoss", ROWS + NET + OPTIMIZER + TRAIN),
    (
        "super-init",
        "class M(nn.Module):\n    def __init__(self):\n        self.a = nn.Linear(3, 2)\n",
        "self.a",
        "class M(nn.Module):\n    def __init__(self):\n        nn.Module.__init__(self)\n        self.a = nn.Linear(3, 2)\n",
    ),
)  # fmt: skip


@pytest.mark.parametrize(("rule", "broken", "line", "right"), RULES, ids=[f"{i}-{r[0]}" for i, r in enumerate(RULES)])
def test_a_rule_names_the_line_and_leaves_what_is_right_alone(rule: str, broken: str, line: str, right: str) -> None:
    text = TOP + broken
    found = [f for f in check_script(text) if f.rule == rule]
    assert found, [(f.rule, f.line) for f in check_script(text)]
    assert line in text.splitlines()[found[0].line - 1]
    assert found[0].finding.endswith(".")
    assert found[0].consequence
    assert found[0].fix
    assert rule not in {f.rule for f in check_script(TOP + right)}


def test_the_other_models_optimizer_is_named_where_they_come_together() -> None:
    text = (
        TOP + "a = nn.Linear(3, 2)\nb = nn.Linear(3, 2)\noa = torch.optim.Adam(a.parameters())\n"
        "ob = torch.optim.Adam(b.parameters())\ndef fit(model, opt):\n    for x, y in loader:\n"
        "        loss = F.cross_entropy(model(x), y)\n        opt.zero_grad(); loss.backward(); opt.step()\n"
        "fit(a, oa)\nfit(b, oa)\n"
    )
    assert [(f.rule, text.splitlines()[f.line - 1]) for f in check_script(text)] == [("other-parameters", "fit(b, oa)")]
    assert check_script(text.replace("fit(b, oa)", "fit(b, ob)")) == ()


def test_a_framework_s_loader_without_shuffle_is_found_in_its_hook_and_in_fit() -> None:
    hook = (
        "import lightning as L\nfrom torch.utils.data import DataLoader\nfrom torchvision.datasets import MNIST\n"
        "class D(L.LightningDataModule):\n    def setup(self, stage=None):\n        self.rows = MNIST('.')\n"
        "    def train_dataloader(self):\n        return DataLoader(self.rows, batch_size=64)\n"
        "    def val_dataloader(self):\n        return DataLoader(self.rows, batch_size=64)\n"
    )
    assert [(f.rule, f.line) for f in check_script(hook)] == [("shuffle", 8)]
    fit = TOP + ROWS.replace(", shuffle=True", "") + "import lightning as L\nL.Trainer().fit(M(), train_loader)\n"
    assert [(f.rule, f.line) for f in check_script(fit)] == [("shuffle", 6)]


def test_test_rows_scored_in_every_epoch_are_a_remark() -> None:
    text = (
        TOP + ROWS + "test_loader = DataLoader(data, batch_size=30)\n" + NET + OPTIMIZER + "for epoch in range(9):\n    "
        + TRAIN.replace("\n", "\n    ").rstrip()
        + "\n    with torch.no_grad():\n        for x, y in test_loader:\n            print(net(x).argmax(1) == y)\n"
    )  # fmt: skip
    assert [(f.rule, f.remark) for f in check_script(text)] == [("test-each-epoch", True)]
