"""Numbers in text: whatever a writer writes is read as the number it was, or said; a run reads later tables alike."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data.numbers.style import NumberRules, NumberStyle, styles_from_json
from pellucid.data.schema import infer_schema
from pellucid.data.tables import Table, read_table, styles_of
from pellucid.errors import SettingError

AMOUNTS = [random.Random(1).uniform(1_500, 99_000) * 10**k for k in range(-1, 3) for _ in range(20)]
LABELS = ["a", "b"] * (len(AMOUNTS) // 2)


def grouped(value: float, digits: int, decimal: str, group: str) -> str:
    text = f"{value:,.{digits}f}"
    return text.replace(",", "\x00").replace(".", decimal).replace("\x00", group)


def indian(value: float) -> str:
    whole, _, rest = f"{abs(value):.2f}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    pairs = [head[max(i - 2, 0) : i] for i in range(len(head), 0, -2)][::-1]
    return ("-" if value < 0 else "") + ",".join([*pairs, tail]) + "." + rest


def write(path: Path, columns: dict[str, list[Any]], separator: str = ",", *, quoted: bool = False) -> Path:
    mark = '"' if quoted else ""
    lines = [separator.join(columns)]
    lines += [separator.join(f"{mark}{c}{mark}" for c in row) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(tmp_path: Path, columns: dict[str, list[Any]], separator: str = ",", **options: Any) -> Table:
    quoted = any(separator in str(cell) for cells in columns.values() for cell in cells)
    return read_table(write(tmp_path / "t.csv", columns, separator, quoted=quoted), **options)


def said(table: Table) -> str:
    return "\n".join(table.report.notes)


# --- every style, read back equal

STYLES: dict[str, Any] = {
    "plain": lambda v: f"{v:.2f}",
    "decimal comma": lambda v: f"{v:.2f}".replace(".", ","),
    "german": lambda v: grouped(v, 2, ",", "."),
    "american": lambda v: grouped(v, 2, ".", ","),
    "swiss": lambda v: grouped(v, 2, ".", "'"),
    "swiss, curly": lambda v: grouped(v, 2, ".", "\u2019"),
    "no-break space": lambda v: grouped(v, 2, ",", "\u00a0"),
    "thin space": lambda v: grouped(v, 2, ",", "\u2009"),
    "narrow no-break space": lambda v: grouped(v, 2, ".", "\u202f"),
    "figure space": lambda v: grouped(v, 2, ",", "\u2007"),
    "indian": indian,
    "accounting": lambda v: f"(${abs(v):,.2f})" if v < 0 else f"${v:,.2f}",
    "accounting, sign outside": lambda v: f"$({abs(v):,.2f})" if v < 0 else f"$ {v:,.2f}",
    "minus": lambda v: f"{v:.2f}".replace("-", "\u2212"),
    "en dash": lambda v: f"{v:.2f}".replace("-", "\u2013"),
    "minus behind": lambda v: f"{abs(v):.2f}{'-' if v < 0 else ''}",
    "plus": lambda v: f"{v:+.2f}",
    "euro before": lambda v: "\u20ac " + grouped(v, 2, ",", "."),
    "euro behind": lambda v: grouped(v, 2, ",", ".") + " \u20ac",
    "code before": lambda v: "CHF " + grouped(v, 2, ".", "'"),
    "code behind": lambda v: grouped(v, 2, ",", "\u00a0") + " kr",
    "unit": lambda v: f"{v:.2f} kg",
    "unit without space": lambda v: f"{v:.2f}km/h",
    "per cent": lambda v: f"{v:.2f} %",
    "thousands": lambda v: f"{v / 1000:.5f}k",
    "millions": lambda v: f"{v / 1e6:.8f} Mio.",
    "scientific comma": lambda v: f"{v:.12e}".replace(".", ","),
    "full width": lambda v: "".join(chr(0xFF10 + int(c)) if c.isdigit() else c for c in f"{v:.2f}"),
    "arabic-indic": lambda v: "".join(chr(0x660 + int(c)) if c.isdigit() else c for c in f"{v:.2f}"),
    "underscore": lambda v: f"{v:_.2f}",
}


@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=20, deadline=None)
@given(
    cents=st.lists(st.integers(-(10**9), 10**9), min_size=8, max_size=30, unique=True), separator=st.sampled_from(";\t")
)
def test_what_is_written_in_any_style_is_read_back(
    style: str, cents: list[int], separator: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    values = [c / 100 for c in [*cents, -12_345_678, 7, -250]]  # some that leave no choice
    cells = [STYLES[style](v) for v in values]
    table = read(tmp_path_factory.mktemp("n"), {"x": cells, "y": ["w"] * len(cells)}, separator)
    read_back = table.column("x").to_numpy(zero_copy_only=False).astype(float)
    np.testing.assert_allclose(read_back, values, rtol=1e-9)


# --- which sign is the decimal one


def german(value: float, digits: int = 0) -> str:
    return grouped(value, digits, ",", ".")


def test_thousands_beside_decimal_commas_are_thousands(tmp_path: Path) -> None:
    rates = [f"0,{i + 100}" for i in range(len(AMOUNTS))]
    table = read(tmp_path, {"amount": [german(v) for v in AMOUNTS], "rate": rates}, ";")
    assert table.column("amount").to_pylist() == [round(v) for v in AMOUNTS]
    assert table.column("rate").to_pylist() == [float(r.replace(",", ".")) for r in rates]
    assert "--decimal ." in said(table)


def test_what_settles_the_sign_may_stand_far_below(tmp_path: Path) -> None:
    n = 5_000
    amounts = [f"{100 + i % 900}.{i % 1000:03d}" for i in range(n)]
    rates = ["1"] * (n - 1) + ["0,5"]
    table = read(tmp_path, {"amount": amounts, "rate": rates, "y": ["w"] * n}, "\t")
    assert table.column("amount").to_pylist() == [int(a.replace(".", "")) for a in amounts]
    assert table.column("rate")[n - 1].as_py() == 0.5


def test_quoted_decimal_commas_in_a_comma_file(tmp_path: Path) -> None:
    rates = [f"0,{i + 300}" for i in range(50)]
    table = read(tmp_path, {"rate": rates, "price": [f"{i}.25" for i in range(50)]})
    assert table.column("rate").to_pylist() == [float(r.replace(",", ".")) for r in rates]
    assert table.column("price").to_pylist() == [i + 0.25 for i in range(50)]
    assert read(tmp_path, {"rate": rates, "y": ["w"] * 50}).column("rate").to_pylist()[0] == 0.3


def test_each_column_may_have_its_own_sign_and_open_cells_follow_the_table(tmp_path: Path) -> None:
    columns = {
        "comma": [f"{i},5" for i in range(40)],
        "point": [f"{i}.5" for i in range(40)],
        "more": [f"{i}.25" for i in range(40)],
        "open": [f"{i + 1},500" for i in range(40)],
    }
    table = read(tmp_path, columns, ";")
    assert table.column("comma").to_pylist() == table.column("point").to_pylist() == [i + 0.5 for i in range(40)]
    assert table.column("open").to_pylist() == [1000 * (i + 1) + 500 for i in range(40)]
    assert "guess" in said(table)


@pytest.mark.parametrize(("separator", "first"), [(";", 1234), (",", 1.234)])
def test_a_table_that_settles_nothing_is_read_by_habit_and_said(tmp_path: Path, separator: str, first: float) -> None:
    columns = {"m": [f"{i + 1}.234" for i in range(30)], "y": ["w"] * 30}
    table = read(tmp_path, columns, separator)
    assert table.column("m")[0].as_py() == first
    assert ("guess" in said(table)) == (separator == ";")
    assert read(tmp_path, columns, separator, rules=NumberRules(decimal=".")).column("m")[0].as_py() == 1.234
    assert read(tmp_path, columns, separator, rules=NumberRules(thousands=".")).column("m")[0].as_py() == 1234


def test_both_signs_within_one_column_are_each_read_and_said(tmp_path: Path) -> None:
    cells = [f"{i}.5" if i % 3 else f"{i},5" for i in range(30)]
    table = read(tmp_path, {"m": cells, "y": ["w"] * 30}, ";")
    assert table.column("m").to_pylist() == [i + 0.5 for i in range(30)]
    assert "both decimal signs" in said(table)


def test_the_users_sign_is_kept_and_what_contradicts_it_is_told(tmp_path: Path) -> None:
    table = read(
        tmp_path, {"r": [f"0,{i + 100}" for i in range(30)], "y": ["w"] * 30}, ";", rules=NumberRules(decimal=".")
    )
    assert pa.types.is_dictionary(table.column("r").type)
    assert "leave out --decimal" in said(table)
    for wrong in ({"decimal": ";"}, {"thousands": "x"}, {"decimal": ",", "thousands": ","}):
        with pytest.raises(SettingError, match=r"decimal|thousands"):
            NumberRules(**wrong)


@pytest.mark.parametrize("cell", ["0,346,000", "12,34,5", "1.2.3", "18-24", "2021-03", "1,23.4,5"])
def test_what_is_no_number_stays_text(tmp_path: Path, cell: str) -> None:
    table = read(tmp_path, {"m": [f"{cell}"] * 10 + ["5"] * 10, "y": ["w"] * 20}, ";")
    assert pa.types.is_dictionary(table.column("m").type)


# --- marks


def test_limits_are_halved_and_flagged(tmp_path: Path) -> None:
    cells = ["<0.01"] * 20 + [f"0.{i}" for i in range(11, 40)] + [">0.8", "\u22640.02"]
    table = read(tmp_path, {"pb": cells, "y": ["w"] * len(cells)})
    assert table.names == ("pb", "pb below limit", "pb above limit", "y")
    assert table.column("pb").to_pylist()[:2] == [0.005, 0.005]
    assert table.column("pb").to_pylist()[-2:] == [0.8, 0.01]
    assert table.column("pb below limit").to_pylist() == [True] * 20 + [False] * 30 + [True]
    assert "half of it" in said(table)
    schema = infer_schema(table, target="pb")
    assert [c.role for c in schema.columns[:3]] == ["target", "dropped", "dropped"]
    incomes = read(tmp_path, {"income": ["<=50K", ">50K"] * 10, "y": ["w"] * 20})
    assert pa.types.is_dictionary(incomes.column("income").type)


def test_per_cent_beside_fractions(tmp_path: Path) -> None:
    cells = [f"{i}.5%" if i % 2 else f"0.{i + 10}5" for i in range(40)]
    table = read(tmp_path, {"r": cells, "y": ["w"] * 40})
    expected = [(i + 0.5) / 100 if i % 2 else float(f"0.{i + 10}5") for i in range(40)]
    np.testing.assert_allclose(table.column("r").to_pylist(), expected, rtol=1e-12)
    assert "divided by 100" in said(table)
    alike = read(tmp_path, {"r": [f"{i}.5%" if i % 2 else f"{i}.5" for i in range(40)]}, "\t")
    assert alike.column("r").to_pylist() == [i + 0.5 for i in range(40)]
    assert "read without the sign" in said(alike)


def test_units_are_converted_or_told(tmp_path: Path) -> None:
    table = read(tmp_path, {"m": [f"{i}.5 kg" if i % 3 else f"{i}500 g" for i in range(1, 40)], "y": ["w"] * 39})
    np.testing.assert_allclose(table.column("m").to_pylist(), [i + 0.5 for i in range(1, 40)])
    assert "converted to 'kg'" in said(table)
    for other in ("stone", "cm"):
        table = read(tmp_path, {"m": [f"{i} kg" if i % 3 else f"{i} {other}" for i in range(1, 40)], "y": ["w"] * 39})
        assert pa.types.is_dictionary(table.column("m").type)
        assert "different units" in said(table)
    table = read(tmp_path, {"m": [f"${i}" if i % 3 else f"\u20ac{i}" for i in range(1, 40)], "y": ["w"] * 39})
    assert "different currencies" in said(table)
    mixed = read(tmp_path, {"m": ["900", "1.2k", "3M", "2bn"] * 10, "y": ["w"] * 40})
    assert mixed.column("m").to_pylist()[:4] == [900.0, 1200.0, 3e6, 2e9]


def test_times_are_seconds(tmp_path: Path) -> None:
    columns = {
        "long": ["6:36:43", "0:00:01", "12:00:00"],
        "clock": ["05:54", "23:59", "00:00"],
        "half": ["5:54 PM", "12:05 am", "12:00 PM"],
        "short": ["36:43", "1:02", "59:59"],
        "days": ["2 days, 1:00:00", "0:00:30", "1 day 0:00:00.5"],
    }
    table = read(tmp_path, columns, ";")
    assert table.column("long").to_pylist() == [23803, 1, 43200]
    assert table.column("clock").to_pylist() == [21240, 86340, 0]
    assert table.column("half").to_pylist() == [64440, 300, 43200]
    assert table.column("short").to_pylist() == [2203, 62, 3599]
    assert table.column("days").to_pylist() == [176400.0, 30.0, 86400.5]
    assert said(table).count("read as seconds") == 5


def test_negatives_written_in_an_unknown_way_are_told_and_never_lost(tmp_path: Path) -> None:
    cells = [f"neg {i}.5" if i < 3 else f"{i}.5" for i in range(400)]
    table = read(tmp_path, {"m": cells, "y": ["w"] * 400})
    assert table.column("m").null_count == 0
    assert "'m' looks like numbers" in said(table)
    assert "--numeric 'm'" in said(table)
    assert read(tmp_path, {"m": cells, "y": ["w"] * 400}, numeric_columns=["m"]).column("m").null_count == 3


@pytest.mark.parametrize(
    "cells",
    [
        ["S", "M", "38", "40"] * 10,
        ["12A", "12B", "7C", "9A"] * 10,
        ["10.0.0.1", "10.0.1.2", "192.168.0.4", "1.1.1.1"] * 10,
        [f"{200 + i} {300 + i} {400 + i}" for i in range(40)],
        ["01234", "99999", "10115", "80331"] * 10,
        ["35+", "18-24", "25-34", "<18"] * 10,
    ],
    ids=["sizes", "codes", "addresses", "telephones", "postcodes", "ranges"],
)
def test_codes_are_no_numbers(tmp_path: Path, cells: list[str]) -> None:
    table = read(tmp_path, {"m": cells, "y": ["w"] * 40}, ";")
    assert pa.types.is_dictionary(table.column("m").type)


# --- frames, later tables


def test_a_frame_gives_what_its_file_gives(tmp_path: Path) -> None:
    columns = {name: [make(v) for v in AMOUNTS] for name, make in STYLES.items()}
    frame = pd.DataFrame(columns)
    file = write(tmp_path / "t.csv", columns, "\t")
    one, two = read_table(file), read_table(frame)
    for name in columns:
        assert not pa.types.is_dictionary(two.column(name).type), name
        assert one.column(name).equals(two.column(name)), name
    labels = pd.DataFrame({"y": ["1", "2"] * 20, "n": ["1", "2"] * 20})
    assert read_table(labels, rules=NumberRules(label="y")).arrow.to_pydict() == {
        "y": ["1", "2"] * 20,
        "n": [1, 2] * 20,
    }
    made = read_table(pd.DataFrame({"c": pd.Categorical(["1", "2", "10"])}))
    assert pa.types.is_dictionary(made.column("c").type)


def test_a_later_table_is_read_as_the_first(tmp_path: Path) -> None:
    n = 60
    columns = {
        "amount": [german(v) for v in AMOUNTS[:n]],
        "rate": [f"0,{i + 100}" for i in range(n)],
        "share": [f"{i},5%" if i % 2 else f"0,{i + 10}5" for i in range(n)],
        "lead": ["<0,01" if i < 9 else f"0,{i}" for i in range(n)],
        "lap": [f"{20 + i % 30}:{i:02d}" for i in range(n)],
    }
    first = read(tmp_path, columns, ";")
    schema = infer_schema(first).to_json()
    rules = NumberRules(styles=styles_from_json(schema))
    assert rules.styles == styles_of(first)
    new = {"amount": ["247.016"], "rate": ["0,5"], "share": ["26,9%"], "lead": ["0,4"], "lap": ["12:10"]}
    expected = {
        "amount": [247016], "rate": [0.5], "share": [0.269], "lead": [0.4], "lead below limit": [False], "lap": [730],
    }  # fmt: skip
    for table in (read(tmp_path, new, ";", rules=rules), read_table(pd.DataFrame(new), rules=rules)):
        assert table.arrow.to_pydict() == expected
        assert not table.report.notes
    american = {"amount": ["247,016"], "rate": ["0.5"], "share": ["26.9%"], "lead": ["0.4"], "lap": ["12:10"]}
    other = read(tmp_path, american, "\t", rules=rules)
    assert other.arrow.to_pydict() == expected
    assert "have a decimal comma" in said(other)


def test_a_stored_style_is_checked() -> None:
    odd: Any = {"decimal": "x", "percent": 3, "clock": "h:m", "unit": "k" * 99, "below": "yes"}
    assert NumberStyle.from_json(odd) == NumberStyle(clock="h:m")
    assert styles_from_json([]) == styles_from_json({"columns": [{"name": 3}, None]}) == {}
    assert styles_from_json({"columns": [{"name": "a", "kind": "text", "style": None}]}) == {"a": None}


def test_a_marker_of_one_column(tmp_path: Path) -> None:
    columns = {"a": ["-999"] * 5 + [str(i) for i in range(30)], "b": ["-999"] * 5 + [str(i) for i in range(30)]}
    table = read(tmp_path, columns, missing=["a=-999"])
    assert (table.column("a").null_count, table.column("b").null_count) == (5, 0)
    warnings = "\n".join(infer_schema(table).warnings)
    assert "--missing 'b=-999'" in warnings
    assert "'a=" not in warnings


@pytest.mark.parametrize(
    ("odd", "others", "told"),
    [
        (-999, range(100), True),
        (9999, range(100), True),
        (-1, range(100), True),
        (99, range(90), False),  # no further out than the others lie apart
        (-1, range(-50, 50), False),
        (-999, range(5), False),  # too few others
    ],
)
def test_numbers_that_stand_for_nothing_are_told(odd: int, others: range, told: bool) -> None:
    table = read_table({"n": [odd] * 20 + list(others)})
    assert any("--missing" in w for w in infer_schema(table).warnings) == told


@pytest.mark.parametrize(
    "path",
    [
        "california_housing/housing.csv.gz",
        "concrete/concrete.csv.gz",
        "diamonds/diamonds.csv.gz",
        "wine_quality/winequality-red.csv.gz",
        "lending_club/loans_full_schema.csv.gz",
        "parkinsons_telemonitoring/parkinsons.csv.gz",
    ],
)
def test_real_tables_written_in_european_style_are_read_as_before(shared_data: Path, tmp_path: Path, path: str) -> None:
    table = read_table(shared_data / path)
    n = min(table.n_rows, 3_000)

    def european(value: object) -> str:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = "" if value is None else repr(value) if isinstance(value, float) else str(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return german(value)
        return text.replace(".", ",") if isinstance(value, float) else text

    columns = {name: [european(v) for v in table.column(name).slice(0, n).to_pylist()] for name in table.names}
    again = read(tmp_path, columns, ";")
    for name in table.names:
        kind = table.column(name).type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            before, after = (t.column(name).slice(0, n).cast(pa.float64()) for t in (table, again))
            assert before.equals(after), name
