"""What a model remembers of its training rows, to check new rows against: a summary, never a whole row.

| what | used to |
|---|---|
| the smallest and the largest number or date of each column | find cells far out of range |
| how many categories of a column were too rare to be kept | tell new categories from rare ones |
| how much worse the answers get where a column is missing | name the columns that matter most |
| a hash of 32 bits of each of at most 2,048 rows | recognise rows that the network was trained on |
| the residuals of validation rows | make intervals |

It is kept in the model file, as the field ``seen`` of its schema; a file of an older Pellucid has none.

Of many rows, those with the smallest hashes are kept: a sample that any table can be compared with. A new row whose
hash is larger than all kept ones is left out of the comparison; any other either is among them or was not trained on
(bottom-k sketch: Cohen & Kaplan 2007).

Legend: N rows, F features, G columns.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.columns.images import mixed
from pellucid.errors import ModelFileError
from pellucid.evaluation.conformal import MOST_SCORES, Scores
from pellucid.preprocessing import checks
from pellucid.training.loop import Rows

__all__ = ["ColumnSeen", "Residuals", "RowsSeen", "Seen", "Worth", "bits_of_rows"]

Array = NDArray[Any]

FORMAT = 1
MOST_ROWS = 2_048
_LARGEST = 1.7e308
_METRICS = ("log_loss", "rmse")
_PARTS = ("test", "validation", "training")
_MOST_GROUPS = 1_000
_CELLS_AT_ONCE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ColumnSeen:
    """One column: the range of its numbers or dates (microseconds since 1970), and how many categories are rare."""

    low: float | None = None
    high: float | None = None
    left_out: int | None = None


@dataclass(frozen=True, kw_only=True)
class Worth:
    """By how much the error on ``n_rows`` rows of a ``part`` rises where a column's cells are missing."""

    metric: str
    part: str
    n_rows: int
    rises: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class RowsSeen:
    """The smallest distinct hashes ``[kept]``, ascending, of ``n_rows`` training rows."""

    n_rows: int
    kept: NDArray[np.uint32]

    @classmethod
    def of(cls, bits: NDArray[np.uint32]) -> RowsSeen:
        """From the hashes ``[N]`` of all rows.

        >>> RowsSeen.of(np.array([9, 3, 3, 5], np.uint32)).kept.tolist()
        [3, 5, 9]
        """
        return cls(n_rows=len(bits), kept=np.unique(bits)[:MOST_ROWS])

    def among(self, bits: NDArray[np.uint32]) -> tuple[int, int]:
        """How many of the rows ``[N]`` can be compared, and how many of these are training rows."""
        if not len(self.kept):
            return 0, 0
        all_kept = len(self.kept) < MOST_ROWS
        judged = bits if all_kept else bits[bits <= self.kept[-1]]
        return len(judged), int(np.isin(judged, self.kept).sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class Residuals:
    """Residuals of rows that were not trained on, in the scale of the network's output.

    ``by_fold``: one group for each network of an ensemble by folds; otherwise one group, for the ensemble's answer.
    """

    groups: tuple[Scores, ...]
    by_fold: bool

    @property
    def count(self) -> int:
        """The number of these rows."""
        return sum(group.count for group in self.groups)


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """Everything that a model remembers; what is not known is empty or ``None``."""

    columns: Mapping[str, ColumnSeen] = field(default_factory=dict)
    worth: Worth | None = None
    rows: RowsSeen | None = None
    residuals: Residuals | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        columns = {
            name: {key: value for key, value in vars(seen).items() if value is not None}
            for name, seen in self.columns.items()
        }
        worth, rows, residuals = self.worth, self.rows, self.residuals
        return {
            "format": FORMAT,
            "columns": columns,
            "worth": None if worth is None else {**vars(worth), "rises": dict(worth.rises)},
            "rows": None if rows is None else {"n_rows": rows.n_rows, "kept": _to_text(rows.kept)},
            "residuals": None
            if residuals is None
            else {
                "groups": [{"count": g.count, "kept": g.kept.tolist()} for g in residuals.groups],
                "by_fold": residuals.by_fold,
            },
        }

    @classmethod
    def of_schema(cls, schema: object) -> Seen:
        """From the schema of a model file, which may have none; every field is checked.

        Raises
        ------
        ModelFileError
            The file is damaged.
        """
        if not isinstance(schema, Mapping) or schema.get("seen") is None:
            return cls()
        v = checks.fields(schema["seen"], "seen", ("format", "columns", "worth", "rows", "residuals"))
        checks.whole(v["format"], "seen.format", FORMAT, FORMAT)
        return cls(
            columns={name: _column(value, name) for name, value in _mapping(v["columns"], "seen.columns").items()},
            worth=None if v["worth"] is None else _worth(v["worth"]),
            rows=None if v["rows"] is None else _rows(v["rows"]),
            residuals=None if v["residuals"] is None else _residuals(v["residuals"]),
        )


def bits_of_rows(rows: Rows) -> NDArray[np.uint32]:
    """A hash of 32 bits for each row ``[N]``, of its features and its target."""
    total = _mixed_up(rows.inputs)
    if rows.targets is not rows.inputs:
        total = mixed(total) + _mixed_up(np.asarray(rows.targets, dtype=np.float64))
    return (mixed(total) >> np.uint64(32)).astype(np.uint32)


def _mixed_up(values: Array) -> NDArray[np.uint64]:
    """A number of 64 bits for each row of ``values`` ``[N, …]``: the sum of its cells' bits times odd factors."""
    word, cells = np.dtype(f"<u{values.dtype.itemsize}"), prod(values.shape[1:])
    odd = mixed(np.arange(1, cells + 1, dtype=np.uint64)) | np.uint64(1)
    total = np.zeros(len(values), dtype=np.uint64)
    step = max(1, _CELLS_AT_ONCE // max(1, cells))
    for i in range(0, len(values), step):
        some = np.ascontiguousarray(values[i : i + step]).reshape(-1, cells) + values.dtype.type(0)  # no −0.0
        total[i : i + step] = (mixed(some.view(word).astype(np.uint64)) * odd).sum(axis=1, dtype=np.uint64)
    return total


# ── from JSON ─────────────────────────────────────────────────────────────────────────────────────────────────


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if type(value) is not dict or len(value) > checks.MAX_COLUMNS:
        raise ModelFileError(f"{where} must be an object: the file is damaged, so take another copy, or train again")
    return {checks.text(name, where): each for name, each in value.items()}


def _column(value: object, name: str) -> ColumnSeen:
    where = f"seen.columns[{name!r}]"
    v = checks.fields(value, where, (), may=("low", "high", "left_out"))
    low, high = (checks.number(v[k], f"{where}.{k}", -_LARGEST, _LARGEST) if k in v else None for k in ("low", "high"))
    return ColumnSeen(
        low=low, high=high, left_out=checks.whole(v["left_out"], f"{where}.left_out") if "left_out" in v else None
    )


def _worth(value: object) -> Worth:
    v = checks.fields(value, "seen.worth", ("metric", "part", "n_rows", "rises"))
    rises = {
        name: checks.number(each, f"seen.worth.rises[{name!r}]", -_LARGEST, _LARGEST)
        for name, each in _mapping(v["rises"], "seen.worth.rises").items()
    }
    return Worth(
        metric=checks.choice(v["metric"], "seen.worth.metric", _METRICS),
        part=checks.choice(v["part"], "seen.worth.part", _PARTS),
        n_rows=checks.whole(v["n_rows"], "seen.worth.n_rows", 1),
        rises=rises,
    )


def _rows(value: object) -> RowsSeen:
    v = checks.fields(value, "seen.rows", ("n_rows", "kept"))
    kept = _from_text(v["kept"])
    n_rows = checks.whole(v["n_rows"], "seen.rows.n_rows", len(kept))
    return RowsSeen(n_rows=n_rows, kept=kept)


def _residuals(value: object) -> Residuals:
    v = checks.fields(value, "seen.residuals", ("groups", "by_fold"))
    groups = []
    for i, each in enumerate(checks.listing(v["groups"], "seen.residuals.groups", _MOST_GROUPS)):
        where = f"seen.residuals.groups[{i}]"
        g = checks.fields(each, where, ("count", "kept"))
        numbers = checks.listing(g["kept"], f"{where}.kept", MOST_SCORES)
        kept = np.array([checks.number(x, f"{where}.kept", 0.0, _LARGEST) for x in numbers])
        count = checks.whole(g["count"], f"{where}.count", len(kept))
        if not len(kept) or (np.diff(kept) < 0).any():
            raise ModelFileError(f"{where}.kept must ascend: the file is damaged, so take another copy, or train again")
        groups.append(Scores(kept=kept, count=count))
    if not groups:
        raise ModelFileError("seen.residuals has no groups: the file is damaged, so take another copy, or train again")
    return Residuals(groups=tuple(groups), by_fold=checks.flag(v["by_fold"], "seen.residuals.by_fold"))


def _to_text(kept: NDArray[np.uint32]) -> str:
    return base64.b64encode(kept.astype("<u4").tobytes()).decode("ascii")


def _from_text(value: object) -> NDArray[np.uint32]:
    damaged = "seen.rows.kept is not what was written: the file is damaged, so take another copy, or train again"
    if type(value) is not str or len(value) > 6 * MOST_ROWS:
        raise ModelFileError(damaged)
    try:
        kept = np.frombuffer(base64.b64decode(value, validate=True), dtype="<u4").astype(np.uint32)
    except (ValueError, binascii.Error) as error:
        raise ModelFileError(damaged) from error
    if (np.diff(kept.astype(np.int64)) <= 0).any():
        raise ModelFileError(damaged)
    return kept
