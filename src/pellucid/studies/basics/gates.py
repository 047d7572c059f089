"""A perceptron learns the logical gates by Rosenblatt's rule, and one gate shows what a single neuron cannot do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.perceptron import Learned, Update, answer, find_cycle, learn
from pellucid.errors import SettingError, nearest
from pellucid.numerals import numeral
from pellucid.studies.learning import at_least
from pellucid.studies.story import Story

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["GATES", "Gate", "Gates", "study"]

Array = NDArray[Any]

PAIRS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])

# The rows and the answers of each gate.
GATES: dict[str, tuple[Array, tuple[int, ...]]] = {
    "AND": (PAIRS, (0, 0, 0, 1)),
    "OR": (PAIRS, (0, 1, 1, 1)),
    "NAND": (PAIRS, (1, 1, 1, 0)),
    "NOT": (np.array([[0.0], [1.0]]), (1, 0)),
    "XOR": (PAIRS, (0, 1, 1, 0)),
}
WORDS = {
    "AND": "1 only where both inputs are 1",
    "OR": "1 where at least one input is 1",
    "NAND": "0 only where both inputs are 1",
    "NOT": "1 where the input is 0",
    "XOR": "1 where exactly one of the two inputs is 1",
}
SHOWN = 18  # the most mistakes that a table shows


@dataclass(frozen=True, kw_only=True, eq=False)
class Gate:
    """One gate, learned or not.

    Attributes
    ----------
    targets, answers
        The targets and the neuron's final answers, one number per row.
    learned
        Whether a whole epoch passed without a mistake.
    weights, bias
        At the end.
    epochs
        Epochs run; where the gate was learned, this includes the last epoch, without mistakes.
    wrong
        Wrong answers in each epoch.
    cycle
        Where it was not learned: an epoch, and the first later epoch that ended with the same weights.
    mistakes
        The corrections, in order; where the weights repeat in a cycle, up to the end of the first cycle.
    """

    targets: tuple[int, ...]
    answers: tuple[int, ...]
    learned: bool
    weights: Array
    bias: float
    epochs: int
    wrong: tuple[int, ...]
    cycle: tuple[int, int] | None
    mistakes: tuple[Update, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Gates:
    """The figures of the study.

    Attributes
    ----------
    gates
        By name.
    two_layers
        The answers of AND(OR, NAND), three of these neurons in two layers, on the rows of XOR; ``None`` unless all
        three were learned.
    """

    gates: dict[str, Gate]
    two_layers: tuple[int, ...] | None


def study(
    story: Story,
    *,
    gate: Annotated[str | None, "only this gate: AND, OR, NAND, NOT or XOR; default: all five"] = None,
    lr: Annotated[float, "learning rate: how far a mistake moves the weights"] = 1.0,
    epochs: Annotated[int, "maximum number of passes over all rows"] = 100,
    seed: Annotated[int | None, "draw the initial weights from N(0, 1) with this seed; default: all zeros"] = None,
) -> Gates:
    """Show how one neuron learns AND, OR, NAND and NOT, and why it cannot learn XOR.

    Raises
    ------
    SettingError
        There is no such gate, or a number is too small.
    """
    names = [_known(gate)] if gate is not None else list(GATES)
    at_least("epochs", epochs, 1)
    if seed is not None:
        at_least("seed", seed, 0)
    if not 1e-6 <= lr <= 1e6:
        raise SettingError(f"lr must be from 0.000001 to 1,000,000, got {lr!r}; 1 is usual for a perceptron")

    runs: dict[str, Learned] = {}
    for name in names:
        inputs, targets = GATES[name]
        first = np.zeros(3) if seed is None else np.random.default_rng(seed).normal(size=3)
        runs[name] = learn(
            inputs, np.array(targets), learning_rate=lr, epochs=epochs, weights=first[: inputs.shape[1]], bias=first[2]
        )
    gates = {name: _gate(name, run) for name, run in runs.items()}

    story.heading("One neuron and one rule")
    story.say(
        "A perceptron multiplies each input by a weight, adds a bias b and applies a step function: it answers 1 if "
        "the sum is 0 or more, else 0. It learns by Rosenblatt's rule (1958). After each row, error = target − answer; "
        f"the weights change by Δw = lr · error · x and the bias by Δb = lr · error, here with lr = {lr:g}. A correct "
        "answer has error 0 and changes nothing, so the tables list only the wrong answers. The rows come in the same "
        "order in every epoch; training stops after an epoch without a mistake."
    )
    for name in names:
        if name != "XOR":
            _tell_gate(story, name, runs[name], gates[name])
    straight = [name for name in names if name != "XOR"]
    if straight:
        story.draw(
            "lines", lambda: _lines({name: runs[name] for name in straight}),
            "The boundary w · x + b = 0 after each epoch that changed it; for a point on the line the answer is 1.",
        )  # fmt: skip
    combined = None
    if "XOR" in names:
        _tell_xor(story, runs["XOR"], gates["XOR"])
        combined = _tell_two_layers(story, runs)
        if len(names) > 1:
            story.draw(
                "mistakes", lambda: _mistakes(gates),
                "Wrong answers in each epoch: where a straight line separates ones from zeros, the curve reaches 0.",
            )  # fmt: skip
    story.close(learned=_learned(gates), try_next="pellucid study " + ("xor" if "XOR" in names else "gates --gate XOR"))
    return Gates(gates=gates, two_layers=combined)


def _known(gate: str) -> str:
    name = gate.strip().upper()
    if name not in GATES:
        raise SettingError(f"gate {gate!r} is not known{nearest(name, GATES)}")
    return name


def _gate(name: str, run: Learned) -> Gate:
    inputs, targets = GATES[name]
    cycle = find_cycle(run)
    kept = [update for update in run.mistakes if cycle is None or update.epoch <= cycle[1]]
    return Gate(
        targets=targets,
        answers=tuple(int(y) for y in answer(run.weights, run.bias, inputs)),
        learned=run.converged,
        weights=run.weights,
        bias=run.bias,
        epochs=run.epochs,
        wrong=tuple(int(n) for n in np.bincount([u.epoch for u in run.mistakes], minlength=run.epochs + 1)[1:]),
        cycle=cycle,
        mistakes=tuple(kept),
    )


# ── telling ──


def _tell_gate(story: Story, name: str, run: Learned, gate: Gate) -> None:
    story.heading(f"{name}: {WORDS[name]}")
    if gate.mistakes:
        story.say("Each row of the table is one wrong answer and the change that it caused.")
        _tell_mistakes(story, name, run, gate)
    if gate.learned:
        story.say(f"{name} was learned after {_count(len(run.mistakes), 'correction')}: epoch {run.epochs} passed "
                  f"without a mistake. The neuron now has {_end(run, run.epochs)}.")  # fmt: skip
    else:
        story.say(f"After {_count(run.epochs, 'epoch')} {name} is not learned yet: the last epoch still had "
                  f"{_count(gate.wrong[-1], 'mistake')}. Allow more epochs. "
                  f"The neuron now has {_end(run, run.epochs)}.")  # fmt: skip
    story.table(
        f"{name} at the end",
        ("x", "z = w · x + b", "answer", "target"),
        [
            (_vector(x), _text(x @ gate.weights + gate.bias), str(y), str(t))
            for x, y, t in zip(GATES[name][0], gate.answers, gate.targets, strict=True)
        ],
    )


def _tell_mistakes(story: Story, name: str, run: Learned, gate: Gate) -> None:
    rows = [
        (
            _text(update.epoch), _text(update.row), _vector(update.inputs), _text(update.target),
            _text(update.answer), _text(update.error), _vector(run.learning_rate * update.error * update.inputs),
            _text(run.learning_rate * update.error), _vector(update.weights), _text(update.bias),
        )
        for update in gate.mistakes
    ]  # fmt: skip
    if len(rows) > SHOWN:
        dots = ("…",) * 10
        rows = [*rows[: SHOWN // 2], dots, *rows[-(SHOWN // 2) + 1 :]]
    said = "" if gate.cycle is None else f" of epochs 1 to {gate.cycle[1]}"
    story.table(
        f"{name}: the mistakes{said}",
        ("epoch", "row", "x", "target", "answer", "error", "Δw", "Δb", "w after", "b after"),
        rows,
    )


def _tell_xor(story: Story, run: Learned, gate: Gate) -> None:
    story.heading(f"XOR: {WORDS['XOR']}")
    story.say("The same rule and the same rows, with different targets. Watch w and b at the end of each epoch.")
    _tell_mistakes(story, "XOR", run, gate)
    if gate.cycle is None:
        story.say(f"In {_count(run.epochs, 'epoch')} no epoch was free of mistakes, and none has ended yet with the "
                  "weights of an earlier one. More epochs would not help, as the next section shows.")  # fmt: skip
    else:
        first, again = gate.cycle
        story.say(
            f"Epoch {again} ends with the weights of epoch {first}: {_end(run, first)}. The rule remembers nothing but "
            "the weights, so from here on it repeats the same cycle for ever. After "
            f"{_count(run.epochs, 'epoch')} and {len(run.mistakes):,} corrections it still answers "
            f"{[*gate.answers]} instead of {[*gate.targets]}."
        )
    caption = "XOR: the boundary after each correction of one cycle; wherever the line lies, some answer is wrong."
    story.draw("xor-lines", lambda: _xor_lines(run, gate), caption)

    story.heading("Why no straight line can do it")
    story.say(
        "The neuron answers 1 where w₁x₁ + w₂x₂ + b is 0 or more. Each row of XOR therefore sets a condition on the "
        "three numbers w₁, w₂ and b:"
    )
    story.table(
        "The conditions that XOR sets",
        ("", "x", "target", "condition"),
        [
            ("(1)", "[0, 0]", 0, "b < 0"),
            ("(2)", "[0, 1]", 1, "w₂ + b ≥ 0"),
            ("(3)", "[1, 0]", 1, "w₁ + b ≥ 0"),
            ("(4)", "[1, 1]", 0, "w₁ + w₂ + b < 0"),
        ],
    )
    story.say(
        "Add (2) and (3): w₁ + w₂ + 2b is 0 or more. Add (1) and (4): w₁ + w₂ + 2b is less than 0. The same sum cannot "
        "be both, so no such weights exist, and no learning rule can find them."
    )


def _tell_two_layers(story: Story, runs: dict[str, Learned]) -> tuple[int, ...] | None:
    """XOR built from three of the learned neurons: it is 1 where OR and NAND are both 1."""
    if not all(name in runs and runs[name].converged for name in ("OR", "NAND", "AND")):
        return None
    story.heading("Two layers can")
    story.say("XOR is 1 where OR and NAND are both 1. So feed the answers of two of the neurons learned above into the "
              "third, AND: together they form a network of two layers, although it was never trained as a whole."
              )  # fmt: skip
    first = np.stack([answer(runs[n].weights, runs[n].bias, PAIRS) for n in ("OR", "NAND")], axis=1)  # [4, 2]
    combined = answer(runs["AND"].weights, runs["AND"].bias, first)  # [4]
    targets = GATES["XOR"][1]
    story.table(
        "AND of OR and NAND",
        ("x", "OR", "NAND", "AND of both", "target of XOR"),
        [(_vector(x), *two.tolist(), int(y), t) for x, two, y, t in zip(PAIRS, first, combined, targets, strict=True)],
    )
    story.say("How a network learns all of its layers together is the subject of the study xor. The step function has "
              "slope 0, so there it is replaced by activations whose slope is not 0.")  # fmt: skip
    return tuple(int(y) for y in combined)


def _learned(gates: dict[str, Gate]) -> str:
    sentences = []
    done = [name for name in gates if gates[name].learned]
    late = [name for name in gates if not gates[name].learned and name != "XOR"]
    if done:
        counts = [f"{name} {len(gates[name].mistakes)}" for name in done]
        sentences.append(f"One neuron can learn {_list(done)} (corrections needed: {', '.join(counts)}).")
    if late:
        epochs = _count(max(gates[name].epochs for name in late), "epoch")
        sentences.append(f"For {_list(late)}, {epochs} did not suffice; more will.")
    if "XOR" in gates:
        sentences.append("One neuron cannot learn XOR: its boundary is one straight line, and no straight line "
                         "separates XOR's ones from its zeros.")  # fmt: skip
    elif done:
        sentences.append("For each, a straight line separates the ones from the zeros, and in that case the rule "
                         "always converges (Novikoff 1962).")  # fmt: skip
    return " ".join(sentences)


# ── pictures ──


def _lines(runs: dict[str, Learned]) -> Figure:
    from pellucid.plots.lines import Boundary, Plane, boundary_lines

    planes = {}
    for name, run in runs.items():
        inputs, targets = GATES[name]
        changed = sorted({update.epoch for update in run.mistakes}) or [1]
        ends = {update.epoch: update for update in run.updates}
        lines = [
            Boundary(name=f"after epoch {epoch}", weights=ends[epoch].weights, bias=ends[epoch].bias)
            for epoch in _some(changed, 6)
        ]
        planes[name] = Plane(inputs=inputs, targets=np.array(targets), lines=lines)
    return boundary_lines(planes)


def _xor_lines(run: Learned, gate: Gate) -> Figure:
    from pellucid.plots.lines import Boundary, Plane, boundary_lines

    inputs, targets = GATES["XOR"]
    since = gate.cycle[0] if gate.cycle else run.epochs - 1
    planes = {}
    for update in [u for u in gate.mistakes if u.epoch > since][:4]:
        line = Boundary(name="w · x + b = 0", weights=update.weights, bias=update.bias)
        name = f"epoch {update.epoch}, after row {update.row}"
        planes[name] = Plane(inputs=inputs, targets=np.array(targets), lines=[line])
    return boundary_lines(planes, margin=1.25, title="XOR")


def _mistakes(gates: dict[str, Gate]) -> Figure:
    from pellucid.plots.curves import curves

    until = 6 + max((gate.epochs for gate in gates.values() if gate.learned), default=30)
    series = {name: (np.arange(1, gate.epochs + 1)[:until], gate.wrong[:until]) for name, gate in gates.items()}
    figure = curves(series, title="Wrong answers in each epoch", y_label="wrong answers (rows)")
    figure.axes[0].set(yticks=range(len(PAIRS) + 1))
    return figure


def _some(values: list[int], most: int) -> list[int]:
    """At most ``most`` of the values, evenly spread, always including the last."""
    if len(values) <= most:
        return values
    return [values[round(i)] for i in np.linspace(0, len(values) - 1, most)]


# ── words ──


def _end(run: Learned, epoch: int) -> str:
    last = [update for update in run.updates if update.epoch == epoch][-1]
    return f"w = {_vector(last.weights)}, b = {_text(last.bias)}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _text(value: float) -> str:
    return numeral(value, beside=1.0)


def _vector(values: Array) -> str:
    return "[" + ", ".join(_text(v) for v in values) + "]"
