"""Pictures in the fused plan: against autograd, and that none of its operations could be left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pellucid.engines import fused
from pellucid.engines.fused import folding
from pellucid.engines.fused.engine import FusedEngine
from pellucid.engines.fused.layers import RULES
from pellucid.engines.fused.layers.rule import Operations, Planned
from pellucid.engines.fused.stack import StackEngine
from pellucid.engines.torch_engine.engine import TorchEngine
from pellucid.errors import DataError, SettingError
from pellucid.network import (
    Activation,
    AvgPool2d,
    BatchNorm2d,
    ChannelDropout,
    Conv1d,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Layer,
    MaxPool2d,
    Network,
    Residual,
    cnn,
)
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.batches import dropout_masks
from pellucid.training.many import worth_stacking
from tests.engines.fused.leaving_out import apart, check_no_operation_could_be_left_out

ROWS, RATE, LOSS = 14, 0.02, Loss(name="cross_entropy")
SHAPE = (2, 7, 8)


def conv(outputs: int = 4, inputs: int = 4, kernel: Any = 3, **more: Any) -> Conv2d:
    return Conv2d(in_channels=inputs, out_channels=outputs, kernel_size=kernel, **{"padding": "same", **more})


def act(function: Any = "tanh") -> Activation:
    return Activation(function=function)


def through(*layers: Layer, head: tuple[Layer, ...] = (GlobalAvgPool(),), shape: tuple[int, ...] = SHAPE) -> Network:
    """These layers after a convolution to four channels, then a head and three outputs."""
    first: tuple[Layer, ...] = (conv(4, shape[0]), *layers, *head)
    width = Network(shape=shape, layers=first).shapes()[-1][0]
    return Network(shape=shape, layers=(*first, Dense(inputs=width, outputs=3)))


bn, flat = BatchNorm2d(width=4), (Flatten(),)
NETWORKS = {
    "the default network": cnn((1, 9, 8), (4, 6, 5), 3),
    "residual, deep, dropout": cnn(
        SHAPE, (4, 5), 3, depth=3, residual=True, dropout=0.3, channel_dropout=0.2, hidden=(6,)
    ),
    "flattened, average pooling, gelu": cnn(
        SHAPE, (4, 5), 3, head="flatten", pool="average", activation="gelu", batch_norm=False
    ),
    "strides": cnn(SHAPE, (4, 5), 3, pool="stride", kernel=5),
    "an even kernel, groups, dilation": through(conv(6, 4, (2, 4), groups=2, dilation=(2, 1)), act("selu")),
    "depthwise without a bias": through(conv(4, 4, groups=4, bias=False), bn, act("relu"), conv(5, 4, 1)),
    "uneven strides and padding": through(conv(4, 4, 3, stride=(2, 1), padding=(0, 2)), act("relu"), head=flat),
    "windows that overlap": through(MaxPool2d(kernel_size=3, stride=2, padding=1), act("relu")),
    "means that overlap": through(AvgPool2d(kernel_size=3, stride=(1, 2), padding=1), bn, act("relu"), head=flat),
    "pooling after an activation": through(act("relu"), MaxPool2d(kernel_size=2), conv(), bn),
    "dropout of positions": through(act(), Dropout(rate=0.4), conv(), act("relu")),
    "a block of pooling's input": through(Residual(block=(bn, act("relu"), conv())), MaxPool2d(kernel_size=2)),
    "blocks inside blocks": through(
        Residual(block=(conv(bias=False), bn, act("mish"), Residual(block=(conv(), ChannelDropout(rate=0.3))))), act()
    ),
    "nothing is dropped": through(Dropout(rate=0.0), ChannelDropout(rate=0.0), act("identity")),
    "normalised first": Network(shape=(4, 5, 5), layers=(bn, conv(), act(), Flatten(), Dense(inputs=100, outputs=3))),
    "flattened columns": Network(
        shape=SHAPE,
        layers=(*flat, Dense(inputs=112, outputs=4), act(), *flat, Dense(inputs=4, outputs=3)),
    ),
    "columns at the end": through(
        act(),
        head=(GlobalAvgPool(), Dense(inputs=4, outputs=8), act("relu"), Dropout(rate=0.2), Dense(inputs=8, outputs=8)),
    ),
}


def first(network: Network, seed: int = 0) -> dict[str, Any]:
    """First weights, none of them 0 or 1, so that β and γ count."""
    generator = np.random.default_rng(seed)
    return {
        name: array + generator.uniform(0.1, 0.4, array.shape) if array.dtype.kind == "f" else array
        for name, array in initialise(network, seed).items()
    }


def rows_for(network: Network) -> tuple[Any, Any]:
    """Pictures, one of them empty and one with ties, and classes."""
    generator = np.random.default_rng(1)
    x = generator.normal(size=(ROWS, *network.shape))
    x[3], x[4] = 0.0, np.round(x[4])
    return x, generator.integers(0, 3, ROWS)


def made(kind: Any, network: Network, weights: Any = None, rule: Any = "nesterov", dtype: str = "float64") -> Any:
    engine = kind(network, LOSS, Optimizer(name=rule, weight_decay=0.01), first(network), dtype)
    engine.load_rows(*rows_for(network), weights)
    return engine


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("case", NETWORKS)
def test_gradients_and_steps_are_those_of_autograd(case: str, weighted: bool) -> None:
    network = NETWORKS[case]
    weights = np.random.default_rng(3).uniform(0.5, 2, ROWS) if weighted else None
    ours, theirs = made(FusedEngine, network, weights), made(TorchEngine, network, weights)
    masks = dropout_masks(network, ROWS, 0, 0, 0)
    before = ours.parameters()
    our_loss, our_gradients = ours.gradients(np.arange(ROWS), masks)
    loss, gradients = theirs.gradients(np.arange(ROWS), masks)
    assert our_loss == pytest.approx(loss, abs=1e-12)
    assert apart(our_gradients, gradients) <= 1e-12
    assert apart(ours.parameters(), before) == 0
    for step in range(6):
        chosen = np.random.default_rng(step).permutation(ROWS)[: ROWS - 5 * (step % 2)]
        drawn = dropout_masks(network, len(chosen), 0, 0, step)
        assert ours.step(chosen, drawn, RATE) == pytest.approx(theirs.step(chosen, drawn, RATE), abs=1e-11)
    assert apart(ours.parameters(), theirs.parameters()) <= 1e-11  # the running statistics are among them
    np.testing.assert_allclose(ours.logits(rows_for(network)[0]), theirs.logits(rows_for(network)[0]), atol=1e-10)


def test_every_row_in_turn_and_all_at_once_give_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    network = NETWORKS["the default network"]
    engine, x = made(FusedEngine, network), rows_for(network)[0]
    together = engine.logits(x)
    monkeypatch.setattr("pellucid.engines.support._MOST_VALUES", 1)
    np.testing.assert_allclose(engine.logits(x), together, atol=1e-12)
    assert engine.logits(x[:0]).shape == (0, 3)


def test_a_run_goes_on_from_its_memory() -> None:
    network = NETWORKS["residual, deep, dropout"]
    whole, again = made(FusedEngine, network, rule="adam"), made(FusedEngine, network, rule="adam")

    def steps(engine: Any, numbers: range) -> None:
        for step in numbers:
            engine.step(np.arange(ROWS), dropout_masks(network, ROWS, 0, 0, step), RATE)

    steps(whole, range(6))
    steps(again, range(3))
    resumed = made(FusedEngine, network, rule="adam")
    resumed.load_parameters(again.parameters())
    resumed.load_memory(again.memory())
    steps(resumed, range(3, 6))
    assert apart(resumed.parameters(), whole.parameters()) == 0


def test_pictures_are_taken_as_they_lie_in_memory_or_batch_by_batch() -> None:
    network = NETWORKS["the default network"]
    x, y = rows_for(network)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)

    class Lazy:
        """What is read batch by batch."""

        shape, ndim = x.shape, x.ndim

        def __len__(self) -> int:
            return ROWS

        def __getitem__(self, rows: Any) -> Any:
            return x[rows]

    ends = []
    for inputs in (x, last, Lazy()):  # the first batch is all of them
        engine = made(FusedEngine, network)
        engine.load_rows(inputs, y)
        for chosen in (np.arange(ROWS), np.array([3, 9, 1]), np.array([2, 0, 4])):
            engine.step(chosen, [], RATE)
        ends.append(engine.parameters())
    assert apart(ends[0], ends[1]) == apart(ends[0], ends[2]) == 0


KINDS: dict[type[Layer], Network] = {
    Conv2d: through(act(), conv(5, 4, (2, 3)), act()),
    MaxPool2d: through(MaxPool2d(kernel_size=2), act()),
    AvgPool2d: through(AvgPool2d(kernel_size=2), act()),
    GlobalAvgPool: through(act()),
    Flatten: through(act(), head=flat),
    BatchNorm2d: through(bn, act()),
    ChannelDropout: through(act(), ChannelDropout(rate=0.3)),
}


@pytest.mark.usefixtures("nothing_is_left_over")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_operation_of_a_rule_could_be_left_out(kind: type[Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    network = KINDS[kind]
    check_no_operation_could_be_left_out(kind, network, made, dropout_masks(network, ROWS, 0, 0, 0), ROWS, monkeypatch)


def test_the_first_layer_computes_no_gradient_of_the_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[list[bool]] = []
    rule = RULES[Conv2d]

    def plan(*arguments: Any) -> Planned:
        planned: Planned = rule.plan(*arguments)

        def backward(d: Any, more: bool) -> tuple[Operations, Any]:
            wanted.append([more])
            return planned.backward(d, more)

        return replace(planned, backward=backward)

    monkeypatch.setitem(RULES, Conv2d, replace(rule, plan=plan))
    made(FusedEngine, cnn(SHAPE, (4, 5), 3)).backward(np.arange(ROWS), [])
    assert wanted == [[True], [False]]  # from the last to the first


# ── Folding, for prediction ───────────────────────────────────────────────────────────────────────────────────

FOLDED = {
    "normalised at once": ((conv(), bn), 2),
    "without a bias": ((conv(bias=False), bn, act("relu")), 2),
    "after max pooling": ((conv(), MaxPool2d(kernel_size=2), bn), 3),
    "after average pooling": ((conv(), AvgPool2d(kernel_size=2), bn), 3),
    "after means of padding": ((conv(), AvgPool2d(kernel_size=3, padding=1), bn), None),
    "after an activation": ((conv(), act("relu"), bn), None),
    "nothing to fold": ((conv(), MaxPool2d(kernel_size=2)), None),
    "no convolution": ((bn, act("relu")), None),
}


@pytest.mark.parametrize("negative", [False, True], ids=["", "a negative scale"])
@pytest.mark.parametrize("case", FOLDED)
def test_folding_changes_no_answer(case: str, negative: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    layers, count = FOLDED[case]
    network = through(act("relu"), *layers)
    engine, x = made(FusedEngine, network), rows_for(network)[0]
    parameters = {
        name: array + 0.1 * np.arange(array.size).reshape(array.shape) if name.endswith(("mean", "var")) else array
        for name, array in engine.parameters().items()
    }
    if negative:
        turned = np.array([1, -1, 1, -1])
        parameters |= {n: a * turned for n, a in parameters.items() if a.shape == (4,) and n.endswith("weight")}
    engine.load_parameters(parameters)
    found = folding.fold(network.layers, 2, "", engine._flat)
    if negative and case == "after max pooling":
        count = None  # the largest of numbers that are turned round is another
    assert (None if found is None else found.layers) == count
    answers = engine.logits(x)
    theirs = made(TorchEngine, network)
    theirs.load_parameters(parameters)
    np.testing.assert_allclose(answers, theirs.logits(x), atol=1e-10)
    monkeypatch.setattr("pellucid.engines.fused.answers.fold", lambda *_: None)
    np.testing.assert_allclose(engine.logits(x), answers, atol=1e-10)


# ── What is refused, and rounding on request ──────────────────────────────────────────────────────────────────


def test_what_is_no_picture_and_no_column_has_a_reason() -> None:
    series = Network(shape=(2, 9), layers=(Conv1d(in_channels=2, out_channels=3, kernel_size=3), *flat))
    assert "takes rows of columns, not of the shape [2, 9]" in str(fused.supports(series))
    network = NETWORKS["the default network"]
    assert fused.supports(network) is None
    assert fused.supports(network, "cuda") == "the fused engine learns pictures on the cpu only"
    with pytest.raises(SettingError, match=r"a stack takes rows of columns, not of the shape \[1, 9, 8\]"):
        StackEngine(network, LOSS, Optimizer(), [first(network)])
    assert not worth_stacking(network, 1)


def test_rows_of_another_shape_are_refused() -> None:
    network = NETWORKS["the default network"]
    engine = made(FusedEngine, network)
    with pytest.raises(DataError, match=r"must have the shape \[N, 1, 9, 8\].*got \[3, 9, 8, 1\]"):
        engine.load_rows(np.zeros((3, 9, 8, 1)), np.zeros(3, np.int64))


def test_a_single_position_has_no_variance() -> None:
    network = Network(shape=(4, 1, 1), layers=(bn, Flatten(), Dense(inputs=4, outputs=3)))
    engine = made(FusedEngine, network)
    with pytest.raises(SettingError, match=r"layer 0 \(BatchNorm2d 4\) cannot train on a single row"):
        engine.backward(np.array([1]), [])


def test_bf16_rounds_pictures_and_keeps_the_weights() -> None:
    network = NETWORKS["the default network"]
    exact = made(FusedEngine, network, dtype="float32")
    rounded = FusedEngine(network, LOSS, Optimizer(name="adam"), first(network), products="bf16")
    rounded.load_rows(*rows_for(network))
    loss, gradients = exact.gradients(np.arange(ROWS), [])
    its_loss, its_gradients = rounded.gradients(np.arange(ROWS), [])
    assert 0 < abs(its_loss - loss) < 0.03 * abs(loss)
    for name, gradient in gradients.items():
        assert its_gradients[name].dtype == np.float32
        scale = np.abs(gradient).max()
        assert np.abs(its_gradients[name] - gradient).max() < 0.15 * scale + 1e-3, name
    losses = [rounded.step(np.arange(ROWS), [], 0.01) for _ in range(20)]
    assert losses[-1] < losses[0]
