"""Findings about rows and columns: scale, leaks, copies, shift, labels, balance, and whether there is a signal."""

from __future__ import annotations

import numpy as np

from pellucid.diagnosis.evidence import Evidence, Peer
from pellucid.diagnosis.finding import Finding, shown_share
from pellucid.diagnosis.measures import (
    agreement_with_targets,
    contradicted_labels,
    equivalent_columns,
    left_by_each_column,
    nearest_distances,
    neighbour_accuracy,
    shifts,
    within_reach,
)

__all__ = [
    "features_not_scaled",
    "imbalance",
    "leak",
    "majority_collapse",
    "near_copies",
    "neighbours_in_time",
    "no_signal",
    "shared_entities",
    "shifted_rows",
    "too_few_rows",
    "too_small",
    "useless_columns",
    "wrong_labels",
    "wrong_loss",
]  # fmt: skip

_RARE = 0.1
_FEWEST_GRADES = 5  # different whole numbers
_CLEARLY = 0.15  # share of the rows
_TELLS = 0.07  # share of the uncertainty that a column which gives the target away leaves at most
_EASY = 0.12  # where a second column leaves less than that, the table is an easy one
_REAL_GAIN = 0.25  # a share of all that there is to gain
_FEW_ROWS = 40
_CHANCE = 2.33  # standard deviations: one of a hundred networks that know nothing gets as far
_SAME_LOSS = 0.2  # share of the base loss by which training and validation loss may differ
_ONE_SIDE = 1.645 / 1.96  # normal quantiles: 95 % on one side, and in the middle
_MANY_COPIES = 0.08  # of the unseen rows
_ONE_OF_A_KIND = 6  # times as much as it leaves the next best one, where it is not quite so telling


def features_not_scaled(e: Evidence) -> Finding | None:
    """Inputs of very different sizes."""
    spread = e.train.inputs.astype(np.float64).std(axis=0)
    spread = spread[spread > 0]
    if not len(spread) or not (spread.max() > 30 or (len(spread) > 1 and spread.max() / np.median(spread) > 300)):
        return None
    widest = _column_of(e, int(e.train.inputs.astype(np.float64).std(axis=0).argmax()))
    return Finding(
        name="features-not-scaled",
        finding="The inputs are not on one scale.",
        evidence=f"{widest!r} has a standard deviation of {spread.max():.3g}, the median input {np.median(spread):.3g}",
        consequence="one learning rate cannot suit all of them: the largest decides, and the others are hardly heard",
        fix="scale the numbers",
        change={"scaling": "standard"},
    )


def no_signal(e: Evidence) -> Finding | None:
    """The network is no better than an answer that looks at no column, nor is anything else, nor does it follow."""
    against = {o.name: o for o in e.peers}
    dummy = against.get("dummy")
    if dummy is None or not dummy.low <= 0:  # no interval, no claim
        return None
    gain = _REAL_GAIN * (1 - dummy.value if e.classes else dummy.value)
    if len(e.measured.truth) < _FEW_ROWS and dummy.high > gain:  # so few do not tell
        return None
    # What the others are better than the dummy by: o.difference is the network's advantage over them.
    if any(dummy.difference - o.difference > dummy.high - dummy.difference for o in e.peers):
        return None
    # A few rows, or one wild answer, leave the interval wide though the answers follow the target clearly.
    if agreement_with_targets(e.measured.truth, e.measured.answers, classes=len(e.classes)) > _CHANCE:
        return None
    return Finding(
        name="no-signal",
        finding=f"Nothing about {e.target!r} was learned from these columns.",
        evidence=(
            f"on unseen rows the network is better than an answer that looks at no column by {dummy.difference:.3g} "
            f"(95 % {dummy.low:.3g} to {dummy.high:.3g}), no simpler model clearly is, and the network's answers "
            "follow the targets no better than by chance"
        ),
        consequence="its answers are guesses",
        fix="other columns, or more rows; check that target and columns belong to the same row",
    )


def too_small(e: Evidence) -> Finding | None:
    """Gradient boosting or the linear model is clearly better, and the network does not even fit its training rows."""
    if not e.settings["hidden"] or not e.history or not e.n_validation or e.reason == "diverged":
        return None
    narrow = min(e.settings["hidden"])
    better = [o for o in e.peers if o.name != "dummy" and _high(o) < 0]
    gap = float(e.validation_losses[e.best] - e.train_losses[e.best]) / e.base_loss
    if narrow > 4 or narrow >= max(2, len(e.classes)) * 4 or not better or gap > _SAME_LOSS:
        return None
    best = min(better, key=lambda o: o.difference)
    return Finding(
        name="network-too-small",
        finding=f"The network is too small: {narrow} units are all that its narrowest layer has.",
        evidence=(
            f"{best.name} is better by {-best.difference:.3g} ({-_high(best):.3g} or more with 95 % confidence), while "
            f"the network's training loss ({e.train_losses[e.best]:.3g}) is as high as its validation loss "
            f"({e.validation_losses[e.best]:.3g})"
        ),
        consequence="it cannot bend its answers to what the columns say",
        fix="wider layers, and the mean of several networks",
        change={"hidden": (64, 32), "n_networks": max(4, int(e.settings["n_networks"]))},
    )


def _high(opponent: Peer) -> float:
    """The network's advantage is less than that with 95 % confidence: one side, where the interval has both."""
    return opponent.difference + _ONE_SIDE * (opponent.high - opponent.difference)


def too_few_rows(e: Evidence) -> Finding | None:
    """So few rows that neither training nor test says much."""
    fewest = min((n for n in e.n_classes_train if n), default=e.n_train)
    if e.n_train >= _FEW_ROWS and (fewest >= 5 or e.n_train >= 10 * _FEW_ROWS):
        return None
    return Finding(
        name="too-few-rows",
        finding=f"{e.n_train:,} rows are few to train a network of {e.n_parameters:,} weights.",
        evidence=f"{e.n_train / max(e.n_parameters, 1):.2g} rows for each weight"
        + (f", and {fewest} of the rarest class" if e.n_classes_train else ""),
        consequence="what it learns depends on chance, and so does every figure measured",
        fix="more rows; until then the mean of several networks, each of which chooses its best epoch by other rows",
        change={"n_networks": 5, "ensemble": "auto"},
    )


def majority_collapse(e: Evidence) -> Finding | None:
    """Nearly every row gets the same class, although there are others."""
    if not e.is_classification or len(e.unseen) < 10:
        return None
    shares = np.bincount(e.unseen.truth.astype(np.int64), minlength=len(e.classes)) / len(e.unseen)
    answered = np.bincount(e.unseen.answers.argmax(axis=1), minlength=len(e.classes)) / len(e.unseen)
    one = int(answered.argmax())
    if answered[one] < 0.98 or shares[one] > 0.985:
        return None
    nearly = "" if answered[one] == 1 else " nearly"
    return Finding(
        name="majority-collapse",
        finding=f"The network answers {e.classes[one]!r} to {_of_the_rows(answered[one])}.",
        evidence=f"{shown_share(answered[one], 1)} of its answers, but {shown_share(shares[one], 1)} of the rows",
        consequence=f"its accuracy is{nearly} that of an answer which looks at no column",
        fix="count rare classes more, and train for a while",
        change={"class_weight": "balanced", "epochs": max(60, int(e.settings["epochs"] or 0))},
    )


def _of_the_rows(share: float) -> str:
    """``every row`` only where it is every row; else the share."""
    return "every row" if share == 1 else f"{shown_share(share, 1)} of the rows"


def imbalance(e: Evidence) -> Finding | None:
    """A rare class that is mostly missed."""
    if not e.is_classification or majority_collapse(e) or e.settings["class_weight"] == "balanced" or not len(e.unseen):
        return None
    counts = np.array(e.n_classes_train)
    rare = int(np.where(counts > 0, counts, np.inf).argmin())
    share = counts[rare] / counts.sum()
    mine = e.unseen.truth == rare
    if share >= _RARE / max(1, len(e.classes) - 1) or mine.sum() < 3:
        return None
    found = float((e.unseen.answers.argmax(axis=1)[mine] == rare).mean())
    if found >= 0.5:
        return None
    return Finding(
        name="class-imbalance",
        finding=f"The rare class {e.classes[rare]!r} is mostly missed.",
        evidence=(
            f"it is {share:.1%} of the training rows, and {found:.0%} of its {int(mine.sum())} unseen rows are found"
        ),
        consequence="accuracy looks good while the class that matters is not found",
        fix="count rare classes more, or choose a lower threshold of its probability",
        change={"class_weight": "balanced"},
    )


def leak(e: Evidence) -> Finding | None:
    """A column that alone nearly gives the answer, or a few of them, and no other comes close."""
    names = list(e.columns.read)
    if len(names) < 2 or e.kind == "reconstruction" or len(e.train) < 30:
        return None
    errors = left_by_each_column(
        np.concatenate([e.train.inputs, e.unseen.inputs]), np.concatenate([e.train.truth, e.unseen.truth]),
        list(e.columns.read.values()), classes=len(e.classes),
    )  # fmt: skip
    order = np.argsort(errors)
    telling = max(1, int((errors <= _TELLS).sum()))
    if telling > max(1, len(names) // 4):
        return None
    last, after = errors[order[telling - 1]], errors[order[telling]]
    if telling > 1:
        stands_out = after >= 3 * _TELLS
    elif last <= _TELLS:
        stands_out = after >= max(4 * last, _EASY)
    else:
        stands_out = last <= 2 * _TELLS and after >= _ONE_OF_A_KIND * last
    if not stands_out:
        return None
    suspects = tuple(names[i] for i in order[:telling])
    if {*suspects} <= {shared.column for shared in e.shared}:  # it tells only of rows whose neighbours were seen
        return None
    listed = ", ".join(repr(name) for name in suspects)
    return Finding(
        name="leak",
        finding=f"The column{'' if telling == 1 else 's'} {listed} may give {e.target!r} away.",
        evidence=(
            f"{'it alone leaves' if telling == 1 else 'each alone leaves at most'} {last:.1%} of the uncertainty; the "
            f"next best, {names[order[telling]]!r}, leaves {after:.0%}"
        ),
        consequence="if it is not known when the model is used, all figures measured here are far too good",
        fix="drop what is not really known beforehand; what is may be all that is needed",
        change={"drop": (*e.settings["drop"], *suspects)},
    )


def near_copies(e: Evidence) -> Finding | None:
    """Test rows that stand, almost the same, among the training rows."""
    if len(e.unseen) < 20 or len(e.train) < 20:
        return None
    within = nearest_distances(e.train.inputs, e.train.inputs, itself=True)
    usual = float(np.median(within[within > 0])) if (within > 0).any() else 0.0
    if not usual:
        return None
    unseen, train = e.unseen.all_inputs, e.train.all_inputs
    near, equal = (within_reach(unseen, train, distance) for distance in (1e-3 * usual, 1e-7 * usual))
    share = float((near & ~equal).mean())
    if share < _MANY_COPIES:
        return None
    return Finding(
        name="copies-across-the-split",
        finding="Test rows have near copies among the training rows.",
        evidence=(
            f"{int((near & ~equal).sum()):,} of the {len(unseen):,} unseen rows ({share:.0%}) lie a thousand times "
            "nearer to a training row than is usual"
        ),
        consequence="the network has seen their answers, so what was measured is too good",
        fix="name the column that says which rows belong together (--group), or remove the copies",
    )


def shared_entities(e: Evidence) -> Finding | None:
    """Rows about one and the same patient, machine or user in training and test."""
    one = next((shared for shared in e.shared if shared.kind == "entity"), None)
    if one is None:
        return None
    return Finding(
        name="known-ones-in-the-test",
        finding=f"Training and test rows share their {one.column!r}.",
        evidence=one.fact,
        consequence="the figures say how well known ones are answered again, and are too good for new ones",
        fix="keep the rows of each in one part" if one.change else "test on rows of others",
        change=one.change,
    )


def neighbours_in_time(e: Evidence) -> Finding | None:
    """Rows that stand next to each other in time, divided at random."""
    one = next((shared for shared in e.shared if shared.kind in ("time", "order")), None)
    if one is None:
        return None
    named = f" by {one.column!r}" if one.column is not None else ""
    return Finding(
        name="neighbours-in-the-test",
        finding=f"Neighbours{named} were divided at random."
        if one.kind == "time"
        else "Rows next to each other in the table are alike, and were divided at random.",
        evidence=one.fact,
        consequence="the network fills gaps between rows that it has seen; of later rows the figures say little",
        fix="hold out the latest rows" if one.change else "name a column with the time of each row (--time)",
        change=one.change,
    )


def shifted_rows(e: Evidence) -> Finding | None:
    """Unseen rows that come from elsewhere than the training rows."""
    if len(e.measured) < 30 or len(e.train) < 30:
        return None
    found = shifts(e.train.inputs, e.measured.inputs)
    worst = int(found.argmax())
    if found[worst] < 0.2:
        return None
    return Finding(
        name="shifted-rows",
        finding=f"The test rows differ from the training rows, most in {_column_of(e, worst)!r}.",
        evidence=(
            "the largest gap between their cumulative shares (Kolmogorov–Smirnov) is beyond chance by "
            f"{found[worst]:.2f}"
        ),
        consequence="the network is asked what it was not shown; its figures hold for such rows only",
        fix="train on rows like those that it will meet",
    )


def wrong_labels(e: Evidence) -> Finding | None:
    """Labels that the rows around them contradict, about equally often wherever they lie."""
    if not e.is_classification or len(e.train) + len(e.unseen) < 80 or e.settings["edit_labels"]:
        return None
    truth = np.concatenate([e.unseen.truth, e.train.truth])
    found = contradicted_labels(np.concatenate([e.unseen.inputs, e.train.inputs]), truth, classes=len(e.classes))
    if found is None:
        return None
    share, rest, rows = found
    others = f", and {rest:.0%} of the others" if rest else ""
    numbers = tuple(int(n) for n in np.concatenate([e.unseen.numbers, e.train.numbers])[rows] if n >= 0)[:20]
    return Finding(
        name="labels-look-wrong",
        finding="Some labels look wrong.",
        evidence=f"{share:.0%} of the rows whose neighbours agree carry another label than these{others}",
        consequence="training pulls towards wrong answers, and what was measured is worse than the network is",
        fix="look at the rows listed, or leave out of training whatever most of its neighbours contradict",
        change={"edit_labels": True},
        rows=numbers,
    )


def useless_columns(e: Evidence) -> Finding | None:
    """Columns with one value, and columns that say the same."""
    pairs = equivalent_columns(e.train.inputs, list(e.columns.read.values()))
    constant = e.columns.constant
    if not pairs and not constant:
        return None
    names = list(e.columns.read)
    again = list(dict.fromkeys(names[b] for _, b in pairs))
    parts = [f"{names[b]!r} says the same as {names[a]!r}" for a, b in pairs[:3]]
    parts += [f"{name!r} has one value in all rows, or none, and was left out" for name in constant[:3]]
    double = "copies count double, and their importance is shared between them so that each looks small"
    return Finding(
        name="useless-columns",
        finding="Some columns add nothing.",
        evidence="; ".join(parts),
        consequence=double
        if pairs
        else "they say nothing about any row; if one should, its cells were lost on the way",
        fix="drop them" if pairs else "nothing, unless a column should not be empty; --drop saves the remark",
        change={"drop": (*e.settings["drop"], *constant, *again)},
    )


def wrong_loss(e: Evidence) -> Finding | None:
    """Classes that are predicted as numbers, or numbers with outliers under the squared error."""
    if e.kind != "regression" or len(e.train) < 30:
        return None
    y = e.train.truth.astype(np.float64)
    values = np.unique(y)
    few = len(values) <= 10 and (values == values.round()).all() and len(values) < len(y) / 10
    if few and (len(values) < _FEWEST_GRADES or _better_voted(e)):
        return Finding(
            name="wrong-loss",
            finding=f"{e.target!r} looks like a class, but is predicted as a number.",
            evidence=f"it has {len(values)} different values, all whole: {', '.join(f'{v:g}' for v in values[:6])}",
            consequence="the squared error takes class 2 for twice class 1, and answers between classes",
            fix="predict it as a class",
            change={"task": "binary" if len(values) == 2 else "multiclass", "loss": "auto"},
        )
    middle = y - np.median(y)
    width = float(np.quantile(np.abs(middle), 0.9))
    if e.settings["loss"] in ("auto", "mse") and width > 0 and np.abs(middle).max() > 30 * width:
        return Finding(
            name="wrong-loss",
            finding=f"A few extreme values of {e.target!r} rule the squared error.",
            evidence=(
                f"the largest is {np.abs(middle).max() / width:.0f} times as far from the median as 90 % of the rows"
            ),
            consequence="the network bends to them and is worse for all other rows",
            fix="a loss that is linear for large errors",
            change={"loss": "huber"},
        )
    return None


def _better_voted(e: Evidence) -> bool:
    """Whether neighbours vote for the right value more often than the network comes to it, as with names of classes.

    Of grades, whose order means something, a number comes about as near.
    """
    if not len(e.unseen):
        return False
    inputs = np.concatenate([e.unseen.inputs, e.train.inputs])
    voted = neighbour_accuracy(inputs, np.concatenate([e.unseen.truth, e.train.truth]), len(e.unseen))
    return voted > float((np.round(e.unseen.answers) == e.unseen.truth).mean()) + _CLEARLY


def _column_of(e: Evidence, feature: int) -> str:
    return next(name for name, place in e.columns.read.items() if place.start <= feature < place.stop)
