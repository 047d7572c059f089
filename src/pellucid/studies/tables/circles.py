"""Two circles, one inside the other: a network that stays linear against one that bends, and how lucky its seed was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import sigmoid
from pellucid.errors import SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.evaluation.metrics import confusion_matrix
from pellucid.network import Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.studies.learning import Line, at_least
from pellucid.studies.setup import learn_to_the_end, shape_of, widths
from pellucid.studies.spread import share_interval
from pellucid.studies.story import Story
from pellucid.studies.wording import counted
from pellucid.training.engine import make_engine
from pellucid.training.loop import Plan, Rows

__all__ = ["Circles", "Trained", "study"]

Array = NDArray[Any]

RINGS = ("outer ring", "inner ring")  # class 0 and class 1
GOOD, POOR = 0.90, 0.65
ALIKE = 0.025  # of a test accuracy
LEARNED = 400  # of the points: the first, which are in random order
ENOUGH = 20  # among fewer seeds nobody is called lucky
BCE, ADAM = Loss(name="bce"), Optimizer(name="adam")


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """One network of the study.

    Attributes
    ----------
    lines
        Loss and accuracy of the train and test rows, from epoch 0 on, of the seed shown.
    confusion
        Of the test rows, ``[2, 2]``: actual down, predicted across.
    accuracies
        Test accuracy after the last epoch for each of the seeds ``[S]``.
    good, poor
        The share of the seeds that reach 0.90 and that stay below 0.65, with Wilson's intervals.
    reach
        The least and the greatest probability of the inner ring that the one shown gives to a training point.
    """

    lines: tuple[Line, ...]
    confusion: Array
    accuracies: Array
    good: Estimate
    poor: Estimate
    reach: tuple[float, float]

    @property
    def train(self) -> float:
        """Accuracy on the training rows after the last epoch."""
        return self.lines[-1].scores["train"]

    @property
    def test(self) -> float:
        """Accuracy on the test rows after the last epoch."""
        return self.lines[-1].scores["test"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Circles:
    """The figures of the study.

    Attributes
    ----------
    linear, bent
        The network without activations and the one with them.
    majority
        The test accuracy of answering the more common class of the test rows always.
    below
        The share of the seeds whose bent network has a lower test accuracy than the one shown.
    """

    linear: Trained
    bent: Trained
    majority: float
    below: float


@dataclass(frozen=True, kw_only=True)
class _Choice:
    """The settings that both networks share."""

    plan: Plan
    seed: int
    seeds: int
    device: str


def study(
    story: Story,
    *,
    hidden: Annotated[tuple[int, ...], "neurons of each hidden layer"] = (5, 2),
    activation: Annotated[str, "after each hidden layer of the network that bends"] = "relu",
    lr: Annotated[float, "learning rate of Adam"] = 0.01,
    epochs: Annotated[int, "steps, each on all training rows"] = 150,
    seeds: Annotated[int, "how many seeds to compare"] = 100,
    seed: Annotated[int, "of the first weights of the two networks shown"] = 42,
    device: Annotated[str, "auto, cpu, cuda or mps"] = "cpu",
) -> Circles:
    """Tell what an activation is for, and how much of the result was luck.

    Raises
    ------
    SettingError
        A setting breaks its rule.
    DivergenceError
        The learning rate is too large to finish.
    """
    from pellucid.engines.device import use_threads

    hidden = widths("hidden", hidden)
    at_least("seeds", seeds, 1)
    at_least("seed", seed, 0)
    if activation == "identity":
        raise SettingError("activation 'identity' is the linear network itself: choose one that bends, such as relu")
    bending = mlp(2, hidden, 1, activation=activation)
    flat = mlp(2, hidden, 1, activation="identity")
    points, labels, train, test = _data()
    plan = Plan(learning_rate=lr, batch_size=len(train), epochs=epochs, keep="last", seed=seed)
    choice = _Choice(plan=plan, seed=seed, seeds=seeds, device=device)
    use_threads(1)  # for networks this small, passing work between threads takes longer than the work

    majority = _tell_data(story, points, labels, train, test)
    _tell_networks(story, bending, choice, activation)
    linear, linear_grid = _train(flat, choice, train, test, points)
    bent, bent_grid = _train(bending, choice, train, test, points)
    names = "linear", f"with {activation}"
    _tell_training(story, dict(zip(names, (linear, bent), strict=True)), epochs)
    _tell_mistakes(story, names, (linear, bent), majority, train)
    _tell_boundaries(story, dict(zip(names, (linear_grid, bent_grid), strict=True)), train, test)
    below = _tell_seeds(story, names, linear, bent, choice)
    result = Circles(linear=linear, bent=bent, majority=majority, below=below)
    _close(story, result, choice, hidden, activation)
    return result


def _data() -> tuple[Array, Array, Rows, Rows]:
    """All points, and by their place the first 400 to learn from and the last 100 to test on."""
    from sklearn.datasets import make_circles

    points, labels = make_circles(500, noise=0.1, factor=0.5, random_state=42)
    rows = Rows(inputs=points, targets=labels[:, np.newaxis].astype(np.float64))
    return points, labels, rows.take(np.arange(LEARNED)), rows.take(np.arange(LEARNED, len(points)))


def _train(
    network: Network, choice: _Choice, train: Rows, test: Rows, points: Array
) -> tuple[Trained, tuple[Array, Array, Array]]:
    """Train the seed shown and all the others; besides, the shown one's probability over the plane."""
    from pellucid.plots.boundary import grid_over
    from pellucid.training.many import logits_of_many, train_many

    plan = choice.plan
    first = initialise(network, choice.seed, scheme="uniform")
    engine = make_engine("torch", network, BCE, ADAM, first, device=choice.device)
    lines = learn_to_the_end(engine, train, plan, watched={"train": train, "test": test})
    answers = (engine.logits(test.inputs)[:, 0] > 0).astype(int)
    truth = test.targets[:, 0].astype(int)
    xx, yy, places = grid_over(points)
    probability = sigmoid(engine.logits(places)[:, 0].astype(np.float64)).reshape(xx.shape)
    given = sigmoid(engine.logits(train.inputs)[:, 0].astype(np.float64))

    firsts = [initialise(network, seed, scheme="uniform") for seed in range(choice.seeds)]
    # In float64, so that no seed is counted on another side because of rounding; no GPU is faster for these.
    last = train_many(network, BCE, ADAM, firsts, train.inputs, train.targets, learning_rate=plan.learning_rate,
                      epochs=plan.epochs, dtype="float64")  # fmt: skip
    right = (logits_of_many(network, last, test.inputs) > 0) == (test.targets > 0.5)  # [S, B, 1]
    accuracies = right.mean(axis=(1, 2))
    trained = Trained(
        lines=lines,
        confusion=confusion_matrix(truth, answers, 2),
        accuracies=accuracies,
        good=share_interval(int((accuracies >= GOOD).sum()), choice.seeds),
        poor=share_interval(int((accuracies < POOR).sum()), choice.seeds),
        reach=(float(given.min()), float(given.max())),
    )
    return trained, (xx, yy, probability)


# ── telling ──


def _tell_data(story: Story, points: Array, labels: Array, train: Rows, test: Rows) -> float:
    story.heading("The data: two circles")
    story.say(f"{len(points)} points lie on two circles around the same centre, each moved a little at random. A "
              "network sees the two coordinates of a point and is to say on which circle it lies. It learns from the "
              f"first {len(train)} points, as tutorials do; they come in random order, so that is a random choice. The "
              f"last {len(test)}, the test points, are kept to see whether it learned the circles or only the "
              "points. Other splits move the figures below by some hundredths.")  # fmt: skip
    inner, inner_test = int(train.targets.sum()), int(test.targets.sum())
    rows = [
        ("train", len(train) - inner, inner, len(train)),
        ("test", len(test) - inner_test, inner_test, len(test)),
    ]
    story.table("Points", ("part", *RINGS, "together"), rows)

    def draw() -> Any:
        from pellucid.plots.boundary import scatter

        panels = {
            f"{name}, {len(part)} points": (part.inputs, part.targets[:, 0].astype(int))
            for name, part in _parts(train, test)
        }
        return scatter(panels, RINGS)

    story.draw("data", draw, "The points; no straight line has one circle on each side.")
    return max(inner_test, len(test) - inner_test) / len(test)


def _tell_networks(story: Story, network: Network, choice: _Choice, activation: str) -> None:
    story.heading("Two networks")
    story.say(f"Both networks have the shape {shape_of(network)}, {network.n_trainable:,} weights and biases, and "
              f"start from the same numbers (seed {choice.seed}). One has no activation: it multiplies and adds only, "
              "and sums of sums are again a sum, so all its layers together can draw one straight line. The other "
              f"has {activation} after each hidden layer.")  # fmt: skip
    plan = choice.plan
    story.say(f"Both learn by binary cross-entropy and Adam with learning rate {plan.learning_rate:g} for "
              f"{plan.epochs:,} epochs. The last layer gives a logit; sigmoid makes it a probability, and above 0.5 "
              "the answer is the inner ring. The weights of the last epoch are kept: the test points choose "
              "nothing.")  # fmt: skip


def _tell_training(story: Story, networks: dict[str, Trained], epochs: int) -> None:
    story.say("Loss should fall and accuracy, the share of right answers, should rise; a coin reaches about 0.5.")
    step = 50 if epochs >= 50 else max(1, epochs // 3)
    for name, trained in networks.items():
        kept = [line for line in trained.lines if line.epoch % step == 0 or line.epoch == epochs]
        rows = [
            (e.epoch, e.losses["train"], e.losses["test"], e.scores["train"], e.scores["test"]) for e in kept
        ]  # fmt: skip
        story.table(name, ("epoch", "train loss", "test loss", "train accuracy", "test accuracy"), rows)

    def draw() -> Any:
        from pellucid.plots.curves import curve_panels

        panels = [
            (
                name,
                {part: ([e.epoch for e in t.lines], [e.losses[part] for e in t.lines]) for part in ("train", "test")},
            )
            for name, t in networks.items()
        ]
        return curve_panels(panels, y_label="binary cross-entropy", title="Loss")

    story.draw("loss", draw, "The loss of train and test points after each epoch, on the same scale for both networks.")


def _tell_mistakes(
    story: Story, names: tuple[str, str], trained: tuple[Trained, Trained], majority: float, train: Rows
) -> None:
    story.heading("Which answers were wrong")
    story.say("A confusion matrix counts the test points by the ring they lie on (down) and the ring that was answered "
              "(across); right answers stand on the diagonal.")  # fmt: skip
    story.draw("confusion", lambda: _draw_confusion(names, trained), "Test points by actual and predicted ring.")
    linear, bent = trained
    if linear.test <= majority:
        story.say(f"Always answering the more common ring would be right on {majority:.2f} of the test points; the "
                  f"linear network is right on {linear.test:.2f}. {_why_so_low(linear, train)}No line has the whole "
                  "outer circle on one side and the inner one on the other.")  # fmt: skip
    else:
        story.say(f"The linear network is right on {linear.test:.2f} of the test points, where always answering the "
                  f"more common ring would be right on {majority:.2f}: a line can cut off a part of the outer ring, "
                  "and no more.")  # fmt: skip
    wrong = int(bent.confusion.sum() - np.trace(bent.confusion))
    story.say(f"The network {names[1]} is wrong on {wrong} of {int(bent.confusion.sum())} test points.")


def _why_so_low(linear: Trained, train: Rows) -> str:
    """Where a line is nearly no line: what it answers, and what the test points are, which is a matter of counts."""
    low, high = linear.reach
    if high - low > 0.2:
        return ""
    said = (f"Its best line is almost no line: its probability of the inner ring is {low:.2f} to {high:.2f} for every "
            f"training point, and its train loss, {linear.lines[-1].losses['train']:.3f}, is next to the 0.693 of "
            "answering 0.5 to everything. ")  # fmt: skip
    learned = np.bincount(train.targets[:, 0].astype(int), minlength=2)  # [2] training points of each ring
    truth, answers = linear.confusion.sum(axis=1), linear.confusion.sum(axis=0)
    usual, n = int(answers.argmax()), int(truth.sum())
    hits = int(linear.confusion[usual, usual])
    said += f"It answers {RINGS[usual]} to {answers[usual]} of the {n} test points and is right on {hits} of them. "
    if learned[usual] > learned[1 - usual] and truth[usual] < truth[1 - usual]:
        said += (f"For of the {len(train)} training points {learned[usual]} lie on the {RINGS[usual]}, the greater "
                 f"part; of the {n} test points it is the other way round, {truth[usual]} lie there. ")  # fmt: skip
    return said + ("That is no bad luck of the first weights, as the seeds below show. " if _agree(linear) else "")


def _agree(trained: Trained) -> bool:
    """Whether several seeds were tried and all came to the same test accuracy, but for two test points."""
    return len(trained.accuracies) > 1 and bool(np.ptp(trained.accuracies) < ALIKE)


def _draw_confusion(names: tuple[str, str], trained: tuple[Trained, Trained]) -> Any:
    from pellucid.plots.confusion import confusion_matrices

    panels = {f"{name}: {t.test:.2f} right": t.confusion for name, t in zip(names, trained, strict=True)}
    return confusion_matrices(panels, RINGS)


def _tell_boundaries(story: Story, grids: dict[str, tuple[Array, Array, Array]], train: Rows, test: Rows) -> None:
    story.heading("Where each network changes its answer")
    story.say("Each network is asked about 200 × 200 places of the plane. The colour is its probability of the inner "
              "ring; the black line is where that is 0.5 and the answer changes.")  # fmt: skip

    def draw() -> Any:
        from pellucid.plots.boundary import decision_boundaries

        parts = {name: (part.inputs, part.targets[:, 0].astype(int)) for name, part in _parts(train, test)}
        return decision_boundaries(grids, parts, RINGS)

    story.draw("boundaries", draw, "The decision boundary of each network; hollow marks are the points that it learned "
               "from, filled ones the test points.")  # fmt: skip


def _parts(train: Rows, test: Rows) -> tuple[tuple[str, Rows], tuple[str, Rows]]:
    return ("train", train), ("test", test)


def _tell_seeds(story: Story, names: tuple[str, str], linear: Trained, bent: Trained, choice: _Choice) -> float:
    n = choice.seeds
    story.heading("How lucky was the seed?")
    again = "once each, from seed 0" if n == 1 else f"{n:,} times each, from the seeds 0 to {n - 1:,}"
    story.say(f"So far the first weights came from one seed, {choice.seed}. Here both networks learn from the same "
              f"points again, {again}; nothing else differs. If results lie far apart, one run tells little. Behind "
              "each share stands the interval in which the share of all possible seeds lies with 95 % confidence "
              "(Wilson's interval).")  # fmt: skip
    rows = [
        (name, _share(t.good), _share(t.poor), float(np.median(t.accuracies)), t.accuracies.min(), t.accuracies.max())
        for name, t in zip(names, (linear, bent), strict=True)
    ]
    story.table(
        f"Test accuracy of {counted(n, 'seed')}",
        ("network", f"at least {GOOD:.2f}", f"below {POOR:.2f}", "median", "lowest", "highest"),
        rows,
    )

    def draw() -> Any:
        from pellucid.plots.spread import histogram_of_seeds

        return histogram_of_seeds(
            dict(zip(names, (linear.accuracies, bent.accuracies), strict=True)),
            marks={f"{POOR:.2f}": POOR, f"{GOOD:.2f}": GOOD, f"seed {choice.seed}, {names[1]}": bent.test},
            x_label="test accuracy",
            title="The same network from other first weights",
        )

    story.draw("seeds", draw, "Test accuracy from each seed; the lines mark poor, good, and the run shown above.")
    if _agree(linear):
        least, most = f"{linear.accuracies.min():.2f}", f"{linear.accuracies.max():.2f}"
        where = least if least == most else f"{least} to {most}"
        story.say(f"All {n:,} seeds of the linear network end at {where}: wherever it starts, it comes to "
                  f"{'' if least == most else 'nearly '}the same line.")  # fmt: skip
    below, above = float((bent.accuracies < bent.test).mean()), float((bent.accuracies > bent.test).mean())
    shown = f"The run shown, seed {choice.seed} with test accuracy {bent.test:.2f}, "
    if n < ENOUGH:
        story.say(f"{shown}stands beside {counted(n, 'seed')} with {bent.accuracies.min():.2f} to "
                  f"{bent.accuracies.max():.2f}: too few to say whether it is a lucky one.")  # fmt: skip
    else:
        story.say(f"{shown}did better than {100 * below:.0f} % of these seeds, worse than {100 * above:.0f} %, and as "
                  f"well as the rest: {_luck(below, above)}")  # fmt: skip
    return below


def _luck(below: float, above: float) -> str:
    place = (1 + below - above) / 2  # where it stands from 0 to 1, in the middle of those that did as well
    if 0.25 < place < 0.75:
        return "it is an ordinary one."
    return f"it is one of the {'lucky' if place >= 0.75 else 'unlucky'} ones, not a typical one."


def _close(story: Story, result: Circles, choice: _Choice, hidden: tuple[int, ...], activation: str) -> None:
    bent, linear = result.bent, result.linear
    begin = (
        f"Without an activation the network can only draw a line (test accuracy {linear.test:.2f}); with {activation} "
    )
    begin += f"the seed shown ends at {bent.test:.2f}, "
    good, poor = (round(share.value * choice.seeds) for share in (bent.good, bent.poor))
    n, low = choice.seeds, 100 * bent.good.low
    if n == 1:
        end = (f"and the one seed tried {'reaches' if good else 'does not reach'} {GOOD:.2f}, which says little about "
               "all others: judge a network by many seeds.")  # fmt: skip
    elif bent.good.low >= 0.9:
        who = f"all {n:,} seeds tried reach" if good == n else f"{good:,} of {n:,} seeds reach"
        end = f"and {who} {GOOD:.2f}: at this width the first weights matter little."
    elif good == n:
        end = (f"and all {n:,} seeds tried reach {GOOD:.2f}, which shows no more than that at least {low:.0f} % of all "
               "seeds should (95 % interval).")  # fmt: skip
    else:
        end = (f"while {good:,} of {n:,} seeds reach {GOOD:.2f} and {poor:,} stay below {POOR:.2f}: judge a network "
               "by many seeds, not by one.")  # fmt: skip
    wider = "pellucid study circles --hidden 32,32"
    story.close(learned=begin + end, try_next=wider if max(hidden) < 32 else "pellucid study xor")


def _share(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.0f} % ({100 * estimate.low:.0f} – {100 * estimate.high:.0f} %)"
