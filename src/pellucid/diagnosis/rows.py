"""Findings about rows and columns: scale, leaks, duplicates, shift, labels, class balance, and lack of signal."""

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
_TELLS = 0.07  # a column that gives the target away leaves at most this share of the uncertainty
_EASY = 0.12  # if a second column leaves less than this, the problem is easy
_REAL_GAIN = 0.25  # a share of the largest possible gain
_FEW_ROWS = 40
_CHANCE = 2.33  # standard deviations: one in a hundred networks gets this far by chance
_SAME_LOSS = 0.2  # share of the base loss by which training and validation loss may differ
_ONE_SIDE = 1.645 / 1.96  # normal quantiles: 95 % on one side, and in the middle
_MANY_COPIES = 0.08  # of the unseen rows
_ONE_OF_A_KIND = 6  # times: what the next best column must leave, if this one leaves a little more


def features_not_scaled(e: Evidence) -> Finding | None:
    """Inputs on very different scales."""
    if not e.has_numbers:
        return None
    spread = e.train.inputs.astype(np.float64).std(axis=0)
    spread = spread[spread > 0]
    if not len(spread) or not (spread.max() > 30 or (len(spread) > 1 and spread.max() / np.median(spread) > 300)):
        return None
    widest = _column_of(e, int(e.train.inputs.astype(np.float64).std(axis=0).argmax()))
    return Finding(
        name="features-not-scaled",
        finding="The inputs are not on one scale.",
        evidence=f"{widest!r} has a standard deviation of {spread.max():.3g}, the median input {np.median(spread):.3g}",
        consequence="no learning rate suits all of them: the largest inputs dominate, and the others have almost no "
        "effect",
        fix="scale the inputs",
        change={"scaling": "standard"},
    )


def no_signal(e: Evidence) -> Finding | None:
    """No model beats a constant prediction, and the network's predictions do not follow the targets."""
    against = {o.name: o for o in e.peers}
    dummy = against.get("dummy")
    if dummy is None or not dummy.low <= 0:  # no interval, no claim
        return None
    gain = _REAL_GAIN * (1 - dummy.value if e.classes else dummy.value)
    if len(e.measured.truth) < _FEW_ROWS and dummy.high > gain:  # so few rows decide nothing
        return None
    # By how much the others beat the dummy: o.difference is the network's advantage over them.
    if any(dummy.difference - o.difference > dummy.high - dummy.difference for o in e.peers):
        return None
    # With few rows, or one extreme prediction, the interval is wide although the predictions clearly follow the target.
    if agreement_with_targets(e.measured.truth, e.measured.answers, classes=len(e.classes)) > _CHANCE:
        return None
    what = "columns" if e.sequence is None else e.sequence.what
    return Finding(
        name="no-signal",
        finding=f"The network learned nothing about {e.target!r} from these {what}.",
        evidence=(
            f"on unseen rows the network beats a constant prediction by {dummy.difference:.3g} "
            f"(95 % {dummy.low:.3g} to {dummy.high:.3g}), no simpler model clearly beats it, and the network's "
            "predictions follow the targets no better than by chance"
        ),
        consequence="its predictions are guesses",
        fix=f"{'other columns, or ' * (e.sequence is None)}more rows; check that the target and the {what} of a row "
        "belong together",
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
        finding=f"The network is too small: its narrowest layer has only {narrow} units.",
        evidence=(
            f"{best.name} is better by {-best.difference:.3g} ({-_high(best):.3g} or more with 95 % confidence), while "
            f"the network's training loss ({e.train_losses[e.best]:.3g}) is as high as its validation loss "
            f"({e.validation_losses[e.best]:.3g})"
        ),
        consequence="it cannot fit the relation between the columns and the target",
        fix="wider layers, and the mean of several networks",
        change={"hidden": (64, 32), "n_networks": max(4, int(e.settings["n_networks"]))},
    )


def _high(opponent: Peer) -> float:
    """One-sided 95 % limit: the network's advantage is below it (the interval itself is two-sided)."""
    return opponent.difference + _ONE_SIDE * (opponent.high - opponent.difference)


def too_few_rows(e: Evidence) -> Finding | None:
    """So few rows that neither training nor test tells much."""
    fewest = min((n for n in e.n_classes_train if n), default=e.n_train)
    if e.n_train >= _FEW_ROWS and (fewest >= 5 or e.n_train >= 10 * _FEW_ROWS):
        return None
    return Finding(
        name="too-few-rows",
        finding=f"{e.n_train:,} rows are few for training a network with {e.n_parameters:,} weights.",
        evidence=f"{e.n_train / max(e.n_parameters, 1):.2g} rows per weight"
        + (f", and {fewest} of the rarest class" if e.n_classes_train else ""),
        consequence="what it learns depends on chance, and so does every score",
        fix="more rows; until then the mean of several networks, each choosing its best epoch by other rows",
        change={"n_networks": 5, "ensemble": "auto"},
    )


def majority_collapse(e: Evidence) -> Finding | None:
    """Nearly every row is predicted as the same class, although there are others."""
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
        finding=f"The network predicts {e.classes[one]!r} for {_of_the_rows(answered[one])}.",
        evidence=f"{shown_share(answered[one], 1)} of its predictions, but {shown_share(shares[one], 1)} of the rows",
        consequence=f"its accuracy is{nearly} that of always predicting this class",
        fix="give rare classes more weight, and train longer",
        change={"class_weight": "balanced", "epochs": max(60, int(e.settings["epochs"] or 0))},
    )


def _of_the_rows(share: float) -> str:
    """``every row`` only if it is every row; else the share."""
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
            f"it makes up {share:.1%} of the training rows, and {found:.0%} of its {int(mine.sum())} unseen rows are "
            "found"
        ),
        consequence="accuracy looks good although the rare class is not found",
        fix="give rare classes more weight, or use a lower threshold on the probability",
        change={"class_weight": "balanced"},
    )


def leak(e: Evidence) -> Finding | None:
    """A column (or a few) that almost determines the target by itself, while no other comes close."""
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
    if {*suspects} <= {shared.column for shared in e.shared}:  # it only helps for rows whose neighbours were seen
        return None
    listed = ", ".join(repr(name) for name in suspects)
    return Finding(
        name="leak",
        finding=f"The column{'' if telling == 1 else 's'} {listed} may give {e.target!r} away.",
        evidence=(
            f"{'it alone leaves' if telling == 1 else 'each alone leaves at most'} {last:.1%} of the uncertainty; the "
            f"next best, {names[order[telling]]!r}, leaves {after:.0%}"
        ),
        consequence="if it is not known when the model is used, all scores measured here are far too good",
        fix="drop columns that are not known beforehand; a column that is known may be all you need",
        change={"drop": (*e.settings["drop"], *suspects)},
    )


def near_copies(e: Evidence) -> Finding | None:
    """Test rows that also appear, almost identical, among the training rows."""
    if len(e.unseen) < 20 or len(e.train) < 20 or not e.has_numbers:
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
            f"{int((near & ~equal).sum()):,} of the {len(unseen):,} unseen rows ({share:.0%}) are a thousand times "
            "closer to a training row than is usual"
        ),
        consequence="the network has seen their targets, so the score is too good",
        fix="name the column that says which rows belong together (--group), or remove the copies",
    )


def shared_entities(e: Evidence) -> Finding | None:
    """Rows of the same patient, machine or user in both training and test."""
    one = next((shared for shared in e.shared if shared.kind == "entity"), None)
    if one is None:
        return None
    return Finding(
        name="known-ones-in-the-test",
        finding=f"Training and test rows share their {one.column!r}.",
        evidence=one.fact,
        consequence="the scores show how well the network predicts for known ones, and are too good for new ones",
        fix="keep all rows of each in one part" if one.change else "test on rows of others",
        change=one.change,
    )


def neighbours_in_time(e: Evidence) -> Finding | None:
    """Rows that are neighbours in time, split at random."""
    one = next((shared for shared in e.shared if shared.kind in ("time", "order")), None)
    if one is None:
        return None
    named = f" by {one.column!r}" if one.column is not None else ""
    return Finding(
        name="neighbours-in-the-test",
        finding=f"Neighbours{named} were split at random."
        if one.kind == "time"
        else "Neighbouring rows in the table are alike, but were split at random.",
        evidence=one.fact,
        consequence="the network only interpolates between rows it has seen; the scores say little about later rows",
        fix="hold out the latest rows" if one.change else "name a column with the time of each row (--time)",
        change=one.change,
    )


def shifted_rows(e: Evidence) -> Finding | None:
    """Unseen rows from another distribution than the training rows."""
    if len(e.measured) < 30 or len(e.train) < 30 or not e.has_numbers:
        return None
    found = shifts(e.train.inputs, e.measured.inputs)
    worst = int(found.argmax())
    if found[worst] < 0.2:
        return None
    return Finding(
        name="shifted-rows",
        finding=f"The test rows differ from the training rows, most in {_column_of(e, worst)!r}.",
        evidence=(
            "the largest gap between their cumulative distributions (Kolmogorov–Smirnov) exceeds chance by "
            f"{found[worst]:.2f}"
        ),
        consequence="the network is tested on rows unlike those it was trained on; its scores hold for such rows only",
        fix="train on rows like those it will be used on",
    )


def wrong_labels(e: Evidence) -> Finding | None:
    """Labels that the neighbouring rows contradict, about equally often in all regions."""
    if not e.is_classification or not e.has_numbers or len(e.train) + len(e.unseen) < 80 or e.settings["edit_labels"]:
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
        evidence=f"{share:.0%} of the rows whose neighbours agree have a different label than these{others}",
        consequence="training learns from wrong targets, and the score is worse than the network really is",
        fix="check the rows listed, or leave out of training the rows that most of their neighbours contradict",
        change={"edit_labels": True},
        rows=numbers,
    )


def useless_columns(e: Evidence) -> Finding | None:
    """Columns with a single value, and columns with the same information."""
    pairs = equivalent_columns(e.train.inputs, list(e.columns.read.values()))
    constant = e.columns.constant
    if not pairs and not constant:
        return None
    names = list(e.columns.read)
    again = list(dict.fromkeys(names[b] for _, b in pairs))
    parts = [f"{names[b]!r} has the same information as {names[a]!r}" for a, b in pairs[:3]]
    parts += [f"{name!r} has one value in all rows, or none, and was left out" for name in constant[:3]]
    double = "such columns count twice, and share their importance, so that each looks less important"
    return Finding(
        name="useless-columns",
        finding="Some columns add nothing.",
        evidence="; ".join(parts),
        consequence=double
        if pairs
        else "they carry no information; if one should, its cells were lost before training",
        fix="drop them" if pairs else "nothing, unless a column should not be empty; --drop removes this remark",
        change={"drop": (*e.settings["drop"], *constant, *again)},
    )


def wrong_loss(e: Evidence) -> Finding | None:
    """Classes predicted as numbers, or numbers with outliers under a squared-error loss."""
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
            consequence="the squared error treats class 2 as twice class 1, and predictions fall between classes",
            fix="predict it as a class",
            change={"task": "binary" if len(values) == 2 else "multiclass", "loss": "auto"},
        )
    middle = y - np.median(y)
    width = float(np.quantile(np.abs(middle), 0.9))
    if e.settings["loss"] in ("auto", "mse") and width > 0 and np.abs(middle).max() > 30 * width:
        return Finding(
            name="wrong-loss",
            finding=f"A few extreme values of {e.target!r} dominate the squared error.",
            evidence=(
                f"the largest is {np.abs(middle).max() / width:.0f} times as far from the median as 90 % of the rows "
                "are at most"
            ),
            consequence="the network fits them and is worse for all other rows",
            fix="a loss that grows linearly for large errors",
            change={"loss": "huber"},
        )
    return None


def _better_voted(e: Evidence) -> bool:
    """Whether a vote of neighbours is right more often than the network, as with values that are class labels.

    For grades, whose order has a meaning, regression does about as well.
    """
    if not len(e.unseen) or not e.has_numbers:
        return False
    inputs = np.concatenate([e.unseen.inputs, e.train.inputs])
    voted = neighbour_accuracy(inputs, np.concatenate([e.unseen.truth, e.train.truth]), len(e.unseen))
    return voted > float((np.round(e.unseen.answers) == e.unseen.truth).mean()) + _CLEARLY


def _column_of(e: Evidence, feature: int) -> str:
    return next(name for name, place in e.columns.read.items() if place.start <= feature < place.stop)
