"""Mistakes planted into the healthy scripts, second part: modes, rows, devices; see `planted`."""

from __future__ import annotations

from tests.script_reader.planted import Planted

__all__ = ["MODES", "ROWS"]

MODES: tuple[Planted, ...] = (
    ("eval-mode", "functions", (("    model.eval()\n", ""),), "output = model(data)"),
    ("eval-mode", "regression", (("model.eval()\n", ""),), "test_loss = loss_fn"),
    ("eval-mode", "binary", (("    net.eval()\n", ""),), "probs = torch.sigmoid"),
    ("eval-mode", "trainer", (("        self.model.eval()\n", ""),), "return self.criterion"),
    (
        "eval-mode",
        "amp",
        (("    model.eval()\n", ""), ("val_dl = DataLoader", "test_dl = val_dl = DataLoader")),
        "losses = [",
    ),
    (
        "no-grad",
        "functions",
        (("    with torch.no_grad():\n        for data", "    if True:\n        for data"),),
        "output = model(data)",
    ),
    (
        "no-grad",
        "regression",
        (("with torch.no_grad():\n    test_loss", "if True:\n    test_loss"),),
        "test_loss = loss_fn",
    ),
    ("no-grad", "trainer", (("    @torch.no_grad()\n", ""),), "return self.criterion"),
    ("no-grad", "folds", (("    with torch.no_grad():\n", "    if True:\n"),), "scores.append"),
    ("train-mode", "functions", (("    model.train()\n", ""),), "model.eval()"),
    ("train-mode", "trainer", (("        self.model.train()\n", ""),), "self.model.eval()"),
    ("train-mode", "binary", (("    net.train()\n", ""),), "net.eval()"),
    (
        "train-mode",
        "amp",
        (("    model.train()\n", ""), ("for epoch in", "model.train()\nfor epoch in")),
        "model.eval()",
    ),
    ("train-mode", "language", (("    model.train()\n", ""),), "model.eval()"),
    ("functional-dropout", "functions", (("x = self.dropout1(x)", "x = F.dropout(x, 0.25)"),), "F.dropout"),
    ("functional-dropout", "cifar", (("x = F.relu(self.fc1(x))", "x = F.dropout(F.relu(self.fc1(x)))"),), "F.dropout"),
    (
        "functional-dropout",
        "language",
        (("return self.dropout(wei) @ x", "return F.dropout(wei, p=0.2) @ x"),),
        "F.dropout",
    ),
    (
        "functional-dropout",
        "trainer",
        (("x = self.drop(torch.relu(x))", "x = nn.functional.dropout(torch.relu(x), 0.2)"),),
        "functional.dropout",
    ),
    (
        "hidden-layers",
        "trainer",
        (
            (
                "nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:])])",
                "[nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:])]",
            ),
        ),
        "self.layers =",
    ),
    (
        "hidden-layers",
        "binary",
        (("        self.net =", "        self.more = {'a': nn.Linear(3, 3)}\n        self.net ="),),
        "self.more",
    ),
    (
        "hidden-layers",
        "cifar",
        (
            (
                "        self.pool =",
                "        self.extra = []\n        for i in range(3):\n"
                "            self.extra.append(nn.Linear(2, 2))\n        self.pool =",
            ),
        ),
        "self.extra = []",
    ),
    (
        "hidden-layers",
        "autoencoder",
        (("        self.fc3 =", "        self.heads = [nn.Linear(20, 2), nn.Linear(20, 3)]\n        self.fc3 ="),),
        "self.heads",
    ),
)

ROWS: tuple[Planted, ...] = (
    (
        "fit-before-split",
        "regression",
        (("X_train, X_test, y_train", "X = StandardScaler().fit_transform(X)\nX_train, X_test, y_train"),),
        "StandardScaler().fit_transform",
    ),
    (
        "fit-before-split",
        "regression",
        (("X_train, X_test, y_train", "X = (X - X.mean(axis=0)) / X.std(axis=0)\nX_train, X_test, y_train"),),
        "X.mean(axis=0)",
    ),
    (
        "fit-before-split",
        "regression",
        (("X = df.drop", 'df["rooms"] = df["rooms"].fillna(df["rooms"].median())\nX = df.drop'),),
        "fillna",
    ),
    (
        "fit-before-split",
        "regression",
        (("X = df.drop", 'df["rooms"].fillna(df["rooms"].mean(), inplace=True)\nX = df.drop'),),
        "inplace=True",
    ),
    ("fit-before-split", "binary", (("StandardScaler().fit(Xtr)", "StandardScaler().fit(X)"),), "fit(X)"),
    (
        "fit-before-split",
        "binary",
        (
            ("X, y = bc.data", "from sklearn.feature_selection import SelectKBest\nX, y = bc.data"),
            ("Xtr, Xte, ytr", "X = SelectKBest(k=5).fit_transform(X, y)\nXtr, Xte, ytr"),
        ),
        "SelectKBest(k=5)",
    ),
    (
        "fit-before-split",
        "folds",
        (("scores = []", "X = StandardScaler().fit_transform(X)\nscores = []"),),
        "fit_transform(X)",
    ),
    (
        "fit-on-test",
        "regression",
        (("X_test = scaler.transform", "X_test = scaler.fit_transform"),),
        "X_test = scaler.fit_transform",
    ),
    (
        "fit-on-test",
        "binary",
        (("sc.transform(Xtr), sc.transform(Xte)", "sc.fit_transform(Xtr), sc.fit_transform(Xte)"),),
        "sc.fit_transform(Xte)",
    ),
    (
        "fit-on-test",
        "folds",
        (("scaler.transform(X_test)", "StandardScaler().fit_transform(X_test)"),),
        "fit_transform(X_test)",
    ),
    (
        "fit-on-test",
        "regression",
        (
            (
                "X_test = scaler.transform(X_test)",
                "test_scaler = StandardScaler()\nX_test = test_scaler.fit_transform(X_test)",
            ),
        ),
        "test_scaler.fit_transform",
    ),
    (
        "chosen-by-test",
        "binary",
        (
            (
                "    print(epoch, running",
                "    if hits > best:\n        best = hits\n"
                "        torch.save(net.state_dict(), 'best.pt')\n    print(epoch, running",
            ),
            ("for epoch in", "best = 0\nfor epoch in"),
        ),
        "if hits > best",
    ),
    (
        "chosen-by-test",
        "trainer",
        (
            ("val_loss = self.evaluate(self.val_loader)", "test_loss = self.evaluate(self.test_loader)"),
            ("self.scheduler.step(val_loss)", "pass"),
            ("stopper(val_loss, self.model)", "stopper(test_loss, self.model)"),
            (
                "self.train_loader, self.val_loader = train_loader, val_loader",
                "self.train_loader, self.test_loader = train_loader, val_loader",
            ),
            ("train_loader, val_loader, lr", "train_loader, val_loader, lr"),
            (
                "Trainer(MLP([20, 64, 3]), train_loader, val_loader)",
                "Trainer(MLP([20, 64, 3]), train_loader, test_loader)",
            ),
        ),
        "if loss < self.best",
    ),
    (
        "chosen-by-test",
        "functions",
        (
            (
                "    print(test_loss, correct, len(test_loader.dataset))",
                "    return correct / len(test_loader.dataset)",
            ),
            (
                "        test(model, device, test_loader)\n",
                "        acc = test(model, device, test_loader)\n        if acc > 0.99:\n            break\n",
            ),
        ),
        "if acc > 0.99",
    ),
    (
        "chosen-by-test",
        "autoencoder",
        (
            ("    print(epoch, train_loss, test_loss)", "    scheduler.step(test_loss)"),
            ("def loss_function", "scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer)\n\n\ndef loss_function"),
        ),
        "scheduler.step(test_loss)",
    ),
    (
        "shuffle",
        "cifar",
        (("batch_size=4, shuffle=True, num_workers=2", "batch_size=4, num_workers=2"),),
        "trainloader = ",
    ),
    ("shuffle", "binary", (("batch_size=32, shuffle=True", "batch_size=32, shuffle=False"),), "train_dl = "),
    (
        "shuffle",
        "trainer",
        (("DataLoader(train_set, batch_size=32, shuffle=True)", "DataLoader(train_set, 32)"),),
        "train_loader = DataLoader",
    ),
    ("shuffle", "gan", (("batch_size=100, shuffle=True", "batch_size=100"),), "data_loader = "),
    (
        "split-by-position",
        "regression",
        (
            (
                "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)",
                "n = int(0.8 * len(X))\nX_train, X_test = X[:n], X[n:]\ny_train, y_test = y[:n], y[n:]",
            ),
        ),
        "X_train, X_test = X[:n]",
    ),
    (
        "split-by-position",
        "binary",
        (
            (
                "Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.2, random_state=1234, stratify=y)",
                "Xtr = X[:400]\nXte = X[400:]\nytr, yte = y[:400], y[400:]",
            ),
        ),
        "Xte = X[400:]",
    ),
    ("split-by-position", "regression", (("test_size=0.2, random_state=0", "shuffle=False"),), "shuffle=False"),
    (
        "split-by-position",
        "regression",
        (
            ("df = pd.read_csv", "n = 800\ndf = pd.read_csv"),
            (
                'X = df.drop("price", axis=1).values\n',
                'train_df, test_df = df.iloc[:n], df.iloc[n:]\nX = df.drop("price", axis=1).values\n',
            ),
        ),
        "train_df, test_df",
    ),
    (
        "device",
        "functions",
        (("        data, target = data.to(device), target.to(device)\n        optimizer", "        optimizer"),),
        "output = model(data)",
    ),
    ("device", "binary", (("net = Classifier(30).to(device)", "net = Classifier(30)"),), "out = net(xb)"),
    ("device", "trainer", (("x, y = (t.to(self.device) for t in batch)", "x, y = batch"),), "return self.criterion"),
    (
        "device",
        "amp",
        (("x, t = x.to(device, non_blocking=True), t.to(device, non_blocking=True)", "x = x.to(device)"),),
        "loss = loss_fn(model(x), t)",
    ),
    (
        "device",
        "autoencoder",
        (("        data = data.to(device)\n        optimizer", "        optimizer"),),
        "recon_batch, mu",
    ),
    (
        "move-not-kept",
        "functions",
        (
            (
                "        data, target = data.to(device), target.to(device)\n        optimizer",
                "        data.to(device)\n        target = target.to(device)\n        optimizer",
            ),
        ),
        "        data.to(device)",
    ),
    (
        "move-not-kept",
        "binary",
        (
            (
                "        xb, yb = xb.to(device), yb.to(device)\n        out",
                "        xb.to(device)\n        yb = yb.to(device)\n        out",
            ),
        ),
        "xb.to(device)",
    ),
    (
        "move-not-kept",
        "amp",
        (("x, t = x.to(device, non_blocking=True), t.to(device, non_blocking=True)", "x.cuda(); t.cuda()"),),
        "x.cuda()",
    ),
    (
        "move-not-kept",
        "autoencoder",
        (("        data = data.to(device)\n        optimizer", "        data.to(device)\n        optimizer"),),
        "data.to(device)",
    ),
)
