"""What a constant prediction comes to is one number, wherever it is shown."""

from __future__ import annotations

import numpy as np
import pytest

import pellucid
from tests.people import make_people


@pytest.mark.parametrize(("target", "metric"), [("spends", "rmse"), ("job", "accuracy"), ("buys", "roc_auc")])
def test_the_metrics_and_the_verdict_have_one_dummy(target: str, metric: str) -> None:
    people = make_people(120)
    people["spends"][::7] = [1e5 + k for k in range(len(people["spends"][::7]))]  # means differ from part to part
    run = pellucid.train(people, target, preset="plain", hidden=(4,), epochs=2, verdict=True, drop=("id",))
    assert run.verdict is not None
    dummy = next(peer for peer in run.verdict.peers if peer.name == "dummy")
    assert run.summary["baseline"][metric]["value"] == pytest.approx(dummy.value, rel=1e-6)


def test_validation_rows_that_measure_are_not_learned_from() -> None:
    rng = np.random.default_rng(0)
    table = {"x": rng.normal(size=100), "y": rng.lognormal(size=100)}
    run = pellucid.train(table, "y", preset="plain", hidden=(4,), epochs=2, verdict=False, test=0.0)
    assert run.summary["measured_on"] == "validation"
    assert run.summary["baseline"]["r2"]["value"] < 0  # their own mean would come to 0
