"""Sparse matrices as the dense arrays that a network reads, as long as these fit into memory.

A zero costs nothing in a sparse matrix and as much as any number in a dense one, so that a matrix of a few megabytes
may become one of many gigabytes. Beyond a gigabyte it is refused, with what to do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pellucid.errors import DataError

__all__ = ["dense", "is_sparse"]

MOST_BYTES = 2**30


def is_sparse(X: Any) -> bool:
    """Whether ``X`` is a sparse matrix or array of SciPy, or a pandas frame with sparse columns.

    >>> is_sparse(np.eye(2))
    False
    """
    module = type(X).__module__.split(".")[0]
    if module == "pandas" and hasattr(X, "dtypes") and hasattr(X, "columns"):
        return any(str(kind).startswith("Sparse") for kind in X.dtypes)
    return module == "scipy" and hasattr(X, "toarray")


def dense(X: Any, what: str = "X") -> Any:
    """A dense array or frame of what is sparse; anything else as it is.

    Parameters
    ----------
    what
        What ``X`` is called in a message.

    Raises
    ------
    DataError
        It would take more than a gigabyte.
    """
    if not is_sparse(X):
        return X
    if hasattr(X, "columns"):
        inner = {name: kind.subtype for name, kind in X.dtypes.items() if str(kind).startswith("Sparse")}
        _check_size(X.shape, max(np.dtype(kind).itemsize for kind in inner.values()), what)
        return X.astype(inner)
    if X.dtype.kind not in "biuf":
        raise DataError(f"{what} is a sparse matrix of the type {X.dtype}; a network reads real numbers")
    kept = X.dtype in (np.float32, np.float64)
    _check_size(X.shape, X.dtype.itemsize if kept else 8, what)
    return np.asarray(X.toarray() if kept else X.astype(np.float64).toarray())


def _check_size(shape: tuple[int, ...], bytes_each: int, what: str) -> None:
    size = bytes_each * int(np.prod(shape, dtype=object))
    if size > MOST_BYTES:
        rows, columns = shape[0], shape[-1]
        raise DataError(
            f"{what} is sparse, {rows:,} rows × {columns:,} columns, and a network reads it dense, which takes "
            f"{size / 1e9:,.1f} GB; at most {MOST_BYTES / 1e9:.1f} GB is unpacked unasked. Make fewer columns of it "
            "(sklearn.decomposition.TruncatedSVD(100), or max_features or min_df of a vectoriser), give fewer rows at "
            f"a time, or pass {what}.toarray() if there is memory for several times as much"
        )
