"""How the data sets are built: batches that are never shuffled, test rows that are augmented or are training rows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.record.events import Backward, PassedToUnknown, Step
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.rules.data import in_time, map_style, never_shuffled
from pellucid.script_reader.values.data_roles import roles_of
from pellucid.script_reader.values.roles import role_of_name
from pellucid.script_reader.values.torch_objects import LOADER
from pellucid.script_reader.values.value import Array, Const, Items, Object, Unknown, Value, taints

__all__ = ["augmented_test", "framework_loader", "hand_made_batches", "own_statistic", "train_as_test"]

_SHUFFLED = re.compile(r"(?i)shuffl|perm\b|permut|randint|random\.choice|sample\(|sampler")
_SEQUENCE = re.compile(r"(?i)bptt|vocab|corpus|token|seq_?len|waveform|sentence")


def _order_fix(where: str) -> str:
    return f"{where}: order = torch.randperm(len(X)), and X[order[i : i + n]], y[order[i : i + n]]"


def hand_made_batches(script: Script) -> Iterator[ScriptFinding]:
    """``X[i : i + n]`` in the training loop, with the same rows in the same batches in every epoch."""
    text = "\n".join(script.lines)
    if in_time(script) or _SHUFFLED.search(text) or _SEQUENCE.search(text):
        return
    trained = {loop for e in script.events if isinstance(e, (Step, Backward)) for loop in e.where.loops}
    for e in script.observed("slice"):
        rows = e.value
        around = [loop for loop in e.where.loops if loop in trained]
        held_out = taints(rows) & {"val", "test"}
        if len(around) < 2 or e.where.loops[-1] not in trained or held_out or not isinstance(rows, (Array, Unknown)):
            continue
        if isinstance(rows, Array) and rows.order in ("random", "time"):
            continue
        yield ScriptFinding(
            rule="shuffle", line=e.where.line,
            finding="The training batches are slices of the rows in their original order; nothing shuffles the rows.",
            evidence=script.evidence(around[0].line, e.where.line),
            consequence="Every epoch sees the same batches in the same order; if the rows are sorted (by class, by "
            "day), a batch holds only one kind, and the network forgets the others.",
            fix=_order_fix("At the beginning of every epoch"),
        )  # fmt: skip
        return


def framework_loader(script: Script) -> Iterator[ScriptFinding]:
    """A training loader that does not shuffle and is given to a framework's own loop (Lightning's `fit`)."""
    text = "\n".join(script.lines)
    if (
        in_time(script)
        or _SEQUENCE.search(text)
        or any("Iterable" in t or "streaming" in t.lower() for t in script.lines)
    ):
        return
    given = {
        v for e in script.of(PassedToUnknown) if ".fit(" in _line(script, e.where.line) for v in _first_loader(e.values)
    }
    spans = [
        (m.lineno, m.end_lineno or m.lineno)
        for cls in ast.walk(script.tree)
        if isinstance(cls, ast.ClassDef) and any("Lightning" in ast.unparse(b) for b in cls.bases)
        for m in cls.body
        if isinstance(m, ast.FunctionDef) and m.name == "train_dataloader"
    ]
    for loader in script.objects:
        if loader.kind != LOADER or not never_shuffled(loader):
            continue
        inside = any(a <= loader.line <= b for a, b in spans)
        dataset = loader.args[0] if loader.args else loader.kwargs.get("dataset")
        known = map_style(loader) or not isinstance(dataset, Object) or dataset.cls is None
        if known and (inside or loader in given):
            yield ScriptFinding(
                rule="shuffle", line=loader.line,
                finding="The DataLoader of the training rows does not shuffle.",
                evidence=script.evidence(*(a for a, b in spans if a <= loader.line <= b), loader.line),
                consequence="Every epoch sees the same batches in the same order; if the rows are sorted (by class, by "
                "day), a batch holds only one kind, and the network forgets the others.",
                fix="DataLoader(…, shuffle=True) for the training rows",
            )  # fmt: skip


def _line(script: Script, line: int) -> str:
    return script.lines[line - 1] if 0 < line <= len(script.lines) else ""


def _first_loader(values: tuple[Value, ...]) -> list[Object]:
    loaders = [v for v in values if isinstance(v, Object) and v.kind == LOADER]
    named = [v for v in loaders if "train" in roles_of(v)]
    return named[:1] or [v for v in loaders[:1] if not roles_of(v) & {"val", "test"}]


# ── test rows ─────────────────────────────────────────────────────────────────────────────────────────────────

_BY_CHANCE = (
    "Random", "ColorJitter", "RandAugment", "AutoAugment", "TrivialAugment", "AugMix", "ElasticTransform", "MixUp",
    "CutMix",
)  # fmt: skip
_DETERMINISTIC = ("RandomChoice", "RandomApply", "RandomOrder")
_TRAIN_PLACE = {"MNIST": 1, "FashionMNIST": 1, "KMNIST": 1, "CIFAR10": 1, "CIFAR100": 1, "QMNIST": 3, "USPS": 1}


def _datasets(script: Script) -> Iterator[Object]:
    for made in script.objects:
        if made.kind.startswith("torchvision.datasets.") and made.cls is None:
            yield made


def _train_of(made: Object) -> bool | None:
    """What ``train=`` says, None where it says nothing."""
    place = _TRAIN_PLACE.get(made.kind.rpartition(".")[2])
    given = made.kwargs.get("train")
    if given is None and place is not None and len(made.args) > place:
        given = made.args[place]
    if isinstance(given, Const) and isinstance(given.value, bool):
        return given.value
    split = made.kwargs.get("split")
    if isinstance(split, Const) and split.value in ("test", "train"):
        return split.value == "train"
    return None


def augmented_test(script: Script) -> Iterator[ScriptFinding]:
    """Random crops, flips or colours on the test rows: the score is that of other images, and differs each time."""
    if any("tta" in t.lower().split("_") or "test_time" in t.lower() for t in script.lines):
        return
    for made in _datasets(script):
        transform = made.kwargs.get("transform")
        names = _chance(transform)
        roles = roles_of(made)
        held_out = _train_of(made) is False or (_train_of(made) is None and "test" in roles and "train" not in roles)
        if names and held_out and isinstance(transform, Object):
            yield ScriptFinding(
                rule="augmented-test", line=made.line,
                finding=f"The test images are changed at random ({', '.join(names)}).",
                evidence=script.evidence(transform.line, made.line),
                consequence="The test score is that of distorted images, and differs at every call.",
                fix="Give the test set its own transform without random steps: Compose([ToTensor(), "
                "Normalize(…)])",
            )  # fmt: skip


def _chance(transform: Value | None) -> list[str]:
    if isinstance(transform, Items):
        return [n for v in transform.items for n in _chance(v)]
    if not isinstance(transform, Object) or not transform.kind.startswith("torchvision.transforms"):
        return []
    name = transform.kind.rpartition(".")[2]
    p = transform.kwargs.get("p")
    if name.startswith(_BY_CHANCE) and name not in _DETERMINISTIC:
        return [] if isinstance(p, Const) and p.value == 0 else [name]
    return [n for v in transform.args for n in _chance(v)]


def train_as_test(script: Script) -> Iterator[ScriptFinding]:
    """The data set called test is the training set: ``train=True``."""
    split_up = {
        v for o in script.objects if o.kind == "torch.utils.data.Subset" or "Sampler" in o.kind for v in o.args
    } | {v for o in script.objects for v in (o.kwargs.get("sampler"),) if v is not None}
    for made in _datasets(script):
        loaders = [o for o in script.objects if o.kind == LOADER and made in (*o.args[:1], o.kwargs.get("dataset"))]
        named = {k.removeprefix("role ") for o in (made, *loaders) for k in o.attrs if k.startswith("role ")}
        sampled = any("sampler" in o.kwargs for o in loaders)
        # the first of two calls on one line may be either: the line must speak of the test alone
        spoken = {role_of_name(w) for w in re.findall(r"\w+", _line(script, made.line).partition("=")[0])} - {None}
        test = spoken == {"test"} if named <= {"test"} else False
        test = test or (named == {"test"} and not spoken)
        if test and _train_of(made) is True and made not in split_up and not sampled and not _divided(script, made):
            yield ScriptFinding(
                rule="train-as-test", line=made.line,
                finding="The test set is loaded with train=True: it is the training set.",
                evidence=script.evidence(made.line, *(o.line for o in loaders)),
                consequence="The score is that of rows the network has learned from, not of new ones.",
                fix=f"{made.kind.rpartition('.')[2]}(…, train=False)",
            )  # fmt: skip


def _divided(script: Script, made: Object) -> bool:
    """Whether the set is divided: then a part of the training set is held out."""
    names = re.findall(r"\w+", _line(script, made.line).partition("=")[0])
    return any(
        word in text and any(re.search(rf"\b{name}\b", text.partition("=")[2]) for name in names if name != "self")
        for text in script.lines
        for word in ("random_split", "Subset(", "Sampler(")
    )


def own_statistic(script: Script) -> Iterator[ScriptFinding]:
    """Test rows standardised by their own mean: the same value is transformed differently than in training."""
    trained = any("train" in taints(e.value) for e in script.observed("own statistic"))
    if not trained and not script.of(Backward):
        return  # no training here: perhaps each image is scaled by itself
    for e in script.observed("own statistic"):
        roles = taints(e.value) & {"train", "val", "test"}
        if "test" in roles and "train" not in roles and e.where.called:
            yield ScriptFinding(
                rule="fit-on-test", line=e.where.line,
                finding="The test rows are scaled by their own statistics"
                + (", the training rows by theirs." if trained else "."),
                evidence=script.evidence(e.where.line),
                consequence="The same value is transformed differently there than in training, so the score is not "
                "that "
                "of the network as it will be used.",
                fix="mean, std = X_train.mean(0), X_train.std(0)  # use these for the test rows as well",
            )  # fmt: skip
