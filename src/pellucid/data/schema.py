"""The schema: the kind and role of each column, guessed from the table and overridden by the user.

`pellucid.data.columns.kinds` looks at a column by itself, `pellucid.data.leaks.find` at a column and the target; this
module combines both with what the user said.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pellucid.data.columns.kinds import Facts, Guess, Kind, both_ways, facts_of, guess_kind
from pellucid.data.columns.sentinels import suspected_sentinels
from pellucid.data.columns.tensors import is_tensor_type, tensor_shape, tensors
from pellucid.data.columns.types import number_pattern
from pellucid.data.dates.formats import parse_dates
from pellucid.data.notes import LeakNote
from pellucid.data.numbers.style import NumberStyle, flag_names
from pellucid.data.tables import Table, styles_of
from pellucid.errors import DataError, SettingError, nearest

__all__ = ["Column", "Kind", "Role", "Schema", "infer_schema"]

Role = Literal["feature", "target", "dropped"]
_USABLE = ("numeric", "boolean", "categorical", "date", "image", "series", "text")


@dataclass(frozen=True, kw_only=True)
class Column:
    """What is known about one column.

    Parameters
    ----------
    kind
        A feature is ``numeric``, ``boolean``, ``categorical``, ``date``, ``image`` or ``text``; other kinds are
        dropped.
    role
        ``feature``, ``target`` or ``dropped`` (as the group and time columns are, unless kept).
    reason
        Why, in a few words.
    n_missing, n_distinct
        Missing cells; different values among the others.
    overridden
        Whether the user named the kind.
    examples
        At most three short values.
    shape
        For images: height, width, channels; None for any other column.
    layout
        For dates in text: the format they are read with.
    style
        For numbers: how they are written as text; None for a column without numbers.
    """

    name: str
    kind: Kind
    role: Role
    reason: str
    n_missing: int
    n_distinct: int
    overridden: bool = False
    examples: tuple[str, ...] = ()
    shape: tuple[int, ...] | None = None
    layout: str | None = None
    style: NumberStyle | None = None


@dataclass(frozen=True, kw_only=True)
class Schema:
    """All columns, in the table's order."""

    columns: tuple[Column, ...]
    n_rows: int
    warnings: tuple[str, ...] = ()
    target: str | None = None
    group: str | None = None
    time: str | None = None

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that a network sees."""
        return tuple(c for c in self.columns if c.role == "feature")

    def column(self, name: str) -> Column:
        """The column with this name; raises `DataError`, with the closest name, if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise DataError(f"there is no column {name!r}{nearest(name, (c.name for c in self.columns))}")

    def to_json(self) -> dict[str, Any]:
        """The schema as plain JSON values."""
        columns = [{**asdict(c), "examples": list(c.examples)} for c in self.columns]
        for column, of in zip(columns, self.columns, strict=True):
            column["style"] = None if of.style is None else of.style.to_json()
            shape = column.pop("shape")
            if shape is not None:
                column["shape"] = list(shape)
        return {
            "columns": columns,
            "n_rows": self.n_rows,
            "warnings": list(self.warnings),
            "target": self.target,
            "group": self.group,
            "time": self.time,
        }


def infer_schema(
    table: Table,
    *,
    target: str | None = None,
    numeric: Collection[str] = (),
    categorical: Collection[str] = (),
    boolean: Collection[str] = (),
    date: Collection[str] = (),
    text: Collection[str] = (),
    drop: Collection[str] = (),
    keep: Collection[str] = (),
    group: str | None = None,
    time: str | None = None,
    unused: Mapping[str, str] | None = None,
    day_first: bool | None = None,
) -> Schema:
    """Guess what each column is.

    Parameters
    ----------
    target
        The column to predict; columns that give it away are dropped or warned about.
    numeric, categorical, boolean, date, text
        Columns whose kind the user has named.
    drop, keep
        Columns to leave out; columns to use although they are identifiers or give the target away.
    group, time
        Columns used to split the rows; they are not features unless kept or named with a kind.
    unused
        Column → why this task does not use it; dropped unless kept.
    day_first
        Whether 03/04/2021 is 3 April, where both readings fit; None decides by the separator.

    Raises
    ------
    DataError
        There is no column of that name (the closest name is given), or its cells do not fit the kind.
    SettingError
        A column is named for two purposes that exclude each other.

    >>> from pellucid.data.tables import read_table
    >>> schema = infer_schema(read_table({"age": [39, 50, 38], "job": ["a", "b", "a"], "ill": ["no", "yes", "no"]}))
    >>> [(c.name, c.kind) for c in schema.columns]
    [('age', 'numeric'), ('job', 'categorical'), ('ill', 'boolean')]
    """
    chosen: dict[str, Kind] = {}
    given: tuple[tuple[Kind, Collection[str]], ...] = (
        ("numeric", numeric),
        ("categorical", categorical),
        ("boolean", boolean),
        ("date", date),
        ("text", text),
    )
    for kind, names in given:
        for name in names:
            _check_name(table, name, f"--{kind}")
            if chosen.get(name, kind) != kind:
                raise SettingError(f"column {name!r} cannot be both {chosen[name]} and {kind}")
            chosen[name] = kind
    _check_roles(table, target=target, drop=drop, keep=keep, group=group, time=time, chosen=chosen)

    headed = table.report.header is not False
    of_images = any(is_tensor_type(field.type) and tensors(field.type) == "images" for field in table.arrow.schema)
    columns: list[Column] = []
    warnings: list[str] = []
    styles = styles_of(table)
    short: dict[str, str] = {}  # texts of a few words each, and what was said of them
    for position, name in enumerate(table.names):
        facts = facts_of(name, table.column(name), position, headed=headed, of_images=of_images)
        if name in chosen:
            layout = _check_kind(facts, chosen[name], day_first)
            warning = both_ways(facts, layout, day_first) if layout is not None else None
            guess = Guess(kind=chosen[name], reason="as you said", warning=warning, layout=layout)
        else:
            guess = guess_kind(facts, day_first=day_first)
        column, warning = _with_role(
            facts,
            guess,
            overridden=name in chosen,
            use="target" if name == target else "drop" if name in drop else "keep" if name in keep else "",
            split_by="group" if name == group else "time" if name == time else "",
            unused=(unused or {}).get(name, ""),
        )
        columns.append(replace(column, layout=guess.layout if column.kind == "date" else None, style=styles[name]))
        if not guess.used and warning is not None:
            short[name] = warning
        warnings += [warning] if warning else []
        warnings += suspected_sentinels(facts, column.kind) if column.role != "dropped" else []
    columns, warnings = _with_some_text(columns, short, warnings)
    flagged = {flag: name for name, style in table.report.styles.items() for flag in flag_names(name, style)}
    told = {flag for flag in flagged if flag in keep or flag in chosen}
    columns = _like_their_columns(columns, flagged, told)
    if target is not None:
        columns, said = _without_leaks(table, columns, target, keep)
        columns = _like_their_columns(columns, flagged, told)
        warnings += said
    warnings += _junk_at_the_end(table)
    return Schema(
        columns=tuple(columns), n_rows=table.n_rows, warnings=tuple(warnings), target=target, group=group, time=time
    )


# --- what the user said


def _check_name(table: Table, name: str, where: str) -> None:
    if name not in table.names:
        raise DataError(f"{where}: there is no column {name!r} in {table.report.source}{nearest(name, table.names)}")


def _check_roles(
    table: Table,
    *,
    target: str | None,
    drop: Collection[str],
    keep: Collection[str],
    group: str | None,
    time: str | None,
    chosen: dict[str, Kind],
) -> None:
    for where, names in (("--drop", drop), ("--keep", keep)):
        if isinstance(names, str):
            raise SettingError(f"{where} takes a list of columns, got {names!r}")
        for name in names:
            _check_name(table, name, where)
    for where, given in (("--target", target), ("--group", group), ("--time", time)):
        if given is not None:
            _check_name(table, given, where)
            if is_tensor_type(table.column(given).type):
                of = tensors(table.column(given).type)
                use = "predicted" if where == "--target" else "split by"
                hint = f"; --task reconstruction learns to reproduce the {of} themselves" if use == "predicted" else ""
                raise DataError(f"column {given!r} holds {of} and cannot be {use}; choose another {where}{hint}")
    if target is not None and target in (group, time):
        raise SettingError(f"column {target!r} cannot be both the target and the column that the split uses")
    for name in drop:
        if name == target:
            raise SettingError(f"column {name!r} is the target and cannot be dropped")
        if name in keep or name in chosen:
            other = "--keep" if name in keep else f"--{chosen[name]}"
            raise SettingError(f"column {name!r} is given both to --drop and to {other}; choose one")


def _check_kind(facts: Facts, kind: Kind, day_first: bool | None) -> str | None:
    """The layout of dates in text; raises `DataError` if the cells do not fit the kind."""
    name, column = facts.name, facts.column
    if is_tensor_type(column.type):
        raise DataError(
            f"column {name!r} holds {tensors(column.type)} and cannot be {kind}; leave out --{kind} {name!r}"
        )
    if facts.n_there == 0:
        raise DataError(f"column {name!r} cannot be {kind}: every cell is missing; use --drop {name!r}")
    is_text = pa.types.is_dictionary(column.type)
    if kind == "numeric":
        if pa.types.is_timestamp(column.type):
            raise DataError(f"column {name!r} holds dates, not numbers; pass --date {name!r}")
        if is_text:
            odd = pc.invert(pc.match_substring_regex(column.dictionary, number_pattern()))
            rows = pc.fill_null(odd.take(column.indices), False)
            if n := pc.sum(rows).as_py() or 0:
                first = pc.index(rows, True).as_py()
                shown = column[first].as_py()[:40]
                raise DataError(
                    f"column {name!r} holds text in {n:,} of {len(column):,} rows (first: {shown!r}, row "
                    f"{first:,}); pass --missing {shown!r} if that means missing, or leave out --numeric"
                )
    elif kind == "boolean" and facts.n_distinct > 2:
        raise DataError(
            f"column {name!r} has {facts.n_distinct:,} different values, and boolean needs two (use --categorical)"
        )
    elif kind == "date":
        _, layout = parse_dates(column, numeric=True, day_first=day_first)
        if layout is None:
            first = column.drop_null()[0].as_py()
            raise DataError(
                f"column {name!r} holds no dates in a known format (first: {first!r}); write dates such as "
                "2021-03-31, or leave out --date"
            )
        return layout
    return None


# --- roles


def _with_role(
    facts: Facts, guess: Guess, *, overridden: bool, use: str, split_by: str, unused: str
) -> tuple[Column, str | None]:
    kind, reason, warning = guess.kind, guess.reason, guess.warning
    role: Role = "feature" if kind in _USABLE and guess.used else "dropped"
    if use == "target":
        role, warning = "target", None
        if kind not in _USABLE or kind == "text":
            kind = _plain_kind(facts)
            reason = "whole numbers" if kind == "numeric" else f"{facts.n_distinct:,} different texts"
    elif use == "drop":
        role, reason, warning = "dropped", f"{reason}; dropped as you said", None
    elif use == "keep":
        if kind not in _USABLE:
            kind = _plain_kind(facts)
        role, reason, warning = "feature", f"{reason}; kept as you said", None
    elif unused:
        role, reason, warning = "dropped", f"{reason}; {unused}", None
    elif split_by and not overridden:
        role, reason, warning = "dropped", f"{reason}; {split_by} of the split", None
    column = Column(
        name=facts.name,
        kind=kind,
        role=role,
        reason=reason,
        n_missing=facts.n_missing,
        n_distinct=facts.n_distinct,
        overridden=overridden,
        examples=() if is_tensor_type(facts.column.type) else _examples(facts.column),
        shape=tensor_shape(facts.column.type),
    )
    return column, warning


def _with_some_text(
    columns: list[Column], short: Mapping[str, str], warnings: list[str]
) -> tuple[list[Column], list[str]]:
    """Use short texts after all if there is nothing else to learn from."""
    if not short or any(c.role == "feature" for c in columns):
        return columns, warnings
    used = [replace(c, role="feature") if c.name in short else c for c in columns]
    return used, [warning for warning in warnings if warning not in short.values()]


def _plain_kind(facts: Facts) -> Kind:
    if is_tensor_type(facts.column.type):
        return "image" if tensors(facts.column.type) == "images" else "series"
    if pa.types.is_dictionary(facts.column.type):
        return "categorical"
    if pa.types.is_timestamp(facts.column.type):
        return "date"
    return "boolean" if pa.types.is_boolean(facts.column.type) else "numeric"


def _examples(column: pa.Array) -> tuple[str, ...]:
    found = pc.unique(column.slice(0, 1000)).drop_null()
    if not len(found):
        found = pc.unique(column.drop_null().slice(0, 1000))
    return tuple(_brief(v.as_py()) for v in found[:3])


def _brief(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 24 else text[:21] + "..."


def _without_leaks(
    table: Table, columns: list[Column], target: str, keep: Collection[str]
) -> tuple[list[Column], list[str]]:
    features = [c.name for c in columns if c.role == "feature" and c.kind not in ("image", "series")]
    warnings: list[str] = []
    dropped: dict[str, str] = {}
    from pellucid.data.leaks.find import find_leaks  # here, since a prediction needs a schema but no search for leaks

    for leak in find_leaks(table, features, target):
        shown = ", ".join(repr(n) for n in leak.columns)
        if leak.certain and leak.columns[0] not in keep:
            dropped[leak.columns[0]] = leak.reason
            warnings.append(f"column {shown} is {leak.reason} and was dropped; --keep {shown} uses it anyway")
        else:
            one = len(leak.columns) == 1
            subject, them = (f"column {shown} is", "it") if one else (f"columns {shown} are", "them")
            said = f"{subject} {leak.reason}; if not known when you predict, --drop {them}"
            warnings.append(LeakNote(said, columns=tuple(leak.columns)))
    changed = [
        replace(c, role="dropped", reason=f"{c.reason}; {dropped[c.name]}") if c.name in dropped else c for c in columns
    ]
    return changed, warnings


def _like_their_columns(columns: list[Column], flagged: Mapping[str, str], told: Collection[str]) -> list[Column]:
    """Drop the columns that mark limits in another column, if that column is the target or is not used."""
    unused = {c.name: c.role for c in columns if c.role != "feature"}

    def changed(column: Column) -> Column:
        of = flagged.get(column.name)
        if of not in unused or column.role != "feature" or column.name in told:
            return column
        why = "is the target" if unused[of] == "target" else "is not used"
        return replace(column, role="dropped", reason=f"{column.reason}; it belongs to {of!r}, which {why}")

    return [changed(column) for column in columns]


def _junk_at_the_end(table: Table) -> list[str]:
    """Find nearly empty rows at the end of a full table, such as sums and remarks in a spreadsheet."""
    n, width = table.n_rows, len(table.names)
    if n < 50 or width < 4:
        return []
    tail = table.arrow.slice(n - 10)
    empty = np.zeros(10, dtype=np.int64)
    for column in tail.columns:
        empty += np.asarray(column.is_null())
    usual = sum(c.null_count for c in table.arrow.columns) / (n * width)
    junk = 0
    while junk < 10 and empty[-1 - junk] > 0.6 * width:
        junk += 1
    if not junk or junk == 10 or usual > 0.1:
        return []
    last = "the last row is" if junk == 1 else f"the last {junk} rows are"
    return [f"{last} nearly empty, like sums below a spreadsheet; remove them if they are not data"]
