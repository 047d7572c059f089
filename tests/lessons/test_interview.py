"""The interview: complete, of a length that can be spoken, and every number and claim in it computed anew."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
import torch

from pellucid.engines.textbook.activations import RULES, sigmoid, softmax
from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.engine import TextbookEngine
from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.engines.textbook.optimizers import clip, update
from pellucid.engines.textbook.perceptron import answer as answers_of
from pellucid.engines.textbook.perceptron import learn
from pellucid.lessons import PATH
from pellucid.lessons.interview import OpenQuestion, interview
from pellucid.network import Activation, BatchNorm, Dense, Dropout, Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import REMEMBERS, Optimizer
from pellucid.network.task import Loss
from pellucid.training.batches import n_batches
from pellucid.training.stopping import EarlyStopping

BUILT = list(PATH)
ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
AND, OR, XOR = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1]), np.array([0, 1, 1, 0])
PLAIN = Optimizer(name="sgd")


def asked(lesson: str, words: str) -> str:
    """The model answer to the question that holds these words."""
    (found,) = [each for each in interview(lesson) if words in each.text]
    return found.answer


def says(answer: str, *numbers: str) -> None:
    """Each number stands in the answer, and not as part of a longer one."""
    for number in numbers:
        assert re.search(rf"(?<![\d.,]){re.escape(number)}(?![\d]|[.,]\d)", answer), (number, answer)


def slope(name: str, logit: Any, target: Any) -> np.ndarray:
    return loss_and_gradient(Loss(name=name), np.array(logit), np.array(target)).d_logits  # type: ignore[arg-type]


# ── what holds for all of them ──


@pytest.mark.parametrize("lesson", BUILT)
def test_five_open_questions_with_answers_of_a_minute_and_three_points(lesson: str) -> None:
    questions = interview(lesson)
    assert len(questions) == len({each.text for each in questions}) == 5
    for each in questions:
        assert isinstance(each, OpenQuestion)
        assert each.text.endswith(("?", "."))
        assert 60 <= len(each.answer.split()) <= 120, (each.text, len(each.answer.split()))
        assert each.answer.endswith(".")
        assert len(each.points) == 3
        for text in (each.text, each.answer, *each.points):
            assert text == " ".join(text.split())
            assert not re.search(r"(?<![\w.→⁰⁻])-\d", text), "a minus sign is −"
            assert "$" not in text


def test_no_question_is_asked_in_two_lessons() -> None:
    texts = [each.text for lesson in BUILT for each in interview(lesson)]
    assert len(texts) == len(set(texts)) == 5 * len(BUILT)


# ── perceptron ──


def test_weights_of_gates_and_where_the_boundary_lies() -> None:
    says(asked("perceptron", "decide"), "[1, 1]", "−1.5", "−0.5")
    w = np.array([1.0, 1.0])
    assert (answers_of(w, -1.5, ROWS) == AND).all()
    assert (answers_of(w, -0.5, ROWS) == OR).all()
    nearest = 1.5 * w / (w @ w)  # on the boundary, at |b| / ‖w‖ from the origin
    assert np.linalg.norm(nearest) == pytest.approx(1.5 / np.linalg.norm(w))
    assert w @ nearest - 1.5 == pytest.approx(0)


def test_a_correction_moves_z_by_the_square_of_the_row_and_their_number_is_bounded() -> None:
    x = np.array([[2.0, 3.0]])
    once = learn(x, np.array([0]), learning_rate=0.5, epochs=1)
    assert float(x[0] @ once.weights + once.bias) == pytest.approx(-0.5 * (x[0] @ x[0] + 1))
    for target, separating in ((AND, np.array([1, 1, -1.5])), (OR, np.array([1, 1, -0.5]))):
        appended = np.column_stack([ROWS, np.ones(4)])
        margin = float((np.where(target == 1, 1, -1) * (appended @ separating)).min() / np.linalg.norm(separating))
        bound = (np.linalg.norm(appended, axis=1).max() / margin) ** 2
        assert margin > 0
        assert len(learn(ROWS, target).mistakes) <= bound


def test_xor_is_linear_in_the_product_and_not_without() -> None:
    x = ROWS.astype(float)
    assert (x[:, 0] + x[:, 1] - 2 * x[:, 0] * x[:, 1] == XOR).all()
    assert not learn(ROWS, XOR, epochs=50).converged
    assert learn(np.column_stack([ROWS, ROWS[:, 0] * ROWS[:, 1]]), XOR, epochs=200).converged


def test_the_gradient_of_logistic_regression_is_p_minus_t_times_x() -> None:
    x, w, b, t = np.array([[0.5, -2.0]]), np.array([[1.0, 0.25]]), np.array([0.5]), 1.0
    network, parameters = mlp(2, [], 1), {"0.weight": w, "0.bias": b}
    trace = forward(network, parameters, x)
    loss = loss_and_gradient(Loss(name="bce"), trace.logits, np.array([[t]]))
    p = float(sigmoid(trace.logits)[0, 0])
    assert backward(parameters, trace, loss.d_logits).parameters["0.weight"] == pytest.approx((p - t) * x)


def test_the_learning_rate_only_scales_weights_that_start_at_zero() -> None:
    usual, small = learn(ROWS, AND), learn(ROWS, AND, learning_rate=0.25)
    assert small.weights == pytest.approx(0.25 * usual.weights)
    assert small.bias == 0.25 * usual.bias
    started = [learn(ROWS, AND, learning_rate=rate, weights=np.array([-3.0, 1.0])) for rate in (1.0, 0.25)]
    assert len(started[0].mistakes) != len(started[1].mistakes)


# ── mlp ──


def test_two_linear_layers_are_one_and_a_bend_makes_xor() -> None:
    generator = np.random.default_rng(0)
    network = mlp(3, [2], 4, activation="identity")
    p = {each.name: generator.normal(size=each.shape) for each in network.parameters()}
    first, second = (name.removesuffix(".weight") for name in p if name.endswith("weight"))
    x = generator.normal(size=(5, 3))
    w = p[f"{second}.weight"] @ p[f"{first}.weight"]
    b = p[f"{second}.weight"] @ p[f"{first}.bias"] + p[f"{second}.bias"]
    assert forward(network, p, x).logits == pytest.approx(x @ w.T + b)
    assert np.linalg.matrix_rank(w) == 2
    total = ROWS.sum(axis=1)
    assert (np.maximum(total, 0) - 2 * np.maximum(total - 1, 0) == XOR).all()


def test_the_parameters_of_4_10_3() -> None:
    network = mlp(4, [10], 3)
    sizes = [sum(p.size for p in network.parameters() if p.name.startswith(f"{i}.")) for i in (0, 2)]
    weights = sum(p.size for p in network.parameters() if p.name.endswith("weight"))
    assert (sizes, network.n_trainable, weights) == ([50, 33], 83, 70)
    says(asked("mlp", "4 → 10 → 3"), "50", "33", "83", str(4 * 83), "70")


@pytest.mark.parametrize("k", [1, 2, 5])
def test_k_layers_of_two_neurons_make_a_saw_of_2_to_the_k_pieces(k: int) -> None:
    """A tent, 2 relu(x) − 4 relu(x − ½) on [0, 1], k times in itself."""
    layers: list[Any] = []
    parameters: dict[str, np.ndarray] = {}
    for i in range(k):
        layers += [Dense(inputs=1, outputs=2), Activation(function="relu"), Dense(inputs=2, outputs=1)]
        parameters |= {f"{3 * i}.weight": np.array([[1.0], [1.0]]), f"{3 * i}.bias": np.array([0.0, -0.5])}
        parameters |= {f"{3 * i + 2}.weight": np.array([[2.0, -4.0]]), f"{3 * i + 2}.bias": np.zeros(1)}
    x = np.linspace(0, 1, 2 ** (k + 3) + 1)[:, None]
    y = forward(Network(inputs=1, layers=tuple(layers)), parameters, x).logits[:, 0]
    assert 1 + np.count_nonzero(np.diff(np.sign(np.diff(y)))) == 2**k


def test_equal_neurons_stay_equal_and_first_weights_have_the_variances_said() -> None:
    network = mlp(2, [3], 1, activation="tanh")
    same = {p.name: np.full(p.shape, 0.3) for p in network.parameters()}
    engine = TextbookEngine(network, Loss(name="bce"), PLAIN, same)
    engine.load_rows(ROWS.astype(float), XOR[:, None].astype(float))
    for _ in range(20):
        engine.step(np.arange(4), (), 0.5)
    w = engine.parameters()["0.weight"]
    assert np.allclose(w, w[0], atol=1e-12)
    assert not np.allclose(w, 0.3)
    he = initialise(mlp(400, [300], 1), 0, scheme="he")["0.weight"]
    glorot = initialise(mlp(400, [300], 1), 0, scheme="glorot")["0.weight"]
    assert he.var() == pytest.approx(2 / 400, rel=0.05)
    assert glorot.var() == pytest.approx(2 / 700, rel=0.05)
    z = np.random.default_rng(0).normal(size=100_000)
    assert (np.maximum(z, 0) ** 2).mean() == pytest.approx(0.5 * (z**2).mean(), rel=0.02)


# ── activations ──


def test_the_slope_of_sigmoid_is_a_quarter_at_zero_and_nowhere_more() -> None:
    rule, z = RULES["sigmoid"], np.linspace(-10, 10, 2001)
    slopes = rule.derivative(z, rule.f(z))
    assert slopes.max() == slopes[1000] == 0.25
    assert pytest.approx(1e-6, rel=0.05) == 0.25**10
    says(asked("activations", "How steep"), "0.25¹⁰")


def test_a_dead_relu_has_no_gradient() -> None:
    network = mlp(2, [1], 1)
    p = {"0.weight": np.ones((1, 2)), "0.bias": np.array([-5.0]), "2.weight": np.ones((1, 1)), "2.bias": np.zeros(1)}
    trace = forward(network, p, ROWS.astype(float))
    loss = loss_and_gradient(Loss(name="mse"), trace.logits, XOR[:, None].astype(float))
    found = backward(p, trace, loss.d_logits).parameters
    assert not found["0.weight"].any()
    assert not found["0.bias"].any()
    assert found["2.bias"].any()
    for leaky in ("leaky_relu", "elu", "gelu"):
        z = np.array([-0.5])
        assert RULES[leaky].derivative(z, RULES[leaky].f(z))[0] != 0


def test_softmax_takes_no_notice_of_a_common_summand_and_where_the_exponential_overflows() -> None:
    z = np.array([2.0, 1.0, 0.1])
    assert softmax(z + 1000) == pytest.approx(softmax(z))
    assert softmax(z).sum() == pytest.approx(1)
    assert int(math.log(np.finfo(np.float32).max)) == 88
    assert int(math.log(np.finfo(np.float64).max)) == 709
    says(asked("activations", "softmax"), "88", "709")


def test_tanh_is_a_stretched_sigmoid_four_times_as_steep() -> None:
    z = np.linspace(-4, 4, 81)
    assert np.tanh(z) == pytest.approx(2 * sigmoid(2 * z) - 1)
    zero = np.zeros(1)
    steep = [RULES[name].derivative(zero, RULES[name].f(zero))[0] for name in ("tanh", "sigmoid")]
    assert steep == [1, 0.25]


def test_two_classes_need_one_logit() -> None:
    for z in ([1.5, -0.5], [-3.0, 2.0]):
        assert softmax(np.array(z))[0] == pytest.approx(float(sigmoid(np.array(z[0] - z[1]))))


# ── forward pass ──


def test_shapes_and_multiplications_of_20_64_3() -> None:
    network = mlp(20, [64], 3)
    trace = forward(network, initialise(network, 0), np.zeros((32, 20)))
    shapes = [list(step.outputs.shape) for step in trace.steps if isinstance(step.layer, Dense)]
    says(asked("forward-pass", "shapes"), "[32, 20]", *(str(shape) for shape in shapes))
    weights = sum(p.size for p in network.parameters() if p.name.endswith("weight"))
    says(asked("forward-pass", "cost"), f"{32 * weights:,}")


def test_logits_and_probabilities() -> None:
    says(asked("forward-pass", "logit"), f"{float(sigmoid(np.array(2.0))):.2f}")
    p = float(sigmoid(np.array(0.7)))
    assert math.log(p / (1 - p)) == pytest.approx(0.7)
    q = softmax(np.array([1.0, 3.0, -2.0]))
    assert q[1] / q[0] == pytest.approx(math.exp(2))


def test_dropout_scales_in_training_and_rests_at_prediction() -> None:
    network, x = Network(inputs=4, layers=(Dropout(rate=0.5),)), np.array([[1.0, 2.0, 3.0, 4.0]])
    assert forward(network, {}, x).logits == pytest.approx(x)
    mask = np.array([[2.0, 0.0, 2.0, 0.0]])
    assert forward(network, {}, x, training=True, masks=[mask]).logits == pytest.approx(x * mask)


def test_rows_are_independent_but_for_batch_normalisation_in_training() -> None:
    x = np.random.default_rng(1).normal(size=(6, 3))
    plain = mlp(3, [5], 2)
    p = initialise(plain, 0)
    assert forward(plain, p, x).logits[:1] == pytest.approx(forward(plain, p, x[:1]).logits)
    normed = Network(inputs=3, layers=(BatchNorm(width=3), Dense(inputs=3, outputs=2)))
    p = initialise(normed, 0)
    assert forward(normed, p, x).logits[:3] == pytest.approx(forward(normed, p, x[:3]).logits)
    together, apart = (forward(normed, p, rows, training=True).logits[:3] for rows in (x, x[:3]))
    assert not np.allclose(together, apart)


# ── losses ──


def test_cross_entropy_pulls_where_the_squared_error_has_stopped() -> None:
    p = float(sigmoid(np.array(-5.0)))
    cross = float(slope("bce", [[-5.0]], [[1.0]])[0, 0])
    squared = 2 * (p - 1) * p * (1 - p)
    assert cross == pytest.approx(p - 1)
    says(asked("losses", "preferred"), f"{p:.4f}", f"−{abs(cross):.3f}", f"−{abs(squared):.3f}")


def test_the_gradient_of_softmax_with_cross_entropy() -> None:
    z = np.array([[1.5, -0.5]])
    p, d = softmax(z)[0], slope("cross_entropy", z, [0])[0]
    assert d == pytest.approx(p - np.array([1, 0]))
    assert d.sum() == pytest.approx(0)
    says(asked("losses", "Derive"), f"[{p[0]:.4f}, {p[1]:.4f}]", f"[−{-d[0]:.4f}, {d[1]:.4f}]")


def test_means_medians_and_the_share_of_an_outlier() -> None:
    numbers = np.array([1, 2, 3, 4, 90])
    says(asked("losses", "Huber"), f"{numbers.mean():g}", f"{np.median(numbers):g}", "97 %")
    errors = np.array([1.0, 1.0, 1.0, 10.0])
    assert round(100 * 10.0**2 / float(errors @ errors)) == 97
    for error in (3.0, -40.0):
        assert abs(float(slope("huber", [[error]], [[0.0]])[0, 0])) == 1


def test_the_surprise_at_the_true_class_and_at_the_start() -> None:
    says(asked("losses", "accuracy"), f"{-math.log(0.4):.2f}", f"{-math.log(0.01):.2f}")
    for classes, shown in ((2, "0.69"), (10, "2.30")):
        start = loss_and_gradient(Loss(name="cross_entropy"), np.zeros((1, classes)), np.array([0])).value
        assert f"{start:.2f}" == shown
        says(asked("losses", "before training"), shown)


# ── gradient descent ──


@pytest.mark.parametrize(("rate", "factor"), [(0.1, 0.8), (0.5, 0.0), (1.1, -1.2)])
def test_each_step_multiplies_the_distance(rate: float, factor: float) -> None:
    w = 7.0
    after = float(update(PLAIN, np.array(w), np.array(2 * (w - 4)), {}, rate, 1))
    assert after - 4 == pytest.approx(factor * (w - 4))
    if factor:
        says(asked("gradient-descent", "learning rate"), f"{factor:g}".replace("-", "−"))


def test_steps_of_an_epoch_and_noise_of_a_batch() -> None:
    assert (n_batches(1000, 32), 1000 % 32) == (32, 8)
    says(asked("gradient-descent", "mini-batch"), "32", "8")
    rows = np.random.default_rng(0).normal(size=(20_000, 64))
    assert rows[:, :16].mean(axis=1).std() == pytest.approx(2 * rows.mean(axis=1).std(), rel=0.05)


def test_the_curvature_grows_with_the_square_of_the_input() -> None:
    def curvature(scale: float) -> float:
        x = scale * np.array([1.0, 2.0, 3.0])
        slopes = [float((2 * (w * x - 1) * x).mean()) for w in (0.0, 1.0)]
        return slopes[1] - slopes[0]

    assert curvature(1000) == pytest.approx(1e6 * curvature(1))


def test_hidden_neurons_can_be_exchanged() -> None:
    network = mlp(3, [10], 2)
    p, order = initialise(network, 0), np.random.default_rng(0).permutation(10)
    q = p | {"0.weight": p["0.weight"][order], "0.bias": p["0.bias"][order], "2.weight": p["2.weight"][:, order]}
    x = np.random.default_rng(1).normal(size=(4, 3))
    assert forward(network, p, x).logits == pytest.approx(forward(network, q, x).logits)
    says(asked("gradient-descent", "local minima"), f"{math.factorial(10):,}")


# ── backpropagation ──


def test_the_gradients_of_a_dense_layer() -> None:
    generator = np.random.default_rng(0)
    x, g = generator.normal(size=(4, 3)), generator.normal(size=(4, 2))
    network = mlp(3, [], 2)
    p = initialise(network, 0)
    trace = forward(network, p, x)
    found = backward(p, trace, g).parameters
    assert found["0.weight"] == pytest.approx(g.T @ x)
    assert found["0.bias"] == pytest.approx(g.sum(axis=0))
    h, step = 1e-6, np.zeros_like(x)
    step[1, 2] = h
    up, down = (float((forward(network, p, x + sign * step).logits * g).sum()) for sign in (1, -1))
    assert (up - down) / (2 * h) == pytest.approx((g @ p["0.weight"])[1, 2], rel=1e-6)


def test_passes_and_products() -> None:
    nine = mlp(2, [2], 1)
    assert nine.n_trainable == 9
    says(asked("backpropagation", "Explain"), "18")
    assert pytest.approx(3300, rel=0.01) == 1.5**20
    says(asked("backpropagation", "vanishing"), "1.5²⁰", "3,300")


def test_central_differences_err_with_the_square_of_h() -> None:
    central = [abs((math.exp(h) - math.exp(-h)) / (2 * h) - 1) for h in (1e-2, 1e-3)]
    sided = [abs((math.exp(h) - 1) / h - 1) for h in (1e-2, 1e-3)]
    assert central[0] / central[1] == pytest.approx(100, rel=0.01)
    assert sided[0] / sided[1] == pytest.approx(10, rel=0.01)


def test_uses_add_up() -> None:
    assert pytest.approx(6) == ((3 + 1e-6) ** 2 - (3 - 1e-6) ** 2) / 2e-6
    says(asked("backpropagation", "more than once"), "3", "6")


# ── regularisation ──


def test_a_weight_decays_to_1_98() -> None:
    rule = Optimizer(name="sgd", weight_decay=0.1)
    after = float(update(rule, np.array(2.0), np.array(0.0), {}, 0.1, 1))
    says(asked("regularisation", "L2"), f"{after:.2f}")


def test_adam_shrinks_weights_of_large_gradients_less_than_adamw_does() -> None:
    """By L2, the decay is divided by the size of the gradient; apart from it, it is the same for both weights."""
    shrunk: dict[str, list[float]] = {}
    for name in ("adam", "adamw"):
        shrunk[name] = []
        for size in (1.0, 100.0):
            ends = []
            for decay in (0.0, 0.1):
                w, memory = np.array(2.0), {}
                for t in range(1, 41):
                    w = update(
                        Optimizer(name=name, weight_decay=decay), w, np.array(size * (-1.0) ** t), memory, 0.01, t
                    )  # type: ignore[arg-type]
                ends.append(float(w))
            shrunk[name].append(ends[0] - ends[1])
    assert shrunk["adam"][0] > 10 * shrunk["adam"][1] > 0
    assert shrunk["adamw"][0] == pytest.approx(shrunk["adamw"][1], rel=1e-3)


def test_early_stopping_keeps_epoch_3_and_stops_after_5() -> None:
    stopping = EarlyStopping(patience=2)
    losses = (0.50, 0.42, 0.40, 0.41, 0.43)
    ends = []
    for epoch, loss in enumerate(losses, 1):
        stopping = stopping.after(epoch, loss)
        ends.append(stopping.is_over)
    assert (ends, stopping.best_epoch) == ([False] * 4 + [True], 3)
    says(asked("regularisation", "early stopping"), *(f"{loss:.2f}" for loss in losses), "5", "3")


def test_the_standard_error_of_an_accuracy() -> None:
    says(asked("regularisation", "split"), f"{math.sqrt(0.9 * 0.1 / 200):.3f}", "0.90", "200")


# ── optimisers ──


def test_the_first_step_of_adam() -> None:
    rule, memory = Optimizer(name="adam"), {}
    assert (rule.beta1, rule.beta2, rule.eps) == (0.9, 0.999, 1e-8)
    g, rate = 50.0, 0.01
    after = float(update(rule, np.array(0.0), np.array(g), memory, rate, 1))
    assert -after == pytest.approx(rate)
    assert memory["exp_avg"] == pytest.approx(0.1 * g)
    assert memory["exp_avg_sq"] == pytest.approx(0.001 * g**2)
    says(asked("optimisers", "Adam and explain"), f"{0.1 / math.sqrt(0.001):.2f}")


def test_momentum_adds_up_and_cancels() -> None:
    rule = Optimizer(name="momentum")
    ends = {}
    for sign in (1.0, -1.0):
        memory: dict[str, Any] = {}
        for t in range(1, 301):
            update(rule, np.array(0.0), np.array(sign**t), memory, 0.1, t)
        ends[sign] = abs(float(memory["momentum_buffer"]))
    assert ends[1.0] == pytest.approx(10)
    assert ends[-1.0] == pytest.approx(1 / 1.9)
    says(asked("optimisers", "momentum change"), f"{ends[-1.0]:.2f}")


def test_the_memory_of_optimisers() -> None:
    assert [len(REMEMBERS[name]) for name in ("adam", "adamw", "momentum", "sgd")] == [2, 2, 1, 0]
    says(asked("optimisers", "choose"), f"{2 * 4} MB", f"{1 * 4} MB")


def test_a_cosine_is_half_way_down_in_the_middle() -> None:
    at = [0.5 * (1 + math.cos(math.pi * share)) for share in (0, 0.5, 1)]
    assert at == pytest.approx([1, 0.5, 0])


def test_clipping_keeps_the_direction() -> None:
    clipped = clip({"w": np.array([3.0, 4.0])}, 1.0)["w"]
    says(asked("optimisers", "clipping"), f"[{clipped[0]:.1f}, {clipped[1]:.1f}]", "[1, 1]", "5")


# ── convolution ──


def n_parameters(*layers: torch.nn.Module) -> int:
    return sum(p.numel() for layer in layers for p in layer.parameters())


def test_parameters_of_a_convolution_and_of_a_dense_layer() -> None:
    outputs = 16 * 32 * 32
    says(asked("cnn", "dense layers"), f"{n_parameters(torch.nn.Conv2d(3, 16, 3))}", f"{outputs:,}", "50 million")
    assert (3 * 32 * 32 + 1) * outputs == pytest.approx(50e6, rel=0.01)


def test_sides_of_maps() -> None:
    def side(**how: int) -> str:
        return str(torch.nn.Conv2d(1, 1, 3, **how)(torch.zeros(1, 1, 32, 32)).shape[2])

    answer = asked("cnn", "decide the size")
    assert (side(padding=1), side(padding=1, stride=2), side(), side(dilation=2)) == ("32", "16", "30", "28")
    says(answer, side(padding=1), side(padding=1, stride=2), side(), side(dilation=2))


def test_stacked_filters_see_more() -> None:
    def seen(*layers: torch.nn.Module) -> int:
        x = torch.ones(1, 1, 40, 40, requires_grad=True)
        z = x
        for layer in layers:
            z = layer(z)
        z[0, 0, 5, 5].backward()
        assert x.grad is not None
        return int((x.grad[0, 0] != 0).any(dim=0).sum())

    def filters() -> torch.nn.Conv2d:
        made = torch.nn.Conv2d(1, 1, 3)
        torch.nn.init.ones_(made.weight)
        return made

    two, three = seen(filters(), filters()), seen(filters(), filters(), filters())
    pooled = seen(filters(), torch.nn.AvgPool2d(2), filters())
    says(
        asked("cnn", "receptive"),
        f"{two} × {two}",
        f"{three} × {three}",
        f"{pooled} × {pooled}",
        f"{3 * 9}",
        f"{7 * 7}",
    )


def test_gradients_through_pooling() -> None:
    for pool, shares in ((torch.nn.MaxPool1d(4), "[0, 2, 0, 0]"), (torch.nn.AvgPool1d(4), "[0.5, 0.5, 0.5, 0.5]")):
        x = torch.tensor([[1.0, 7.0, 3.0, 2.0]], requires_grad=True)
        (2 * pool(x)).sum().backward()
        assert x.grad is not None
        assert x.grad[0].tolist() == [float(share) for share in shares.strip("[]").split(", ")]
        says(asked("cnn", "pooling do"), shares)


def test_the_standard_error_of_400_pictures() -> None:
    says(asked("cnn", "photographs"), f"{math.sqrt(0.8 * 0.2 / 400):.2f}", "400", "0.80")


def test_the_deviation_of_a_score_and_its_cost() -> None:
    answer = asked("attention", "softmax")
    q, k = torch.randn(20_000, 64, generator=torch.manual_seed(0)), torch.randn(20_000, 64)
    assert float((q * k).sum(1).std()) == pytest.approx(8, rel=0.05)
    says(answer, "d = 64", "deviation is 8")
    says(asked("attention", "recurrent"), "1,000 tokens need a million weights")
    says(asked("attention", "reviews"), f"{math.sqrt(0.85 * 0.15 / 400):.3f}", "400", "0.85")


def test_factors_over_fifty_steps_and_parameters_of_cells() -> None:
    says(asked("rnn", "vanish"), f"{0.9**50:.1%}".replace("%", " %"), f"{1.1**50:.0f}")
    says(asked("rnn", "keep information"), f"{0.99**50:.0%}".replace("%", " %"))
    gru, lstm = (n_parameters(kind(32, 64)) for kind in (torch.nn.GRU, torch.nn.LSTM))
    says(asked("rnn", "GRU or LSTM"), f"{gru:,}", f"{lstm:,}")
    assert gru / lstm == 0.75
