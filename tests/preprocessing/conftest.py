"""Small tables and schemas made by hand, so that these tests do not lean on how kinds are guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pellucid.data.schema import Column, Schema
from pellucid.preprocessing import Recipe


def schema_of(kinds: Mapping[str, str], n_rows: int = 0) -> Schema:
    """A schema in which every column is a feature of the given kind."""
    columns: Any = tuple(
        Column(name=name, kind=kind, role="feature", reason="by hand", n_missing=0, n_distinct=0)  # type: ignore[arg-type]
        for name, kind in kinds.items()
    )
    return Schema(columns=columns, n_rows=n_rows, warnings=(), target=None, group=None, time=None)


def fitted(columns: Mapping[str, Any], kinds: Mapping[str, str], rows: Any = None, **settings: Any) -> Recipe:
    """A recipe from columns by name, on all rows or the given ones."""
    table = pa.table(
        {name: pa.array(values) if isinstance(values, list) else values for name, values in columns.items()}
    )
    rows = np.arange(len(table)) if rows is None else np.asarray(rows)
    return Recipe.fit(table, schema_of(kinds), rows, **settings)


@pytest.fixture(scope="session")
def fit() -> Callable[..., Recipe]:
    """`fitted`, for tests that cannot import from here."""
    return fitted
