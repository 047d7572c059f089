"""Images, their labels and the names of their files as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.data.tables import ReadReport, Table
from pellucid.errors import DataError

__all__ = ["as_table", "image_column", "name_column"]

Pixels = NDArray[np.uint8]


def as_table(
    pixels: Pixels | pa.Array, labels: pa.Array | None, files: Sequence[str] | None, report: ReadReport
) -> Table:
    """A table of images, with their labels and the names of their files where there are any.

    Parameters
    ----------
    pixels
        ``[N, H, W, C]``, or a column of images.
    labels, files
        For each image.
    report
        What was recognised; the counts are set here.
    """
    columns = {"image": pixels if isinstance(pixels, pa.Array) else image_column(pixels)}
    if labels is not None:
        columns["label"] = labels
    if files is not None:
        if len(files) != len(pixels):
            raise DataError(f"there are {len(files):,} file names but {len(pixels):,} images")
        columns["file"] = name_column(files)
    arrow = pa.table(columns)
    return Table(arrow=arrow, report=replace(report, n_rows=arrow.num_rows, n_columns=arrow.num_columns))


def name_column(names: Sequence[str]) -> pa.Array:
    """Names of files or folders as a column, with bytes that are not UTF-8 escaped."""
    written = [str(name).encode("utf-8", "backslashreplace").decode("utf-8") for name in names]
    return pa.array(written, pa.string()).dictionary_encode()


def image_column(pixels: Pixels) -> pa.Array:
    """The pixels [N, H, W, C] as a column that shares their memory."""
    shape = [int(side) for side in pixels.shape[1:]]
    flat = np.ascontiguousarray(pixels).reshape(-1)
    values = pa.Array.from_buffers(pa.uint8(), len(flat), [None, pa.py_buffer(flat)])
    storage = pa.FixedSizeListArray.from_arrays(values, math.prod(shape))
    return pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.uint8(), shape), storage)
