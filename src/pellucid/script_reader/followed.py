"""What was found in a script: its model, loop, loss, optimizer and evaluation; and what was not checked."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pellucid.script_reader.record.events import Backward, Forward, LossCall, Step
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.values.torch_objects import bases, holds_weights, is_lightning, is_module, is_optimizer
from pellucid.script_reader.values.value import Class, Object, taints

__all__ = ["Followed", "followed", "uses_torch"]

_TORCH = {
    "torch", "torchvision", "torchaudio", "torchtext", "lightning", "pytorch_lightning", "accelerate",
    "torch_geometric", "timm", "torchmetrics", "ignite",
}  # fmt: skip
_OTHERS = {
    "tensorflow": "TensorFlow", "keras": "Keras", "jax": "JAX", "flax": "Flax", "mxnet": "MXNet", "paddle": "Paddle",
    "chainer": "Chainer", "theano": "Theano", "sklearn": "scikit-learn", "xgboost": "XGBoost", "lightgbm": "LightGBM",
    "catboost": "CatBoost", "fastai": "fastai",
}  # fmt: skip
_LOSS = re.compile(r"(?i)loss|criterion|dice|entropy")
_PARTS = ("model", "training loop", "loss", "optimizer", "evaluation")


@dataclass(frozen=True, kw_only=True)
class Followed:
    """What was found, by its place (``line 16``, empty if it was not found), and what was left out.

    ``torch`` says whether PyTorch is used at all, ``framework`` names another library that trains; ``unread`` and
    ``notes`` are whole sentences.
    """

    torch: bool
    framework: str
    seen: Mapping[str, str]
    unread: tuple[str, ...]
    notes: tuple[str, ...]
    files: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Every field by its name; None for what was not found."""
        return {
            "torch": self.torch,
            "followed": {name.replace(" ", "_"): place or None for name, place in self.seen.items()},
            "files": list(self.files),
            "not_read": list(self.unread),
            "notes": list(self.notes),
        }

    def sentences(self, name: str) -> list[str]:
        """What a reader should know if there are no findings."""
        if not self.torch:
            which = f" (this is {self.framework})" if self.framework else ""
            return [
                f"No PyTorch found{which}; in {name}, the doctor only checked whether preprocessing is fitted before "
                "the "
                "rows are split.", *self.unread, *self.notes,
            ]  # fmt: skip
        seen = [f"the {part} ({place})" for part, place in self.seen.items() if place]
        missing = [part for part, place in self.seen.items() if not place]
        found = []
        if seen:
            found.append(f"Checked: {_listed(seen, 'and')}.")
        if missing:
            none = "" if seen else "No part of a training was found. "
            found.append(f"{none}Not found, so not checked: {_listed([_an(m) for m in missing], 'or')}.")
        if self.files:
            found.append(f"Also read: {_listed(list(self.files), 'and')}.")
        return [*found, *self.unread, *self.notes]


def _listed(words: list[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _an(part: str) -> str:
    extra = " on held-out rows" if part == "evaluation" else " of PyTorch" if part == "loss" else ""
    return f"{'an' if part[0] in 'aeiou' else 'a'} {part}{extra}"


def uses_torch(script: Script) -> bool:
    """Whether PyTorch or a library built on it is imported, here or in a file that is read as well."""
    if any(origin.partition(".")[0] in _TORCH for origin in script.imports):
        return True
    return not script.imports and bool(script.of(Backward)) and bool(script.of(Step))  # a snippet, as in a question


def followed(script: Script) -> Followed:
    """Return what was found in a script and what was not."""
    lines = _lines(script)
    return Followed(
        torch=uses_torch(script),
        framework=_framework(script),
        seen={part: script.place_of(lines[part]) if lines.get(part) else "" for part in _PARTS},
        unread=tuple(_unread(script)),
        notes=tuple(_notes(script)),
        files=tuple(script.files),
    )


def _framework(script: Script) -> str:
    tops = {origin.partition(".")[0] for origin in script.imports}
    return next((said for name, said in _OTHERS.items() if name in tops), "")


def _lines(script: Script) -> dict[str, int]:
    backward, losses, forwards = script.of(Backward), script.of(LossCall), script.of(Forward)
    training = next((e for e in (*backward, *script.of(Step)) if e.where.loops), None)
    optimizer = next((o for o in script.objects if is_optimizer(o)), None)
    step = next(iter(script.of(Step)), None)
    held_out = [e for e in forwards if _held_out(e)] or _only_answers(script)
    modules = [o for o in script.objects if is_module(o) and not _LOSS.search(o.kind.rpartition(".")[2])]
    modules = [o for o in script.objects if is_module(o) and holds_weights(o)] or modules
    owner = next((o for o in modules if o.cls is not None), next(iter(modules), None))
    hooks = _hooks(script)
    return {
        "model": (_class_line(owner) if owner is not None else 0) or (forwards[0].where.line if forwards else 0),
        "training loop": training.where.loops[-1].line if training is not None else hooks.get("training_step", 0),
        "loss": losses[0].where.line if losses else 0,
        "optimizer": optimizer.line if optimizer is not None else step.where.line if step is not None else 0,
        "evaluation": held_out[0].where.line if held_out else hooks.get("validation_step", hooks.get("test_step", 0)),
    }


def _hooks(script: Script) -> dict[str, int]:
    """The lines of the functions that Lightning calls in its own loops."""
    made = next((o for o in script.objects if is_lightning(o)), None)
    body = made.cls.node.body if made is not None and made.cls is not None else []
    return {node.name: node.lineno for node in body if isinstance(node, ast.FunctionDef)}


def _held_out(e: Forward) -> bool:
    roles = taints(*e.inputs) & {"train", "val", "test"}
    return bool(roles) and "train" not in roles


def _only_answers(script: Script) -> list[Forward]:
    """Outputs without gradients after training began, in evaluation mode or in loops of their own."""
    backward = script.of(Backward)
    steps = {loop for e in (*backward, *script.of(Step)) for loop in e.where.loops}
    used = frozenset().union(*(taints(b.of) for b in backward))
    start = min((b.where.order for b in backward), default=None)
    return [
        e
        for e in script.of(Forward)
        if e.grad is False and start is not None and e.where.order > start and is_module(e.module)
        and f"forward {e.number}" not in used and (e.mode == "eval" or not set(e.where.loops[-1:]) <= steps)
    ]  # fmt: skip


def _class_line(owner: Object) -> int:
    return owner.cls.node.lineno if isinstance(owner.cls, Class) and any(bases(owner.cls)) else owner.line


def _unread(script: Script) -> list[str]:
    made = {o.kind for o in script.objects if is_module(o)}
    found = []
    for origin, taken in script.unread.items():
        used = [o.kind.removeprefix(origin + ".") for o in script.objects if o.kind.startswith(origin + ".")]
        names = taken or list(dict.fromkeys(name for name in used if name.isidentifier()))
        file = origin.lstrip(".").replace(".", "/") or "__init__"
        told = [f"the model {n}" if f"{origin}.{n}" in made else n for n in names[:6]]
        if len(names) > 6:
            told.append(f"{len(names) - 6} more names")
        what = _listed(told, "and") if told else "Its content"
        it = "it was" if len(told) < 2 else "they were"
        verb = "comes" if len(told) < 2 else "come"
        start = f"{what[0].upper() if what.startswith('the ') else what[0]}{what[1:]}"
        found.append(f"{start} {verb} from {file}.py, which was not found, so {it} not checked." if told else
                     f"{file}.py was not found, so its content was not checked.")  # fmt: skip
    return found


def _notes(script: Script) -> list[str]:
    said = list(dict.fromkeys(script.notes))
    if script.skipped:
        more = f" and {len(script.skipped) - 3} more" if len(script.skipped) > 3 else ""
        said.append(
            f"{', '.join(script.skipped[:3])}{more} {'was' if len(script.skipped) == 1 else 'were'} not read: at "
            "most 40 "
            "files of up to 400 kB are read from the script's own folder."
        )
    for lost in script.unfollowed[:5]:
        place = script.place_of(lost.line)
        said.append(f"{place[0].upper()}{place[1:]} could not be followed ({lost.why}); the rest was checked.")
    if len(script.unfollowed) > 5:
        said.append(f"{len(script.unfollowed) - 5} more statements could not be followed.")
    if not script.complete:
        said.append("The script is too long to be followed to its end: the last part was not checked.")
    return said
