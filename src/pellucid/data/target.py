"""The target column: the task it implies, its classes, and its values as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.columns.amounts import are_amounts
from pellucid.data.origins import Origin
from pellucid.data.tables import Table
from pellucid.errors import DataError, SettingError, nearest
from pellucid.network.task import Label, TaskKind

__all__ = ["Target", "TaskChoice", "encode_target", "read_target"]

TaskChoice = Literal["auto", "binary", "multiclass", "regression"]
IntArray = NDArray[np.int64]
_Kind = Literal["binary", "multiclass", "regression"]  # what a column can ask for

_FEW = 20  # integers with at most so many different values are classes
_MANY_NUMBERS = 1_000  # more different numbers than this are not classes
_MANY_TEXTS = 10_000


@dataclass(frozen=True, kw_only=True)
class Target:
    """The target of a table.

    Parameters
    ----------
    name
        The column.
    task_kind
        ``binary``, ``multiclass`` or ``regression``.
    classes
        The labels in order; empty for regression. Text stays text, integers stay ``int``.
    values
        ``[len(keep_rows)]``: int64 class numbers, or float64.
    keep_rows
        The rows of the table that have a target, ascending; ``values[i]`` belongs to row ``keep_rows[i]``.
    notes
        Sentences for the user.
    origin
        What the column's cells were in memory, where the table no longer shows it.
    """

    name: str
    task_kind: TaskKind
    classes: tuple[Label, ...]
    values: NDArray[Any]
    keep_rows: IntArray
    notes: tuple[str, ...] = ()
    origin: Origin | None = None

    def at(self, rows: IntArray) -> NDArray[Any]:
        """The values of these rows of the table, each of which must be among `keep_rows`."""
        found = np.searchsorted(self.keep_rows, rows)
        assert np.array_equal(self.keep_rows[found], rows)
        return self.values[found]


def read_target(
    table: Table, name: str, *, task: TaskChoice = "auto", labels: bool = False, left_out: NDArray[Any] | None = None
) -> Target:
    """Read the target and choose the task.

    Text, booleans and anything with two values are classes. So are integers with at most 20 different values (and
    at least three rows per value on average) that do not look like amounts
    (`pellucid.data.columns.amounts.are_amounts`). Other numbers mean regression.

    Parameters
    ----------
    table
        The table with the target column.
    name
        The target column.
    task
        ``auto`` chooses by the rules above; ``binary``, ``multiclass`` and ``regression`` are taken as given.
    labels
        Whether the column says what an image shows; integers are then classes, up to a thousand of them.
    left_out
        ``[rows]`` booleans: rows to ignore.

    Raises
    ------
    DataError
        There is no such column (the closest name is given); all cells are missing; there is only one class or value;
        text, dates or infinities where numbers are needed; too many classes.
    SettingError
        The task is unknown.

    >>> from pellucid.data.tables import read_table
    >>> target = read_target(read_table({"ill": ["no", "yes", None, "no"]}), "ill")
    >>> target.task_kind, target.classes, target.values.tolist(), target.keep_rows.tolist()
    ('binary', ('no', 'yes'), [0, 1, 0], [0, 1, 3])
    """
    if task not in get_args(TaskChoice):
        raise SettingError(f"task {task!r} is not known{nearest(str(task), get_args(TaskChoice))}")
    column, keep_rows, notes = _present(table, name, left_out)
    kind, origin = column.type, table.report.origins.get(name)
    if pa.types.is_timestamp(kind):
        raise DataError(f"target {name!r} holds dates, which cannot be predicted; choose another --target")
    values = column.take(pa.array(keep_rows))
    distinct = pc.unique(values)
    if len(distinct) < 2:
        what = "class" if not pa.types.is_floating(kind) or task != "regression" else "value"
        shown = repr(_label(distinct[0]))
        raise DataError(
            f"target {name!r} has only one {what}: {shown} in all {len(values):,} rows that have one; "
            "there is nothing to predict"
        )
    if task == "auto":
        task, why = _guess(name, values, distinct, labels=labels)
        notes = (*notes, f"target {name!r}: {why}")
    if task == "regression":
        return Target(
            name=name,
            task_kind="regression",
            classes=(),
            values=_numbers(values, name, keep_rows),
            keep_rows=keep_rows,
            notes=notes,
        )
    _check_classes(name, task, kind, distinct, len(values))
    classes, codes = _classes(values, distinct, origin)
    counts = np.bincount(codes, minlength=len(classes))
    rare = [repr(c) for c, n in zip(classes, counts, strict=True) if n == 1]
    if rare:
        shown = ", ".join(rare[:5]) + (f" and {len(rare) - 5} more" if len(rare) > 5 else "")
        notes = (*notes, f"target {name!r}: {shown} in a single row each; such a class cannot be scored")
    notes = (*notes, *_nearly_alike(name, classes, counts))
    return Target(
        name=name, task_kind=task, classes=classes, values=codes, keep_rows=keep_rows, notes=notes, origin=origin
    )


def _nearly_alike(name: str, classes: Sequence[Label], counts: IntArray) -> list[str]:
    """A note on labels that differ only in case and spaces: usually one label typed in two ways."""
    alike: dict[str, list[int]] = {}
    for i, label in enumerate(classes):
        if isinstance(label, str):
            alike.setdefault("".join(label.split()).casefold(), []).append(i)
    groups = [group for group in alike.values() if len(group) > 1]
    if not groups:
        return []
    shown = "; ".join(" and ".join(f"{classes[i]!r} ({counts[i]:,} rows)" for i in group) for group in groups[:5])
    more = f"; and {len(groups) - 5:,} more" if len(groups) > 5 else ""
    return [
        f"target {name!r} has labels that differ only in case or spaces: {shown}{more}; they count as different "
        "classes; write them the same way if they mean the same"
    ]


def encode_target(
    table: Table, name: str, kind: TaskKind, classes: Sequence[Label], *, left_out: NDArray[Any] | None = None
) -> tuple[NDArray[Any], IntArray, tuple[str, ...]]:
    """Read the target of another table (a test file) with the classes of a trained network.

    Labels that differ from a known class only by spaces around them or a final full stop are matched, with a note;
    so are ``1``, ``1.0`` and ``"1"``.

    Parameters
    ----------
    table
        The table with the target column.
    name
        The target column.
    kind
        ``binary``, ``multiclass`` or ``regression``.
    classes
        The known labels, in order; empty for regression.
    left_out
        ``[rows]`` booleans: rows to ignore.

    Returns
    -------
    values, keep_rows, notes
        As in `Target`.

    Raises
    ------
    DataError
        A label is not a known class; text where numbers are needed; there is no target.
    """
    column, keep_rows, notes = _present(table, name, left_out)
    values = column.take(pa.array(keep_rows))
    if kind == "regression":
        return _numbers(values, name, keep_rows), keep_rows, notes
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    exact: dict[str, int] = {}
    for i, label in enumerate(classes):
        for spelling in _spellings(label):
            exact.setdefault(spelling, i)
    loose: dict[str, int | None] = {}
    for i, label in enumerate(classes):
        bare = _bare(_spellings(label)[0])
        loose[bare] = i if bare not in loose or loose[bare] == i else None
    lookup = np.full(len(encoded.dictionary), -1, dtype=np.int64)
    relaxed: list[str] = []
    for i, cell in enumerate(encoded.dictionary):
        spellings = (*_spellings(_label(cell)), *_as_number(_label(cell)))
        found = next((exact[s] for s in spellings if s in exact), None)
        if found is None:
            found = loose.get(_bare(spellings[0]))
            if found is not None:
                relaxed.append(f"{spellings[0]!r} as {classes[found]!r}")
        lookup[i] = -1 if found is None else found
    codes = lookup[np.asarray(encoded.indices)]
    unknown = np.flatnonzero(codes < 0)
    if unknown.size:
        first = int(unknown[0])
        label = _label(values[first])
        n = int((np.asarray(encoded.indices) == np.asarray(encoded.indices)[first]).sum())
        shown = ", ".join(repr(c) for c in classes[:8]) + (" …" if len(classes) > 8 else "")
        raise DataError(
            f"column {name!r} holds {label!r} in {n:,} of {table.n_rows:,} rows (first: row "
            f"{int(keep_rows[first]):,}), which is not one of the known classes ({shown}); correct the labels, or "
            "train again with rows of that class"
        )
    if relaxed:
        notes = (*notes, f"target {name!r}: {', '.join(relaxed[:5])}, taken as the class without the full stop")
    return codes, keep_rows, notes


def _present(table: Table, name: str, left_out: NDArray[Any] | None) -> tuple[pa.Array, IntArray, tuple[str, ...]]:
    if name in table.report.lists:
        raise DataError(
            f"target {name!r} holds lists of {len(table.report.lists[name]):,} numbers, but only one number or class "
            f"can be predicted: choose one of its columns ({table.report.lists[name][0]!r} …), or another target"
        )
    if name not in table.names:
        raise DataError(f"there is no target column {name!r} in {table.report.source}{nearest(name, table.names)}")
    column = table.column(name)
    if name in table.report.infinite:
        n, row = table.report.infinite[name]
        raise DataError(
            f"target {name!r} is infinite in {n:,} of {table.n_rows:,} rows (first: row {row:,}); correct or remove "
            "these rows"
        )
    looked_at = np.ones(len(column), dtype=bool) if left_out is None else ~left_out
    keep = np.flatnonzero(np.asarray(column.is_valid()) & looked_at).astype(np.int64)
    if not keep.size:
        raise DataError(
            f"target {name!r} is missing in all {table.n_rows:,} rows; choose another --target, or check --missing"
        )
    lost = int(looked_at.sum()) - keep.size
    verb = "row has" if lost == 1 else "rows have"
    notes = (f"{lost:,} {verb} no value in the target {name!r} and were left out",) if lost else ()
    return column, keep, notes


def _label(cell: Any) -> Label:
    value: Label = cell.as_py()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _spellings(label: Label) -> tuple[str, ...]:
    if isinstance(label, bool):
        return ("true", "1", "True", "TRUE") if label else ("false", "0", "False", "FALSE")
    if isinstance(label, float) and label.is_integer() and abs(label) < 2**53:
        label = int(label)
    return (str(label).strip(),)


def _as_number(label: Label) -> tuple[str, ...]:
    """The plain spelling of a text that is a number: ``"1.0"`` is ``1``."""
    try:
        return _spellings(float(label)) if isinstance(label, str) else ()
    except ValueError:
        return ()


def _bare(label: str) -> str:
    return label.strip().rstrip(".").rstrip()


def _is_whole(distinct: pa.Array) -> bool:
    if not pa.types.is_floating(distinct.type):
        return bool(pa.types.is_integer(distinct.type))
    values = distinct.to_numpy(zero_copy_only=False)
    return bool(np.all((values == np.trunc(values)) & (np.abs(values) < 2**53)))


def _guess(name: str, values: pa.Array, distinct: pa.Array, *, labels: bool) -> tuple[_Kind, str]:
    d, kind, n_rows = len(distinct), values.type, len(values)
    if d == 2:
        return "binary", f"two values ({', '.join(repr(_label(v)) for v in distinct)}), so two classes"
    if pa.types.is_dictionary(kind):
        return "multiclass", f"text with {d:,} values, so {d:,} classes"
    if not labels and d <= _FEW and _is_whole(distinct):
        seen = pc.value_counts(values)
        if are_amounts(name, [int(v.as_py()) for v in seen.field(0)], seen.field(1).to_pylist()):
            said = f"whole numbers with {d:,} values and one peak, like amounts, so a number is predicted"
            return "regression", f"{said} (--task multiclass for classes)"
    if _is_whole(distinct) and ((labels and d <= _MANY_NUMBERS) or (d <= _FEW and d * 3 <= n_rows)):
        return "multiclass", f"whole numbers with {d:,} values, so {d:,} classes (--task regression for a number)"
    hint = " (--task multiclass for classes)" if _is_whole(distinct) and d <= _MANY_NUMBERS else ""
    return "regression", f"numbers with {d:,} values, so a number is predicted{hint}"


def _check_classes(name: str, task: _Kind, kind: pa.DataType, distinct: pa.Array, n_rows: int) -> None:
    d = len(distinct)
    if task == "binary" and d != 2:
        shown = ", ".join(repr(_label(v)) for v in distinct[:5])
        raise DataError(
            f"a binary task needs two classes, but target {name!r} has {d:,} ({shown} …); pass --task multiclass"
        )
    is_text = pa.types.is_dictionary(kind)
    if is_text and (d > _MANY_TEXTS or (d > 50 and d > n_rows / 2)):
        raise DataError(
            f"target {name!r} has {d:,} different texts in {n_rows:,} rows, too many to be classes; it looks like "
            "names or ids: choose another --target"
        )
    if not is_text and d > 2 and (d > _MANY_NUMBERS or (not _is_whole(distinct) and (d > 50 or d > n_rows / 2))):
        raise DataError(
            f"target {name!r} has {d:,} different numbers in {n_rows:,} rows, too many to be classes; "
            "pass --task regression"
        )


def _classes(values: pa.Array, distinct: pa.Array, origin: Origin | None) -> tuple[tuple[Label, ...], IntArray]:
    """The labels in order, and the label number of each row; categories that were numbers become numbers again."""
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    used = np.unique(np.asarray(encoded.indices))
    labels = {int(i): _label(encoded.dictionary[int(i)]) for i in used}
    order = sorted(labels, key=lambda i: labels[i])  # of one type, so they compare
    if origin is not None and origin.values:
        order.sort(key=lambda i: origin.order(labels[i]))
        labels = {i: origin.label(label) for i, label in labels.items()}
    position = np.full(len(encoded.dictionary), -1, dtype=np.int64)
    position[order] = np.arange(len(order))
    return tuple(labels[i] for i in order), position[np.asarray(encoded.indices)]


def _numbers(values: pa.Array, name: str, rows: IntArray) -> NDArray[np.float64]:
    if pa.types.is_timestamp(values.type):
        raise DataError(f"target {name!r} holds dates, which cannot be predicted; choose another --target")
    if pa.types.is_dictionary(values.type):
        words = values.dictionary
        numeric = np.asarray(pc.match_substring_regex(words, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"))
        odd = ~numeric[np.asarray(values.indices)]
        if odd.any():
            found = pc.unique(values.filter(pa.array(odd))).to_pylist()
            shown = ", ".join(repr(w[:40]) for w in found[:3]) + (" …" if len(found) > 3 else "")
            first = int(np.argmax(odd))
            raise DataError(
                f"regression needs numbers, but target {name!r} holds text in {int(odd.sum()):,} of {len(values):,} "
                f"rows ({shown}; first: row {int(rows[first]):,}); pass --missing {found[0][:40]!r} if it means "
                "missing, or --task auto to predict classes"
            )
        table = pc.cast(pc.replace_substring_regex(words, r"^\+", ""), pa.float64())
        return np.asarray(table.take(values.indices))
    return np.asarray(pc.cast(values, pa.float64(), safe=False)).astype(np.float64)
