"""Columns that say which rows are about one and the same; amounts, codes and plain categories are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.data.dependence.entities import entities_in, names_an_entity
from pellucid.data.tables import read_table
from pellucid.data.target import read_target

N = 1_000
RNG = np.random.default_rng(21)
WHO = RNG.integers(0, 150, N)
LEVEL = RNG.normal(size=150)[WHO]
SEX, TOWN = RNG.integers(0, 2, 150)[WHO], RNG.integers(0, 9, 150)[WHO]
Y = LEVEL + 0.5 * RNG.normal(size=N)


def found(columns: dict[str, Any], y: Any = Y) -> list[str]:
    table = read_table({**columns, "y": y})
    target = read_target(table, "y")
    values = np.eye(len(target.classes))[target.values] if target.classes else target.values
    return [entity.column for entity in entities_in(table, list(columns), values, target.keep_rows)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(
            (n, "being")
            for n in ("patient_id", "PatientID", "subject#", "user", "Customer No.", "Individual ID", "userid")
        ),
        *((n, "thing") for n in ("machine", "device_id", "FileName", "sensorNr", "store code")),
        *((n, "id") for n in ("id", "mrn_id", "#")),
        *((n, "") for n in ("user_age", "store_sales", "number_of_visits", "zip_code", "customer_type", "name", "age")),
    ],
)
def test_names(name: str, kind: str) -> None:
    assert names_an_entity(name) == kind


def test_a_name_tells_whatever_the_values_are_written_as() -> None:
    for who in (WHO, np.char.add("P", WHO.astype(str)), WHO * 7919 % 1_000 + 10_000):
        assert found({"patient_id": who, "x": Y + RNG.normal(size=N)}) == ["patient_id"]


def test_values_tell_where_the_name_does_not() -> None:
    """Many values, a few rows each, the target and two other columns alike in them."""
    fixed = {"sex": SEX, "town": np.array(list("abcdefghi"))[TOWN]}
    for who in (WHO * 7919 % 1_000 + 10_000, np.char.add("k", WHO.astype(str))):
        assert found({"column_1": who, "x": RNG.normal(size=N), **fixed}) == ["column_1"]
    classes = np.where(LEVEL > 0, "yes", "no")
    assert found({"column_1": np.char.add("k", WHO.astype(str)), **fixed}, classes) == ["column_1"]


def test_what_is_no_entity() -> None:
    age = RNG.integers(18, 80, N)
    assert found({"age": age, "decade": age // 10}, age * 0.1 + RNG.normal(size=N)) == []
    job = RNG.integers(0, 60, N)
    assert found({"job": np.char.add("job ", job.astype(str))}, np.sin(job) + RNG.normal(size=N)) == []
    assert found({"patient_id": np.arange(N)}) == []  # each its own
    assert found({"patient_id": np.where(np.arange(N) % 2 == 0, "a", "b")}) == []
    assert found({"store": RNG.integers(0, 100, N)}) == []  # the target does not go by it
    mostly = np.where(RNG.uniform(size=N) < 0.8, "none", np.char.add("c", WHO.astype(str)))
    assert found({"company": mostly}) == []


@pytest.mark.parametrize(
    ("path", "target", "columns"),
    [
        ("parkinsons_telemonitoring/parkinsons.csv.gz", "total_UPDRS", ["subject#"]),
        ("ctg/CTG.csv.gz", "NSP", ["FileName"]),
        ("inst_eval/InstEval.csv.gz", "y", ["s", "d"]),
        ("titanic/titanic.csv.gz", "Survived", ["Ticket"]),
        ("adult/adult-train.csv.gz", "column_15", []),
        ("automobile/auto_imports.csv.gz", "column_26", []),
        ("california_housing/housing.csv.gz", "median_house_value", []),
        ("covtype_20k/covtype.20k.csv.gz", "column_55", []),
        ("hotel_rates/hotel_rates.csv.gz", "avg_price_per_room", []),
        ("lending_club/loans_full_schema.csv.gz", "interest_rate", []),
        ("nyc_taxis/taxis.csv.gz", "total_amount", []),
        ("telco_churn/Telco-Customer-Churn.csv.gz", "Churn", []),
    ],
)
def test_real_tables(path: str, target: str, columns: list[str], shared_data: Path) -> None:
    table = read_table(shared_data / path)
    read = read_target(table, target)
    values = np.eye(len(read.classes))[read.values] if read.classes else read.values
    names = [name for name in table.names if name != target]
    assert [e.column for e in entities_in(table, names, values, read.keep_rows)] == columns
