"""Where rows come from: a built-in set, a file, a folder of images, something in memory.

Training, predicting and measuring open their rows here, so any source for training also works for predicting.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pellucid.data.builtin import BUILTIN, load_builtin
from pellucid.data.columns.series import series_shape
from pellucid.data.files.standard_input import is_standard_input
from pellucid.data.given import image_columns, image_shape, is_builtin, is_images, with_image_name
from pellucid.data.numbers.style import NumberRules
from pellucid.data.tables import Table, read_table, styles_of
from pellucid.data.texts.read import FORMATS as TEXT_FORMATS
from pellucid.data.texts.read import is_text_folder, read_texts
from pellucid.errors import DataError, SettingError
from pellucid.preparation.series import as_series, open_series, series_like
from pellucid.settings.config import holds_run
from pellucid.settings.settings import Settings

__all__ = [
    "Source",
    "check_no_run",
    "images_in_memory",
    "open_images",
    "open_source",
    "open_table",
    "open_test_table",
    "open_texts",
    "reading",
    "test_part",
]


@dataclass(frozen=True, kw_only=True)
class Source:
    """The rows of a source, a short name for it, and its own test rows, if it has any."""

    table: Table
    name: str
    test: Table | None = None


def open_source(data: object, settings: Settings) -> Source:  # noqa: PLR0911 (one return for each kind of source)
    """Read ``data``: a path of a table or of images, a built-in name, a frame, an array of images.

    Raises
    ------
    DataError
        It cannot be read as either.
    SettingError
        ``image_size`` or ``image_channels`` is given without image files; or the name is empty.
    """
    if isinstance(data, str) and not data.strip():
        raise SettingError(
            f"data must be a path or a built-in name, got {data!r}: 'pellucid data' lists the built-in sets"
        )
    _check_kind_of_source(data, settings)
    if (series := open_series(data, settings)) is not None:
        return Source(table=series.train, test=series.test, name=_name_of(data))
    if isinstance(data, str | os.PathLike) and is_images(data):
        return open_images(
            data,
            size=settings.image_size,
            channels=settings.image_channels,
            labels=settings.task != "reconstruction",
            max_unpacked=settings.max_unpacked,
            longer_side=_longer_side(settings),
            skip_unreadable=settings.skip_unreadable,
        )
    if isinstance(data, str | os.PathLike) and is_text_folder(data) and not is_builtin(data):
        return _texts(data, settings)
    if is_builtin(data) or isinstance(data, Table):
        own = as_series(data, settings) if isinstance(data, Table) else load_builtin(str(data))[0]
        return Source(table=own, name="table" if isinstance(data, Table) else str(data))
    if not isinstance(data, str | os.PathLike):
        table = images_in_memory(data)
        if table is None:
            table = as_series(read_table(data, **reading(settings, file=False)), settings)
        return Source(table=table, name="table" if image_shape(table) is None else "images")
    try:
        table = as_series(read_table(data, **reading(settings, file=True)), settings)
    except DataError as error:
        if Path(
            data
        ).is_dir():  # no images in it either: the error of their reader says what was expected and what is there
            try:
                return open_images(data, labels=settings.task != "reconstruction")
            except DataError as of_images:
                raise DataError(f"{error}; as images it cannot be read either: {of_images}") from of_images
        if not is_standard_input(data) and not Path(data).exists() and os.sep not in str(data) and "." not in str(data):
            raise DataError(f"{error}; built-in sets are {', '.join(BUILTIN)}") from error
        raise
    return Source(table=table, name=_name(data, "table"))


def open_table(data: object, settings: Settings) -> tuple[Table, str]:
    """The table of `open_source` and its name."""
    source = open_source(data, settings)
    return source.table, source.name


def open_test_table(data: object, settings: Settings, like: Table) -> Table:
    """Read separate test rows as the training table ``like`` was read; images are brought to its size and channels."""
    shape = image_shape(like)
    check_no_run(data)
    if series_shape(like) is not None:
        return open_test_series(data, settings, like)
    if isinstance(data, str | os.PathLike) and is_images(data):
        if shape is None:
            raise DataError(f"the test data {os.fspath(data)!r} are images, but the training table holds none")
        labels = settings.task != "reconstruction"
        most = settings.max_unpacked
        images = open_images(
            data,
            size=shape[:2],
            channels=shape[2],
            labels=labels,
            max_unpacked=most,
            skip_unreadable=settings.skip_unreadable,
        )
        return _named_like(test_part(images), like)
    if isinstance(data, str | os.PathLike) and is_text_folder(data):
        return test_part(_texts(data, settings))
    table = images_in_memory(data)
    if table is None:
        table = read_table(data, **reading(settings, file=isinstance(data, str | os.PathLike), like=like))
    if shape is not None and image_shape(table) is None:
        raise DataError(f"the test data {table.report.source} hold no images, but the training data do: give images")
    return _named_like(table, like)


def open_test_series(data: object, settings: Settings, like: Table) -> Table:
    """Read separate test rows of series as the training table ``like`` was read."""
    series = open_series(data, settings)
    if series is not None:
        table = test_part(Source(table=series.train, test=series.test, name="test"))
    elif isinstance(data, Table) and series_shape(data) is not None:
        table = data
    else:
        read = read_table(data, **reading(settings, file=isinstance(data, str | os.PathLike)))
        table = as_series(read, replace(settings, series=True), like=like)
    return series_like(table, like)


def test_part(source: Source) -> Table:
    """What a source is measured or predicted on: its own test part if it has one, with a note, else all of it."""
    if source.test is None:
        return source.table
    n, of_texts = source.test.n_rows, source.table.report.format in TEXT_FORMATS
    what = "texts" if of_texts else "series" if series_shape(source.table) is not None else "images"
    note = f"{source.table.report.source} holds training and test {what}; the {n:,} test {what} are used"
    notes = tuple(dict.fromkeys((*source.test.report.notes, note)))
    return replace(source.test, report=replace(source.test.report, notes=notes))


def check_no_run(data: object) -> None:
    """Raise `DataError` if the folder of a run is given instead of rows."""
    if not isinstance(data, str | os.PathLike) or is_builtin(data) or not Path(data).is_dir():
        return
    if holds_run(data):
        raise DataError(
            f"{os.fspath(data)!r} is a run folder, not a table: give the table or the images; 'pellucid report' and "
            "'pellucid inspect' show what a run holds"
        )


def _check_kind_of_source(data: object, settings: Settings) -> None:
    """Raise if ``data`` is a run, or if a setting is for another kind of source."""
    check_no_run(data)
    of_path = isinstance(data, str | os.PathLike)
    of_images = isinstance(data, str | os.PathLike) and is_images(data)
    for name in ("image_size", "image_channels"):
        if not of_images and getattr(settings, name) is not None:
            raise SettingError(f"{name} is for images that are read from files, and these rows are not; leave it out")
    if isinstance(data, Table) or (
        of_path and not of_images and not is_builtin(data)
    ):  # the kind of a file is found later
        return
    for name, of in (("sheet", "workbooks"), ("table", "databases and zip archives")):
        if (value := getattr(settings, name)) is not None:
            raise SettingError(f"{name} is {value!r}, but only {of} have {name}s, and these rows come from none")


# ── images ────────────────────────────────────────────────────────────────────────────────────────────────────


def open_images(
    data: str | os.PathLike[str],
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    labels: bool = True,
    max_unpacked: int | None = None,
    longer_side: int = 64,
    skip_unreadable: bool = False,
) -> Source:
    """Read images.

    Parameters
    ----------
    data
        The path of a folder, a zip, one image, idx or npz files.
    size, channels
        Height and width, and channels, to which image files are converted; ``None``: as the files have them.
    labels
        Whether each image needs a label.
    max_unpacked
        The limit to which packed files may unpack, in MB.
    longer_side
        The limit in pixels for a size that is not given.
    skip_unreadable
        Whether files that cannot be read are left out.

    Raises
    ------
    DataError
        There are no images, they cannot be read, or they have no labels.
    """
    from pellucid.data.images.read import read_images

    found = read_images(
        data,
        size=size,
        channels=channels,
        expect_labels=labels,
        max_unpacked=max_unpacked,
        longer_side=longer_side,
        skip_unreadable=skip_unreadable,
    )
    return Source(table=found.train, test=found.test, name=_name(data, "images"))


def open_texts(
    data: str | os.PathLike[str],
    *,
    encoding: str | None = None,
    labels: bool = True,
    max_unpacked: int | None = None,
    skip_unreadable: bool = False,
) -> Source:
    """Read a folder, or a zip archive, with a folder of texts for each class.

    Parameters
    ----------
    data
        Its path.
    encoding
        Of all files; ``None``: recognised for each.
    labels
        Whether each text needs a label.
    max_unpacked
        The limit to which an archive may unpack, in MB.
    skip_unreadable
        Whether files that cannot be read are left out.
    """
    found = read_texts(
        data,
        encoding=encoding,
        max_unpacked=max_unpacked,
        skip_unreadable=skip_unreadable,
        expect_labels=labels,
    )
    return Source(table=found.train, test=found.test, name=_name(data, "texts"))


def _texts(data: str | os.PathLike[str], settings: Settings) -> Source:
    return open_texts(
        data,
        encoding=settings.encoding,
        max_unpacked=settings.max_unpacked,
        skip_unreadable=settings.skip_unreadable,
    )


def _longer_side(settings: Settings) -> int:
    """The limit for a size that is not given: a fully connected network needs a weight for every pixel."""
    return 64 if settings.network == "mlp" or settings.task == "reconstruction" else 128


def images_in_memory(data: object) -> Table | None:
    """A table of an array ``[N, H, W]`` or ``[N, H, W, C]``, or of a dict with such a column; None for others."""
    from pellucid.data.images.read import image_table

    if isinstance(data, np.ndarray) and data.ndim in (3, 4):
        return image_table(data)
    if not isinstance(data, Mapping):
        return None
    of_images = {name: v for name, v in data.items() if isinstance(v, np.ndarray) and v.ndim in (3, 4)}
    if not of_images:
        return None
    made = {str(name): image_table(pixels) for name, pixels in of_images.items()}
    first = next(iter(made.values()))
    columns = {name: table.column("image") for name, table in made.items()}
    rest = {name: v for name, v in data.items() if name not in of_images}
    notes = [note for table in made.values() for note in table.report.notes]
    report = first.report
    if rest:
        others = read_table(rest)
        columns |= {name: others.column(name) for name in others.names}
        seen = others.report
        report = replace(report, missing=seen.missing, infinite=seen.infinite, origins=seen.origins, lists=seen.lists)
        notes += others.report.notes
    report = replace(report, notes=tuple(dict.fromkeys(notes)))
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name!r}: {n:,}" for name, n in list(lengths.items())[:6])
        raise DataError(f"the columns have different lengths ({shown}); each needs one value per image")
    arrow = pa.table(columns)
    return Table(arrow=arrow, report=replace(report, n_rows=arrow.num_rows, n_columns=arrow.num_columns))


def _named_like(table: Table, like: Table) -> Table:
    names = image_columns(like)
    return with_image_name(table, names[0]) if len(names) == 1 else table


# ── small things ──────────────────────────────────────────────────────────────────────────────────────────────


def reading(settings: Settings, *, file: bool, like: Table | None = None) -> dict[str, Any]:
    """The settings that say how a table is read, as keywords of `read_table`; ``like`` is one that it must match."""
    categories = [name for name in settings.categorical if name not in settings.numeric] if file else []
    of_both = {
        "missing": settings.missing or None,
        "numeric_columns": settings.numeric,
        "text_columns": (*categories, *settings.text),
        "rules": NumberRules(
            decimal=settings.decimal,
            thousands=settings.thousands,
            label=settings.target,
            styles={} if like is None else styles_of(like),
        ),
    }
    if not file:
        return of_both
    return {
        **of_both,
        "header": settings.header,
        "header_row": settings.header_row,
        "names": settings.names,
        "comment": settings.comment,
        "trim": settings.trim,
        "separator": settings.separator,
        "encoding": settings.encoding,
        "sheet": settings.sheet,
        "table": settings.table,
        "max_unpacked": settings.max_unpacked,
        "remembered": () if like is None else ("sheet", "table"),
    }


def _name_of(data: object) -> str:
    if not isinstance(data, str | os.PathLike):
        return "series"
    name = _name(data, "series")
    return name[: -len("_TRAIN")] if name.endswith("_TRAIN") and len(name) > len("_TRAIN") else name


def _name(data: str | os.PathLike[str], otherwise: str) -> str:
    if is_standard_input(data):
        return "stdin"
    return Path(data).absolute().name.split(".")[0] or otherwise
