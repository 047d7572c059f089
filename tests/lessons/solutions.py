"""The questions of the lessons solved a second time, from their text alone: plain Python, or PyTorch's autograd.

A solution reads the numbers out of the text as a learner would. It shares nothing with the lesson that asks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch

from pellucid.lessons.question import Question

_NUMBER = re.compile(r"−?\d+(?:,\d{3})*(?:\.\d+)?(?:e[−+-]?\d+)?")
ROWS = ((0, 0), (0, 1), (1, 0), (1, 1))
GATES = {"AND": (0, 0, 0, 1), "OR": (0, 1, 1, 1), "NAND": (1, 1, 1, 0), "NOR": (1, 0, 0, 0)}
Solution = Callable[[Question], float | str]


def numbers(text: str) -> list[float]:
    """The numbers of a text, in order."""
    return [float(found.replace("−", "-").replace(",", "")) for found in _NUMBER.findall(text)]


def agrees(answer: float | str, solution: float | str) -> bool:
    """Whether a question's own answer is the one found here."""
    if isinstance(answer, str) or isinstance(solution, str):
        return answer == solution
    return math.isclose(answer, solution, rel_tol=1e-6, abs_tol=1e-6)


def relu(z: float) -> float:
    return max(z, 0.0)


def step(z: float) -> int:
    return 1 if z >= 0 else 0


def fires(w: Sequence[float], b: float) -> tuple[int, ...]:
    return tuple(step(w[0] * x + w[1] * y + b) for x, y in ROWS)


# ── perceptron ──


def perceptron_sum(q: Question) -> float:
    w1, w2, b, x1, x2 = numbers(q.text)
    return w1 * x1 + w2 * x2 + b


def perceptron_gate(q: Question) -> str:
    w1, w2, b = numbers(q.text)
    return next(name for name, truth in GATES.items() if truth == fires((w1, w2), b))


def perceptron_weight(q: Question) -> float:
    w1, w2, b, rate, x1, x2, target = numbers(q.text)
    return w1 + rate * (target - step(w1 * x1 + w2 * x2 + b)) * x1


def perceptron_bias(q: Question) -> str:
    w = numbers(q.text)
    gate = re.search(r"perceptron (\w+)\?", q.text)
    assert gate
    fits = [c for c in q.choices if fires(w, numbers(c)[0]) == GATES[gate[1]]]
    assert len(fits) == 1
    return fits[0]


def perceptron_line(q: Question) -> str:
    """Of all sixteen tables only XOR and its opposite cannot be learned: two ones, at opposite corners."""
    points = {c: set(re.findall(r"\((\d), (\d)\)", c)) for c in q.choices}
    opposite = [{("0", "1"), ("1", "0")}, {("0", "0"), ("1", "1")}]
    (found,) = [c for c, ones in points.items() if ones in opposite]
    return found


# ── mlp ──


def mlp_output(q: Question) -> float:
    a, b, c, d, b1, b2, v1, v2, bias, x, y = numbers(q.text)
    return v1 * relu(a * x + b * y + b1) + v2 * relu(c * x + d * y + b2) + bias


def parameters(arrows: str) -> int:
    widths = [int(width) for width in re.findall(r"\d+", arrows)]
    return sum((a + 1) * b for a, b in pairwise(widths))


def mlp_parameters(q: Question) -> float:
    return parameters(q.text)


def mlp_collapse(q: Question) -> float:
    w, b, v, c = numbers(q.text)
    return v * w if "its weight" in q.text else v * b + c


def mlp_largest(q: Question) -> str:
    sizes = sorted(q.choices, key=parameters)
    assert parameters(sizes[-1]) > parameters(sizes[-2])
    return sizes[-1]


def mlp_straight(q: Question) -> str:
    (bent,) = [c for c in q.choices if "without an activation" not in c]
    return bent


# ── activations ──

FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "ReLU": relu,
    "no activation at all": lambda z: z,
}


def activations_which(q: Question) -> str:
    values = numbers(q.text)
    z, a = values[:3], values[3:]
    (found,) = [n for n, f in FUNCTIONS.items() if all(abs(f(x) - y) < 1e-4 for x, y in zip(z, a, strict=True))]
    return found


def activations_slope(q: Question) -> float:
    a = numbers(q.text)[0]
    return a * (1 - a) if "sigmoid" in q.text else 1 - a**2


def activations_depth(q: Question) -> float:
    depth, a = numbers(q.text)[:2]
    return (a * (1 - a)) ** depth


def activations_softmax(q: Question) -> float:
    scores = numbers(q.text)[:3]
    place = [word in q.text for word in ("first", "second", "third")].index(True)
    return math.exp(scores[place]) / sum(map(math.exp, scores))


def activations_still(q: Question) -> str:
    def slope(choice: str) -> float:
        z = numbers(choice)[0]
        f = FUNCTIONS[choice.partition(" at ")[0]]
        return (f(z + 1e-4) - f(z - 1e-4)) / 2e-4

    return min(q.choices, key=slope)


# ── forward pass ──


def forward_pass(q: Question) -> float:
    a, b, c, d, b1, b2, v1, v2, bias, x, y = numbers(q.text)[3:]
    return v1 * relu(a * x + b * y + b1) + v2 * relu(c * x + d * y + b2) + bias


def forward_output_shape(q: Question) -> str:
    rows, _inputs, hidden, outputs = (int(n) for n in numbers(q.text))
    return f"[{rows}, {hidden if 'hidden layer' in q.text else outputs}]"


def forward_weight_shape(q: Question) -> str:
    inputs, hidden, outputs = (int(n) for n in numbers(q.text))
    return f"[{hidden}, {inputs}]" if "hidden layer" in q.text else f"[{outputs}, {hidden}]"


def forward_times(q: Question) -> float:
    first, second = numbers(q.text)[:2]
    return math.exp(first) / math.exp(second)


def forward_class(q: Question) -> str:
    before, change = numbers(q.text)
    names = {True: "second", False: "first"}
    old, new = names[before > 0], names[before + change > 0]
    return f"it stays with the {new} class" if old == new else f"it changes from the {old} class to the {new}"


# ── losses ──


def losses_mse(q: Question) -> float:
    values = numbers(q.text)[:6]
    return sum((a - t) ** 2 for a, t in zip(values[:3], values[3:], strict=True)) / 3


def losses_bce(q: Question) -> float:
    return math.log(1 + math.exp(-numbers(q.text)[0]))


def losses_ratio(q: Question) -> float:
    small, large = numbers(q.text)
    return large**2 / small**2


def losses_huber(q: Question) -> float:
    delta, error = numbers(q.text)[:2]
    return delta * (error - delta / 2)


def losses_which(q: Question) -> str:
    signs = {"mistyped": "Huber", "of five": "cross-entropy", "whether": "binary cross-entropy"}
    return next((loss for sign, loss in signs.items() if sign in q.text), "mean squared error")


# ── gradient descent ──


def descent_step(q: Question) -> float:
    w, slope, rate = numbers(q.text)
    return w - rate * slope


def descent_two_steps(q: Question) -> float:
    values = numbers(q.text)
    target, start, rate = values[0], values[3], values[4]
    w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=rate)
    for _step in range(2):
        optimizer.zero_grad()
        ((w - target) ** 2).backward()
        optimizer.step()
    return w.item()


def descent_verdict(q: Question) -> str:
    losses = numbers(q.text)
    if losses[-1] > losses[0]:
        return "too large"
    return "far too small" if losses[-1] > 0.9 * losses[0] else "about right"


def descent_steps(q: Question) -> float:
    rows, size, epochs = numbers(q.text)
    return epochs * math.ceil(rows / size)


def descent_too_large(q: Question) -> str:
    slope = numbers(q.text.partition("slope ")[2])[0]
    (found,) = [c for c in q.choices if abs(1 - numbers(c)[0] * slope) > 1]
    return found


# ── backpropagation ──


def back_line(q: Question) -> float:
    x, w, b, target = numbers(q.text)
    return 2 * (w * x + b - target) * (x if "∂L/∂w" in q.text else 1)


def back_chain(q: Question) -> float:
    x, w, b, v, c, target = (torch.tensor(n, dtype=torch.float64) for n in numbers(q.text))
    w.requires_grad_()
    ((v * torch.relu(w * x + b) + c - target) ** 2).backward()
    assert w.grad is not None
    return w.grad.item()


def back_dead(q: Question) -> str:
    values = numbers(q.text)
    x, y = values[9:]
    sums = [values[i] * x + values[i + 1] * y + values[i + 2] for i in (0, 3, 6)]
    (asleep,) = [i for i, z in enumerate(sums) if z < 0]
    return f"the {('first', 'second', 'third')[asleep]} neuron's"


def back_paths(q: Question) -> float:
    w1, w2, v1, v2 = numbers(q.text)
    x = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    (v1 * torch.relu(w1 * x) + v2 * torch.relu(w2 * x)).backward()
    assert x.grad is not None
    return x.grad.item()


def back_check(q: Question) -> float:
    left, low, right, high = numbers(q.text)[:4]
    return (high - low) / (right - left)


# ── regularisation ──


def overfits(q: Question) -> str:
    def gap(choice: str) -> float:
        a, n, b, m = numbers(choice)
        return a / n - b / m

    return max(q.choices, key=gap)


def early_stopping(q: Question) -> tuple[int, int]:
    """The epoch kept and the last one run."""
    inside = re.search(r"\[(.*)\]", q.text)
    patience = re.search(r"patience of (\d+)", q.text)
    assert inside
    assert patience
    losses = numbers(inside[1])
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        if epoch - best >= int(patience[1]):
            return best + 1, epoch + 1
    raise AssertionError("never stops")


def stopping_kept(q: Question) -> float:
    return early_stopping(q)[0]


def stopping_last(q: Question) -> float:
    return early_stopping(q)[1]


def dropout(q: Question) -> float:
    *values, share, place = numbers(q.text)[:6]
    return values[int(place) - 1] / (1 - share)


def decay(q: Question) -> float:
    w, slope, rate, weight_decay = numbers(q.text)[:4]
    return w - rate * (slope + weight_decay * w)


# ── optimisers ──


def torch_steps(make: Callable[[list[torch.Tensor]], torch.optim.Optimizer], w: float, slopes: list[float]) -> float:
    weight = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    optimizer = make([weight])
    for slope in slopes:
        weight.grad = torch.tensor(slope, dtype=torch.float64)
        optimizer.step()
    return weight.item()


def momentum(q: Question) -> float:
    w, _velocity, share, rate, *slopes = numbers(q.text)[:6]
    return torch_steps(lambda ws: torch.optim.SGD(ws, lr=rate, momentum=share), w, slopes)


def terminal(q: Question) -> float:
    return 1 / (1 - numbers(q.text)[0])


def rmsprop(q: Question) -> float:
    _s, alpha, rate, w, slope = numbers(q.text)[:5]
    return torch_steps(lambda ws: torch.optim.RMSprop(ws, lr=rate, alpha=alpha), w, [slope])


def adam(q: Question) -> float:
    rate, w, slope = numbers(q.text)[:3]
    return torch_steps(lambda ws: torch.optim.Adam(ws, lr=rate), w, [slope])


def alike(q: Question) -> str:
    (found,) = [c for c in q.choices if c in ("Adam", "RMSprop")]
    return found


# ── convolution ──


def cnn_side(q: Question) -> float:
    n, _, k, _, p, s = (int(found) for found in numbers(q.text))
    return len(range(0, n + 2 * p - k + 1, s))  # the places where the window begins


def cnn_parameters(q: Question) -> float:
    _, _, before, after, k, _ = (int(found) for found in numbers(q.text))
    return sum(p.numel() for p in torch.nn.Conv2d(before, after, k).parameters())


def cnn_sum(q: Question) -> float:
    given = numbers(q.text)
    picture, kernel, bias = torch.tensor(given[:9]).view(3, 3), torch.tensor(given[9:13]).view(2, 2), given[13]
    row, column = int(given[-3]), int(given[-2])
    return float((picture[row : row + 2, column : column + 2] * kernel).sum()) + bias


def cnn_pool(q: Question) -> str:
    given = numbers(q.text)
    x = torch.tensor([given[:4]], requires_grad=True)
    torch.nn.functional.max_pool1d(x, 2).backward(torch.tensor([given[4:6]]))
    assert x.grad is not None
    return next(choice for choice in q.choices if numbers(choice) == x.grad[0].tolist())


def cnn_field(q: Question) -> float:
    """By autograd: which pixels of a large picture one number in the middle depends on."""
    first, _, _, pool, _, second, _ = (int(found) for found in numbers(q.text))
    x = torch.ones(1, 1, 60, 1, requires_grad=True)
    z = torch.nn.functional.avg_pool2d(torch.nn.functional.conv2d(x, torch.ones(1, 1, first, 1)), (pool, 1))
    torch.nn.functional.conv2d(z, torch.ones(1, 1, second, 1))[0, 0, 2, 0].backward()
    assert x.grad is not None
    return float((x.grad != 0).sum())


# ── recurrent networks ──


def _unit(w: float, u: float, b: float, x: torch.Tensor) -> torch.Tensor:
    unit = torch.nn.RNN(1, 1).double()
    for name, value in (("weight_ih_l0", w), ("weight_hh_l0", u), ("bias_ih_l0", b), ("bias_hh_l0", 0.0)):
        torch.nn.init.constant_(getattr(unit, name), value)
    states: torch.Tensor = unit(x.view(-1, 1))[0]
    return states[-1, 0]


def rnn_state(q: Question) -> float:
    w, u, b, _, *x = numbers(q.text)[:6]
    return float(_unit(w, u, b, torch.tensor(x, dtype=torch.float64)).detach())


def rnn_slope(q: Question) -> float:
    w, u, b, *x = numbers(q.text)[:5]
    given = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    _unit(w, u, b, given).backward()
    assert given.grad is not None
    return float(given.grad[0])


def rnn_cell(q: Question) -> float:
    before, i, f, g = numbers(q.text)[:4]
    return f * before + i * g


def rnn_parameters(q: Question) -> float:
    width, _, inputs = (int(found) for found in numbers(q.text)[:3])
    kind = next(name for name in ("LSTM", "GRU", "RNN") if name in q.text)
    return sum(p.numel() for p in getattr(torch.nn, kind)(inputs, width).parameters())


def rnn_kept(q: Question) -> str:
    steps = int(numbers(q.text)[0])
    kept = {choice: math.exp(steps * math.log(float(choice))) for choice in q.choices}
    return min((choice for choice, share in kept.items() if share >= 0.5), key=float)


# ── attention ──


def attention_score(q: Question) -> float:
    given = numbers(q.text)[1:]  # after the 4 numbers of each vector
    return float(torch.tensor(given[:4]) @ torch.tensor(given[4:8])) / 2


def attention_weight(q: Question) -> float:
    return float(torch.softmax(torch.tensor(numbers(q.text)[:3], dtype=torch.float64), 0)[0])


def attention_mean(q: Question) -> float:
    given = numbers(q.text)
    return sum(v * w for v, w in zip(given[:3], given[3:6], strict=True))


def attention_seen(q: Question) -> float:
    heads, steps = (int(found) for found in numbers(q.text)[:2])
    hidden = torch.nn.Transformer.generate_square_subsequent_mask(steps)
    return float((torch.softmax(hidden, -1) > 0).sum()) * heads


def attention_parameters(q: Question) -> str:
    heads, width = (int(found) for found in numbers(q.text)[:2])
    total = sum(p.numel() for p in torch.nn.MultiheadAttention(width, heads).parameters())
    return f"{total:,}"


SOLUTIONS: dict[str, tuple[Solution, ...]] = {
    "perceptron": (perceptron_sum, perceptron_gate, perceptron_weight, perceptron_bias, perceptron_line),
    "mlp": (mlp_output, mlp_parameters, mlp_collapse, mlp_largest, mlp_straight),
    "activations": (
        activations_which, activations_slope, activations_depth, activations_softmax, activations_still,
    ),
    "forward-pass": (forward_pass, forward_output_shape, forward_weight_shape, forward_times, forward_class),
    "losses": (losses_mse, losses_bce, losses_ratio, losses_huber, losses_which),
    "gradient-descent": (descent_step, descent_two_steps, descent_verdict, descent_steps, descent_too_large),
    "backpropagation": (back_line, back_chain, back_dead, back_paths, back_check),
    "regularisation": (overfits, stopping_kept, stopping_last, dropout, decay),
    "optimisers": (momentum, terminal, rmsprop, adam, alike),
    "cnn": (cnn_side, cnn_parameters, cnn_sum, cnn_pool, cnn_field),
    "rnn": (rnn_state, rnn_slope, rnn_cell, rnn_parameters, rnn_kept),
    "attention": (attention_score, attention_weight, attention_mean, attention_seen, attention_parameters),
}  # fmt: skip
