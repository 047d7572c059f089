"""A network that memorises, and four remedies: chosen epoch, dropout, weight decay, early stopping; and all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from pellucid.engines.textbook.activations import sigmoid
from pellucid.errors import SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.network import mlp
from pellucid.studies.learning import at_least
from pellucid.studies.spread import mean_interval, side, span, too_few
from pellucid.studies.story import Story
from pellucid.studies.tables.remedies import (
    ALL,
    CHOSEN,
    DECAY,
    DROPOUT,
    EARLY,
    MEMORISES,
    RATE,
    TEST,
    Remedy,
    Run,
    Way,
    draw_rows,
    gathered,
    network_of,
    rule_of,
    swapped_rows,
    train,
)  # fmt: skip
from pellucid.studies.wording import listed
from pellucid.training.loop import Rows

__all__ = ["Overfitting", "study"]

SHOWN = 150  # test rows in a picture


@dataclass(frozen=True, kw_only=True)
class Overfitting:
    """The figures of the study.

    Attributes
    ----------
    ceiling
        The highest test accuracy to be expected: 1 minus the share of swapped labels, which nobody can predict.
    lines
        Of the first draw, for each way of training: ``(epoch, train loss, validation loss)``.
    """

    ceiling: float
    remedies: tuple[Remedy, ...]
    lines: Mapping[str, tuple[tuple[int, float, float], ...]]

    def __getitem__(self, name: str) -> Remedy:
        """The remedy of this name."""
        return next(each for each in self.remedies if each.name == name)


def study(
    story: Story,
    *,
    rows: Annotated[int, "number of training rows, and of validation rows"] = 60,
    noise: Annotated[float, "share of swapped labels, below 0.5"] = 0.1,
    hidden: Annotated[tuple[int, ...], "widths of the hidden layers"] = (64, 64, 64),
    epochs: Annotated[int, "passes over the training rows"] = 400,
    seeds: Annotated[int, "number of draws of the data, each with its own initial weights"] = 6,
    dropout: Annotated[float, "share of hidden units dropped in training"] = 0.5,
    weight_decay: Annotated[float, "of AdamW"] = 3.0,
    patience: Annotated[int, "epochs without a better validation loss before training stops"] = 30,
    seed: Annotated[int, "of the first draw; the others use the following numbers"] = 500,
) -> Overfitting:
    """Show how a large network memorises a few rows, and what each remedy does about it.

    Raises
    ------
    SettingError
        A setting breaks its rule.
    """
    at_least("rows", rows, 4)
    at_least("epochs", epochs, 2)
    at_least("seeds", seeds, 2)
    at_least("patience", patience, 1)
    at_least("seed", seed, 0)
    if not 0 <= noise < 0.5:
        raise SettingError(f"noise must be at least 0 and below 0.5, a share of the labels, got {noise!r}")
    if not hidden:
        raise SettingError("hidden must have at least one width, such as 128,128: a linear model cannot memorise")
    for name, value in (("dropout", dropout), ("weight_decay", weight_decay)):
        if not value > 0:
            raise SettingError(f"{name} must be above 0 here, as it is one of the remedies: got {value!r}")
    ways = {
        MEMORISES: Way(),
        DROPOUT: Way(dropout=dropout),
        DECAY: Way(weight_decay=weight_decay),
        EARLY: Way(patience=patience),
        ALL: Way(dropout=dropout, weight_decay=weight_decay, patience=patience),
    }
    for way in ways.values():  # raises before anything is told
        network_of(hidden, way), rule_of(way)

    _tell_setting(story, rows, noise, hidden, epochs)
    runs = [
        {name: train(way, hidden, rows, noise, epochs, draw, watch=draw == seed) for name, way in ways.items()}
        for draw in range(seed, seed + seeds)
    ]
    _tell_memorising(story, runs[0][MEMORISES], rows, swapped_rows(rows, noise, seed))
    _tell_remedies(story, ways[ALL])
    remedies = gathered(runs)
    result = Overfitting(
        ceiling=1 - noise,
        remedies=remedies,
        lines={name: tuple((a.epoch, a.losses["train"], a.losses["validation"]) for a in run.lines)
               for name, run in runs[0].items()},
    )  # fmt: skip
    _tell_result(story, result, runs[0], draw_rows(rows, noise, seed), seeds)
    return result


# ── telling ──


def _tell_setting(story: Story, rows: int, noise: float, hidden: tuple[int, ...], epochs: int) -> None:
    story.heading("Few rows, wrong labels, a large network")
    swapped = (
        f"In all three sets, the label of each row is swapped with a probability of {100 * noise:g} %, so no network "
        f"can be expected to be right on more than {100 * (1 - noise):g} % of new rows."
        if noise
        else "No label is swapped."
    )
    n = mlp(2, hidden, 1).n_trainable
    story.say(
        f"The data are two moons: {rows} training rows, {rows} for validation and {TEST:,} for the test. {swapped} The "
        f"network, 2 → {' → '.join(map(str, hidden))} → 1, has {n:,} weights, {n / rows:,.0f} for each training row. "
        f"It is trained for {epochs} epochs, each one step of AdamW on all training rows (learning rate {RATE:g})."
    )
    story.say(
        "Watch two losses. The training loss shows how well the network fits the rows that it learns from; the "
        "validation loss, on rows that it never learns from, shows what that is worth on new rows."
    )


def _tell_memorising(story: Story, run: Run, rows: int, swapped: int) -> None:
    story.heading("What memorising looks like")
    last, best = run.last, run.kept
    at = {0, 1, best.epoch, last.epoch, last.epoch // 4, last.epoch // 2}
    story.table(
        "No remedy, first draw",
        ("epoch", "train loss", "validation loss", "train accuracy", "validation accuracy"),
        [
            (a.epoch, a.losses["train"], a.losses["validation"], a.scores["train"], a.scores["validation"])
            for a in run.lines
            if a.epoch in at
        ],
    )
    lowest, end = best.losses["validation"], last.losses["validation"]
    learned = f"In the end the network is right on {100 * last.scores['train']:.0f} % of the training rows"
    if swapped:
        heart = ": it has memorised them" * (last.scores["train"] > 1 - swapped / rows / 2)
        learned += f", with {swapped} of these {rows} labels swapped{heart}."
    else:
        learned += "; none of their labels is swapped."
    if end > 1.05 * lowest:
        learned += (
            f" The validation loss was lowest after epoch {best.epoch}, at {lowest:.2f}; then it rose to {end:.2f}"
        )
        fell = last.losses["train"] < best.losses["train"]
        learned += (
            ", while the training loss went on falling. The network grows more and more confident in patterns that "
            "hold only for its training rows."
            if fell
            else f"; the training loss did not fall further either ({best.losses['train']:.2f} and "
            f"{last.losses['train']:.2f}), so the steps may be too large to settle."
        )
    else:
        learned += f" The validation loss did not rise: {lowest:.2f} at its lowest, {end:.2f} at the end."
    story.say(learned)


def _tell_remedies(story: Story, way: Way) -> None:
    story.heading("The remedies")
    story.table(
        "Four remedies, and all together",
        ("remedy", "what it does"),
        [
            (CHOSEN, "train to the end, then restore the weights of the epoch with the lowest validation loss"),
            (DROPOUT, f"set a random {100 * way.dropout:g} % of the hidden units to 0 at each training step"),
            (
                DECAY,
                f"pull every weight towards 0 at each step, by {100 * RATE * way.weight_decay:g} % (AdamW, "
                f"{way.weight_decay:g} times the learning rate)",
            ),
            (EARLY, f"stop after {way.patience} epochs without a lower validation loss; keep the best weights"),
            (ALL, "dropout, weight decay and early stopping at once"),
        ],
    )
    story.say(
        "A chosen epoch and early stopping use the validation rows, so the score on these rows is no longer an honest "
        "estimate. The test rows choose nothing: they are used once, at the end."
    )


def _tell_result(
    story: Story, result: Overfitting, first: Mapping[str, Run], drawn: Mapping[str, Rows], seeds: int
) -> None:
    from pellucid.plots import boundary, curves, spread

    story.heading(f"What each remedy did, over {seeds} draws of the data")
    story.draw(
        "losses",
        lambda: _same_length(curves.curve_panels(
            _panels(result.lines, first), y_label="loss (BCE)", columns=3,
            title="Training and validation loss, first draw",
        )),
        "The dot marks the epoch whose weights were kept: the last one, or the one with the lowest validation loss.",
    )  # fmt: skip
    story.table(
        f"Means over {seeds} draws; test figures with 95 % intervals",
        ("remedy", "train acc.", "test acc.", "interval", "gap", "test loss", "interval of the loss", "run", "kept"),
        [
            (
                r.name,
                f"{r.train_accuracy.value:.3f}",
                f"{r.test_accuracy.value:.3f}",
                span(r.test_accuracy),
                f"{r.gap.value:.3f}".replace("-", "−"),
                f"{r.test_loss.value:.2f}",
                span(r.test_loss, 2),
                f"{r.epochs_run:.0f}",
                f"{r.epoch_kept:.0f}",
            )
            for r in result.remedies
        ],
    )
    story.say("“run” is the number of epochs trained, “kept” the epoch whose weights were tested.")
    story.table(
        "Gain over no remedy on the same draw",
        ("remedy", "test accuracy", "95 % interval", "test loss saved", "95 % interval", "accuracy", "loss"),
        [
            (
                r.name,
                r.gain.value,
                span(r.gain, signed=True),
                r.loss_saved.value,
                span(r.loss_saved, 2, signed=True),
                _judged(r.gain, seeds),
                _judged(r.loss_saved, seeds),
            )
            for r in result.remedies[1:]
        ],
    )
    if too_few(seeds, "draws"):
        story.say(too_few(seeds, "draws"))
    story.draw(
        "accuracy",
        lambda: spread.intervals(
            {r.name: r.test_accuracy for r in result.remedies}, x_label="test accuracy", reference=result.ceiling,
            title=f"Mean of {seeds} draws, 95 % interval",
        ),
        f"The dotted line is {result.ceiling:g}, the highest accuracy that can be expected with these labels.",
    )  # fmt: skip
    xx, yy, grid = boundary.grid_over(drawn["train"].inputs, steps=120)
    few = drawn["test"].take(np.arange(SHOWN))
    shown = {MEMORISES: first[MEMORISES], DECAY: first[DECAY], ALL: first[ALL]}
    story.draw(
        "boundaries",
        lambda: boundary.decision_boundaries(
            {name: (xx, yy, sigmoid(run.engine.logits(grid)[:, 0]).reshape(xx.shape)) for name, run in shown.items()},
            {name: (rows.inputs, rows.targets[:, 0].astype(int)) for name, rows in (("test", few),
                                                                                  ("training", drawn["train"]))},
            ("first moon", "second moon"),
            title=f"Decision regions, first draw, with the training rows and {SHOWN} of the test rows",
        ),
        "Filled marks are training rows, hollow ones test rows. Islands "
        "around single rows are memorised labels; a smooth boundary generalises better to new rows.",
    )  # fmt: skip
    _close(story, result, seeds)


def _close(story: Story, result: Overfitting, seeds: int) -> None:
    none = result[MEMORISES]
    others = result.remedies[1:]
    saves = [r.name for r in others if side(r.loss_saved, seeds) > 0]
    gains = [r.name for r in others if side(r.gain, seeds) > 0]
    harms = [r.name for r in others if side(r.gain, seeds) < 0]
    rest = [r.name for r in others if r.name not in (*gains, *harms)]
    learned = (
        f"With no remedy the network was right on {100 * none.train_accuracy.value:.0f} % of its training rows and "
        f"{100 * none.test_accuracy.value:.0f} % of new ones. "
        + (f"The test loss was lower with {listed(saves)}. " if saves else "No remedy clearly lowered the test loss. ")
        + (f"The accuracy was higher with {listed(gains)}" if gains else "No remedy clearly raised the accuracy")
        + (f"; for {listed(rest)} these draws are not conclusive" if gains and rest else "")
        + (f"; it was lower with {listed(harms)}" if harms else "")
        + f". {_highest(others, seeds)}"
    )
    story.close(learned=learned, try_next="pellucid study overfitting --rows 1000")


def _highest(others: Sequence[Remedy], seeds: int) -> str:
    """Which remedy or remedies had the highest test accuracy, and whether all of them together did worse."""
    top = max(r.test_accuracy.value for r in others)
    best = [r for r in others if top - r.test_accuracy.value < 1e-9]
    together = next(r for r in others if r.name == ALL)
    said = f"Highest on average {'was' if len(best) == 1 else 'were'} {listed([r.name for r in best])}, "
    said += f"{100 * top:.1f} %{' each' if len(best) > 1 else ''}"
    if together in best:
        return f"{said}."
    lead = mean_interval([a - b for a, b in zip(best[0].accuracies, together.accuracies, strict=True)])
    said += f"; all remedies together reached {100 * together.test_accuracy.value:.1f} %"
    if side(lead, seeds) > 0:
        return f"{said}, less on the same draws ({span(lead, signed=True)}): more remedies at once need not help more."
    return f"{said}, not clearly different on these draws (interval of the difference {span(lead, signed=True)})."


def _panels(
    lines: Mapping[str, tuple[tuple[int, float, float], ...]], first: Mapping[str, Run]
) -> list[tuple[str, dict[str, tuple[list[float], list[float]]]]]:
    panels = []
    for name in (MEMORISES, CHOSEN, DROPOUT, DECAY, EARLY, ALL):
        trained = MEMORISES if name == CHOSEN else name
        epochs, train, validation = (list(map(float, column)) for column in zip(*lines[trained], strict=True))
        run = first[trained]
        kept = (run.last if name in (MEMORISES, DROPOUT, DECAY) else run.kept).epoch
        mark = ([float(kept)], [validation[kept]])
        panels.append((name, {"training": (epochs, train), "validation": (epochs, validation), "kept": mark}))
    return panels


def _same_length(figure: Any) -> Any:
    """Give all panels the longest epoch axis, so that early stopping is visible as a shorter curve."""
    longest = max(axis.get_xlim()[1] for axis in figure.axes)
    for axis in figure.axes:
        axis.set_xlim(-0.02 * longest, longest)
    return figure


def _judged(difference: Estimate, seeds: int) -> str:
    """In words, whether the interval of a difference excludes 0."""
    return ("unclear", "better", "worse")[side(difference, seeds)]
