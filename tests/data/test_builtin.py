"""The built-in sets: scikit-learn's own numbers, the drawn shapes to the last bit, the truth tables."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn import datasets

from pellucid.data.builtin import BUILTIN, load_builtin
from pellucid.data.schema import infer_schema
from pellucid.data.target import read_target
from pellucid.errors import SettingError

SHIPPED = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast_cancer": datasets.load_breast_cancer,
    "diabetes": lambda: datasets.load_diabetes(scaled=False),
    "digits": datasets.load_digits,
}


@pytest.mark.parametrize("name", list(SHIPPED))
def test_the_numbers_are_scikit_learns(name: str) -> None:
    table, target = load_builtin(name)
    theirs = SHIPPED[name]()
    assert table.names == (*(str(n) for n in theirs.feature_names), target)
    ours = np.column_stack([table.column(n).to_numpy() for n in table.names[:-1]])
    np.testing.assert_array_equal(ours, theirs.data)
    wanted = theirs.target if name in ("diabetes", "digits") else theirs.target_names[theirs.target]
    assert table.column(target).to_pylist() == wanted.tolist()


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("circles", lambda: datasets.make_circles(500, noise=0.1, factor=0.5, random_state=42)),
        ("moons", lambda: datasets.make_moons(500, noise=0.1, random_state=42)),
    ],
)
def test_the_points_are_scikit_learns(name: str, make: object) -> None:
    table, target = load_builtin(name)
    points, labels = make()  # type: ignore[operator]
    assert table.names == ("Feature 1", "Feature 2", "label")
    np.testing.assert_array_equal(table.column("Feature 1").to_numpy(), points[:, 0])
    np.testing.assert_array_equal(table.column("Feature 2").to_numpy(), points[:, 1])
    assert table.column(target).to_pylist() == labels.tolist()


def test_no_line_parts_the_spirals_but_a_neighbour_knows() -> None:
    table, _ = load_builtin("spirals")
    x = np.column_stack([table.column("Feature 1").to_numpy(), table.column("Feature 2").to_numpy()])
    y = table.column("label").to_numpy()
    far = ((x[:, None] - x[None]) ** 2).sum(-1) + np.eye(len(x)) * 9
    assert (y[far.argmin(1)] == y).mean() > 0.97
    weights, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y * 2 - 1, rcond=None)
    assert ((np.column_stack([x, np.ones(len(x))]) @ weights > 0) == y).mean() < 0.75


def test_gates() -> None:
    for name, function in (("xor", np.bitwise_xor), ("and", np.bitwise_and), ("or", np.bitwise_or)):
        table, target = load_builtin(name)
        a, b = (table.column(n).to_numpy() for n in "ab")
        assert table.names == ("a", "b", target)
        assert table.column(target).to_pylist() == function(a, b).tolist()
        assert BUILTIN[name].settings == {"validation": 0.0, "test": 0.0, "preset": "plain"}


@pytest.mark.parametrize("name", list(BUILTIN))
def test_each_is_what_it_says(name: str) -> None:
    entry = BUILTIN[name]
    table, target = load_builtin(name)
    assert (table.n_rows, target) == (entry.rows, entry.target)
    assert read_target(table, target).task_kind == entry.task
    schema = infer_schema(table, target=target)
    assert not schema.warnings
    assert len(schema.features) >= 2
    assert entry.title
    assert entry.description
    assert entry.source
    assert name in table.report.source


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(SettingError, match="'irs'; did you mean 'iris'"):
        load_builtin("irs")


def test_scikit_learn_is_not_imported() -> None:
    code = (
        "import sys; from pellucid.data.builtin import BUILTIN, load_builtin; [load_builtin(n) for n in BUILTIN]; "
        "assert not {'sklearn', 'torch', 'polars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
