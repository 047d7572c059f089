"""Mistakes planted into the healthy scripts: the rule, the script, what is changed, and a piece of the line to name."""

from __future__ import annotations

__all__ = ["SHAPES", "SOFTMAX", "STEPS", "Planted"]

Edit = tuple[str, str]
Planted = tuple[str, str, tuple[Edit, ...], str]

SOFTMAX: tuple[Planted, ...] = (
    (
        "softmax-before-cross-entropy",
        "cifar",
        (("        x = self.fc3(x)\n", "        x = F.softmax(self.fc3(x), dim=1)\n"),),
        "F.softmax",
    ),
    (
        "softmax-before-cross-entropy",
        "phases",
        (("nn.Linear(model_ft.fc.in_features, 2)", "nn.Sequential(nn.Linear(512, 2), nn.Softmax(dim=1))"),),
        "nn.Softmax",
    ),
    (
        "softmax-before-cross-entropy",
        "amp",
        (("nn.Linear(64, 5))", "nn.Linear(64, 5), nn.Softmax(dim=1))"),),
        "nn.Softmax",
    ),
    (
        "softmax-before-cross-entropy",
        "trainer",
        (("self.criterion(self.model(x), y)", "self.criterion(self.model(x).softmax(1), y)"),),
        "softmax(1)",
    ),
    (
        "softmax-before-cross-entropy",
        "two answers",
        (("F.cross_entropy(logits, targets)", "F.cross_entropy(probas, targets)"),),
        "F.softmax(logits",
    ),
    (
        "softmax-before-cross-entropy",
        "folds",
        (("cross_entropy(model(X_train), y_train)", "cross_entropy(torch.softmax(model(X_train), -1), y_train)"),),
        "torch.softmax",
    ),
    (
        "softmax-before-cross-entropy",
        "language",
        (("loss = F.cross_entropy(logits, targets)", "loss = F.cross_entropy(logits.softmax(-1), targets)"),),
        "logits.softmax",
    ),
    (
        "sigmoid-before-cross-entropy",
        "accumulation",
        (("nn.Linear(50, 3))", "nn.Linear(50, 3), nn.Sigmoid())"),),
        "nn.Sigmoid",
    ),
    (
        "relu-before-cross-entropy",
        "cifar",
        (("        x = self.fc3(x)\n", "        x = F.relu(self.fc3(x))\n"),),
        "F.relu(self.fc3",
    ),
    (
        "sigmoid-before-bce-with-logits",
        "binary",
        (("return self.net(x).squeeze(-1)", "return torch.sigmoid(self.net(x)).squeeze(-1)"),),
        "torch.sigmoid(self.net",
    ),
    (
        "sigmoid-before-bce-with-logits",
        "binary",
        (("nn.Linear(hidden, 1))", "nn.Linear(hidden, 1), nn.Sigmoid())"),),
        "nn.Sigmoid()",
    ),
    (
        "sigmoid-before-bce-with-logits",
        "binary",
        (("loss = crit(out, yb)", "loss = crit(out.sigmoid(), yb)"),),
        "out.sigmoid()",
    ),
    (
        "sigmoid-before-bce-with-logits",
        "gan",
        (("criterion = nn.BCELoss()", "criterion = nn.BCEWithLogitsLoss()"),),
        "D = nn.Sequential",
    ),
    (
        "bce-without-sigmoid",
        "gan",
        (("nn.Linear(256, 1), nn.Sigmoid())", "nn.Linear(256, 1))"),),
        "d_loss_real = criterion",
    ),
    (
        "bce-without-sigmoid",
        "autoencoder",
        (("torch.sigmoid(self.fc4(F.relu(self.fc3(z))))", "self.fc4(F.relu(self.fc3(z)))"),),
        "F.binary_cross_entropy",
    ),
    (
        "bce-without-sigmoid",
        "binary",
        (("import BCEWithLogitsLoss as Loss", "import BCELoss as Loss"),),
        "loss = crit(out, yb)",
    ),
    ("bce-without-sigmoid", "binary", (("crit = Loss()", "crit = nn.BCELoss()"),), "loss = crit(out, yb)"),
    (
        "nll-without-log-softmax",
        "functions",
        (("F.log_softmax(x, dim=1)", "F.softmax(x, dim=1)"),),
        "loss = F.nll_loss",
    ),
    (
        "nll-without-log-softmax",
        "functions",
        (("output = F.log_softmax(x, dim=1)", "output = x"),),
        "loss = F.nll_loss",
    ),
    ("nll-without-log-softmax", "folds", (("functional.cross_entropy(", "functional.nll_loss("),), "nll_loss"),
    ("nll-without-log-softmax", "trainer", (("nn.CrossEntropyLoss()", "nn.NLLLoss()"),), "return self.criterion"),
)

SHAPES: tuple[Planted, ...] = (
    ("column-against-row", "regression", ((".view(-1, 1)", ""),), "loss = loss_fn(pred"),
    (
        "column-against-row",
        "regression",
        (("loss = loss_fn(pred, y_train)", "loss = ((model(X_train) - y_train.squeeze(1)) ** 2).mean()"),),
        "loss = ((",
    ),
    ("column-against-row", "by hand", ((", torch.nn.Flatten(0, 1))", ")"),), "loss = loss_fn(y_pred, y)"),
    (
        "column-against-row",
        "binary",
        (("return self.net(x).squeeze(-1)", "return self.net(x)"),),
        "loss = crit(out, yb)",
    ),
    (
        "column-against-row",
        "series",
        (
            ("train, test = values", "train, test = values"),
            ("loss_fn(model(X_batch), y_batch)", "loss_fn(model(X_batch)[:, -1].view(-1), y_batch[:, -1].view(-1, 1))"),
        ),
        "loss = loss_fn",
    ),
    ("one-output-cross-entropy", "cifar", (("nn.Linear(120, 10)", "nn.Linear(120, 1)"),), "loss = criterion(outputs"),
    ("one-output-cross-entropy", "accumulation", (("nn.Linear(50, 3)", "nn.Linear(50, 1)"),), "loss = criterion"),
    ("one-output-cross-entropy", "trainer", (("MLP([20, 64, 3])", "MLP([20, 64, 1])"),), "return self.criterion"),
    ("one-output-cross-entropy", "folds", (("torch.nn.Linear(16, 3)", "torch.nn.Linear(16, 1)"),), "cross_entropy"),
    ("target-type", "trainer", (("labels, dtype=torch.long", "labels, dtype=torch.float32"),), "return self.criterion"),
    (
        "target-type",
        "folds",
        (("torch.tensor(y[train_index])", "torch.tensor(y[train_index]).float()"),),
        "cross_entropy",
    ),
    (
        "target-type",
        "binary",
        (("torch.from_numpy(ytr).float()", "torch.from_numpy(ytr).long()"),),
        "loss = crit(out, yb)",
    ),
    (
        "target-type",
        "accumulation",
        (("loss = criterion(model(x), y)", "loss = criterion(model(x), y.float())"),),
        "loss = criterion",
    ),
)

STEPS: tuple[Planted, ...] = (
    ("zero-grad", "cifar", (("        optimizer.zero_grad()\n", ""),), "optimizer.step()"),
    ("zero-grad", "functions", (("        optimizer.zero_grad()\n", ""),), "optimizer.step()"),
    ("zero-grad", "trainer", (("            self.optimizer.zero_grad()\n", ""),), "self.optimizer.step()"),
    ("zero-grad", "amp", (("        optimizer.zero_grad(set_to_none=True)\n", ""),), "scaler.step(optimizer)"),
    ("zero-grad", "lbfgs", (("        optimizer.zero_grad()\n", ""),), "optimizer.step(closure)"),
    (
        "zero-grad",
        "cifar",
        (
            ("    for i, data in enum", "    optimizer.zero_grad()\n    for i, data in enum"),
            ("        optimizer.zero_grad()\n        outputs", "        outputs"),
        ),
        "optimizer.step()",
    ),
    ("backward", "cifar", (("        loss.backward()\n", ""),), "optimizer.step()"),
    ("backward", "functions", (("        loss.backward()\n", ""),), "optimizer.step()"),
    ("backward", "trainer", (("            loss.backward()\n", ""),), "self.optimizer.step()"),
    ("backward", "folds", (("        loss.backward()\n", ""),), "optimizer.step()"),
    ("step", "cifar", (("        optimizer.step()\n", ""),), "loss.backward()"),
    ("step", "functions", (("        optimizer.step()\n", ""),), "loss.backward()"),
    ("step", "trainer", (("            self.optimizer.step()\n", ""),), "loss.backward()"),
    ("step", "regression", (("    optimizer.step()\n", ""),), "loss.backward()"),
    (
        "step-order",
        "cifar",
        (
            ("        optimizer.step()\n", ""),
            ("        loss.backward()\n", "        optimizer.step()\n        loss.backward()\n"),
        ),
        "optimizer.step()",
    ),
    (
        "step-order",
        "regression",
        (("    optimizer.zero_grad()\n    loss.backward()\n", "    loss.backward()\n    optimizer.zero_grad()\n"),),
        "optimizer.zero_grad()",
    ),
    (
        "step-order",
        "functions",
        (
            ("        optimizer.zero_grad()\n", ""),
            ("        loss.backward()\n", "        loss.backward()\n        optimizer.zero_grad()\n"),
        ),
        "optimizer.zero_grad()",
    ),
    (
        "step-order",
        "trainer",
        (
            ("            self.optimizer.zero_grad()\n", ""),
            ("            nn.utils.clip", "            self.optimizer.zero_grad()\n            nn.utils.clip"),
        ),
        "self.optimizer.zero_grad()",
    ),
    ("loss-graph", "cifar", (("running_loss += loss.item()", "running_loss += loss"),), "running_loss += loss"),
    ("loss-graph", "regression", (("losses.append(loss.item())", "losses.append(loss)"),), "losses.append"),
    (
        "loss-graph",
        "trainer",
        (("            total += loss.item()\n", "            total = total + loss\n"),),
        "total = total + loss",
    ),
    (
        "loss-graph",
        "functions",
        (
            (
                "        optimizer.step()\n",
                "        optimizer.step()\n        model.seen = 0\n        epoch_loss += loss\n",
            ),
            ("    model.train()\n", "    model.train()\n    epoch_loss = 0\n"),
        ),
        "epoch_loss += loss",
    ),
)
