"""A smaller look at the planted faults: each kind once, and every healthy script."""

from __future__ import annotations

import pytest
from benchmarks.doctor_scripts.__main__ import healthy, outcome, planted
from benchmarks.doctor_scripts.faults import FAULTS, Fault
from benchmarks.doctor_scripts.faults_later import LATER

from pellucid.script_reader import check_script

SCRIPTS = healthy()
EVERY = (*FAULTS, *LATER)
ONE_OF_EACH_KIND = tuple({fault[0]: fault for fault in reversed(EVERY)}.values())


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_mistake_is_named_in_a_healthy_script(name: str) -> None:
    assert [f for f in check_script(SCRIPTS[name], name) if not f.remark] == []


@pytest.mark.parametrize("fault", ONE_OF_EACH_KIND, ids=[f"{f[0]} in {f[1]}" for f in ONE_OF_EACH_KIND])
def test_a_planted_fault_is_named_at_its_line(fault: Fault) -> None:
    assert outcome(fault, SCRIPTS).found


def test_there_are_faults_of_many_kinds_and_each_changes_its_script() -> None:
    assert len(EVERY) >= 60
    assert all(planted(fault, SCRIPTS) != SCRIPTS[fault[1]] for fault in EVERY)
