"""Read texts as a table: one row per file, with the columns ``text``, ``label`` (its class folder) and ``file``.

Sources are folders with a folder for each class, and zip archives of these. Files are decoded as tables are: UTF-8 and
byte-order marks are certain, other bytes are read as cp1252 with a note. All files that cannot be read are named in one
error, or left out where that is asked for.
"""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pyarrow as pa

from pellucid.data.files.compression import Limit
from pellucid.data.files.stores import MAX_ENTRY, MAX_UNPACKED, Folder, Store, Zip, is_image_name, is_litter, open_zip
from pellucid.data.notes import CellNote
from pellucid.data.tables import ReadReport, Table
from pellucid.data.text_files.encodings import to_utf8
from pellucid.data.texts.layout import TextLayout, is_text_name, lay_out_texts
from pellucid.errors import DataError, PellucidError

__all__ = ["FORMATS", "TextTables", "is_text_folder", "read_texts"]

FORMATS = ("folder of texts", "zip of texts")

_ENTRIES = 20_000  # how many names are looked at to recognise a folder
_LISTED = 20  # files in an error
_REMEDY = "remove or replace them, or leave them out: skip_unreadable (--skip-unreadable)"


@dataclass(frozen=True, kw_only=True)
class TextTables:
    """All texts, or the training part; and the test part, if the source has one."""

    train: Table
    test: Table | None


def is_text_folder(source: object) -> bool:
    """Whether this is a folder, or a zip archive, with texts in folders of their own and no other data; never raises.

    A README or another file beside the folders is allowed, a picture anywhere or a file of another kind among the texts
    is not.

    >>> is_text_folder("no-such-folder"), is_text_folder({"a": [1]})
    (False, False)
    """
    if not isinstance(source, str | os.PathLike):
        return False
    path = Path(source)
    try:
        if path.is_dir():
            names = list(islice(_names_below(path), _ENTRIES))
        elif path.suffix.lower() == ".zip" and path.is_file():
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
            names = [name for name in names if not any(is_litter(part) for part in name.split("/"))]
        else:
            return False
    except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
        return False
    inside = [name for name in names if "/" in name]
    return bool(inside) and all(map(is_text_name, inside)) and not any(map(is_image_name, names))


def read_texts(
    source: str | os.PathLike[str],
    *,
    encoding: str | None = None,
    max_unpacked: int | None = None,
    skip_unreadable: bool = False,
    expect_labels: bool = True,
) -> TextTables:
    """Read the texts of a folder or a zip archive.

    Parameters
    ----------
    source
        A folder with a folder for each class, perhaps within ``train`` and ``test``; or a zip archive of these.
    encoding
        Of all files; when None, it is recognised for each.
    max_unpacked
        How many MB a zip archive may unpack to; when None, the larger of 100 MB and 100 times its size.
    skip_unreadable
        Leave out files that cannot be read, with a note, instead of refusing the whole source.
    expect_labels
        False for predictions: texts may then lie in no folder of a class, and no row has a label if one has none.

    Raises
    ------
    DataError
        There are no texts in folders, or files cannot be read; the message names them.
    StorageError
        The folder or the archive cannot be read.
    """
    path, shown = Path(source), repr(os.fspath(source))
    if path.is_dir():
        store = Folder(root=path)
        layout = lay_out_texts(store.listing().others, shown, expect_labels=expect_labels)
        return _read(store, layout, shown, FORMATS[0], encoding, skip_unreadable)
    with open_zip(path) as archive:
        packed = Zip(path=os.fspath(path), archive=archive, max_unpacked=max_unpacked)
        files = packed.listing().others
        sizes = [packed.entries[file].file_size for file in files if is_text_name(file)]
        Limit(source=shown, size=path.stat().st_size, max_unpacked=max_unpacked).check(sum(sizes))
        layout = lay_out_texts(files, shown, expect_labels=expect_labels)
        return _read(packed, layout, shown, FORMATS[1], encoding, skip_unreadable)


def _read(store: Store, layout: TextLayout, shown: str, form: str, encoding: str | None, skip: bool) -> TextTables:
    """The tables of both parts.

    Parameters
    ----------
    store, layout
        Where the files are, and which are of which part and class.
    shown, form
        The name of the source, and its kind, for the report.
    encoding, skip
        As for `read_texts`.
    """
    parts = [part for part in (layout.train, layout.test) if part]
    n_bytes = sum(store.stamp(file)[0] for part in parts for file, _ in part)
    if n_bytes > MAX_UNPACKED:
        raise DataError(f"the texts of {shown} hold {n_bytes:,} bytes, more than the limit of {MAX_UNPACKED:,}")
    bad: list[str] = []
    found: Counter[str] = Counter()
    rows = [list(_texts_of(store, part, encoding, bad, found)) for part in parts]
    n_files = sum(map(len, parts))
    if bad and (not skip or len(bad) == n_files):
        more = f"\n  and {len(bad) - _LISTED:,} more" if len(bad) > _LISTED else ""
        listed = "".join(f"\n  {one}" for one in bad[:_LISTED]) + more
        raise DataError(f"{len(bad):,} of the {n_files:,} texts of {shown} cannot be read ({_REMEDY}):{listed}")
    notes = list(layout.notes)
    if bad:
        notes.append(
            CellNote(f"{len(bad):,} of the {n_files:,} texts cannot be read and were left out (first: {bad[0]})")
        )
    notes += [
        f"{n:,} of the {n_files:,} texts {'is' if n == 1 else 'are'} no UTF-8 and {'was' if n == 1 else 'were'} read "
        f"as {name}; --encoding overrides it"
        for name, n in found.most_common()
        if encoding is None and not name.startswith("utf-8")
    ]
    tables = [
        _table(part, ReadReport(source=where, format=form, encoding=encoding, notes=tuple(notes)))
        for part, where in zip(rows, (shown, f"{shown}, test part"), strict=False)
    ]
    return TextTables(train=tables[0], test=tables[1] if len(tables) > 1 else None)


def _texts_of(
    store: Store, part: Sequence[tuple[str, str]], encoding: str | None, bad: list[str], found: Counter[str]
) -> Iterator[tuple[str, str, str]]:
    """Text, label and name of each file; what cannot be read goes to ``bad``, and encodings are counted in ``found``.

    Parameters
    ----------
    store
        Where the files are.
    part
        Their names and labels.
    encoding
        As for `read_texts`.
    bad, found
        Filled here.
    """
    for file, label in part:
        try:
            if store.stamp(file)[0] > MAX_ENTRY:
                raise DataError(f"{store.shown(file)} has more than {MAX_ENTRY:,} bytes")
            with store.open(file) as stream:
                decoded = to_utf8(pa.py_buffer(stream.read()), store.shown(file), encoding)
            text = decoded.content.to_pybytes().decode("utf-8")
            if "\0" in text:
                raise DataError(f"{store.shown(file)} holds zero bytes, so it is no text")
        except PellucidError as error:
            bad.append(str(error))
            continue
        except OSError as error:
            bad.append(f"{store.shown(file)}: {error.strerror or error}")
            continue
        found[decoded.encoding] += 1
        yield text, label, file


def _table(rows: Sequence[tuple[str, str, str]], report: ReadReport) -> Table:
    texts, labels, files = zip(*rows, strict=True) if rows else ((), (), ())
    columns = {"text": texts, "label": labels, "file": files}
    arrow = pa.table({name: pa.array(cells, pa.string()).dictionary_encode() for name, cells in columns.items()})
    if "" in labels:
        arrow = arrow.drop_columns(["label"])
    return Table(arrow=arrow, report=replace(report, n_rows=arrow.num_rows, n_columns=arrow.num_columns))


def _names_below(folder: Path, below: str = "") -> Iterator[str]:
    """Names of files in a folder and below it."""
    with os.scandir(folder / below) as entries:
        found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    for name, is_folder in found:
        if is_litter(name):
            continue
        path = f"{below}/{name}" if below else name
        if is_folder:
            yield from _names_below(folder, path)
        else:
            yield path
