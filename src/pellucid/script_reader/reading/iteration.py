"""What a loop over a value yields: the batches of a loader, the members of a list, the rows of an array."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.values import images
from pellucid.script_reader.values.classes import method_of
from pellucid.script_reader.values.data_roles import roles_of
from pellucid.script_reader.values.merging import merge
from pellucid.script_reader.values.torch_objects import LOADER
from pellucid.script_reader.values.value import (
    ROLES,
    Array,
    Const,
    Dictionary,
    Function,
    Items,
    Number,
    Object,
    Unknown,
    Value,
    taints,
    with_roles,
    with_taint,
)

__all__ = ["Elements", "batch", "elements", "member_of"]

_THROUGH = {
    "tqdm.tqdm", "tqdm.auto.tqdm", "tqdm.notebook.tqdm", "builtins.iter", "builtins.list", "builtins.reversed",
    "builtins.sorted", "builtins.tuple", "itertools.cycle", "itertools.islice", "tqdm.tqdm_notebook",
    "tqdm.notebook.tqdm_notebook", "rich.progress.track", "progressbar.progressbar", "tqdm.rich.tqdm",
}  # fmt: skip


@dataclass(frozen=True)
class Elements:
    """One member that represents all, all of them if they are known, the roles of the rows, the loader."""

    one: Value
    every: list[Value] | None = None
    roles: frozenset[str] = frozenset()
    loader: Object | None = None


def elements(reader: Reader, value: Value) -> Elements:
    """What iterating over ``value`` yields."""
    if isinstance(value, Items):
        one: Value = Unknown(taint=taints(value))
        if value.items:
            one = value.items[0]
            for other in value.items[1:8]:
                one = merge(one, other)
        every = None if value.depth > len(reader.loops) else list(value.items)
        return Elements(one, every)
    if isinstance(value, Dictionary):
        keys: list[Value] = [Const(value=k) for k in value.entries]
        return Elements(keys[0] if keys else Unknown(), keys)
    if isinstance(value, Array):
        ndim = value.ndim - 1 if value.ndim else None
        one = value.then(ndim=ndim, length=None, last=value.last if ndim else None)
        return Elements(one, roles=value.taint & ROLES)
    if isinstance(value, Object):
        return _of_object(reader, value)
    return Elements(Unknown(taint=value.taint), roles=value.taint & ROLES)


def _of_object(reader: Reader, value: Object) -> Elements:  # noqa: PLR0911
    if value.kind == LOADER:
        roles = roles_of(value)
        rows = batch(reader, value)
        return Elements(with_roles(rows, roles) if roles else rows, roles=roles, loader=value)
    if value.kind in ("builtins.range", "torch.arange", "tqdm.trange", "tqdm.auto.trange", "tqdm.notebook.trange"):
        return Elements(Number())
    if value.kind == "parameters":
        one = Object(kind="parameter", line=value.line, args=value.args, attrs=value.attrs)
        return Elements(Items(items=[Unknown(), one]) if value.attrs.get("named") else one)
    if value.kind in ("builtins.enumerate", "builtins.zip", "builtins.items"):
        return _of_several(reader, value)
    if value.kind in _THROUGH:
        inner = value.args[0] if value.args else value.kwargs.get("iterable") or value.kwargs.get("sequence")
        if inner is not None:
            return elements(reader, inner)
    if value.kind in ("torch.nn.ModuleList", "torch.nn.Sequential"):
        inside = value.args[0] if len(value.args) == 1 and isinstance(value.args[0], Items) else None
        found = inside.items if isinstance(inside, Items) else list(value.args)
        return elements(reader, Items(items=list(found)))
    if "dataset" in value.attrs and value.cls is None:
        return Elements(with_taint(member_of(reader, value), roles_of(value)), roles=roles_of(value))
    return Elements(Unknown(taint=value.taint), roles=value.taint & ROLES)


def _of_several(reader: Reader, value: Object) -> Elements:
    inner = [elements(reader, a) for a in value.args[: 1 if value.kind == "builtins.enumerate" else None]]
    roles: frozenset[str] = frozenset().union(*(e.roles for e in inner))
    loader = next((e.loader for e in inner if e.loader is not None), None)
    first: list[Value] = [Number()] if value.kind == "builtins.enumerate" else []
    one = Items(items=[*first, *(e.one for e in inner)])
    lists = [e.every for e in inner]
    every: list[Value] | None = None
    if lists and all(found is not None for found in lists):
        rows = zip(*(found for found in lists if found is not None), strict=False)
        counted = bool(first) and len(value.args) == 1 and "start" not in value.kwargs
        every = [Items(items=[*([Const(value=i)] if counted else first), *row]) for i, row in enumerate(rows)]
    return Elements(one, every, roles, loader)


def batch(reader: Reader, loader: Object) -> Value:
    """What a loop over a `DataLoader` yields, if its data set can be read."""
    dataset = loader.args[0] if loader.args else loader.kwargs.get("dataset")
    if "collate_fn" in loader.kwargs or (len(loader.args) > 6):
        return Unknown()
    sizes = loader.kwargs.get("batch_size") or (loader.args[1] if len(loader.args) > 1 else None)
    if isinstance(sizes, Const) and sizes.value is None:
        return Unknown()
    return _collated(member_of(reader, dataset))


def member_of(reader: Reader, dataset: Value | None) -> Value:  # noqa: PLR0911
    """One example of a data set."""
    if isinstance(dataset, Items) and dataset.items:
        return elements(reader, dataset).one
    if isinstance(dataset, Array):
        return elements(reader, dataset).one
    if not isinstance(dataset, Object):
        return Unknown(taint=taints(dataset))
    if dataset.kind == "torch.utils.data.TensorDataset":
        return Items(items=[elements(reader, a).one for a in dataset.args])
    if dataset.kind in ("torch.utils.data.Subset", "torch.utils.data.ConcatDataset") and dataset.args:
        inner = dataset.args[0]
        inner = inner.items[0] if isinstance(inner, Items) and inner.items else inner
        return member_of(reader, inner)
    if dataset.kind in ("builtins.list", "builtins.zip") and dataset.args:
        return elements(reader, dataset).one
    if dataset.kind.startswith("torchvision.datasets."):
        picture = Array(device="cpu", ndim=3, image=images.of_dataset(dataset))
        return Items(items=[picture, Const(value=0)]) if _labelled(dataset) else Unknown()
    if dataset.cls is not None:
        return _user_member(reader, dataset)
    return Unknown(taint=dataset.taint)


def _labelled(dataset: Object) -> bool:
    name = dataset.kind.rpartition(".")[2]
    plain = {"MNIST", "FashionMNIST", "KMNIST", "EMNIST", "CIFAR10", "CIFAR100", "SVHN", "STL10", "ImageFolder", "USPS"}
    transformed = "transform" in dataset.kwargs or any(
        isinstance(a, Object) and a.kind.startswith("torchvision.transforms") for a in dataset.args
    )
    return name in plain and transformed and "target_transform" not in dataset.kwargs


def _user_member(reader: Reader, dataset: Object) -> Value:

    found = method_of(dataset, "__getitem__")
    if not isinstance(found, Function):
        return Unknown()
    loops, passes, guards = reader.loops, reader.passes, reader.guards
    reader.loops, reader.passes, reader.guards = [], [], [1]  # not part of the loop that asks
    try:
        return reader.call_function(found, [Number()], {}, found.node.lineno)
    finally:
        reader.loops, reader.passes, reader.guards = loops, passes, guards


def _collated(example: Value) -> Value:
    """A batch of such examples."""
    if isinstance(example, Items):
        return Items(items=[_collated(v) for v in example.items])
    if isinstance(example, Dictionary):
        return Dictionary(entries={k: _collated(v) for k, v in example.entries.items()})
    if isinstance(example, Array):
        ndim = None if example.ndim is None else example.ndim + 1
        last = example.last if example.ndim else None
        graph = example.graph or False  # the output of a data set has no history
        return example.then(ndim=ndim, last=last, length=None, image=example.image, graph=graph)
    if isinstance(example, Number) or (isinstance(example, Const) and isinstance(example.value, (int, float))):
        whole = isinstance(example, Const) and isinstance(example.value, int)
        return Array(ndim=1, device="cpu", dtype="int64" if whole else None, taint=example.taint, graph=False)
    return Unknown(taint=example.taint)
