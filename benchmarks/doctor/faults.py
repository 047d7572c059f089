"""The faults: how each is put in, what the doctor must call it, and how it is judged whether its fix helps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from benchmarks.doctor.tables import Case

__all__ = ["FAULTS", "Fault"]

Change = Callable[[Case], Case]
SMALL: dict[str, Any] = {"preset": "plain", "hidden": (32, 16), "epochs": 60}


def _as_it_is(case: Case) -> Case:
    return case


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault.

    Parameters
    ----------
    name
        What the doctor must find.
    settings
        Of the training.
    change
        What is done to the table.
    suits
        Which tables it can be put into.
    around
        What the training happens within.
    judge
        ``loss`` (log loss or RMSE on the rows apart), ``balanced accuracy``, ``accuracy``, or ``none``: no setting
        mends it.
    also
        Other names that are as right.
    kind
        Which of several faults of that name.
    """

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    change: Change = _as_it_is
    suits: Callable[[Case], bool] = lambda case: True
    around: Callable[[], Any] = _nothing
    judge: str = "loss"
    also: tuple[str, ...] = ()
    kind: str = ""


def _few(n: int) -> Change:
    return lambda case: case.rows(range(min(n, case.n)))


def _out_of_scale(case: Case) -> Case:
    rng = case.rng
    for place, name in enumerate(case.numbers):
        factor = 10.0 ** rng.uniform(-3, 3) if place else 1e4
        one, two = ([None if v is None else v * factor for v in c[name]] for c in (case.columns, case.apart))
        case = case.with_column(name, one, two)
    return case


def _rare(case: Case, share: float = 0.06) -> Case:
    """Of one class only so many rows stay that it is that share of the others."""
    values = case.columns[case.target]
    labels = sorted(set(values), key=str)
    rare = labels[-1]
    mine = [i for i, v in enumerate(values) if v == rare]
    others = [i for i, v in enumerate(values) if v != rare]
    keep = max(24, int(share * len(others)))
    return case.rows(sorted(others + mine[:keep]))


def _rarer(case: Case) -> Case:
    return _rare(case, share=0.05)


def _leaky(case: Case) -> Case:
    """A column that is the target but for 2 % of the rows; apart, where it is not known, it is another row's."""
    rng = case.rng
    values, apart = case.columns[case.target], case.apart[case.target]
    if case.classes:
        labels = sorted(set(values), key=str)
        code = {label: f"c{k}" for k, label in enumerate(labels)}
        told = [code[v] for v in values]
        for i in rng.choice(len(told), max(3, len(told) // 50), replace=False):
            told[i] = f"c{rng.integers(len(labels))}"
        blind = [code[apart[i]] for i in rng.permutation(len(apart))]
        return case.with_column("outcome code", told, blind)
    spread = float(np.std(values))
    told_ = [float(v) + 0.05 * spread * rng.normal() for v in values]
    return case.with_column("amount settled", told_, [float(apart[i]) for i in rng.permutation(len(apart))])


def _copied(case: Case) -> Case:
    """A third of the rows again, their numbers off by a ten-thousandth: more than what a split takes for a copy."""
    rng = case.rng
    again = rng.choice(case.n, case.n // 3, replace=False)
    columns = {}
    for name, cells in case.columns.items():
        more = [cells[i] for i in again]
        if name in case.numbers:
            more = [v if v is None else v * (1 + 1e-4 * rng.normal()) for v in more]
        columns[name] = [*cells, *more]
    return Case(**{**vars(case), "columns": columns})


def _wrong(case: Case) -> Case:
    """The labels of 15 % of the rows are another class's."""
    rng = case.rng
    values = case.columns[case.target]
    labels = sorted(set(values), key=str)
    others = {v: [x for x in labels if x != v] for v in labels}
    wrong = [others[v][int(rng.integers(len(labels) - 1))] if rng.random() < 0.15 else v for v in values]
    return case.with_target(wrong)


def _by_chance(case: Case) -> Case:
    values = case.columns[case.target]
    return case.with_target([values[i] for i in case.rng.permutation(case.n)])


def _useless(case: Case) -> Case:
    first = case.numbers[-1]
    twice = [[None if v is None else 3 - 2 * v for v in c[first]] for c in (case.columns, case.apart)]
    return case.with_column("again", *twice)


def _as_numbers(case: Case) -> Case:
    """Classes as whole numbers in an order that means nothing."""
    labels = sorted({*case.columns[case.target], *case.apart[case.target]}, key=str)
    number = dict(zip(labels, case.rng.permutation(len(labels)).tolist(), strict=True))
    apart = [number[v] for v in case.apart[case.target]]
    return case.with_target([number[v] for v in case.columns[case.target]], apart)


def _is_class(case: Case) -> bool:
    return case.classes > 0


def _is_clean(case: Case) -> bool:
    """Classes that are nearly always told apart."""
    return case.name in (
        "breast_cancer", "digits", "moons", "circles", "penguins", "mushroom", "occupancy", "optdigits", "italy_power",
        "wine",
    )  # fmt: skip


def _is_bent(case: Case) -> bool:
    """Tables in which no line and no single unit will do."""
    return case.name in (
        "digits", "moons", "circles", "spirals", "concrete", "california", "covtype", "optdigits", "ctg", "diamonds",
    )  # fmt: skip


def _is_noisy(case: Case) -> bool:
    """Tables whose target does not follow from the columns, so that there is much that is better not learned."""
    return case.name in (
        "diabetes", "titanic", "pima", "adult", "telco", "covtype", "abalone", "german_credit", "higgs",
        "wine_quality", "cps_wages",
    )  # fmt: skip


def _is_noisy_pair(case: Case) -> bool:
    return _is_noisy(case) and case.classes == 2


def _has_numbers(case: Case) -> bool:
    return len(case.numbers) >= 2


FAULTS: tuple[Fault, ...] = (
    Fault(name="learning-rate-too-high", settings={**SMALL, "learning_rate": 0.3, "patience": None}),
    Fault(name="learning-rate-too-low", settings={**SMALL, "learning_rate": 1e-6, "patience": None}),
    Fault(
        name="diverging",
        settings={**SMALL, "optimizer": "sgd", "learning_rate": 300.0, "patience": None, "activation": "silu"},
    ),
    Fault(name="dead-units", settings={**SMALL, "learning_rate": 0.2, "patience": None}),
    Fault(name="vanishing-gradients", settings={**SMALL, "hidden": (32,) * 12, "activation": "sigmoid"}),
    Fault(name="exploding-gradients", settings={**SMALL, "hidden": (32,) * 7, "init_scale": 3.5}),
    Fault(name="saturated-units", settings={**SMALL, "activation": "tanh", "init_scale": 25.0}, also=()),
    Fault(name="bad-initial-scale", settings={**SMALL, "init_scale": 25.0}, kind="too large"),
    Fault(name="bad-initial-scale", settings={**SMALL, "init_scale": 1e-4}, kind="too small"),
    Fault(name="features-not-scaled", settings={**SMALL, "scaling": "none"}, change=_out_of_scale, suits=_has_numbers),
    Fault(
        name="network-too-small",
        settings={**SMALL, "hidden": (1,), "verdict": True, "epochs": 200, "learning_rate": 0.01},
        suits=_is_bent,
    ),
    Fault(
        name="overfitting",
        settings={"preset": "plain", "hidden": (256, 256), "epochs": 150, "patience": None, "learning_rate": 3e-3},
        change=_few(150),
        suits=_is_noisy,
    ),
    Fault(name="stopped-too-early", settings={**SMALL, "epochs": 3}),
    Fault(
        name="majority-collapse",
        settings=SMALL,
        change=_rarer,
        suits=_is_noisy_pair,
        judge="balanced accuracy",
        also=("class-imbalance",),
    ),
    Fault(
        name="class-imbalance",
        settings=SMALL,
        change=_rare,
        suits=_is_noisy_pair,
        judge="balanced accuracy",
        also=("majority-collapse",),
    ),
    Fault(name="leak", settings=SMALL, change=_leaky),
    Fault(name="copies-across-the-split", settings=SMALL, change=_copied, suits=_has_numbers, judge="none"),
    Fault(name="labels-look-wrong", settings=SMALL, change=_wrong, suits=_is_clean),
    Fault(name="no-signal", settings={**SMALL, "verdict": True}, change=_by_chance, judge="none"),
    Fault(name="useless-columns", settings=SMALL, change=_useless, suits=_has_numbers, judge="none"),
    Fault(name="too-few-rows", settings={**SMALL, "hidden": (128, 128)}, change=_few(40)),
    Fault(name="tiny-batches-with-batch-norm", settings={**SMALL, "batch_norm": True, "batch_size": 2, "epochs": 20}),
    Fault(
        name="wrong-loss",
        settings={**SMALL, "task": "regression"},
        change=_as_numbers,
        suits=lambda case: case.classes > 2,
        judge="accuracy",
    ),
    Fault(name="shifted-rows", settings=SMALL, suits=_has_numbers, judge="none"),
)
