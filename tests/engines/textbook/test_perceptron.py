"""Rosenblatt's rule: by hand, against scikit-learn's perceptron, and against the theorem about its mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pellucid.engines.textbook.perceptron import answer, find_cycle, learn, step
from pellucid.errors import DataError, SettingError

Array = NDArray[Any]

PAIRS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
AND, XOR = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 0])


def test_the_step_is_one_from_zero_on() -> None:
    assert step(np.array([-1e-300, 0.0, 1e-300])).tolist() == [0, 1, 1]


def test_the_first_epochs_of_and_by_hand() -> None:
    """From zeros at η = 1: 0 ≥ 0, so (0, 0) is answered 1; b falls to −1; (1, 1) is then answered 0; and so on."""
    learned = learn(PAIRS, AND, epochs=2)
    seen = [(u.epoch, u.row, u.answer, u.error, u.weights.tolist(), u.bias) for u in learned.mistakes]
    assert seen == [
        (1, 0, 1, -1, [0, 0], -1),
        (1, 3, 0, 1, [1, 1], 0),
        (2, 0, 1, -1, [1, 1], -1),
        (2, 1, 1, -1, [1, 0], -2),
        (2, 3, 0, 1, [2, 1], -1),
    ]
    assert not learned.converged


def test_fourteen_of_the_sixteen_gates_are_learned() -> None:
    """All but XOR and its opposite are linearly separable (Minsky & Papert 1969)."""
    failed = []
    for number in range(16):
        targets = np.array([number >> bit & 1 for bit in range(4)])
        learned = learn(PAIRS, targets, epochs=50)
        if learned.converged:
            assert answer(learned.weights, learned.bias, PAIRS).tolist() == targets.tolist()
            assert not [u for u in learned.mistakes if u.epoch == learned.epochs]
        else:
            failed.append(targets.tolist())
    assert sorted(failed) == [[0, 1, 1, 0], [1, 0, 0, 1]]


def random_rows(seed: int, rows: int = 30) -> tuple[Array, Array]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(rows, 3)), generator.integers(0, 2, rows)


@pytest.mark.parametrize("epochs", [1, 7])
def test_the_weights_are_those_of_scikit_learn(epochs: int) -> None:
    """With random numbers no sum is exactly 0, the one place where the two rules differ."""
    from sklearn.linear_model import Perceptron

    x, y = random_rows(0)
    first = np.array([0.3, -0.2, 0.1])
    ours = learn(x, y, learning_rate=0.5, epochs=epochs, weights=first, bias=0.05)
    theirs = Perceptron(eta0=0.5, shuffle=False, tol=None, max_iter=epochs)
    theirs.fit(x, y, coef_init=first[None].copy(), intercept_init=np.array([0.05]))
    assert not ours.converged
    np.testing.assert_allclose(ours.weights, theirs.coef_[0], rtol=1e-9)
    np.testing.assert_allclose(ours.bias, theirs.intercept_[0], rtol=1e-9)
    assert first.tolist() == [0.3, -0.2, 0.1]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_never_more_mistakes_than_novikoff_allows(seed: int) -> None:
    generator = np.random.default_rng(seed)
    u = generator.normal(size=4)
    u /= np.linalg.norm(u)
    x = generator.normal(size=(40, 3))
    z = np.column_stack([x, np.ones(40)]) @ u
    x, z = x[np.abs(z) > 0.1], z[np.abs(z) > 0.1]
    longest = np.sqrt((x**2).sum(axis=1) + 1).max()
    learned = learn(x, (z > 0).astype(int), epochs=10_000)
    assert learned.converged
    assert len(learned.mistakes) <= (longest / np.abs(z).min()) ** 2


@pytest.mark.parametrize("scale", [0.25, 4.0])
def test_from_zero_weights_the_learning_rate_is_only_a_scale(scale: float) -> None:
    one, other = learn(PAIRS, AND), learn(PAIRS, AND, learning_rate=scale)
    assert [u.error for u in one.updates] == [u.error for u in other.updates]
    assert (scale * one.weights).tolist() == other.weights.tolist()
    assert scale * one.bias == other.bias


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("learning_rate", [1.0, 0.1])
def test_xor_goes_round_in_a_circle(seed: int, learning_rate: float) -> None:
    first = np.random.default_rng(seed).normal(size=3)
    learned = learn(PAIRS, XOR, learning_rate=learning_rate, epochs=300, weights=first[:2], bias=first[2])
    cycle = find_cycle(learned)
    assert not learned.converged
    assert cycle is not None
    earlier, later = cycle
    rounds = [[u.error for u in learned.updates if u.epoch == epoch + 1] for epoch in (earlier, later)]
    assert rounds[0] == rounds[1]
    ends = {u.epoch: np.append(u.weights, u.bias) for u in learned.updates}
    np.testing.assert_allclose(ends[earlier], ends[later], atol=1e-12)
    assert not np.allclose(ends[earlier], ends[later - 1]) or later - 1 == earlier


def test_what_is_learned_is_no_circle() -> None:
    assert find_cycle(learn(PAIRS, AND)) is None
    assert find_cycle(learn(PAIRS, XOR, epochs=2)) is None


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"learning_rate": 0.0}, SettingError, "learning_rate"),
        ({"learning_rate": float("nan")}, SettingError, "learning_rate"),
        ({"epochs": 0}, SettingError, "epochs"),
        ({"targets": np.array([0, 1, 2, 0])}, DataError, "targets must be 0 or 1, got .*2"),
        ({"targets": np.array([0, 1])}, DataError, "shapes"),
        ({"inputs": np.zeros(4)}, DataError, "shapes"),
        ({"inputs": np.array([[0, 0], [0, 1], [np.nan, 0], [1, 1]])}, DataError, "row 2"),
        ({"weights": np.zeros(3)}, DataError, "weights"),
    ],
)
def test_what_does_not_fit_is_said(changed: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        learn(**{"inputs": PAIRS, "targets": AND, **changed})
