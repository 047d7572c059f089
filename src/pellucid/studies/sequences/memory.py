"""Memory: remember the first symbol of a sequence, with an RNN, LSTM, GRU and attention, over lengths and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.explanation.trace import trace_row
from pellucid.explanation.unrolled import unrolled
from pellucid.network import Network
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.rnn import rnn
from pellucid.network.task import Loss
from pellucid.network.transformer import transformer
from pellucid.numerals import numeral
from pellucid.plots import curves
from pellucid.plots.sequences import slopes_over_steps
from pellucid.studies.learning import accuracy, at_least
from pellucid.studies.setup import learn_to_the_end
from pellucid.studies.spread import mean_interval, side, span, too_few
from pellucid.studies.story import Story
from pellucid.studies.wording import counted, listed
from pellucid.training.engine import make_engine
from pellucid.training.loop import Plan, Rows

__all__ = ["ATTENTION", "KINDS", "Memory", "gradients_by_step", "network_of", "sequences", "study"]

Array = NDArray[Any]

SYMBOLS, NOISE = 4, 4  # tokens 1 to 4 are to be remembered, 5 to 8 say nothing; 0 is padding
VOCABULARY = 1 + SYMBOLS + NOISE
CELLS = {"RNN": "rnn", "LSTM": "lstm", "GRU": "gru"}
ATTENTION = "attention"
KINDS = (*CELLS, ATTENTION)
CHANCE = 1 / SYMBOLS
TRAIN, TEST, TRACED = 512, 500, 10  # sequences to learn from, to measure on, and to follow back through time
LONGEST = 500
BATCH, EMBEDDING, HEADS = 64, 8, 2
REMEMBERS = 0.9  # a seed with a larger accuracy on new sequences counts as one that remembers
LOSS = Loss(name="cross_entropy")


@dataclass(frozen=True, kw_only=True, eq=False)
class Memory:
    """The figures of the study.

    Attributes
    ----------
    lengths
        The numbers of steps.
    parameters
        Of each kind of network.
    accuracy
        For each kind, the accuracy on new sequences, ``[lengths, seeds]``.
    means
        For each kind and length the mean over the seeds, with its interval.
    gradients
        For each recurrent kind ‖∂L/∂h[t]‖ before training at the largest length, ``[T]``: the mean over sequences and
        seeds.
    """

    lengths: tuple[int, ...]
    parameters: Mapping[str, int]
    accuracy: Mapping[str, Array]
    means: Mapping[str, tuple[Estimate, ...]]
    gradients: Mapping[str, Array]


def study(
    story: Story,
    *,
    lengths: Annotated[tuple[int, ...], "steps of the sequences, rising"] = (5, 20, 60),
    epochs: Annotated[int, "passes over the training sequences"] = 30,
    width: Annotated[int, "numbers in the state of each network, even"] = 16,
    lr: Annotated[float, "learning rate of Adam"] = 0.01,
    seeds: Annotated[int, "how many seeds to compare"] = 5,
) -> Memory:
    """Let four kinds of networks remember the first symbol, and follow the gradient back through time.

    Raises
    ------
    SettingError
        A setting breaks its rule.
    DivergenceError
        The loss stops being finite: the learning rate is too large.
    """
    _check(lengths, width)
    at_least("epochs", epochs, 1)
    at_least("seeds", seeds, 1)
    plan = Plan(learning_rate=lr, batch_size=BATCH, epochs=epochs, keep="last")
    from pellucid.engines.device import use_threads

    use_threads(1)

    story.heading("The task")
    parameters = {kind: network_of(kind, lengths[-1], width).n_trainable for kind in KINDS}
    story.say(
        f"A sequence begins with one of {SYMBOLS} symbols; every later step is one of {NOISE} other tokens, drawn at "
        f"random. At the end the network says what the first symbol was. Guessing is right in {100 * CHANCE:.0f} % of "
        f"cases. Each network learns {TRAIN} sequences in {counted(epochs, 'epoch')} with Adam and answers {TEST} new "
        f"ones; {counted(seeds, 'seed')} for each, which draw the sequences, the initial weights and the batches."
    )
    story.say(
        "The recurrent networks answer from their state after the last step. The attention network is one Transformer "
        "block whose steps are averaged: every step is one product away from every other, and the mean also brings the "
        "first step to the answer directly, however long the sequence. Attention is not the only difference."
    )
    story.table(
        "The networks", ("network", "parameters"), [(kind, parameters[kind]) for kind in KINDS]
    )  # fmt: skip

    story.heading("Accuracy over the length")
    found = {
        kind: np.array([[_trained(kind, steps, width, plan, seed) for seed in range(seeds)] for steps in lengths])
        for kind in KINDS
    }
    means = {kind: tuple(mean_interval(row, within=(0, 1)) for row in rows) for kind, rows in found.items()}
    _tell_accuracy(story, lengths, found, means, seeds)

    gradients = _tell_gradients(story, lengths[-1], width, seeds)
    result = Memory(lengths=lengths, parameters=parameters, accuracy=found, means=means, gradients=gradients)
    _close(story, result, seeds)
    return result


def _check(lengths: tuple[int, ...], width: int) -> None:
    rising = all(a < b for a, b in pairwise(lengths))
    if not lengths or not rising or not all(2 <= steps <= LONGEST for steps in lengths):
        raise SettingError(f"lengths must be rising whole numbers from 2 to {LONGEST}, got {lengths!r}")
    if width < 2 or width % HEADS:
        raise SettingError(f"width must be an even number from 2, as attention has {HEADS} heads, got {width!r}")


def sequences(n: int, steps: int, rng: np.random.Generator) -> Rows:
    """Sequences ``[n, steps]`` of tokens, and the first symbol of each, from 0.

    >>> rows = sequences(3, 4, np.random.default_rng(0))
    >>> bool((rows.inputs[:, 0] == rows.targets + 1).all()), bool((rows.inputs[:, 1:] > 4).all())
    (True, True)
    """
    tokens = rng.integers(1 + SYMBOLS, VOCABULARY, (n, steps))
    first = rng.integers(0, SYMBOLS, n)
    tokens[:, 0] = first + 1
    return Rows(inputs=tokens, targets=first)


def network_of(kind: str, steps: int, width: int) -> Network:
    """The network of one of `KINDS`.

    >>> network_of("LSTM", 20, 16).outline()
    '20 → 20×8 → 20×16 → 4'
    """
    if kind == ATTENTION:
        return transformer((steps,), width, SYMBOLS, heads=HEADS, depth=1, vocabulary=VOCABULARY)
    return rnn((steps,), (width,), SYMBOLS, cell=CELLS[kind], vocabulary=VOCABULARY, embedding=EMBEDDING)


def _trained(kind: str, steps: int, width: int, plan: Plan, seed: int) -> float:
    """The accuracy on new sequences after training; all kinds see the same sequences of a seed."""
    rng = np.random.default_rng(seed)
    train, test = sequences(TRAIN, steps, rng), sequences(TEST, steps, rng)
    network = network_of(kind, steps, width)
    engine = make_engine("auto", network, LOSS, Optimizer(name="adam"), initialise(network, seed), device="cpu")
    few = Rows(inputs=train.inputs[:1], targets=train.targets[:1])
    learn_to_the_end(engine, train, replace(plan, seed=seed), watched={"train": few}, every=plan.epochs)
    return accuracy(LOSS, engine.logits(test.inputs), test.targets)


def _tell_accuracy(
    story: Story,
    lengths: tuple[int, ...],
    found: Mapping[str, Array],
    means: Mapping[str, tuple[Estimate, ...]],
    seeds: int,
) -> None:
    story.table(
        f"Accuracy on new sequences, {counted(seeds, 'seed')}",
        ("network", "steps", "mean", "95 % interval of the mean", "lowest", "highest", "seeds that remember"),
        [
            (
                kind, steps, f"{means[kind][i].value:.3f}", span(means[kind][i]), f"{found[kind][i].min():.3f}",
                f"{found[kind][i].max():.3f}", f"{int((found[kind][i] > REMEMBERS).sum())} of {seeds}",
            )
            for i, steps in enumerate(lengths)
            for kind in KINDS
        ],
    )  # fmt: skip
    story.say(
        f"A seed counts as one that remembers if more than {100 * REMEMBERS:.0f} % of its answers are right. Where "
        "some seeds do and others do not, the mean describes neither: look at the lowest and the highest."
    )
    story.draw(
        "accuracy",
        lambda: curves.curve_panels(
            [
                (kind, {
                    "highest seed": (lengths, rows.max(axis=1)),
                    "mean": (lengths, rows.mean(axis=1)),
                    "lowest seed": (lengths, rows.min(axis=1)),
                })
                for kind, rows in found.items()
            ],
            x_label="steps", y_label="accuracy on new sequences", title="Who remembers the first symbol?", log_y=False,
        ),
        f"The mean of {counted(seeds, 'seed')}, and the lowest and the highest of them. Guessing gives {CHANCE:g}.",
    )  # fmt: skip
    few = too_few(seeds, "seeds")
    sentences = [few] if few else []
    for i, steps in enumerate(lengths):
        against = {
            kind: side(mean_interval(found[kind][i] - found["RNN"][i]), seeds) for kind in KINDS if kind != "RNN"
        }
        better = [kind for kind, where in against.items() if where > 0]
        worse = [kind for kind, where in against.items() if where < 0]
        if better:
            sentences.append(f"Over {steps} steps, {listed(better)} beat the RNN beyond the chance of the seeds.")
        if worse:
            sentences.append(f"Over {steps} steps, {listed(worse)} did worse than the RNN beyond that chance.")
        if not better and not worse and not few:
            sentences.append(f"Over {steps} steps no difference from the RNN is clear.")
    story.say(" ".join(sentences))


# ── back through time ──


def gradients_by_step(network: Network, parameters: Mapping[str, Array], rows: Rows) -> Array:
    """‖∂L/∂h[t]‖ of a recurrent network, mean over the rows, ``[T]``."""
    lengths = []
    for x, target in zip(rows.inputs, rows.targets, strict=True):
        trace = trace_row(network, parameters, x, loss=LOSS, target=target[np.newaxis], compared=False)
        (layer,) = unrolled(trace.layers[1])
        lengths.append(layer.lengths_of_slopes)
    mean: Array = np.mean(np.array(lengths), axis=0)
    return mean


def _tell_gradients(story: Story, steps: int, width: int, seeds: int) -> dict[str, Array]:
    story.heading("Back through time")
    found = {}
    for kind in CELLS:
        network = network_of(kind, steps, width)
        each = [
            gradients_by_step(
                network, initialise(network, seed), sequences(TRACED, steps, np.random.default_rng([seed, 1]))
            )
            for seed in range(seeds)
        ]
        found[kind] = np.mean(each, axis=0)
    story.say(
        "To learn that the first symbol matters, the network needs the slope of the loss at the first step. It comes "
        "back through every step, and each multiplies it by the derivative of one state with respect to the one "
        f"before. This is the length of ∂L/∂h at the first and the last of {steps} steps before training (mean of "
        f"{TRACED} sequences and {counted(seeds, 'seed')})."
    )
    story.table(
        "Length of ∂L/∂h",
        ("network", "last step", "first step", "first / last", "per step, geometric mean"),
        [
            (
                kind,
                numeral(float(g[-1])),
                numeral(float(g[0])),
                numeral(_kept(g)),
                f"{_kept(g) ** (1 / (steps - 1)):.3f}",
            )
            for kind, g in found.items()
        ],
    )
    story.draw(
        "gradients",
        lambda: slopes_over_steps(list(found.items()), title=f"The gradient on its way back through {steps} steps"),
        "Read from right to left: the loss is at the last step. A straight line on this axis means that each step "
        "multiplies the gradient by the same factor.",
    )
    weakest, strongest = min(found, key=lambda k: _kept(found[k])), max(found, key=lambda k: _kept(found[k]))
    story.say(
        f"Before training, most is left in the {strongest}, {numeral(_kept(found[strongest]), 2)} of the gradient at "
        f"the last step, and least in the {weakest}, {numeral(_kept(found[weakest]), 2)}. An LSTM also carries its "
        "cell state c from step to step, where a forget gate near 1 lets the gradient pass; the picture shows h alone, "
        "and gates that have not learned anything stand near ½."
    )
    return found


def _kept(gradients: Array) -> float:
    """How much of the gradient at the last step is left at the first."""
    return float(gradients[0] / gradients[-1])


def _close(story: Story, result: Memory, seeds: int) -> None:
    reach = {}
    for kind in KINDS:
        counts = [int((row > REMEMBERS).sum()) for row in result.accuracy[kind]]
        whole = [steps for steps, count in zip(result.lengths, counts, strict=True) if count == seeds]
        reach[kind] = f"{whole[-1]} steps" if whole else "none of the lengths"
    most = max(_kept(g) for g in result.gradients.values())
    learned = "; ".join(f"{kind}: {text}" for kind, text in reach.items())
    story.close(
        learned=f"The largest length at which {'the seed' if seeds == 1 else f'all {seeds} seeds'} remembered the "
        f"first symbol – {learned}. Before training, at most {numeral(most, 2)} of the gradient at the last of "
        f"{result.lengths[-1]} steps comes back to the first in a recurrent network. This alone does not say which "
        "learns further: gates change it while they learn. In the attention network no state has to carry the symbol.",
        try_next=f"pellucid study memory --lengths {result.lengths[-1]} --epochs 100",
    )
