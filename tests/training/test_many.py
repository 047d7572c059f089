"""Networks trained side by side end where each would have ended alone."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pellucid.engines.textbook.forward import forward
from pellucid.errors import DivergenceError, SettingError
from pellucid.network import Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import OPTIMIZERS, Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine
from pellucid.training.loop import Plan, Rows, fit
from pellucid.training.many import _way, logits_of_many, train_many, worth_stacking

Array = NDArray[Any]

SEEDS, EPOCHS, RATE = (0, 1, 2), 15, 0.03
OUTPUTS = {"bce": 1, "cross_entropy": 3, "mse": 2}


def rows_for(loss: str, seed: int = 0) -> tuple[Array, Array]:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(20, 4))
    if loss == "cross_entropy":
        return x, generator.integers(0, 3, 20)
    if loss == "bce":
        return x, generator.integers(0, 2, (20, 1)).astype(np.float64)
    return x, generator.normal(size=(20, 2))


def alone(
    engine: str, network: Network, loss: Loss, rule: Optimizer, first: dict[str, Array], x: Array, y: Array
) -> Any:
    trainer = make_engine(engine, network, loss, rule, first, dtype="float64", device="cpu")
    plan = Plan(learning_rate=RATE, batch_size=len(x), epochs=EPOCHS, keep="last")
    rows = Rows(inputs=x, targets=y)
    return fit(trainer, rows, rows, plan).parameters


@pytest.mark.parametrize("decay", [0.0, 0.02])
@pytest.mark.parametrize("loss_name", OUTPUTS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_ends_where_it_ends_alone(name: Any, loss_name: Any, decay: float) -> None:
    """Both engines, trained by the ordinary loop on all rows at once, come to the same weights."""
    network = mlp(4, [6, 5], OUTPUTS[loss_name], activation="tanh")
    loss, rule = Loss(name=loss_name), Optimizer(name=name, weight_decay=decay)
    firsts = [initialise(network, seed, scheme="uniform") for seed in SEEDS]
    x, y = rows_for(loss_name)
    many = train_many(network, loss, rule, firsts, x, y, learning_rate=RATE, epochs=EPOCHS, dtype="float64",
                      engine="stack")  # fmt: skip
    for engine in ("torch", "textbook"):
        for i, first in enumerate(firsts):
            for key, array in alone(engine, network, loss, rule, first, x, y).items():
                np.testing.assert_allclose(many[key][i], array, rtol=1e-9, atol=1e-10, err_msg=f"{engine} {key}")
                assert not np.allclose(many[key][i], first[key], atol=1e-4)  # it did learn


@pytest.mark.parametrize("loss_name", OUTPUTS)
def test_rows_of_their_own(loss_name: Any) -> None:
    """With inputs [S, B, I] each network learns from its own rows, as alone."""
    network = mlp(4, [5], OUTPUTS[loss_name])
    loss, rule = Loss(name=loss_name), Optimizer(name="adam")
    firsts = [initialise(network, seed) for seed in SEEDS]
    parts = [rows_for(loss_name, seed) for seed in SEEDS]
    x, y = np.stack([part[0] for part in parts]), np.stack([part[1] for part in parts])
    many = train_many(network, loss, rule, firsts, x, y, learning_rate=RATE, epochs=EPOCHS, dtype="float64",
                      engine="stack")  # fmt: skip
    logits = logits_of_many(network, many, x)
    for i, first in enumerate(firsts):
        single = alone("textbook", network, loss, rule, first, x[i], y[i])
        for key, array in single.items():
            np.testing.assert_allclose(many[key][i], array, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(logits[i], forward(network, single, x[i]).logits, rtol=1e-5, atol=1e-7)


def test_logits_are_those_of_the_textbook() -> None:
    network = mlp(4, [6], 3, activation="gelu")
    firsts = [initialise(network, seed, scheme="uniform") for seed in SEEDS]
    stacked = {key: np.stack([first[key] for first in firsts]) for key in firsts[0]}
    x, _ = rows_for("mse")
    logits = logits_of_many(network, stacked, x)
    assert logits.shape == (3, 20, 3)
    for i, first in enumerate(firsts):
        np.testing.assert_allclose(logits[i], forward(network, first, x).logits, rtol=1e-12)


def test_a_look_on_the_way_is_the_end_of_a_shorter_run() -> None:
    network, loss, rule = mlp(4, [5], 1), Loss(name="bce"), Optimizer(name="adam")
    firsts = [initialise(network, seed) for seed in SEEDS]
    x, y = rows_for("bce")
    seen: dict[str, Array] = {}
    settings: Any = {"learning_rate": RATE, "dtype": "float64", "engine": "stack"}
    train_many(network, loss, rule, firsts, x, y, epochs=9, at={4: seen.update}, **settings)
    for key, array in train_many(network, loss, rule, firsts, x, y, epochs=4, **settings).items():
        np.testing.assert_array_equal(seen[key], array)


def test_first_weights_are_left_as_they_were() -> None:
    network, x_y = mlp(4, [5], 1), rows_for("bce")
    first = initialise(network, 0)
    kept = {key: array.copy() for key, array in first.items()}
    train_many(network, Loss(name="bce"), Optimizer(), [first], *x_y, learning_rate=RATE, epochs=3, dtype="float64")
    for key, array in kept.items():
        np.testing.assert_array_equal(first[key], array)


def test_dropout_is_refused() -> None:
    network = mlp(4, [5], 1, dropout=0.3)
    with pytest.raises(SettingError, match=r"Dropout 0\.3.*fit_many"):
        train_many(network, Loss(name="bce"), Optimizer(), [initialise(network, 0)], *rows_for("bce"),
                   learning_rate=RATE, epochs=1)  # fmt: skip


def test_batch_norm_class_weights_and_clipping_are_each_networks_own() -> None:
    network = mlp(4, [5], 3, batch_norm=True)
    loss = Loss(name="cross_entropy", class_weights=(1.0, 3.0, 0.5), label_smoothing=0.1)
    rule = Optimizer(name="momentum", clip_norm=0.1)
    firsts = [initialise(network, seed) for seed in SEEDS]
    x, y = rows_for("cross_entropy")
    many = train_many(network, loss, rule, firsts, x, y, learning_rate=RATE, epochs=EPOCHS, dtype="float64",
                      engine="stack")  # fmt: skip
    for i, first in enumerate(firsts):
        for key, array in alone("torch", network, loss, rule, first, x, y).items():
            np.testing.assert_allclose(many[key][i], array, rtol=1e-9, atol=1e-10, err_msg=key)


def stub(
    monkeypatch: pytest.MonkeyPatch, *, there: bool = True, reason: str | None = None, loaded: bool = True
) -> list[dict[str, Any]]:
    """A kernel that trains nothing and notes what it was asked."""
    asked: list[dict[str, Any]] = []

    def train_runs(*_: Any, **settings: Any) -> dict[str, Array]:
        asked.append(settings)
        return {"0.weight": np.zeros((1, 1, 1))}

    kernel, runs = ModuleType("pellucid.engines.kernel"), ModuleType("pellucid.engines.kernel.runs")
    vars(kernel).update(supports=lambda _: reason, too_large=lambda _: None, runs=runs)
    vars(runs).update(train_runs=train_runs, ready=lambda dtype: there)
    monkeypatch.setitem(sys.modules, "pellucid.engines.kernel", kernel)
    monkeypatch.setitem(sys.modules, "pellucid.engines.kernel.runs", runs)
    if loaded:
        monkeypatch.setitem(sys.modules, "numba", ModuleType("numba"))
    else:
        monkeypatch.delitem(sys.modules, "numba", raising=False)
    return asked


@pytest.mark.parametrize(
    ("engine", "there", "reason", "device", "is_kernel"),
    [
        ("auto", True, None, "cpu", True),
        ("auto", False, None, "cpu", False),
        ("auto", True, "it is too large", "cpu", False),
        ("auto", True, None, "auto", False),
        ("stack", True, None, "cpu", False),
        ("kernel", True, None, "cpu", True),
        ("kernel", False, None, "cpu", True),  # and says itself that Numba is missing
    ],
)
def test_who_trains(
    engine: str, there: bool, reason: str | None, device: str, is_kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = stub(monkeypatch, there=there, reason=reason)
    network = mlp(4, [5], 1)
    settings: Any = {"learning_rate": RATE, "epochs": 2, "engine": engine, "device": device, "dtype": "float64"}
    last = train_many(network, Loss(name="bce"), Optimizer(), [initialise(network, 0)], *rows_for("bce"), **settings)
    assert (last["0.weight"].shape == (1, 1, 1)) == is_kernel
    wanted = {"learning_rate": RATE, "epochs": 2, "at": None, "dtype": "float64", "threads": None}
    assert asked == ([wanted] if is_kernel else [])


@pytest.mark.parametrize(("epochs", "is_kernel"), [(10, False), (10_000, True)])
def test_numba_is_loaded_for_long_work_only(epochs: int, is_kernel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(monkeypatch, loaded=False)
    network = mlp(4, [], 1)
    asked = _way("auto", network, "float32", "cpu", 3 * epochs)
    assert asked == ("kernel" if is_kernel else "stack")


@pytest.mark.parametrize(("reason", "device", "said"), [("it is too large", "cpu", "too large"), (None, "cuda", "cpu")])
def test_a_kernel_that_cannot_says_why(
    reason: str | None, device: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(monkeypatch, reason=reason)
    network = mlp(4, [5], 1)
    with pytest.raises(SettingError, match=said):
        train_many(network, Loss(name="bce"), Optimizer(), [initialise(network, 0)], *rows_for("bce"),
                   learning_rate=RATE, epochs=1, engine="kernel", device=device)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"parameters": []}, "no networks"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"epochs": 0}, "epochs"),
        ({"inputs": np.zeros((2, 20, 4))}, "2 networks"),
        ({"device": "gpu"}, "device 'gpu'"),
        ({"engine": "torch"}, "engine 'torch'"),
    ],
)
def test_wrong_settings_are_said(changed: dict[str, Any], said: str) -> None:
    network = mlp(4, [5], 1)
    x, y = rows_for("bce")
    settings: dict[str, Any] = {
        "optimizer": Optimizer(), "parameters": [initialise(network, 0)], "engine": "stack", "inputs": x, "targets": y,
        "learning_rate": RATE, "epochs": 1,
    }  # fmt: skip
    with pytest.raises(SettingError, match=said):
        train_many(network, **{"loss": Loss(name="bce"), **settings, **changed})


def test_weights_that_run_away_are_said() -> None:
    network = mlp(4, [5], 2, activation="identity")
    firsts = [initialise(network, seed) for seed in SEEDS]
    with pytest.raises(DivergenceError, match=r"3 of 3 networks .* lower the learning rate, which is 100"):
        train_many(network, Loss(name="mse"), Optimizer(name="sgd"), firsts, *rows_for("mse"), learning_rate=100,
                   epochs=60, engine="stack")  # fmt: skip


def test_small_steps_are_worth_stacking_and_large_ones_are_not() -> None:
    small, large = mlp(64, [64], 10), mlp(784, [256, 128], 10)
    assert [worth_stacking(small, rows) for rows in (1, 64, 1024)] == [True, True, False]
    assert not worth_stacking(large, 64)
