"""Built-in data sets: scikit-learn's small ones, drawn shapes, truth tables.

Scikit-learn's are read from the files it ships with; importing it would take a second.
"""

from __future__ import annotations

import gzip
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pellucid.data.tables import Table, read_table
from pellucid.errors import DataError, SettingError, nearest

__all__ = ["BUILTIN", "BuiltIn", "load_builtin"]

Columns = dict[str, Any]
Array = NDArray[np.float64]

_CELL_PARTS = ("radius", "texture", "perimeter", "area", "smoothness")
_CELL_SHAPES = ("compactness", "concavity", "concave points", "symmetry", "fractal dimension")
_ALONE = {"validation": 0.0, "test": 0.0, "preset": "plain"}  # there are only four rows


@dataclass(frozen=True, kw_only=True)
class BuiltIn:
    """A data set that comes with Pellucid.

    Parameters
    ----------
    title, description, source
        For people.
    rows
        How many there are.
    task, target
        What is predicted.
    make
        Returns the columns by name.
    settings
        Settings that suit it better than the defaults.
    """

    title: str
    rows: int
    task: Literal["binary", "multiclass", "regression"]
    target: str
    description: str
    source: str
    make: Callable[[], Columns]
    settings: dict[str, Any] = field(default_factory=dict)


def load_builtin(name: str) -> tuple[Table, str]:
    """A built-in table and the name of its target.

    >>> table, target = load_builtin("xor")
    >>> table.names, target, table.n_rows
    (('a', 'b', 'output'), 'output', 4)
    """
    if name not in BUILTIN:
        raise SettingError(f"there is no built-in data set {name!r}{nearest(name, BUILTIN)}")
    entry = BUILTIN[name]
    table = read_table(entry.make())
    return Table(arrow=table.arrow, report=replace(table.report, source=f"{name} (built in)")), entry.target


def _shipped(name: str) -> Path:
    spec = importlib.util.find_spec("sklearn")
    folders = (spec.submodule_search_locations if spec is not None else None) or []
    for folder in folders:
        path = Path(folder) / "datasets" / "data" / name
        if path.is_file():
            return path
    raise DataError(f"this data set is read from scikit-learn's {name}, which was not found; pip install scikit-learn")


def _numbers(name: str, *, skip: int = 0, delimiter: str | None = ",") -> Array:
    path = _shipped(name)
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            return np.loadtxt(stream, skiprows=skip, delimiter=delimiter)
    return np.loadtxt(path, skiprows=skip, delimiter=delimiter)


def _labels(name: str) -> list[str]:
    """scikit-learn's own format: the first line has the counts and then the names of the classes."""
    with _shipped(name).open(encoding="utf-8") as stream:
        return stream.readline().strip().split(",")[2:]


def _labelled(name: str, features: tuple[str, ...], target: str) -> Columns:
    values = _numbers(name, skip=1)
    labels = np.array(_labels(name))
    return {
        **{feature: values[:, i] for i, feature in enumerate(features)},
        target: labels[values[:, -1].astype(int)],
    }


def _iris() -> Columns:
    names = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")
    return _labelled("iris.csv", names, "species")


def _wine() -> Columns:
    names = (
        *("alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids"),
        *("nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines"),
        "proline",
    )
    return _labelled("wine_data.csv", names, "cultivar")


def _breast_cancer() -> Columns:
    parts = (*_CELL_PARTS, *_CELL_SHAPES)
    names = (*(f"mean {p}" for p in parts), *(f"{p} error" for p in parts), *(f"worst {p}" for p in parts))
    return _labelled("breast_cancer.csv", names, "diagnosis")


def _diabetes() -> Columns:
    values = _numbers("diabetes_data_raw.csv.gz", delimiter=None)
    names = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
    return {
        **{name: values[:, i] for i, name in enumerate(names)},
        "progression": _numbers("diabetes_target.csv.gz", delimiter=None),
    }


def _digits() -> Columns:
    values = _numbers("digits.csv.gz")
    pixels = {f"pixel_{i // 8}_{i % 8}": values[:, i].astype(np.int64) for i in range(64)}
    return {**pixels, "digit": values[:, -1].astype(np.int64)}


# --- drawn shapes


def _shuffled_with_noise(points: Array, labels: NDArray[np.int64], noise: float) -> Columns:
    """Shuffle, then add noise, with scikit-learn's own order of draws, so that the points are bit-identical."""
    generator = np.random.RandomState(42)
    order = np.arange(len(points))
    generator.shuffle(order)
    points = points[order] + generator.normal(scale=noise, size=points.shape)
    return {"Feature 1": points[:, 0], "Feature 2": points[:, 1], "label": labels[order]}


def _circles() -> Columns:
    angle = np.linspace(0, 2 * np.pi, 250, endpoint=False)
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    return _shuffled_with_noise(np.vstack([ring, ring * 0.5]), np.repeat([0, 1], 250), 0.1)


def _moons() -> Columns:
    angle = np.linspace(0, np.pi, 250)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    lower = np.column_stack([1 - np.cos(angle), 1 - np.sin(angle) - 0.5])
    return _shuffled_with_noise(np.vstack([upper, lower]), np.repeat([0, 1], 250), 0.1)


def _spirals() -> Columns:
    turn = np.sqrt(np.linspace(0.02, 1, 250)) * 3 * np.pi  # the root spaces the points evenly along the arm
    arm = np.column_stack([np.cos(turn), np.sin(turn)]) * (turn / (3 * np.pi))[:, None]
    return _shuffled_with_noise(np.vstack([arm, -arm]), np.repeat([0, 1], 250), 0.02)


def _gate(outputs: tuple[int, int, int, int]) -> Callable[[], Columns]:
    def make() -> Columns:
        return {"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "output": list(outputs)}

    return make


_SHIPPED = "with scikit-learn"
_DRAWN = "drawn, seed 42"

BUILTIN: dict[str, BuiltIn] = {
    "iris": BuiltIn(
        title="Iris",
        rows=150,
        task="multiclass",
        target="species",
        description="Three species of iris by the length and width of their sepals and petals.",
        source=f"Fisher 1936; {_SHIPPED}",
        make=_iris,
    ),
    "wine": BuiltIn(
        title="Wine",
        rows=178,
        task="multiclass",
        target="cultivar",
        description="Three cultivars of grape by 13 chemical measurements of the wine.",
        source=f"Forina et al. 1988; {_SHIPPED}",
        make=_wine,
    ),
    "breast_cancer": BuiltIn(
        title="Breast cancer (Wisconsin)",
        rows=569,
        task="binary",
        target="diagnosis",
        description="Benign or malignant, by 30 measurements of cell nuclei under the microscope.",
        source=f"Wolberg, Street & Mangasarian 1995; {_SHIPPED}",
        make=_breast_cancer,
    ),
    "diabetes": BuiltIn(
        title="Diabetes",
        rows=442,
        task="regression",
        target="progression",
        description="How far diabetes has progressed after a year, by ten measurements at its start (raw units).",
        source=f"Efron et al. 2004; {_SHIPPED}",
        make=_diabetes,
    ),
    "digits": BuiltIn(
        title="Digits",
        rows=1797,
        task="multiclass",
        target="digit",
        description="Handwritten digits as 8 × 8 pixels of 17 shades.",
        source=f"Alpaydin & Kaynak 1998; {_SHIPPED}",
        make=_digits,
    ),
    "circles": BuiltIn(
        title="Circles",
        rows=500,
        task="binary",
        target="label",
        description="Two concentric circles of points: no straight line separates them.",
        source=_DRAWN,
        make=_circles,
    ),
    "moons": BuiltIn(
        title="Moons",
        rows=500,
        task="binary",
        target="label",
        description="Two half-moons that reach into each other.",
        source=_DRAWN,
        make=_moons,
    ),
    "spirals": BuiltIn(
        title="Spirals",
        rows=500,
        task="binary",
        target="label",
        description="Two spirals wound into each other, one and a half turns each.",
        source=_DRAWN,
        make=_spirals,
    ),
    "xor": BuiltIn(
        title="XOR",
        rows=4,
        task="binary",
        target="output",
        description="One or the other but not both: the smallest table that a single neuron cannot learn.",
        source="truth table",
        make=_gate((0, 1, 1, 0)),
        settings=_ALONE,
    ),
    "and": BuiltIn(
        title="AND",
        rows=4,
        task="binary",
        target="output",
        description="Both.",
        source="truth table",
        make=_gate((0, 0, 0, 1)),
        settings=_ALONE,
    ),
    "or": BuiltIn(
        title="OR",
        rows=4,
        task="binary",
        target="output",
        description="At least one.",
        source="truth table",
        make=_gate((0, 1, 1, 1)),
        settings=_ALONE,
    ),
}
