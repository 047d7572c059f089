"""The lesson on the forward pass: from a row to a prediction, and the shapes of all arrays on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import sigmoid, softmax
from pellucid.engines.textbook.forward import forward
from pellucid.lessons.question import Question, choose, number
from pellucid.lessons.writing import in_brackets, pick, shape, sum_of_products, vector
from pellucid.network import Role, describe, mlp
from pellucid.network.initialise import initialise
from pellucid.studies.story import Story, shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["questions", "tell"]

Array = NDArray[Any]

NETWORK = mlp(2, [3], 2)
PARAMETERS = {
    "0.weight": np.array([[1.0, -1.0], [0.5, 0.5], [-2.0, 1.0]]),
    "0.bias": np.array([0.0, 1.0, 0.5]),
    "2.weight": np.array([[1.0, 0.5, -1.0], [-1.0, 1.0, 2.0]]),
    "2.bias": np.array([0.5, 0.0]),
}
BATCH = np.array([[2.0, 1.0], [1.0, 2.0], [0.0, 0.0]])
CLASSES = ("first class", "second class")


def tell(story: Story) -> None:
    """Tell how a row becomes a prediction."""
    _tell_row(story)
    alone = _tell_batch(story)
    _tell_answer(story)
    story.close(
        learned="A forward pass is products, sums and activations, layer after layer; "
        + ("each row is computed independently" if alone else "here rows affected one another")
        + ", and the shapes say which numbers are multiplied.",
        try_next="pellucid study neuron",
    )


def _tell_row(story: Story) -> None:
    story.heading("One row through the network")
    story.say(
        "To predict for one row, a network works from left to right: each layer takes the numbers of the one before, "
        "multiplies them by its weights, adds its biases and applies its activation. This is the forward pass. "
        "Written for a "
        "whole layer it is z = x Wᵀ + b. The matrix W holds one row of weights for each neuron, so its shape is "
        "[outputs, inputs]; the ᵀ transposes it, so that every neuron's weights are multiplied with the inputs."
    )
    trace = forward(NETWORK, PARAMETERS, BATCH[:1])
    rows = [("input x", "", vector(BATCH[0]), shape(BATCH[:1].shape))]
    for step in trace.steps:
        if step.layer.role is Role.ACTIVATING:
            made = ("a = relu(z)", "element by element")
        else:
            weight = PARAMETERS[f"{step.name}.weight"]
            name = "z" if step.name == "0" else "logits"
            made = (f"{name} of {describe(step.layer)}", f"W {shape(weight.shape)}, b {shape(weight.shape[:1])}")
        rows.append((*made, vector(step.outputs[0]), shape(step.outputs.shape)))
    story.table("The network 2 → 3 → 2, one row", ("what", "computed with", "values", "shape"), rows)
    story.draw(
        "network", lambda: _draw_network(BATCH[0]),
        f"The same row, {vector(BATCH[0])}, in the network: each circle shows the output of its neuron.",
    )  # fmt: skip
    w, b, z = PARAMETERS["0.weight"], PARAMETERS["0.bias"], trace.steps[0].outputs[0]
    story.say(
        f"The third hidden neuron, for example: z = {sum_of_products(w[2], BATCH[0], b[2])} = {shown(float(z[2]))}, "
        "and "
        f"ReLU makes it {shown(float(trace.steps[1].outputs[0, 2]))}. The last layer has no activation. Its "
        "outputs may have any size and sign and are called logits."
    )


def _draw_network(x: Array) -> Figure:
    from pellucid.plots.graph import Link, Unit, network_graph

    trace = forward(NETWORK, PARAMETERS, x[None])
    columns = (("x", x), ("a", trace.steps[1].outputs[0]), ("logit ", trace.logits[0]))
    units = [
        Unit(name=f"{name}{'₁₂₃'[i] if column < 2 else i + 1}", column=column, value=float(value))
        for column, (name, values) in enumerate(columns)
        for i, value in enumerate(values)
    ]
    w, v = PARAMETERS["0.weight"], PARAMETERS["2.weight"]
    links = [Link(start=i, end=2 + j, weight=float(w[j, i])) for j in range(3) for i in range(2)]
    links += [Link(start=2 + j, end=5 + k, weight=float(v[k, j])) for k in range(2) for j in range(3)]
    return network_graph(units, links, title="The network 2 → 3 → 2")


def _tell_batch(story: Story) -> bool:
    story.heading("Many rows at once")
    story.say(
        "Computers multiply large matrices well, so rows are computed together, as a batch. Its shape is [B, I]: "
        "B rows of I inputs. The weights stay as they are; only the number of rows appears in all shapes. Two shapes "
        "fit if their inner widths are equal; if they are not, Pellucid names the layer, what it expects and what it "
        "got. Here is a larger batch in a larger network."
    )
    large, many = mlp(20, [64], 3), 32
    trace = forward(large, initialise(large, 0), np.zeros((many, 20)))
    story.table(
        f"20 → 64 → 3 with a batch of {many} rows",
        ("layer", "input", "weights", "output"),
        [(describe(s.layer), shape(s.inputs.shape), _weight_shape(large, int(s.name)), shape(s.outputs.shape))
         for s in trace.steps],
    )  # fmt: skip
    together = forward(NETWORK, PARAMETERS, BATCH).logits
    one_by_one = np.concatenate([forward(NETWORK, PARAMETERS, row[None]).logits for row in BATCH])
    alone = bool(np.allclose(together, one_by_one))
    story.say(
        f"{'No row changes the output of another' if alone else 'Rows change the outputs of others'}: the "
        f"{len(BATCH)} rows of the small network, together or one by one, give logits that differ by at most "
        f"{shown(float(np.abs(together - one_by_one).max()))}."
    )
    return alone


def _tell_answer(story: Story) -> None:
    story.heading("From logits to a prediction")
    trace = forward(NETWORK, PARAMETERS, BATCH)
    p = softmax(trace.logits)
    story.say(
        "Softmax turns the logits of a row into probabilities, and the predicted class is the one with the "
        "largest. The ratio of two of these probabilities is e to the power of the difference of their logits, so this "
        "difference alone says how much more likely one class is. With two classes a single logit is enough: its "
        "sigmoid is the probability of the second class, and a logit of zero means one half."
    )
    story.table(
        "Three rows, from logits to predictions",
        ("row", "logits", "probabilities", "times more likely", "prediction"),
        [(vector(x), vector(z), vector(q), float(q.max() / q.min()), CLASSES[int(q.argmax())])
         for x, z, q in zip(BATCH, trace.logits, p, strict=True)],
    )  # fmt: skip


def _weight_shape(network: Any, index: int) -> str | None:
    shapes = {p.name: p.shape for p in network.parameters()}
    name = f"{index}.weight"
    return shape(shapes[name]) if name in shapes else None


# ── questions ──


def questions(generator: np.random.Generator) -> tuple[Question, ...]:
    """Five questions, with answers computed from the numbers that are drawn."""
    return (
        _ask_pass(generator),
        _ask_output_shape(generator),
        _ask_weight_shape(generator),
        _ask_times(generator),
        _ask_class(generator),
    )


def _ask_pass(generator: np.random.Generator) -> Question:
    w, v = generator.choice([-2.0, -1.0, 1.0, 2.0, 3.0], (2, 2)), generator.choice([-2.0, -1.0, 2.0, 3.0], (1, 2))
    x = generator.integers(1, 4, (1, 2)).astype(float)
    b, c = generator.integers(-3, 4, 2).astype(float), generator.integers(-3, 4, 1).astype(float)
    parameters = {"0.weight": w, "0.bias": b, "2.weight": v, "2.bias": c}
    trace = forward(mlp(2, [2], 1), parameters, x)
    z, a, logit = trace.steps[0].outputs[0], trace.steps[1].outputs[0], float(trace.logits[0, 0])
    return number(
        f"A network 2 → 2 → 1 with ReLU has W = [{vector(w[0])}, {vector(w[1])}] and b = {vector(b)} in the hidden "
        f"layer, W = {vector(v[0])} and b = {shown(float(c[0]))} in the last. What is the logit for the row "
        f"{vector(x[0])}?",
        logit,
        f"z = {vector(z)}, ReLU makes it {vector(a)}, and {sum_of_products(v[0], a, c[0])} = {shown(logit)}.",
    )


def _widths(generator: np.random.Generator) -> tuple[int, int, int, int]:
    """Rows, inputs, hidden neurons and outputs, all different, so that no two shapes are the same."""
    rows, inputs, hidden, outputs = (
        pick(generator, (16, 32, 64)), pick(generator, (4, 5, 6, 7)), pick(generator, (10, 12, 20)),
        pick(generator, (2, 3)),
    )  # fmt: skip
    return rows, inputs, hidden, outputs


def _ask_output_shape(generator: np.random.Generator) -> Question:
    rows, inputs, hidden, outputs = _widths(generator)
    network = mlp(inputs, [hidden], outputs)
    trace = forward(network, initialise(network, 0), np.zeros((rows, inputs)))
    what, array = pick(generator, [("the hidden layer", trace.steps[1].outputs), ("the last layer", trace.logits)])
    shapes = [(rows, hidden), (rows, outputs), (hidden, inputs), (outputs, hidden), (rows, inputs)]
    return choose(
        f"A batch of {rows} rows goes through the network {inputs} → {hidden} → {outputs}. What is the shape of the "
        f"output of {what}?",
        shape(array.shape),
        [shape(each) for each in shapes],
        f"There is one row for each row of the batch ({array.shape[0]}) and one column for each neuron of the layer "
        f"({array.shape[1]}).",
        generator,
    )


def _ask_weight_shape(generator: np.random.Generator) -> Question:
    _, inputs, hidden, outputs = _widths(generator)
    shapes = {p.name: p.shape for p in mlp(inputs, [hidden], outputs).parameters()}
    which, name = pick(generator, [("hidden", "0.weight"), ("last", "2.weight")])
    real = shapes[name]
    both = [shapes["0.weight"], shapes["2.weight"]]
    return choose(
        f"What is the shape of the weight matrix W of the {which} layer of {inputs} → {hidden} → {outputs}?",
        shape(real),
        [shape(each) for each in (*both, *(each[::-1] for each in both))],
        f"One row of weights for each of its {real[0]} neurons, one column for each of its {real[1]} inputs: "
        f"{shape(real)}.",
        generator,
    )


def _ask_times(generator: np.random.Generator) -> Question:
    low = float(generator.integers(-3, 3))
    gap = float(pick(generator, (0.5, 1.0, 1.5, 2.0)))
    logits = np.array([[low + gap, low]])
    p = softmax(logits)[0]
    times = float(p[0] / p[1])
    return number(
        f"Two classes have the logits {vector(logits[0])}. How many times as likely as the second class is the first?",
        times,
        f"e to the power of the difference: e^({shown(low + gap)} − {in_brackets(low)}) = e^{shown(gap)} = "
        f"{shown(times)}. (The probabilities are {vector(p)}.)",
        digits=1,
    )


def _ask_class(generator: np.random.Generator) -> Question:
    """A single logit: the bias of the last layer is changed, and perhaps the prediction with it."""
    logit = float(generator.choice([-1.5, -0.5, 0.5, 1.5]))
    moved = logit + float(pick(generator, (-1.0, 1.0, -2.0, 2.0)))
    before, after = (float(sigmoid(np.array(z))) for z in (logit, moved))
    names = {
        (True, True): "it stays with the second class",
        (False, False): "it stays with the first class",
        (True, False): "it changes from the second class to the first",
        (False, True): "it changes from the first class to the second",
    }
    return choose(
        f"A network ends in a single logit, which is {shown(logit)} for a row. Then {shown(moved - logit)} is added to "
        "the bias of its last layer. What happens to the prediction?",
        names[before > 0.5, after > 0.5],
        list(names.values()),
        f"The logit becomes {shown(moved)}; the probability of the second class was {shown(before)} and is now "
        f"{shown(after)}, and one half is the threshold.",
        generator,
    )
