"""The rules on image files: which evidence leads to a finding, and which does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pellucid.diagnosis import image_files
from pellucid.diagnosis.evidence import SharedRows
from pellucid.diagnosis.file_evidence import BorderEvidence, FileEvidence, TellingFact

RIGHT = np.arange(40) % 2


def evidence(files: FileEvidence | None, *, right: int = 40, shared: tuple[SharedRows, ...] = ()) -> Any:
    """Of a network that is right on so many of 40 rows."""
    answers = np.eye(2)[np.where(np.arange(40) < right, RIGHT, 1 - RIGHT)]
    return SimpleNamespace(files=files, target="label", shared=shared, measured=_Rows(answers=answers, truth=RIGHT))


class _Rows(SimpleNamespace):
    def __len__(self) -> int:
        return len(self.truth)


def fact(key: str, accuracy: float, *, base: float = 0.5, n: int = 400) -> TellingFact:
    return TellingFact(key=key, what=key, accuracy=accuracy, base=base, n=n, example="'x': 90% of 'a', 0% of 'b'")


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (fact("format", 0.95), True),
        (fact("format", 0.61), True),  # 0.22 of the gain, 4.4 deviations of 0.025
        (fact("format", 0.59), False),  # 0.18 of the gain
        (fact("format", 0.65, n=100), False),  # 3 deviations
        (fact("bytes", 0.70), False),
        (fact("bytes", 0.80), True),
        (fact("format", 1.0, base=1.0), False),  # a single class
    ],
)
def test_facts_that_tell_the_class(one: TellingFact, told: bool) -> None:
    found = image_files.files_tell_class(evidence(FileEvidence(facts=(one,))))
    assert (found is not None) == told
    if found is not None:
        assert f"{one.key} alone is right for {one.accuracy:.0%} of {one.n}" in found.evidence


@pytest.mark.parametrize(
    ("border", "centre", "right", "told"),
    [
        (0.95, 0.60, 40, True),
        (0.60, 0.95, 40, False),  # the content tells more
        (0.95, 0.93, 40, False),  # both do, as colours may
        (0.55, 0.45, 40, False),  # hardly better than chance
        (0.72, 0.50, 40, False),  # the network knows much more
        (0.72, 0.50, 32, True),
    ],
)
def test_a_border_that_tells_the_class(border: float, centre: float, right: int, told: bool) -> None:
    files = FileEvidence(border=BorderEvidence(border=border, centre=centre, base=0.5, n=400))
    assert (image_files.border_tells_class(evidence(files, right=right)) is not None) == told


def test_copies_across_the_split_and_contradicting_ones() -> None:
    shared = (SharedRows(kind="copies", fact="3 of the 9 test images …", column=None, change={}),)
    found = image_files.copies_of_images(evidence(FileEvidence(), shared=shared))
    assert found is not None
    assert found.evidence == "3 of the 9 test images …"
    assert image_files.copies_of_images(evidence(FileEvidence())) is None
    assert image_files.copies_of_images(evidence(None, shared=shared)) is None  # a table has its own finding
    pairs = np.array([[3, 7], [3, 9]])
    contradicting = image_files.contradicting_copies(evidence(FileEvidence(contradicting=pairs)))
    assert contradicting is not None
    assert contradicting.rows == (3, 7, 9)
    assert "(3 images)" in contradicting.finding
    assert image_files.contradicting_copies(evidence(FileEvidence(contradicting=pairs[:0]))) is None


def test_unreadable_files_are_listed_with_a_limit() -> None:
    found = image_files.unreadable_files(evidence(FileEvidence(unreadable=[f"{i}.png" for i in range(25)])))
    assert found is not None
    assert "(25)" in found.finding
    assert found.evidence.endswith("'19.png' and 5 more")
    assert image_files.unreadable_files(evidence(FileEvidence())) is None
    assert image_files.unreadable_files(evidence(None)) is None
