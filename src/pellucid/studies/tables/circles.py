"""Two circles, one inside the other: a linear network against a non-linear one, and how lucky its seed was."""

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
LEARNED = 400  # number of training points: the first, as they are in random order
ENOUGH = 20  # with fewer seeds, none is called lucky
BCE, ADAM = Loss(name="bce"), Optimizer(name="adam")


@dataclass(frozen=True, kw_only=True, eq=False)
class Trained:
    """One network of the study.

    Attributes
    ----------
    lines
        Loss and accuracy of the training and test rows, from epoch 0 on, for the seed shown.
    confusion
        Of the test rows, ``[2, 2]``: rows actual, columns predicted.
    accuracies
        Test accuracy after the last epoch for each seed, ``[S]``.
    good, poor
        The share of the seeds that reach 0.90, and the share that stays below 0.65, with Wilson's intervals.
    reach
        The smallest and the largest probability of the inner ring that the seed shown gives to a training point.
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
        The test accuracy of always answering the more common class of the test rows.
    below
        The share of the seeds whose network with activations has a lower test accuracy than the one shown.
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
    activation: Annotated[str, "after each hidden layer of the non-linear network"] = "relu",
    lr: Annotated[float, "learning rate of Adam"] = 0.01,
    epochs: Annotated[int, "steps, each on all training rows"] = 150,
    seeds: Annotated[int, "how many seeds to compare"] = 100,
    seed: Annotated[int, "of the initial weights of the two networks shown"] = 42,
    device: Annotated[str, "auto, cpu, cuda or mps"] = "cpu",
) -> Circles:
    """Show what an activation is for, and how much of the result is luck.

    Raises
    ------
    SettingError
        A setting breaks its rule.
    DivergenceError
        The loss stops being finite: the learning rate is too large.
    """
    from pellucid.engines.device import use_threads

    hidden = widths("hidden", hidden)
    at_least("seeds", seeds, 1)
    at_least("seed", seed, 0)
    if activation == "identity":
        raise SettingError("activation 'identity' is the linear network itself: choose a non-linear one, such as relu")
    bending = mlp(2, hidden, 1, activation=activation)
    flat = mlp(2, hidden, 1, activation="identity")
    points, labels, train, test = _data()
    plan = Plan(learning_rate=lr, batch_size=len(train), epochs=epochs, keep="last", seed=seed)
    choice = _Choice(plan=plan, seed=seed, seeds=seeds, device=device)
    use_threads(1)  # for networks this small, passing work between threads takes longer than the work itself

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
    """All points and their classes, and the first 400 as training and the last 100 as test rows."""
    from sklearn.datasets import make_circles

    points, labels = make_circles(500, noise=0.1, factor=0.5, random_state=42)
    rows = Rows(inputs=points, targets=labels[:, np.newaxis].astype(np.float64))
    return points, labels, rows.take(np.arange(LEARNED)), rows.take(np.arange(LEARNED, len(points)))


def _train(
    network: Network, choice: _Choice, train: Rows, test: Rows, points: Array
) -> tuple[Trained, tuple[Array, Array, Array]]:
    """Train the seed shown and all the others; also return the shown one's probability over the plane."""
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
    # In float64, so that rounding moves no seed across a limit; a GPU would not be faster for these.
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
              "network gets the two coordinates of a point and has to say on which circle it lies. It learns from the "
              f"first {len(train)} points, as in tutorials; they are in random order, so this is a random choice. The "
              f"last {len(test)}, the test points, are held out to see whether it learned the circles or only the "
              "points. Other splits change the figures below by a few hundredths.")  # fmt: skip
    inner, inner_test = int(train.targets.sum()), int(test.targets.sum())
    rows = [
        ("train", len(train) - inner, inner, len(train)),
        ("test", len(test) - inner_test, inner_test, len(test)),
    ]
    story.table("Points", ("part", *RINGS, "total"), rows)

    def draw() -> Any:
        from pellucid.plots.boundary import scatter

        panels = {
            f"{name}, {len(part)} points": (part.inputs, part.targets[:, 0].astype(int))
            for name, part in _parts(train, test)
        }
        return scatter(panels, RINGS)

    story.draw("data", draw, "The points; no straight line separates the two circles.")
    return max(inner_test, len(test) - inner_test) / len(test)


def _tell_networks(story: Story, network: Network, choice: _Choice, activation: str) -> None:
    story.heading("Two networks")
    story.say(f"Both networks have the shape {shape_of(network)}, {network.n_trainable:,} weights and biases, and "
              f"start from the same numbers (seed {choice.seed}). One has no activation: it only multiplies and adds, "
              "and sums of sums are again sums, so the boundary of all its layers together is one straight line. The "
              f"other has {activation} after each hidden layer.")  # fmt: skip
    plan = choice.plan
    story.say(f"Both are trained with binary cross-entropy and Adam (learning rate {plan.learning_rate:g}) for "
              f"{plan.epochs:,} epochs. The last layer gives a logit; the sigmoid turns it into a probability, and "
              "above 0.5 the answer is the inner ring. The weights of the last epoch are kept: the test points choose "
              "nothing.")  # fmt: skip


def _tell_training(story: Story, networks: dict[str, Trained], epochs: int) -> None:
    story.say("The loss should fall and the accuracy, the share of right answers, should rise; guessing reaches about "
              "0.5.")  # fmt: skip
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
    story.say("A confusion matrix counts the test points by actual ring (rows) and predicted ring (columns); right "
              "answers are on the diagonal.")  # fmt: skip
    story.draw("confusion", lambda: _draw_confusion(names, trained), "Test points by actual and predicted ring.")
    linear, bent = trained
    if linear.test <= majority:
        story.say(f"Always answering the more common ring would have an accuracy of {majority:.2f} on the test points; "
                  f"the linear network has {linear.test:.2f}. {_why_so_low(linear, train)}No line separates the outer "
                  "circle from the inner one.")  # fmt: skip
    else:
        story.say(f"The linear network has an accuracy of {linear.test:.2f} on the test points; always answering the "
                  f"more common ring would have {majority:.2f}: a line can cut off a part of the outer ring, and no "
                  "more.")  # fmt: skip
    wrong = int(bent.confusion.sum() - np.trace(bent.confusion))
    story.say(f"The network {names[1]} is wrong on {wrong} of {int(bent.confusion.sum())} test points.")


def _why_so_low(linear: Trained, train: Rows) -> str:
    """Where the linear network hardly separates anything: its answers, and the counts that explain its accuracy."""
    low, high = linear.reach
    if high - low > 0.2:
        return ""
    said = (f"It hardly separates anything: its probability of the inner ring is between {low:.2f} and {high:.2f} for "
            f"every training point, and its train loss, {linear.lines[-1].losses['train']:.3f}, is close to 0.693, the "
            "loss of answering 0.5 to everything. ")  # fmt: skip
    learned = np.bincount(train.targets[:, 0].astype(int), minlength=2)  # [2] training points of each ring
    truth, answers = linear.confusion.sum(axis=1), linear.confusion.sum(axis=0)
    usual, n = int(answers.argmax()), int(truth.sum())
    hits = int(linear.confusion[usual, usual])
    said += f"It answers {RINGS[usual]} for {answers[usual]} of the {n} test points and is right on {hits} of them. "
    if learned[usual] > learned[1 - usual] and truth[usual] < truth[1 - usual]:
        said += (f"The reason: of the {len(train)} training points {learned[usual]} lie on the {RINGS[usual]}, which "
                 f"is the majority; of the {n} test points only {truth[usual]} do, the minority. ")  # fmt: skip
    return said + ("This is not bad luck with the initial weights, as the seeds below show. " if _agree(linear) else "")


def _agree(trained: Trained) -> bool:
    """Whether several seeds were tried and all reached the same test accuracy to within two test points."""
    return len(trained.accuracies) > 1 and bool(np.ptp(trained.accuracies) < ALIKE)


def _draw_confusion(names: tuple[str, str], trained: tuple[Trained, Trained]) -> Any:
    from pellucid.plots.confusion import confusion_matrices

    panels = {f"{name}: {t.test:.2f} right": t.confusion for name, t in zip(names, trained, strict=True)}
    return confusion_matrices(panels, RINGS)


def _tell_boundaries(story: Story, grids: dict[str, tuple[Array, Array, Array]], train: Rows, test: Rows) -> None:
    story.heading("The decision boundary of each network")
    story.say("Each network is evaluated at 200 × 200 points of the plane. The colour is its probability of the inner "
              "ring; on the black line it is 0.5, and the answer changes.")  # fmt: skip

    def draw() -> Any:
        from pellucid.plots.boundary import decision_boundaries

        parts = {name: (part.inputs, part.targets[:, 0].astype(int)) for name, part in _parts(train, test)}
        return decision_boundaries(grids, parts, RINGS)

    story.draw("boundaries", draw, "The decision boundary of each network; hollow marks are training points, filled "
               "ones test points.")  # fmt: skip


def _parts(train: Rows, test: Rows) -> tuple[tuple[str, Rows], tuple[str, Rows]]:
    return ("train", train), ("test", test)


def _tell_seeds(story: Story, names: tuple[str, str], linear: Trained, bent: Trained, choice: _Choice) -> float:
    n = choice.seeds
    story.heading("How lucky was the seed?")
    again = "once each, from seed 0" if n == 1 else f"{n:,} times each, from the seeds 0 to {n - 1:,}"
    story.say(f"So far the initial weights came from one seed, {choice.seed}. Here both networks are trained again on "
              f"the same points, {again}; nothing else differs. If the results are far apart, one run tells little. "
              "After each share comes Wilson's 95 % confidence interval for the share among all possible seeds."
              )  # fmt: skip
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
            title="The same network from other initial weights",
        )

    story.draw("seeds", draw, "Test accuracy of each seed; the lines mark poor, good, and the run shown above.")
    if _agree(linear):
        least, most = f"{linear.accuracies.min():.2f}", f"{linear.accuracies.max():.2f}"
        where = least if least == most else f"{least} to {most}"
        story.say(f"All {n:,} seeds of the linear network end at {where}: wherever it starts, it finds "
                  f"{'' if least == most else 'nearly '}the same line.")  # fmt: skip
    below, above = float((bent.accuracies < bent.test).mean()), float((bent.accuracies > bent.test).mean())
    shown = f"The run shown, seed {choice.seed} with test accuracy {bent.test:.2f}, "
    if n < ENOUGH:
        story.say(f"{shown}is compared with {counted(n, 'seed')} with {bent.accuracies.min():.2f} to "
                  f"{bent.accuracies.max():.2f}: too few to say whether it is a lucky one.")  # fmt: skip
    else:
        story.say(f"{shown}did better than {100 * below:.0f} % of these seeds, worse than {100 * above:.0f} %, and as "
                  f"well as the rest: {_luck(below, above)}")  # fmt: skip
    return below


def _luck(below: float, above: float) -> str:
    place = (1 + below - above) / 2  # its rank from 0 to 1, in the middle of those with the same accuracy
    if 0.25 < place < 0.75:
        return "it is an ordinary one."
    return f"it is one of the {'lucky' if place >= 0.75 else 'unlucky'} ones, not a typical one."


def _close(story: Story, result: Circles, choice: _Choice, hidden: tuple[int, ...], activation: str) -> None:
    bent, linear = result.bent, result.linear
    begin = f"Without activations the boundary is always a line (test accuracy {linear.test:.2f}); with {activation} "
    begin += f"the seed shown ends at {bent.test:.2f}, "
    good, poor = (round(share.value * choice.seeds) for share in (bent.good, bent.poor))
    n, low = choice.seeds, 100 * bent.good.low
    if n == 1:
        end = (f"and the one seed tried {'reaches' if good else 'does not reach'} {GOOD:.2f}, which says little about "
               "the others: judge a network by many seeds.")  # fmt: skip
    elif bent.good.low >= 0.9:
        who = f"all {n:,} seeds tried reach" if good == n else f"{good:,} of {n:,} seeds reach"
        end = f"and {who} {GOOD:.2f}: at this width the initial weights matter little."
    elif good == n:
        end = (f"and all {n:,} seeds tried reach {GOOD:.2f}, which shows only that at least {low:.0f} % of all "
               "seeds should (95 % interval).")  # fmt: skip
    else:
        end = (f"while {good:,} of {n:,} seeds reach {GOOD:.2f} and {poor:,} stay below {POOR:.2f}: judge a network "
               "by many seeds, not by one.")  # fmt: skip
    wider = "pellucid study circles --hidden 32,32"
    story.close(learned=begin + end, try_next=wider if max(hidden) < 32 else "pellucid study xor")


def _share(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.0f} % ({100 * estimate.low:.0f} – {100 * estimate.high:.0f} %)"
