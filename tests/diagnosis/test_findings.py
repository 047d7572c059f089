"""Faults put into trainings: each is found by its name, the finding says what it must, and healthy runs get none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.diagnosis import NAMES, RULES, Evidence, Finding, diagnose
from pellucid.diagnosis.evidence import Columns, Peer, SampleRows
from pellucid.diagnosis.rows import imbalance, leak, majority_collapse, near_copies, no_signal, too_small
from pellucid.diagnosis.training import overfitting, rate_too_low
from pellucid.runs import outcome
from pellucid.workflow.doctor import doctor
from tests.people import make_people

Table = dict[str, list[Any]]
SMALL: dict[str, Any] = {"preset": "plain", "hidden": (32, 16), "epochs": 60, "verdict": False}


def rings(n: int = 400, seed: int = 0) -> Table:
    """Two classes that a bent line parts, in two numbers and a column of noise."""
    rng = np.random.default_rng(seed)
    inner = rng.random(n) < 0.5
    radius = np.where(inner, 1.0, 2.2) + 0.15 * rng.normal(size=n)
    angle = rng.uniform(0, 2 * np.pi, n)
    return {
        "x": (radius * np.cos(angle)).tolist(),
        "y": (radius * np.sin(angle)).tolist(),
        "noise": rng.normal(size=n).tolist(),
        "ring": ["inner" if i else "outer" for i in inner],
    }


def slope(n: int = 300, seed: int = 0) -> Table:
    """A number that follows two others."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    return {"x": x[:, 0].tolist(), "y": x[:, 1].tolist(), "z": (x @ [2, -1] + 0.3 * rng.normal(size=n)).tolist()}


def found(table: Table, target: str = "ring", **settings: Any) -> dict[str, Finding]:
    run = pellucid.train(table, target, **{**SMALL, **settings})
    return {finding.name: finding for finding in run.findings}


def rare(table: Table, keep: int) -> Table:
    """Only ``keep`` of the inner rows."""
    mine = [i for i, v in enumerate(table["ring"]) if v == "inner"][keep:]
    return {name: [v for i, v in enumerate(column) if i not in set(mine)] for name, column in table.items()}


def noisy(share: float, n: int = 900) -> Table:
    table, rng = rings(n), np.random.default_rng(5)
    other = {"inner": "outer", "outer": "inner"}
    return {**table, "ring": [other[v] if rng.random() < share else v for v in table["ring"]]}


def few(table: Table, n: int) -> Table:
    return {name: column[:n] for name, column in table.items()}


def leaky() -> Table:
    table, rng = rings(), np.random.default_rng(6)
    return {**table, "code": [v[0] if rng.random() < 0.98 else "i" for v in table["ring"]]}


def copied() -> Table:
    table, rng = rings(), np.random.default_rng(7)
    more = {
        name: [v * (1 + 1e-7 * rng.normal()) if name != "ring" else v for v in c[:150]] for name, c in table.items()
    }
    return {name: [*column, *more[name]] for name, column in table.items()}


FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "too high": ("learning-rate-too-high", {"learning_rate": 0.5, "patience": None}),
    "too low": ("learning-rate-too-low", {"learning_rate": 1e-6, "patience": None}),
    "dead": ("dead-units", {"learning_rate": 0.5, "patience": None}),
    "fading": ("vanishing-gradients", {"hidden": (32,) * 10, "activation": "sigmoid", "epochs": 3}),
    "growing": ("exploding-gradients", {"hidden": (32,) * 7, "init_scale": 3.5, "epochs": 3}),
    "saturated": ("saturated-units", {"activation": "tanh", "init_scale": 30.0}),
    "wide": ("bad-initial-scale", {"init_scale": 25.0}),
    "narrow": ("bad-initial-scale", {"init_scale": 1e-4}),
    "early": ("stopped-too-early", {"epochs": 4}),
    "small batches": ("tiny-batches-with-batch-norm", {"batch_norm": True, "batch_size": 2, "epochs": 3}),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_of_the_settings_is_found(case: str) -> None:
    name, settings = FAULTS[case]
    one = found(rings(), **settings)[name]
    assert one.change
    assert any(character.isdigit() for character in one.evidence)  # it says what was seen, not that something was


def test_diverging() -> None:
    assert "diverging" in found(rings(), optimizer="sgd", learning_rate=300.0, activation="silu", patience=None)
    consulted = doctor(slope(), "z", **{**SMALL, "optimizer": "sgd", "learning_rate": 1e6, "activation": "relu"})
    assert consulted.findings[0].name == "diverging"
    assert consulted.metrics is None


def test_faults_of_the_rows_are_found() -> None:
    scaled = {**rings(), "x": [v * 5_000 for v in rings()["x"]]}
    assert found(scaled, scaling="none")["features-not-scaled"].change == {"scaling": "standard"}
    one = found(leaky())["leak"]
    assert "'code'" in one.finding
    assert one.change == {"drop": ("code",)}
    who = [f"p{i // 5}" for i in range(550)]
    assert "copies-across-the-split" in found({**copied(), "who": who}, group="who")
    assert "copies-across-the-split" not in found(copied())  # the split keeps them together
    assert "too-few-rows" in found(few(rings(), 40))
    assert found(noisy(0.15))["labels-look-wrong"].rows
    twice = {**rings(), "again": [3 - 2 * v for v in rings()["x"]]}
    assert found(twice)["useless-columns"].change["drop"] == ("again",)
    still = found({**rings(), "same": ["x"] * 400})["useless-columns"]
    assert "'same' has one value" in still.evidence
    assert "copies" not in still.consequence
    shuffled = {**rings(), "ring": list(np.random.default_rng(8).permutation(rings()["ring"]))}
    assert "no-signal" in found(shuffled, verdict=True)


def test_balance() -> None:
    vague = {**rare(rings(900), 24), "x": np.random.default_rng(0).normal(size=len(rare(rings(900), 24)["x"])).tolist()}
    names = found({name: vague[name] for name in ("x", "noise", "ring")})
    assert {"majority-collapse", "class-imbalance"} & set(names)


def test_what_the_network_cannot_do() -> None:
    assert found(rings(), hidden=(1,), epochs=150, learning_rate=0.02, verdict=True)["network-too-small"].change
    rng = np.random.default_rng(9)
    hard = {**few(rings(), 120), "ring": ["a" if v else "b" for v in rng.random(120) < 0.5]}
    one = found(hard, hidden=(256, 256), epochs=150, patience=None, learning_rate=3e-3)["overfitting"]
    assert one.change["n_networks"] >= 4


def test_losses_that_do_not_suit() -> None:
    table = slope()
    classes = {**table, "z": [float(round(v) % 3) for v in table["z"]]}
    assert found(classes, "z", task="regression")["wrong-loss"].change["task"] == "multiclass"
    grades = {**table, "z": [float(min(6, max(0, round(v) + 3))) for v in table["z"]]}
    assert "wrong-loss" not in found(grades, "z", task="regression")  # seven in an order that means something
    names = {**table, "z": [float([4, 0, 6, 2, 5, 1, 3][int(v)]) for v in grades["z"]]}
    assert found(names, "z", task="regression")["wrong-loss"].change["task"] == "multiclass"
    wild = {**table, "z": [v * 4_000 if i % 100 == 0 else v for i, v in enumerate(table["z"])]}
    assert found(wild, "z")["wrong-loss"].change == {"loss": "huber"}


def test_shifted_test_rows() -> None:
    table, other = rings(), rings(200, seed=1)
    run = pellucid.train(table, "ring", test_data={**other, "noise": [v + 2 for v in other["noise"]]}, **SMALL)
    one = next(f for f in run.findings if f.name == "shifted-rows")
    assert "'noise'" in one.finding


@pytest.mark.parametrize("preset", ["plain", "quick", "best"])
def test_nothing_is_found_where_all_is_well(preset: str) -> None:
    for table, target in ((rings(), "ring"), (slope(), "z")):
        run = pellucid.train(table, target, preset=preset, verdict=True)
        assert [finding.name for finding in run.findings] == []


def test_every_name_is_known_and_reads_back() -> None:
    run = pellucid.train(rings(), "ring", **{**SMALL, "epochs": 2})
    assert {finding.name for finding in run.findings} <= set(NAMES)
    assert len(NAMES) == len(RULES)
    assert all(Finding.from_json(finding.to_json()) == finding for finding in run.findings)


@pytest.fixture
def evidence(monkeypatch: pytest.MonkeyPatch) -> Evidence:
    """That of a healthy run."""
    caught: list[Evidence] = []

    def keep(e: Evidence) -> tuple[Finding, ...]:
        caught.append(e)
        return ()

    monkeypatch.setattr(outcome, "diagnose", keep)
    pellucid.train(make_people(), "buys", **{**SMALL, "drop": ("id",)})
    return caught[0]


def with_losses(evidence: Evidence, *losses: tuple[float, float]) -> Evidence:
    """Epochs with these training and validation losses, as shares of the base loss."""
    base, like = evidence.base_loss, evidence.history[0]
    history = [
        replace(like, epoch=k, train_loss=a * base, validation_loss=b * base)
        for k, (a, b) in enumerate(losses, start=1)
    ]
    return replace(evidence, history=tuple(history))


@pytest.mark.parametrize(
    ("kind", "rise", "left", "is_found"),
    [  # shares of the base loss, and of the last validation loss
        ("binary", 0.35, 0.05, True), ("binary", 0.25, 0.05, False), ("binary", 0.35, 0.2, False),
        ("binary", 1.0, 0.4, True), ("binary", 1.0, 0.6, False), ("regression", 0.1, 0.05, True),
        ("regression", 0.1, 0.3, False), ("regression", 0.3, 0.4, True),
    ],
)  # fmt: skip
def test_a_loss_that_turns_up_is_overfitting_where_little_of_the_training_loss_is_left(
    kind: str, rise: float, left: float, is_found: bool, evidence: Evidence
) -> None:
    last = 0.5 + rise
    one = overfitting(replace(with_losses(evidence, (0.9, 0.9), (0.5, 0.5), (left * last, last)), kind=kind))
    assert (one is not None) == is_found


def boosting(difference: float, *, high: float) -> Peer:
    return Peer(name="gradient boosting", value=0.5, difference=difference, low=2 * difference - high, high=high)


@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_few_rows_or_one_wild_answer_do_not_hide_that_the_answers_follow_the_target(
    kind: str, evidence: Evidence
) -> None:
    rng = np.random.default_rng(6)
    truth = (rng.random(60) < 0.4).astype(int) if kind == "binary" else rng.normal(size=60)
    dummy = Peer(name="dummy", value=0.5, difference=-0.1, low=-0.5, high=0.3)
    for agreement_with_targets in (True, False):
        said = truth + rng.normal(size=60) if agreement_with_targets else rng.normal(size=60)
        said[0] = 1e9
        chance = 1 / (1 + np.exp(-np.clip(said, -9, 9)))
        answers = np.column_stack([1 - chance, chance]) if kind == "binary" else said
        seen = SampleRows(inputs=np.zeros((60, 1)), truth=truth, answers=answers, numbers=np.arange(60))
        classes = ("no", "yes") if kind == "binary" else ()
        one = no_signal(replace(evidence, kind=kind, classes=classes, measured=seen, peers=(dummy,)))
        assert (one is None) == agreement_with_targets


def test_there_is_a_signal_where_the_network_alone_has_found_it(evidence: Evidence) -> None:
    dummy = Peer(name="dummy", value=0.5, difference=0.3, low=0.2, high=0.4)
    linear = Peer(name="linear model", value=0.5, difference=0.3, low=0.2, high=0.4)
    blind = replace(evidence, measured=replace(evidence.measured, answers=np.full((len(evidence.measured), 2), 0.5)))
    assert no_signal(replace(blind, peers=(dummy, linear))) is None
    assert no_signal(replace(blind, peers=(replace(dummy, low=-0.1), linear))) is not None


@pytest.mark.parametrize(("telling", "is_found"), [(1, True), (2, True), (4, False), (8, False)])
def test_a_few_telling_columns_are_a_leak_and_many_an_easy_table(
    telling: int, is_found: bool, evidence: Evidence
) -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 400)
    inputs = rng.normal(size=(400, 8))
    inputs[:, :telling] = truth[:, np.newaxis] + 0.01 * rng.normal(size=(400, telling))
    seen = SampleRows(inputs=inputs, truth=truth, answers=np.eye(2)[truth], numbers=np.arange(400))
    columns = Columns(read={f"x{k}": slice(k, k + 1) for k in range(8)})
    one = leak(replace(evidence, train=seen, unseen=seen, columns=columns))
    assert (one is not None) == is_found
    assert one is None or one.change["drop"][-telling:] == tuple(f"x{k}" for k in range(telling))


@pytest.mark.parametrize(("each", "is_found"), [(21, False), (5, True)])
def test_a_telling_column_is_no_leak_where_the_next_one_tells_nearly_as_much(
    each: int, is_found: bool, evidence: Evidence
) -> None:
    rng = np.random.default_rng(4)
    truth = np.arange(400) % 2
    second = np.where(np.arange(400) % each == 3, 1 - truth, truth)  # leaves two in each of the uncertainty
    inputs = np.column_stack([truth, second, rng.normal(size=(400, 6))]) + 0.01 * rng.normal(size=(400, 8))
    seen = SampleRows(inputs=inputs, truth=truth, answers=np.eye(2)[truth], numbers=np.arange(400))
    columns = Columns(read={f"x{k}": slice(k, k + 1) for k in range(8)})
    assert (leak(replace(evidence, train=seen, unseen=seen, columns=columns)) is not None) == is_found


@pytest.mark.parametrize(("noise", "is_found"), [(0.0, False), (1e-6, True), (0.1, False)])
def test_near_copies_are_neither_equal_rows_nor_merely_alike(noise: float, is_found: bool, evidence: Evidence) -> None:
    rng = np.random.default_rng(5)
    train, unseen = rng.normal(size=(200, 4)), rng.normal(size=(100, 4))
    unseen[:30] = train[:30] + noise * rng.normal(size=(30, 4))
    parts = [replace(evidence.train, inputs=train, every=None), replace(evidence.unseen, inputs=unseen, every=None)]
    assert (near_copies(replace(evidence, train=parts[0], unseen=parts[1])) is not None) == is_found


@pytest.mark.parametrize(("caught", "is_found"), [(6, True), (18, False)])
def test_a_rare_class_that_is_found_needs_no_help(caught: int, is_found: bool, evidence: Evidence) -> None:
    truth = (np.arange(200) < 20).astype(int)
    answered = (np.arange(200) < caught).astype(int)
    unseen = SampleRows(inputs=np.zeros((200, 2)), truth=truth, answers=np.eye(2)[answered], numbers=np.arange(200))
    rare = replace(evidence, classes=("no", "yes"), n_classes_train=(950, 50), unseen=unseen)
    assert (imbalance(rare) is not None) == is_found


@pytest.mark.parametrize(("losses", "is_found"), [((1.0, 0.99, 0.98, 0.97), True), ((0.97, 0.99, 0.98, 0.96), False)])
def test_small_steps_are_too_small_only_while_the_loss_is_falling(
    losses: tuple[float, ...], is_found: bool, evidence: Evidence
) -> None:
    snapshots = tuple(
        replace(
            snapshot,
            layers=tuple(replace(layer, moved=None if snapshot.epoch == 0 else 1e-4) for layer in snapshot.layers),
        )
        for snapshot in evidence.snapshots
    )
    slow = replace(with_losses(evidence, *((loss, loss) for loss in losses)), snapshots=snapshots)
    assert (rate_too_low(slow) is not None) == is_found


@pytest.mark.parametrize(("high", "is_found"), [(-0.01, True), (0.004, True), (0.02, False)])
def test_a_network_is_too_small_where_a_simpler_model_is_better_with_95_per_cent_confidence(
    high: float, is_found: bool, evidence: Evidence
) -> None:
    beaten = replace(with_losses(evidence, (0.9, 0.9), (0.8, 0.8)), peers=(boosting(-0.05, high=high),))
    for hidden, expected in (((1,), is_found), ((32,), False)):
        one = too_small(replace(beaten, settings={**evidence.settings, "hidden": hidden}))
        assert (one is not None) == expected


def test_symptoms_are_not_said_beside_their_cause(evidence: Evidence) -> None:
    scaled = evidence.train.inputs.copy()
    scaled[:, 0] *= 1e4
    worse = replace(evidence, train=replace(evidence.train, inputs=scaled), reason="diverged")
    names = [finding.name for finding in diagnose(worse)]
    assert "features-not-scaled" in names
    assert "diverging" not in names


def test_a_gradient_that_fades_is_the_only_finding_about_its_steps_and_units(evidence: Evidence) -> None:
    """Weights that learn next to nothing jump about or stand still; a smaller rate makes that worse."""
    first = evidence.snapshots[0]
    quiet = tuple(
        replace(layer, gradient=10.0 ** (k - 5), spread=1.0) for k, layer in enumerate([*first.layers, *first.layers])
    )
    restless = tuple(
        replace(snapshot, layers=tuple(replace(layer, moved=0.9, saturated=0.9) for layer in snapshot.layers))
        for snapshot in evidence.snapshots[1:]
    )
    settings = {**evidence.settings, "activation": "sigmoid"}
    restless_run = replace(evidence, settings=settings, snapshots=(first, *restless))
    assert {"learning-rate-too-high", "saturated-units"} <= {one.name for one in diagnose(restless_run)}
    fading = replace(restless_run, snapshots=(replace(first, layers=quiet), *restless))
    names = {one.name for one in diagnose(fading)}
    assert "vanishing-gradients" in names
    assert not names & {"learning-rate-too-high", "saturated-units"}


def test_large_steps_in_the_middle_of_a_cycle_are_no_fault(evidence: Evidence) -> None:
    restless = tuple(
        replace(snapshot, layers=tuple(replace(layer, moved=0.9) for layer in snapshot.layers))
        for snapshot in evidence.snapshots[1:]
    )
    cycle = replace(
        evidence,
        settings={**evidence.settings, "schedule": "one_cycle"},
        snapshots=(evidence.snapshots[0], *restless),
        history=tuple(replace(line, validation_loss=1 / (line.epoch + 1)) for line in evidence.history),
    )
    assert "learning-rate-too-high" not in {one.name for one in diagnose(cycle)}
    worst_last = replace(
        cycle, history=tuple(replace(line, validation_loss=float(line.epoch)) for line in cycle.history)
    )
    assert "learning-rate-too-high" in {one.name for one in diagnose(worst_last)}


def test_a_second_fix_never_undoes_the_first() -> None:
    twice = {**rings(), "again": [3 - 2 * v for v in rings()["x"]], "code": leaky()["code"]}
    run = pellucid.train(twice, "ring", **{**SMALL, "hidden": (32,) * 8, "activation": "sigmoid", "epochs": 5})
    changes = {one.name: one.change for one in run.findings if one.change}
    assert {"leak", "vanishing-gradients", "useless-columns"} <= set(changes)
    assert changes["leak"] == {"drop": ("code",)}
    assert changes["vanishing-gradients"]["drop"] == ("code",)
    last = changes["useless-columns"]
    assert last["drop"] == ("code", "again")
    assert (last["activation"], last["hidden"]) == ("silu", (32, 32))


def test_without_validation_rows_no_rule_compares_the_training_loss_with_itself(evidence: Evidence) -> None:
    beaten = replace(
        with_losses(evidence, (0.9, 0.9), (0.8, 0.8)),
        peers=(boosting(-0.05, high=-0.01),),
        settings={**evidence.settings, "hidden": (1,)},
    )
    turned = with_losses(evidence, (0.9, 0.9), (0.5, 0.5), (0.05, 1.0))
    for rule, seen in ((too_small, beaten), (overfitting, turned)):
        assert rule(seen) is not None
        assert rule(replace(seen, n_validation=0)) is None
    folds = {**turned.settings, "ensemble": "folds", "n_networks": 4}
    assert overfitting(replace(turned, settings=folds)) is None  # their mean is the fix


@pytest.mark.parametrize(("settings", "n"), [({}, 60), ({"validation": 0}, 0), ({"ensemble": "folds"}, 80)])
def test_how_many_rows_choose_the_epoch(settings: dict[str, Any], n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    caught: list[int] = []
    monkeypatch.setattr(outcome, "diagnose", lambda e: caught.append(e.n_validation) or ())
    several = {"n_networks": 4} if "ensemble" in settings else {}
    pellucid.train(rings(), "ring", **{**SMALL, "epochs": 2, **settings, **several})
    assert caught == [n]


def test_little_to_go_by_is_no_error(evidence: Evidence) -> None:
    """No snapshots, no validation rows, no unseen rows, one epoch: rules that need them are silent."""
    nothing = replace(
        evidence.unseen,
        inputs=evidence.unseen.inputs[:0],
        truth=evidence.unseen.truth[:0],
        answers=evidence.unseen.answers[:0],
        numbers=evidence.unseen.numbers[:0],
    )
    bare = replace(
        evidence,
        snapshots=(),
        history=evidence.history[:1],
        unseen=nothing,
        measured=nothing,
        n_validation=0,
        peers=(),
    )
    assert isinstance(diagnose(bare), tuple)
    assert diagnose(replace(bare, history=())) == ()


def test_a_reconstruction_and_one_row_a_class_are_no_error() -> None:
    again = pellucid.train("iris", task="reconstruction", **{**SMALL, "epochs": 3})
    assert isinstance(again.findings, tuple)


@pytest.mark.parametrize(("others", "said"), [(0, "for every row"), (14, "for 98.6% of the rows")])
def test_every_row_is_said_only_of_every_row(others: int, said: str, evidence: Evidence) -> None:
    truth = (np.arange(1_000) < 100).astype(int)
    answered = (np.arange(1_000) < others).astype(int)
    unseen = SampleRows(inputs=np.zeros((1_000, 2)), truth=truth, answers=np.eye(2)[answered], numbers=np.arange(1_000))
    found_ = majority_collapse(replace(evidence, classes=("ok", "bad"), kind="binary", unseen=unseen))
    assert found_ is not None
    assert found_.finding == f"The network predicts 'ok' {said}."
    assert ("nearly" in found_.consequence) == bool(others)


def test_copies_are_counted_among_all_rows(evidence: Evidence) -> None:
    rng = np.random.default_rng(6)
    train, unseen = rng.normal(size=(9_000, 4)), rng.normal(size=(1_000, 4))
    unseen[:120] = train[-120:] + 1e-6
    parts = [
        replace(evidence.train, inputs=train[::9], every=train),
        replace(evidence.unseen, inputs=unseen[::2], every=unseen),
    ]
    found_ = near_copies(replace(evidence, train=parts[0], unseen=parts[1]))
    assert found_ is not None
    assert "120 of the 1,000 unseen rows" in found_.evidence
