"""Headings that differ only in case, spaces or punctuation: ``Shop Name``, ``shop_name``, ``shop-name``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pellucid.data.tables import Table
from pellucid.errors import DataError

__all__ = ["bare_heading", "matched_headings", "same_headings", "with_headings"]

_SIGNS = re.compile(r"[\s_\-.\u00ad\u200b\u2010-\u2015\u2212\ufeff]+")
_SAID = "case, spaces, underscores, hyphens or dots"
_SHOWN = 6


def bare_heading(name: str) -> str:
    """A heading in lower case without spaces, underscores, hyphens and dots.

    >>> bare_heading("Shop Name"), bare_heading("shop_name"), bare_heading("SHOP-NAME.")
    ('shopname', 'shopname', 'shopname')
    """
    return _SIGNS.sub("", unicodedata.normalize("NFC", name)).casefold()


def matched_headings(wanted: Sequence[str], there: Iterable[str], *, spared: Iterable[str] = ()) -> dict[str, str]:
    """Match headings of a file to expected names that are not there exactly: heading → expected name.

    Parameters
    ----------
    wanted
        The names that the model knows.
    there
        The headings of the file.
    spared
        Expected names that may be absent: if they are ambiguous, nothing is matched.

    Raises
    ------
    DataError
        A match is ambiguous; the message names both candidates.

    >>> matched_headings(["shop name", "age"], ["Shop_Name", "age", "Age"])
    {'Shop_Name': 'shop name'}
    """
    there, known = list(there), set(wanted)
    lost = [name for name in wanted if name not in set(there)]
    if not lost:
        return {}
    free: dict[str, list[str]] = {}
    for name in there:
        if name not in known:
            free.setdefault(bare_heading(name), []).append(name)
    alike: dict[str, list[str]] = {}
    for name in lost:
        alike.setdefault(bare_heading(name), []).append(name)
    found: dict[str, str] = {}
    for bare, names in alike.items():
        candidates = free.get(bare, []) if bare else []
        if len(candidates) == len(names) == 1:
            found[candidates[0]] = names[0]
        elif candidates and not set(names) <= set(spared):
            raise _ambiguous(names, candidates)
    return found


def same_headings(found: Mapping[str, str]) -> str:
    """A note on which headings were matched.

    >>> same_headings({"Shop_Name": "shop name"})
    "1 heading was matched, though case, spaces, underscores, hyphens or dots differ: 'Shop_Name' is 'shop name'"
    """
    pairs = [f"{old!r} is {new!r}" for old, new in list(found.items())[:_SHOWN]]
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    headings = "1 heading was" if len(found) == 1 else f"{len(found):,} headings were"
    return f"{headings} matched, though {_SAID} differ: {', '.join(pairs)}{more}"


def with_headings(table: Table, found: Mapping[str, str]) -> Table:
    """The table with its headings renamed, and a note that says so."""
    if not found:
        return table
    arrow = table.arrow.rename_columns([found.get(name, name) for name in table.names])
    return Table(arrow=arrow, report=replace(table.report, notes=(*table.report.notes, same_headings(found))))


def _ambiguous(names: Sequence[str], candidates: Sequence[str]) -> DataError:
    if len(candidates) > 1:
        shown = " and ".join(map(repr, candidates[:3]))
        return DataError(
            f"column {names[0]!r} is not in the table, and {shown} both differ from it only in {_SAID}: rename the "
            "right one"
        )
    return DataError(
        f"column {candidates[0]!r} of the table may be {' or '.join(map(repr, names[:3]))} of the model, which differ "
        f"from it only in {_SAID}: rename it to the one you mean"
    )
