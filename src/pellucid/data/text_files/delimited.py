"""Read text tables (CSV and similar) with Arrow, and report ragged rows by line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from pyarrow import csv as pa_csv

from pellucid.data.columns.types import Cleaned, clean_column
from pellucid.data.files.compression import buffer_of
from pellucid.data.files.options import ReadOptions
from pellucid.data.frames import check_width
from pellucid.data.numbers.decimal_sign import settle
from pellucid.data.numbers.style import NumberRules
from pellucid.data.text_files.dialect import (
    SEPARATORS,
    Dialect,
    names_above_numbers,
    reader_of,
    records_of,
    sniff_dialect,
    without_outer_blanks,
)
from pellucid.data.text_files.headers import Names, by_header, by_user, first_line_named, listed
from pellucid.data.text_files.layout import (
    agrees_with_a_total,
    first_text,
    names_a_total,
    number_in,
    total_kept,
    total_left_out,
)
from pellucid.data.text_files.lines import Tidied, tidied
from pellucid.data.text_files.swallowed import notes_on_swallowed
from pellucid.errors import DataError, SettingError

__all__ = ["TextTable", "read_text_table"]

_HEAD_LINES = 3
_SAMPLE = 1 << 20  # bytes that the dialect is guessed from
_BLOCK = 4 << 20
_LONGEST_HEAD = 64 << 20  # how far its first lines are looked for
_RAGGED = re.compile(r"Expected \d+ columns, got (\d+)")  # Arrow's own words
_PADS = ("", " ", "  ")
_WIDE = 2_000  # with so many columns, missing cells are found column by column


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """A text table as read: clean columns by name, and how it was written."""

    names: tuple[str, ...]
    columns: tuple[Cleaned, ...]
    dialect: Dialect
    notes: tuple[str, ...]


def read_text_table(
    content: pa.Buffer,
    source: str,
    *,
    reading: ReadOptions,
    text_columns: Collection[str],
    numeric_columns: Collection[str],
    rules: NumberRules,
) -> TextTable:
    """Read a table from UTF-8 text.

    Parameters
    ----------
    content
        The text.
    source
        The name of the file in messages.
    reading
        What is known about the file; everything else is recognised.
    text_columns, numeric_columns
        Columns to read as text, or as numbers, whatever they look like.
    rules
        How numbers are written, where that is known.

    Raises
    ------
    DataError
        The text is empty, has only a header, is ragged (with line number), has duplicate names, or is not text.
    """
    tidy = tidied(content, source, reading, _separator(reading.separator))

    def read(part: pa.Buffer) -> TextTable:
        return _read_tidied(
            part,
            source,
            tidy,
            reading=reading,
            text_columns=text_columns,
            numeric_columns=numeric_columns,
            rules=rules,
        )

    table = read(tidy.content)
    if not tidy.totals:
        return table
    noted = [*table.notes]
    sure = all(_is_total(record, table) for record in tidy.totals)
    if sure or reading.trim:
        noted.append(total_left_out([first_text(record) for record in tidy.totals], sure=sure))
    else:
        table = read(tidy.whole)
        noted = [*table.notes, total_kept([first_text(record) for record in tidy.totals])]
    return replace(table, notes=tuple(noted))


def _is_total(record: Sequence[str], table: TextTable) -> bool:
    """Whether a record named a total really sums up the columns."""
    columns = {
        name: column.array
        for name, column in zip(table.names, table.columns, strict=True)
        if pa.types.is_integer(column.array.type) or pa.types.is_floating(column.array.type)
    }
    sign = table.dialect.decimal
    numbers = {
        name: number
        for name, cell in zip(table.names, record, strict=False)
        if name in columns and (number := number_in(cell, sign)) is not None
    }
    return agrees_with_a_total(names_a_total(record) or "", numbers, columns)


def _read_tidied(
    content: pa.Buffer,
    source: str,
    tidy: Tidied,
    *,
    reading: ReadOptions,
    text_columns: Collection[str],
    numeric_columns: Collection[str],
    rules: NumberRules,
) -> TextTable:
    """Read what `tidied` left."""
    separator, markers = tidy.separator, reading.markers
    sample = _head(content, source, separator).decode("utf-8", errors="ignore")
    if "\0" in sample:
        raise DataError(
            f"{source} is not a text table: it holds zero bytes; expected CSV, Parquet, Arrow or JSON lines"
        )
    if content.size > _SAMPLE:  # the last record is cut in two
        sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    if not sample.strip():
        raise DataError(f"{source} is empty: there is no table in it")
    content = _without_blank_tail(content)
    dialect = sniff_dialect(sample, separator=separator, header=tidy.header, decimal=rules.given_decimal)
    check_width(max(dialect.width, len(dialect.names)), source)
    called = by_user(reading, dialect.names, dialect.width, source)
    if called is None and not dialect.header:
        called = Names(names=tuple(f"column_{i}" for i in range(1, dialect.width + 1)))
    if called is None:
        lines = [line for line in sample.splitlines()[dialect.header_lines :] if line.strip()][:1000]
        ends = bool(lines) and all(line.rstrip(" ").endswith(dialect.separator) for line in lines)
        called = by_header(dialect.names, dialect.width, source, ends_in_separator=ends)
    names, drop_last, notes = called.names, called.drop_last, [*tidy.notes, *called.notes]
    if reading.names and not dialect.header and reading.header is None and "names" not in reading.remembered:
        first, *rest = records_of(sample, dialect.separator, quoted=dialect.quoted, skip_space=dialect.skip_space)
        notes += [first_line_named(first)] if names_above_numbers(first, rest, decimal=dialect.decimal) else []
    body = _skip_lines(content, dialect.header_lines)
    if not body.size or not _has_text(body):
        raise DataError(f"{source} has a header ({listed(names)}) but no rows below it")
    if dialect.separator == " " or dialect.skip_space:
        body = _rewritten(body, dialect)
    dialect = replace(dialect, decimal=rules.first_decimal(names) or dialect.decimal)
    plan = _Plan(source=source, content=content, dialect=dialect, width=len(names) + drop_last, markers=tuple(markers))
    as_text = set(text_columns) | _codes_with_zeros(sample, dialect, names, set(numeric_columns), notes)
    table = _read_with_offsets(body, plan, [i for i, n in enumerate(names) if n in as_text or rules.by_text(n)])
    if table.num_rows == 0:
        raise DataError(f"{source} has a header ({listed(names)}) but no rows below it")
    if drop_last:
        table = table.select(range(len(names)))
    raw = list(table.columns)
    habit = "," if dialect.separator == ";" else "."
    decimals = settle(names, raw, rules, habit, dialect.decimal, lambda some: _read(body, plan, only=some).columns)
    notes += notes_on_swallowed(names, raw, content) if dialect.quoted else []
    notes += decimals.note_on_floats(names, raw, dialect.decimal)
    dialect = replace(dialect, decimal=decimals.default)
    counted = _count_markers(body, plan, raw)
    columns: list[Cleaned] = []
    for i, name in enumerate(names):
        cleaned = clean_column(
            name,
            raw[i],
            markers=markers,
            as_text=name in as_text,
            as_number=name in numeric_columns,
            find_numbers=rules.styles.get(name, True) is not None,
            ways=decimals.ways(name),
        )
        extra = counted.get(i, {})
        total = {k: cleaned.missing.get(k, 0) + extra.get(k, 0) for k in (*extra, *cleaned.missing)}
        columns.append(replace(cleaned, missing=total, style=cleaned.style or decimals.plain_style(cleaned.array.type)))
    return TextTable(names=names, columns=tuple(columns), dialect=dialect, notes=tuple(notes))


def _separator(separator: str | None) -> str | None:
    if separator is None:
        return None
    words = {"comma": ",", "tab": "\t", "\\t": "\t", "semicolon": ";", "bar": "|", "pipe": "|", "space": " "}
    separator = words.get(separator.casefold(), separator)
    if len(separator) != 1 or separator in '"\r\n' or not "\0" < separator < "\x7f":
        raise SettingError(
            f"separator must be one ASCII character (or comma, tab, semicolon, pipe, space), got {separator[:60]!r}"
        )
    return separator


def _head(content: pa.Buffer, source: str, separator: str | None) -> bytes:
    """The first part of the file, with at least three lines unless they are absurdly long."""
    size, most = _SAMPLE, min(content.size, _LONGEST_HEAD)
    while True:
        head: bytes = content.slice(0, min(size, content.size)).to_pybytes()
        if size >= most or len(head) - len(head.translate(None, b"\r\n")) >= _HEAD_LINES:
            return head
        first = min((at for at in (head.find(b"\n"), head.find(b"\r")) if at >= 0), default=len(head))
        if b'"' not in head:  # between quotes, a separator is none
            candidates = (separator,) if separator else (",", "\t", ";", "|")
            n_columns = max(head.count(s.encode(), 0, first) for s in candidates) + 1
            check_width(n_columns, source, or_more=first == len(head))
        size *= 4


def _without_blank_tail(content: pa.Buffer) -> pa.Buffer:
    """The content without blank lines at its end, which Arrow would take for ragged rows."""
    start = max(content.size - 4096, 0)
    blank = re.search(rb"[\r\n][ \r\n]*\Z", content.slice(start).to_pybytes())
    return content if blank is None else content.slice(0, start + blank.start() + 1)


def _has_text(body: pa.Buffer) -> bool:
    view = memoryview(body)
    return any(bytes(view[i : i + _SAMPLE]).strip(b"\r\n") for i in range(0, len(view), _SAMPLE))


def _skip_lines(content: pa.Buffer, lines: int) -> pa.Buffer:
    if lines == 0:
        return content
    head = content.slice(0, min(_LONGEST_HEAD, content.size)).to_pybytes()
    ends = (m.end() for m in re.finditer(rb"\r\n|\n|\r", head))
    for _ in range(lines):
        end = next(ends, None)
        if end is None:
            return content.slice(content.size)
    return content.slice(end)


def _codes_with_zeros(
    sample: str, dialect: Dialect, names: Sequence[str], numeric: set[str], notes: list[str]
) -> set[str]:
    """Columns such as postcodes, where ``01234`` is a code and its leading zero matters."""
    if re.search(r"(?<![\d.])0\d{4}", sample) is None:
        return set()
    records = records_of(sample, dialect.separator, quoted=dialect.quoted, skip_space=dialect.skip_space)
    found: set[str] = set()
    for i, name in enumerate(names):
        cells = [r[i].strip() for r in records[int(dialect.header) :] if len(r) > i and r[i].strip()]
        digits = [c for c in cells if c.isascii() and c.isdigit()]
        if name in numeric or len(digits) < 0.9 * len(cells) or not any(c[0] == "0" for c in digits):
            continue
        if len({len(c) for c in digits}) == 1 and len(digits[0]) >= 5:
            found.add(name)
            notes.append(
                f"column {name!r} holds codes of {len(digits[0])} digits that may start with zero; they are kept as "
                f"text (pass --numeric {name!r} for numbers)"
            )
    return found


def _rewritten(body: pa.Buffer, dialect: Dialect) -> pa.Buffer:
    """Rewrite two dialects that Arrow cannot read: runs of spaces, and a space before a quote."""
    if dialect.separator == " " and not dialect.quoted:
        content = re.sub(rb"[ \t]+", b" ", body.to_pybytes())
        return buffer_of(re.sub(rb"(?m)^ | (?=\r?$)", b"", content))
    text = body.to_pybytes().decode("utf-8")
    out = io.StringIO()
    writer = csv.writer(out, delimiter=dialect.separator, lineterminator="\n")
    for record, _ in _records_with_lines(text, dialect):
        writer.writerow(record)
    return buffer_of(out.getvalue().encode("utf-8"))


def _records_with_lines(text: str, dialect: Dialect) -> Iterator[tuple[list[str], int]]:
    """Each record with the line it begins on."""
    reader = reader_of(text, dialect.separator, quoted=dialect.quoted, skip_space=dialect.skip_space)
    line = 1
    for record in reader:
        if record:
            yield (without_outer_blanks(record) if dialect.separator == " " else record), line
        line = reader.line_num + 1


# --- reading


@dataclass(frozen=True, kw_only=True)
class _Plan:
    source: str
    content: pa.Buffer
    dialect: Dialect
    width: int
    markers: tuple[str, ...]


def _read(body: pa.Buffer, plan: _Plan, *, as_text: Sequence[int] = (), only: Sequence[int] | None = None) -> pa.Table:
    """Read all columns with inferred types, or only some columns, as text without missing cells."""
    names = [str(i) for i in range(plan.width)]
    text = pa.dictionary(pa.int32(), pa.string())
    quoted = plan.dialect.quoted
    convert = pa_csv.ConvertOptions(
        check_utf8=False,  # checked already, with line numbers
        null_values=_null_values(plan),
        strings_can_be_null=only is None,
        decimal_point=plan.dialect.decimal,
        auto_dict_encode=True,
        auto_dict_max_cardinality=2**31 - 1,
        include_columns=[names[i] for i in only] if only is not None else None,
        column_types={names[i]: text for i in (only if only is not None else as_text)},
    )
    block = _BLOCK
    while True:
        parse = pa_csv.ParseOptions(
            delimiter=plan.dialect.separator,
            quote_char='"' if quoted else False,
            newlines_in_values=quoted,
        )
        try:
            return pa_csv.read_csv(
                pa.BufferReader(body),
                read_options=pa_csv.ReadOptions(column_names=names, block_size=block),
                parse_options=parse,
                convert_options=convert,
            )
        except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
            if "straddl" in str(error) and block < body.size:
                block = min(block * 16, max(body.size + 1, _BLOCK), 2**31 - 1)
                continue
            ragged = _RAGGED.search(str(error))
            if ragged is not None:
                raise _ragged(plan, int(ragged[1])) from error
            raise DataError(f"{plan.source} could not be read as a text table: {_first_line(error)}") from error


def _read_with_offsets(body: pa.Buffer, plan: _Plan, as_text: Sequence[int]) -> pa.Table:
    """All columns, with times that have an offset as text: Arrow would drop the offset, and so the local time."""
    table = _read(body, plan, as_text=as_text)
    zoned = [i for i, c in enumerate(table.columns) if pa.types.is_timestamp(c.type) and c.type.tz is not None]
    return _read(body, plan, as_text=[*as_text, *zoned]) if zoned else table


def _null_values(plan: _Plan) -> list[str]:
    """The markers that Arrow treats as missing; none if that costs too much, since `clean_column` also finds them.

    Arrow builds a tree of these texts, padded with spaces, for each column and each type that it tries. That is 80 kB
    per column, more memory than most machines have for 100,000 columns.
    """
    if plan.width > _WIDE:
        return []
    return [p + m + q for m in plan.markers for p in _PADS for q in _PADS] + [" " * k for k in range(3, 17)]


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__


def _ragged(plan: _Plan, seen: int) -> DataError:
    wanted = f"{plan.width} field{'s' if plan.width != 1 else ''}"
    separator = SEPARATORS.get(plan.dialect.separator, repr(plan.dialect.separator))
    remedy = (
        'put " around a field that contains the separator, correct the line'
        + (", remove the lines above the header" if plan.dialect.header else "")
        + f", or pass --separator if it is not the {separator}"
    )
    text = plan.content.to_pybytes().decode("utf-8")
    short_header = plan.dialect.header and len(plan.dialect.names) < plan.width
    for k, (record, line) in enumerate(_records_with_lines(text, plan.dialect)):
        if k == 0 and (short_header or plan.dialect.header):
            continue
        if len(record) != plan.width:
            n = len(record)
            shown = plan.dialect.separator.join(record)
            return DataError(
                f"{plan.source}, line {line:,}: {n} field{'s' if n != 1 else ''}, but "
                f"{'the header has' if plan.dialect.header and not short_header else 'the other rows have'} "
                f"{plan.width} ({shown[:60]!r}); {remedy}"
            )
    return DataError(f"{plan.source}: a row has {seen} fields, but the others have {wanted}; {remedy}")


def _count_markers(body: pa.Buffer, plan: _Plan, columns: Sequence[pa.ChunkedArray]) -> dict[int, dict[str, int]]:
    """Column → marker → number of cells, by reading the columns with missing cells again, as text."""
    holed = [i for i, column in enumerate(columns) if column.null_count]
    found: dict[int, dict[str, int]] = {}
    for start in range(0, len(holed), 64):  # a few at a time: a wide file would be held as text whole
        chosen = holed[start : start + 64]
        texts = _read(body, plan, only=chosen)
        for i, column in zip(chosen, texts.columns, strict=True):
            lost = columns[i].combine_chunks().is_null()
            lost_codes = column.unify_dictionaries().combine_chunks().filter(lost)
            counts = np.bincount(np.asarray(lost_codes.indices), minlength=len(lost_codes.dictionary))
            tally: dict[str, int] = {}
            for k in np.flatnonzero(counts):
                word = lost_codes.dictionary[int(k)].as_py()
                marker = word.strip() or (" " if word else "")
                tally[marker] = tally.get(marker, 0) + int(counts[k])
            found[i] = tally
    return found
