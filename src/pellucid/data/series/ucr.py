"""Files as in the UCR archive (Dau et al. 2019): no header, one series a line, its class in the first field.

The fields stand between commas, tabs, semicolons or spaces. Classes are whole numbers, however they are written:
``1.0000000e+00`` is the class ``1``. ``NaN`` stands for a missing value; missing values at the end of a line make the
series shorter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.data.series.parsed import MISSING, Parsed, numbers_in
from pellucid.errors import DataError

__all__ = ["looks_like_ucr", "parse_ucr"]

_SEPARATORS = (",", "\t", ";")


def looks_like_ucr(line: str) -> bool:
    """Whether a first line could be one of a UCR file: a whole number and at least two more numbers.

    >>> looks_like_ucr("-1,0.5,0.25"), looks_like_ucr("age,job,x"), looks_like_ucr("0.5,1,1")
    (True, False, False)
    """
    fields = _fields(line, _separator(line))
    try:
        values = [float("nan") if field.strip().lower() in MISSING else float(field) for field in fields]
    except ValueError:
        return False
    return len(values) >= 3 and values[0] == values[0] and values[0].is_integer()


def parse_ucr(text: str, source: str, *, unlabelled_steps: int | None = None) -> Parsed:
    r"""Read the text of a file.

    Parameters
    ----------
    text
        The whole file.
    source
        Its name, for messages.
    unlabelled_steps
        Where a file for predictions may lack the classes: how many numbers every line has then.

    Raises
    ------
    DataError
        There are no lines, a field is no number, a line has no value; the message names the line.

    >>> parsed = parse_ucr("1 0.5 0.25\n-1 0.75 NaN\n", "'a.txt'")
    >>> parsed.labels, [each[:, 0].tolist() for each in parsed.series]
    (['1', '-1'], [[0.5, 0.25], [0.75]])
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        raise DataError(f"{source} is empty: there are no series in it")
    separator = _separator(lines[0][1])
    rows = [(number, _fields(line, separator)) for number, line in lines]
    labelled = unlabelled_steps is None or any(len(fields) != unlabelled_steps for _, fields in rows)
    series, labels = [], []
    for number, fields in rows:
        if unlabelled_steps is not None and labelled and len(fields) > 1 and not _is_whole(fields[0]):
            raise DataError(
                f"{source}, line {number:,}: each line must hold the {unlabelled_steps:,} values of a series, or its "
                f"class, a whole number, before them, got {len(fields):,} fields and first {fields[0].strip()[:40]!r}; "
                "end shorter series with empty fields"
            )
        if labelled:
            labels.append(_class(fields[0], source, number))
        values = numbers_in(fields[1:] if labelled else fields, source, number, "value")
        there = np.flatnonzero(~np.isnan(values))
        if not len(there):
            raise DataError(f"{source}, line {number:,}: there is a class but no value; remove the line")
        series.append(values[: there[-1] + 1, None])
    return Parsed(series=series, labels=labels if labelled else None, separator=separator)


def _separator(line: str) -> str:
    return next((sign for sign in _SEPARATORS if sign in line.strip()), " ")


def _fields(line: str, separator: str) -> Sequence[str]:
    return line.split() if separator == " " else line.strip(" \r\n").split(separator)


def _class(field: str, source: str, line: int) -> str:
    field = field.strip()
    if not _is_whole(field):
        raise DataError(
            f"{source}, line {line:,}: the first field must be the class, a whole number as in the UCR archive, got "
            f"{field[:40]!r}; for a table with names use --series and --target"
        )
    return str(int(float(field)))


def _is_whole(field: str) -> bool:
    try:
        return float(field).is_integer()
    except ValueError:
        return False
