"""Which part of the data a name refers to: ``X_test``, ``valLoader``, ``ytr``."""

from __future__ import annotations

import re

__all__ = ["role_of_name", "role_of_path"]

_ROLES = {
    "test": {"test", "tst", "te", "testing", "testset", "testloader", "testdata"},
    "val": {"val", "valid", "validation", "dev", "vld", "va", "vl", "eval", "valset", "valloader", "validloader"},
    "train": {"train", "trn", "tr", "training", "trainset", "trainloader"},
}
_SCORES = {
    "acc", "accs", "accuracy", "accuracies", "loss", "losses", "score", "scores", "err", "error", "errors", "f1", "auc",
    "metric", "metrics", "rmse", "mse", "mae", "r2", "pred", "preds", "prediction", "predictions", "result", "results",
    "size", "time", "n", "num", "len", "ratio", "fraction", "split", "step", "steps", "epoch", "epochs", "iter", "freq",
    "interval", "every", "path", "dir", "file", "stats", "history", "avg", "mean", "total", "correct", "count", "fn",
    "func", "cfg", "config", "args", "logits", "output", "outputs", "out", "probs", "best", "precision", "recall",
}  # fmt: skip
_OF_A_PART = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
              "test": "test", "testing": "test"}  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def role_of_name(name: str) -> str | None:
    """``train``, ``val`` or ``test`` if a data name says so.

    >>> [role_of_name(n) for n in ("X_test", "valLoader", "ytr", "testset", "test_loss", "latest", "X")]
    ['test', 'val', 'train', 'test', None, None, None]
    """
    words = [w.lower() for w in _WORD.findall(name)]
    if not words or set(words) & _SCORES:
        return None
    words += [w[1:] for w in words if w[0] in "xy" and len(w) > 2]
    for role in ("val", "test", "train"):
        if set(words) & _ROLES[role]:
            return role
    return None


def role_of_path(text: object) -> str | None:
    """The part that a text names, alone or as the last folder or file of a path.

    >>> [role_of_path(t) for t in ("valid", "birds/test", "data/train.csv", "a test of it", 3)]
    ['val', 'test', 'train', None, None]
    """
    last = re.split(r"[/\\\\]", text.rstrip("/"))[-1] if isinstance(text, str) else ""
    return _OF_A_PART.get(last.partition(".")[0].lower())
