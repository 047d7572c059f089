"""Which part of the data a value holds: by its name, else by what it was made from."""

from __future__ import annotations

import re

from pellucid.script_reader.values.roles import role_of_path
from pellucid.script_reader.values.value import ROLES, Const, Object, Unknown, Value, taints

__all__ = ["role_given", "roles_of"]


def roles_of(value: Value | None) -> frozenset[str]:
    """Train, validation or test: by the name of a loader, else by what it reads."""
    if isinstance(value, Object):
        named = frozenset(k.removeprefix("role ") for k in value.attrs if k.startswith("role "))
        inner = value.args[0] if value.args else value.kwargs.get("dataset")
        if named or value.cls is not None:
            return named
        if value.kind == "torch.utils.data.TensorDataset":
            return taints(*value.args) & ROLES
        if value.kind.startswith("torchvision.datasets."):
            return _role_of_download(value)
        if value.taint & ROLES or value.kind.startswith("torch.utils.data"):
            return value.taint & ROLES or roles_of(inner)
        role = role_given(*value.args, *value.kwargs.values()) if _NAME_OF_CLASS.search(value.kind) else None
        return frozenset({role} if role else ())
    return taints(value) & ROLES


def role_given(*values: Value) -> str | None:
    """``Faces("valid")``, ``ImageFolder(os.path.join(folder, "val"))``: the part that the arguments name."""
    for value in values:
        joined = isinstance(value, Object) and value.kind in ("os.path.join", "pathlib.Path") and value.args
        last = value.args[-1] if joined and isinstance(value, Object) else value
        role = role_of_path(last.value) if isinstance(last, Const) else None
        found = [role] if role else sorted(last.taint & ROLES) if isinstance(last, Unknown) else []
        if len(found) == 1:
            return found[0]
    return None


def _role_of_download(dataset: Object) -> frozenset[str]:
    chosen = dataset.kwargs.get("train") or dataset.kwargs.get("split") or Unknown()
    if not isinstance(chosen, Const):
        return dataset.taint & ROLES
    role = {True: "train", False: "test", "train": "train", "test": "test", "val": "val"}.get(chosen.value)
    return frozenset({role}) if role else dataset.taint & ROLES


_NAME_OF_CLASS = re.compile(r"(^|\.)[A-Z]\w*$")
