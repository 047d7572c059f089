"""The lesson on the perceptron: one neuron, a yes-or-no decision, and a rule that learns from mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.perceptron import Learned, answer, find_cycle, learn
from pellucid.lessons.question import Question, choose, number
from pellucid.lessons.writing import in_brackets, pick, sum_of_products, vector
from pellucid.studies.story import Story, shown
from pellucid.studies.wording import counted, listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["questions", "tell"]

Array = NDArray[Any]

ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
GATES = {"AND": (0, 0, 0, 1), "OR": (0, 1, 1, 1), "NAND": (1, 1, 1, 0), "NOR": (1, 0, 0, 0), "XOR": (0, 1, 1, 0)}
DRAWN = ("AND", "XOR")
MANY = 30  # epochs; from zero weights the gates that can be learned need fewer than ten


def tell(story: Story) -> None:
    """Tell how one neuron decides and learns."""
    learned = {name: learn(ROWS, np.array(truth), epochs=MANY) for name, truth in GATES.items()}
    _tell_decision(story, learned["AND"])
    _tell_learning(story, learned["AND"])
    solved = _tell_limit(story, learned)
    can, cannot = [n for n in GATES if n in solved], [n for n in GATES if n not in solved]
    story.close(
        learned=f"One neuron draws one straight line. By correcting its mistakes it learned {listed(can)}; "
        f"{listed(cannot)} needs more than one line.",
        try_next="pellucid study gates",
    )


def _tell_decision(story: Story, gate: Learned) -> None:
    story.heading("A neuron adds, then decides")
    story.say(
        "A neuron receives numbers, its inputs. It multiplies each input by a number called a weight, adds "
        "up the products, and adds one more number, the bias: z = w₁x₁ + w₂x₂ + b. A weight says how much an input "
        "counts, and whether it argues for a yes (above zero) or for a no (below zero). The bias says how easily the "
        "neuron says yes at all. The perceptron, the oldest kind of neuron (Rosenblatt, 1958), then decides: it "
        "answers 1 if z is zero or more, and 0 otherwise."
    )
    story.say(
        f"Here is one with the weights {vector(gate.weights)} and the bias {shown(gate.bias)}. It answers 1 only if "
        "both inputs are 1: the logical gate AND. (OR needs at least one 1; NAND and NOR are the opposites of AND "
        "and OR.) Nobody chose these numbers: they were learned."
    )
    truth = GATES["AND"]
    given = answer(gate.weights, gate.bias, ROWS)
    story.draw(
        "neuron", lambda: _draw_neuron(gate),
        f"The neuron with the inputs {vector(ROWS[-1])}; the bias {shown(gate.bias)} is part of the sum z.",
    )  # fmt: skip
    story.table(
        "A perceptron at work",
        ("x₁", "x₂", "z = w₁x₁ + w₂x₂ + b", "answer", "wanted"),
        [
            (int(x[0]), int(x[1]), f"{sum_of_products(gate.weights, x, gate.bias)} = {shown(_sum(gate, x))}", int(y), t)
            for x, y, t in zip(ROWS, given, truth, strict=True)
        ],
    )


def _tell_learning(story: Story, gate: Learned) -> None:
    story.heading("Learning from mistakes")
    story.say(
        "The rule looks at one row after another. If the answer is right, nothing changes. If it is wrong, each weight "
        "moves by η · (wanted − answer) · its input, and the bias by η · (wanted − answer). The learning rate η says "
        "how far to move. So a neuron that should have said 1 gets a larger z for this row, and an input of 0, which "
        "had no part in the mistake, keeps its weight. One pass through all rows is called an epoch."
    )
    first = gate.mistakes[:5]
    story.table(
        f"The first {counted(len(first), 'correction')} on the way to AND, from zero weights, η = 1",
        ("epoch", "row", "wanted", "answer", "weights after", "bias after"),
        [(u.epoch, vector(u.inputs), u.target, u.answer, vector(u.weights), float(u.bias)) for u in first],
    )
    story.say(
        f"After {counted(len(gate.mistakes), 'correction')}, epoch {gate.epochs} passed without a mistake, so "
        "learning is finished."
    )


def _tell_limit(story: Story, learned: dict[str, Learned]) -> list[str]:
    story.heading("What one line cannot do")
    story.say(
        "The answer changes where z is exactly zero. With two inputs, all such points form a straight line: on one "
        "side of it the answer is 1, on the other 0. Learning moves and turns this line. If some line has all the ones "
        "on one side, the rule finds one after finitely many corrections (Novikoff, 1962). But XOR is 1 if exactly "
        "one input is 1: its two ones lie at opposite corners of a square, its two zeros at the others, and no line "
        "separates them."
    )
    story.table(
        f"Mistakes in each epoch; at most {MANY} epochs",
        ("gate", *(f"epoch {e}" for e in (1, 2, 4, 8)), "in the last", "learned"),
        [
            (name, *(_mistakes(run, e) for e in (1, 2, 4, 8)), _mistakes(run, run.epochs), run.converged)
            for name, run in learned.items()
        ],
    )
    story.draw(
        "lines", lambda: _draw_lines(learned),
        "Where the neuron answers 1 after its last correction; a ring marks a wrong answer: "
        f"{listed([f'{_wrong(learned, name)} of 4 for {name}' for name in DRAWN])}.",
    )  # fmt: skip
    solved = [name for name, run in learned.items() if run.converged]
    left = [name for name in learned if name not in solved]
    cycles = [find_cycle(learned[name]) for name in left]
    more = "its weights repeat in a cycle, so more would not help" if all(cycles) else "more might help"
    story.say(
        f"{listed(solved)}: learned. {listed(left)}: still making mistakes after {MANY} epochs; {more}. The next "
        "lesson puts neurons side by side."
    )
    return solved


def _draw_neuron(gate: Learned) -> Figure:
    from pellucid.plots.graph import Link, Unit, network_graph

    x = ROWS[-1]
    values = {
        "x₁": float(x[0]),
        "x₂": float(x[1]),
        "z": _sum(gate, x),
        "answer": float(answer(gate.weights, gate.bias, x[None])[0]),
    }
    units = [Unit(name=name, column=max(0, i - 1), value=value) for i, (name, value) in enumerate(values.items())]
    links = [Link(start=i, end=2, weight=float(gate.weights[i])) for i in range(2)]
    return network_graph(units, [*links, Link(start=2, end=3)], title="One neuron: it adds, then decides")


def _draw_lines(learned: dict[str, Learned]) -> Figure:
    from pellucid.plots.lines import Boundary, Plane, boundary_lines

    planes = {}
    for name in DRAWN:
        run = learned[name]
        line = Boundary(name="where z is 0", weights=run.weights, bias=run.bias)
        planes[name] = Plane(inputs=ROWS, targets=np.array(GATES[name]), lines=[line], judged=True)
    return boundary_lines(planes)


def _wrong(learned: dict[str, Learned], name: str) -> int:
    return int((answer(learned[name].weights, learned[name].bias, ROWS) != GATES[name]).sum())


def _sum(gate: Learned, x: Array) -> float:
    return float(x @ gate.weights + gate.bias)


def _mistakes(run: Learned, epoch: int) -> int | None:
    """How many corrections an epoch made; ``None`` if learning had finished before."""
    return sum(u.epoch == epoch for u in run.mistakes) if epoch <= run.epochs else None


# ── questions ──


def questions(generator: np.random.Generator) -> tuple[Question, ...]:
    """Five questions, with answers computed from the numbers that are drawn."""
    return (
        _ask_sum(generator),
        _ask_gate(generator),
        _ask_weight(generator),
        _ask_bias(generator),
        _ask_line(generator),
    )


def _ask_sum(generator: np.random.Generator) -> Question:
    w = generator.choice([-3, -2, -1, 1, 2, 3], 2, replace=False).astype(float)
    x = generator.integers(1, 6, 2).astype(float)
    b = float(generator.integers(-4, 5)) + 0.5
    z = float(w @ x + b)
    return number(
        f"A neuron has the weights {vector(w)} and the bias {shown(b)}. What is z for the inputs {vector(x)}?",
        z,
        f"z = {sum_of_products(w, x, b)} = {shown(z)}, so the perceptron answers "
        f"{int(answer(w, b, x[None])[0])}.",
    )  # fmt: skip


def _ask_gate(generator: np.random.Generator) -> Question:
    w, b = pick(
        generator, [([1, 1], -1.5), ([1, 1], -0.5), ([-1, -1], 1.5), ([-1, -1], 0.5), ([2, 2], -3), ([2, 2], -1)]
    )
    given = answer(np.array(w, float), b, ROWS)
    names = {truth: name for name, truth in GATES.items()}
    z = (ROWS @ np.array(w) + b).astype(float)
    return choose(
        f"Which gate is the perceptron with the weights {vector(w)} and the bias {shown(float(b))}?",
        names[tuple(given.tolist())],
        ["AND", "OR", "NAND", "NOR"],
        f"For the rows (0, 0), (0, 1), (1, 0), (1, 1), z is {vector(z)}; the answers are {vector(given)}.",
        generator,
    )


def _ask_weight(generator: np.random.Generator) -> Question:
    rate = pick(generator, (0.1, 0.2, 0.5))
    target = int(generator.integers(2))
    x = generator.integers(2, 6, 2).astype(float)
    w = generator.choice([0.5, 1.0, 1.5], 2) * (-1 if target else 1)  # so that the answer is wrong
    b = 0.0
    update = learn(x[None], np.array([target]), learning_rate=rate, epochs=1, weights=w, bias=b).updates[0]
    return number(
        f"A perceptron with the weights {vector(w)}, the bias {shown(b)} and η = {shown(rate)} sees the inputs "
        f"{vector(x)}; wanted is {target}. What is the first weight after the rule has looked at this row?",
        float(update.weights[0]),
        f"z = {sum_of_products(w, x)} = {shown(float(w @ x))}, so it answers {update.answer}. The first weight becomes "
        f"{shown(float(w[0]))} + {shown(rate)}·({target} − {update.answer})·{in_brackets(float(x[0]))} = "
        f"{shown(float(update.weights[0]))}.",
    )


def _ask_bias(generator: np.random.Generator) -> Question:
    name = pick(generator, ("AND", "OR", "NAND", "NOR"))
    size = float(pick(generator, (1, 2, 4)))
    w = np.array([size, size]) if name in ("AND", "OR") else np.array([-size, -size])
    biases = [size * b for b in (-2.5, -1.5, -0.5, 0.5, 1.5)]
    fits = [b for b in biases if tuple(answer(w, b, ROWS).tolist()) == GATES[name]]
    (right,) = fits
    z = ROWS @ w + right
    return choose(
        f"The weights are {vector(w)}. Which bias makes the perceptron {name}?",
        shown(right),
        [shown(b) for b in biases],
        f"With {shown(right)}, z is {vector(z)} for (0, 0), (0, 1), (1, 0), (1, 1): 1 where z is not below zero.",
        generator,
    )


def _ask_line(generator: np.random.Generator) -> Question:
    """One truth table that no line separates, among three that a line does; which is which is tried out."""
    tables = [tuple(int(bit) for bit in f"{code:04b}") for code in range(1, 15)]
    learnable = {table: learn(ROWS, np.array(table), epochs=MANY).converged for table in tables}
    hard = pick(generator, [table for table in tables if not learnable[table]])
    easy = [table for table in tables if learnable[table] and sum(table) in (2, 3)]
    others = [easy[i] for i in generator.choice(len(easy), 3, replace=False)]
    return choose(
        "Which of these can a perceptron not learn? It should answer 1 …",
        _where(hard),
        [_where(table) for table in others],
        f"The ones are {_where(hard)}: opposite corners of the square. No straight line has them on one side and the "
        "two others on the other.",
        generator,
    )


def _where(table: tuple[int, ...]) -> str:
    points = [f"({x[0]}, {x[1]})" for x, wanted in zip(ROWS.tolist(), table, strict=True) if wanted]
    return f"for {', '.join(points[:-1])} and {points[-1]} only"
