"""The lesson on regularisation: learning without memorising."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.engine import TextbookEngine
from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.engines.textbook.optimizers import update
from pellucid.lessons.question import Question, choose, number
from pellucid.lessons.writing import in_brackets, pick, vector
from pellucid.network import Dropout, Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.studies.story import Story, shown
from pellucid.studies.wording import counted, listed
from pellucid.training.history import Epoch
from pellucid.training.loop import Plan, Rows, fit
from pellucid.training.stopping import EarlyStopping

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["questions", "tell"]

Array = NDArray[Any]

BCE = Loss(name="bce")
COLUMNS, FLIPPED = 10, 0.15
TRAIN, VALIDATION, TEST = 120, 60, 2_000
EPOCHS, RATE, DRAWS = 150, 0.02, 3


@dataclass(frozen=True, kw_only=True)
class _Remedy:
    """How a network is kept from memorising; the defaults do nothing."""

    hidden: int = 32
    decay: float = 0.0
    dropout: float = 0.0
    patience: int | None = None


REMEDIES = {
    "nothing": _Remedy(),
    "weight decay": _Remedy(decay=2.0),
    "dropout": _Remedy(dropout=0.5),
    "early stopping": _Remedy(patience=20),
    "a small network": _Remedy(hidden=2),
}


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """Accuracy in per cent on training and test rows, the test loss, and epochs run; means over the draws."""

    train: float
    test: float
    loss: float
    epochs: float


def tell(story: Story) -> None:
    """Tell what overfitting is and what helps."""
    _tell_overfitting(story)
    outcomes = _tell_remedies(story)
    plain = outcomes["nothing"]
    better = [name for name, each in outcomes.items() if each.test > plain.test]
    story.close(
        learned=f"Without a remedy, the network got {shown(plain.train)} % of its training rows right, but "
        f"{shown(plain.test)} % of the test rows. "
        + (f"Better on the test rows: {listed(better)}." if better else "No remedy helped here."),
        try_next="pellucid study overfitting",
    )


def _tell_overfitting(story: Story) -> None:
    story.heading("Memorised, or understood?")
    story.say(
        "A network with many weights can memorise its training rows, including noise and errors, and still predict "
        "badly for new rows. This is called overfitting. It cannot be seen on the training rows, so others are held "
        "out: validation rows for choices, such as when to stop, and test rows that are used once, at the very end."
    )
    story.say(
        f"Our rows have {COLUMNS} columns, of which only two matter: the class is 1 if their sum is above zero. Of all "
        f"classes {shown(100 * FLIPPED)} % are flipped, like errors in real data, so no model can be right for more "
        f"than about {shown(100 * (1 - FLIPPED))} % of new rows. The network {COLUMNS} → "
        f"{REMEDIES['nothing'].hidden} → 1 sees {TRAIN} of them."
    )
    engine, history = _train(_Remedy(), 0)
    at = [e for e in (1, 10, 20, 40, 80, EPOCHS) if e <= len(history)]
    story.table(
        f"One network, {EPOCHS} epochs",
        ("loss after epoch", *(f"{e}" for e in at)),
        [
            ("training rows", *(history[e - 1].train_loss for e in at)),
            ("validation rows", *(history[e - 1].validation_loss for e in at)),
        ],
    )
    best = min(history, key=lambda each: each.validation_loss).epoch
    story.draw("network", lambda: _draw_network(engine), "The trained network: its strongest weights, blue above zero.")
    story.draw(
        "losses",
        lambda: _draw_losses(history),
        f"The loss after each epoch; on the validation rows it is lowest after epoch {best}.",
    )
    rises = history[-1].validation_loss > 1.1 * history[best - 1].validation_loss
    story.say(
        f"The validation loss is lowest after epoch {best}. "
        + ("After that it rises while the training loss keeps falling: this is what overfitting looks like."
           if rises and history[-1].train_loss < history[best - 1].train_loss
           else "It does not rise much afterwards: this network hardly overfits.")
    )  # fmt: skip


def _draw_network(engine: TextbookEngine) -> Figure:
    from pellucid.plots.architecture import network_drawing

    hidden, weights = REMEDIES["nothing"].hidden, engine.parameters()
    headings = [f"{COLUMNS} columns", f"{hidden} hidden", "answer"]
    return network_drawing(headings, [COLUMNS, hidden, 1], [weights["0.weight"], weights["2.weight"]], [])


def _draw_losses(history: tuple[Epoch, ...]) -> Figure:
    from pellucid.plots.curves import curves

    epochs = [each.epoch for each in history]
    series = {
        "training rows": (epochs, [each.train_loss for each in history]),
        "validation rows": (epochs, [each.validation_loss for each in history]),
    }
    return curves(series, title="One network, no remedy against overfitting", y_label="loss (binary cross-entropy)")


def _tell_remedies(story: Story) -> dict[str, _Outcome]:
    story.heading("Four remedies")
    decay, rate = REMEDIES["weight decay"].decay, REMEDIES["dropout"].dropout
    patience = REMEDIES["early stopping"].patience
    story.say(
        "Weight decay shrinks every weight a little at each step, w ← w − η · λ · w, so that only weights that "
        f"many rows need stay large (λ = {shown(decay)} here). Dropout sets a random share of the hidden "
        f"numbers to zero at each training step ({shown(100 * rate)} % here), so that no neuron can rely on a certain "
        "other one; those that remain are divided by the share that remains, and at prediction nothing is dropped. "
        "Early stopping keeps the weights of the epoch with the lowest validation loss, and stops when no later epoch "
        f"has been lower for {patience} epochs, the patience. A small network has less capacity to memorise. All this "
        "is called regularisation."
    )
    outcomes = {name: _measure(remedy) for name, remedy in REMEDIES.items()}
    story.table(
        f"Means of {counted(DRAWS, 'draw')} of rows and initial weights; {TEST:,} test rows",
        ("remedy", "training rows right, %", "test rows right, %", "gap", "test loss", "epochs"),
        [(name, o.train, o.test, o.train - o.test, o.loss, o.epochs) for name, o in outcomes.items()],
    )
    plain = outcomes.pop("nothing")
    calmer = [name for name, each in outcomes.items() if each.loss < plain.loss]
    gap = min(outcomes, key=lambda name: outcomes[name].train - outcomes[name].test)
    story.say(
        f"The gap between training and test rows is smallest with {gap}. "
        + (f"A lower test loss than without a remedy: {listed(calmer)}. " if calmer else "None lowered the loss. ")
        + "The loss tells more than the accuracy: it penalises confident mistakes. With other rows the order may "
        "differ, so compare remedies on validation rows."
    )
    return {"nothing": plain, **outcomes}


def _rows(n: int, seed: int) -> Rows:
    """Normal columns; the class is 1 if the first two add up to more than zero, and a share of classes is flipped."""
    generator = np.random.default_rng([8, seed])
    x = generator.normal(size=(n, COLUMNS))
    y = x[:, 0] + x[:, 1] > 0
    y ^= generator.random(n) < FLIPPED
    return Rows(inputs=x, targets=y.astype(float)[:, None])


def _train(remedy: _Remedy, draw: int) -> tuple[TextbookEngine, tuple[Epoch, ...]]:
    network = mlp(COLUMNS, [remedy.hidden], 1, dropout=remedy.dropout)
    rule = Optimizer(name="adamw", weight_decay=remedy.decay)
    engine = TextbookEngine(network, BCE, rule, initialise(network, draw))
    plan = Plan(
        learning_rate=RATE,
        batch_size=TRAIN,
        epochs=EPOCHS,
        patience=remedy.patience,
        keep="last" if remedy.patience is None else "best",
        seed=draw,
    )
    outcome = fit(engine, _rows(TRAIN, 3 * draw), _rows(VALIDATION, 3 * draw + 1), plan)
    return engine, outcome.history


def _measure(remedy: _Remedy) -> _Outcome:
    figures = []
    for draw in range(DRAWS):
        engine, history = _train(remedy, draw)
        train, test = _rows(TRAIN, 3 * draw), _rows(TEST, 3 * draw + 2)
        loss = loss_and_gradient(BCE, engine.logits(test.inputs), test.targets).value
        figures.append((_accuracy(engine, train), _accuracy(engine, test), loss, len(history)))
    train_right, test_right, loss, epochs = np.mean(figures, axis=0).tolist()
    return _Outcome(train=100 * train_right, test=100 * test_right, loss=loss, epochs=epochs)


def _accuracy(engine: TextbookEngine, rows: Rows) -> float:
    return float(((engine.logits(rows.inputs) > 0) == (rows.targets > 0.5)).mean())


# ── questions ──


def questions(generator: np.random.Generator) -> tuple[Question, ...]:
    """Five questions, with answers computed from the numbers that are drawn."""
    return (
        _ask_which_overfits(generator),
        _ask_kept(generator),
        _ask_stopped(generator),
        _ask_dropout(generator),
        _ask_decay(generator),
    )


def _ask_which_overfits(generator: np.random.Generator) -> Question:
    """Four runs by their numbers of correct rows; one has a far larger gap than the others."""
    n = int(pick(generator, (200, 400, 500)))
    low, high = sorted(generator.choice(np.arange(62, 80), 2, replace=False).tolist())
    pairs = [(low, low - 2), (high, high - 3), (98, 95), (int(generator.integers(90, 97)), 71)]
    runs = {
        f"{n * a // 100} of {n} training rows right, {n * b // 100} of {n} test rows": (n * a // 100 - n * b // 100) / n
        for a, b in pairs
    }
    worst = max(runs, key=lambda run: runs[run])
    return choose(
        "Which of these networks overfits most?",
        worst,
        list(runs),
        "The gaps between training and test rows: "
        + "; ".join(f"{shown(100 * gap)} points ({run})" for run, gap in runs.items())
        + ". A low accuracy without a gap is not overfitting: that network has learned too little.",
        generator,
    )


def _validation_losses(generator: np.random.Generator) -> tuple[float, ...]:
    """Losses that fall, rise for one epoch, fall once more and then rise; no two are equal."""
    falls = np.cumsum(generator.integers(3, 9, int(generator.integers(2, 5))))[::-1] / 100
    least = float(generator.integers(30, 41)) / 100
    halt = float(falls[-1]) + 0.01
    rise = np.cumsum(generator.integers(1, 5, 4)) / 100
    values = [*(least + falls), least + halt, least, *(least + rise)]
    return tuple(round(float(value), 2) for value in values)


def _stop(losses: tuple[float, ...], patience: int) -> tuple[int, int]:
    """The epoch whose weights are kept and the last one that is run, counted from 1, by the rule of training."""
    stopping = EarlyStopping(patience=patience)
    for epoch, loss in enumerate(losses):
        stopping = stopping.after(epoch, loss)
        if stopping.is_over:
            return stopping.best_epoch + 1, epoch + 1
    return stopping.best_epoch + 1, len(losses)


def _ask_kept(generator: np.random.Generator) -> Question:
    losses, patience = _validation_losses(generator), int(generator.integers(2, 4))
    kept, _ = _stop(losses, patience)
    return number(
        f"The validation losses after epochs 1, 2, 3 … are {vector(losses)}. Early stopping has a patience of "
        f"{patience}. The weights of which epoch are kept?",
        kept,
        f"The lowest validation loss, {shown(losses[kept - 1])}, is that of epoch {kept}.",
        digits=0,
    )


def _ask_stopped(generator: np.random.Generator) -> Question:
    losses, patience = _validation_losses(generator), int(generator.integers(2, 4))
    kept, last = _stop(losses, patience)
    return number(
        f"In another run they are {vector(losses)}, with a patience of {patience}. After which epoch does training "
        "stop?",
        last,
        f"After epoch {kept} the loss does not come below {shown(losses[kept - 1])} for {patience} epochs: it stops "
        f"after epoch {kept} + {patience} = {last}.",
        digits=0,
    )


def _ask_dropout(generator: np.random.Generator) -> Question:
    rate = float(pick(generator, (0.2, 0.5, 0.6, 0.75)))
    values = generator.integers(1, 9, 4).astype(float)
    stays = int(generator.integers(4))
    mask = np.where(np.arange(4) == stays, 1 / (1 - rate), 0.0)
    given = _dropped(values, rate, mask)
    return number(
        f"A hidden layer outputs {vector(values)}. Dropout with the rate {shown(rate)} keeps only the number at "
        "position "
        f"{stays + 1}. What does it return for this number in training?",
        float(given[stays]),
        f"The share that remains is 1 − {shown(rate)} = {shown(1 - rate)}, and {shown(values[stays])} / "
        f"{shown(1 - rate)} = {shown(float(given[stays]))}. So, over many steps, the sum is the same on "
        "average as without dropout.",
        digits=2,
    )


def _dropped(values: Array, rate: float, mask: Array) -> Array:
    network = Network(inputs=len(values), layers=(Dropout(rate=rate),))
    return np.asarray(forward(network, {}, values[None], training=True, masks=[mask[None]]).logits[0])


def _ask_decay(generator: np.random.Generator) -> Question:
    w = float(pick(generator, (-8, -5, -4, 2, 4, 5, 10)))
    rate, decay = float(pick(generator, (0.1, 0.5))), float(pick(generator, (0.1, 0.2, 0.4)))
    slope = float(pick(generator, (0.0, 1.0, -1.0, 2.0)))
    rule = Optimizer(name="sgd", weight_decay=decay)
    after = float(update(rule, np.array(w), np.array(slope), {}, rate, 1))
    return number(
        f"A weight is {shown(w)} and the slope of the loss there {shown(slope)}; η = {shown(rate)}, weight decay λ = "
        f"{shown(decay)}. What is the weight after one step of gradient descent with weight decay, "
        "w ← w − η · (slope + λ · w)?",
        after,
        f"λ · w = {shown(decay * w)}; {shown(w)} − {shown(rate)}·{in_brackets(slope + decay * w)} = {shown(after)}.",
        digits=2,
    )
