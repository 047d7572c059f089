"""The trace's page in a browser: which panel is open, by a click and by address, on a phone, in the dark, on paper."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.explanation.words.values import Derivative, Derivatives, Equation, Note, Sum, n
from pellucid.reports.page import POLICY
from pellucid.reports.trace_drawing import drawing
from pellucid.reports.trace_page import trace_html
from pellucid.reports.trace_values import Column, Drawn, Folded, Formulas, Line, Panel, TracePage

EVIL = '</text><script>alert("1")</script>'


def unit(block: int, k: int, name: str, value: float) -> Drawn:
    total = Sum(
        symbol="z", formula="Σ w · x + b", origin="from", calculation="{w} · {x}", names=[EVIL, "two", "three"],
        factors=(np.array([2.0, 0.1, 0.2]), np.array([-1.5, 0.5, 1.0])), values=np.array([-3.0, 0.05, 0.2]),
        side="inputs", bias=-0.5, result=-3.25,
    )  # fmt: skip
    own = (Derivative(sign="w", name=EVIL, factor=-1.5, gradient=-0.75, old=2.0, new=2.01),)
    updates = Derivatives(
        caption="Its weights", unit=name, symbol="∂L/∂z", slope=0.5, factor="x", own=own, names=["two"],
        factors=np.array([0.2]), gradients=np.array([0.1]), old=np.array([1.0]), new=np.array([0.9]), side="inputs",
    )  # fmt: skip
    equation = Equation(symbol="a", calculation="relu({z})", values={"z": -3.25}, result=0.0)
    return Drawn(
        name=name,
        value=value,
        shown=f"a = {n(value)}",
        panel=Panel(
            key=f"unit-{block}-{k}",
            title=name,
            below="",
            sections=[
                ("Forward", [Folded(part=total, most=1, key_of={0: "unit-0-1"}.get), equation]),
                ("Backward", [Folded(part=updates, most=1, key_of={}.get), Note(text=EVIL)]),
            ],
        ),
    )


def column(block: int, *units: Drawn, n_more: int = 0) -> Column:
    table = Formulas(caption="All", headings=("unit", "a"), rows=[(u.name, n(u.value)) for u in units], folded=True)
    return Column(
        titles=(f"Dense {block}", EVIL),
        units=units,
        n_more=n_more,
        largest=0.5,
        panel=Panel(key=f"layer-{block}", title=f"Layer {block}", below="", sections=[("All", [table])]),
    )


@pytest.fixture
def made() -> TracePage:
    inputs = [unit(0, 1, EVIL, -1.5), unit(0, 2, "a name that is far too long for its box", 0.0)]
    outputs = [unit(1, 1, "unit 1.1", 3.0)]
    lines = [
        Line(source="unit-0-1", target="unit-1-1", product=-3.0, said=f"{EVIL} → unit 1.1"),
        Line(source="unit-0-2", target="unit-1-1", product=0.001, said="too faint"),
        Line(source=None, target="unit-1-1", product=0.25, said="2 others"),
    ]
    return TracePage(
        title=f"row 1 of {EVIL}",
        lead=[EVIL],
        cells=Formulas(caption="The row", headings=("column", "cell"), rows=[(EVIL, "1")]),
        columns=[column(0, *inputs, n_more=2), column(1, *outputs)],
        lines=[lines],
        overview=Panel(key="overview", title="Overview", below="", sections=[("Answer", [Note(text="yes")])]),
    )


def test_texts_are_escaped_everywhere(made: TracePage) -> None:
    text = trace_html(made)
    assert "<script" not in text
    # heading, title, lead, cell, panels' titles and terms, labels of the drawing, headings of columns, lines
    assert text.count("&lt;script&gt;") >= 20
    assert 'aria-label="&lt;/text&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;: a = −1.5"' in text


def test_the_policy_is_that_of_the_report() -> None:
    assert "script-src" not in POLICY
    assert POLICY.startswith("default-src 'none'")


def test_the_drawing(made: TracePage) -> None:
    svg = drawing(made)
    assert svg.count('<path class="l ') == 2  # one of three is below 2 % of the strongest
    assert '<path class="l minus unit-0-1 unit-1-1"' in svg
    assert '<path class="l plus others unit-1-1"' in svg
    assert "and 2 more" in svg
    assert "a name t…" in svg
    assert 'aria-label="a name that is far too long for its box: a = 0"' in svg
    widths = dict(re.findall(r'class="l (\w+) .*? stroke-width="([\d.]+)"', svg))
    assert float(widths["minus"]) == 5.0 > float(widths["plus"])
    low, high = (float(x) for x in re.findall(r'class="box (?:plus|minus)"[^>]* fill-opacity="([\d.]+)"', svg)[:2])
    assert low > high  # −1.5 beside 0


def test_numbers_without_end_are_shown_and_break_nothing(made: TracePage) -> None:
    wild = unit(1, 1, "wild", float("inf"))
    column_ = column(1, wild)
    text = trace_html(
        TracePage(title="t", lead=[], cells=made.cells, columns=[column_], lines=[], overview=made.overview)
    )
    assert "a = inf" in text


# ── in a browser ──────────────────────────────────────────────────────────────────────────────────────────────

_ASK = """<!doctype html><meta charset="utf-8"><iframe id="f" src="trace.html%(fragment)s" width="%(width)d"
height="800"></iframe><pre id="found"></pre><script>
const frame = document.getElementById("f");
const keys = ["unit-0-1", "unit-1-1", "layer-1", "overview"];
function open_panels() {
  const d = frame.contentDocument, style = frame.contentWindow.getComputedStyle.bind(frame.contentWindow);
  return keys.filter(k => style(d.getElementById(k)).display !== "none");
}
frame.onload = () => {
  const d = frame.contentDocument;
  const found = {first: open_panels(), wide: d.documentElement.scrollWidth, alerts: d.scripts.length,
    back: frame.contentWindow.getComputedStyle(d.body).backgroundColor, boxes: d.querySelectorAll("svg a").length};
  const link = d.querySelector('svg a[href="#unit-1-1"]');
  link.focus();
  found.focus = d.activeElement === link;
  link.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, view: frame.contentWindow}));
  setTimeout(() => {
    found.then = open_panels();
    const style = frame.contentWindow.getComputedStyle;
    found.chosen = style(d.querySelector('svg a[href="#unit-1-1"] .box')).strokeWidth;
    document.getElementById("found").textContent = JSON.stringify(found);
  }, 300);
};
</script>"""


def in_chromium(folder: Path, made: TracePage, *, fragment: str = "", width: int = 1100, dark: bool = False) -> Any:
    """What a browser makes of the page: it is framed by one that may run scripts, which looks at it and clicks."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed: with one, pages are also opened in a browser")
    (folder / "trace.html").write_text(trace_html(made), encoding="utf-8")
    (folder / "ask.html").write_text(_ASK % {"fragment": fragment, "width": width}, encoding="utf-8")
    done = subprocess.run(
        [
            chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
            f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=3000", "--window-size=1200,900",
            *(["--blink-settings=preferredColorScheme=0"] if dark else []), "--dump-dom",
            (folder / "ask.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    found = re.search(r'<pre id="found">([^<]+)</pre>', done.stdout)
    if done.returncode:
        pytest.skip(f"chromium does not run here: {done.stderr[-200:]}")
    assert found is not None, done.stdout
    return json.loads(unescape(found[1]))


def test_one_panel_is_open_and_a_click_opens_another(tmp_path: Path, made: TracePage) -> None:
    found = in_chromium(tmp_path, made)
    assert found["first"] == ["overview"]
    assert found["then"] == ["unit-1-1"]
    assert found["chosen"] == "3px"
    assert found["focus"]
    assert found["alerts"] == 0
    assert found["boxes"] == 6  # three units, one box of others, two headings
    assert found["back"] == "rgb(255, 255, 255)"


def test_an_address_opens_its_panel_on_a_phone_in_the_dark(tmp_path: Path, made: TracePage) -> None:
    found = in_chromium(tmp_path, made, fragment="#unit-0-1", width=390, dark=True)
    assert found["first"] == ["unit-0-1"]
    assert found["wide"] <= 390
    assert found["back"] == "rgb(20, 23, 28)"
