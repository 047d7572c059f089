"""Training a network with one remedy against overfitting or with several, draw by draw (for `overfitting`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DivergenceError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.network import Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.studies.learning import Line, measure
from pellucid.studies.spread import mean_interval
from pellucid.training.engine import Engine, make_engine
from pellucid.training.history import Epoch
from pellucid.training.loop import Plan, Rows, fit

__all__ = [
    "ALL", "CHOSEN", "DECAY", "DROPOUT", "EARLY", "MEMORISES", "RATE", "TEST", "Remedy", "Run", "Way", "draw_rows",
    "gathered", "network_of", "rule_of", "swapped_rows", "train",
]  # fmt: skip

Array = NDArray[Any]

TEST, RATE = 2_000, 0.02
LOSS = Loss(name="bce")
MEMORISES, CHOSEN, DROPOUT, DECAY, EARLY, ALL = (
    "no remedy",
    "chosen epoch",
    "dropout",
    "weight decay",
    "early stopping",
    "all together",
)


@dataclass(frozen=True, kw_only=True)
class Remedy:
    """One way of training, over all draws of the data; each estimate is a mean with a 95 % interval over draws.

    Attributes
    ----------
    epochs_run, epoch_kept
        The number of epochs trained, and the epoch whose weights were kept (means).
    gap
        Training accuracy minus test accuracy.
    gain, loss_saved
        How much higher the test accuracy is, and how much lower the test loss, than with no remedy on the same draw.
    accuracies
        On the test rows of each draw.
    """

    name: str
    train_accuracy: Estimate
    test_accuracy: Estimate
    test_loss: Estimate
    gap: Estimate
    epochs_run: float
    epoch_kept: float
    gain: Estimate
    loss_saved: Estimate
    accuracies: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Way:
    """How one network is trained."""

    dropout: float = 0.0
    weight_decay: float = 0.0
    patience: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """One trained network, measured with the kept weights and with the last ones.

    The engine holds the last weights, or the kept ones if training stopped early.
    """

    kept: Line
    last: Line
    epochs_run: int
    lines: tuple[Line, ...]
    engine: Engine


def draw_rows(rows: int, noise: float, draw: int) -> dict[str, Rows]:
    """Training, validation and test rows: two moons, with a share of the labels swapped in all three."""
    from sklearn.datasets import make_moons

    parts = {}
    for i, (name, n) in enumerate({"train": rows, "validation": rows, "test": TEST}.items()):
        seed = 3 * draw + i
        points, classes = make_moons(n, noise=0.15, random_state=seed)
        swapped = np.random.default_rng([seed, 1]).random(n) < noise
        targets = np.where(swapped, 1 - classes, classes).astype(np.float64)[:, None]
        parts[name] = Rows(inputs=(points - [0.5, 0.25]) / [0.87, 0.5], targets=targets)  # the moons' own mean and size
    return parts


def swapped_rows(rows: int, noise: float, draw: int) -> int:
    """The number of training rows of a draw with a swapped label; by chance it may be 0."""
    given, true = (draw_rows(rows, each, draw)["train"].targets for each in (noise, 0.0))
    return int((given != true).sum())


def network_of(hidden: tuple[int, ...], way: Way) -> Network:
    """Two columns in, one logit out."""
    return mlp(2, hidden, 1, dropout=way.dropout)


def rule_of(way: Way) -> Optimizer:
    """AdamW with this way's weight decay."""
    return Optimizer(name="adamw", weight_decay=way.weight_decay)


def train(
    way: Way, hidden: tuple[int, ...], rows: int, noise: float, epochs: int, draw: int, *, watch: bool = False
) -> Run:
    """Train on the rows of one draw, full batch; the test rows are measured once, at the end.

    Parameters
    ----------
    way
        Dropout, weight decay and patience.
    hidden
        Widths of the hidden layers.
    rows, noise
        Number of training rows (and of validation rows), and the share of swapped labels; see `draw_rows`.
    epochs
        Passes over the training rows; fewer where early stopping ends training.
    draw
        Number of the draw: seeds the data and the initial weights.
    watch
        Whether to record the training and validation losses of every epoch.

    Raises
    ------
    DivergenceError
        A loss was not finite.
    """
    from pellucid.engines.device import use_threads

    use_threads(1)
    parts = draw_rows(rows, noise, draw)
    network = network_of(hidden, way)
    engine = make_engine("torch", network, LOSS, rule_of(way), initialise(network, draw), device="cpu")
    watched = {name: parts[name] for name in ("train", "validation")}
    lines = [measure(engine, watched, 0)]
    last: list[Line] = []
    weights: list[dict[str, Array]] = []

    def write_down(epoch: Epoch) -> None:
        if watch:
            lines.append(measure(engine, watched, epoch.epoch))
        if way.patience is None and epoch.epoch == epochs:
            last.append(measure(engine, parts, epoch.epoch))
            weights.append(engine.parameters())

    plan = Plan(learning_rate=RATE, batch_size=rows, epochs=epochs, patience=way.patience, keep="best", seed=draw)
    outcome = fit(engine, parts["train"], parts["validation"], plan, on_epoch=write_down)
    if outcome.problem is not None:
        raise DivergenceError(outcome.problem)
    kept = measure(engine, parts, outcome.best_epoch)
    if way.patience is None:
        engine.load_parameters(weights[0])
        return Run(kept=kept, last=last[0], epochs_run=epochs, lines=tuple(lines), engine=engine)
    return Run(kept=kept, last=kept, epochs_run=len(outcome.history), lines=tuple(lines), engine=engine)


def gathered(runs: list[dict[str, Run]]) -> tuple[Remedy, ...]:
    """Summarise each remedy over all draws.

    Dropout and weight decay alone use the last weights; the remedies that choose an epoch use its weights.
    """
    lines = {
        MEMORISES: [(run[MEMORISES].last, run[MEMORISES].epochs_run) for run in runs],
        CHOSEN: [(run[MEMORISES].kept, run[MEMORISES].epochs_run) for run in runs],
        **{name: [(run[name].last, run[name].epochs_run) for run in runs] for name in (DROPOUT, DECAY, EARLY, ALL)},
    }
    accuracy = {k: np.array([line.scores["test"] for line, _ in each]) for k, each in lines.items()}
    loss = {k: np.array([line.losses["test"] for line, _ in each]) for k, each in lines.items()}
    learned = {k: np.array([line.scores["train"] for line, _ in each]) for k, each in lines.items()}
    return tuple(
        Remedy(
            name=name,
            train_accuracy=mean_interval(learned[name], within=(0, 1)),
            test_accuracy=mean_interval(accuracy[name], within=(0, 1)),
            test_loss=mean_interval(loss[name], within=(0, np.inf)),
            gap=mean_interval(learned[name] - accuracy[name]),
            epochs_run=float(np.mean([run for _, run in each])),
            epoch_kept=float(np.mean([line.epoch for line, _ in each])),
            gain=mean_interval(accuracy[name] - accuracy[MEMORISES]),
            loss_saved=mean_interval(loss[MEMORISES] - loss[name]),
            accuracies=tuple(accuracy[name].tolist()),
        )
        for name, each in lines.items()
    )
