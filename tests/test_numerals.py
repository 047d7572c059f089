"""Numbers as people read them: the value survives the rounding, and what stands together has one precision."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.numerals import numeral, numerals

NUMBERS = st.floats(-1e300, 1e300).filter(lambda v: v == 0 or abs(v) > 1e-300)


def read(text: str) -> float:
    """The number that a numeral says."""
    text = text.replace("−", "-").replace(",", "")
    if " × 10" in text:
        mantissa, power = text.split(" × 10")
        return float(f"{mantissa}e{power.translate(str.maketrans('⁻⁰¹²³⁴⁵⁶⁷⁸⁹', '-0123456789'))}")
    return float(text)


@given(NUMBERS)
def test_four_digits_of_every_number_are_kept(value: float) -> None:
    assert read(numeral(value)) == pytest.approx(value, rel=6e-4)
    assert "e" not in numeral(value)


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=8))
def test_a_column_has_one_precision_and_no_negative_zero(values: list[float]) -> None:
    shown = numerals(values)
    if any("×" in text for text in shown) or max(map(abs, values)) < 1e-4:
        return
    assert len({len(text.partition(".")[2]) for text in shown}) == 1
    largest = max(map(abs, values))
    for value, text in zip(values, shown, strict=True):
        assert read(text) == pytest.approx(value, abs=6e-4 * max(largest, 0.1))
        assert not (text.startswith("−") and read(text) == 0)


@pytest.mark.parametrize(
    ("value", "beside", "wanted"),
    [
        (556_580.0, None, "556,580"), (123_456_789.0, None, "123,456,789"), (-1.87e-06, 2.0, "0"),
        (-1.87e-06, None, "−1.87 × 10⁻⁶"), (99.999, None, "100"), (0.00012, None, "0.00012"), (math.inf, None, "∞"),
        (-math.inf, None, "−∞"), (None, None, "—"), (math.nan, None, "—"), (1e15, None, "1 × 10¹⁵"),
    ],
)  # fmt: skip
def test_as_people_read_them(value: float | None, beside: float | None, wanted: str) -> None:
    assert numeral(value, beside=beside) == wanted


def test_what_is_missing_stands_beside_what_is_there() -> None:
    assert numerals([0.5, None, math.nan]) == ["0.5000", "—", "—"]
    assert numerals([None]) == ["—"]
