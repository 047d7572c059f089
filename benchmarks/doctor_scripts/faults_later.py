# ruff: noqa: E501
"""Faults in scripts that were written after the rules: a second look, as a reader of the page would take it."""

from __future__ import annotations

from benchmarks.doctor_scripts.faults import Fault

__all__ = ["LATER"]

LATER: tuple[Fault, ...] = (
    (
        "softmax-before-cross-entropy",
        "quickstart",
        (("nn.Linear(512, 10)\n", "nn.Linear(512, 10), nn.Softmax(dim=1)\n"),),
        "nn.Softmax",
    ),
    (
        "softmax-before-cross-entropy",
        "simclr_probe",
        (("F.cross_entropy(head(h), y", "F.cross_entropy(F.softmax(head(h), dim=1), y"),),
        "F.softmax(head",
    ),
    (
        "bce-without-sigmoid",
        "titanic_script",
        (("nn.Linear(8, 1), nn.Sigmoid())", "nn.Linear(8, 1))"),),
        "loss_fn(output.squeeze()",
    ),
    (
        "nll-without-log-softmax",
        "pos_tagger",
        (("F.log_softmax(tag_space, dim=1)", "F.softmax(tag_space, dim=1)"),),
        "loss_function(tag_scores",
    ),
    (
        "column-against-row",
        "titanic_script",
        (("loss_fn(output.squeeze(), y_train)", "loss_fn(output, y_train)"),),
        "loss_fn(output, y_train)",
    ),
    (
        "column-against-row",
        "multitask_heads",
        (("mse(age_head(h).flatten(), years)", "mse(age_head(h), years)"),),
        "mse(age_head(h), years)",
    ),
    (
        "column-against-row",
        "lightning_regression",
        (("(X ** 2).sum(1, keepdim=True)", "(X ** 2).sum(1)"),),
        "self.loss(self(x), y)",
    ),
    (
        "bce-several-columns",
        "titanic_script",
        (("nn.Linear(8, 1), nn.Sigmoid()", "nn.Linear(8, 2), nn.Sigmoid()"),),
        "loss_fn(output.squeeze()",
    ),
    (
        "swapped-arguments",
        "old_style_cnn",
        (("criterion(outputs, labels)", "criterion(labels, outputs)"),),
        "criterion(labels, outputs)",
    ),
    (
        "swapped-arguments",
        "quickstart",
        (
            (
                "        loss = loss_fn(pred, y)\n        loss.backward",
                "        loss = loss_fn(y, pred)\n        loss.backward",
            ),
        ),
        "loss_fn(y, pred)",
    ),
    (
        "swapped-arguments",
        "titanic_script",
        (("loss_fn(output.squeeze(), y_train)", "loss_fn(y_train, output.squeeze())"),),
        "loss_fn(y_train, output",
    ),
    ("class-numbers-mse", "quickstart", (("nn.CrossEntropyLoss()", "nn.MSELoss()"),), "loss = loss_fn(pred, y)"),
    (
        "class-numbers-mse",
        "multitask_heads",
        (("ce(group_head(h), label)", "mse(group_head(h), label)"),),
        "mse(group_head(h), label)",
    ),
    (
        "argmax-before-loss",
        "old_style_cnn",
        (
            (
                "        loss = criterion(outputs, labels)",
                "        _, predicted = torch.max(outputs, 1)\n        loss = criterion(predicted, labels)",
            ),
        ),
        "torch.max(outputs, 1)",
    ),
    (
        "argmax-before-loss",
        "titanic_script",
        (
            (
                "loss = loss_fn(output.squeeze(), y_train)",
                "pred = (output.squeeze() > 0.5).float()\n    loss = loss_fn(pred, y_train)",
            ),
        ),
        "pred = (output",
    ),
    (
        "loss-not-called",
        "old_style_cnn",
        (("loss = criterion(outputs, labels)", "loss = nn.CrossEntropyLoss(outputs, labels)"),),
        "nn.CrossEntropyLoss(outputs",
    ),
    ("zero-grad", "quickstart", (("        optimizer.zero_grad()\n", ""),), "optimizer.step()"),
    ("zero-grad", "word2vec", (("        optimizer.zero_grad()\n", ""),), "optimizer.step()"),
    ("zero-grad", "pos_tagger", (("        model.zero_grad()\n", ""),), "optimizer.step()"),
    ("backward", "fabric_style", (("                    loss.backward()\n", ""),), "optimizer.step()"),
    ("backward", "old_style_cnn", (("        loss.backward()\n", ""),), "optimizer.step()"),
    ("step", "quickstart", (("        optimizer.step()\n", ""),), "loss.backward()"),
    (
        "step-order",
        "titanic_script",
        (
            (
                "    optimizer.zero_grad()\n    loss.backward()\n    optimizer.step()\n",
                "    loss.backward()\n    optimizer.zero_grad()\n    optimizer.step()\n",
            ),
        ),
        "optimizer.zero_grad()",
    ),
    ("loss-graph", "word2vec", (("running += loss.item()", "running += loss"),), "running += loss"),
    ("loss-graph", "titanic_script", (("losses.append(loss.item())", "losses.append(loss)"),), "losses.append(loss)"),
    ("loss-graph", "fabric_style", (("total += loss.item() * len(y)", "total += loss * len(y)"),), "total += loss"),
    (
        "not-called",
        "old_style_cnn",
        (("        optimizer.zero_grad()\n", "        optimizer.zero_grad\n"),),
        "optimizer.zero_grad",
    ),
    ("not-called", "titanic_script", (("model.eval()\n", "model.eval\n"),), "model.eval"),
    ("not-called", "diffusion", (("        optimizer.step()\n", "        optimizer.step\n"),), "optimizer.step"),
    (
        "not-called",
        "fabric_style",
        (("                    scheduler.step()\n", "                    scheduler.step\n"),),
        "scheduler.step",
    ),
    (
        "graph-cut",
        "quickstart",
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
        "old_style_cnn",
        (("loss = criterion(outputs, labels)", "loss = criterion(outputs.data, labels)"),),
        "outputs.data",
    ),
    (
        "graph-cut",
        "diffusion",
        (
            (
                "        loss = nn.functional.mse_loss(model(a.sqrt() * x + (1 - a).sqrt() * noise, t), noise)",
                "        guess = model(a.sqrt() * x + (1 - a).sqrt() * noise, t).detach()\n        loss = nn.functional.mse_loss(guess, noise)",
            ),
        ),
        ".detach()",
    ),
    (
        "graph-cut",
        "old_style_cnn",
        (
            (
                "        loss.backward()",
                "        loss = Variable(loss.data, requires_grad=True)\n        loss.backward()",
            ),
        ),
        "loss.data",
    ),
    (
        "training-without-gradients",
        "simclr_probe",
        (
            (
                "            h = model.encoder(x.to(device))\n        loss = F.cross_entropy(head(h), y.to(device))\n",
                "            h = model.encoder(x.to(device))\n            loss = F.cross_entropy(head(h), y.to(device))\n",
            ),
        ),
        "F.cross_entropy(head(h)",
    ),
    (
        "training-without-gradients",
        "fabric_style",
        (('torch.set_grad_enabled(phase == "train")', "torch.no_grad()"),),
        "logits = model(x)",
    ),
    (
        "other-parameters",
        "simclr_probe",
        (
            (
                "head_optimizer = torch.optim.Adam(head.parameters(), lr=1e-3)",
                "head_optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)",
            ),
        ),
        "head_optimizer = torch",
    ),
    (
        "other-parameters",
        "diffusion",
        (("torch.optim.AdamW(model.parameters(), lr=2e-4)", "torch.optim.AdamW(ema.parameters(), lr=2e-4)"),),
        "ema.parameters()",
    ),
    (
        "other-parameters",
        "pinn_online",
        (
            (
                "sgd = torch.optim.SGD(perceptron.parameters(), lr=1.0)",
                "sgd = torch.optim.SGD(net.parameters(), lr=1.0)",
            ),
        ),
        "sgd = torch",
    ),
    (
        "no-optimizer",
        "multitask_heads",
        (
            (
                "itertools.chain(trunk.parameters(), age_head.parameters(), group_head.parameters())",
                "itertools.chain(trunk.parameters(), age_head.parameters())",
            ),
        ),
        "group_head = nn.Linear",
    ),
    (
        "no-optimizer",
        "multitask_heads",
        (
            (
                "itertools.chain(trunk.parameters(), age_head.parameters(), group_head.parameters())",
                "list(age_head.parameters()) + list(group_head.parameters())",
            ),
        ),
        "trunk = nn.Sequential",
    ),
    (
        "frozen",
        "lightning_regression",
        (("model = Reg()\n", "model = Reg()\nfor p in model.parameters():\n    p.requires_grad = False\n"),),
        "p.requires_grad = False",
    ),
    (
        "frozen",
        "word2vec",
        (
            (
                "optimizer = torch",
                "for weight in model.parameters():\n    weight.requires_grad = False\noptimizer = torch",
            ),
        ),
        "weight.requires_grad = False",
    ),
    (
        "learning-rate",
        "quickstart",
        (("torch.optim.SGD(model.parameters(), lr=1e-3)", "torch.optim.SGD(model.parameters(), lr=50.0)"),),
        "lr=50.0",
    ),
    ("learning-rate", "old_style_cnn", (("learning_rate = 0.001", "learning_rate = 1.0"),), "lr=learning_rate"),
    ("learning-rate", "lightning_regression", (("lr=1e-3", "lr=0.3"),), "lr=0.3"),
    ("eval-mode", "old_style_cnn", (("cnn.eval()\n", ""),), "outputs = cnn(images.cuda())"),
    ("eval-mode", "unfreeze_later", (("    net.eval()\n", ""),), "net(x.cuda())"),
    (
        "no-grad",
        "quickstart",
        (
            (
                "    with torch.no_grad():\n        for X, y in dataloader:\n",
                "    if True:\n        for X, y in dataloader:\n",
            ),
        ),
        "pred = model(X)",
    ),
    (
        "no-grad",
        "old_style_cnn",
        (
            (
                "with torch.no_grad():\n    for images, labels in test_loader:\n        outputs = cnn(images.cuda())",
                "if True:\n    for images, labels in test_loader:\n        outputs = cnn(Variable(images.cuda(), volatile=True))",
            ),
        ),
        "volatile=True",
    ),
    ("train-mode", "unfreeze_later", (("    net.train()\n", ""),), "net.eval()"),
    (
        "functional-dropout",
        "pinn_online",
        (("t = torch.tanh(self.hidden(t))", "t = nn.functional.dropout(torch.tanh(self.hidden(t)), 0.1)"),),
        "nn.functional.dropout",
    ),
    (
        "hidden-layers",
        "fabric_style",
        (
            (
                "nn.ModuleList(nn.Linear(a, b) for a, b in zip(dims[:-1], dims[1:]))",
                "[nn.Linear(a, b) for a, b in zip(dims[:-1], dims[1:])]",
            ),
        ),
        "self.layers = [",
    ),
    (
        "made-in-forward",
        "old_style_cnn",
        (("        out = self.fc(out)\n", "        out = nn.Linear(7*7*32, 10).cuda()(out)\n"),),
        "nn.Linear(7*7*32, 10).cuda()",
    ),
    (
        "made-in-forward",
        "diffusion",
        (
            (
                "return self.out(torch.relu(h + self.mid(h)))",
                "return self.out(torch.relu(h + nn.Conv2d(64, 64, 3, padding=1)(h)))",
            ),
        ),
        "nn.Conv2d(64, 64, 3, padding=1)(h)",
    ),
    ("super-init", "quickstart", (("        super().__init__()\n", ""),), "self.flatten ="),
    (
        "super-init",
        "old_style_cnn",
        (("        super(CNN, self).__init__()\n", "        super(CNN, self)\n"),),
        "self.layer1 =",
    ),
    ("misspelt-hook", "lightning_regression", (("def validation_step", "def validaton_step"),), "def validaton_step"),
    (
        "misspelt-hook",
        "lightning_regression",
        (("def configure_optimizers", "def configure_optimisers"),),
        "def configure_optimisers",
    ),
    ("index-of-a-number", "old_style_cnn", (("loss.item()", "loss.data[0]"),), "loss.data[0]"),
    (
        "linear-after-linear",
        "quickstart",
        (("nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)", "nn.Linear(512, 512), nn.Linear(512, 10)"),),
        "nn.Linear(28 * 28, 512)",
    ),
    (
        "linear-after-linear",
        "pinn_online",
        (("t = torch.tanh(self.hidden(t))", "t = self.hidden(t)"),),
        "self.output = nn.Linear",
    ),
    ("width", "quickstart", (("nn.Linear(28 * 28, 512)", "nn.Linear(28 * 28, 256)"),), "nn.Linear(28 * 28, 256)"),
    (
        "width",
        "old_style_cnn",
        (("self.fc = nn.Linear(7*7*32, 10)", "self.fc = nn.Linear(14*14*32, 10)"),),
        "self.fc = nn.Linear",
    ),
    (
        "width",
        "old_style_cnn",
        (("nn.Conv2d(16, 32, kernel_size=5, padding=2)", "nn.Conv2d(1, 32, kernel_size=5, padding=2)"),),
        "nn.Conv2d(1, 32",
    ),
    ("width", "titanic_script", (("nn.Linear(5, 16)", "nn.Linear(6, 16)"),), "nn.Linear(6, 16)"),
    (
        "width",
        "pos_tagger",
        (
            (
                "self.hidden2tag = nn.Linear(hidden_dim, tagset_size)",
                "self.hidden2tag = nn.Linear(embedding_dim * 2, tagset_size)",
            ),
        ),
        "self.hidden2tag =",
    ),
    ("argmax-dimension", "quickstart", (("pred.argmax(1)", "pred.argmax(0)"),), "pred.argmax(0)"),
    (
        "argmax-dimension",
        "old_style_cnn",
        (("torch.max(outputs.data, 1)", "torch.max(outputs.data, 0)"),),
        "torch.max(outputs.data, 0)",
    ),
    (
        "argmax-dimension",
        "titanic_script",
        (("(model(X_test).squeeze() >= 0.5).float()", "model(X_test).argmax(1).float()"),),
        "argmax(1)",
    ),
    (
        "threshold",
        "titanic_script",
        (("model(X_test).squeeze() >= 0.5", "model(X_test).squeeze() > 0"),),
        "squeeze() > 0",
    ),
    (
        "wrong-average",
        "unfreeze_later",
        (("good / len(val_loader.dataset)", "good / len(val_loader)"),),
        "good / len(val_loader)",
    ),
    (
        "wrong-average",
        "quickstart",
        (("    correct /= size\n", "    correct /= num_batches\n"),),
        "correct /= num_batches",
    ),
    (
        "test-each-epoch",
        "quickstart",
        (("    test(validation_dataloader, model, loss_fn)\n", "    test(test_dataloader, model, loss_fn)\n"),),
        "pred = model(X)",
    ),
    (
        "fit-on-test",
        "titanic_script",
        (("((test[features] - mean) / std)", "((test[features] - test[features].mean()) / test[features].std())"),),
        "X_test = torch",
    ),
    (
        "fit-before-split",
        "titanic_script",
        (
            (
                "n_train = 600\n",
                "n_train = 600\ndf[features] = (df[features] - df[features].mean()) / df[features].std()\n",
            ),
        ),
        "df[features].mean()",
    ),
    (
        "shuffle",
        "quickstart",
        (("batch_size=batch_size, shuffle=True", "batch_size=batch_size"),),
        "train_dataloader = DataLoader",
    ),
    (
        "shuffle",
        "old_style_cnn",
        (("batch_size=batch_size, shuffle=True", "batch_size=batch_size, shuffle=False"),),
        "train_loader =",
    ),
    (
        "shuffle",
        "lightning_regression",
        (("batch_size=32, shuffle=True", "batch_size=32"),),
        "train_loader = DataLoader",
    ),
    (
        "split-by-position",
        "titanic_script",
        ((".dropna().sample(frac=1, random_state=3)", ".dropna()"),),
        "train, test =",
    ),
    (
        "augmented-test",
        "simclr_probe",
        (("train=False, transform=plain", "train=False, transform=augment"),),
        "test_set =",
    ),
    (
        "train-as-test",
        "old_style_cnn",
        (("train=False, transform=transforms.ToTensor())", "train=True, transform=transforms.ToTensor())"),),
        "test_dataset =",
    ),
    (
        "device",
        "old_style_cnn",
        (("images = Variable(images).cuda()", "images = Variable(images)"),),
        "outputs = cnn(images)",
    ),
    ("move-not-kept", "old_style_cnn", (("images = Variable(images).cuda()", "images.cuda()"),), "images.cuda()"),
)
