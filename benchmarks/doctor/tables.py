"""Tables to put faults into: columns in memory, at most so many rows, and rows kept apart to judge by.

Thresholds of the rules were chosen on ``DEVELOPMENT``; ``HELD_OUT`` was looked at when they stood.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.tables import read_table
from pellucid.workflow.sources import is_builtin

__all__ = ["DEVELOPMENT", "HELD_OUT", "Case", "case"]

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
MOST = 1_200

DEVELOPMENT = ("breast_cancer", "digits", "moons", "circles", "diabetes", "titanic", "concrete", "pima")
HELD_OUT = ("spirals", "adult", "california", "penguins", "telco", "abalone", "covtype", "mushroom", "occupancy")
_FILES = {
    "titanic": ("titanic/titanic.csv.gz", "Survived"),
    "concrete": ("concrete/concrete.csv.gz", -1),
    "pima": ("pima_diabetes/pima-indians-diabetes.csv.gz", -1),
    "adult": ("adult/adult-train.csv.gz", -1),
    "california": ("california_housing/housing.csv.gz", "median_house_value"),
    "abalone": ("abalone/abalone.csv.gz", -1),
    "penguins": ("penguins/penguins.csv.gz", "species"),
    "telco": ("telco_churn/telco-churn.csv.gz", "Churn"),
    "covtype": ("covtype_20k/covtype_20k.csv.gz", -1),
    "mushroom": ("mushroom/agaricus-lepiota.csv.gz", 0),
    "occupancy": ("occupancy/datatraining.csv.gz", -1),
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
def _whole(name: str) -> tuple[dict[str, list[Any]], str]:
    from pellucid.data.builtin import BUILTIN, load_builtin

    if is_builtin(name):
        columns = load_builtin(name)[0]
        table = read_table(columns)
        target: Any = BUILTIN[name].target
    else:
        file, target = _FILES[name]
        path = SHARED / file
        table = read_table(path if path.exists() else next((SHARED / file.split("/")[0]).glob("*.csv.gz")))
        target = table.names[target] if isinstance(target, int) else target
    return {n: table.column(n).to_pylist() for n in table.names}, target


def case(name: str, seed: int, *, most: int = MOST) -> Case:
    """At most ``most`` rows, of which a quarter stays apart; other rows for each seed."""
    columns, target = _whole(name)
    known = [i for i, value in enumerate(columns[target]) if value is not None]
    rng = np.random.default_rng(seed)
    order = rng.permutation(known)[:most]
    apart, rest = order[: len(order) // 4], order[len(order) // 4 :]
    values = {columns[target][i] for i in order}
    is_class = any(isinstance(v, str | bool) for v in values) or len(values) <= 10
    return Case(
        name=name,
        target=target,
        columns={n: [c[i] for i in rest] for n, c in columns.items()},
        apart={n: [c[i] for i in apart] for n, c in columns.items()},
        classes=len(values) if is_class else 0,
        seed=seed,
    )
