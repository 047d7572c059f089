"""Real tables, read and understood by `pellucid.data`: finite, and the same from text and from single rows."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from pellucid.data.schema import infer_schema
from pellucid.data.tables import read_table
from pellucid.preprocessing import SCALINGS, Recipe

TABLES = {
    "adult/adult-test.csv.gz": "column_15",
    "titanic/titanic.csv.gz": "Survived",
    "penguins/penguins_raw.csv.gz": "Species",
    "hotel_rates/hotel_rates.csv.gz": "avg_price_per_room",
    "lending_club/loans_full_schema.csv.gz": "interest_rate",
    "oil_spill/oil-spill.csv.gz": "column_50",
}


@pytest.mark.parametrize("file", TABLES)
def test_real_table(shared_data, file):
    table = read_table(shared_data / file)
    schema = infer_schema(table, target=TABLES[file])
    n = len(table.arrow)
    rows = np.sort(np.random.default_rng(0).permutation(n)[: n * 2 // 3])
    some = table.arrow.slice(0, 300)
    as_text = pa.table(
        {name: column.cast(pa.string()) for name, column in zip(some.column_names, some.columns, strict=True)}
    )
    for scaling in SCALINGS:
        recipe = Recipe.fit(table, schema, rows, scaling=scaling)
        recipe = Recipe.from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False)))
        inputs = recipe.transform(table).flat
        assert inputs.shape == (n, len(recipe.feature_names))
        assert np.isfinite(inputs).all()
        assert TABLES[file] not in recipe.places
        np.testing.assert_array_equal(recipe.transform(as_text).flat, inputs[:300])
        for i, row in enumerate(some.slice(0, 20).to_pylist()):
            np.testing.assert_array_equal(recipe.transform_row(row), inputs[i])
        # 1 without missing cells, less where the median fills them, 0 for one value
        if scaling == "standard":
            columns = [recipe.places[c.name].start for c in recipe.columns if c.kind == "numeric"]
            spread = recipe.transform(table, dtype=np.float64).flat[rows][:, columns].std(axis=0)
            assert ((spread <= 1.0 + 1e-9) & (spread >= 0.0)).all()
