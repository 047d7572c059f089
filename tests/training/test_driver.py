"""One driver: by every way the same weights, each event once and in order, also over an interruption and a crash."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any, cast

import numpy as np
import pytest

from pellucid.engines.fused.stack import StackEngine
from pellucid.errors import DivergenceError
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training import loop, ways
from pellucid.training.driver import TrainedMembers, train_members
from pellucid.training.engine import Engine, make_engine
from pellucid.training.events import (
    EpochEnded,
    Event,
    Listener,
    SnapshotTaken,
    TrainingBegan,
    TrainingEnded,
    to_all,
)
from pellucid.training.loop import Outcome, Plan, State
from pellucid.training.rows import Resident, Rows
from pellucid.training.signals import SnapshotRecorder
from pellucid.training.ways import Alone, Group, Learner, Session, Stacked

MANY = 4
LOSS, RULE = Loss(name="mse"), Optimizer(name="adam")
NETWORK = mlp(3, [5], 1, dropout=0.2, batch_norm=True)
PLAN = Plan(learning_rate=0.05, batch_size=8, epochs=6, patience=2)


def rows(n: int, seed: int) -> Rows:
    x = np.random.default_rng(seed).normal(size=(n, 3))
    return Rows(inputs=x, targets=np.sin(2 * x[:, :1]) + x[:, 1:2])


TRAIN, VALIDATION = rows(40, 0), rows(20, 1)


def start(seed: int) -> dict[str, Any]:
    return initialise(NETWORK, seed)


def engine(learner: Learner) -> Engine:
    return make_engine("fused", NETWORK, LOSS, RULE, learner.start(), dtype="float64", device="cpu")


def stack(starts: Sequence[Mapping[str, Any]]) -> StackEngine:
    return StackEngine(NETWORK, LOSS, RULE, starts, "float64")


def by_seeds(**changes: Any) -> list[Learner]:
    plan = replace(PLAN, **changes)
    return [
        Learner(train=TRAIN, validation=VALIDATION, plan=replace(plan, seed=k), start=partial(start, k), name=f"no {k}")
        for k in range(MANY)
    ]


def by_folds(**changes: Any) -> list[Learner]:
    folds = np.array_split(np.random.default_rng(2).permutation(40), MANY)
    return [
        replace(each, train_rows=np.setdiff1d(np.arange(40), fold), validation_rows=fold)
        for each, fold in zip(by_seeds(**changes), folds, strict=True)
    ]


ALONE = [Group(Alone(engine), [k]) for k in range(MANY)]
STACK = [Group(Stacked(stack), range(MANY))]
WAYS = {"alone": ALONE, "one after another": [Group(Alone(engine), range(MANY))], "stack": STACK}
LEARNERS = {"seeds": by_seeds, "folds": by_folds}


class Memory:
    """A store in memory."""

    def __init__(self) -> None:
        self.states: dict[int, State] = {}
        self.outcomes: dict[int, Outcome] = {}

    def finished(self, member: int) -> Outcome | None:
        return self.outcomes.get(member)

    def state(self, member: int, engine: Engine, plan: Plan) -> State | None:
        return self.states.get(member)

    def save(self, member: int, state: Callable[[], State]) -> None:
        self.states[member] = state()

    def finish(self, member: int, outcome: Outcome) -> None:
        self.outcomes[member] = outcome
        self.states.pop(member, None)


def lines(history: Sequence[Any]) -> list[dict[str, Any]]:
    return [{**asdict(line), "seconds": 0} for line in history]


def assert_same(found: TrainedMembers, wanted: TrainedMembers, *, exactly: bool) -> None:
    assert len(found.outcomes) == len(wanted.outcomes)
    for one, other in zip(found.outcomes, wanted.outcomes, strict=True):
        assert (one.reason, one.best_epoch, len(one.history)) == (other.reason, other.best_epoch, len(other.history))
        for line, expected in zip(lines(one.history), lines(other.history), strict=True):
            assert line == (expected if exactly else pytest.approx(expected, rel=1e-9))
        for name, array in one.parameters.items():
            if exactly:
                np.testing.assert_array_equal(array, other.parameters[name])
            else:
                np.testing.assert_allclose(array, other.parameters[name], rtol=1e-9, atol=1e-12)


def assert_in_order(heard: Sequence[Event], outcomes: Mapping[int, Outcome]) -> None:
    """Of each network: it began, each epoch once and in order, it ended; and nothing of what it was told is lost."""
    for member, outcome in outcomes.items():
        mine = [each for each in heard if getattr(each, "member", None) == member]
        steps = [each for each in mine if not isinstance(each, SnapshotTaken)]
        first, *epochs, last = steps
        assert isinstance(first, TrainingBegan)
        assert isinstance(last, TrainingEnded)
        told = [*first.history]
        for each in epochs:
            assert isinstance(each, EpochEnded)
            told.append(each.epoch)
        assert [line.epoch for line in told] == list(range(1, len(told) + 1))
        assert tuple(told) == outcome.history
        assert last.outcome is outcome
    assert {each.member for each in heard if isinstance(each, TrainingBegan)} == set(outcomes)


def trained(learners: Sequence[Learner], groups: Sequence[Group], **given: Any) -> tuple[TrainedMembers, list[Event]]:
    heard: list[Event] = []
    listener = to_all(heard.append, given.pop("listener", None))
    return train_members(learners, groups, listener=listener, **given), heard


# ── the ways ──


@pytest.mark.parametrize("rows_by", LEARNERS)
@pytest.mark.parametrize("way", WAYS)
def test_every_way_comes_to_the_same(way: str, rows_by: str) -> None:
    starts: dict[int, Any] = {}

    def listen(event: Event) -> None:
        if isinstance(event, TrainingBegan):
            starts[event.member] = event.weights()

    learners = LEARNERS[rows_by]()
    wanted, _ = trained(learners, ALONE)
    found, heard = trained(learners, WAYS[way], listener=listen)
    assert_same(found, wanted, exactly=way != "stack")
    assert_in_order(heard, dict(enumerate(found.outcomes)))
    assert found.stacked == (way == "stack")
    for k, learner in enumerate(learners):
        for name, array in learner.start().items():
            np.testing.assert_allclose(starts[k][name], array, rtol=1e-12)


@pytest.mark.parametrize("way", WAYS)
def test_weights_of_an_epoch_are_those_of_its_network(way: str) -> None:
    """At the last epoch they are what the plan keeps, if it keeps the last; of networks that end early, too."""
    seen: dict[int, Any] = {}

    def listen(event: Event) -> None:
        if isinstance(event, EpochEnded):
            seen[event.member] = event.weights()

    found, _ = trained(by_folds(keep="last", learning_rate=0.4, epochs=9), WAYS[way], listener=listen)
    assert len({len(outcome.history) for outcome in found.outcomes}) > 1, "some end earlier than others"
    for k, outcome in enumerate(found.outcomes):
        for name, array in outcome.parameters.items():
            np.testing.assert_array_equal(seen[k][name], array)


def test_stacks_of_tables_of_their_own() -> None:
    learners = [replace(each, train=rows(40, 10 + k)) for k, each in enumerate(by_seeds())]
    weighted = replace(learners[1].train, weights=np.linspace(0.5, 2, 40))
    learners[1] = replace(learners[1], train=weighted)
    learners[2] = replace(learners[2], train_rows=np.arange(40)[::-1].copy())
    assert_same(trained(learners, STACK)[0], trained(learners, ALONE)[0], exactly=False)


def test_learning_rates_of_their_own_in_a_stack() -> None:
    learners = [
        replace(each, plan=replace(each.plan, learning_rate=0.01 * (1 + each.plan.seed))) for each in by_seeds()
    ]
    assert_same(trained(learners, STACK)[0], trained(learners, ALONE)[0], exactly=False)


# ── going on ──


def crash_after(epochs: int) -> Listener:
    left = epochs

    def listen(event: Event) -> None:
        nonlocal left
        if isinstance(event, EpochEnded):
            left -= 1
            if left < 0:
                raise InterruptedError

    return listen


@pytest.mark.parametrize("rows_by", LEARNERS)
@pytest.mark.parametrize(("way", "epochs"), [("alone", 0), ("alone", 4), ("alone", 13), ("stack", 9)])
def test_a_crash_changes_nothing_and_loses_no_event(way: str, epochs: int, rows_by: str) -> None:
    learners = LEARNERS[rows_by](patience=None)
    straight, _ = trained(learners, WAYS[way])
    store = Memory()
    with pytest.raises(InterruptedError):
        trained(learners, WAYS[way], store=store, listener=crash_after(epochs))
    assert bool(store.states or store.outcomes) == (way == "alone" and epochs > 0)
    found, heard = trained(learners, WAYS[way], store=store)
    assert_same(found, straight, exactly=True)
    assert_in_order(heard, dict(enumerate(found.outcomes)))
    again, heard = trained(learners, WAYS[way], store=store)  # all are kept: nothing is trained
    assert_same(again, straight, exactly=True)
    assert_in_order(heard, dict(enumerate(again.outcomes)))
    assert not any(isinstance(event, EpochEnded) for event in heard)


@pytest.mark.parametrize(
    ("way", "epochs", "left"), [("alone", 3, 1), ("alone", 9, 2), ("alone", 0, 1), ("stack", 9, 1)]
)
def test_an_interruption_ends_in_order_and_goes_on(way: str, epochs: int, left: int) -> None:
    learners, store, count = by_seeds(patience=None), Memory(), 0

    def listen(event: Event) -> None:
        nonlocal count
        count += isinstance(event, EpochEnded)

    found, heard = trained(learners, WAYS[way], store=store, listener=listen, interrupted=lambda: count >= epochs)
    assert found.interrupted
    assert len(found.outcomes) == left
    ended = {event.member: event.outcome for event in heard if isinstance(event, TrainingEnded)}
    if way == "alone":
        assert_in_order(heard, ended)
    else:  # of a stack nothing is kept
        assert all(not outcome.history and outcome.reason == "interrupted" for outcome in ended.values())
        assert set(ended) == set(range(MANY))
    assert list(store.states) == ([len(ended) - 1] if way == "alone" and epochs % 6 else [])
    rest, heard = trained(learners, WAYS[way], store=store)
    assert_same(rest, trained(learners, WAYS[way])[0], exactly=True)
    assert_in_order(heard, dict(enumerate(rest.outcomes)))


def test_an_interrupted_network_that_is_the_only_one_is_left_as_it_is() -> None:
    found, _ = trained(by_seeds()[:1], ALONE[:1], interrupted=lambda: True)
    assert [outcome.best_epoch for outcome in found.outcomes] == [0]


# ── divergence and snapshots ──


@pytest.mark.parametrize("way", ["alone", "stack"])
def test_a_divergence_in_the_first_epoch(way: str) -> None:
    with np.errstate(all="ignore"):
        learners = by_seeds()
        hot = replace(VALIDATION, targets=np.full((20, 1), 1e200))
        learners[2] = replace(learners[2], validation=hot)
        heard: list[Event] = []
        with pytest.raises(DivergenceError, match=r"^no 2: the validation loss is inf"):
            train_members(learners, WAYS[way], listener=heard.append)
        ended = [event for event in heard if isinstance(event, TrainingEnded)]
        assert [event.member for event in ended] == [0, 1, 2]
        assert ended[-1].outcome.problem is not None
        found, heard = trained(learners, WAYS[way], may_diverge=True)
    assert [outcome.problem is not None for outcome in found.outcomes] == [False, False, True, False]
    assert_in_order(heard, dict(enumerate(found.outcomes)))


@pytest.mark.parametrize(("way", "epochs"), [("alone", [0, 1, 2, 3, 4]), ("stack", None)])
def test_snapshots_are_events_of_the_first_network(way: str, epochs: list[int] | None) -> None:
    recorder = SnapshotRecorder(NETWORK, LOSS, TRAIN)
    found, heard = trained(by_seeds(patience=None), WAYS[way], recorder=recorder)
    taken = [event for event in heard if isinstance(event, SnapshotTaken)]
    assert {event.member for event in taken} == {0}
    assert [event.snapshot for event in taken] == recorder.snapshots
    wanted = [0, found.outcomes[0].best_epoch] if epochs is None else epochs
    assert [event.snapshot.epoch for event in taken] == wanted
    unseen, _ = trained(by_seeds(patience=None), WAYS[way])
    assert_same(found, unseen, exactly=True)


def test_what_a_listener_raises_reaches_the_caller_and_the_others_before_it_have_heard() -> None:
    first: list[Event] = []
    last: list[Event] = []
    with pytest.raises(InterruptedError):
        train_members(by_seeds(), ALONE, listener=to_all(first.append, crash_after(2), last.append))
    assert len(first) == len(last) + 1


# ── the rows ──


class Streamed(Resident):
    """Gives the engine the rows of each batch alone, as a source that reads them from a disk would."""

    def load(self, engine: Any) -> None:
        engine.load_rows(self.rows.inputs[:1], self.rows.targets[:1])

    def ready(self, engine: Any, rows: Any) -> Any:
        batch = self.take(rows)
        engine.load_rows(batch.inputs, batch.targets, batch.weights)
        return np.arange(len(rows))


def test_rows_may_come_batch_by_batch() -> None:
    learner = by_seeds()[0]
    made = [make_engine("textbook", NETWORK, LOSS, RULE, learner.start(), dtype="float64") for _ in range(2)]
    found, wanted = (
        loop.fit(each, source, VALIDATION, PLAN) for each, source in zip(made, (Streamed(TRAIN), TRAIN), strict=True)
    )
    for name, array in found.parameters.items():
        np.testing.assert_allclose(array, wanted.parameters[name], rtol=1e-12)


# ── mistakes that these tests have to catch ──


def _no_history(self: Session, member: int, weights: Any, history: Any = ()) -> None:
    self.tell(TrainingBegan(member=member, weights=weights))


def _another_member(self: Session, member: int, epoch: Any, weights: Any) -> None:
    self.tell(EpochEnded(member=MANY - 1 - member, epoch=epoch, weights=weights))


def _twice(self: Session, member: int, epoch: Any, weights: Any) -> None:
    for _ in range(2):
        self.tell(EpochEnded(member=member, epoch=epoch, weights=weights))


@pytest.mark.parametrize(
    ("what", "name", "mistake", "way"),
    [
        (Session, "began", _no_history, "alone"),
        (Session, "epoch_ended", _another_member, "alone"),
        (Session, "epoch_ended", _another_member, "stack"),
        (Session, "epoch_ended", _twice, "stack"),
        (Session, "epoch_ended", lambda *_: None, "alone"),
        (ways, "copy_of_start", lambda learner: start(7), "stack"),
    ],
)
def test_planted_mistakes_are_caught(
    what: Any, name: str, mistake: Any, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what, name, mistake)
    with pytest.raises((AssertionError, ValueError)):
        _both(way)


class _UpdatesFirst:
    """An engine that moves the weights before it has the gradients of the batch."""

    def __init__(self, made: Engine) -> None:
        self._made, self._primed = made, False

    def step(self, rows: Any, masks: Any, learning_rate: float) -> float:
        if self._primed:
            self._made.update(learning_rate)
        self._primed = True
        return self._made.backward(rows, masks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)


def test_an_update_before_the_backward_pass_is_caught() -> None:
    wrong = [Group(Alone(lambda learner: cast("Engine", _UpdatesFirst(engine(learner)))), [k]) for k in range(MANY)]
    learners = by_seeds(patience=None)
    stacked, found = trained(learners, STACK)[0], trained(learners, wrong)[0]
    with pytest.raises(AssertionError):
        assert_same(found, stacked, exactly=False)


def _both(way: str) -> None:
    test_every_way_comes_to_the_same(way, "folds")
    test_a_crash_changes_nothing_and_loses_no_event(way, 9, "seeds")
