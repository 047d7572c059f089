"""Find the lines of a text file that are not rows: ``sep=;``, comments, titles, a row of units, sources, totals.

A line that is left out is emptied, so that line numbers in messages stay those of an editor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from pellucid.data.files.compression import buffer_of
from pellucid.data.files.options import ReadOptions
from pellucid.data.notes import CellNote
from pellucid.data.text_files.dialect import (
    Dialect,
    looks_like_header,
    names_above_numbers,
    reader_of,
    sniff_dialect,
    without_outer_blanks,
)
from pellucid.data.text_files.headers import header_by_names
from pellucid.data.text_files.layout import is_units, n_above, n_below, names_a_total, usual_width
from pellucid.errors import DataError

__all__ = ["Tidied", "blanked", "head_of", "tidied"]

Range = tuple[int, int]  # of bytes, without the end of the line

_SAMPLE = 1 << 20
_TAIL = 1 << 16
_MOST_COMMENTS = 10_000
_EOL = re.compile(rb"\r\n|\n|\r")
_SEP = re.compile(rb'[ \t]*"?sep=(.)"?[,;\t ]*(?=\r|\n|\Z)', re.IGNORECASE)
_BLANK = re.compile(rb"\s*")
_SIGN = re.compile(rb"#+[ \t]+(?=[^ \t,;|])")  # before a name; "#,name" and "#CHROM" are names themselves
_COMMENT = "#"


@dataclass(frozen=True, kw_only=True)
class Tidied:
    """A text file with only the table left.

    Parameters
    ----------
    content
        All lines, with those that are not rows emptied.
    separator
        From a line ``sep=;``; otherwise as given by the user.
    totals
        The last records that are named a total, and where they were. They are left out until the columns have been
        read and it is known whether they are the sums.
    whole
        The content including those records.
    notes
        Sentences for the user.
    """

    content: pa.Buffer
    separator: str | None
    header: bool | None
    whole: pa.Buffer
    totals: tuple[tuple[str, ...], ...] = ()
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Record:
    cells: list[str]
    start: int  # line, from 0
    end: int  # line behind it
    after_blank: bool


def tidied(content: pa.Buffer, source: str, reading: ReadOptions, separator: str | None) -> Tidied:
    """Empty the lines that are not rows, as far as ``reading`` allows it.

    Parameters
    ----------
    content
        The text in UTF-8.
    source
        The name of the file in messages.
    reading
        What is known about the file.
    separator
        The field separator, if known.

    Raises
    ------
    DataError
        ``reading.header_row`` is beyond the end of the file, or an empty line.
    """
    notes: list[str] = []
    found = _SEP.match(content.slice(0, min(64, content.size)).to_pybytes())
    if found is not None:
        said = found[1].decode("ascii", "replace")
        content = blanked(content, [found.span()])
        notes.append(f"the first line, 'sep={said}', gives the separator and was left out")
        if separator is None and said in ",;\t|:^~ ":
            separator = said
    if reading.header_row is not None:
        content = _from_line(content, source, reading.header_row)
    content = _without_comments(content, reading, separator, notes)
    sample = head_of(content)
    if b"\0" in sample or not sample.strip() or reading.trim is False:
        return Tidied(content=content, separator=separator, header=reading.header, whole=content, notes=notes)
    dialect = sniff_dialect(sample.decode("utf-8", errors="ignore"), separator=separator, header=reading.header)
    records = list(_records(sample.decode("utf-8", errors="ignore"), dialect, limit=1000))
    content, header = _without_lines_above(content, records, sample, dialect, reading, notes)
    whole, totals = _without_lines_below(content, dialect, header, notes)
    held = blanked(whole, [where for where, _ in totals])
    return Tidied(
        content=held,
        separator=separator,
        header=header,
        whole=whole,
        totals=tuple(tuple(cells) for _, cells in totals),
        notes=notes,
    )


def head_of(content: pa.Buffer, size: int = _SAMPLE) -> bytes:
    """The first part of the content, in whole lines if possible."""
    head: bytes = content.slice(0, min(size, content.size)).to_pybytes()
    if content.size > size:
        head = head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1] or head
    return head


def blanked(content: pa.Buffer, ranges: Sequence[Range]) -> pa.Buffer:
    """The content without these ranges of bytes, in Arrow's memory."""
    if not ranges:
        return content
    view, at, pieces = memoryview(content).cast("B"), 0, []
    for start, end in sorted(ranges):
        pieces.append(view[at:start])
        at = max(at, end)
    return buffer_of(b"".join([*pieces, view[at:]]))


def _line_ranges(part: bytes, base: int = 0) -> list[Range]:
    ranges, start = [], 0
    for end in _EOL.finditer(part):
        ranges.append((base + start, base + end.start()))
        start = end.end()
    return [*ranges, (base + start, base + len(part))] if start < len(part) else ranges


def _from_line(content: pa.Buffer, source: str, line: int) -> pa.Buffer:
    """The content with everything above a line emptied."""
    part = content.slice(0, min(content.size, 64 << 20)).to_pybytes()
    ranges = _line_ranges(part)
    if line > len(ranges):
        raise DataError(f"header_row is {line:,}, but {source} has {len(ranges):,} lines; lines are counted from 1")
    start, end = ranges[line - 1]
    if not part[start:end].strip():
        raise DataError(f"header_row is {line:,}, but line {line:,} of {source} is empty; lines are counted from 1")
    return blanked(content, ranges[: line - 1])


def _records(text: str, dialect: Dialect, *, limit: int = 2**31) -> Iterator[_Record]:
    """Records with their lines; blank lines are those that the reader skips."""
    reader = reader_of(text, dialect.separator, quoted=dialect.quoted, skip_space=dialect.skip_space)
    start, blank, n = 0, False, 0
    for cells in reader:
        blank_now = not cells or (len(cells) == 1 and not cells[0].strip())
        if not blank_now:
            inner = without_outer_blanks(cells) if dialect.separator == " " else cells
            yield _Record(cells=inner, start=start, end=reader.line_num, after_blank=blank)
            n += 1
        blank = blank_now
        start = reader.line_num
        if n >= limit:
            return


# ── comments ──────────────────────────────────────────────────────────────────────────────────────────────────


def _without_comments(content: pa.Buffer, reading: ReadOptions, separator: str | None, notes: list[str]) -> pa.Buffer:
    if reading.comment is not None and reading.comments is None:
        return content
    sign = reading.comments or _COMMENT
    ranges = _beginning_with(content, sign.encode())
    if reading.comments is None:
        ranges = _certain_comments(content, ranges, reading, separator)
    if ranges:
        _say(notes, content, ranges, f"beginning with {sign!r}", "left out as comments", "--comment none keeps them")
    return blanked(content, ranges)


def _beginning_with(content: pa.Buffer, sign: bytes) -> list[Range]:
    """The lines that begin so (perhaps after a quote), except those within a quoted field."""
    raw = content.to_pybytes()
    starts = [len(lead) for lead in (b"", b'"') if raw.startswith(lead + sign)][:1] and [0]
    for needle in (b"\n" + sign, b'\n"' + sign, b"\r" + sign, b'\r"' + sign):
        at = raw.find(needle)
        while at >= 0:
            starts.append(at + 1)
            if len(starts) > _MOST_COMMENTS:
                return []  # so many are rows
            at = raw.find(needle, at + 1)
    ranges: list[Range] = []
    quotes, counted = 0, 0
    for start in sorted(starts):
        if start < counted:
            continue
        quotes += raw.count(b'"', counted, start)
        counted = start
        if quotes % 2:
            continue
        end = _EOL.search(raw, start)
        counted = len(raw) if end is None else end.start()
        ranges.append((start, counted))
    return ranges


def _certain_comments(
    content: pa.Buffer, ranges: list[Range], reading: ReadOptions, separator: str | None
) -> list[Range]:
    """Of the lines that begin with ``#``, those that the rest of the file shows to be comments.

    A line with as many fields as the rows is the header if it is directly above them, and a comment only if other
    lines certainly are comments.
    """
    if not ranges:
        return []
    rest = head_of(blanked(content, ranges))
    text = rest.decode("utf-8", errors="ignore")
    if not text.strip() or b"\0" in rest:
        return []
    dialect = sniff_dialect(text, separator=separator)
    records = [r.cells for r in _records(text, dialect, limit=1000)]
    width = usual_width(records)
    view = memoryview(content).cast("B")
    above: list[Range] = []
    at = 0
    for each in ranges:
        if _BLANK.fullmatch(view, at, each[0]) is None:
            break
        above.append(each)
        at = each[1]
    below = ranges[len(above) :]
    alike = [r for r in below if _width(view, r, dialect) == width]
    others = [r for r in below if _width(view, r, dialect) != width]
    if len(alike) > len(others):
        below = []
        if not others and any(_width(view, r, dialect) == width for r in above):
            above = [r for r in above if _width(view, r, dialect) != width]  # rows, as those below
    if above and reading.header is not False and reading.header_row is None:
        names_follow = len(records) > 1 and names_above_numbers(records[0], records[1:], decimal=dialect.decimal)
        sign = _SIGN.match(view, *above[-1])
        inner = (above[-1][0] + (0 if sign is None else len(sign[0])), above[-1][1])
        if not names_follow and width > 1 and width in (_width(view, above[-1], dialect), _width(view, inner, dialect)):
            above[-1] = (above[-1][0], inner[0])  # "# a,b" is the header and its sign a comment's
    return [each for each in (*above, *below) if each[0] < each[1]]


def _width(view: memoryview, where: Range, dialect: Dialect) -> int:
    text = bytes(view[where[0] : where[1]]).decode("utf-8", errors="replace")
    return max((len(r.cells) for r in _records(text, dialect)), default=0)


# ── above and below the table ─────────────────────────────────────────────────────────────────────────────────


def _without_lines_above(
    content: pa.Buffer, records: list[_Record], sample: bytes, dialect: Dialect, reading: ReadOptions, notes: list[str]
) -> tuple[pa.Buffer, bool | None]:
    """Empty titles and a row of units; also whether the first remaining line holds names, if known."""
    cells = [r.cells for r in records]

    def by(test: Callable[..., bool]) -> Callable[[Sequence[str], Sequence[Sequence[str]]], bool]:
        return lambda first, rows: (
            reading.header is not False and test(list(first), [list(r) for r in rows], decimal=dialect.decimal)
        )

    lines = _line_ranges(sample)
    n = 0 if reading.header_row is not None else n_above(cells, by(looks_like_header), by(names_above_numbers))
    ranges = [where for r in records[:n] for where in lines[r.start : r.end]]
    if ranges:
        _say(notes, content, ranges, "above the table", "left out", "--header-row N or --no-trim reads it otherwise")
    header = header_by_names(reading, cells[n]) if len(cells) > n else reading.header
    width = usual_width(cells)
    body = [r for r in cells[n + 1 :] if len(r) == width]
    named = header
    if named is None and len(cells) > n + 2:
        named = looks_like_header(cells[n], body[1:] or body, decimal=dialect.decimal)
    if named and len(cells) > n + 3 and len(body) > 2 and body[0] is cells[n + 1] and is_units(body[0], body[1:]):
        where = lines[records[n + 1].start : records[n + 1].end]
        _say(notes, content, where, "below the names", "left out as units", "--no-trim keeps it")
        ranges += where
        header = True
    return blanked(content, ranges), header


def _without_lines_below(
    content: pa.Buffer, dialect: Dialect, header: bool | None, notes: list[str]
) -> tuple[pa.Buffer, list[tuple[Range, list[str]]]]:
    """Empty sources and remarks at the end; also return the records there that are named a total, with their place."""
    base, part = _tail(content, quoted=dialect.quoted)
    if not part.strip() or b"\0" in part:
        return content, []
    records = list(_records(part.decode("utf-8", errors="ignore"), dialect))
    if base == 0 and header is not False:
        records = records[1:]
    width = usual_width([r.cells for r in records])
    n = n_below([r.cells for r in records], width, after_blank=[r.after_blank for r in records])
    lines = _line_ranges(part, base)
    ranges = [where for r in records[len(records) - n :] for where in lines[r.start : r.end]]
    if any(bytes(memoryview(content)[s:e]).strip(dialect.separator.encode() + b' \t"') for s, e in ranges):
        _say(notes, content, ranges, "below the table", "left out", "--no-trim keeps it")
    left, totals = records[: len(records) - n], []
    while len(left) > 2 and len(left[-1].cells) == width and names_a_total(left[-1].cells):
        last = left.pop()
        spans = lines[last.start : last.end]
        totals.append(((spans[0][0], spans[-1][1]), last.cells))
    return blanked(content, ranges), totals[::-1]


def _tail(content: pa.Buffer, *, quoted: bool) -> tuple[int, bytes]:
    """Where the last part begins, at the start of a line outside quotes, and the part."""
    if content.size <= _TAIL:
        return 0, content.to_pybytes()
    view = memoryview(content).cast("B")
    start = len(view) - _TAIL
    within = quoted and bytes(view[:start]).count(b'"') % 2
    for line in _EOL.finditer(view, start):
        within = (within + bytes(view[start : line.start()]).count(b'"')) % 2 if quoted else 0
        start = line.end()
        if not within:
            return start, bytes(view[start:])
    return len(view), b""


def _say(notes: list[str], content: pa.Buffer, ranges: Sequence[Range], where: str, done: str, option: str) -> None:
    """One sentence: how many lines, the first of them, and what changes it."""
    view = memoryview(content).cast("B")
    start, end = next((r for r in ranges if bytes(view[r[0] : r[1]]).strip(b',;\t| "')), ranges[0])
    line = _line_number(view, start)
    shown = bytes(view[start : min(end, start + 240)]).decode("utf-8", errors="ignore").strip()
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    n = len(ranges)
    lines, was = ("1 line", "was") if n == 1 else (f"{n:,} lines", "were")
    first = f"line {line:,}" if n == 1 else f"first: line {line:,}"
    done = done.replace("comments", "a comment").replace("units", "a row of units") if n == 1 else done
    notes.append(CellNote(f"{lines} {where} {was} {done} ({first}, {shown!r}); {option}"))


def _line_number(view: memoryview, at: int) -> int:
    return 1 + sum(1 for _ in _EOL.finditer(view[:at]))
