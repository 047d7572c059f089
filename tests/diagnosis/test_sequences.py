"""Findings about networks that read step by step: each planted fault is found, and its healthy neighbour is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pellucid.diagnosis import diagnose
from pellucid.diagnosis.evidence import Columns, Evidence, SampleRows
from pellucid.diagnosis.sequence_evidence import FutureLeak, SequenceEvidence
from pellucid.diagnosis.sequences import (
    copies_of_texts,
    exploding_over_steps,
    future_leaks,
    mostly_padding,
    mostly_unknown,
    sequences_cut,
    vanishing_over_steps,
)
from pellucid.network import rnn
from pellucid.settings.settings import Settings
from pellucid.training.signals import LayerSignal, Snapshot
from tests.diagnosis.test_pictures import BASE, epochs

SETTINGS: dict[str, Any] = {
    **Settings().to_json(),
    "network": "rnn", "bidirectional": False, "step_pool": "last", "text_units": "words", "hidden": (),
    "learning_rate": 0.003, "n_networks": 1, "batch_norm": False, "activation": "relu", "batch_size": 32,
    "init_scale": 1.0, "patience": 10, "dropout": 0.0, "weight_decay": 0.0, "epochs": 3, "ensemble": "auto",
}  # fmt: skip
KNOWN = SequenceEvidence(
    units="words", steps=60, lengths=np.array([40, 50, 60, 55] * 25), unknown=0.05, unknown_learned=0.01, unseen=200
)


def looks(first: float | None, last: float | None, *, before: float | None = None) -> tuple[Snapshot, ...]:
    """An embedding that hardly gets a gradient, a recurrent layer and the last layer; at the start and at the end."""

    def one(epoch: int, first: float | None) -> Snapshot:
        plain = {"weight": 1.0, "moved": 0.1, "spread": 1.0, "dead": None, "saturated": None}
        return Snapshot(
            epoch=epoch,
            loss=0.5,
            layers=(
                LayerSignal(index=0, units=8, gradient=1e-9, **plain),
                LayerSignal(index=1, units=8, gradient=1.0, first_step=first, last_step=last, **plain),
                LayerSignal(index=3, units=8, gradient=1.0, **plain),
            ),
        )

    return one(0, first if before is None else before), one(8, first)


@pytest.fixture
def healthy() -> Evidence:
    """A recurrent network on tokens that learns."""
    rng = np.random.default_rng(0)

    def seen(n: int) -> SampleRows:
        truth = np.arange(n) % 2
        answers = np.where(np.eye(2)[truth] == 1, 0.9, 0.1)
        tokens = rng.integers(1, 5_000, (n, 60))  # no quantities: of any spread, equal in part
        return SampleRows(inputs=tokens, truth=truth, answers=answers, numbers=np.arange(n))

    return Evidence(
        settings=SETTINGS, kind="binary", classes=("bad", "good"), target="label", n_train=200, n_validation=60,
        n_parameters=500, n_classes_train=(100, 100), history=epochs((0.9, 0.9), (0.8, 0.8), (0.7, 0.7)),
        reason="epochs", snapshots=looks(0.1, 0.2), base_loss=BASE, train=seen(200), measured=seen(60),
        unseen=seen(60), columns=Columns(read={"text": slice(0, 60)}),
        network=rnn((60,), (8,), 1, vocabulary=5_000), sequence=KNOWN,
    )  # fmt: skip


def test_nothing_is_found_where_all_is_well(healthy: Evidence) -> None:
    """Nor are the numbers of tokens taken for quantities: scaled, shifted, or near to each other."""
    solved = replace(healthy, history=epochs((0.5, 0.5), (0.2, 0.2), (0.1, 0.1)))
    for e in (solved, replace(solved, measured=solved.train, unseen=solved.train)):
        assert diagnose(e) == ()
    rules = (future_leaks, copies_of_texts, exploding_over_steps, vanishing_over_steps, sequences_cut, mostly_unknown,
             mostly_padding)  # fmt: skip
    assert [rule(healthy) for rule in rules] == [None] * len(rules)
    assert [rule(replace(healthy, sequence=None, snapshots=())) for rule in rules] == [None] * len(rules)


@pytest.mark.parametrize(
    ("first", "before", "loss", "is_found"),
    [
        (1e-9, 1e-9, 0.9, True),
        (1e-9, 1e-9, 0.3, False),  # what has to be known is at the end
        (1e-2, 1e-9, 0.9, False),  # the gates have opened
        (1e-9, 1e-2, 0.9, False),  # it is not the layer that keeps it from the first steps
        (None, None, 0.9, False),  # no recurrent layer
    ],
)
def test_gradients_that_vanish(
    first: float | None, before: float | None, loss: float, is_found: bool, healthy: Evidence
) -> None:
    e = replace(healthy, snapshots=looks(first, 0.2, before=before), history=epochs((1.0, 1.0), (loss, loss)))
    one = vanishing_over_steps(e)
    assert (one is not None) == is_found
    if one is not None:
        assert one.change == {"step_pool": "max", "bidirectional": True, "network": "gru"}
        assert "2.0e-01 at the last step and by 1.0e-09 at the first of 52 and more" in one.evidence
        gated = replace(e, settings={**SETTINGS, "network": "lstm", "step_pool": "mean", "bidirectional": None})
        found = vanishing_over_steps(gated)
        assert found is not None
        assert found.change == {}


@pytest.mark.parametrize(("first", "before", "is_found"), [(1e4, 1.0, True), (1.0, 1e4, True), (10.0, 1.0, False)])
def test_gradients_that_explode(first: float, before: float, is_found: bool, healthy: Evidence) -> None:
    one = exploding_over_steps(replace(healthy, snapshots=looks(first, 1.0, before=before)))
    assert (one is not None) == is_found
    if one is not None:
        assert one.change == {"clip_norm": 1.0, "init_scale": 1.0, "network": "gru"}
        assert ("before training" in one.evidence) == (before > first)


@pytest.mark.parametrize("size", [0.0, float("nan"), float("inf")])
def test_gradients_that_are_nothing_say_nothing(size: float, healthy: Evidence) -> None:
    e = replace(healthy, snapshots=looks(size, size), history=epochs((1.0, 1.0)))
    assert exploding_over_steps(e) is None
    assert vanishing_over_steps(e) is None


@pytest.mark.parametrize(("largest", "is_found"), [(0.5, True), (1e-6, False), (0.0, False)])
def test_a_network_that_sees_the_future(largest: float, is_found: bool, healthy: Evidence) -> None:
    leak = FutureLeak(rows=8, changed=7, largest=largest)
    one = future_leaks(replace(healthy, sequence=replace(KNOWN, future=leak)))
    assert (one is not None) == is_found
    if one is not None:
        assert "changed earlier answers in 7 of 8 rows, a logit by up to 0.5" in one.evidence
        assert one.change == {}
        both = replace(healthy, settings={**SETTINGS, "bidirectional": True}, sequence=replace(KNOWN, future=leak))
        found = future_leaks(both)
        assert found is not None
        assert found.change == {"bidirectional": False}


@pytest.mark.parametrize(("copies", "is_found"), [(0, False), (3, False), (4, True), (30, True)])
def test_copies_of_texts(copies: int, is_found: bool, healthy: Evidence) -> None:
    rows = (-1, *range(copies - 1))[:copies]
    one = copies_of_texts(replace(healthy, sequence=replace(KNOWN, copies=rows)))
    assert (one is not None) == is_found
    if one is not None:
        assert f"{copies} of the 200 unseen texts" in one.evidence
        assert -1 not in one.rows
        assert len(one.rows) <= 20


@pytest.mark.parametrize(("long", "is_found"), [(0.05, False), (0.3, True)])
def test_sequences_that_are_cut(long: float, is_found: bool, healthy: Evidence) -> None:
    lengths = np.where(np.arange(100) < 100 * long, 150, 50)
    one = sequences_cut(replace(healthy, sequence=replace(KNOWN, lengths=lengths)))
    assert (one is not None) == is_found
    if one is not None:
        assert one.finding == "Of 30% of the rows only the beginning is read."
        assert one.evidence == "60 words are read; the median row has 50, the longest 150"
        assert one.change == {"length": 150}
    books = replace(KNOWN, steps=1_024, lengths=np.full(100, 90_000))
    found = sequences_cut(replace(healthy, sequence=books))
    assert found is not None
    assert found.change == {}  # a length that no computer holds is not proposed


@pytest.mark.parametrize(("share", "is_found"), [(None, False), (0.1, False), (0.4, True)])
def test_tokens_that_are_mostly_unknown(share: float | None, is_found: bool, healthy: Evidence) -> None:
    one = mostly_unknown(replace(healthy, sequence=replace(KNOWN, unknown=share)))
    assert (one is not None) == is_found
    if one is not None:
        assert one.finding.startswith("40% of the tokens of unseen texts")
        assert one.change == {"text_units": "byte-pairs"}
        small = mostly_unknown(
            replace(healthy, settings={**SETTINGS, "vocabulary": 30}, sequence=replace(KNOWN, unknown=share))
        )
        assert small is not None
        assert small.change == {"vocabulary": 10_000}


@pytest.mark.parametrize(("usual", "few", "is_found"), [(5, 3, True), (5, 20, False), (30, 3, False)])
def test_rows_that_are_mostly_padding(usual: int, few: int, is_found: bool, healthy: Evidence) -> None:
    lengths = np.where(np.arange(100) < few, 60, usual)
    one = mostly_padding(replace(healthy, sequence=replace(KNOWN, lengths=lengths)))
    assert (one is not None) == is_found
    if one is not None:
        assert one.change == {"length": 5}
    assert mostly_padding(replace(healthy, sequence=replace(KNOWN, steps=12, lengths=lengths))) is None
