"""``.ts`` files: read as they were written, and refused with the line where the header does not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data.series.ts import looks_like_ts, parse_ts
from pellucid.errors import DataError

HEADER = ("@problemName t", "@timeStamps false", "@missing true", "@univariate false", "@dimensions 2",
          "@equalLength true", "@seriesLength 2", "@classLabel true a e", "@data")  # fmt: skip


def text(*lines: str, **changed: str) -> str:
    """A file with this header, in which some facts may be changed, and these lines."""
    header = [changed.get(line[1:].split()[0].lower(), line) for line in HEADER]
    return "\n".join([line for line in header if line] + list(lines)) + "\n"


def test_channels_labels_and_missing_values() -> None:
    parsed = parse_ts(text("1,2:3,?:a", "", "# a comment", "-5e-1,0:1,1:e"), "'v.ts'")
    assert parsed.labels == ["a", "e"]
    assert np.array_equal(parsed.series[0], [[1, 3], [2, np.nan]], equal_nan=True)
    assert parsed.series[1].tolist() == [[-0.5, 1], [0, 1]]
    assert parsed.notes == ()


def test_series_of_unequal_length() -> None:
    parsed = parse_ts(text("1,2,3:4,5,6:a", "7:8:e", equallength="@equalLength false", serieslength=""), "'v.ts'")
    assert [each.shape for each in parsed.series] == [(3, 2), (1, 2)]
    ended = parse_ts(text("1,?:3,?:a", "1,2:3,?:e"), "'v.ts'")
    assert [len(each) for each in ended.series] == [1, 2]
    ragged = parse_ts(text("1,2,3:4:a", equallength="@equalLength false", serieslength=""), "'v.ts'")
    assert np.array_equal(ragged.series[0], [[1, 4], [2, np.nan], [3, np.nan]], equal_nan=True)


def test_numbers_to_predict_and_no_labels() -> None:
    assert parse_ts(text("1,2:3,4:0.5", classlabel="@targetLabel true"), "'v.ts'").labels == [0.5]
    assert parse_ts(text("1,2:3,4", classlabel="@classLabel false"), "'v.ts'").labels is None


def test_facts_in_any_case_and_order() -> None:
    parsed = parse_ts("#c\n@CLASSLABEL TRUE a e\n@univariate TRUE\n@Data\n1,2,3:a\n", "'v.ts'")
    assert parsed.series[0].shape == (3, 1)


def test_a_missing_value_that_the_header_denies_is_said() -> None:
    parsed = parse_ts(text("1,2:3,?:a", missing="@missing false"), "'v.ts'")
    assert parsed.notes == ("the header says that no value is missing, but 1 are",)


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (text("1,2:a"), 10, "must be 2 channels, parted by colons, as the header (line 5) says, got 1"),
        (text("1,2:3,4:o"), 10, "one of the classes of @classLabel in line 8 (a, e), got 'o'"),
        (text("1,2,3:4,5,6:a"), 10, "must have 2 steps, as line 7 of the header says, got 3; write @equalLength false"),
        (text("1,2:3,4:a", "1:2:a", serieslength=""), 10, "must have 2 steps, as the lines above have"),
        (text("1,x:3,4:a"), 10, "channel 1, value 2 must be a number, got 'x'"),
        (text("1,2:3,inf:a"), 10, "channel 2, value 2 is infinite ('inf')"),
        (text("?,?:?,?:a"), 10, "the series has no value"),
        (text("a"), 10, "there is a class but no series"),
        (text("(0,1),(1,2):3,4:a"), 10, "the steps carry times"),
        (text("1,2:3,4:a", timestamps="@timeStamps true"), 2, "which are not read; write the values alone"),
        (text("1,2:3,4:a", timestamps="@timeStamps maybe"), 2, "must be true or false, got 'maybe'"),
        (text("1,2:3,4:a", dimensions="@dimensions -2"), 5, "must be a whole number of at least 1, got '-2'"),
        (text("1,2:3,4:a", univariate="@univariate true"), 5, "2 dimensions, but @univariate true in line 4"),
        (text("1,2:3,4:a", classlabel="@classLabel true"), 8, "must name the classes"),
        (text("1,2:3,4:a", classlabel="@classLabel false"), 10, "the header must say @classLabel true"),
        (text("1,2:3,4:a", missing="@mising true"), 3, "@mising is not known in a .ts file; did you mean 'missing'?"),
        (text("1,2:3,4:a", data=""), 9, "the header must end with a line @data"),
    ],
)
def test_a_header_that_lies_and_damaged_lines_are_refused(content: str, line: int, said: str) -> None:
    with pytest.raises(DataError) as raised:
        parse_ts(content, "'v.ts'")
    assert str(raised.value).startswith(f"'v.ts', line {line:,}: ")
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "no line @data"), ("@problemName x\n", "no line @data"), (text(), "no lines below @data")],
)
def test_files_without_series_are_refused(content: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        parse_ts(content, "'v.ts'")


def test_other_files_are_not_taken_for_one() -> None:
    assert not looks_like_ts("export const x = 1;\n")
    assert not looks_like_ts("@relation iris\n@attribute a numeric\n")
    assert not looks_like_ts("@\n")
    assert not looks_like_ts("")


VALUE = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
SERIES = st.integers(1, 3).flatmap(
    lambda channels: st.lists(
        st.integers(1, 5).flatmap(
            lambda steps: st.lists(
                st.lists(VALUE, min_size=steps, max_size=steps), min_size=channels, max_size=channels
            ).filter(lambda rows: any(value is not None for row in rows for value in row))
        ),
        min_size=1,
        max_size=5,
    )
)


@settings(max_examples=80, deadline=None)
@given(cases=SERIES, words=st.sampled_from(["?", "NaN", "nan"]))
def test_what_is_written_is_read(cases: list[list[list[float | None]]], words: str) -> None:
    lines = [
        ":".join(",".join(words if value is None else repr(value) for value in channel) for channel in case)
        + f":c{i % 2}"
        for i, case in enumerate(cases)
    ]
    head = f"@dimensions {len(cases[0])}\n@equalLength false\n@missing true\n@classLabel true c0 c1\n@data\n"
    parsed = parse_ts(head + "\n".join(lines) + "\n", "'v.ts'")
    assert parsed.labels == [f"c{i % 2}" for i in range(len(cases))]
    for case, found in zip(cases, parsed.series, strict=True):
        wanted = np.array([[np.nan if value is None else value for value in channel] for channel in case]).T
        assert np.array_equal(found, wanted[: len(found)], equal_nan=True)
        assert np.isnan(wanted[len(found) :]).all()


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="@datclsLbe true01,:?.-#\n()", max_size=80))
def test_any_text_is_read_or_refused(content: str) -> None:
    try:
        parsed = parse_ts("@classLabel true a b\n@data\n" + content, "'v.ts'")
    except DataError:
        return
    assert len(parsed.series) == len(parsed.labels or [])
