"""The data: which rows a statistic or a choice has seen, in which order they come, and on which device they are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pellucid.script_reader.finding import ScriptFinding
from pellucid.script_reader.record.events import (
    Backward,
    Decision,
    Fitted,
    Forward,
    LoaderRead,
    Loop,
    LossCall,
    MoveNotKept,
    PassedToUnknown,
    Split,
    Step,
)
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.values.roles import role_of_name
from pellucid.script_reader.values.torch_objects import bases, holds_weights, is_module, modules_in
from pellucid.script_reader.values.value import Array, Const, Items, Number, Object, Value, taints

__all__ = [
    "chosen_by_test",
    "devices",
    "dropped_move",
    "fitted_on_all",
    "in_time",
    "map_style",
    "never_shuffled",
    "refitted",
    "split_by_position",
    "unshuffled",
]

_TIME = re.compile(
    r"(?i)\bdate|time_?series|timestamp|look_?back|seq_?len|forecast|window_size|time_?step|\blags?\b|stock"
)

_EPOCHS = re.compile(r"(?i)epoch|iteration|round")


def fitted_on_all(script: Script) -> Iterator[ScriptFinding]:
    """A scaler, selector or imputer that was fitted on the test rows as well.

    "Test data should never be used to make choices about the model. The general rule is to never call fit on the
    test data" (scikit-learn, Common pitfalls: data leakage).
    """
    seen = set()
    for split in script.of(Split):
        fits = sorted({f for v in split.rows if isinstance(v, Array) for f in v.fitted}, key=lambda f: f.line)
        fits = [f for f in fits if f not in seen]
        if not fits:
            continue
        seen.update(fits)
        names = " and ".join(dict.fromkeys(f.by for f in fits))
        own = fits[0].by[:1].islower()
        yield ScriptFinding(
            rule="fit-before-split", line=fits[0].line,
            finding=f"{names[0].upper()}{names[1:]} {'are' if ' and ' in names else 'is'} fitted on all rows, before "
            "the held-out rows are split off.",
            evidence=script.evidence(*(f.line for f in fits), split.where.line, split.first_line),
            consequence="The test rows influence the preprocessing, so the test score is too optimistic for new rows, "
            "most of all with feature selection or few rows.",
            fix="Split first, then resample the training rows only: X_train, y_train = "
            f"{names.partition(' and ')[0]}().fit_resample(X_train, y_train)"
            if _resampling(script, fits[0].line)
            else "Split first, then: X_train = scaler.fit_transform(X_train); X_test = scaler.transform(X_test)"
            if not own
            else "Split first, then: mean, std = X_train.mean(0), X_train.std(0), and use these for both sets",
        )  # fmt: skip


def _resampling(script: Script, line: int) -> bool:
    return "fit_resample" in script.lines[line - 1] or "fit_sample" in script.lines[line - 1]


def refitted(script: Script) -> Iterator[ScriptFinding]:
    """A transformer fitted again on the test rows: they are then scaled by other numbers than the training rows
    (scikit-learn, Common pitfalls: inconsistent preprocessing).
    """
    trained = {e.fit.by: e.where.line for e in script.of(Fitted) if "train" in taints(e.rows)}
    for e in script.of(Fitted):
        roles = taints(e.rows) & {"train", "val", "test"}
        if roles and "train" not in roles and e.fit.by in trained:
            yield ScriptFinding(
                rule="fit-on-test", line=e.where.line,
                finding=f"{e.fit.by} is fitted again on the {'test' if 'test' in roles else 'validation'} rows.",
                evidence=script.evidence(trained[e.fit.by], e.where.line),
                consequence="The same value is transformed differently there than in training, so the score is not "
                "that of the network as it will be used.",
                fix="Use transform() instead of fit_transform() for all rows except the training rows",
            )  # fmt: skip


def chosen_by_test(script: Script) -> Iterator[ScriptFinding]:
    """An epoch, an early stop or a learning rate chosen by the score on the test rows: a score that was used to choose
    no longer measures what was chosen (scikit-learn, Cross-validation: "knowledge about the test set can leak into the
    model").
    """
    training = {loop for e in script.events if isinstance(e, (Step, Backward)) for loop in e.where.loops}
    training |= {
        loop for e in script.of(PassedToUnknown) for loop in e.where.loops if _trains_elsewhere(script, e, loop)
    }
    forwards = {e.number: e.where.line for e in script.of(Forward) if "test" in taints(*e.inputs)}
    seen = set()
    for e in script.of(Decision):
        if "scored test" not in e.taint or "scored val" in e.taint or e.where.line in seen:
            continue
        inside = [loop for loop in e.where.loops if loop in training]
        if not inside or any("test" in loop.roles for loop in e.where.loops):
            continue
        seen.add(e.where.line)
        numbers = [int(t.removeprefix("forward ")) for t in e.taint if t.startswith("forward ")]
        scored = sorted({forwards[n] for n in numbers if n in forwards})
        yield ScriptFinding(
            rule="chosen-by-test", line=e.where.line,
            finding=f"The test rows are scored in every round, and {_said(e.acts)}.",
            evidence=script.evidence(inside[0].line, *scored[:2], e.where.line),
            consequence="The test score of the chosen epoch is the best of many, so it is too optimistic for new rows.",
            fix="Split validation rows off the training rows, choose by their score, and score the test rows once, "
            "last",
        )  # fmt: skip


def _trains_elsewhere(script: Script, handed: PassedToUnknown, loop: Loop) -> bool:
    """Whether a loop over epochs gives a model to a function of a file that is not read."""
    header = script.lines[loop.line - 1] if 0 < loop.line <= len(script.lines) else ""
    return bool(_EPOCHS.search(header)) and any(is_module(value) for value in handed.values)


def _said(acts: str) -> str:
    return {
        "stops the training": "their score decides when training stops",
        "keeps the model": "their score decides which model is kept",
        "keeps the best score": "the best of these scores is kept",
        "lowers the learning rate": "their score decides when the learning rate is lowered",
    }[acts]


# ── order ─────────────────────────────────────────────────────────────────────────────────────────────────────


def in_time(script: Script) -> bool:
    return any(_TIME.search(line) for line in script.lines) or _windows(script)


def _windows(script: Script) -> bool:
    """Whether a series is cut into windows ``d[i : i + k]``, each with what follows it, ``d[i + k]``, as its target."""
    ends, follows = set(), set()
    for node in ast.walk(script.tree):
        if isinstance(node, ast.Subscript):
            rows = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
            base = ast.dump(node.value)
            if isinstance(rows, ast.Slice) and rows.lower is not None and rows.upper is not None:
                ends.add((base, ast.dump(rows.upper)))
                rows = rows.lower
            if isinstance(rows, ast.BinOp):
                follows.add((base, ast.dump(rows)))
    return bool(ends & follows)


def unshuffled(script: Script) -> Iterator[ScriptFinding]:
    """A training loader that gives the same batches in the same order in every epoch: "shuffle – set to True to have
    the data reshuffled at every epoch (default: False)" (PyTorch, DataLoader).
    """
    seen = set()
    by_hand = any(".grad" in text for text in script.lines)  # not the gradients of an attack, or of a test
    kinds = (Step, Backward) if by_hand and not script.of(Step) else (Step,)
    trained = {loop for e in script.events if isinstance(e, kinds) for loop in e.where.loops}
    if in_time(script):
        return
    for e in script.of(LoaderRead):
        loader = e.loader
        if loader in seen or e.loop not in trained:
            continue
        seen.add(loader)
        whole = re.search(r"batch_size\s*=\s*(len\(|[\w.]*\.(shape|size|__len__))", script.lines[loader.line - 1])
        if never_shuffled(loader) and map_style(loader) and not whole:
            yield ScriptFinding(
                rule="shuffle", line=loader.line,
                finding="The DataLoader of the training rows does not shuffle.",
                evidence=script.evidence(loader.line, e.loop.line),
                consequence="Every epoch sees the same batches in the same order; if the rows are sorted (by class, by "
                "day), a batch holds only one kind, and the network forgets the others.",
                fix="DataLoader(…, shuffle=True) for the training rows",
            )  # fmt: skip


def never_shuffled(loader: Object) -> bool:
    shuffle: Value | None = loader.kwargs.get("shuffle") or (loader.args[2] if len(loader.args) > 2 else None)
    chosen = any(name in loader.kwargs for name in ("sampler", "batch_sampler")) or len(loader.args) > 3
    size = loader.kwargs.get("batch_size") or (loader.args[1] if len(loader.args) > 1 else None)
    chosen = chosen or isinstance(size, Number)  # as many as there are rows
    return not chosen and (shuffle is None or (isinstance(shuffle, Const) and not shuffle.value))


def map_style(loader: Object) -> bool:
    dataset = loader.args[0] if loader.args else loader.kwargs.get("dataset")
    if isinstance(dataset, (Items, Array)):
        return True
    if not isinstance(dataset, Object):
        return False
    if dataset.cls is not None:
        return any(base.endswith(".Dataset") for base in bases(dataset.cls))
    return dataset.kind.startswith(
        ("torchvision.datasets.", "torch.utils.data.TensorDataset", "torch.utils.data.Subset")
    )


def split_by_position(script: Script) -> Iterator[ScriptFinding]:
    """The first rows for training and the last for the test, of rows that were not shuffled: in Iris the last
    third is one class. Rows in time order should be split this way, so a script that mentions time is not reported.
    """
    if in_time(script):
        return
    for e in script.of(Split):
        if e.how != "position":
            continue
        arrays = [v for v in e.rows if isinstance(v, Array) and v.order == "kept" and v.part == "all"]
        named = e.call or _named_parts(script, e.first_line, e.where.line)
        if not arrays or not named or (not e.call and (arrays[0].ndim or 0) < 2):
            continue
        yield ScriptFinding(
            rule="split-by-position", line=e.where.line,
            finding="The test rows are the last rows of the table, which was not shuffled before.",
            evidence=script.evidence(arrays[0].source, e.first_line, e.where.line),
            consequence="If the table is sorted (by class, place or date), the test rows are of another kind than the "
            "training rows, and the score means little.",
            fix="train_test_split(X, y, test_size=0.2, stratify=y, random_state=0), or X = X[rng.permutation(len(X))] "
            "first; for rows in time order a split by position is right",
        )  # fmt: skip


def _named_parts(script: Script, *lines: int) -> bool:
    roles = set()
    for line in lines:
        text = script.lines[line - 1].partition("=")[0] if 0 < line <= len(script.lines) else ""
        roles |= {role_of_name(word) for word in re.findall(r"\w+", text)}
    return "train" in roles and bool(roles & {"test", "val"})


# ── devices ───────────────────────────────────────────────────────────────────────────────────────────────────


def devices(script: Script) -> Iterator[ScriptFinding]:
    """A model on one device and its rows on another: "Expected all tensors to be on the same device"."""
    if script.of(MoveNotKept):
        return  # `dropped_move` names the cause
    found = False
    for e in script.of(Forward):
        places = {v.device for v in e.inputs if isinstance(v, Array)}
        if e.device == "accelerator" and "cpu" in places:
            found = True
            yield _apart(
                script,
                e.where.line,
                e.device_line,
                "The model is moved to a device, but its input is not.",
                "x = x.to(device)",
            )
        elif e.device == "cpu" and e.device_line == 0 and "accelerator" in places and _holds_weights_on_cpu(e.module):
            found = True
            yield _apart(
                script, e.where.line, 0, "The input is moved to a device, but the model is not.", "model.to(device)"
            )
    for loss in () if found else script.of(LossCall):
        a, b = loss.prediction, loss.target
        if isinstance(a, Array) and isinstance(b, Array) and {a.device, b.device} == {"cpu", "accelerator"}:
            which = "targets" if b.device == "cpu" else "predictions"
            other = "predictions" if which == "targets" else "targets"
            said = f"The loss is given {which} on the CPU and {other} on another device."
            yield _apart(
                script, loss.where.line, 0, said, "y = y.to(device)" if which == "targets" else "model.to(device)"
            )


def _holds_weights_on_cpu(module: Object | None) -> bool:
    if module is None or (module.cls is None and not module.kind.startswith("torch.nn.")):
        return False
    return is_module(module) and holds_weights(module) and not any("device" in p.kwargs for p in modules_in(module))


def _apart(script: Script, line: int, other: int, finding: str, fix: str) -> ScriptFinding:
    return ScriptFinding(
        rule="device", line=line, finding=finding, evidence=script.evidence(other, line),
        consequence="With a GPU the script stops with “Expected all tensors to be on the same device”; "
        "without one it runs, so the mistake only shows on a machine with a GPU.",
        fix=fix,
    )  # fmt: skip


def dropped_move(script: Script) -> Iterator[ScriptFinding]:
    """``x.to(device)`` on a line of its own: it copies a tensor; only a module is moved in place (PyTorch)."""
    for e in script.of(MoveNotKept):
        yield ScriptFinding(
            rule="move-not-kept", line=e.where.line,
            finding=f"The moved copy of {e.text} is not kept: to() and cuda() do not change the tensor itself.",
            evidence=script.evidence(e.where.line),
            consequence="The tensor stays where it was; with a GPU the script stops with an error about two devices.",
            fix=f"{e.text} = {e.text}.to(device)",
        )  # fmt: skip
