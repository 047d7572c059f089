# ruff: noqa: E501
"""Faults planted one at a time: what goes wrong, the script, what is changed in it, and a piece of the line to name.

The first word is the kind of fault; ``ACCEPTED`` says which rules name it rightly where more than one does.
"""

from __future__ import annotations

__all__ = ["ACCEPTED", "FAULTS", "Fault"]

Edit = tuple[str, str]
Fault = tuple[str, str, tuple[Edit, ...], str]

ACCEPTED: dict[str, set[str]] = {
    "not-called": {"not-called", "no-grad", "zero-grad", "backward", "step", "eval-mode", "train-mode"},
    "other-parameters": {"other-parameters", "no-optimizer"},
}

_LOSSES: tuple[Fault, ...] = (
    (
        "softmax-before-cross-entropy",
        "mnist_functions",
        (("        return self.fc2(x)\n", "        return F.softmax(self.fc2(x), dim=1)\n"),),
        "F.softmax",
    ),
    (
        "softmax-before-cross-entropy",
        "custom_images",
        (("nn.Linear(128, 5)\n", "nn.Linear(128, 5), nn.Softmax(dim=1)\n"),),
        "nn.Softmax",
    ),
    (
        "sigmoid-before-bce-with-logits",
        "tabular_binary",
        (("            nn.Linear(32, 1),\n", "            nn.Linear(32, 1),\n            nn.Sigmoid(),\n"),),
        "nn.Sigmoid",
    ),
    (
        "sigmoid-before-bce-with-logits",
        "unet_segmentation",
        (("        return self.out(c)\n", "        return torch.sigmoid(self.out(c))\n"),),
        "torch.sigmoid(self.out",
    ),
    (
        "bce-without-sigmoid",
        "gan",
        (("nn.Linear(256, 1), nn.Sigmoid()", "nn.Linear(256, 1)"),),
        "bce(D(real), ones)",
    ),
    (
        "nll-without-log-softmax",
        "seq2seq",
        (("self.softmax(self.out(output[0]))", "self.out(output[0])"),),
        "criterion(output, target[i])",
    ),
    (
        "column-against-row",
        "tabular_binary",
        (("self.layers(x).squeeze(1)", "self.layers(x)"),),
        "loss = criterion(out, yb)",
    ),
    (
        "column-against-row",
        "config_main",
        (("self.net(x).squeeze(-1)", "self.net(x)"),),
        "F.mse_loss(pred, y)",
    ),
    (
        "column-against-row",
        "lstm_sentiment",
        (("self.fc(self.dropout(last)).squeeze(1)", "self.fc(self.dropout(last))"),),
        "loss_func(pred, label)",
    ),
    (
        "one-output-cross-entropy",
        "amp_accumulation",
        (("nn.Linear(100, 2)", "nn.Linear(100, 1)"),),
        "criterion(outputs, targets)",
    ),
    (
        "target-type",
        "kfold_sklearn",
        (
            (
                "y_train = torch.tensor(y[train_idx], dtype=torch.long)",
                "y_train = torch.tensor(y[train_idx], dtype=torch.float32)",
            ),
        ),
        "loss_fn(model(X), y)",
    ),
    (
        "target-type",
        "lstm_sentiment",
        (("torch.tensor(self.labels[i], dtype=torch.float32)", "torch.tensor(self.labels[i], dtype=torch.long)"),),
        "loss_func(pred, label)",
    ),
    (
        "bce-several-columns",
        "tabular_binary",
        (("nn.Linear(32, 1)", "nn.Linear(32, 2)"), ("self.layers(x).squeeze(1)", "self.layers(x)")),
        "loss = criterion(out, yb)",
    ),
    (
        "bce-several-columns",
        "amp_accumulation",
        (
            ("nn.CrossEntropyLoss()", "nn.BCEWithLogitsLoss()"),
            ("criterion(outputs, targets)", "criterion(outputs.squeeze(), targets.float())"),
        ),
        "criterion(outputs.squeeze()",
    ),
    (
        "swapped-arguments",
        "mnist_functions",
        (("loss = criterion(outputs, labels)", "loss = criterion(labels, outputs)"),),
        "criterion(labels, outputs)",
    ),
    (
        "swapped-arguments",
        "gan",
        (("g_loss = bce(D(fake), ones)", "g_loss = bce(ones, D(fake))"),),
        "bce(ones, D(fake))",
    ),
    (
        "swapped-arguments",
        "notebook_iris",
        (("criterion(y_pred, y_train)", "criterion(y_train, y_pred)"),),
        "criterion(y_train, y_pred)",
    ),
    (
        "swapped-arguments",
        "unet_segmentation",
        (("bce(logits, mask) +", "bce(mask, logits) +"),),
        "bce(mask, logits)",
    ),
    (
        "class-numbers-mse",
        "notebook_iris",
        (("nn.CrossEntropyLoss()", "nn.MSELoss()"),),
        "criterion(y_pred, y_train)",
    ),
    (
        "class-numbers-mse",
        "kfold_sklearn",
        (("nn.CrossEntropyLoss()", "nn.MSELoss()"), ("loss_fn(model(X), y)", "loss_fn(model(X), y.float())")),
        "loss_fn(model(X), y.float())",
    ),
    (
        "argmax-before-loss",
        "mnist_functions",
        (
            (
                "loss = criterion(outputs, labels)",
                "preds = outputs.argmax(dim=1).float()\n        loss = criterion(preds, labels.float())",
            ),
        ),
        "outputs.argmax(dim=1).float()",
    ),
    (
        "argmax-before-loss",
        "custom_images",
        (
            (
                "loss = loss_fn(scores, labels)\n        losses",
                "_, guess = torch.max(scores, 1)\n        loss = loss_fn(guess.float(), labels.float())\n        losses",
            ),
        ),
        "torch.max(scores, 1)",
    ),
    (
        "argmax-before-loss",
        "lstm_sentiment",
        (("loss = loss_func(pred, label)", "loss = loss_func((pred > 0).float(), label)"),),
        "(pred > 0)",
    ),
    (
        "loss-not-called",
        "notebook_iris",
        (("loss = criterion(y_pred, y_train)", "loss = nn.CrossEntropyLoss(y_pred, y_train)"),),
        "nn.CrossEntropyLoss(y_pred, y_train)",
    ),
)

_STEPS: tuple[Fault, ...] = (
    ("zero-grad", "mnist_functions", (("        optimizer.zero_grad()\n", ""),), "optimizer.step()"),
    ("zero-grad", "config_main", (("            optimizer.zero_grad()\n", ""),), "optimizer.step()"),
    (
        "zero-grad",
        "cifar_trainer_class",
        (("            self.optimizer.zero_grad(set_to_none=True)\n", ""),),
        "self.optimizer.step()",
    ),
    ("zero-grad", "from_scratch", (("    optimizer.zero_grad()\n", ""),), "optimizer.step()"),
    ("backward", "vae", (("        loss.backward()\n", ""),), "opt.step()"),
    ("backward", "cifar_trainer_class", (("            loss.backward()\n", ""),), "self.optimizer.step()"),
    ("step", "regression_minibatches", (("        opt.step()\n", ""),), "loss.backward()"),
    ("step", "tabular_binary", (("        optimizer.step()\n", ""),), "loss.backward()"),
    (
        "step-order",
        "notebook_iris",
        (("    optimizer.zero_grad()\n    loss.backward()\n", "    loss.backward()\n    optimizer.zero_grad()\n"),),
        "optimizer.zero_grad()",
    ),
    (
        "step-order",
        "mnist_functions",
        (
            ("        optimizer.zero_grad()\n", ""),
            ("        loss.backward()\n", "        loss.backward()\n        optimizer.zero_grad()\n"),
        ),
        "optimizer.zero_grad()",
    ),
    (
        "loss-graph",
        "mnist_functions",
        (("total += loss.item() * images.size(0)", "total += loss * images.size(0)"),),
        "total += loss",
    ),
    ("loss-graph", "vae", (("train_loss += loss.item()", "train_loss += loss"),), "train_loss += loss"),
    ("loss-graph", "custom_images", (("losses.append(loss.item())", "losses.append(loss)"),), "losses.append(loss)"),
    (
        "not-called",
        "tabular_binary",
        (("        optimizer.zero_grad()\n", "        optimizer.zero_grad\n"),),
        "optimizer.zero_grad",
    ),
    ("not-called", "vae", (("        loss.backward()\n", "        loss.backward\n"),), "loss.backward"),
    ("not-called", "regression_minibatches", (("        opt.step()\n", "        opt.step\n"),), "opt.step"),
    ("not-called", "distillation", (("student.eval()\n", "student.eval\n"),), "student.eval"),
    ("not-called", "custom_images", (("    model.train()\n", "    model.train\n"),), "model.train"),
    ("not-called", "multilabel", (("    with torch.no_grad():\n", "    with torch.no_grad:\n"),), "torch.no_grad:"),
    ("not-called", "mnist_functions", (("        scheduler.step()\n", "        scheduler.step\n"),), "scheduler.step"),
    (
        "graph-cut",
        "mnist_functions",
        (
            (
                "        loss.backward()\n",
                "        loss = torch.tensor(loss.item(), requires_grad=True)\n        loss.backward()\n",
            ),
        ),
        "torch.tensor(loss.item()",
    ),
    (
        "graph-cut",
        "vae",
        (
            (
                "        loss.backward()\n",
                "        loss = torch.tensor(loss, requires_grad=True)\n        loss.backward()\n",
            ),
        ),
        "torch.tensor(loss",
    ),
    (
        "graph-cut",
        "notebook_iris",
        (("loss = criterion(y_pred, y_train)", "loss = criterion(y_pred.detach(), y_train)"),),
        "y_pred.detach()",
    ),
    ("graph-cut", "config_main", (("loss = F.mse_loss(pred, y)", "loss = F.mse_loss(pred.data, y)"),), "pred.data"),
    (
        "graph-cut",
        "regression_minibatches",
        (
            (
                "        loss.backward()\n",
                "        loss = loss.detach().requires_grad_(True)\n        loss.backward()\n",
            ),
        ),
        "loss.detach()",
    ),
    (
        "training-without-gradients",
        "tabular_binary",
        (
            (
                "        out = model(xb)\n        loss =",
                "        with torch.no_grad():\n            out = model(xb)\n        loss =",
            ),
        ),
        "out = model(xb)",
    ),
    (
        "training-without-gradients",
        "kfold_sklearn",
        (("def fit(model", "@torch.no_grad()\ndef fit(model"),),
        "loss_fn(model(X), y)",
    ),
    (
        "other-parameters",
        "distillation",
        (("torch.optim.Adam(student.parameters(), lr=1e-3)", "torch.optim.Adam(teacher.parameters(), lr=1e-3)"),),
        "teacher.parameters()",
    ),
    (
        "other-parameters",
        "gan",
        (("        g_loss.backward()\n        opt_g.step()", "        g_loss.backward()\n        opt_d.step()"),),
        "opt_g = torch.optim",
    ),
    (
        "other-parameters",
        "notebook_iris",
        (("epochs = 100\n", "epochs = 100\nmodel = Model(h1=16)\n"),),
        "model = Model(h1=16)",
    ),
    (
        "other-parameters",
        "transfer_learning",
        (
            ("model.fc = nn.Sequential(nn.Linear(2048, 256), nn.ReLU(), nn.Dropout(0.4), nn.Linear(256, 102))\n", ""),
            (
                "optimizer = optim.Adam(model.fc.parameters(), lr=0.001)\n",
                "optimizer = optim.Adam(model.parameters(), lr=0.001)\nmodel.fc = nn.Linear(2048, 102).to(device)\n",
            ),
        ),
        "model.fc = nn.Linear(2048, 102)",
    ),
    (
        "other-parameters",
        "regression_minibatches",
        (
            (
                "net = nn.Sequential(",
                "def fit(net, opt, epochs=200):\n    for _ in range(epochs):\n        loss = loss_fn(net(X_train), y_train)\n        opt.zero_grad()\n        loss.backward()\n        opt.step()\n\n\nnet = nn.Sequential(",
            ),
            (
                "batch = 32\n",
                "linear = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 1))\nlinear_opt = torch.optim.RMSprop(linear.parameters())\nfit(net, opt)\nfit(linear, opt)\nbatch = 32\n",
            ),
        ),
        "fit(linear, opt)",
    ),
    ("no-optimizer", "seq2seq", (("    encoder_optimizer.step()\n", ""),), "encoder_optimizer = optim"),
    (
        "no-optimizer",
        "seq2seq",
        (
            (
                "encoder_optimizer = optim.SGD(encoder.parameters(), lr=0.01)",
                "encoder_optimizer = optim.SGD(decoder.parameters(), lr=0.01)",
            ),
        ),
        "encoder = EncoderRNN",
    ),
    (
        "frozen",
        "transfer_learning",
        (
            (
                "optimizer = optim.Adam(model.fc.parameters(), lr=0.001)",
                "for p in model.parameters():\n    p.requires_grad = False\noptimizer = optim.Adam(model.fc.parameters(), lr=0.001)",
            ),
        ),
        "p.requires_grad = False",
    ),
    (
        "frozen",
        "vae",
        (
            (
                "opt = torch.optim.Adam(vae.parameters())",
                "vae.requires_grad_(False)\nopt = torch.optim.Adam(vae.parameters())",
            ),
        ),
        "vae.requires_grad_(False)",
    ),
    (
        "learning-rate",
        "mnist_functions",
        (
            ("lr=1e-3", "lr=0.5"),
            ("    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)\n", ""),
            ("        scheduler.step()\n", ""),
        ),
        "lr=0.5",
    ),
    ("learning-rate", "multilabel", (("lr=1e-3", "lr=1"),), "lr=1"),
    ("learning-rate", "lstm_sentiment", (("lr=0.001", "lr=-0.001"),), "lr=-0.001"),
    (
        "learning-rate",
        "autoencoder",
        (
            (
                "optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)",
                "optimizer = torch.optim.SGD(model.parameters(), lr=100)",
            ),
        ),
        "lr=100",
    ),
    (
        "scheduler-order",
        "cifar_trainer_class",
        (
            ("            self.scheduler.step()\n", ""),
            (
                "            loss = self.run_epoch()\n",
                "            self.scheduler.step()\n            loss = self.run_epoch()\n",
            ),
        ),
        "self.scheduler.step()",
    ),
    (
        "scheduler-order",
        "data_parallel",
        (
            ("    scheduler.step()\n", ""),
            ("for epoch in range(90):\n", "for epoch in range(90):\n    scheduler.step()\n"),
        ),
        "scheduler.step()",
    ),
    (
        "state-not-detached",
        "char_rnn_tbptt",
        (
            ("        if state is not None:\n            state = detach(state)\n", ""),
            ("def detach(state):\n    return tuple(s.detach() for s in state)\n\n\n", ""),
        ),
        "logits, state = model(x, state)",
    ),
    (
        "state-not-detached",
        "char_rnn_tbptt",
        (
            ("        if state is not None:\n            state = detach(state)\n", ""),
            ("def detach(state):\n    return tuple(s.detach() for s in state)\n\n\n", ""),
            ("    state = None\n", "    h, c = torch.zeros(2, batch_size, 256), torch.zeros(2, batch_size, 256)\n"),
            ("logits, state = model(x, state)", "logits, (h, c) = model(x, (h, c))"),
        ),
        "logits, (h, c) = model(x, (h, c))",
    ),
)

_MODES: tuple[Fault, ...] = (
    ("eval-mode", "mnist_functions", (("    model.eval()\n", ""),), "outputs = model(images)"),
    ("eval-mode", "multilabel", (("    model.eval()\n", ""),), "torch.sigmoid(model(x))"),
    ("eval-mode", "cifar_trainer_class", (("        self.model.eval()\n", ""),), "logits = self.model(x)"),
    (
        "no-grad",
        "tabular_binary",
        (
            (
                "    with torch.no_grad():\n        for xb, yb in val_loader:\n            out = model(xb)\n            val_loss += criterion(out, yb).item() * len(xb)\n            hits += ((out > 0).float() == yb).sum().item()\n",
                "    for xb, yb in val_loader:\n        out = model(xb)\n        val_loss += criterion(out, yb).item() * len(xb)\n        hits += ((out > 0).float() == yb).sum().item()\n",
            ),
        ),
        "out = model(xb)",
    ),
    ("no-grad", "mnist_functions", (("@torch.no_grad()\n", ""),), "outputs = model(images)"),
    (
        "no-grad",
        "distillation",
        (
            (
                "correct = 0\nwith torch.no_grad():\n    for x, y in test_loader:\n        correct += (student(x)",
                "from torch.autograd import Variable\ncorrect = 0\nif True:\n    for x, y in test_loader:\n        correct += (student(Variable(x, volatile=True))",
            ),
        ),
        "volatile=True",
    ),
    (
        "train-mode",
        "custom_images",
        (("    model.train()\n", ""), ("for epoch in range(30):\n", "model.train()\nfor epoch in range(30):\n")),
        "model.eval()",
    ),
    ("train-mode", "cifar_trainer_class", (("        self.model.train()\n", ""),), "self.model.eval()"),
    (
        "functional-dropout",
        "mnist_functions",
        (("x = self.drop(F.relu(self.fc1(x)))", "x = F.dropout(F.relu(self.fc1(x)), 0.3)"),),
        "F.dropout",
    ),
    (
        "functional-dropout",
        "lstm_sentiment",
        (("self.fc(self.dropout(last))", "self.fc(nn.Dropout(0.5)(last))"),),
        "nn.Dropout(0.5)(last)",
    ),
    (
        "hidden-layers",
        "cifar_trainer_class",
        (
            (
                "nn.ModuleList([Block(3, 32), Block(32, 64, 2), Block(64, 128, 2)])",
                "[nn.Conv2d(3, 32, 3), nn.Conv2d(32, 64, 3), nn.Conv2d(64, 128, 3)]",
            ),
        ),
        "self.blocks = [",
    ),
    (
        "made-in-forward",
        "notebook_iris",
        (("        x = self.out(x)\n", "        x = nn.Linear(9, 3)(x)\n"),),
        "nn.Linear(9, 3)(x)",
    ),
    (
        "made-in-forward",
        "mnist_functions",
        (
            ("        x = self.drop(", "        norm = nn.BatchNorm1d(120)\n        x = self.drop("),
            ("self.drop(F.relu(self.fc1(x)))", "self.drop(F.relu(norm(self.fc1(x))))"),
        ),
        "nn.BatchNorm1d(120)",
    ),
    ("super-init", "mnist_functions", (("        super().__init__()\n", ""),), "self.conv1 ="),
    ("misspelt-hook", "mnist_functions", (("    def forward(self, x):", "    def foward(self, x):"),), "def foward"),
    ("misspelt-hook", "lightning_modules", (("def training_step", "def trainning_step"),), "def trainning_step"),
    (
        "misspelt-hook",
        "lightning_modules",
        (("def configure_optimizers", "def configure_optimizer"),),
        "def configure_optimizer",
    ),
    (
        "misspelt-hook",
        "lightning_modules",
        (("def on_validation_epoch_end", "def on_validation_epoch_ends"),),
        "def on_validation_epoch_ends",
    ),
    (
        "misspelt-hook",
        "lightning_modules",
        (("def train_dataloader", "def train_dataloaders"),),
        "def train_dataloaders",
    ),
    ("index-of-a-number", "vae", (("loss.item()", "loss.data[0]"),), "loss.data[0]"),
    (
        "index-of-a-number",
        "gan",
        (("print(epoch, d_loss.item(), g_loss.item())", "print(epoch, d_loss.data[0], g_loss.data[0])"),),
        "d_loss.data[0]",
    ),
)

_NETWORK: tuple[Fault, ...] = (
    (
        "linear-after-linear",
        "notebook_iris",
        (("x = F.relu(self.fc1(x))\n", "x = self.fc1(x)\n"), ("x = F.relu(self.fc2(x))\n", "x = self.fc2(x)\n")),
        "self.fc2 =",
    ),
    (
        "linear-after-linear",
        "multilabel",
        (("nn.Linear(300, 128), nn.ReLU(), nn.Dropout(0.3), ", "nn.Linear(300, 128), nn.Dropout(0.3), "),),
        "nn.Linear(300, 128)",
    ),
    ("linear-after-linear", "wgan_gp", (("x = torch.relu(self.b(x))", "x = self.b(x)"),), "self.c = nn.Linear"),
    ("width", "notebook_iris", (("nn.Linear(h1, h2)", "nn.Linear(h2, h2)"),), "self.fc2 = nn.Linear(h2, h2)"),
    ("width", "tabular_binary", (("nn.Linear(64, 32)", "nn.Linear(128, 32)"),), "nn.Linear(128, 32)"),
    ("width", "kfold_sklearn", (("nn.Linear(32, 3)", "nn.Linear(23, 3)"),), "nn.Linear(13, 32)"),
    (
        "width",
        "vae",
        (("x = x.view(-1, 784).to(device)", "x = x.view(-1, 28 * 26).to(device)"),),
        "self.fc = nn.Linear(784, 300)",
    ),
    (
        "width",
        "mnist_functions",
        (("self.fc1 = nn.Linear(32 * 7 * 7, 120)", "self.fc1 = nn.Linear(32 * 8 * 8, 120)"),),
        "self.fc1 = nn.Linear",
    ),
    (
        "width",
        "custom_images",
        (("nn.Conv2d(16, 32, 3, padding=1)", "nn.Conv2d(32, 32, 3, padding=1)"),),
        "nn.Conv2d(32, 32",
    ),
    (
        "width",
        "unet_segmentation",
        (("self.fuse = DoubleConv(64, 32)", "self.fuse = DoubleConv(32, 32)"),),
        "nn.Conv2d(i, o",
    ),
    (
        "batch-first",
        "lstm_sentiment",
        (("nn.LSTM(embed_dim, hidden_dim, batch_first=True)", "nn.LSTM(embed_dim, hidden_dim)"),),
        "nn.LSTM",
    ),
    ("batch-first", "time_series", (("hidden_size=hidden, batch_first=True", "hidden_size=hidden"),), "nn.GRU"),
    ("batch-first", "lstm_sentiment", (("last = output[:, -1, :]", "last = output[-1]"),), "output[-1]"),
)

_SCORES: tuple[Fault, ...] = (
    (
        "argmax-dimension",
        "mnist_functions",
        (("pred = outputs.argmax(dim=1)", "pred = outputs.argmax(dim=0)"),),
        "outputs.argmax(dim=0)",
    ),
    (
        "argmax-dimension",
        "cifar_trainer_class",
        (("torch.max(logits, 1)", "torch.max(logits, 0)"),),
        "torch.max(logits, 0)",
    ),
    ("argmax-dimension", "kfold_sklearn", (("model(X).argmax(dim=1)", "model(X).argmax(dim=0)"),), "argmax(dim=0)"),
    (
        "argmax-dimension",
        "lightning_modules",
        (('self.log("val_acc", (logits.argmax(1) == y)', 'self.log("val_acc", (logits.argmax(0) == y)'),),
        "logits.argmax(0)",
    ),
    (
        "argmax-dimension",
        "lstm_sentiment",
        (
            ("    rounded = torch.round(torch.sigmoid(logits))\n", "    rounded = logits.argmax(1)\n"),
            ("self.fc(self.dropout(last)).squeeze(1)", "self.fc(self.dropout(last))"),
            ("loss = loss_func(pred, label)", "loss = loss_func(pred, label.unsqueeze(1))"),
        ),
        "logits.argmax(1)",
    ),
    ("threshold", "multilabel", (("(torch.sigmoid(model(x)) > 0.5)", "(torch.sigmoid(model(x)) > 0)"),), "> 0)"),
    ("threshold", "tabular_binary", (("((out > 0).float() == yb)", "((out > 0.5).float() == yb)"),), "out > 0.5"),
    (
        "threshold",
        "unet_segmentation",
        (("torch.sigmoid(model(image)) > 0.5", "model(image) > 0.5"),),
        "model(image) > 0.5",
    ),
    (
        "threshold",
        "lstm_sentiment",
        (("torch.round(torch.sigmoid(logits))", "torch.round(logits)"),),
        "torch.round(logits)",
    ),
    (
        "wrong-average",
        "mnist_functions",
        (("return correct / len(loader.dataset)\n\n\ndef main", "return correct / len(loader)\n\n\ndef main"),),
        "correct / len(loader)",
    ),
    (
        "wrong-average",
        "distillation",
        (("correct / len(test_loader.dataset)", "100 * correct / len(test_loader)"),),
        "len(test_loader)",
    ),
    ("wrong-average", "tabular_binary", (("hits / len(val_ds)", "hits / len(val_loader)"),), "hits / len(val_loader)"),
    (
        "test-each-epoch",
        "distillation",
        (
            (
                "\nstudent.eval()\ncorrect = 0\nwith torch.no_grad():\n    for x, y in test_loader:\n        correct += (student(x).argmax(dim=1) == y).sum().item()\nprint(",
                "    student.eval()\n    correct = 0\n    with torch.no_grad():\n        for x, y in test_loader:\n            correct += (student(x).argmax(dim=1) == y).sum().item()\n    print(",
            ),
        ),
        "student(x).argmax",
    ),
    (
        "test-each-epoch",
        "mnist_functions",
        (
            (
                "        acc = evaluate(model, val_loader, device)\n",
                "        acc = evaluate(model, test_loader, device)\n",
            ),
            (
                '        if acc > best:\n            best = acc\n            torch.save(model.state_dict(), "best.pt")\n    model.load_state_dict(torch.load("best.pt"))\n',
                "",
            ),
        ),
        "outputs = model(images)",
    ),
    (
        "chosen-by-test",
        "mnist_functions",
        (("acc = evaluate(model, val_loader, device)", "acc = evaluate(model, test_loader, device)"),),
        "if acc > best",
    ),
    (
        "chosen-by-test",
        "tabular_binary",
        (
            (
                "val_ds = TensorDataset(torch.tensor(X_val, dtype=torch.float32), torch.tensor(y_val, dtype=torch.float32))",
                "val_ds = TensorDataset(torch.tensor(X_test, dtype=torch.float32), torch.tensor(y_test, dtype=torch.float32))",
            ),
            ("val_loader", "test_loader"),
            ("val_loss", "test_loss"),
            ("val_ds", "test_ds"),
        ),
        "if test_loss < best_loss",
    ),
)

_ROWS: tuple[Fault, ...] = (
    (
        "fit-before-split",
        "tabular_binary",
        (
            ('y = df["churn"].values\n', 'y = df["churn"].values\nX = StandardScaler().fit_transform(X)\n'),
            (
                "X_train = scaler.fit_transform(X_train)\nX_val = scaler.transform(X_val)\nX_test = scaler.transform(X_test)\n",
                "",
            ),
        ),
        "StandardScaler().fit_transform(X)",
    ),
    (
        "fit-before-split",
        "kfold_sklearn",
        (
            (
                "X, y = load_wine(return_X_y=True)\n",
                "X, y = load_wine(return_X_y=True)\nX = MinMaxScaler().fit_transform(X)\n",
            ),
        ),
        "MinMaxScaler().fit_transform(X)",
    ),
    (
        "fit-on-test",
        "tabular_binary",
        (("X_test = scaler.transform(X_test)", "X_test = scaler.fit_transform(X_test)"),),
        "X_test = scaler.fit_transform",
    ),
    (
        "fit-on-test",
        "notebook_iris",
        (
            (
                "X_test = torch.FloatTensor(X_test)\n",
                "X_test = torch.FloatTensor(X_test)\nX_train = (X_train - X_train.mean(0)) / X_train.std(0)\nX_test = (X_test - X_test.mean(0)) / X_test.std(0)\n",
            ),
        ),
        "X_test.mean(0)",
    ),
    (
        "fit-on-test",
        "kfold_sklearn",
        (
            (
                "    X_train = torch.tensor(scaler.transform(X[train_idx]), dtype=torch.float32)\n    X_test = torch.tensor(scaler.transform(X[test_idx]), dtype=torch.float32)\n",
                "    X_train = torch.tensor(scaler.transform(X[train_idx]), dtype=torch.float32)\n    X_test = torch.tensor(MinMaxScaler().fit_transform(X[test_idx]), dtype=torch.float32)\n",
            ),
        ),
        "fit_transform(X[test_idx])",
    ),
    (
        "shuffle",
        "cifar_trainer_class",
        (("batch_size=128, shuffle=True, num_workers=4", "batch_size=128, num_workers=4"),),
        "DataLoader(train_data",
    ),
    (
        "shuffle",
        "lightning_modules",
        (("batch_size=self.batch_size, shuffle=True", "batch_size=self.batch_size"),),
        "DataLoader(self.train_set",
    ),
    (
        "shuffle",
        "custom_images",
        (
            (
                "DataLoader(train_data, batch_size=32, shuffle=True)",
                "DataLoader(train_data, batch_size=32, shuffle=False)",
            ),
        ),
        "DataLoader(train_data",
    ),
    (
        "shuffle",
        "regression_minibatches",
        (
            ("perm = torch.randperm(len(X))\nX, y = X[perm], y[perm]\n", ""),
            ("    order = torch.randperm(len(X_train))\n", ""),
            ("        idx = order[i : i + batch]\n", ""),
            ("net(X_train[idx])", "net(X_train[i : i + batch])"),
            ("y_train[idx]", "y_train[i : i + batch]"),
        ),
        "X_train[i : i + batch]",
    ),
    (
        "shuffle",
        "notebook_iris",
        (
            (
                "X_train, X_test, y_train, y_test = train_test_split(iris.data, iris.target, test_size=0.3, random_state=41)\n",
                "X_train, y_train = iris.data, iris.target\nX_test, y_test = X_train, y_train\n",
            ),
            (
                '    y_pred = model.forward(X_train)\n    loss = criterion(y_pred, y_train)\n    losses.append(loss.detach().numpy())\n    if i % 10 == 0:\n        print(f"Epoch: {i} loss: {loss}")\n    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n',
                "    for b in range(len(X_train) // 10):\n        y_pred = model(X_train[b * 10 : (b + 1) * 10])\n        loss = criterion(y_pred, y_train[b * 10 : (b + 1) * 10])\n        optimizer.zero_grad()\n        loss.backward()\n        optimizer.step()\n    losses.append(loss.item())\n",
            ),
        ),
        "X_train[b * 10",
    ),
    (
        "split-by-position",
        "tabular_binary",
        (
            (
                "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=1)",
                "n = int(0.8 * len(X))\nX_train, y_train = X[:n], y[:n]\nX_test, y_test = X[n:], y[n:]",
            ),
        ),
        "X_test, y_test = X[n:]",
    ),
    (
        "augmented-test",
        "cifar_trainer_class",
        (
            (
                'test_data = CIFAR10("./data", train=False, transform=test_tf)',
                'test_data = CIFAR10("./data", train=False, transform=train_tf)',
            ),
        ),
        "test_data = CIFAR10",
    ),
    (
        "augmented-test",
        "transfer_learning",
        (('"flowers/test", transform=eval_transform', '"flowers/test", transform=train_transform'),),
        "flowers/test",
    ),
    (
        "train-as-test",
        "distillation",
        (
            (
                'datasets.MNIST("d", train=False, transform=tf), batch_size=500',
                'datasets.MNIST("d", train=True, transform=tf), batch_size=500',
            ),
        ),
        "batch_size=500",
    ),
    (
        "train-as-test",
        "lightning_modules",
        (
            (
                "self.test_set = FashionMNIST(self.root, train=False",
                "self.test_set = FashionMNIST(self.root, train=True",
            ),
        ),
        "self.test_set",
    ),
    (
        "device",
        "mnist_functions",
        (("        images, labels = images.to(device), labels.to(device)\n        optimizer", "        optimizer"),),
        "outputs = model(images)",
    ),
    ("device", "vae", (("x = x.view(-1, 784).to(device)", "x = x.view(-1, 784)"),), "vae(x)"),
    (
        "move-not-kept",
        "custom_images",
        (
            (
                "        images, labels = images.to(device), labels.to(device)\n        scores = model(images)\n        loss",
                "        images.to(device)\n        labels.to(device)\n        scores = model(images)\n        loss",
            ),
        ),
        ".to(device)",
    ),
)

FAULTS: tuple[Fault, ...] = _LOSSES + _STEPS + _MODES + _NETWORK + _SCORES + _ROWS
