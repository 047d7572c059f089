"""Read images as a table: one row per image, with its pixels in the column ``image``.

| column | type | where |
|---|---|---|
| ``image`` | fixed-shape tensor of bytes, [height, width, channels] | always |
| ``label`` | text for class folders, otherwise as in the source | if there are labels |
| ``file`` | text | if each image is a file |

Sources are folders with a folder for each class, zip archives of these, pairs of idx files, NumPy's ``.npz``, and, for
predictions, single image files.

``N`` images, ``H`` rows of pixels, ``W`` columns of pixels, ``C`` channels (1 grey, 3 red, green, blue).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

import pyarrow as pa

from pellucid.data.columns.images import is_image_type, pixels_of
from pellucid.data.files.stores import Folder, Listing, Loose, Store, Zip, open_zip
from pellucid.data.images.array_files import Arrays, read_idx_folder, read_idx_pair, read_npz
from pellucid.data.images.arrays import as_label_column, as_pixels, with_channels
from pellucid.data.images.as_table import as_table
from pellucid.data.images.decode import resize_pixels
from pellucid.data.images.from_files import Conversion, tables_of_files
from pellucid.data.images.layout import WANTED, Layout, Part, lay_out
from pellucid.data.images.recognise import is_image_source, recognise
from pellucid.data.images.size import LONGER_SIDE, check_memory, chosen_channels, chosen_size
from pellucid.data.tables import ReadReport, Table
from pellucid.errors import DataError, SettingError, StorageError, UserError, nearest
from pellucid.io.files import could_not

__all__ = ["ImageTables", "image_table", "is_image_source", "is_image_type", "pixels_of", "read_images"]

MAX_SIDE = 4096


@dataclass(frozen=True, kw_only=True)
class ImageTables:
    """The images that were read.

    Parameters
    ----------
    train
        All images, or the training part.
    test
        The test part, if the source has one.
    labelled
        Whether there is a column ``label``.
    """

    train: Table
    test: Table | None
    labelled: bool


def read_images(  # noqa: PLR0911 (one return for each kind of source)
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    expect_labels: bool = True,
    max_unpacked: int | None = None,
    longer_side: int = LONGER_SIDE,
    skip_unreadable: bool = False,
) -> ImageTables:
    """Read images, all with the same size and number of channels.

    Parameters
    ----------
    source
        A folder with a folder for each class, perhaps within ``train`` and ``test``; a zip archive of these; an idx
        file of images with its labels next to it, or a folder of idx files; an ``.npz`` archive. Without
        `expect_labels` also an image file, a list of image files, or a folder of images.
    size
        Height and width in pixels. When None, the most common size; if that has more pixels than the square of
        `longer_side`, it is reduced to that longer side. Images of another shape are stretched, never cut off.
    channels
        1 (grey) or 3 (red, green, blue). When None, grey if every image is.
    expect_labels
        False for predictions: labels are then optional.
    max_unpacked
        How many MB a zip archive, a compressed idx file or an ``.npz`` archive may unpack to; when None, the larger of
        100 MB and 100 times its size.
    longer_side
        The limit for a size that is chosen here, in pixels.
    skip_unreadable
        Leave out image files that cannot be read, with a note, instead of refusing the whole source.

    Raises
    ------
    DataError
        The source holds no images, has no labels, or is damaged; the message names the file.
    SettingError
        The size or the number of channels is invalid.
    StorageError
        A file exists but cannot be read.
    """
    wish = _Wish(
        size=size,
        channels=channels,
        expect_labels=expect_labels,
        max_unpacked=max_unpacked,
        longer_side=longer_side,
        skip_unreadable=skip_unreadable,
    )
    if not isinstance(source, str | os.PathLike):
        return _read_list(source, wish)
    path, shown = Path(source), repr(os.fspath(source))
    try:
        found = recognise(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if found is None:
        if not path.exists():
            raise DataError(f"there is no file {shown}: check the path")
        if not path.is_dir():
            raise DataError(
                f"{shown} holds no images: it is neither an image file, nor a zip archive of some, nor idx or npz"
            )
        return _read_folder(path, shown, wish)  # which says what the folder holds instead
    match found.kind:
        case "folder":
            return _read_folder(found.path, shown, wish)
        case "zip":
            return _read_zip(found.path, shown, wish)
        case "image":
            return _read_single([os.fspath(source)], shown, wish)
        case "npz":
            parts = read_npz(path, expect_labels=expect_labels, max_unpacked=max_unpacked)
            return _from_arrays(parts, shown, "npz", wish)
        case "idx":
            part = read_idx_pair(path, expect_labels=expect_labels, max_unpacked=max_unpacked)
            return _from_arrays((part, None), shown, "idx", wish)
        case "idx folder":
            names = [entry.name for entry in found.path.iterdir()]
            parts = read_idx_folder(found.path, names, expect_labels=expect_labels, max_unpacked=max_unpacked)
            return _from_arrays(parts, shown, "idx", wish)
        case _:
            assert_never(found.kind)


def image_table(
    pixels: Any, labels: Any = None, *, source: str = "images in memory", files: Sequence[str] | None = None
) -> Table:
    """Make a table of images that are already in memory.

    Parameters
    ----------
    pixels
        [N, H, W] or [N, H, W, C]: whole numbers from 0 to 255, booleans, or fractions from 0 to 1, which are rounded to
        256 shades. Only the type of the array decides which, never its values.
    labels
        [N] numbers or texts.
    source
        The name of this table in the report.
    files
        [N] names of the image files.

    Raises
    ------
    DataError
        The shape or the values are different.

    >>> import numpy as np
    >>> table = image_table(np.zeros((2, 28, 28), np.uint8), ["zero", "one"])
    >>> table.names, pixels_of(table.column("image")).shape
    (('image', 'label'), (2, 28, 28, 1))
    """
    values, notes = as_pixels(pixels, "the images")
    check_memory(len(values), (values.shape[1], values.shape[2]), values.shape[3], source)
    column = None if labels is None else as_label_column(labels, len(values), "the labels")
    return as_table(values, column, files, ReadReport(source=source, format="array", notes=notes))


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """What the caller of `read_images` asked for."""

    size: tuple[int, int] | None
    channels: int | None
    expect_labels: bool
    max_unpacked: int | None
    longer_side: int = LONGER_SIDE
    skip_unreadable: bool = False

    def __post_init__(self) -> None:
        """Check the size and the channels."""
        size = self.size
        if size is not None and (
            not isinstance(size, tuple)
            or len(size) != 2
            or not all(isinstance(side, int) and not isinstance(side, bool) and 1 <= side <= MAX_SIDE for side in size)
        ):
            raise SettingError(f"size must be (height, width), whole numbers from 1 to {MAX_SIDE}, got {size!r}")
        if self.channels not in (None, 1, 3):
            raise SettingError(f"channels must be 1 (grey) or 3 (red, green, blue), got {self.channels!r}")


# --- image files


def _read_folder(path: Path, shown: str, wish: _Wish) -> ImageTables:
    store = Folder(root=path)
    return _from_files(store, _laid_out(store.listing(), shown, wish), shown, "image folder", wish)


def _read_zip(path: Path, shown: str, wish: _Wish) -> ImageTables:
    with open_zip(path) as archive:
        store = Zip(path=os.fspath(path), archive=archive, max_unpacked=wish.max_unpacked)
        return _from_files(store, _laid_out(store.listing(), shown, wish), shown, "zip of images", wish)


def _laid_out(listing: Listing, shown: str, wish: _Wish) -> Layout:
    return lay_out(listing, shown, expect_labels=wish.expect_labels)


def _read_list(source: Any, wish: _Wish) -> ImageTables:
    if not isinstance(source, Sequence) or isinstance(source, bytes | bytearray):
        raise SettingError(f"source must be a path or a list of paths of image files, got {type(source).__name__}")
    if not all(isinstance(one, str | os.PathLike) for one in source):
        raise SettingError("source must be a path or a list of paths of image files, got a list of something else")
    names = [os.fspath(one) for one in source]
    if not names:
        raise DataError("the list of image files is empty; give at least one")
    return _read_single(names, repr(names[0]) if len(names) == 1 else f"{len(names):,} image files", wish)


def _read_single(names: Sequence[str], shown: str, wish: _Wish) -> ImageTables:
    """Image files that were named one by one, in the order given."""
    if wish.expect_labels:
        seen = "is a single image" if len(names) == 1 else "are named one by one"
        raise DataError(f"{shown} {seen}, without labels; {WANTED}")
    folder = next((name for name in names if Path(name).is_dir()), None)
    if folder is not None:
        raise DataError(
            f"{folder!r} is a folder, but a list of images must hold files; pass only the folder to read it"
        )
    layout = Layout(train=Part(files=tuple(names), labels=None), test=None, notes=())
    return _from_files(Loose(), layout, shown, "image", wish)


def _from_files(store: Store, layout: Layout, shown: str, form: str, wish: _Wish) -> ImageTables:
    return _tables(
        tables_of_files(
            store,
            layout,
            shown,
            form,
            Conversion(size=wish.size, channels=wish.channels, longer_side=wish.longer_side, skip=wish.skip_unreadable),
        )
    )


# --- images stored as arrays


def _from_arrays(parts: tuple[Arrays, Arrays | None], shown: str, form: str, wish: _Wish) -> ImageTables:
    given = [part for part in parts if part is not None]
    converted = [as_pixels(part.images, f"the images {part.images_name}") for part in given]
    sizes = [(pixels.shape[1], pixels.shape[2]) for pixels, _ in converted for _ in range(len(pixels))]
    n_colour = sum(len(pixels) for pixels, _ in converted if pixels.shape[3] == 3)
    size, notes = chosen_size(sizes, wish.size)
    channels, note = chosen_channels(n_colour, len(sizes), wish.channels)
    check_memory(len(sizes), size, channels, shown)
    labelled = all(part.labels is not None for part in given)
    notes = (*notes, note, *dict.fromkeys(note for _, said in converted for note in said))
    tables = []
    for part, (pixels, _), where in zip(given, converted, (shown, f"{shown}, test part"), strict=False):
        if pixels.shape[1:3] != size:
            pixels = resize_pixels(pixels, size)  # noqa: PLW2901
        labels = as_label_column(part.labels, len(pixels), f"the labels {part.labels_name}") if labelled else None
        report = ReadReport(source=where, format=form, notes=notes)
        tables.append(as_table(with_channels(pixels, channels), labels, None, report))
    if labelled and len(tables) == 2:
        _compare_labels(tables[0], tables[1], shown)
    return _tables(tables)


def _compare_labels(train: Table, test: Table, shown: str) -> None:
    """Check that the test part has labels of the same kind, and only classes of the training part."""
    known, met = train.column("label"), test.column("label")
    if known.type != met.type:
        raise DataError(
            f"{shown}: the labels of the training part are {known.type}, but those of the test part {met.type}; "
            "save both in the same way"
        )
    if pa.types.is_floating(known.type):
        return
    strange = sorted(set(met.unique().to_pylist()) - set(known.unique().to_pylist()), key=str)
    if strange and (pa.types.is_dictionary(known.type) or len(known.unique()) <= 1000):
        raise DataError(
            f"{shown}: the test part has the label {strange[0]!r}, which is not in the training part"
            f"{nearest(str(strange[0]), map(str, known.unique().to_pylist()))}; both parts must have the same classes"
        )


# --- tables


def _tables(tables: Sequence[Table]) -> ImageTables:
    test = tables[1] if len(tables) > 1 else None
    labelled = all("label" in table.names for table in tables)
    return ImageTables(train=tables[0], test=test, labelled=labelled)


def _unreadable(path: Path, error: OSError | ValueError) -> UserError:
    if isinstance(error, OSError):
        return StorageError(could_not("read", path, error))
    return DataError(f"{os.fspath(path)!r} cannot be a path ({error}); check it")
