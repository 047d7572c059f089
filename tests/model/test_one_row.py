"""One plain row goes past the reading of tables, and must come to the same bits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.data.tables import Table
from pellucid.model.model import Model

ROWS = 200
pytestmark = pytest.mark.filterwarnings("ignore::pellucid.DataWarning")  # what is said of odd cells: test_odd_cells


@pytest.fixture(scope="module", params=["plain", "both"])
def model(request: pytest.FixtureRequest) -> Model:
    generator = np.random.default_rng(0)
    columns: dict[str, Any] = {
        "size": generator.normal(50, 10, ROWS).tolist(),
        "rooms": generator.integers(1, 9, ROWS).tolist(),
        "town": generator.choice(["north", "south", "east"], ROWS).tolist(),
        "lift": (generator.random(ROWS) > 0.5).tolist(),
        "built": [datetime(1950 + int(i) % 70, 1 + int(i) % 12, 1 + int(i) % 28) for i in range(ROWS)],
    }
    columns["sold"] = np.where(np.array(columns["size"]) > 50, "yes", "no").tolist()
    return pellucid.train(columns, "sold", hidden=(8,), epochs=3, number_encoding=request.param).model


ROW = {"size": 61.5, "rooms": 3, "town": "south", "lift": True, "built": datetime(1999, 5, 17)}


@pytest.mark.parametrize(
    ("changed", "fast"),
    [
        ({}, True), ({"size": 61}, True), ({"lift": False}, True), ({"other": "column"}, True),
        ({"size": None}, False), ({"size": float("nan")}, False), ({"size": "61.5"}, False), ({"size": "?"}, False),
        ({"town": "nowhere"}, False), ({"town": " south "}, False), ({"town": "?"}, False), ({"town": None}, False),
        ({"lift": "yes"}, False), ({"built": "1999-13-17"}, False), ({"built": "17.05.1999"}, False),
        ({"built": "1999-05-17"}, True), ({"rooms": 2**60}, False), ({"rooms": True}, False),
    ],
)  # fmt: skip
def test_a_row_alone_is_the_row_of_a_table(
    model: Model, changed: dict[str, Any], fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ROW | changed
    try:
        expected = model.answers(model.table([row]))
    except pellucid.DataError as error:
        with pytest.raises(pellucid.DataError, match=str(error)[:20]):
            model.predict_proba([row])
        return
    tables: list[Table] = []
    real = Model.table
    monkeypatch.setattr(Model, "table", lambda self, data, **how: tables.append(data) or real(self, data, **how))
    for data in (row, [row]):
        np.testing.assert_array_equal(model.predict_proba(data), expected)
    assert model.predict(row).tolist() == [model.task.classes[int(expected.argmax())]]
    assert (not tables) == fast


def test_a_missing_column_is_named(model: Model) -> None:
    row = {name: value for name, value in ROW.items() if name != "rooms"}
    with pytest.raises(pellucid.DataError, match="'rooms'"):
        model.predict_proba(row)
