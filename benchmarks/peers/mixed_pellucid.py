"""Rows of twelve mixed columns through a model file of Pellucid: no PyTorch is loaded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

import pellucid
from peers.contestant import Contestant, DoesNotApplyError
from peers.job import Arrays, Job

__all__ = ["MixedPellucid", "rows_of"]


def rows_of(columns: dict[str, list[Any]], rows: str) -> tuple[Any, int]:
    """Rows as they come: ``1`` is one dict, ``N dicts`` a list of dicts, ``N columns`` a dict of lists.

    >>> rows_of({"a": [1, 2], "b": ["x", None]}, "3 dicts")[0][2]
    {'a': 1, 'b': 'x'}
    >>> rows_of({"a": [1, 2], "b": ["x", None]}, "3 columns")[0]
    {'a': [1, 2, 1], 'b': ['x', None, 'x']}
    """
    number, _, form = rows.partition(" ")
    count = int(number)
    length = len(next(iter(columns.values())))
    if form == "columns":
        return {name: [values[i % length] for i in range(count)] for name, values in columns.items()}, count
    dicts = [{name: values[i % length] for name, values in columns.items()} for i in range(count)]
    return (dicts[0] if count == 1 else dicts), count


class MixedPellucid(Contestant):
    """`pellucid.load` and ``predict_proba``."""

    timed = "`Model.predict_proba` of rows as they come"

    def __init__(self, job: Job, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        folder = Path(job.folder or "")
        self.model = pellucid.load(folder / "model.safetensors")
        _, columns = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
        del columns["income"]
        self.columns = columns
        self.arrays = replace(arrays, x_test=columns)

    def steps(self, count: int) -> int:
        """It was trained before."""
        raise DoesNotApplyError("a model file does not learn")

    def fit(self) -> None:
        """It was trained before."""

    def inputs_for(self, rows: str) -> tuple[Any, int]:
        """Rows as they come."""
        return rows_of(self.columns, rows)

    def probabilities(self, inputs: Any) -> NDArray[Any]:
        """``[N, 2]``."""
        return self.model.predict_proba(inputs)
