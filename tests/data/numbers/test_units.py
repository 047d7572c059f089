"""What stands behind a number is a unit, a scale or nothing known; a number is never cut off at it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from pellucid.data.numbers.style import NumberRules
from pellucid.data.tables import Table, read_table, styles_of


def read(cells: list[Any], **options: Any) -> Table:
    return read_table({"w": cells, "y": ["a"] * len(cells)}, **options)


def said(table: Table) -> str:
    return "\n".join(table.report.notes)


WHOLE = [str(i % 90 + 3) for i in range(299)]


@pytest.mark.parametrize("odd", ["12O", "1O2", "1/2", "3½", "10^3", "1e", "5¹", "12kg", "5 M", "12*"])
def test_one_stray_suffix_is_an_unreadable_cell(odd: str) -> None:
    table = read([*WHOLE, odd])
    assert table.column("w").to_pylist() == [*map(int, WHOLE), None]
    assert f"1 cell that is not a number was taken as missing (first: {odd!r}, row 299)" in said(table)
    with_unit = read([*(f"{cell} kg" for cell in WHOLE), odd.replace("kg", "lx")])
    assert with_unit.column("w").to_pylist() == [*map(int, WHOLE), None]
    assert "without a unit" not in said(with_unit)


def test_a_unit_stands_on_half_of_the_cells() -> None:
    most = read(["70 kg"] * 30 + ["60"] * 10)
    assert most.column("w").to_pylist() == [70] * 30 + [60] * 10
    assert "10 cells without a unit such as '60' were read as 'kg'" in said(most)
    few = read(["70 kg"] * 10 + [str(i) for i in range(30)])
    assert pa.types.is_dictionary(few.column("w").type)
    assert "'w' looks like numbers" in said(few)


@pytest.mark.parametrize("unit", ["kg", "kg/m²", "°C", "m2", "kg/m3", "km/h", "sq.m", "kWh/m²a", "‰", "cubic ft"])
def test_units_of_letters_are_read(unit: str) -> None:
    assert read([f"5 {unit}", f"7 {unit}"] * 10).column("w").to_pylist() == [5, 7] * 10


@pytest.mark.parametrize("odd", ["1O2", "12O", "12 M", "40 lx", "1/2", "3½"])
@pytest.mark.parametrize("cells", [WHOLE, [f"{cell} kg" for cell in WHOLE]], ids=["bare", "kg"])
def test_another_suffix_than_in_training_is_missing(odd: str, cells: list[str]) -> None:
    rules = NumberRules(styles=styles_of(read(cells)))
    table = read([odd, "12"], rules=rules)
    shown = table.column("w").to_pylist()
    assert shown in ([None, 12], [odd, "12"])  # numbers, or texts of which the schema names the odd one
    alone = read([odd], rules=rules).column("w").to_pylist()
    assert alone in ([None], [odd])


@pytest.mark.parametrize("mark", ["½", "/2", "/4"])
def test_fractions_are_told(mark: str) -> None:
    cells = [f"{i}{mark}" for i in range(1, 41)]
    for these in (cells, [*cells, *map(str, range(60))]):
        table = read(these)
        assert table.column("w").to_pylist() == these
        assert "are fractions such as" in said(table)


@pytest.mark.parametrize(
    ("cells", "expected", "unit"),
    [
        (["270 K", "281 K"], [270, 281], "K"),
        (["24.7k", "24.7K"], [24_700, 24_700], ""),
        (["1.2M", "2M"], [1_200_000, 2_000_000], ""),
        (["3bn", "2bn"], [3e9, 2e9], ""),
        (["900 K", "1.2 M"], [900_000, 1_200_000], ""),
        (["900k", "1.2m"], [900_000, 1_200_000], ""),
        (["1B", "2B"], [1, 2], "B"),
        (["1.5B", "2B"], [1.5e9, 2e9], ""),
        (["$1B", "$2B"], [1e9, 2e9], ""),
        (["700M", "1B"], [7e8, 1e9], ""),
    ],
)
def test_letters_are_scales_or_units(cells: list[str], expected: list[float], unit: str) -> None:
    table = read(cells * 10)
    assert table.column("w").to_pylist() == expected * 10
    style = table.report.styles["w"]
    assert style is not None
    assert (style.unit, style.scaled) == (unit, not unit)
    again = NumberRules(styles=styles_of(table))
    for cell, value in zip(cells, expected, strict=True):
        assert read([cell], rules=again).column("w").to_pylist() == [value]


@pytest.mark.parametrize("pair", [("5 m", "7 M"), ("5m", "7M"), ("1 stück", "2 Stück")])
def test_letters_that_differ_in_case_alone_are_told(pair: tuple[str, str]) -> None:
    table = read([*pair] * 10)
    assert table.column("w").to_pylist() == [*pair] * 10
    assert "which may mean different things" in said(table)


def test_codes_with_scale_letters_are_codes() -> None:
    assert pa.types.is_dictionary(read(["12M", "7A", "9B"] * 10).column("w").type)


def test_the_example_of_a_note_shows_what_was_done() -> None:
    assert "for example, '3k' was read as 3000" in said(read(["0k", *(f"{i}k" for i in range(3, 40))]))
    assert "for example, '(5)' was read as minus 5" in said(read(["(5)", "3"] * 10))


@pytest.mark.parametrize("word", ["unbekannt", "k.A.", "keine Angabe", "pending", "x", "*", "ERROR"])
@pytest.mark.parametrize("n", [6, 45])
def test_whole_numbers_beside_one_word_are_told(word: str, n: int) -> None:
    ages = [str(20 + i % 61) for i in range(300 - n)]
    table = read([*ages, *[word] * n])
    assert pa.types.is_dictionary(table.column("w").type)
    assert f"--missing {word!r}" in said(table)
    assert not said(read([*(str(i % 10) for i in range(300 - n)), *[word] * n]))  # grades: few, so categories
