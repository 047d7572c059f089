"""Convert sparse matrices to the dense arrays that a network reads, as long as these fit into memory.

A zero takes no memory in a sparse matrix but as much as any number in a dense one, so a few megabytes may become many
gigabytes. Above one gigabyte the matrix is refused, with advice.
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
    """Make a sparse array or frame dense; return anything else unchanged.

    Parameters
    ----------
    what
        The name of ``X`` in messages.

    Raises
    ------
    DataError
        The dense array would take more than one gigabyte.
    """
    if not is_sparse(X):
        return X
    if hasattr(X, "columns"):
        inner = {name: kind.subtype for name, kind in X.dtypes.items() if str(kind).startswith("Sparse")}
        _check_size(X.shape, max(np.dtype(kind).itemsize for kind in inner.values()), what)
        return X.astype(inner)
    if X.dtype.kind not in "biuf":
        raise DataError(f"{what} is a sparse matrix of type {X.dtype}; a network needs real numbers")
    kept = X.dtype in (np.float32, np.float64)
    _check_size(X.shape, X.dtype.itemsize if kept else 8, what)
    return np.asarray(X.toarray() if kept else X.astype(np.float64).toarray())


def _check_size(shape: tuple[int, ...], bytes_each: int, what: str) -> None:
    size = bytes_each * int(np.prod(shape, dtype=object))
    if size > MOST_BYTES:
        rows, columns = shape[0], shape[-1]
        raise DataError(
            f"{what} is sparse, {rows:,} rows × {columns:,} columns; a network needs it dense, which takes "
            f"{size / 1e9:,.1f} GB, and at most {MOST_BYTES / 1e9:.1f} GB is converted automatically. Reduce its "
            "columns (sklearn.decomposition.TruncatedSVD(100), or max_features or min_df of a vectoriser), pass fewer "
            f"rows at a time, or pass {what}.toarray() if there is memory for several times as much"
        )
