"""Faults put into trainings on texts: each is found by its name, and the healthy twin gets no finding."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.doctor.planted import Planted
from benchmarks.doctor.sequence_faults import SEQUENCE_FAULTS

import pellucid
from pellucid.diagnosis import NAMES


@pytest.mark.parametrize("fault", SEQUENCE_FAULTS, ids=lambda fault: fault.label)
def test_a_planted_fault_is_found_and_its_twin_is_healthy(
    fault: Planted, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert fault.name in NAMES
    folder = tmp_path_factory.mktemp("fault")
    for planted in (True, False):
        trial = fault.make(np.random.default_rng(0), folder / str(planted), planted)
        given = {"verdict": False, "seed": 0, "threads": 1, **trial.settings}
        run = pellucid.train(trial.data, test_data=trial.test, **given)
        found = {finding.name: finding for finding in run.findings}
        if planted:
            assert any(character.isdigit() for character in found[fault.name].evidence)
        else:
            assert fault.name not in found
