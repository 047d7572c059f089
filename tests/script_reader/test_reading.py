"""What the reader follows: rows through windows and foreign functions, models by their use, devices, conditions."""

from __future__ import annotations

import pytest

from pellucid.script_reader import examine, source_of


def rules(text: str) -> dict[str, int]:
    """Each rule's first line; nothing of the script may be lost on the way."""
    found = examine(source_of(text, "train.py"))
    assert not [n for n in found.followed.notes if "could not" in n or "stopped" in n]
    return {f.rule: f.line for f in reversed(found.findings)}


NET = """import torch
from torch import nn
import torch.nn.functional as F
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
    def forward(self, x):
        return torch.softmax(self.fc(x), 1)
"""
TRAIN = """
opt = torch.optim.Adam(model.parameters())
for epoch in range(3):
    for x, y in train_loader:
        opt.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
"""


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────

SCALED = """import numpy as np, pandas as pd, torch
from sklearn.preprocessing import StandardScaler, MinMaxScaler
from sklearn.model_selection import KFold, train_test_split
df = pd.read_csv("a.csv")
"""


@pytest.mark.parametrize(
    "rest",
    [
        "df['c'] = StandardScaler().fit_transform(df[['c']])\nd = []\nfor i in range(9):\n    d.append(df.c[i:i + 3])\n"
        "d = np.array(d)\nn = 7\ntrain, test = d[:n], d[n:]\n",
        "a = MinMaxScaler().fit_transform(df.values)\nX = np.array([a[i:i + 5] for i in range(50)])\n"
        "train, test = train_test_split(X)\n",
        "a = MinMaxScaler().fit_transform(df[['c']])\nx, y = [], []\nfor i in range(len(a) - 5):\n"
        "    x.append(a[i:i + 5, 0])\n    y.append(a[i + 5, 0])\nx, y = np.array(x), np.array(y)\n"
        "x = np.reshape(x, (x.shape[0], x.shape[1], 1))\nx_train, x_test = x[:70], x[70:]\n",
        "a = MinMaxScaler().fit_transform(df.values)\nn = int(len(a) * 0.7)\ntrain, test = a[0:n, :], a[n:len(a), :]\n",
        "a = MinMaxScaler().fit_transform(df.values)\nn = 70\ntrain, test = a[0:n], a[n:a.shape[0]]\n",
        "from prepare import clean\nX = clean(df)\nX[['a']] = StandardScaler().fit_transform(X[['a']])\n"
        "a, b = train_test_split(X)\n",
        "from prepare import Cleaner\nX = Cleaner(3).transform(df)\nX = StandardScaler().fit_transform(X)\n"
        "a, b = train_test_split(X)\n",
        "X = torch.stack([torch.tensor(r) for r in StandardScaler().fit_transform(df.values)])\n"
        "a, b = train_test_split(StandardScaler().fit_transform(df.values))\n",
        "from data import load\nX, y = load()\nX = StandardScaler().fit_transform(X)\na, b = train_test_split(X)\n",
        "X = np.array(rows)\ns = MinMaxScaler()\ns.fit(X)\nX = s.transform(X)\na, b = X[:70], X[70:]\n",
        "from sklearn.preprocessing import scale\nX = scale(df.values)\na, b = train_test_split(X)\n",
        "from scipy.stats import zscore\ndf['a'] = zscore(df['a'])\na, b = train_test_split(df)\n",
        "cols = ['a', 'b']\ndf[cols] = StandardScaler().fit_transform(df[cols])\nX = df.drop('y', axis=1)\n"
        "a, b = train_test_split(X)\n",
    ],
    ids=range(13),
)
def test_a_statistic_of_all_rows_is_followed_to_the_split(rest: str) -> None:
    found = rules(SCALED + rest)
    assert "fit-before-split" in found
    assert "split-by-position" not in found or "train, test = a[" in rest


@pytest.mark.parametrize(
    "rest",
    [
        "from prepare import training_rows\nX = training_rows(df)\nX = StandardScaler().fit_transform(X)\n"
        "a, b = train_test_split(X)\n",
        "from prepare import clean\ntrain = clean(df)\ntrain = StandardScaler().fit_transform(train)\n"
        "a, b = train_test_split(train)\n",
        "from data import load\nX_train, X_test = load()\nX_train = StandardScaler().fit_transform(X_train)\n"
        "X, V = train_test_split(X_train)\n",
        "from data import load\nX, y = load()\nfor tr, te in KFold(5).split(X):\n"
        "    a = StandardScaler().fit_transform(X[tr])\n",
        "train, test = df[0:70], df[70:len(df)]\ns = StandardScaler().fit(train)\nX = s.transform(test)\n",
    ],
    ids=range(5),
)
def test_rows_that_may_be_the_training_rows_are_left_alone(rest: str) -> None:
    assert "fit-before-split" not in rules(SCALED + rest)


@pytest.mark.parametrize(
    "text",
    [
        "a = np.array(df).astype(float)\nd = []\nfor i in range(9):\n    d.append(a[i:i + 5])\nr = np.array(d)\n",
        "c = np.array([df[x].cat.codes.values for x in ['a', 'b']])\nr = np.transpose(c)\n",
        "r = np.array([df[x] for x in ['a', 'b']])\nr = np.array([[]])\nr = torch.tensor([torch.zeros(())])\n",
        "r = torch.Tensor([np.zeros((2, 3))])\nr = np.array([[torch.zeros(2, 3)], []])\nr = torch.FloatTensor([])\n",
        "r = torch.stack([]).view(()).sum(9)[0][0][..., None]\nr = np.array([np.array([1])])[0, 0]\n",
    ],
    ids=range(5),
)
def test_arrays_of_arrays_are_read(text: str) -> None:
    assert rules(SCALED + text) == {}


# ── models ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "made",
    [
        "model = Net().type(torch.FloatTensor)",
        "model = Net().type(torch.cuda.FloatTensor if torch.cuda.is_available() else torch.FloatTensor)",
        "model = Net().to_empty(device='cpu')",
        "model = Net().half().float().double().bfloat16().requires_grad_().share_memory().train()",
        "model = nn.DataParallel(Net()).cuda()",
        "model = torch.nn.parallel.DistributedDataParallel(Net(), device_ids=[0])",
        "model = torch.jit.script(torch.compile(Net()))",
        "model = nn.SyncBatchNorm.convert_sync_batchnorm(Net())",
        "from accelerate import Accelerator\nmodel = Accelerator().prepare(Net())",
        "from lightning.fabric import Fabric\nfabric = Fabric()\nmodel = fabric.setup(Net())",
        "from lightning.fabric import Fabric\nfabric = Fabric()\nmodel = fabric.setup_module(Net())\n"
        "train_loader = fabric.setup_dataloaders(train_loader)",
        "o = torch.optim.Adam([])\nmodel, o, train_loader = accelerator.prepare(Net(), o, train_loader)",
        "model = accelerator.unwrap_model(accelerator.prepare(Net()))",
        "from apex import amp\nmodel, opt = amp.initialize(Net(), None, opt_level='O1')",
        "models = {'a': Net()}\nmodel = models['a']",
    ],
)
def test_a_model_is_followed_through_what_gives_it_back(made: str) -> None:
    assert rules(NET + made + TRAIN)["softmax-before-cross-entropy"] == 9


EVALUATE = """
    model.eval()
    for x, y in test_loader:
        print((model(x).argmax(1) == y).sum().item())
"""


@pytest.mark.parametrize(
    "made",
    [
        "from net import Net\nmodel = Net()",
        "import nets\nmodel = nets.build(3).to('cuda')",
        "model = getattr(nets, name)(3)",
        "model = torch.hub.load('a/b', 'c')",
        "from transformers import AutoModel\nmodel = AutoModel.from_pretrained('x')",
        "",
    ],
)
def test_a_model_of_unknown_make_keeps_the_rules_that_need_no_more(made: str) -> None:
    head = f"import torch\nimport torch.nn.functional as F\n{made}\n"
    total = TRAIN.replace("        opt.step()", "        opt.step()\n        total = total + loss")
    total = total.replace("    for x, y", "    total = 0\n    for x, y")
    found = rules(head + total + EVALUATE)
    assert {"no-grad", "loss-graph"} <= set(found)
    assert "eval-mode" not in found
    guarded = EVALUATE.replace(
        "    for x, y in test_loader:", "    with torch.no_grad():\n     for x, y in test_loader:"
    )
    assert {"no-grad", "loss-graph"}.isdisjoint(rules(head + TRAIN + guarded))


def test_what_only_shares_a_method_with_models_is_none() -> None:
    head = "import torch\nfrom tools import Agent\nagent = Agent()\nagent.train()\n"
    assert rules(head + "for x in test_loader:\n    agent.score(x)\n") == {}
    assert rules("import torch\nfrom torch import nn\ndf.eval('a')\nfor x in test_loader:\n    df(x)\n") == {}


def test_a_score_of_a_function_that_is_not_here_is_of_the_test_rows() -> None:
    text = (
        NET
        + """from utils import evaluate, train
model = Net(); best = 0
for epoch in range(3):
    train(model, train_loader)
    loss, acc = evaluate(model, test_loader)
    if acc > best:
        best = acc
        torch.save(model.state_dict(), "b.pt")
"""
    )
    assert rules(text)["chosen-by-test"] == 15
    assert "chosen-by-test" not in rules(text.replace("test_loader", "val_loader"))
    assert "chosen-by-test" not in rules(text.replace("for epoch in range(3)", "for name in names"))


def test_answers_of_other_libraries_models_have_fields() -> None:
    text = """import torch
from transformers import AutoModelForSequenceClassification
model = AutoModelForSequenceClassification.from_pretrained("b")
opt = torch.optim.AdamW(model.parameters())
total = 0
for epoch in range(3):
    for batch in train_dataloader:
        batch = {k: v.to("cuda") for k, v in batch.items()}
        outputs = model(**batch)
        loss = outputs.loss
        loss.backward()
        total += loss
        opt.step()
        opt.zero_grad()
    for batch in eval_dataloader:
        batch = {k: v.to("cuda") for k, v in batch.items()}
        preds = model(**batch).logits.argmax(-1)
"""
    found = rules(text)
    assert (found["loss-graph"], found["no-grad"]) == (12, 17)


def test_loaders_are_known_by_their_key() -> None:
    text = NET.replace("torch.softmax(self.fc(x), 1)", "self.fc(x)") + "model = Net()" + TRAIN
    text += "    for x, y in loaders['val']:\n        print(model(x))\n"
    assert "no-grad" in rules(text)
    assert "no-grad" not in rules(text.replace("'val'", "'val_loss'"))


# ── functions that nobody calls ───────────────────────────────────────────────────────────────────────────────

UNCALLED = """import torch
from torch import nn
def fit(model, train_loader, val_loader, criterion, optimizer):
    for epoch in range(9):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        for x, y in val_loader:
            print(criterion(model(x), y).item())
def test(net, test_loader):
    net.eval()
    for x, y in test_loader:
        print(net(x))
def answer(net, test_loader):
    for x, y in test_loader:
        print(net(x))
"""


def test_a_training_that_is_never_called_is_read_as_if_it_were() -> None:
    assert rules(UNCALLED)["no-grad"] == 12
    body = UNCALLED.partition("def fit(")[2].partition("def test(")[0]
    method = "import torch\nclass T:\n    def fit(self, " + body.replace("\n    ", "\n        ")
    assert rules(method)["no-grad"] == 12


def test_either_of_two_models_is_a_model() -> None:
    text = (
        NET + "if args.small:\n    model = Net()\nelse:\n    model = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5))\n"
    )
    text = text + TRAIN.strip() + EVALUATE.replace("    model.eval()\n", "")
    assert {"eval-mode", "no-grad"} <= set(rules(text))
    assert "eval-mode" not in rules(text.replace(", nn.Dropout(0.5)", ""))


def test_an_evaluation_that_sets_the_mode_itself_is_held_to_it() -> None:
    alone = UNCALLED.replace("        for x, y in val_loader:\n            print(criterion(model(x), y).item())\n", "")
    assert rules(alone)["no-grad"] == 14
    assert "no-grad" not in rules(alone.replace("    net.eval()\n", ""))


def test_methods_that_a_framework_calls_are_read() -> None:
    text = NET.replace("nn.Module", "pl.LightningModule").replace(
        "import torch\n", "import torch\nimport lightning as pl\n", 1
    )
    text += "    def training_step(self, batch, i):\n        return F.cross_entropy(self(batch[0]), batch[1])\n"
    assert rules(text + "pl.Trainer().fit(Net(), loader)\n")["softmax-before-cross-entropy"] == 10


# ── what was blamed wrongly ───────────────────────────────────────────────────────────────────────────────────

LISTED = """from torch import nn
class N(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = []
        for i in range(3):
            b = nn.Linear(4, 4)
            self.blocks.append(b)
            {registered}
    def forward(self, x):
        for b in self.blocks: x = b(x)
        return x
net = N()
"""


@pytest.mark.parametrize(
    "registered",
    [
        'self.add_module(f"b{i}", b)', 'self.register_module("b" + str(i), b)', 'setattr(self, "b%d" % i, b)',
        "self._modules[str(i)] = b", 'self.add_module("b{}".format(i), b)',
    ],
)  # fmt: skip
def test_layers_that_are_registered_beside_their_list_are_not_hidden(registered: str) -> None:
    assert rules(LISTED.format(registered=registered)) == {}
    assert list(rules(LISTED.format(registered="pass"))) == ["hidden-layers"]


DEVICE = """import numpy as np
import torch
from torch import nn
from torch.autograd import Variable
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
"""


@pytest.mark.parametrize(
    "text",
    [
        "class R(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.c = nn.RNNCell(3, 3)\n"
        "    def forward(self, x):\n        h = torch.zeros(x.size(1), 3).to(device)\n        return self.c(x[0], h)\n",
        "class E(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.c = nn.Linear(3, 3)\n"
        "    def forward(self, x):\n        return self.c(x)\n"
        "class R(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.e = E()\n"
        "    def step(self, x):\n        return self.e(torch.zeros(2, 3, device=device))\n",
        "model = nn.Linear(3, 1).to(device)\n"
        "T = torch.cuda.FloatTensor if torch.cuda.is_available() else torch.FloatTensor\n"
        "for x, _ in loader:\n    model(Variable(T(np.zeros((4, 3)))))\n    model(Variable(T(4, 3).fill_(1.0)))\n",
        "cuda = torch.cuda.is_available()\nmodel = nn.Linear(3, 1)\nif cuda:\n    model.cuda()\n"
        "T = torch.cuda.FloatTensor if cuda else torch.FloatTensor\nmodel(Variable(torch.zeros(4, 3).type(T)))\n",
        "cuda = torch.cuda.is_available()\nmodel = nn.Linear(3, 1)\nif cuda:\n    model = model.cuda()\n"
        "x = torch.zeros(4, 3)\nif cuda:\n    x = x.cuda()\nmodel(x)\n",
        "model = nn.Linear(3, 1).cuda()\nmodel(Variable(rows))\n",
        "model = nn.Linear(3, 1).to(device)\nmodel(torch.zeros(4, 3).type(torch.cuda.FloatTensor))\n",
    ],
    ids=range(7),
)
def test_devices_that_follow_one_condition_or_are_not_known_agree(text: str) -> None:
    assert "device" not in rules(DEVICE + text)


def test_a_type_that_leaves_the_device_is_still_seen() -> None:
    text = DEVICE + "model = nn.Linear(3, 1).cuda()\nmodel(torch.zeros(4, 3).type(torch.FloatTensor))\n"
    assert rules(text)["device"] == 7


DROPOUT = """import torch
from torch import nn
import torch.nn.functional as F
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rate = 0.2
        self.l = nn.Linear(3, 2)
    def forward(self, x, train=True):
        rate = self.rate
        {body}
        return self.l(x)
{used}
"""


@pytest.mark.parametrize("used", ["net = Net()\ny = net(torch.zeros(2, 3))", ""], ids=["called", "not called"])
@pytest.mark.parametrize(
    "body",
    [
        "if self.training:\n            x = F.dropout(x, 0.5)",
        "if self.training and rate > 0:\n            x = F.dropout(x, p=rate)",
        "if not self.training:\n            return self.l(x)\n        x = F.dropout(x)",
        "x = F.dropout(x) if self.training else x",
        "x = F.dropout(x, p=0.5 if self.training else 0.0)",
        "x = F.dropout(x, 0.5 * self.training)",
        "if train:\n            x = F.dropout(x, 0.5)",
        "x = F.dropout(x, 0.5, self.training)",
    ],
)
def test_dropout_that_depends_on_training_is_told(body: str, used: str) -> None:
    assert "functional-dropout" not in rules(DROPOUT.format(body=body, used=used))


@pytest.mark.parametrize("used", ["net = Net()\ny = net(torch.zeros(2, 3))", ""], ids=["called", "not called"])
@pytest.mark.parametrize(
    "body",
    [
        "x = F.dropout(x)",
        "if self.training:\n            rate = 0\n        x = F.dropout(x)",
        "x = F.dropout(x, 0.1, training=self.training)\n        x = F.dropout(x, 0.5)",
        "if rate > 0:\n            x = F.dropout(x, rate)",
    ],
)
def test_dropout_that_does_not_is_not(body: str, used: str) -> None:
    assert "functional-dropout" in rules(DROPOUT.format(body=body, used=used))
