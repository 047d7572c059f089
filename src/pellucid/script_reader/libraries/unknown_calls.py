"""Calls of functions that are not read: what may have happened to their arguments."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.record.events import PassedToUnknown
from pellucid.script_reader.values.data_roles import roles_of
from pellucid.script_reader.values.torch_objects import is_module, modules_in
from pellucid.script_reader.values.value import (
    Arguments,
    Array,
    Const,
    Dictionary,
    Items,
    Number,
    Object,
    Value,
    taints,
)

__all__ = ["harmless", "pass_to_unknown", "passed_on", "rows_again", "scored"]


# These packages neither train their arguments nor change their device or mode.
_HARMLESS = {
    "torch", "torchvision", "torchaudio", "torchtext", "numpy", "builtins", "math", "random", "time", "os", "sys",
    "tqdm", "sklearn", "pandas", "matplotlib", "wandb", "logging", "collections", "itertools", "functools", "copy",
    "datetime", "pathlib", "argparse", "PIL", "scipy", "seaborn", "torchmetrics", "tensorboardX", "re", "yaml",
    "json", "pickle", "warnings", "typing", "shutil", "torchsummary", "torchinfo", "joblib",
    "csv", "io", "gc", "string", "dataclasses",
    "statistics", "operator", "rich", "plotly", "imageio", "cv2", "h5py", "einops", "mlflow", "psutil", "pprint",
}  # fmt: skip


_CHOOSES = re.compile(r"(?i)split|train|test|val|sample|subset|select|filter|score|eval|loss|metric|acc|stat|mean|load")


def harmless(path: str) -> bool:
    """Whether a library only reads its arguments."""
    return path.partition(".")[0] in _HARMLESS


def pass_to_unknown(reader: Reader, given: Arguments) -> None:
    """An unknown function may do anything with a model, an optimizer or a loss."""
    values = tuple(v for v in _flat(given.every()) if not isinstance(v, (Const, Number)))
    if not values:
        return
    reader.note(PassedToUnknown, given.line, values=values)
    for value in values:
        if isinstance(value, Object) and (is_module(value) or value.cls is not None):
            for part in [value, *(v for v in value.attrs.values() if isinstance(v, Object))]:
                reader.state.modes[part] = (None, given.line)
                reader.state.devices[part] = (None, given.line)


def _flat(values: Iterable[Value]) -> Iterable[Value]:
    for value in values:
        if isinstance(value, Items):
            yield from value.items
        elif isinstance(value, Dictionary):
            yield from value.entries.values()
        else:
            yield value


def rows_again(given: Arguments, name: str) -> Array | None:
    """The table after a function that is not read: most likely the same rows, changed."""
    tables = [a for a in given.every() if isinstance(a, Array) and a.source]
    if not tables or name[:1].isupper() or _CHOOSES.search(name) or any(is_module(a) for a in given.every()):
        return None
    x = tables[0]
    return Array(
        source=x.source, part=x.part, fitted=x.fitted, taint=taints(*given.every()), unread=True,
        order=x.order if x.order == "random" else None,
    )  # fmt: skip


def passed_on(reader: Reader, given: Arguments) -> Value:
    """The arguments again; the device of their modules is now unknown."""
    for value in given.args:
        if is_module(value):
            for part in modules_in(value):
                reader.state.devices[part] = (None, given.line)
    return given.args[0] if len(given.args) == 1 else Items(items=list(given.args), depth=len(reader.loops))


def scored(given: Arguments) -> frozenset[str]:
    """``scored test`` if a function that is not read gets a model and test rows: its result is a score."""
    if not any(is_module(a) for a in given.every()):
        return frozenset()
    roles = frozenset[str]().union(*(roles_of(a) for a in given.every() if not is_module(a)))
    return roles | {f"scored {role}" for role in roles}
