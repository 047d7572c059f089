"""Three iris species: a small network, a larger one with dropout, and activations compared over many splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.evaluation.metrics import confusion_matrix
from pellucid.network import Network, describe, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.numerals import numeral
from pellucid.studies.drawn_network import draw_network
from pellucid.studies.learning import Line, at_least
from pellucid.studies.setup import learn_to_the_end, shape_of, widths
from pellucid.studies.spread import Paired, mean_interval, paired, share_interval, side, span, too_few
from pellucid.studies.story import Story
from pellucid.studies.wording import counted
from pellucid.training.engine import make_engine
from pellucid.training.loop import Plan, Rows

__all__ = ["Classified", "Compared", "Iris", "study"]

Array = NDArray[Any]

SPLIT_SEED = 42
TEST_SHARE = 0.2
LOSS, ADAM = Loss(name="cross_entropy"), Optimizer(name="adam")
COMPARED = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "gelu")


@dataclass(frozen=True, kw_only=True, eq=False)
class Classified:
    """One of the networks shown.

    Attributes
    ----------
    lines
        Loss and accuracy of the training and test rows from epoch 0 on, without dropout.
    answers
        The predicted class number of each test row.
    confusion
        Of the test rows, ``[3, 3]``: rows actual, columns predicted.
    accuracy
        The share of test rows classified correctly, with Wilson's interval.
    """

    lines: tuple[Line, ...]
    answers: Array
    confusion: Array
    accuracy: Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """One activation over many splits and initial weights.

    Attributes
    ----------
    accuracies
        Test accuracy of each seed ``[S]``.
    mean
        Their mean, with an interval that takes into account that the splits share rows.
    over_first
        Its mean lead over the activation of the networks shown, paired by seed, with its interval.
    """

    accuracies: Array
    mean: Estimate
    over_first: Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class Iris:
    """The figures of the study.

    Attributes
    ----------
    classes
        The names of the species, in the order of the class numbers.
    truth
        The class number of each test row of the split shown.
    first, improved
        The small network and the larger one with dropout.
    paired
        The test rows that only the improved network, and only the small one, classifies correctly; McNemar's test.
    activations
        By name.
    """

    classes: tuple[str, ...]
    truth: Array
    first: Classified
    improved: Classified
    paired: Paired
    activations: dict[str, Compared]


def study(
    story: Story,
    *,
    hidden: Annotated[tuple[int, ...], "hidden widths of the improved network"] = (16, 8),
    dropout: Annotated[float, "share of hidden units dropped in training, improved network"] = 0.3,
    activation: Annotated[str, "of both networks"] = "relu",
    lr: Annotated[float, "learning rate of Adam"] = 0.01,
    epochs: Annotated[int, "steps, each on all training rows"] = 1000,
    seeds: Annotated[int, "number of splits and initial weights for comparing activations"] = 20,
    seed: Annotated[int, "of the initial weights and of dropout in the networks shown"] = 42,
    device: Annotated[str, "auto, cpu, cuda or mps"] = "cpu",
) -> Iris:
    """Show how three species are classified, what a larger network adds, and which activation does best.

    Raises
    ------
    SettingError
        A setting breaks its rule.
    DivergenceError
        The loss stops being finite: the learning rate is too large.
    """
    from pellucid.engines.device import use_threads

    hidden = widths("hidden", hidden)
    at_least("seeds", seeds, 2)
    at_least("seed", seed, 0)
    if not 0 <= dropout < 1:
        raise SettingError(f"dropout must be at least 0 and below 1, got {dropout!r}")
    small = mlp(4, [10], 3, activation=activation)
    larger = mlp(4, hidden, 3, activation=activation, dropout=dropout)
    inputs, labels, features, classes = _data()
    train, test, numbers = _split(inputs, labels, SPLIT_SEED)
    plan = Plan(learning_rate=lr, batch_size=len(train), epochs=epochs, keep="last", seed=seed)
    use_threads(1)

    _tell_data(story, inputs, train, test, features, classes)
    story.heading("A small network")
    story.say(f"The network takes the four measurements, has one hidden layer of 10 neurons with {activation}, and "
              "gives three logits, one per species; the largest is the answer. It is trained with cross-entropy and "
              f"Adam (learning rate {lr:g}) for {epochs:,} epochs, each on all {len(train)} training rows."
              )  # fmt: skip
    first, learned = _train(small, plan, train, test, device)
    draw_network(story, small, learned, inputs=features, outputs=classes, when="after training",
                 title="The small network")  # fmt: skip
    _tell_losses(story, first, epochs)
    _tell_answers(story, first, test, numbers, classes)

    story.heading("An improved network?")
    improved, _ = _train(larger, plan, train, test, device)
    versus = paired(improved.answers == test.targets, first.answers == test.targets)
    _tell_improved(story, small, larger, first, improved, versus)
    _draw_both(story, small, larger, first, improved, classes)

    compared = _tell_activations(story, activation, plan, inputs, labels, seeds)
    result = Iris(
        classes=classes, truth=test.targets, first=first, improved=improved, paired=versus, activations=compared
    )
    _close(story, result, activation, len(test), seeds)
    return result


def _data() -> tuple[Array, Array, tuple[str, ...], tuple[str, ...]]:
    """Measurements ``[150, 4]``, class numbers ``[150]``, and the names of both."""
    from pellucid.data.builtin import load_builtin

    table, target = load_builtin("iris")
    features = tuple(name for name in table.names if name != target)
    inputs = np.column_stack([table.arrow[name].to_numpy() for name in features])
    classes, labels = np.unique(np.array(table.arrow[target].to_pylist()), return_inverse=True)
    return inputs, labels.astype(np.int64), features, tuple(classes.tolist())


def _split(inputs: Array, labels: Array, seed: int) -> tuple[Rows, Rows, Array]:
    """Training and test rows, standardised by the training rows' mean and standard deviation; the test row numbers."""
    from sklearn.model_selection import train_test_split

    mine, theirs = train_test_split(np.arange(len(inputs)), test_size=TEST_SHARE, random_state=seed)
    mean, deviation = inputs[mine].mean(axis=0), inputs[mine].std(axis=0)
    scaled = (inputs - mean) / deviation
    return (
        Rows(inputs=scaled[mine], targets=labels[mine]),
        Rows(inputs=scaled[theirs], targets=labels[theirs]),
        theirs,
    )


def _train(network: Network, plan: Plan, train: Rows, test: Rows, device: str) -> tuple[Classified, dict[str, Array]]:
    first = initialise(network, plan.seed, scheme="uniform")
    engine = make_engine("torch", network, LOSS, ADAM, first, device=device)
    watched = {"train": train, "test": test}
    lines = learn_to_the_end(engine, train, plan, watched=watched, every=max(1, plan.epochs // 100))
    answers = engine.logits(test.inputs).argmax(axis=1)
    found = Classified(
        lines=lines,
        answers=answers,
        confusion=confusion_matrix(test.targets, answers, network.outputs),
        accuracy=share_interval(int((answers == test.targets).sum()), len(test)),
    )
    return found, engine.parameters()


# ── telling ──


def _tell_data(
    story: Story, inputs: Array, train: Rows, test: Rows, features: Sequence[str], classes: Sequence[str]
) -> None:
    story.heading("The data")
    story.say(f"Four lengths and widths of {len(inputs)} irises of {len(classes)} species were measured. {len(train)} "
              f"rows are for training and {len(test)} for the test (seed {SPLIT_SEED}). Each measurement is "
              "standardised: its mean is subtracted, and the result divided by its standard deviation. Both come from "
              "the training rows only, so that no information about the test rows reaches the network."
              )  # fmt: skip
    rows = [
        (name, int((train.targets == i).sum()), int((test.targets == i).sum())) for i, name in enumerate(classes)
    ]  # fmt: skip
    story.table("Rows of each species", ("species", "train", "test"), rows)
    figures = [(name, inputs[:, i].min(), inputs[:, i].mean(), inputs[:, i].max()) for i, name in enumerate(features)]
    story.table("Measurements", ("column", "minimum", "mean", "maximum"), figures)


def _tell_losses(story: Story, shown: Classified, epochs: int) -> None:
    step = max(1, epochs // 10)
    rows = [
        (e.epoch, e.losses["train"], e.losses["test"], e.scores["train"], e.scores["test"])
        for e in shown.lines
        if e.epoch % step == 0 or e.epoch == epochs
    ]
    headings = ("epoch", "train loss", "test loss", "train accuracy", "test accuracy")
    story.table(f"Every {step:,} epochs", headings, rows)
    best = min(shown.lines, key=lambda e: e.losses["test"])
    last = shown.lines[-1]
    if last.losses["test"] > 1.2 * best.losses["test"]:
        story.say(f"The test loss was lowest at epoch {best.epoch:,} ({best.losses['test']:.3f}) and is "
                  f"{last.losses['test']:.3f} at the end"
                  + (", while the train loss went on falling: the network becomes overconfident (overfitting). "
                     if last.losses["train"] < best.losses["train"]
                     else f"; the train loss did not fall further either ({best.losses['train']:.3f} and "
                     f"{last.losses['train']:.3f}), so the steps may be too large to settle. ")
                  + "The weights of the last epoch are kept nevertheless, because test rows must not choose anything; "
                  "see pellucid study overfitting.")  # fmt: skip


def _tell_answers(story: Story, shown: Classified, test: Rows, numbers: Array, classes: Sequence[str]) -> None:
    n, right = len(test), int(np.trace(shown.confusion))
    low, high = 100 * shown.accuracy.low, 100 * shown.accuracy.high
    story.say(f"Test accuracy: {100 * shown.accuracy.value:.1f} %, {right} of {n} rows. With so few rows, the accuracy "
              f"on all irises may be anywhere from {low:.0f} % to {high:.0f} % (Wilson's 95 % interval). The first ten "
              "test rows, with actual and predicted species:")  # fmt: skip
    rows = []
    for i in range(min(10, n)):
        actual, predicted = classes[int(test.targets[i])], classes[int(shown.answers[i])]
        rows.append((int(numbers[i]), actual, predicted, "" if actual == predicted else "✗ wrong"))
    story.table("The first ten test rows", ("row of the data", "actual", "predicted", ""), rows)
    wrong = sum(row[-1] != "" for row in rows)
    story.say("All of them are right." if not wrong else f"{wrong} of them {'is' if wrong == 1 else 'are'} wrong.")


def _tell_improved(
    story: Story, small: Network, larger: Network, first: Classified, improved: Classified, versus: Paired
) -> None:
    layers = ", ".join(describe(layer) for layer in larger.layers)
    story.say(f"The larger network has the layers {layers}. At each training step, dropout sets a random part of the "
              "hidden outputs to 0, so that no neuron can rely on a single other one; it is inactive at prediction. "
              "Does this network do better on the test rows?")  # fmt: skip
    rows = []
    for name, network, shown in (("small", small, first), ("improved", larger, improved)):
        last, a = shown.lines[-1], shown.accuracy
        rows.append((name, network.n_trainable, last.losses["train"], last.losses["test"], last.scores["train"],
                     f"{100 * a.value:.1f} % ({100 * a.low:.0f} – {100 * a.high:.0f} %)"))  # fmt: skip
    headings = ("network", "weights", "train loss", "test loss", "train accuracy", "test accuracy (95 %)")
    story.table("After the last epoch", headings, rows)
    n = len(improved.answers)
    if not versus.first + versus.second:
        story.say(f"Both networks are right on the same of the {n} rows: this split cannot tell which is better.")
        return
    story.say(f"Both answered the same {n} rows, so only the rows count that exactly one of them has right: "
              f"{counted(versus.first, 'row')} for the improved network, {versus.second} for the small one. Two "
              f"equally good networks would differ at least this much with probability {numeral(versus.p, 2)} "
              "(McNemar's exact test): "
              + ("this is more than chance."
                 if versus.apart else "this split cannot tell which of them is better."))  # fmt: skip


def _draw_both(
    story: Story, small: Network, larger: Network, first: Classified, improved: Classified, classes: Sequence[str]
) -> None:
    names = {f"small: {shape_of(small)}": first, f"improved: {shape_of(larger)}": improved}

    def losses() -> Any:
        from pellucid.plots.curves import curve_panels

        panels = [
            (
                name,
                {part: ([e.epoch for e in s.lines], [e.losses[part] for e in s.lines]) for part in ("train", "test")},
            )
            for name, s in names.items()
        ]
        return curve_panels(panels, y_label="cross-entropy", title="Loss, without dropout", log_y=True)

    def confusions() -> Any:
        from pellucid.plots.confusion import confusion_matrices

        return confusion_matrices({name: s.confusion for name, s in names.items()}, classes, title="Test rows")

    story.draw("loss", losses, "The loss of both networks on training and test rows (logarithmic scale).")
    story.draw("confusion", confusions, "Test rows by actual and predicted species; right answers on the diagonal.")


def _tell_activations(
    story: Story, chosen: str, plan: Plan, inputs: Array, labels: Array, seeds: int
) -> dict[str, Compared]:
    story.heading("Which activation?")
    story.say(f"The small network is trained again with each activation, {seeds} times each: every time with another "
              "split into training and test rows and other initial weights, the same ones for every activation, so "
              "that the differences can be taken in pairs. identity means no activation: a linear "
              "model.")  # fmt: skip
    names = (chosen, *(name for name in COMPARED if name != chosen))
    accuracies = _accuracies(names, plan, inputs, labels, seeds)
    shared = TEST_SHARE / (1 - TEST_SHARE)
    compared = {
        name: Compared(
            accuracies=accuracies[name],
            mean=mean_interval(accuracies[name], shared=shared, within=(0, 1)),
            over_first=mean_interval(accuracies[name] - accuracies[chosen], shared=shared),
        )
        for name in names
    }
    rows = [
        (name, 100 * c.mean.value, span(_percent(c.mean), 1), None if name == chosen else 100 * c.over_first.value,
         None if name == chosen else span(_percent(c.over_first), 1, signed=True))
        for name, c in compared.items()
    ]  # fmt: skip
    story.table(
        f"Test accuracy in %, mean of {seeds} splits (95 % interval)",
        ("activation", "mean", "interval", f"lead over {chosen}", "interval of the lead"),
        rows,
    )

    def draw() -> Any:
        from pellucid.plots.spread import intervals

        shown = {name: _percent(c.mean) for name, c in compared.items()}
        title = f"Activations on {seeds} splits of iris"
        return intervals(shown, x_label="test accuracy, % (mean and 95 % interval)", title=title)

    def draw_leads() -> Any:
        from pellucid.plots.spread import intervals

        shown = {name: _percent(c.over_first) for name, c in compared.items() if name != chosen}
        title = f"Lead over {chosen}, split by split"
        return intervals(
            shown, x_label="percentage points of test accuracy (mean and 95 % interval)", title=title, reference=0
        )

    story.draw("activations", draw, "The mean test accuracy of each activation and its 95 % interval.")
    story.draw("leads", draw_leads, f"The mean lead over {chosen} on the same splits; the dotted line is no lead.")
    story.say("The splits share rows, so they tell less than as many independent samples of flowers would; the "
              "intervals are widened for that (Nadeau & Bengio 2003). A lead whose interval contains 0 may be chance; "
              "and the more leads one looks at, the likelier it is that an interval excludes 0 by chance alone. Where "
              "all splits gave the same number there is no interval, and no claim. "
              + too_few(seeds, "splits"))  # fmt: skip
    return compared


def _accuracies(names: Sequence[str], plan: Plan, inputs: Array, labels: Array, seeds: int) -> dict[str, Array]:
    from pellucid.training.many import logits_of_many, train_many

    parts = [_split(inputs, labels, seed) for seed in range(seeds)]
    x, y = np.stack([train.inputs for train, _, _ in parts]), np.stack([train.targets for train, _, _ in parts])
    x_test = np.stack([test.inputs for _, test, _ in parts])
    y_test = np.stack([test.targets for _, test, _ in parts])
    found = {}
    for name in names:
        network = mlp(4, [10], 3, activation=name)
        first = [initialise(network, seed, scheme="uniform") for seed in range(seeds)]
        last = train_many(network, LOSS, ADAM, first, x, y, learning_rate=plan.learning_rate, epochs=plan.epochs,
                          dtype="float64")  # fmt: skip
        answers = logits_of_many(network, last, x_test).argmax(axis=2)  # [S, B]
        found[name] = (answers == y_test).mean(axis=1)
    return found


def _close(story: Story, result: Iris, activation: str, n_test: int, seeds: int) -> None:
    found = result.activations
    mean = found[activation].mean
    learned = (f"One split gave an accuracy of {100 * result.first.accuracy.value:.1f} % on {n_test} test rows; the "
               f"mean of {seeds} splits is {100 * mean.value:.1f} %. ")  # fmt: skip
    better, worse = ([name for name, c in found.items() if side(c.over_first, seeds) == way] for way in (1, -1))
    sides = ((better, "better"), (worse, "worse"))
    clear = [f"{' and '.join(names)} did {how} than {activation}" for names, how in sides if names]
    if too_few(seeds, "splits"):
        learned += too_few(seeds, "splits")
    elif clear:
        learned += f"By the intervals, {', '.join(clear)}; any other lead may be chance."
    else:
        learned += f"With so few flowers, no other activation differs clearly from {activation}."
    if activation != "identity" and found["identity"].over_first.value >= 0:
        learned += " The linear model (identity) was not behind: try the simple model first."
    story.close(learned=learned, try_next="pellucid study overfitting")


def _percent(share: Estimate) -> Estimate:
    return Estimate(value=100 * share.value, low=100 * share.low, high=100 * share.high)
