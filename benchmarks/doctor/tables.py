"""Tables to put faults into: columns in memory, at most so many rows, and rows kept apart to judge by.

Thresholds of the rules were chosen on ``DEVELOPMENT``; ``HELD_OUT`` was looked at when they stood (``docs/log.md`` says
what was changed after two looks at it). What is a fault already is left out: ids, columns that give the target away,
and columns with one value among the rows taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.given import is_builtin
from pellucid.data.tables import read_table

__all__ = ["DEVELOPMENT", "HELD_OUT", "Case", "case"]

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
MOST = 1_200

DEVELOPMENT = (
    "breast_cancer", "digits", "moons", "circles", "diabetes", "titanic", "concrete", "pima", "spirals", "adult",
    "california", "penguins", "telco", "abalone", "covtype", "mushroom", "occupancy",
)  # fmt: skip
HELD_OUT = (
    "german_credit", "wine_quality", "optdigits", "ctg", "diamonds", "cps_wages", "higgs", "sonar", "italy_power",
    "wine",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Source:
    """Where a table is, its target by name or place, and columns that are left out."""

    file: str
    target: str | int = -1
    drop: tuple[str, ...] = ()
    number: bool | None = None  # whether the target is one; None: by its values


_CTG = (
    "FileName",
    "Date",
    "SegFile",
    "b",
    "e",
    "LBE",
    "CLASS",
    "A",
    "B",
    "C",
    "D",
    "E",
    "AD",
    "DE",
    "LD",
    "FS",
    "SUSP",
)
_SOURCES = {
    "titanic": _Source(file="titanic/titanic.csv.gz", target="Survived"),
    "concrete": _Source(file="concrete/concrete.csv.gz"),
    "pima": _Source(file="pima_diabetes/pima-indians-diabetes.csv.gz"),
    "adult": _Source(file="adult/adult-train.csv.gz"),
    "california": _Source(file="california_housing/housing.csv.gz", target="median_house_value"),
    "abalone": _Source(file="abalone/abalone.csv.gz", number=True),
    "penguins": _Source(file="penguins/penguins.csv.gz", target="species"),
    "telco": _Source(file="telco_churn/Telco-Customer-Churn.csv.gz", target="Churn"),
    "covtype": _Source(file="covtype_20k/covtype.20k.csv.gz"),
    "mushroom": _Source(file="mushroom/agaricus-lepiota.csv.gz", target="edible"),
    "occupancy": _Source(file="occupancy/datatraining.csv.gz"),
    "german_credit": _Source(file="german_credit/german.csv.gz"),
    "wine_quality": _Source(file="wine_quality/winequality-white.csv.gz", target="quality", number=True),
    "optdigits": _Source(file="optdigits/optdigits.tra.csv.gz", target="Class"),
    "ctg": _Source(file="ctg/CTG.csv.gz", target="NSP", drop=_CTG),
    "diamonds": _Source(file="diamonds/diamonds.csv.gz", target="price"),
    "cps_wages": _Source(file="cps_wages/CPSSW8.csv.gz", target="earnings", drop=("rownames",)),
    "higgs": _Source(file="higgs_sample/binary.train.tsv.gz", target=0),
    "sonar": _Source(file="sonar/sonar.csv.gz"),
    "italy_power": _Source(file="ucr_time_series/ItalyPowerDemand_TEST.txt.gz", target=0),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A table with a target, rows apart to judge by, and numbers that a fault may use.

    ``columns`` and ``apart`` are columns by name; ``classes`` is 0 for a number.
    """

    name: str
    target: str
    columns: dict[str, list[Any]]
    apart: dict[str, list[Any]]
    classes: int
    seed: int

    @property
    def n(self) -> int:
        """Rows to train, validate and test with."""
        return len(self.columns[self.target])

    @property
    def rng(self) -> np.random.Generator:
        """The same numbers each time."""
        return np.random.default_rng(self.seed + 1)

    @property
    def numbers(self) -> list[str]:
        """The names of columns of numbers with many values, without the target."""
        return [
            name
            for name, cells in self.columns.items()
            if name != self.target
            and all(isinstance(cell, int | float) for cell in cells if cell is not None)
            and len(set(cells)) > 10
        ]

    def with_column(self, name: str, cells: Any, apart: Any) -> Case:
        """A column more, or another in its place."""
        return replace(self, columns={**self.columns, name: list(cells)}, apart={**self.apart, name: list(apart)})

    def with_target(self, values: list[Any], apart: list[Any] | None = None) -> Case:
        """Another target in the place of this one."""
        return self.with_column(self.target, values, self.apart[self.target] if apart is None else apart)

    def rows(self, places: Any) -> Case:
        """These rows of those to train with."""
        return replace(self, columns={n: [c[i] for i in places] for n, c in self.columns.items()})


@cache
def _whole(name: str) -> tuple[dict[str, list[Any]], str, bool | None]:
    from pellucid.data.builtin import BUILTIN, load_builtin

    if is_builtin(name):
        table = read_table(load_builtin(name)[0])
        return {n: table.column(n).to_pylist() for n in table.names}, BUILTIN[name].target, None
    source = _SOURCES[name]
    table = read_table(SHARED / source.file)
    target = table.names[source.target] if isinstance(source.target, int) else source.target
    columns = {n: table.column(n).to_pylist() for n in table.names if n not in source.drop}
    return columns, target, source.number


def case(name: str, seed: int, *, most: int = MOST) -> Case:
    """At most ``most`` rows, of which a quarter stays apart; other rows for each seed."""
    columns, target, is_number = _whole(name)
    known = [i for i, value in enumerate(columns[target]) if value is not None]
    rng = np.random.default_rng(seed)
    order = rng.permutation(known)[:most]
    apart, rest = order[: len(order) // 4], order[len(order) // 4 :]
    values = {columns[target][i] for i in order}
    if is_number is None:
        is_number = len(values) > 10 and not any(isinstance(v, str | bool) for v in values)
    varied = {n: c for n, c in columns.items() if len({c[i] for i in rest}) > 1}
    return Case(
        name=name,
        target=target,
        columns={n: [c[i] for i in rest] for n, c in varied.items()},
        apart={n: [c[i] for i in apart] for n, c in varied.items()},
        classes=0 if is_number else len(values),
        seed=seed,
    )
