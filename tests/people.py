"""Small tables that train in a moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from pellucid.settings.settings import Settings

Columns = dict[str, list[Any]]


def make_people(n: int = 300, seed: int = 0) -> Columns:
    """A table with every kind of column, missing cells, and two targets: ``buys`` (yes/no) and ``spends``."""
    generator = np.random.default_rng(seed)
    age = generator.integers(18, 80, n)
    job = generator.choice(["nurse", "clerk", "smith"], n, p=[0.5, 0.3, 0.2])
    joined = np.datetime64("2020-01-01") + generator.integers(0, 900, n)
    score = age / 20 + (job == "nurse") * 1.5 + generator.normal(0, 0.3, n)
    missing = generator.random(n) < 0.1
    return {
        "id": [f"P{i:05d}" for i in generator.permutation(n)],
        "age": [None if m else int(a) for a, m in zip(age, missing, strict=True)],
        "job": job.tolist(),
        "member": generator.choice(["yes", "no"], n).tolist(),
        "joined": [str(day) for day in joined],
        "buys": np.where(score > np.median(score), "yes", "no").tolist(),
        "spends": (score * 1000).round(2).tolist(),
    }


@pytest.fixture(autouse=True, scope="module")
def _no_verdict(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs are not compared with other models here, which would take longer than training them."""
    if request.module.__name__.endswith("_verdict"):
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        defaults: Any = Settings.__init__.__kwdefaults__
        patch.setitem(defaults, "verdict", False)
        yield


@pytest.fixture(scope="session")
def people() -> Columns:
    """300 people."""
    return make_people()


def write_people(path: Any) -> Any:
    """The 300 people as a file."""
    import csv

    people = make_people()
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(people)
        writer.writerows(["" if cell is None else cell for cell in row] for row in zip(*people.values(), strict=True))
    return path


@pytest.fixture
def people_csv(tmp_path: Any) -> Any:
    """The same as a file."""
    return write_people(tmp_path / "people.csv")
