"""The answers of an image classifier: accuracy, each class, the confusion matrix, the most confident mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.bootstrap import Estimate
from pellucid.evaluation.metrics import confusion_matrix
from pellucid.numerals import numeral
from pellucid.plots import confusion, images
from pellucid.studies.images.image_sets import ImageSet
from pellucid.studies.spread import share_interval
from pellucid.studies.story import Story

__all__ = ["SURE", "Answers", "Mistake", "judge", "tell_answers"]

Array = NDArray[Any]

FIRST, COLUMNS, WORST = 32, 8, 12  # images drawn: the first of the test part, in rows of 8; the worst mistakes
SURE = 0.9


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A wrong answer: the image's number in the test set, the two classes, and the probability of each."""

    image: int
    truth: str
    answer: str
    for_answer: float
    for_truth: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """How the answers compare with the truth.

    Attributes
    ----------
    accuracy
        On the test images, with Wilson's 95 % interval.
    by_class
        The same for the images of each class; ``None`` for a class without images.
    confusion
        Counts ``[C, C]``, rows actual, columns predicted.
    wrong
        How many answers are wrong.
    sure_mistakes
        How many of them had a probability of at least 0.9.
    mistakes
        The most confident ones, at most 12.
    """

    accuracy: Estimate
    by_class: tuple[Estimate | None, ...]
    confusion: Array
    wrong: int
    sure_mistakes: int
    mistakes: tuple[Mistake, ...]


def judge(names: tuple[str, ...], truth: Array, probabilities: Array) -> Answers:
    """Compare class numbers ``[N]`` with probabilities ``[N, C]``; the answer is the most probable class.

    >>> found = judge(("a", "b"), np.array([0, 1, 1]), np.array([[0.8, 0.2], [0.9, 0.1], [0.3, 0.7]]))
    >>> found.wrong, found.mistakes[0].image, found.mistakes[0].for_truth
    (1, 1, 0.1)
    """
    answers = probabilities.argmax(axis=1)
    counts = confusion_matrix(truth, answers, len(names))
    sure = probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != truth)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:WORST]
    return Answers(
        accuracy=share_interval(len(truth) - len(wrong), len(truth)),
        by_class=tuple(
            share_interval(int(counts[i, i]), int(total)) if total else None
            for i, total in enumerate(counts.sum(axis=1))
        ),
        confusion=counts,
        wrong=len(wrong),
        sure_mistakes=int((sure[wrong] >= SURE).sum()),
        mistakes=tuple(
            Mistake(
                image=int(i),
                truth=names[truth[i]],
                answer=names[answers[i]],
                for_answer=float(sure[i]),
                for_truth=float(probabilities[i, truth[i]]),
            )
            for i in worst
        ),
    )


def tell_answers(story: Story, data: ImageSet, result: Answers, probabilities: Array) -> None:
    """Tell the accuracy, and draw predictions, the confusion matrix and the most confident mistakes.

    Parameters
    ----------
    story
        Is told the result.
    data
        The images; the test part is shown.
    result
        What `judge` found on the test images.
    probabilities
        Of each class for each test image, ``[N, C]``.
    """
    answers, truth = probabilities.argmax(axis=1), data.test_labels
    story.heading("What it answers")
    n, accuracy = len(truth), result.accuracy
    story.say(
        f"Of {n:,} test images {n - result.wrong:,} are classified correctly: accuracy {accuracy.value:.4f}, 95 % "
        f"interval {accuracy.low:.4f} to {accuracy.high:.4f} (for other images of this kind, not for other seeds)."
    )
    shown, title = _chosen(answers != truth)
    story.draw(
        "predictions",
        lambda: images.image_grid(
            data.test_images[shown],
            [
                data.names[a] if a == t else f"{data.names[a]}\nis {data.names[t]}"
                for a, t in zip(answers[shown], truth[shown], strict=True)
            ],
            wrong=answers[shown] != truth[shown],
            title=title,
            columns=COLUMNS,
            limits=(0, data.white),
        ),
        f"A wrong answer has a thick frame and the sign {images.WRONG}; the true class is given below it.",
    )
    story.say("Which classes are hard, and which classes they are confused with:")
    story.table(
        "Each class on its test images",
        ("class", "images", "right", "accuracy", "95 % interval", "most often confused with"),
        [_class_line(data.names, result.confusion[i], i, found) for i, found in enumerate(result.by_class)],
    )
    story.draw(
        "confusion",
        lambda: confusion.confusion_matrices({f"{data.title}, test images": result.confusion}, data.names),
        "Rows are the actual classes, columns the predicted ones.",
    )
    _tell_mistakes(story, data, result)


def _chosen(wrong: Array) -> tuple[Array, str]:
    """The first test images, then the next wrong ones, which may be rare; and a title that says so."""
    first = np.arange(min(FIRST, len(wrong)))
    later = np.flatnonzero(wrong)
    later = later[later >= FIRST][:COLUMNS]
    title = f"The first {len(first)} test images with the network's answers ({wrong[first].sum()} wrong)"
    if len(later):
        title += f",\nand the next {len(later)} that are wrong"
    return np.concatenate([first, later]), title


def _class_line(names: tuple[str, ...], counts: Array, own: int, found: Estimate | None) -> tuple[str | int, ...]:
    if found is None:
        return names[own], 0, 0, "—", "—", "—"
    others = counts.copy()
    others[own] = 0
    # several classes may share the highest count; the first is named
    most = f"{names[int(others.argmax())]} ({int(others.max())}×)" if others.any() else "never wrong"
    interval = f"{found.low:.4f} – {found.high:.4f}"
    return names[own], int(counts.sum()), int(counts[own]), f"{found.value:.4f}", interval, most


def _tell_mistakes(story: Story, data: ImageSet, result: Answers) -> None:
    story.heading("The most confident mistakes")
    if not result.wrong:
        story.say("There are none: every test image is classified correctly.")
        return
    limit = f"a probability of {100 * SURE:.0f} % or more"
    story.say(
        (
            f"{result.sure_mistakes} of the {result.wrong:,} wrong answers nevertheless had {limit}. A high "
            "probability shows how confident the network is, not that it is right. The worst of them:"
        )
        if result.sure_mistakes
        else f"None of the {result.wrong:,} wrong answers had {limit}: where it was wrong, the network was not sure."
    )
    story.table(
        f"The {len(result.mistakes)} mistakes with the highest probability",
        ("test image", "true class", "answer", "probability of the answer", "of the true class"),
        [(m.image, m.truth, m.answer, f"{m.for_answer:.4f}", numeral(m.for_truth, 2)) for m in result.mistakes],
    )
    story.draw(
        "mistakes",
        lambda: images.image_grid(
            data.test_images[[m.image for m in result.mistakes]],
            [_caption(m) for m in result.mistakes],
            wrong=np.ones(len(result.mistakes), bool),
            columns=6,
            title="The most confident mistakes: the answer and the true class",
            limits=(0, data.white),
        ),
        "The probability that the network gave to its wrong answer, and to the true class.",
    )


def _caption(m: Mistake) -> str:
    return f"{m.answer}: {_percent(m.for_answer)}\nis {m.truth}: {_percent(m.for_truth)}"


def _percent(p: float) -> str:
    """Two decimals; 0 and 100 are never the result of rounding.

    >>> _percent(0.5), _percent(1e-9), _percent(0.99999)
    ('50.00 %', '<0.01 %', '>99.99 %')
    """
    if p < 0.0001:
        return "<0.01 %"
    return ">99.99 %" if p > 0.9999 else f"{100 * p:.2f} %"
