"""The network as used in practice: BatchNorm, Dropout, weight decay, mini-batches; and a loss for each task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.evaluation.metrics import confusion_matrix
from pellucid.network import Layer, Network, Role, Shape, batch_shape, describe, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.numerals import numeral
from pellucid.studies.basics import losses_compared
from pellucid.studies.basics.losses_compared import OneLoss, Robust
from pellucid.studies.drawn_network import draw_network
from pellucid.studies.learning import Line, learn
from pellucid.studies.spread import CHANCE, Paired, paired, share_interval
from pellucid.studies.story import Story
from pellucid.training.engine import make_engine
from pellucid.training.loop import Plan, Rows

__all__ = ["Mlp", "Recipe", "study"]

Array = NDArray[Any]

TRAIN, TEST = 1_200, 1_000
CLASSES, COLUMNS, BATCH = 3, 20, 64
DECAY = 1e-4
LOSS = Loss(name="cross_entropy")


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """One network of the comparison: its ingredients and its results with the last weights; nothing is chosen.

    Attributes
    ----------
    lines
        Loss and accuracy of the training and the test rows before the first epoch and after each.
    accuracy
        Of the test rows, with Wilson's 95 % interval, which covers the draw of the test rows, not other seeds.
    over_nothing
        The test rows that only this network, and only the plain one, classifies correctly; McNemar's test.
    """

    name: str
    network: Network
    weight_decay: float
    lines: tuple[Line, ...]
    accuracy: Estimate
    confusion: Array
    over_nothing: Paired


@dataclass(frozen=True, kw_only=True, eq=False)
class Mlp:
    """The figures of the study.

    Attributes
    ----------
    n_trainable
        Number of trainable parameters of the full network.
    shapes
        For each layer, its description and the shape of its output for a batch.
    recipes
        The full network first, then the plain one, then one ingredient at a time.
    losses
        One network for each loss.
    robust
        MSE, Huber and MAE with outliers added; ``None`` if no outliers were requested.
    """

    n_trainable: int
    shapes: tuple[tuple[str, tuple[int, int]], ...]
    recipes: tuple[Recipe, ...]
    losses: tuple[OneLoss, ...]
    robust: Robust | None


def study(
    story: Story,
    *,
    hidden: Annotated[tuple[int, ...], "widths of the hidden layers"] = (128, 64, 32),
    dropout: Annotated[float, "share of hidden units dropped in training"] = 0.3,
    lr: Annotated[float, "learning rate of Adam"] = 1e-3,
    epochs: Annotated[int, "passes over the training rows"] = 50,
    seed: Annotated[int, "of the initial weights, the batches and dropout"] = 42,
    device: Annotated[str, "auto, cpu, cuda or mps"] = "cpu",
    outliers: Annotated[float, "share of spoilt training targets, below 0.5"] = 0.1,
) -> Mlp:
    """Show how the usual network is built and trained, what each part does, and which loss suits which task.

    Raises
    ------
    SettingError
        A setting breaks its rule.
    """
    if not hidden:
        raise SettingError(
            "hidden must have at least one width, such as 128,64,32: BatchNorm and Dropout belong to hidden layers"
        )
    if not 0 < dropout < 1:
        raise SettingError(f"dropout must be above 0 and below 1, to compare with and without it: got {dropout!r}")
    if not 0 <= outliers < 0.5:
        raise SettingError(f"outliers must be at least 0 and below 0.5, a share of the rows, got {outliers!r}")
    if outliers and not losses_compared.spoilt_rows(outliers):
        raise SettingError(
            f"outliers {outliers!r} of {losses_compared.ROWS} training rows spoils none: give 0, or at least "
            f"{1 / losses_compared.ROWS:.4f}"
        )
    if seed < 0:
        raise SettingError(f"seed must be at least 0, got {seed!r}")
    plan = Plan(learning_rate=lr, batch_size=BATCH, epochs=epochs, keep="last", seed=seed)
    full = mlp(COLUMNS, hidden, CLASSES, batch_norm=True, dropout=dropout)

    _tell_network(story, full, hidden, dropout, seed)
    train, test = _data()
    recipes = _recipes(story, full, hidden, dropout, train, test, plan, device)
    _tell_recipes(story, recipes, lr)
    best = recipes[0]
    losses = losses_compared.one_of_each(
        story, outliers, hits=int(np.trace(best.confusion)), rows=TEST, loss=_last(best)[1]
    )
    robust = losses_compared.robust(story, outliers) if outliers else None
    if robust is None:
        story.say("With outliers = 0, robust losses are not compared.")

    _close(story, recipes, robust)
    each = zip(full.layers, full.shapes(), strict=True)
    return Mlp(
        n_trainable=full.n_trainable,
        shapes=tuple((describe(layer), (BATCH, width)) for layer, (width,) in each),
        recipes=recipes,
        losses=losses,
        robust=robust,
    )


def _data() -> tuple[Rows, Rows]:
    """Three classes in 20 columns, standardised by the training rows."""
    from sklearn.datasets import make_classification

    inputs, classes = make_classification(
        n_samples=TRAIN + TEST,
        n_features=COLUMNS,
        n_informative=10,
        n_redundant=5,
        n_classes=CLASSES,
        n_clusters_per_class=3,
        flip_y=0.02,
        random_state=42,
    )
    mean, deviation = inputs[:TRAIN].mean(axis=0), inputs[:TRAIN].std(axis=0)
    inputs, classes = (inputs - mean) / deviation, classes.astype(np.int64)
    return (
        Rows(inputs=inputs[:TRAIN], targets=classes[:TRAIN]),
        Rows(inputs=inputs[TRAIN:], targets=classes[TRAIN:]),
    )


def _tell_network(story: Story, network: Network, hidden: tuple[int, ...], dropout: float, seed: int) -> None:
    story.heading("The data and the network")
    story.say(
        f"The data are generated: {TRAIN:,} training rows and {TEST:,} test rows, {COLUMNS} columns, {CLASSES} "
        "classes. Each class is three clusters of points; 10 columns are informative, 5 are linear combinations of "
        "those 10, and 5 are noise. In 2 % of the rows the class is drawn at random, so no network can always be right."
    )
    story.say(
        f"The widths are {' → '.join(map(str, (COLUMNS, *hidden, CLASSES)))}. Each hidden layer consists of four "
        "layers. Dense forms weighted sums. BatchNorm shifts and scales each sum to mean 0 and standard deviation 1 "
        "over the batch, then by two learned numbers. ReLU sets negative sums to 0. Dropout sets a random "
        f"{100 * dropout:g} % of the results to 0 in training, so that no unit can rely on another; it is inactive at "
        "prediction. The last layer gives one logit per class; cross-entropy works on logits, and softmax is applied "
        "only to read probabilities."
    )
    rows: list[tuple[int | str | None, ...]] = []
    before = network.shape
    for i, (layer, after) in enumerate(zip(network.layers, network.shapes(), strict=True)):
        learned = sum(p.size for p in network.trainable() if p.name.startswith(f"{i}."))
        rows.append((i, describe(layer), batch_shape(after, BATCH), learned or None, _why(layer, before)))
        before = after
    rows.append(("", "total", "", network.n_trainable, ""))
    story.table(
        f"The layers, and the shape of their outputs for a batch of {BATCH} rows",
        ("layer", "type", "shape", "parameters", "computed as"),
        rows,
    )
    draw_network(
        story, network, initialise(network, seed), outputs=[f"class {k}" for k in range(CLASSES)],
        when="before training", title="The full network",
    )  # fmt: skip
    story.say("The Dense layers before a BatchNorm have no bias: BatchNorm would subtract it together with the mean.")


def _why(layer: Layer, before: Shape) -> str:
    """How the number of a layer's parameters is computed."""
    shapes = {p.name: p.shape for p in layer.parameters(before)}
    if layer.role is Role.WEIGHTED:
        outputs, inputs = shapes["weight"]
        return f"{inputs} · {outputs}" + (f" + {outputs}" if "bias" in shapes else "")
    if layer.role is Role.NORMALISING:
        return f"a scale and a shift for each of {shapes['weight'][0]}"
    return "no parameters"


def _recipes(
    story: Story,
    full: Network,
    hidden: tuple[int, ...],
    dropout: float,
    train: Rows,
    test: Rows,
    plan: Plan,
    device: str,
) -> tuple[Recipe, ...]:
    story.heading("Training: with everything, with nothing, with one at a time")
    story.say(
        f"Training uses mini-batches of {BATCH} rows and Adam with a learning rate of {plan.learning_rate:g} for "
        f"{plan.epochs} epochs; weight decay {DECAY:g} pulls every weight a little towards 0 at each step. After each "
        "epoch the loss and the accuracy of all training and all test rows are measured, without dropout. The test "
        "rows choose nothing: the last weights are kept."
    )
    plain = mlp(COLUMNS, hidden, CLASSES)
    ways = {
        "everything": (full, DECAY),
        "nothing": (plain, 0.0),
        "BatchNorm alone": (mlp(COLUMNS, hidden, CLASSES, batch_norm=True), 0.0),
        "Dropout alone": (mlp(COLUMNS, hidden, CLASSES, dropout=dropout), 0.0),
        "weight decay alone": (plain, DECAY),
    }
    from pellucid.engines.device import use_threads

    use_threads(1)
    found = {}
    for name, (network, decay) in ways.items():
        first = initialise(network, plan.seed)
        rule = Optimizer(name="adam", weight_decay=decay)
        engine = make_engine("torch", network, LOSS, rule, first, device=device)
        lines = learn(engine, train, plan, watched={"train": train, "test": test})
        found[name] = lines, engine.logits(test.inputs).argmax(axis=1)
    plain_right = found["nothing"][1] == test.targets
    return tuple(
        Recipe(
            name=name,
            network=ways[name][0],
            weight_decay=ways[name][1],
            lines=lines,
            accuracy=share_interval(int((answers == test.targets).sum()), TEST),
            confusion=confusion_matrix(test.targets, answers, CLASSES),
            over_nothing=paired(answers == test.targets, plain_right),
        )
        for name, (lines, answers) in found.items()
    )


def _tell_recipes(story: Story, recipes: tuple[Recipe, ...], lr: float) -> None:
    from pellucid.plots import confusion, curves

    full, nothing = recipes[0], recipes[1]
    shown = [line for line in full.lines if line.epoch in _milestones(full.lines[-1].epoch)]
    story.table(
        "The full network during training",
        ("epoch", "train loss", "test loss", "train accuracy", "test accuracy"),
        [(a.epoch, a.losses["train"], a.losses["test"], a.scores["train"], a.scores["test"]) for a in shown],
    )
    story.draw(
        "curves",
        lambda: curves.curve_panels(
            [(f"loss, {r.name}", _series(r, "losses")) for r in (full, nothing)],
            y_label="cross-entropy",
            title="Loss after each epoch",
            dashed=("test",),
        ),
        "Loss with everything and with nothing: solid for the training rows, dashed for the test rows.",
    )
    story.draw(
        "accuracy",
        lambda: curves.curve_panels(
            [(f"accuracy, {r.name}", _series(r, "scores")) for r in (full, nothing)],
            y_label="share of right answers",
            title="Accuracy after each epoch",
            dashed=("test",),
        ),
        "Accuracy with everything and with nothing.",
    )
    story.table(
        "After the last epoch",
        ("network", "train loss", "test loss", "train accuracy", "test accuracy", "95 % interval", "accuracy gap"),
        [
            (
                r.name,
                *_last(r),
                r.lines[-1].scores["train"],
                r.accuracy.value,
                f"{r.accuracy.low:.3f} – {r.accuracy.high:.3f}",
                r.lines[-1].scores["train"] - r.accuracy.value,
            )
            for r in recipes
        ],
    )
    parts = ", ".join(f"{_last(r)[1]:.2f} with {r.name}" for r in recipes[2:])
    story.say(
        f"The test loss is {_last(nothing)[1]:.2f} with nothing, {parts}, and {_last(full)[1]:.2f} with everything."
    )
    story.say(
        "The interval shows how far the accuracy could move with other test rows. All networks answered the same rows, "
        "so for a comparison only those count that exactly one of the two has right; p is the probability that two "
        f"equally good networks differ at least this much (McNemar's exact test). As there are {len(recipes) - 1} "
        f"comparisons, only a p below {numeral(_limit(recipes))} counts, which is 0.05 divided by their number. All of "
        "this compares these networks, not ways of training: with other initial weights each would end a little "
        "differently."
    )
    story.table(
        f"Against the network with nothing, on the same {TEST:,} test rows",
        ("network", "only it is right", "only “nothing” is right", "p", "clear difference"),
        [(r.name, r.over_nothing.first, r.over_nothing.second, r.over_nothing.p,
          _apart(r.over_nothing, _limit(recipes))) for r in recipes if r is not nothing],
    )  # fmt: skip
    names = [f"class {k}" for k in range(CLASSES)]
    story.draw(
        "confusion",
        lambda: confusion.confusion_matrices({r.name: r.confusion for r in (full, nothing)}, names, title="Test rows"),
        "The test rows by actual and predicted class.",
    )


def _close(story: Story, recipes: tuple[Recipe, ...], robust: Robust | None) -> None:
    full, nothing = recipes[0], recipes[1]
    loss, plain_loss = _last(full)[1], _last(nothing)[1]
    gap, plain_gap = (round(r.lines[-1].scores["train"] - r.accuracy.value, 2) + 0.0 for r in (full, nothing))
    less = "less" if loss < plain_loss else "no less"
    versus = full.over_nothing
    apart = versus.p < _limit(recipes)
    learned = (
        f"With BatchNorm, Dropout and weight decay together the test loss is {loss:.2f} instead of {plain_loss:.2f}, "
        f"{less} than without them, and the gap between training and test accuracy is {gap:.2f} instead of "
        f"{plain_gap:.2f}; the test accuracy is {full.accuracy.value:.3f} against {nothing.accuracy.value:.3f}, which "
        f"{'is more than' if apart else 'may be'} chance on the same {TEST:,} rows (p = {numeral(versus.p, 2)})."
    )
    if robust is not None:
        learned += " " + losses_compared.verdict(robust)
    story.close(learned=learned, try_next="pellucid study overfitting")


def _limit(recipes: tuple[Recipe, ...]) -> float:
    """The more comparisons, the likelier that chance alone makes one of them look like a difference (Bonferroni)."""
    return CHANCE / (len(recipes) - 1)


def _apart(versus: Paired, limit: float) -> str:
    if versus.p >= limit:
        return "no"
    return "better" if versus.first > versus.second else "worse"


def _last(recipe: Recipe) -> tuple[float, float]:
    """The train and the test loss after the last epoch."""
    return recipe.lines[-1].losses["train"], recipe.lines[-1].losses["test"]


def _series(recipe: Recipe, what: str) -> dict[str, tuple[list[int], list[float]]]:
    epochs = [line.epoch for line in recipe.lines]
    return {name: (epochs, [getattr(line, what)[name] for line in recipe.lines]) for name in ("train", "test")}


def _milestones(epochs: int) -> set[int]:
    return {0, 1, epochs, *(round(epochs * i / 5) for i in range(1, 5))}
