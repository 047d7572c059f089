"""Networks trained together end where each would have ended alone, on any number of threads."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pellucid.engines import kernel
from pellucid.engines.kernel import runs
from pellucid.engines.kernel.engine import KernelEngine
from pellucid.engines.kernel.layers.activation import CODES
from pellucid.engines.kernel.runs import train_runs
from pellucid.engines.torch_engine.engine import TorchEngine
from pellucid.errors import DataError, DivergenceError, SettingError
from pellucid.network import Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import OPTIMIZERS, Optimizer
from pellucid.network.task import Loss
from pellucid.training.batches import batches
from pellucid.training.loop import Plan, Rows, fit
from pellucid.training.parity import difference

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


def firsts_of(network: Network, seeds: Any = SEEDS) -> list[dict[str, Array]]:
    return [initialise(network, seed, scheme="uniform") for seed in seeds]


def one(stacked: dict[str, Array], s: int) -> dict[str, Array]:
    return {name: array[s] for name, array in stacked.items()}


def apart(a: dict[str, Array], b: dict[str, Array]) -> float:
    assert a.keys() == b.keys()
    return max(difference(a[name], b[name]) for name in a)


def order_of(n: int, seed: int, epoch: int) -> Array:
    """The rows of an epoch in the order in which `batches` gives them."""
    return np.concatenate(list(batches(n, n, seed, epoch)))


@pytest.mark.parametrize("loss_name", OUTPUTS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_full_batches_as_with_autograd(name: Any, loss_name: Any) -> None:
    network = mlp(4, [6, 5], OUTPUTS[loss_name], activation="tanh")
    loss, rule = Loss(name=loss_name), Optimizer(name=name, weight_decay=0.02)
    firsts, rows = firsts_of(network), rows_for(loss_name)
    ours = train_runs(network, loss, rule, firsts, *rows, learning_rate=RATE, epochs=EPOCHS, dtype="float64")
    for s, first in enumerate(firsts):
        engine = TorchEngine(network, loss, rule, first, "float64")
        engine.load_rows(*rows)
        for _ in range(EPOCHS):
            engine.step(np.arange(20), [], RATE)
        assert apart(one(ours, s), engine.parameters()) <= 1e-10
        assert apart(one(ours, s), first) > 1e-3  # it did learn


def test_batches_weights_classes_and_clipping_as_with_autograd() -> None:
    """Everything that many networks in PyTorch refuse, each network in its own order of rows."""
    network = mlp(4, [6], 3, activation="gelu")
    loss = Loss(name="cross_entropy", label_smoothing=0.1, class_weights=(0.5, 2.0, 1.0))
    rule = Optimizer(name="adamw", weight_decay=0.05, clip_norm=0.3)
    x, y = rows_for("cross_entropy")
    weights = np.random.default_rng(5).uniform(0.5, 2, 20)
    firsts = firsts_of(network)
    ours = train_runs(
        network, loss, rule, firsts, x, y, learning_rate=RATE, epochs=EPOCHS, weights=weights, batch_size=6,
        orders=lambda s, epoch: order_of(20, SEEDS[s], epoch), dtype="float64",
    )  # fmt: skip
    for s, seed in enumerate(SEEDS):
        engine = TorchEngine(network, loss, rule, firsts[s], "float64")
        engine.load_rows(x, y, weights)
        for epoch in range(EPOCHS):
            for batch in batches(20, 6, seed, epoch):
                engine.step(batch, [], RATE)
        assert apart(one(ours, s), engine.parameters()) <= 1e-10


def test_rows_of_their_own() -> None:
    network, loss, rule = mlp(4, [5], 2, activation="silu"), Loss(name="huber"), Optimizer()
    firsts = firsts_of(network)
    parts = [rows_for("mse", seed) for seed in SEEDS]
    x, y = np.stack([part[0] for part in parts]), np.stack([part[1] for part in parts])
    weights = np.random.default_rng(5).uniform(0.5, 2, (3, 20))
    settings: Any = {"learning_rate": RATE, "epochs": EPOCHS, "dtype": "float64"}
    ours = train_runs(network, loss, rule, firsts, x, y, weights=weights, threads=2, **settings)
    for s, first in enumerate(firsts):
        alone = train_runs(network, loss, rule, [first], x[s], y[s], weights=weights[s], **settings)
        assert apart(one(ours, s), one(alone, 0)) == 0
    assert apart(one(ours, 0), one(ours, 1)) > 1e-3


@pytest.mark.parametrize("batch_size", [None, 7])
def test_threads_and_company_make_no_difference(batch_size: int | None) -> None:
    network, loss, rule = mlp(4, [5], 1, activation="tanh"), Loss(name="bce"), Optimizer()
    firsts = firsts_of(network, range(7))
    x, y = rows_for("bce")

    def trained(firsts: Any, threads: int | None, **more: Any) -> dict[str, Array]:
        return train_runs(network, loss, rule, firsts, x, y, learning_rate=RATE, epochs=EPOCHS, dtype="float64",
                          batch_size=batch_size, threads=threads, **more)  # fmt: skip

    single = trained(firsts, 1)
    for threads in (2, 3, 16, None):
        assert apart(trained(firsts, threads), single) == 0
    for s, first in enumerate(firsts):
        assert apart(one(trained([first], 1), 0), one(single, s)) == 0
    engine = KernelEngine(network, loss, rule, firsts[3], "float64")
    engine.load_rows(x, y)
    for _ in range(EPOCHS):
        for start in range(0, 20, batch_size or 20):
            engine.step(np.arange(start, min(20, start + (batch_size or 20))), [], RATE)
    assert apart(engine.parameters(), one(single, 3)) == 0


def test_work_given_in_pieces_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long runs come back to Python now and then; so few epochs never would."""
    network, rows = mlp(4, [5], 1), rows_for("bce")
    settings: Any = {"learning_rate": RATE, "epochs": EPOCHS, "orders": lambda s, e: order_of(20, s, e)}
    arguments = network, Loss(name="bce"), Optimizer(), firsts_of(network), *rows
    whole = train_runs(*arguments, **settings)
    monkeypatch.setattr(runs, "_BETWEEN_CHECKS", 1.0)
    assert apart(train_runs(*arguments, **settings), whole) == 0


def test_learning_rates_of_their_own() -> None:
    network, loss, rule, rows = mlp(4, [5], 1), Loss(name="bce"), Optimizer(), rows_for("bce")
    firsts = firsts_of(network)
    settings: Any = {"epochs": 6, "batch_size": 8, "dtype": "float64"}
    per_network = train_runs(network, loss, rule, firsts, *rows, learning_rate=(0.1, 0.01, 0.2), **settings)
    for s, rate in enumerate((0.1, 0.01, 0.2)):
        alone = train_runs(network, loss, rule, [firsts[s]], *rows, learning_rate=rate, **settings)
        assert apart(one(per_network, s), one(alone, 0)) == 0
    falling = np.linspace(0.1, 0.01, 18)[np.newaxis]
    looks: dict[int, Any] = {2: lambda seen: None, 5: lambda seen: None}
    scheduled = train_runs(network, loss, rule, firsts, *rows, learning_rate=falling, at=looks, **settings)
    engine = TorchEngine(network, loss, rule, firsts[1], "float64")
    engine.load_rows(*rows)
    rates = iter(falling[0])
    for _ in range(6):
        for start in range(0, 20, 8):
            engine.step(np.arange(start, min(start + 8, 20)), [], next(rates))
    assert apart(one(scheduled, 1), engine.parameters()) <= 1e-10


def test_a_look_on_the_way_is_the_end_of_a_shorter_run() -> None:
    network, loss, rule = mlp(4, [5], 1), Loss(name="bce"), Optimizer(name="adam")
    seen: dict[int, dict[str, Array]] = {}
    settings: Any = {"learning_rate": RATE, "dtype": "float64"}
    arguments = network, loss, rule, firsts_of(network), *rows_for("bce")
    looks = {epoch: lambda now, epoch=epoch: seen.update({epoch: now}) for epoch in (4, 9, 12)}
    last = train_runs(*arguments, epochs=9, at=looks, **settings)
    assert apart(seen[4], train_runs(*arguments, epochs=4, **settings)) == 0
    assert apart(seen[9], last) == 0
    assert apart(last, train_runs(*arguments, epochs=9, **settings)) == 0
    assert 12 not in seen


def test_first_weights_and_rows_are_left_as_they_were() -> None:
    network, (x, y) = mlp(4, [5], 1), rows_for("bce")
    first = initialise(network, 0)
    kept = {key: array.copy() for key, array in first.items()}
    x.flags.writeable = y.flags.writeable = False
    train_runs(network, Loss(name="bce"), Optimizer(), [first], x, y, learning_rate=RATE, epochs=3)
    assert apart(first, kept) == 0


@pytest.mark.parametrize(
    ("network", "said"),
    [(mlp(4, [5], 1, batch_norm=True), "BatchNorm 5"), (mlp(4, [5], 1, dropout=0.3), "Dropout 0.3")],
)
def test_layers_that_are_missing_are_said(network: Network, said: str) -> None:
    loss, first = Loss(name="bce"), initialise(network, 0)
    assert said in str(kernel.supports(network))
    with pytest.raises(SettingError, match=said):
        train_runs(network, loss, Optimizer(), [first], *rows_for("bce"), learning_rate=RATE, epochs=1)
    with pytest.raises(SettingError, match=rf"{said}.*use engine=auto"):
        KernelEngine(network, loss, Optimizer(), first)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"parameters": []}, "no networks"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"learning_rate": [0.1, 0.1, 0.1]}, "learning_rate must be one number"),
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"threads": 0}, "threads"),
        ({"dtype": "float16"}, "float16"),
        ({"inputs": np.zeros((2, 20, 4))}, "2 networks"),
        ({"orders": lambda s, e: np.arange(19)}, "each of the 20 rows"),
        ({"orders": lambda s, e: np.arange(1, 21)}, "from 0 to 19"),
        ({"parameters": [initialise(mlp(4, [6], 1), 0)]}, "another network"),
        ({"inputs": np.zeros((20, 3))}, "rows of 4 numbers"),
        ({"targets": np.zeros(20)}, "targets"),
        ({"weights": np.zeros(19)}, "row weights"),
    ],
)
def test_wrong_settings_are_said(changed: dict[str, Any], said: str) -> None:
    network = mlp(4, [5], 1)
    x, y = rows_for("bce")
    settings: dict[str, Any] = {
        "optimizer": Optimizer(), "parameters": [initialise(network, 0)], "inputs": x, "targets": y,
        "learning_rate": RATE, "epochs": 1,
    }  # fmt: skip
    with pytest.raises((SettingError, DataError), match=said):
        train_runs(network, **{"loss": Loss(name="bce"), **settings, **changed})


def test_row_numbers_that_are_not_there_are_refused() -> None:
    network = mlp(4, [5], 1)
    engine = KernelEngine(network, Loss(name="bce"), Optimizer(), initialise(network, 0), "float64")
    engine.load_rows(*rows_for("bce"))
    for wrong in (np.array([0, 20]), np.array([-1])):
        with pytest.raises(DataError, match="from 0 to 19"):
            engine.step(wrong, [], RATE)
    with pytest.raises(DataError, match="at least one row"):
        engine.step(np.array([], np.int64), [], RATE)
    with pytest.raises(SettingError, match="cpu, not on cuda"):
        KernelEngine(network, Loss(name="bce"), Optimizer(), initialise(network, 0), device="cuda")


def test_weights_that_run_away_are_said() -> None:
    network = mlp(4, [5], 2, activation="identity")
    with pytest.raises(DivergenceError, match=r"3 of 3 networks .* lower the learning rate, which is 100"):
        train_runs(network, Loss(name="mse"), Optimizer(name="sgd"), firsts_of(network), *rows_for("mse"),
                   learning_rate=100, epochs=60, dtype="float64")  # fmt: skip


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "gelu", "elu", "sigmoid"])
@pytest.mark.parametrize("loss_name", ["bce", "cross_entropy", "mae", "huber"])
def test_a_loss_that_is_no_number_teaches_nothing(loss_name: Any, activation: str) -> None:
    loss, network = Loss(name=loss_name), mlp(4, [5], 3 if loss_name == "cross_entropy" else 1, activation=activation)
    x, y = rows_for("bce" if loss_name != "cross_entropy" else loss_name)
    x[3, 2] = np.nan
    first = initialise(network, 0)
    engine = KernelEngine(network, loss, Optimizer(), first, "float64")
    engine.load_rows(x, y)
    assert np.isnan(engine.step(np.arange(20), [], RATE))
    assert apart(engine.parameters(), first) == 0
    assert engine.memory()["step"] == 0
    assert np.isfinite(engine.step(np.arange(4, 20), [], RATE))
    with pytest.raises(DivergenceError):
        train_runs(network, loss, Optimizer(), [first], x, y, learning_rate=RATE, epochs=1)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_memory_goes_from_engine_to_engine(name: Any) -> None:
    network, loss, rule = mlp(4, [5], 1), Loss(name="bce"), Optimizer(name=name)
    ours, theirs, later = (
        make(network, loss, rule, initialise(network, 0), "float64")
        for make in (KernelEngine, TorchEngine, KernelEngine)
    )  # fmt: skip
    for engine in (ours, theirs, later):
        engine.load_rows(*rows_for("bce"))
    for engine in (ours, theirs):
        for _ in range(5):
            engine.step(np.arange(20), [], RATE)
    assert apart(ours.memory(), theirs.memory()) <= 1e-12
    later.load_parameters(theirs.parameters())
    later.load_memory(theirs.memory())
    for engine in (ours, later):
        engine.step(np.arange(20), [], RATE)
    assert apart(ours.parameters(), later.parameters()) <= 1e-12


def test_the_ordinary_loop_trains_it() -> None:
    """Batches in random order, a check on other rows after each epoch, and the best weights kept."""
    network, loss = mlp(4, [6], 3, activation="mish"), Loss(name="cross_entropy")
    made = [make(network, loss, Optimizer(), initialise(network, 0), "float64") for make in (KernelEngine, TorchEngine)]
    rows, others = (Rows(inputs=x, targets=y) for x, y in (rows_for("cross_entropy", seed) for seed in (0, 1)))
    plan = Plan(learning_rate=RATE, batch_size=6, epochs=10, seed=3)
    ours, theirs = (fit(engine, rows, others, plan) for engine in made)
    assert apart(ours.parameters, theirs.parameters) <= 1e-10


def test_a_row_given_twice_counts_twice() -> None:
    network, loss = mlp(4, [5], 1), Loss(name="bce")
    made = [make(network, loss, Optimizer(), initialise(network, 0), "float64") for make in (KernelEngine, TorchEngine)]
    for engine in made:
        engine.load_rows(*rows_for("bce"))
    twice = np.array([3, 3, 0, 5, 3] * 9)  # more rows than there are
    ours, theirs = (engine.gradients(twice, []) for engine in made)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-12)
    assert apart(ours[1], theirs[1]) <= 1e-12


def test_without_numba_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    network = mlp(4, [5], 1)
    monkeypatch.setattr(kernel, "find_spec", lambda name: None)
    assert not kernel.available()
    for use in (
        lambda: KernelEngine(network, Loss(name="bce"), Optimizer(), initialise(network, 0)),
        lambda: train_runs(network, Loss(name="bce"), Optimizer(), [initialise(network, 0)], *rows_for("bce"),
                           learning_rate=RATE, epochs=1),
    ):  # fmt: skip
        with pytest.raises(SettingError, match=r"needs Numba: pip install 'pellucid\[fast\]', or use engine=auto"):
            use()


def test_asking_whether_it_applies_does_not_load_numba() -> None:
    code = (
        "import sys, pellucid.engines.kernel, pellucid.engines.kernel.runs, pellucid.engines.kernel.engine\n"
        "assert pellucid.engines.kernel.available()\nassert 'numba' not in sys.modules and 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_it_runs_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba refuses to keep a function that it finds no folder for; it is compiled all the same."""
    from numba.core import caching

    from pellucid.engines.kernel.compiled import CachedFunction

    def refuse(self: Any) -> None:
        raise OSError("read-only file system")

    monkeypatch.setattr(caching._CacheLocator, "ensure_cache_path", refuse)
    double = CachedFunction(_double)
    assert double(2.0) == 4.0
    assert not double.ready("float64")


def test_it_runs_where_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core import caching

    from pellucid.engines.kernel.compiled import CachedFunction

    def full(self: Any, *arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(caching.IndexDataCacheFile, "save", full)
    assert CachedFunction(_triple)(2.0) == 6.0


def _double(x: Any) -> Any:
    return 2 * x


def _triple(x: Any) -> Any:
    return 3 * x


def test_ready_tells_whether_it_is_compiled(tmp_path: Path) -> None:
    from pellucid.engines.kernel.training import train

    runs.prepare("float64")
    assert runs.ready("float64")
    if train._function._cache.cache_path is None:
        pytest.skip("Numba may write to no folder here: set NUMBA_CACHE_DIR to one")
    code = "from pellucid.engines.kernel.runs import ready\nprint(ready('float64'))"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    elsewhere = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
    )  # fmt: skip
    assert (there.stdout.strip(), elsewhere.stdout.strip()) == ("True", "False")


PLANTS: dict[str, tuple[str, Any, Loss]] = {
    "a dropped bias": (
        "pack",
        lambda right: lambda network: _without_bias(right(network)),
        Loss(name="bce"),
    ),
    "smoothing forgotten": (
        "targets_of",
        lambda right: lambda loss, *rest: right(Loss(name=loss.name), *rest),
        Loss(name="bce", label_smoothing=0.2),
    ),
    "class weights forgotten": (
        "weights_of",
        lambda right: lambda loss, *rest: right(Loss(name=loss.name), *rest),
        Loss(name="bce", class_weights=(1.0, 3.0)),
    ),
    "Adam's eps a hundredfold": (
        "constants_of",
        lambda right: lambda rule, loss: right(rule, loss) * np.array([1, 1, 1, 1, 1, 1e6, 1, 1]),
        Loss(name="bce"),
    ),
    "a slope from the wrong activation": (
        "pack",
        lambda right: lambda network: _tanh_for_relu(right(network)),
        Loss(name="bce"),
    ),
}


def _without_bias(made: Any) -> Any:
    made.table[0, 7] = -1
    return made


def _tanh_for_relu(made: Any) -> Any:
    made.table[1, 0] = CODES["tanh"]
    return made


@pytest.mark.parametrize("mistake", PLANTS)
def test_planted_mistakes_are_caught(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, change, loss = PLANTS[mistake]
    network, rows, rule = mlp(4, [5], 1), rows_for("bce"), Optimizer()
    firsts = firsts_of(network)
    theirs = TorchEngine(network, loss, rule, firsts[0], "float64")
    theirs.load_rows(*rows)
    for _ in range(EPOCHS):
        theirs.step(np.arange(20), [], RATE)

    def agrees() -> bool:
        ours = train_runs(network, loss, rule, firsts[:1], *rows, learning_rate=RATE, epochs=EPOCHS, dtype="float64")
        return apart(one(ours, 0), theirs.parameters()) <= 1e-10

    assert agrees()
    monkeypatch.setattr(runs, name, change(getattr(runs, name)))
    assert not agrees()


def test_numba_is_here() -> None:
    assert kernel.available() == (importlib.util.find_spec("numba") is not None)
