"""The tables: where each is, what is asked of it, and what must not be shown to anybody.

Everybody is given the same frame: numbers as floats with NaN where a cell is missing, text as pandas categories, dates
as the numbers of year, month, day, weekday and hour. Text with another value in more than half of its filled cells is
a name or an id and left out, as is a column with one value. What would give the target away is dropped by name here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES", "Loaded", "Table", "frame_of", "group_of", "load", "names_of"]

Kind = Literal["binary", "multiclass", "regression"]
Half = Literal["development", "second"]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table; columns are named as in the file, or ``column_1`` and so on where it has no header."""

    file: str
    target: str
    task: Kind
    separator: str = ","
    header: bool = True
    drop: tuple[str, ...] = ()  # row numbers, ids, and what gives the target away
    categories: tuple[str, ...] = ()  # numbers that are names
    dates: tuple[tuple[str, str], ...] = ()  # column, format
    groups: tuple[str, ...] = ()  # rows that are equal in these columns stay on one side of the split
    unique: bool = False  # whether equal rows are thrown away


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A table in memory: its frame of ``N`` rows, the target ``[N]`` (class numbers or floats), and groups ``[N]``."""

    frame: pd.DataFrame
    target: NDArray[np.int64] | NDArray[np.float64]
    groups: NDArray[np.int64] | None
    task: Kind
    n_classes: int


_CTG_PATTERNS = ("A", "B", "C", "D", "E", "AD", "DE", "LD", "FS", "SUSP")
_LENDING_AFTERWARDS = (
    "grade", "sub_grade", "installment", "loan_status", "balance", "paid_total", "paid_principal", "paid_interest",
    "paid_late_fees",
)  # fmt: skip

TABLES: dict[str, Table] = {
    "abalone": Table(file="abalone.csv.gz", target="column_9", task="regression", header=False),
    "adult": Table(file="adult-train.csv.gz", target="column_15", task="binary", header=False),
    "automobile": Table(file="auto_imports.csv.gz", target="column_26", task="regression", header=False),
    # the hours of one day stay together: their neighbours would answer for them
    "beijing_pm25": Table(
        file="pollution.csv.gz", target="pm2.5", task="regression", drop=("No",), groups=("year", "month", "day")
    ),
    "california_housing": Table(file="housing.csv.gz", target="median_house_value", task="regression"),
    "concrete": Table(file="concrete.csv.gz", target="strength", task="regression", unique=True),
    "covtype_20k": Table(file="covtype.20k.csv.gz", target="column_55", task="multiclass", header=False),
    "cps_wages": Table(file="CPSSW8.csv.gz", target="earnings", task="regression", drop=("rownames",)),
    # the patterns are the other target as columns; several segments come from one recording
    "ctg": Table(
        file="CTG.csv.gz",
        target="NSP",
        task="multiclass",
        drop=("Date", "SegFile", "b", "e", "LBE", "CLASS", *_CTG_PATTERNS),
        groups=("FileName",),
    ),
    "diamonds": Table(file="diamonds.csv.gz", target="price", task="regression", unique=True),
    "german_credit": Table(file="german.csv.gz", target="column_21", task="binary", header=False),
    "give_me_some_credit": Table(
        file="creditsample-training.csv.gz", target="SeriousDlqin2yrs", task="binary", drop=("Unnamed: 0",)
    ),
    "higgs_sample": Table(file="binary.train.tsv.gz", target="column_1", task="binary", separator="\t", header=False),
    # the date is there twice, as text and as a number
    "hotel_rates": Table(
        file="hotel_rates.csv.gz",
        target="avg_price_per_room",
        task="regression",
        drop=("rownames", "arrival_date_num"),
        dates=(("arrival_date", "%Y-%m-%d"),),
    ),
    "inst_eval": Table(
        file="InstEval.csv.gz",
        target="y",
        task="regression",
        drop=("rownames",),
        categories=("s", "d", "dept", "service"),
    ),
    # the grade is the rate in classes, the instalment the rate in money, the rest is known only later; the title of an
    # employment is free text
    "lending_club": Table(
        file="loans_full_schema.csv.gz",
        target="interest_rate",
        task="regression",
        drop=("rownames", "emp_title", *_LENDING_AFTERWARDS),
        dates=(("issue_month", "%b-%Y"),),
    ),
    # the total is a sum that has the tip in it
    "nyc_taxis": Table(
        file="taxis.csv.gz",
        target="tip_amount",
        task="regression",
        drop=("total_amount",),
        categories=("VendorID", "RatecodeID", "PULocationID", "DOLocationID", "payment_type", "trip_type"),
        dates=(("tpep_pickup_datetime", "%Y-%m-%d %H:%M:%S"), ("tpep_dropoff_datetime", "%Y-%m-%d %H:%M:%S")),
    ),
    "optdigits": Table(file="optdigits.tra.csv.gz", target="Class", task="multiclass"),
    # the motor score is a part of the total; a subject's rows stay together, so that the answer is for new people
    "parkinsons_telemonitoring": Table(
        file="parkinsons.csv.gz",
        target="total_UPDRS",
        task="regression",
        drop=("motor_UPDRS",),
        groups=("subject#",),
    ),
    "pd_speech": Table(file="pd_speech.csv.gz", target="class", task="binary", drop=("rownames",)),
    "pima_diabetes": Table(file="pima-indians-diabetes.csv.gz", target="column_9", task="binary", header=False),
    "telco_churn": Table(file="Telco-Customer-Churn.csv.gz", target="Churn", task="binary"),
    "titanic": Table(file="titanic.csv.gz", target="Survived", task="binary", drop=("PassengerId",)),
    "wine_quality": Table(
        file="winequality-white.csv.gz", target="quality", task="regression", separator=";", unique=True
    ),
}
# Columns that group rows and are features as well; the other ones are names.
_STAYS = {"beijing_pm25"}
_NAMELIKE = 0.5  # share of different values among the filled cells of a text


def group_of(name: str) -> Half:
    """Which half a table belongs to: every other one, in the order of the alphabet.

    Defaults are chosen on the development tables. The second half was held out from the first choice, but its figures
    were known when the defaults were changed later.

    >>> group_of("abalone"), group_of("adult")
    ('development', 'second')
    """
    return "second" if sorted(TABLES).index(name) % 2 else "development"


def names_of(half: Half) -> list[str]:
    """The tables of one half, in the order of the alphabet.

    >>> len(names_of("development")), len(names_of("second"))
    (12, 12)
    """
    return [name for name in sorted(TABLES) if group_of(name) == half]


def load(name: str, data: Path) -> Loaded:
    """Read a table from the folder of real tables.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    """
    import pandas as pd

    table = TABLES[name]
    raw = pd.read_csv(
        data / name / table.file,
        sep=table.separator,
        header=0 if table.header else None,
        dtype=str,
        keep_default_na=False,
        na_values=["", "?", "NA"],
        skipinitialspace=True,
        encoding="utf-8-sig",
    )
    if not table.header:
        raw.columns = [f"column_{number + 1}" for number in range(raw.shape[1])]
    return frame_of(raw, table, grouping_stays=name in _STAYS)


def frame_of(raw: pd.DataFrame, table: Table, *, grouping_stays: bool = False) -> Loaded:
    """What everybody is given of a table whose cells are all text.

    >>> import pandas as pd
    >>> raw = pd.DataFrame({"a": ["1", None, "3", "4"], "b": list("xyxy"), "id": list("6789"), "y": list("nyny")})
    >>> made = frame_of(raw, Table(file="", target="y", task="binary", drop=("id",)))
    >>> list(made.frame), made.target.tolist(), str(made.frame["b"].dtype)
    (['a', 'b'], [0, 1, 0, 1], 'category')
    """
    import pandas as pd

    raw = raw.drop(columns=list(table.drop))
    if table.unique:
        raw = raw.drop_duplicates()
    raw = raw[raw[table.target].notna()].reset_index(drop=True)
    target = raw.pop(table.target)
    groups = raw.groupby(list(table.groups), sort=False).ngroup().to_numpy() if table.groups else None
    if table.groups and not grouping_stays:
        raw = raw.drop(columns=list(table.groups))
    columns: dict[str, pd.Series] = {}
    formats = dict(table.dates)
    for name in raw:
        for title, column in _columns(str(name), raw[name], formats.get(str(name)), name in table.categories):
            if column.nunique() > 1:
                columns[_plain(title, columns)] = column
    frame = pd.DataFrame(columns)
    if table.task == "regression":
        return Loaded(
            frame=frame, target=target.astype(float).to_numpy(), groups=groups, task="regression", n_classes=0
        )
    classes, codes = np.unique(target.str.strip().to_numpy(dtype=object).astype(str), return_inverse=True)
    return Loaded(frame=frame, target=codes.astype(np.int64), groups=groups, task=table.task, n_classes=len(classes))


def _columns(name: str, cells: pd.Series, date: str | None, is_name: bool) -> list[tuple[str, pd.Series]]:
    """One column of text as what it means: numbers, categories, the numbers of a date, or nothing."""
    import pandas as pd

    if date:
        when = pd.to_datetime(cells, format=date).dt
        parts = {
            "year": when.year,
            "month": when.month,
            "day": when.day,
            "weekday": when.day_of_week,
            "hour": when.hour,
        }
        return [(f"{name}_{part}", number.astype(float)) for part, number in parts.items()]
    cells = cells.str.strip()
    cells = cells.mask(cells == "")
    filled = cells.dropna()
    if not is_name:
        try:
            return [(name, pd.to_numeric(cells).astype(float))]
        except ValueError:
            if filled.nunique() > _NAMELIKE * len(filled):
                return []
    return [(name, cells.astype(object).astype("category"))]


def _plain(title: str, taken: dict[str, pd.Series]) -> str:
    """A name that every library accepts: some refuse brackets and colons."""
    plain = re.sub(r"[^0-9A-Za-z]+", "_", title).strip("_")
    while plain in taken:
        plain += "_"
    return plain
