"""Turn scikit-learn's inputs into the inputs of a network.

Frames and arrays with text, categories, missing or infinite cells are read as a table, with the preprocessing of
`pellucid.train`. Anything else is an array of numbers, whose columns are scaled or cut into bins. Sparse inputs are
made dense first (`pellucid.data.sparse`).

Legend: N rows, I columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pellucid.errors import DataError, SettingError

if TYPE_CHECKING:
    from pellucid.data.numbers.style import NumberStyle
    from pellucid.data.schema import Schema
    from pellucid.data.tables import Table
    from pellucid.preprocessing.recipe import Recipe
    from pellucid.preprocessing.steps.piecewise import Bins
    from pellucid.preprocessing.steps.text import Words
    from pellucid.preprocessing.target import TargetScaler

__all__ = [
    "check_columns",
    "deal_folds",
    "encode",
    "hold_out",
    "is_table",
    "n_rows",
    "read_frame",
    "recipe_of_array",
    "recipe_of_table",
    "take",
    "target_scaler",
]

Array = NDArray[Any]


def check_columns(X: Any) -> None:
    """Raise `DataError` if two columns of a frame have the same name, or if the rows are pictures."""
    if isinstance(X, np.ndarray) and X.ndim in (3, 4):
        raise DataError(
            f"an estimator takes a table [rows, columns], got an array of shape {list(X.shape)}, as pictures have: "
            "train on them with pellucid.train({'image': X, 'label': y}), or give X.reshape(len(X), -1)"
        )
    names = list(getattr(X, "columns", ()))
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise DataError(f"the name {twice!r} is used for two columns; give each column its own name")


def is_table(X: Any) -> bool:
    """Whether no array of finite numbers can stand for ``X``: it holds text, categories, missing or infinite cells.

    >>> is_table(np.zeros((3, 2))), is_table(np.array([[1.0, np.nan]]))
    (False, True)
    """
    module = type(X).__module__.split(".")[0]
    if module == "pandas" and hasattr(X, "columns"):
        if not all(kind.kind in "biuf" for kind in X.dtypes):
            return True
        return not bool(np.isfinite(X.to_numpy(dtype=np.float64, na_value=np.nan)).all())
    if module == "polars" and hasattr(X, "columns"):
        plain = all(kind.is_numeric() or str(kind) == "Boolean" for kind in X.dtypes)
        return not plain or any(X.null_count().row(0)) or not bool(np.isfinite(X.to_numpy().astype(np.float64)).all())
    cells = _as_floats(X)
    return cells is not None and not np.isfinite(cells).all()


def _as_floats(X: Any) -> Array | None:
    """The numbers of an array or a list of rows ``[N, I]``; ``None`` where it is something else."""
    try:
        cells = np.asarray(X)
        if cells.dtype.kind == "O":
            cells = cells.astype(np.float64)
    except (TypeError, ValueError):
        return None
    return cells if cells.ndim == 2 and cells.dtype.kind == "f" else None


def read_frame(X: Any, names: Sequence[str], styles: Mapping[str, NumberStyle | None] | None = None) -> Table:
    """Read a frame or an array ``[N, I]`` as a table with these column names; infinite cells are missing, with a note.

    ``styles`` says how numbers in text were written in the rows that were learned from.

    Raises
    ------
    DataError
        Two columns have one name, or a column holds what no table can.
    """
    from pellucid.data.numbers.style import NumberRules
    from pellucid.data.tables import read_table

    if hasattr(X, "set_axis"):
        source = X.set_axis(list(names), axis=1)
    elif hasattr(X, "rename"):
        source = X.rename(dict(zip(X.columns, names, strict=True)))
    else:
        cells = _as_floats(X)
        cells = np.asarray(X) if cells is None else cells
        source = {name: cells[:, i] for i, name in enumerate(names)}
    return read_table(source, rules=NumberRules(styles=styles or {}))


def recipe_of_table(table: Table, scaling: str, bins: Bins | None, words: Words | None = None) -> tuple[Recipe, Schema]:
    """Fit the preprocessing to all rows of a table; also return its schema.

    Parameters
    ----------
    table
        The training rows.
    scaling
        How numbers are scaled.
    bins
        How numbers are cut into bins; None for no bins.
    words
        How texts are split into words; None for the default.
    """
    from pellucid.data.schema import infer_schema
    from pellucid.preprocessing.recipe import Recipe

    schema = infer_schema(table)
    rows = np.arange(table.n_rows)
    return Recipe.fit(table, schema, rows, scaling=scaling, bins=bins, words=words), schema  # type: ignore[arg-type]


def recipe_of_array(
    X: Array, names: Sequence[str], weights: Array | None, scaling: str = "standard", bins: Bins | None = None
) -> Recipe:
    """Scale every column, or cut it into bins.

    When standardising, a weight of 2 counts as two equal rows; other scalings and bins ignore the weights.

    Parameters
    ----------
    X
        ``[N, I]`` numbers.
    names
        The ``I`` names of the columns.
    weights
        ``[N]``, or None if all are equal.
    scaling
        How numbers are scaled.
    bins
        How numbers are cut into bins; None for no bins.

    Raises
    ------
    DataError
        A number is so large that two of them could not be subtracted.
    """
    from pellucid.preprocessing.recipe import Recipe
    from pellucid.preprocessing.steps.numeric import LARGEST, NumericStep, weighted_moments

    if (too_large := np.abs(X) > np.float64(LARGEST)).any():
        row, column = np.argwhere(too_large)[0].tolist()
        raise DataError(f"column {names[column]!r} must lie within ±{LARGEST:g}, got {X[row, column]:g} in row {row:,}")
    if bins is not None or scaling != "standard":
        recipe = Recipe(steps=tuple(_step(name, X[:, i], scaling, bins) for i, name in enumerate(names)))
        if not recipe.feature_names:
            raise DataError(
                f"no column of X varies, so that there are no bins (n_samples = {len(X):,}): give other rows"
            )
        return recipe
    steps = []
    for i, name in enumerate(names):
        centre, scale = weighted_moments(X[:, i], weights)
        steps.append(NumericStep(name=name, scaling="standard", fill=centre, centre=centre, scale=scale))
    return Recipe(steps=tuple(steps))


def _step(name: str, values: Array, scaling: str, bins: Bins | None) -> Any:
    import pyarrow as pa

    from pellucid.preprocessing.recipe import fit_number

    return fit_number(name, pa.array(np.asarray(values, np.float64)), scaling, bins)  # type: ignore[arg-type]


def target_scaler(values: Array, weights: Array | None) -> TargetScaler:
    """Standardises a regression's targets ``[N]``, each counted ``weights`` ``[N]`` times; answers have no floor.

    Raises
    ------
    DataError
        A target is infinite or too large.
    """
    from pellucid.preprocessing.target import TargetScaler

    return replace(TargetScaler.fit(values, weights), floor=None)


def encode(recipe: Recipe, X: Array | Table, dtype: DTypeLike) -> Array:
    """The network's inputs ``[N, features]`` for an array ``[N, I]`` or a table."""
    from pellucid.preprocessing.steps.numeric import BOUND, NumericStep

    steps = recipe.steps
    if not isinstance(X, np.ndarray):
        return recipe.transform(X, dtype=dtype).flat
    if all(isinstance(s, NumericStep) and s.scaling == "standard" and not s.indicator for s in steps):
        # What the steps do one column after another, for all at once.
        centres, scales = (np.array([getattr(s, what) for s in steps]) for what in ("centre", "scale"))
        with np.errstate(over="ignore", under="ignore"):
            z: Array = X - centres
            z /= np.where(scales, scales, 1.0)
        np.clip(z, -BOUND, BOUND, out=z)
        z[:, scales == 0] = 0.0
        inputs: Array = z.astype(dtype, copy=False)
        return inputs
    return recipe.transform({s.name: np.ascontiguousarray(X[:, i]) for i, s in enumerate(steps)}, dtype=dtype).flat


def take(X: Any, rows: Array) -> Any:
    """The rows of these numbers, of an array or a table; of nothing, nothing."""
    if X is None:
        return None
    return X[rows] if isinstance(X, np.ndarray) else X.take(rows)


def n_rows(X: Array | Table) -> int:
    """How many rows there are."""
    return len(X) if isinstance(X, np.ndarray) else X.n_rows


def hold_out(count: int, share: float, codes: Array | None, seed: int) -> tuple[Array, Array]:
    """The numbers of the training rows and of the held-out rows, both ascending.

    Parameters
    ----------
    count
        The number of rows.
    share
        The share to hold out.
    codes
        ``[N]`` class numbers, so that each class gives its share; a class with one row stays in training. None without
        classes.
    seed
        Decides which rows are held out.

    Raises
    ------
    SettingError
        ``share`` is not between 0 and 1, or leaves one side empty.

    >>> train, held = hold_out(10, 0.2, np.array([0] * 5 + [1] * 5), seed=0)
    >>> len(train), (held // 5).tolist()
    (8, [0, 1])
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise SettingError(f"validation_fraction must lie between 0 and 1, got {share!r}")
    order = np.random.default_rng(seed).permutation(count)
    if codes is not None:
        order = order[np.argsort(codes[order], kind="stable")]
        order = order[np.bincount(codes)[codes[order]] > 1]
    reached = np.floor(np.arange(len(order) + 1) * share + 0.5)  # a step up at each row that is held out
    held = np.sort(order[np.diff(reached) > 0])
    train = np.setdiff1d(np.arange(count), held)
    if not len(held) or not len(train):
        raise SettingError(
            f"validation_fraction {share:g} leaves no row to learn from or to hold out, with n_samples = {count:,}; "
            "give another share, or early_stopping=False"
        )
    return train, held


def deal_folds(count: int, folds: int, codes: Array | None, seed: int) -> list[Array]:
    """The numbers of the rows in each fold, ascending.

    Parameters
    ----------
    count
        The number of rows.
    folds
        The number of folds.
    codes
        ``[N]`` class numbers, so that the classes are spread evenly; None without classes.
    seed
        Decides the order of the rows.

    >>> [len(fold) for fold in deal_folds(11, 4, None, seed=0)]
    [3, 3, 3, 2]
    """
    order = np.random.default_rng(seed).permutation(count)
    if codes is not None:
        order = order[np.argsort(codes[order], kind="stable")]
    return [np.sort(order[k::folds]) for k in range(folds)]
