"""What a column is taken for: on real tables, on made ones, and on the user's word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.data.schema import Schema, infer_schema
from pellucid.data.tables import read_table
from pellucid.errors import DataError, SettingError

RNG = np.random.default_rng(0)
N = 300


def schema_of(columns: dict[str, Any], **said: Any) -> Schema:
    return infer_schema(read_table(columns), **said)


def kind_of(values: Any, name: str = "x", **others: Any) -> str:
    return schema_of({"first": RNG.normal(size=len(values)), name: values, **others}).column(name).kind


# file, target, {column: (kind, role)}; the columns that are not named are features
REAL: list[tuple[str, str, dict[str, tuple[str, str]]]] = [
    (
        "titanic/titanic.csv.gz",
        "Survived",
        {
            "PassengerId": ("identifier", "dropped"),
            "Survived": ("boolean", "target"),
            "Name": ("text", "dropped"),
            "Ticket": ("identifier", "dropped"),
            "Age": ("numeric", "feature"),
            "Sex": ("categorical", "feature"),
            "Embarked": ("categorical", "feature"),
        },
    ),
    (
        "telco_churn/Telco-Customer-Churn.csv.gz",
        "Churn",
        {
            "customerID": ("identifier", "dropped"),
            "SeniorCitizen": ("boolean", "feature"),
            "Partner": ("boolean", "feature"),
            "MultipleLines": ("categorical", "feature"),
            "TotalCharges": ("numeric", "feature"),
            "Churn": ("boolean", "target"),
        },
    ),
    (
        "mushroom/agaricus-lepiota.csv.gz",
        "edible",
        {"veil-type": ("constant", "dropped"), "bruise": ("boolean", "feature")},
    ),
    (
        "nyc_taxis/taxis.csv.gz",
        "tip_amount",
        {
            "tpep_pickup_datetime": ("date", "feature"),
            "ehail_fee": ("constant", "dropped"),
            "VendorID": ("categorical", "feature"),
            "fare_amount": ("numeric", "feature"),
        },
    ),
    (
        "lending_club/loans_full_schema.csv.gz",
        "interest_rate",
        {
            "rownames": ("identifier", "dropped"),
            "emp_title": ("text", "dropped"),
            "state": ("categorical", "feature"),
            "issue_month": ("date", "feature"),
        },
    ),
    (
        "give_me_some_credit/creditsample-training.csv.gz",
        "SeriousDlqin2yrs",
        {"column_1": ("identifier", "dropped")},
    ),
    (
        "beijing_pm25/pollution.csv.gz",
        "pm2.5",
        {"No": ("identifier", "dropped"), "year": ("numeric", "feature")},
    ),
    (
        "breast_cancer_wisconsin/breast-cancer-wisconsin.csv.gz",
        "column_11",
        {"column_1": ("identifier", "dropped")},
    ),
    (
        "occupancy/datatraining.csv.gz",
        "Occupancy",
        {"column_1": ("identifier", "dropped"), "date": ("date", "feature")},
    ),
    (
        "hotel_rates/hotel_rates.csv.gz",
        "avg_price_per_room",
        {"company": ("categorical", "feature"), "arrival_date": ("date", "feature")},
    ),
    ("univariate_series/cta_ridership.csv.gz", "total_rides", {"service_date": ("date", "feature")}),
    (
        "sms_spam/smsspamcollection.tsv.gz",
        "label",
        {"message": ("text", "feature"), "length": ("numeric", "feature")},
    ),
    (
        "penguins/penguins_raw.csv.gz",
        "Species",
        {"Individual ID": ("identifier", "dropped"), "Date Egg": ("date", "feature")},
    ),
    ("ctg/CTG.csv.gz", "NSP", {"SegFile": ("identifier", "dropped"), "Date": ("date", "feature")}),
    (
        "adult/adult-train.csv.gz",
        "column_15",
        {"column_1": ("numeric", "feature"), "column_14": ("categorical", "feature")},
    ),
]


@pytest.mark.parametrize(("path", "target", "expected"), REAL, ids=[r[0].split("/")[1] for r in REAL])
def test_real_tables(shared_data: Path, path: str, target: str, expected: dict[str, tuple[str, str]]) -> None:
    table = read_table(shared_data / path)
    schema = infer_schema(table, target=target)
    assert tuple(c.name for c in schema.columns) == table.names
    found = {c.name: (c.kind, c.role) for c in schema.columns}
    assert {name: found[name] for name in expected} == expected
    assert found[target][1] == "target"
    for column in schema.columns:
        assert column.n_missing == table.column(column.name).null_count
        assert column.role != "feature" or column.kind in ("numeric", "boolean", "categorical", "date", "text")
        if column.kind == "text" and column.role == "dropped":
            assert any(repr(column.name) in w for w in schema.warnings)
    json.dumps(schema.to_json())


def test_warnings_of_real_tables_name_what_is_suspicious(shared_data: Path) -> None:
    def warnings(path: str, target: str, **how: Any) -> str:
        return "\n".join(infer_schema(read_table(shared_data / path, **how), target=target).warnings)

    assert "'total_amount'" in warnings("nyc_taxis/taxis.csv.gz", "tip_amount")
    assert "'sub_grade'" in warnings("lending_club/loans_full_schema.csv.gz", "interest_rate")
    assert "last 3 rows" in warnings("ctg/CTG.csv.gz", "NSP", trim=False)
    assert "--missing 'column_11=99999'" in warnings("adult/adult-train.csv.gz", "column_15")
    assert "'bus', 'rail_boardings'" in warnings("univariate_series/cta_ridership.csv.gz", "total_rides")
    for path, target in (
        ("california_housing/housing.csv.gz", "median_house_value"),
        ("diamonds/diamonds.csv.gz", "price"),
        ("mushroom/agaricus-lepiota.csv.gz", "edible"),
        ("sonar/sonar.csv.gz", "column_61"),
        ("higgs_sample/binary.train.tsv.gz", "column_1"),
    ):
        assert warnings(path, target) == ""


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (RNG.normal(size=N), "numeric"),
        (RNG.integers(0, 50, N), "numeric"),
        (RNG.integers(0, 2, N), "boolean"),
        (RNG.integers(1, 3, N), "numeric"),
        (RNG.choice(["Yes", "NO"], N), "boolean"),
        (RNG.choice(["t", "F"], N), "boolean"),
        (RNG.choice(["male", "female"], N), "categorical"),
        (RNG.integers(0, 2, N).astype(bool), "boolean"),
        (["x"] * N, "constant"),
        ([None] * N, "constant"),
        ([1.5] * N, "constant"),
        (["x", None] * (N // 2), "categorical"),
        (np.arange(N), "identifier"),
        (RNG.permutation(N) + 1, "identifier"),
        (np.arange(1900, 1900 + N), "numeric"),
        ([f"user-{i}" for i in range(N)], "identifier"),
        ([f"the {i} quick brown foxes jumped over {i * 7} lazy dogs" for i in range(N)], "text"),
        ([f"{1 + i % 12}/{1 + i % 28}/2020" for i in range(N)], "date"),
        ([f"Berlin {i % 40}" for i in range(N)], "categorical"),
        (np.arange(N) * 0.5, "numeric"),
    ],
)
def test_kinds(values: Any, kind: str) -> None:
    assert kind_of(values) == kind


def test_names_settle_what_values_do_not() -> None:
    codes = RNG.integers(1, 40, N)
    assert kind_of(codes, "shop_id") == kind_of(codes, "LocationID") == kind_of(codes, "zip code") == "categorical"
    assert kind_of(codes, "paid") == kind_of(codes, "humidity") == kind_of(codes, "grid") == "numeric"
    sparse = np.sort(RNG.choice(10**6, N, replace=False))
    assert kind_of(sparse, "rowname") == "identifier"
    assert kind_of(sparse, "income") == "numeric"


def test_no_identifiers_in_tiny_tables() -> None:
    schema = schema_of({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "name": ["p", "q", "r", "s"], "n": [1, 2, 3, 4]})
    assert [c.kind for c in schema.columns] == ["boolean", "boolean", "categorical", "numeric"]


def test_what_the_user_says_goes() -> None:
    columns = {
        "id": np.arange(N),
        "code": RNG.integers(0, 9, N),
        "day": RNG.integers(20200101, 20200128, N),
        "notes": [f"some words that make a sentence {i}" for i in range(N)],
        "one": ["x"] * N,
        "who": RNG.integers(0, 20, N),
    }
    schema = schema_of(columns, categorical=["code"], date=["day"], drop=["who"], keep=["id"], numeric=(), boolean=())
    found = {c.name: (c.kind, c.role, c.overridden) for c in schema.columns}
    assert found == {
        "id": ("numeric", "feature", False),
        "code": ("categorical", "feature", True),
        "day": ("date", "feature", True),
        "notes": ("text", "dropped", False),
        "one": ("constant", "dropped", False),
        "who": ("numeric", "dropped", False),
    }
    schema = schema_of(columns, group="who", time="day", target="code")
    assert (schema.group, schema.time, schema.target) == ("who", "day", "code")
    assert schema.column("who").role == schema.column("day").role == "dropped"
    assert schema_of(columns, group="who", keep=["who"]).column("who").role == "feature"


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        ({"target": "incme"}, DataError, "--target: there is no column 'incme'.*did you mean 'income'"),
        ({"drop": ["agge"]}, DataError, "--drop.*did you mean 'age'"),
        ({"numeric": ["job"]}, DataError, "'job' holds text in 20 of 20 rows .first: 'nurse', row 0"),
        ({"boolean": ["age"]}, DataError, "'age' has 20 different values, and boolean needs two"),
        ({"date": ["job"]}, DataError, "'job' holds no dates.*first: 'nurse'"),
        ({"numeric": ["age"], "categorical": ["age"]}, SettingError, "both numeric and categorical"),
        ({"drop": ["age"], "keep": ["age"]}, SettingError, "--drop and to --keep"),
        ({"drop": ["income"], "target": "income"}, SettingError, "is the target and cannot be dropped"),
        ({"group": "income", "target": "income"}, SettingError, "cannot be both the target and the column"),
        ({"drop": "age"}, SettingError, "--drop takes a list"),
    ],
)
def test_what_cannot_be(said: dict[str, Any], error: type[Exception], message: str) -> None:
    columns = {"age": RNG.permutation(20) * 3, "job": ["nurse", "clerk"] * 10, "income": RNG.normal(size=20)}
    with pytest.raises(error, match=message):
        schema_of(columns, **said)
