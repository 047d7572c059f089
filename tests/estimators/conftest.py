"""Small tables that the estimators learn in a moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_moons


@pytest.fixture(scope="session")
def iris() -> tuple[Any, Any]:
    """150 rows of four numbers, three classes."""
    bunch = load_iris()
    return bunch.data, bunch.target_names[bunch.target]


@pytest.fixture(scope="session")
def moons() -> tuple[Any, Any]:
    """Two half-moons that touch."""
    return make_moons(300, noise=0.25, random_state=0)


@pytest.fixture(scope="session")
def people() -> tuple[Any, Any]:
    """A frame with numbers, text, a category and missing cells; the answer hangs on the text and a number."""
    pd = pytest.importorskip("pandas")
    generator = np.random.default_rng(0)
    n = 240
    age = generator.uniform(20, 70, n).round(1)
    job = generator.choice(["nurse", "cook", "judge"], n)
    size = pd.Categorical(generator.choice(["small", "large"], n))
    y = np.where((job == "nurse") | (age > 55), "yes", "no")
    holed = age.copy()
    holed[::17] = np.nan
    jobs = job.astype(object)
    jobs[5::31] = None
    return pd.DataFrame({"age": holed, "job": jobs, "size": size}), y
