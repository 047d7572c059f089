"""The arithmetic of a traced row: what is shown adds up, for random networks of all kinds, and mistakes are seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pellucid.engines.textbook.activations import RULES
from pellucid.engines.textbook.layers import RULES as LAYER_RULES
from pellucid.engines.textbook.layers.rule import Given, Returned
from pellucid.engines.torch_engine.module import build
from pellucid.explanation import RowTrace, trace_row
from pellucid.explanation.words import WORDS, NamedStep, named_steps, words_of
from pellucid.explanation.words.activation import ActivationWords
from pellucid.explanation.words.answer import Outcome, answer_of, probabilities
from pellucid.explanation.words.batch_norm import BatchNormWords
from pellucid.explanation.words.dense import DenseWords
from pellucid.explanation.words.layer_norm import LayerNormWords
from pellucid.explanation.words.loss import loss_of, slope_of_loss
from pellucid.explanation.words.residual import ResidualWords
from pellucid.explanation.words.values import Derivatives, Equation, Note, Part, Sum
from pellucid.network import (
    ACTIVATIONS,
    KINDS,
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    LayerNorm,
    Network,
    Residual,
    mlp,
)  # fmt: skip
from pellucid.network.task import Loss, Task
from pellucid.preprocessing.target import TargetScaler
from tests.arithmetic import assert_holds

CELLS = st.one_of(st.just(0.0), st.floats(-3, 3), st.sampled_from([1e3, -1e3, 1e-8]))


@st.composite
def networks(draw: Any) -> Network:
    """Dense layers with and without a bias, and any other layers between, before and after them."""
    inputs = width = draw(st.integers(1, 4))
    layers: list[Layer] = []
    for _ in range(draw(st.integers(1, 3))):
        layers += [draw(between(width)) for _ in range(draw(st.integers(0, 2)))]
        if draw(st.booleans()):
            layers.append(draw(residuals(width)))
        after = draw(st.integers(1, 4))
        layers.append(Dense(inputs=width, outputs=after, bias=draw(st.booleans())))
        width = after
    layers += [draw(between(width)) for _ in range(draw(st.integers(0, 1)))]
    return Network(inputs=inputs, layers=tuple(layers))


def between(width: int) -> st.SearchStrategy[Layer]:
    return st.one_of(
        st.builds(Activation, function=st.sampled_from(ACTIVATIONS)),
        st.just(BatchNorm(width=width)),
        st.just(LayerNorm(width=width)),
        st.builds(Dropout, rate=st.sampled_from([0.0, 0.3])),
    )


@st.composite
def residuals(draw: Any, width: int, depth: int = 0) -> Residual:
    """A block of any layers that ends in the width that it begins with; blocks inside blocks as well."""
    layers: list[Layer] = [draw(between(width)) for _ in range(draw(st.integers(0, 1)))]
    inside = draw(st.integers(1, 3))
    layers += [Dense(inputs=width, outputs=inside, bias=draw(st.booleans())), draw(between(inside))]
    layers.append(Dense(inputs=inside, outputs=width, bias=draw(st.booleans())))
    layers += [draw(between(width)) for _ in range(draw(st.integers(0, 1)))]
    if depth < 1 and draw(st.booleans()):
        layers.insert(draw(st.sampled_from([0, len(layers)])), draw(residuals(width, depth + 1)))
    return Residual(block=tuple(layers))


def parameters_of(network: Network, seed: int) -> dict[str, Any]:
    """Numbers that are all different and none of which is 0, so that none can be forgotten unseen."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for parameter in network.parameters():
        if parameter.dtype == "int64":
            found[parameter.name] = np.asarray(7)
        elif parameter.name.endswith("running_var"):
            found[parameter.name] = rng.uniform(0.2, 2.0, parameter.shape)
        else:
            found[parameter.name] = rng.uniform(0.2, 1.2, parameter.shape) * rng.choice([-1, 1], parameter.shape)
    return found


def traced(network: Network, row: list[float], seed: int) -> tuple[RowTrace, tuple[NamedStep, ...]]:
    many = network.outputs
    found = trace_row(
        network,
        parameters_of(network, seed),
        np.array(row[: network.inputs]),
        loss=Loss(name="mse"),
        target=np.linspace(-1, 1, many)[np.newaxis],
    )
    features = [f"feature {i}" for i in range(network.inputs)]
    return found, named_steps(found, features, [f"output {k}" for k in range(many)])


def parts_of(steps: tuple[NamedStep, ...]) -> Iterator[tuple[NamedStep, str, int, list[Part]]]:
    """All that is said of every unit of every layer, also of those inside composites."""
    for step in every(steps):
        words = words_of(step.work.layer)
        for k in range(len(step.work.outputs)):
            yield step, "forward", k, list(words.forward(step, k))
            yield step, "derivatives", k, list(words.derivatives(step, k))
            yield step, "into the block", k, list(words.backward_of_block(step, k))
        for k in range(len(step.work.inputs)):
            yield step, "backward", k, list(words.backward(step, k))


def every(steps: tuple[NamedStep, ...]) -> Iterator[NamedStep]:
    for step in steps:
        yield step
        yield from every(step.inner)


def check(found: RowTrace, steps: tuple[NamedStep, ...]) -> None:
    """Every part holds, ends in the layer's own number, and takes the layer's own numbers; gradients are autograd's."""
    said: dict[str, set[tuple[int, ...]]] = {}
    for step, way, k, parts in parts_of(steps):
        for part in parts:
            assert_holds(part)
            if isinstance(part, Equation):
                if part.of_layer:
                    continue
                own = {step.given: step.work.inputs[k]} | (
                    {step.d_symbol: step.d_outputs[k]} if len(step.d_outputs) > k else {}
                )
                assert all(part.values[name] == value for name, value in own.items() if name in part.values)
        numbers = [part for part in parts if isinstance(part, Equation | Sum)]
        if way == "forward":
            assert (numbers[-1].result if numbers else step.work.inputs[k]) == step.work.outputs[k]
            assert numbers or all(isinstance(part, Note) for part in parts)
        if way == "backward":
            assert (numbers[-1].result if numbers else step.d_outputs[k]) == step.d_inputs[k]
        if way == "into the block" and step.inner:
            assert [part.result for part in numbers] == [step.inner[-1].d_outputs[k]]
        for part in parts:
            if isinstance(part, Derivatives):
                assert part.slope == step.d_outputs[k]
                signs = said.setdefault(step.work.name, set())
                signs |= {(k, ord(row.sign), -1 if row.place is None else row.place)
                          for row in (*part.weights(), *part.own)}  # fmt: skip
    for step in every(steps):
        if step.inner:  # the layers inside follow one another, from the composite's input to its output
            assert (
                step.inner[0].work.inputs is step.work.inputs or (step.inner[0].work.inputs == step.work.inputs).all()
            )
        else:  # every trainable number of the layer is spoken of once
            size = sum(gradient.size for gradient in step.work.gradients.values())
            assert len(said.get(step.work.name, set())) == size
        for one, after in pairwise(step.inner):
            assert (one.work.outputs == after.work.inputs).all()
            assert (one.d_outputs == after.d_inputs).all()
    check_autograd(found, steps)


def check_autograd(found: RowTrace, steps: tuple[NamedStep, ...]) -> None:
    """Every derivative that is shown, beside PyTorch's."""
    module = build(found.network, found.parameters, torch.float64).eval()
    x = torch.from_numpy(found.layers[0].inputs[np.newaxis].copy()).requires_grad_()
    goal = torch.linspace(-1, 1, found.network.outputs, dtype=torch.float64)
    ((module(x)[0] - goal) ** 2).mean().backward()
    theirs = {name: parameter.grad for name, parameter in module.named_parameters()}
    assert x.grad is not None
    # What is 0 by itself, as behind a LayerNorm of one unit, is what rounding leaves of the largest.
    size = max(1.0, *(float(g.abs().max()) for g in (x.grad, *theirs.values()) if g is not None))
    letters = {"w": "weight", "b": "bias", "γ": "weight", "β": "bias"}
    for step, way, k, parts in parts_of(steps):
        for part in parts:
            if way == "derivatives" and isinstance(part, Derivatives):
                for row in (*part.weights(), *part.own):
                    gradient = theirs[f"{step.work.name}.{letters[row.sign]}"]
                    assert gradient is not None
                    place = (k,) if row.place is None else (k, row.place)
                    assert_close(row.gradient, float(gradient[place]), size)
    for k, parts in [(k, parts) for step, way, k, parts in parts_of(steps) if way == "backward" and step is steps[0]]:
        numbers = [part for part in parts if isinstance(part, Equation | Sum)]
        assert_close(numbers[-1].result if numbers else steps[0].d_outputs[k], float(x.grad[0, k]), size)


def assert_close(ours: float, theirs: float, size: float) -> None:
    assert abs(ours - theirs) <= 1e-9 * size, (ours, theirs)


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks(), row=st.lists(CELLS, min_size=4, max_size=4), seed=st.integers(0, 1000))
def test_whatever_is_shown_adds_up(network: Network, row: list[float], seed: int) -> None:
    check(*traced(network, row, seed))


def test_units_are_named_by_their_layer_and_letters_tell_what_they_are() -> None:
    network = mlp(2, [3, 2], 1, batch_norm=True, dropout=0.5)
    _, steps = traced(network, [1.0, 2.0], 0)
    assert [(step.given, step.symbol) for step in steps] == [
        ("x", "z"), ("z", "u"), ("u", "a"), ("a", "a"), ("a", "z"), ("z", "u"), ("u", "a"), ("a", "a"), ("a", "z"),
    ]  # fmt: skip
    assert list(steps[0].names_in) == ["feature 0", "feature 1"]
    assert list(steps[3].names_out) == ["unit 1.1", "unit 1.2", "unit 1.3"]
    assert list(steps[5].names_in) == ["unit 2.1", "unit 2.2"]
    assert list(steps[-1].names_out) == ["output 0"]


def test_layers_inside_a_block_have_numbers_of_their_own() -> None:
    _, steps = traced(mlp(2, [3, 3], 1, residual=True), [1.0, 2.0], 0)
    residual = steps[2]
    assert [step.work.name for step in residual.inner] == ["2.0", "2.1"]
    assert [(step.given, step.symbol) for step in (residual, *residual.inner)] == [("a", "r"), ("a", "z"), ("z", "a")]
    assert list(residual.inner[0].names_in) == ["unit 1.1", "unit 1.2", "unit 1.3"]
    assert list(residual.inner[1].names_out) == ["unit 2.1.1", "unit 2.1.2", "unit 2.1.3"]
    assert list(residual.names_out) == ["unit 2.1", "unit 2.2", "unit 2.3"]
    assert (steps[3].given, list(steps[3].names_in)) == ("a", list(residual.names_out))


def test_a_kind_without_words_is_said_to_have_none() -> None:
    class Convolution(Dropout):
        pass

    with pytest.raises(NotImplementedError, match="through a Convolution layer: add a file with its words"):
        words_of(Convolution(rate=0.1))


def test_every_kind_has_words_in_a_file_of_its_own() -> None:
    assert set(WORDS) == set(KINDS.values())
    for kind, words in WORDS.items():
        assert type(words).__module__.rpartition(".")[2] == kind.__module__.rpartition(".")[2]


def test_numbers_are_put_into_brackets_only_where_a_sign_would_meet_an_operator() -> None:
    one = Equation(symbol="y", calculation="{a} · ({b} − {c}) / |{d}| + e^{f}", result=0.0,
                   values={"a": -1.0, "b": -2.0, "c": -3.0, "d": -4.0, "f": -5.0})  # fmt: skip
    assert one.numbers == "−1 · (−2 − (−3)) / |−4| + e^(−5)"
    assert one.formula == "a · (b − c) / |d| + e^f"


# ── planted mistakes ──────────────────────────────────────────────────────────────────────────────────────────


def bias_forgotten(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(part, bias=None) for part in right]


def bias_in_the_formula_alone(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(part, bias=0.0, formula="Σ w · a + b") for part in right]


def inputs_in_another_order(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(part, factors=(part.factors[0], part.factors[1][::-1])) for part in right]


def mean_with_the_wrong_sign(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(part, values={**part.values, "μ": -part.values["μ"]}) for part in right]


def variance_of_another_unit(step: NamedStep, k: int, right: Any) -> Any:
    other = float(step.work.parameters["running_var"][k - 1])
    return [replace(part, values={**part.values, "v": other}) for part in right]


def slope_at_the_output(step: NamedStep, k: int, right: Any) -> Any:
    name = step.work.layer.function  # type: ignore[union-attr]
    slope = float(RULES[name].derivative(step.work.outputs, RULES[name].f(step.work.outputs))[k])
    first, second = right
    symbol = f"{name}′({step.given})"
    return [replace(first, result=slope), replace(second, values={**second.values, symbol: slope})]


def weights_of_the_inputs(step: NamedStep, k: int, right: Any) -> Any:
    """The row of the weight for the column: ∂L/∂a taken through wᵀ."""
    weights = step.work.parameters["weight"]
    wrong = weights.T[:, k] if weights.shape[0] == weights.shape[1] else weights[::-1, k]
    return [replace(part, factors=(part.factors[0], wrong)) for part in right]


def gradient_by_the_weight(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(part, factors=part.old) for part in right]


def skip_forgotten(step: NamedStep, k: int, right: Any) -> Any:
    """Back: what comes through the block alone."""
    return [replace(part, values={**part.values, step.d_symbol: 0.0}) for part in right]


def skip_alone(step: NamedStep, k: int, right: Any) -> Any:
    block = f"block({step.given})"
    return [replace(part, values={**part.values, block: 0.0}) for part in right]


def block_left_by_another_unit(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(part, values={step.d_symbol: float(step.d_outputs[k - 1])}) for part in right]


def mean_gradient_forgotten(step: NamedStep, k: int, right: Any) -> Any:
    """As BatchNorm at prediction: as if μ and v were constants."""
    *others, last = right
    return [*others, replace(last, values={**last.values, "mean g": 0.0})]


def variance_of_a_sample(step: NamedStep, k: int, right: Any) -> Any:
    many = len(step.work.inputs)
    *others, last = right
    return [*others, replace(last, values={**last.values, "v": last.values["v"] * many / (many - 1)})]


def bias_not_spoken_of(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(part, own=()) for part in right]


PLANTED: list[tuple[type, str, Callable[..., Any]]] = [
    (DenseWords, "forward", bias_forgotten),
    (DenseWords, "forward", bias_in_the_formula_alone),
    (DenseWords, "forward", inputs_in_another_order),
    (DenseWords, "backward", weights_of_the_inputs),
    (DenseWords, "derivatives", gradient_by_the_weight),
    (DenseWords, "derivatives", bias_not_spoken_of),
    (BatchNormWords, "forward", mean_with_the_wrong_sign),
    (BatchNormWords, "forward", variance_of_another_unit),
    (BatchNormWords, "backward", variance_of_another_unit),
    (ActivationWords, "backward", slope_at_the_output),
    (ResidualWords, "backward", skip_forgotten),
    (ResidualWords, "forward", skip_alone),
    (ResidualWords, "backward_of_block", block_left_by_another_unit),
    (LayerNormWords, "backward", mean_gradient_forgotten),
    (LayerNormWords, "forward", variance_of_a_sample),
]


def every_kind() -> tuple[RowTrace, tuple[NamedStep, ...]]:
    inside = (Dense(inputs=4, outputs=4, bias=False), Activation(function="tanh"), LayerNorm(width=4))
    before = (Dense(inputs=3, outputs=4), BatchNorm(width=4), Activation(function="silu"))
    network = Network(inputs=3, layers=(*before, Residual(block=inside), Dense(inputs=4, outputs=2)))
    return traced(network, [0.3, -1.2, 0.7], 5)


@pytest.mark.parametrize(("words", "way", "mistake"), PLANTED, ids=[planted[2].__name__ for planted in PLANTED])
def test_a_planted_mistake_is_seen(
    monkeypatch: pytest.MonkeyPatch, words: type, way: str, mistake: Callable[..., Any]
) -> None:
    found, steps = every_kind()
    check(found, steps)
    right = getattr(words, way)
    monkeypatch.setattr(words, way, lambda self, step, k: mistake(step, k, right(self, step, k)))
    with pytest.raises(AssertionError):
        check(found, steps)


def without_bias(layer: Any, w: Any, x: Any, walk: Any) -> Any:
    return Given(outputs=x @ w["weight"].T)


def with_minus_mean(layer: Any, w: Any, x: Any, walk: Any) -> Any:
    return BATCH_NORM.forward(layer, {**w, "running_mean": -w["running_mean"]}, x, walk)


def by_the_output(step: Any, w: Any, d_a: Any, walk: Any) -> Any:
    rule = RULES[step.layer.function]
    return Returned(d_inputs=d_a * rule.derivative(step.outputs, rule.f(step.outputs)))


def block_alone(step: Any, w: Any, d_a: Any, walk: Any) -> Any:
    inner = walk.inside(step.inner, w, d_a)
    return Returned(d_inputs=inner[0].d_inputs, inner=inner)


BATCH_NORM = LAYER_RULES[BatchNorm]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Dense, {"forward": without_bias}),
        (BatchNorm, {"forward": with_minus_mean}),
        (Activation, {"backward": by_the_output}),
        (Residual, {"backward": block_alone}),
    ],
    ids=["bias forgotten", "mean with the wrong sign", "slope at the output", "skip forgotten on the way back"],
)
def test_a_mistake_in_the_textbook_does_not_add_up(
    monkeypatch: pytest.MonkeyPatch, kind: type[Layer], change: dict[str, Any]
) -> None:
    monkeypatch.setitem(LAYER_RULES, kind, replace(LAYER_RULES[kind], **change))
    found, steps = every_kind()
    with pytest.raises(AssertionError):
        check(found, steps)


# ── the answer and the loss ───────────────────────────────────────────────────────────────────────────────────

SCALER = TargetScaler(mean=2.0, scale=1.5)
TASKS: dict[str, tuple[Task, TargetScaler | None, Any]] = {
    "binary": (Task.binary("ill", ("no", "yes")), None, "yes"),
    "binary, the other": (Task.binary("ill", ("no", "yes")), None, "no"),
    "three classes": (Task(kind="multiclass", target="kind", classes=("a", "b", "c"), loss=Loss(name="cross_entropy")),
                      None, "b"),
    "regression": (Task(kind="regression", target="y", loss=Loss(name="mse")), SCALER, 3.7),
    "logarithm": (Task(kind="regression", target="y", loss=Loss(name="mse")),
                  TargetScaler(mean=0.4, scale=0.8, offset=0.5, floor=0.0, ceiling=40.0), 3.7),
    "absolute": (Task(kind="regression", target="y", loss=Loss(name="mae")), SCALER, 3.7),
    "huber": (Task(kind="regression", target="y", loss=Loss(name="huber", delta=0.5)), SCALER, 3.7),
    "reconstruction": (Task(kind="reconstruction", target="", width=3, loss=Loss(name="mse")), None, None),
    "reconstruction, huber": (Task(kind="reconstruction", target="", width=3, loss=Loss(name="huber", delta=0.5)), None,
                              None),
}  # fmt: skip


def outcome_of(name: str, logits: list[float], smoothing: float = 0.0) -> Outcome:
    from pellucid.engines.textbook.losses import loss_and_gradient

    task, scaler, truth = TASKS[name]
    if smoothing:
        task = replace(task, loss=replace(task.loss, label_smoothing=smoothing))
    many = 3 if task.kind in ("multiclass", "reconstruction") else 1
    z = np.array(logits[:many])
    targets: Any
    if task.kind == "reconstruction":
        targets = np.array([0.3, -1.0, 2.0])
    elif scaler is not None:
        targets = scaler.transform(np.array([truth]))
    else:
        targets = np.array([list(task.classes).index(truth)])
    shaped = targets if task.kind == "multiclass" else targets[np.newaxis].astype(float)
    judged = loss_and_gradient(task.loss, z[np.newaxis], shaped)
    return Outcome(
        task=task, scaler=scaler, names=[f"output {k}" for k in range(many)], logits=z, truth=truth,
        targets=None if task.is_classification else targets, loss=judged.value, d_logits=judged.d_logits[0],
    )  # fmt: skip


def huber(e: float) -> float:
    return 0.5 * e * e if abs(e) <= 0.5 else 0.5 * (abs(e) - 0.25)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@settings(deadline=None, max_examples=40)
@given(logits=st.lists(st.one_of(st.floats(-4, 4), st.sampled_from([0.0, 800.0, -800.0])), min_size=3, max_size=3))
def test_answer_loss_and_slope_add_up(name: str, smoothing: float, logits: list[float]) -> None:
    if smoothing and not TASKS[name][0].is_classification:
        return
    outcome = outcome_of(name, logits, smoothing)
    assert outcome.loss is not None
    assert outcome.d_logits is not None
    for part in loss_of(outcome):
        assert_holds(part, {"huber": huber})
    assert [part.result for part in loss_of(outcome) if not isinstance(part, Note | Derivatives)][-1] == outcome.loss
    for k in range(len(outcome.logits)):
        for part in (*answer_of(outcome, k), *slope_of_loss(outcome, k)):
            if isinstance(part, Equation) and part.calculation.startswith("e^") and max(map(abs, logits)) > 700:
                continue  # the ceiling is reached long before e to the power of such a number
            assert_holds(part, {"huber": huber})
        slopes = [part.result for part in slope_of_loss(outcome, k) if isinstance(part, Equation)]
        assert slopes == [outcome.d_logits[k]]


@pytest.mark.parametrize("z", [-3.0, 0.0, 2.0])
def test_probabilities_are_pytorchs(z: float) -> None:
    binary = outcome_of("binary", [z, 0.0, 0.0])
    assert probabilities(binary)[1] == pytest.approx(float(torch.sigmoid(torch.tensor(z, dtype=torch.float64))))
    three = outcome_of("three classes", [z, 1.0, -2.0])
    theirs = torch.softmax(torch.tensor([z, 1.0, -2.0], dtype=torch.float64), 0)
    np.testing.assert_allclose(probabilities(three), theirs.numpy(), rtol=1e-12)


def test_an_answer_that_is_held_at_an_end_says_so() -> None:
    *_, said = answer_of(outcome_of("logarithm", [9.0, 0.0, 0.0]), 0)
    assert said == Note(text="No answer exceeds 40, e times the largest target of the training rows, "
                             "so the answer is 40.")  # fmt: skip
    free = replace(outcome_of("regression", [-9.0, 0.0, 0.0]), scaler=TargetScaler(mean=2.0, scale=1.5, floor=0.0))
    assert answer_of(free, 0)[-1] == Note(text="No training row was below 0, so the answer is 0.")
    assert math.isclose(answer_of(free, 0)[0].result, -11.5)  # type: ignore[union-attr]


def holds(part: Part) -> bool:
    try:
        assert_holds(part)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(
    "change",
    [
        lambda o: replace(o, truth="c"),  # another class's probability
        lambda o: replace(o, logits=-o.logits),
        lambda o: replace(o, loss=o.loss + 0.01),
        lambda o: replace(o, d_logits=o.d_logits + 1.0),  # p in the place of p − t
    ],
)
def test_a_planted_mistake_in_the_loss_is_seen(change: Callable[[Outcome], Outcome]) -> None:
    outcome = change(outcome_of("three classes", [1.0, 0.5, -0.3]))
    parts = (*loss_of(outcome), *(part for k in range(3) for part in slope_of_loss(outcome, k)))
    assert not all(map(holds, parts))


def test_without_a_target_there_is_neither_loss_nor_slope() -> None:
    outcome = replace(outcome_of("binary", [1.0, 0.0, 0.0]), loss=None, d_logits=None, truth=None)
    assert list(loss_of(outcome)) == []
    assert list(slope_of_loss(outcome, 0)) == []
    assert [type(part) for part in answer_of(outcome, 0)] == [Equation]
