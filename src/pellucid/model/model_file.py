"""The model file: one safetensors file that holds all that a prediction needs, and nothing that can run.

The arrays stand under the names of the torch module's ``state_dict``. The metadata's ``"pellucid"`` is one
JSON document: the format's version, the network, the task, the preprocessing, the metrics, the settings,
the schema and the versions of the libraries. `safe_tensors` adds the checksum over all of it.

Format 1 holds one network. Format 2, written only for what format 1 cannot hold, has the fields ``n_networks`` and
``residuals``, and its arrays are named as a ``torch.nn.ModuleList`` of the networks names them: ``"0.0.weight"`` is
the first network's, ``"1.0.weight"`` the second's.

The rules for what a model file may hold are those of `ModelContents`, which checks itself: what breaks a rule
can neither be written nor read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import ModelFileError, SettingError
from pellucid.io import safe_tensors
from pellucid.io.guarded_json import parse
from pellucid.network import KINDS, MAX_LAYERS, Network
from pellucid.network.continuing import why_not_continuing
from pellucid.network.task import Task
from pellucid.version import __version__

__all__ = [
    "FORMAT_VERSION",
    "MAX_NETWORKS",
    "MOST_COUNTED",
    "MOST_RESIDUALS",
    "ModelContents",
    "read_model",
    "write_model",
]

Array = NDArray[Any]

FORMAT_VERSION = 2  # the newest that is read
MAX_NETWORKS = 10_000
MOST_RESIDUALS = 200  # quantiles kept
MOST_COUNTED = 10_000  # rows held out that they may claim to stand for
MAX_DEPTH = 64
MAX_VALUES = 2_000_000
MAX_TEXT = 10_000  # characters in a class label, a column's name, a library's version
_REMEDY = "the file is damaged or was not written by Pellucid: take another copy, or train again"
_VERSION = re.compile(r"\d{1,6}(\.\d{1,6}){1,3}[\w.+-]{0,40}", re.ASCII)
_FIELDS = ("network", "task", "recipe", "target_scaler", "metrics", "libraries", "settings", "schema")
_MORE_FIELDS = ("n_networks", "residuals")  # of format 2
_LARGEST = float(np.finfo(np.float64).max)
_MOST_AXES = 2  # of a window
_RESIDUALS = {"count", "unit", "quantiles"}


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelContents:
    """What a model file holds.

    Parameters
    ----------
    network, task
        The description, and what its answers mean; the task's width is the network's.
    recipe, target_scaler
        The preprocessing of the inputs and of a regression target, as JSON; `preprocessing` checks its
        fields.
    metrics, settings, schema
        What the run measured, was told, and took the columns for, as JSON. A run's schema has a field ``seen``, the
        summary of its training rows by which new ones are judged (`pellucid.model.seen`): no row's own cells but the
        least and the largest number of a column.
    libraries
        Version by name of what trained the model.
    parameters
        The arrays of ``network.parameters()``, all float32 or all float64 and finite; BatchNorm's count of
        batches is int64, of no dimension. Of an ensemble, the first network's.
    more
        Those of the other networks of an ensemble, in order.
    residuals
        How far rows held out lay from their prediction, for intervals: ``count`` of rows (10,000 for any more),
        ``unit`` (the mean absolute error), and the ``quantiles`` of the scaled absolute residuals, ascending, at most
        200 of them. A summary: no row's own values.

    Raises
    ------
    ModelFileError
        A field has the wrong type, or the arrays are not those that the network needs.
    """

    network: Network
    task: Task
    recipe: dict[str, Any]
    target_scaler: dict[str, Any] | None
    metrics: dict[str, Any]
    libraries: dict[str, str]
    settings: dict[str, Any]
    schema: dict[str, Any] | list[Any]
    parameters: dict[str, Array]
    more: tuple[dict[str, Array], ...] = ()
    residuals: dict[str, Any] | None = None

    @property
    def members(self) -> tuple[dict[str, Array], ...]:
        """The arrays of every network."""
        return (self.parameters, *self.more)

    @property
    def format_version(self) -> int:
        """The oldest format that holds this."""
        return 1 if not self.more and self.residuals is None else 2

    def __post_init__(self) -> None:
        """Check every field."""
        for field in ("recipe", "metrics", "settings", "libraries"):
            _expect(isinstance(getattr(self, field), dict), field, "be an object", getattr(self, field))
        _expect(isinstance(self.schema, dict | list), "schema", "be an object or a list", self.schema)
        _expect(
            self.target_scaler is None or isinstance(self.target_scaler, dict),
            "target_scaler",
            "be an object or null",
            self.target_scaler,
        )
        for name, version in self.libraries.items():
            _expect(_is_short_text(name) and _is_short_text(version), "libraries", "be short texts", version)
        if self.network.outputs != self.task.outputs:
            raise ModelFileError(
                f"the network gives {self.network.outputs:,} outputs, the {self.task.kind} task needs "
                f"{self.task.outputs:,}: {_REMEDY}"
            )
        if self.network.answers_steps != (self.task.kind == "continuation"):
            raise _bad(f"a {self.task.kind} task and a network of {self.network.outline()} do not belong together")
        if self.task.kind == "continuation" and (reason := why_not_continuing(self.network)) is not None:
            raise _bad(f"the network cannot continue texts: {reason}")
        if len(self.members) > MAX_NETWORKS:
            raise _bad(f"a model holds up to {MAX_NETWORKS:,} networks, got {len(self.members):,}")
        for k, parameters in enumerate(self.members):
            _check_parameters(self.network, parameters, f"network {k + 1:,} of the model" if self.more else "the model")
        if len({_precision(parameters) for parameters in self.members}) > 1:
            raise _bad("the networks mix float32 and float64")
        _check_residuals(self.residuals)


def write_model(path: str | os.PathLike[str], contents: ModelContents) -> None:
    """Write a model file, whole or not at all.

    Raises
    ------
    ModelFileError
        A field holds what JSON does not (a NaN, an array), or more than `read_model` would take.
    StorageError
        The disk is full, a permission is missing …; what stood at ``path`` is intact.
    """
    where = repr(os.fspath(path))
    document = {
        "format_version": contents.format_version,
        "pellucid_version": __version__,
        "network": contents.network.to_json(),
        "task": contents.task.to_json(),
        **{field: getattr(contents, field) for field in _FIELDS[2:]},
    }
    arrays: dict[str, Array] = contents.parameters
    if contents.format_version > 1:
        document |= {"n_networks": len(contents.members), "residuals": contents.residuals}
        arrays = {f"{k}.{name}": array for k, each in enumerate(contents.members) for name, array in each.items()}
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        encoded = text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(f"cannot write {where}: a field is not plain JSON ({error})") from error
    # Reading it back now finds what would be refused later: too deep, too long, two names that become one.
    again = _contents(_parse(encoded, "the new model"), arrays, "the new model")
    if (again.network, again.task) != (contents.network, contents.task):
        raise ModelFileError(f"cannot write {where}: JSON cannot hold its network or task exactly")
    names = _names(contents.network, len(contents.members) if contents.format_version > 1 else None)
    ordered = {name: np.asarray(arrays[name]) for name in names}
    safe_tensors.write(path, ordered, {"format": "pellucid", "pellucid": text})


def read_model(path: str | os.PathLike[str]) -> ModelContents:
    """Read a model file, trusting nothing in it and running nothing from it.

    Raises
    ------
    ModelFileError
        The file is missing, damaged, hostile, of a newer format, or something else; the message says what is
        wrong and what to do.
    StorageError
        The operating system could not read it (no permission, EIO).
    """
    where = repr(os.fspath(path))
    documents: list[dict[str, Any]] = []

    def first(metadata: dict[str, str]) -> None:
        # Before the arrays: a newer format may hold types that this version has never heard of.
        documents.append(_document(metadata, where))

    parameters, _ = safe_tensors.read(path, first=first)
    return _contents(documents[0], parameters, where)


def _document(metadata: Mapping[str, str], where: str) -> dict[str, Any]:
    if "pellucid" not in metadata:
        raise ModelFileError(
            f"{where} is a safetensors file without Pellucid's description: give a model.safetensors of a run"
        )
    try:
        encoded = metadata["pellucid"].encode("utf-8")
    except UnicodeEncodeError as error:  # pragma: no cover - `parse` refuses lone surrogates before this
        raise _bad(f"the description in {where} holds half a character") from error
    return _parse(encoded, where)


def _parse(encoded: bytes, where: str) -> dict[str, Any]:
    what = f"the description in {where}"
    document = parse(encoded, what=what, max_depth=MAX_DEPTH, max_values=MAX_VALUES, remedy=_REMEDY)
    if not isinstance(document, dict):
        raise _bad(f"{what} must be an object, got {type(document).__name__}")
    version, writer = document.get("format_version"), document.get("pellucid_version")
    if type(version) is not int or version < 1:
        raise _bad(f"{what} has no format version")
    if not isinstance(writer, str) or not _VERSION.fullmatch(writer):
        raise _bad(f"{what} does not say which Pellucid wrote it")
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"{where} has the model format {version:,}; this Pellucid ({__version__}) reads up to "
            f"{FORMAT_VERSION}: install Pellucid {writer}, which wrote it, or later"
        )
    return document


def _contents(document: dict[str, Any], parameters: dict[str, Array], where: str) -> ModelContents:
    wanted = {"format_version", "pellucid_version", *_FIELDS}
    if document["format_version"] > 1:
        wanted |= set(_MORE_FIELDS)
    if set(document) != wanted:
        missing, extra = sorted(wanted - set(document)), sorted(set(document) - wanted)
        fault = f"lacks {missing}" if missing else f"has the unknown fields {str(extra)[:200]}"
        raise _bad(f"the description in {where} {fault}")
    try:
        _check_scalars(document)
        network, task = Network.from_json(document["network"]), Task.from_json(document["task"])
        rest = {field: document[field] for field in _FIELDS[2:]}
        if document["format_version"] > 1:
            members = _taken_apart(network, parameters, document["n_networks"])
            rest |= {"residuals": document["residuals"], "more": members[1:]}
            return ModelContents(network=network, task=task, parameters=members[0], **rest)
        # In the network's order; what the network does not have stays, to be refused.
        ordered = {p.name: parameters[p.name] for p in network.parameters() if p.name in parameters}
        return ModelContents(network=network, task=task, parameters=ordered | parameters, **rest)
    except SettingError as error:
        raise _bad(f"{where}: {str(error)[:500]}. In a model file that means") from error
    except ModelFileError as error:
        raise ModelFileError(f"{where}: {error}") from error


def _names(network: Network, n_networks: int | None) -> list[str]:
    """The arrays' names in order; ``None`` for one network without a number in front."""
    names = [p.name for p in network.parameters()]
    return names if n_networks is None else [f"{k}.{name}" for k in range(n_networks) for name in names]


def _taken_apart(network: Network, arrays: dict[str, Array], n_networks: object) -> tuple[dict[str, Array], ...]:
    """The arrays of each network by its own names."""
    if type(n_networks) is not int or not 1 <= n_networks <= MAX_NETWORKS:
        seen = n_networks if isinstance(n_networks, int | float) else type(n_networks).__name__
        raise _bad(f"n_networks must be a whole number from 1 to {MAX_NETWORKS:,}, got {str(seen)[:40]}")
    own = _names(network, None)
    if n_networks * len(own) != len(arrays):  # before names are made: a file may claim any number
        raise _bad(
            f"{n_networks:,} networks of {len(own):,} arrays are described, but there are {len(arrays):,} arrays"
        )
    missing = [name for name in _names(network, n_networks) if name not in arrays]
    if missing:
        raise _bad(f"the model lacks {missing[:5]}")
    return tuple({name: arrays[f"{k}.{name}"] for name in own} for k in range(n_networks))


def _check_residuals(residuals: object) -> None:
    if residuals is None:
        return
    if not isinstance(residuals, dict) or set(residuals) != _RESIDUALS:
        raise _bad(f"residuals must be null or an object of {sorted(_RESIDUALS)}")
    count, unit, quantiles = residuals["count"], residuals["unit"], residuals["quantiles"]
    fine = type(count) is int and 1 <= count <= MOST_COUNTED
    fine = fine and _is_size(unit) and unit > 0
    fine = fine and isinstance(quantiles, list) and len(quantiles) == min(count, MOST_RESIDUALS)
    fine = fine and all(_is_size(each) for each in quantiles) and quantiles == sorted(quantiles)
    if not fine:
        raise _bad(
            f"residuals must hold a count from 1 to {MOST_COUNTED:,}, a unit above 0, and as many ascending quantiles "
            f"of at least 0 as the count says, {MOST_RESIDUALS} at most"
        )


def _is_size(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LARGEST


def _precision(parameters: Mapping[str, Array]) -> str:
    return next((a.dtype.name for a in parameters.values() if a.dtype.kind == "f"), "")


def _check_scalars(document: dict[str, Any]) -> None:
    """Check what the two `from_json` take for granted: plain values of a readable length at the leaves."""
    network, task = document["network"], document["task"]
    if isinstance(network, dict):
        _check_layers(network.get("layers"))
        extents = network.get("shape")
        for value in extents if isinstance(extents, list) else ():
            _expect(_is_scalar(value), "the network's shape", "hold plain values", value)
        _expect(_is_scalar(network.get("dtype")), "the network's dtype", "be a plain value", network.get("dtype"))
    if isinstance(task, dict):
        loss, classes = task.get("loss"), task.get("classes")
        leaves = [(name, task.get(name)) for name in ("kind", "target", "width")]
        leaves += list(loss.items()) if isinstance(loss, dict) else []
        leaves += [("classes", label) for label in classes] if isinstance(classes, list) else []
        for name, value in leaves:
            if name != "class_weights":
                _expect(_is_scalar(value), f"{name[:60]!r} of the task", "be a plain value", value)


def _check_layers(layers: object, place: str = "") -> None:
    """The same for the layers and those inside composites; `parse` has bounded how deep they lie."""
    for index, layer in enumerate(layers[:MAX_LAYERS] if isinstance(layers, list) else ()):
        if isinstance(layer, dict):
            kind = KINDS.get(str(layer.get("kind"))[:MAX_TEXT])
            for name, value in layer.items():
                if kind is not None and name in kind.holds and isinstance(value, list):
                    _check_layers(value, f"{place}{index}.")
                else:
                    # A list has a number for each axis, such as the height and width of a kernel.
                    several = isinstance(value, list) and len(value) <= _MOST_AXES
                    plain = all(type(each) is int for each in value) if several else _is_scalar(value)
                    _expect(plain, f"{name[:60]!r} of layer {place}{index}", "be a plain value", value)


def _check_parameters(network: Network, parameters: object, what: str) -> None:
    if not isinstance(parameters, dict):
        raise ModelFileError(f"parameters must be arrays by name, got {type(parameters).__name__}")
    needed = {p.name: p for p in network.parameters()}
    if set(needed) != set(parameters):
        missing, extra = sorted(needed.keys() - parameters.keys()), sorted(parameters.keys() - needed.keys())
        fault = f"lacks {missing[:5]}" if missing else f"holds {str(extra[:5])[:200]}, not the network's"
        raise _bad(f"{what} {fault}")
    of = "" if what == "the model" else f" of {what.removesuffix(' of the model')}"
    floats: set[str] = set()
    for name, parameter in needed.items():
        array = parameters[name]
        dtypes = ("int64",) if parameter.dtype == "int64" else ("float32", "float64")
        if not isinstance(array, np.ndarray) or array.dtype.name not in dtypes:
            seen = getattr(array, "dtype", type(array).__name__)
            raise _bad(f"{name!r}{of} must hold {' or '.join(dtypes)}, got {seen}")
        if array.shape != parameter.shape:
            raise _bad(f"{name!r}{of} has the shape {array.shape}, the network needs {parameter.shape}")
        if parameter.dtype == "float":
            floats.add(array.dtype.name)
        if not np.isfinite(array).all():
            raise _bad(f"{name!r}{of} holds a NaN or an infinity")
        if name.endswith((".running_var", ".num_batches_tracked")) and (array < 0).any():
            raise _bad(f"{name!r}{of} holds a negative number")
    if len(floats) > 1:
        raise _bad("the arrays mix float32 and float64")


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float) or _is_short_text(value)


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _bad(fault: str) -> ModelFileError:
    return ModelFileError(f"{fault}: {_REMEDY}")


def _expect(holds: bool, field: str, rule: str, seen: object) -> None:
    if not holds:
        got = f"{len(seen):,} characters" if isinstance(seen, str) else type(seen).__name__
        raise _bad(f"{field} must {rule}, got {got}")
