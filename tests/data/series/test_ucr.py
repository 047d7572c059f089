"""Files as in the UCR archive: the class first, in whatever signs."""

from __future__ import annotations

import pytest

from pellucid.data.series.ucr import looks_like_ucr, parse_ucr
from pellucid.errors import DataError


@pytest.mark.parametrize(
    "text",
    [
        "1,0.5,-0.25\n-1,2,3\n",
        "1\t0.5\t-0.25\n-1\t2\t3",
        "1;0.5;-0.25\r\n-1;2;3\r\n",
        "   1.0000000e+00   5.0e-01  -2.5e-01\n  -1.0000000e+00   2  3\n\n",
    ],
)
def test_every_separator(text: str) -> None:
    parsed = parse_ucr(text, "'X_TRAIN'")
    assert parsed.labels == ["1", "-1"]
    assert [each[:, 0].tolist() for each in parsed.series] == [[0.5, -0.25], [2.0, 3.0]]


def test_missing_values_and_shorter_series() -> None:
    parsed = parse_ucr("1,5,,7\n2,5,NaN,NaN\n3,1\n", "'X_TRAIN'")
    assert [len(each) for each in parsed.series] == [3, 1, 1]
    assert str(parsed.series[0][:, 0].tolist()) == "[5.0, nan, 7.0]"


def test_lines_without_a_class_are_read_where_they_may_be() -> None:
    parsed = parse_ucr("0.5,1,2\n1,2,3\n", "'new.txt'", unlabelled_steps=3)
    assert parsed.labels is None
    assert parsed.series[1][:, 0].tolist() == [1.0, 2.0, 3.0]
    assert parse_ucr("1,1,2\n2,2,3\n", "'new.txt'", unlabelled_steps=2).labels == ["1", "2"]


def test_lines_of_another_length_without_a_class_are_refused() -> None:
    with pytest.raises(
        DataError, match=r"'new.txt', line 1: each line must hold the 3 values .* got 2 fields and first"
    ):
        parse_ucr("0.5,1\n", "'new.txt'", unlabelled_steps=3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty: there are no series in it"),
        (" \n\n", "is empty"),
        ("1,2,3\n\n1,2,x\n", "line 3: value 2 must be a number, got 'x'"),
        ("1,2,3\n0.5,2,3\n", "line 2: the first field must be the class, a whole number"),
        ("1,2,3\nwalk,2,3\n", "line 2: the first field must be the class, .* got 'walk'"),
        ("1,2,3\n2,NaN,NaN\n", "line 2: there is a class but no value; remove the line"),
        ("1,2,1e999\n", "line 1: value 2 is infinite"),
    ],
)
def test_damaged_files_are_refused(text: str, said: str) -> None:
    with pytest.raises(DataError, match=f"^'X_TRAIN'.*{said}"):
        parse_ucr(text, "'X_TRAIN'")


def test_tables_are_not_taken_for_one() -> None:
    assert looks_like_ucr("-1\t0.5\tNaN")
    assert not looks_like_ucr("age,job,pay")
    assert not looks_like_ucr("5.1,3.5,1.4")
    assert not looks_like_ucr("1,2")
    assert not looks_like_ucr("NaN,1,2,3")
