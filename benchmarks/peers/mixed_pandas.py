"""The same rows through what many people write: a pandas frame, a ``ColumnTransformer`` and a PyTorch module."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from peers.contestant import Contestant, DoesNotApplyError
from peers.job import Arrays, Job
from peers.mixed_pellucid import rows_of
from peers.plain import Plain, probabilities

__all__ = ["MixedPandas"]


class MixedPandas(Contestant):
    """Impute, scale, one-hot, and a module that was trained by the plain loop."""

    timed = "DataFrame → `ColumnTransformer.transform` → module"

    def __init__(self, job: Job, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        tables = json.loads((Path(job.folder or "") / "rows.json").read_text(encoding="utf-8"))
        for table in tables:
            del table["income"]
        self.columns = tables[1]
        self.arrays = replace(arrays, x_test=tables[1])
        frame = pd.DataFrame(tables[0])
        self.transformer = make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), make_column_selector(dtype_include="number")),
            (
                make_pipeline(
                    SimpleImputer(strategy="most_frequent"),
                    OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                ),
                make_column_selector(dtype_exclude="number"),
            ),
        )
        x = self.transformer.fit_transform(frame).astype(np.float32)
        fitted = Job(
            name="mixed", widths=(x.shape[1], 64, 32, 1), batch=256, rows=len(x), epochs=5, threads=job.threads
        )
        self.loop = Plain(fitted, Arrays(x=x, y=arrays.y, x_test=x[:1], y_test=arrays.y[:1]))
        self.loop.fit()

    def steps(self, count: int) -> int:
        """It was trained before."""
        raise DoesNotApplyError("only predictions are timed")

    def fit(self) -> None:
        """It was trained before."""

    def inputs_for(self, rows: str) -> tuple[Any, int]:
        """Rows as they come."""
        return rows_of(self.columns, rows)

    def probabilities(self, inputs: Any) -> NDArray[Any]:
        """``[N, 2]``."""
        one = isinstance(inputs, dict) and not isinstance(inputs["age"], list)
        frame = pd.DataFrame([inputs] if one else inputs)
        x = self.transformer.transform(frame).astype(np.float32)
        return probabilities(self.loop.job, self.loop.model, x)
