"""The page of a traced row: sums and equations hold for the numbers shown, and the numbers are the trace's own."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.engines.textbook.activations import sigmoid, softmax
from pellucid.engines.textbook.optimizers import update
from pellucid.errors import SettingError, StorageError
from pellucid.explanation.trace import Agreement, trace_row
from pellucid.explanation.words.values import Derivatives, Sum, n
from pellucid.inspection.trace import Traced, trace
from pellucid.network import Activation, Dense, LayerNorm, Network, Residual, mlp
from pellucid.network.optimizer import Optimizer
from pellucid.reports.trace import trace_page, write_trace_page
from pellucid.reports.trace_page import trace_html
from pellucid.reports.trace_values import Drawn, Folded, TracePage
from tests.arithmetic import NAMES, expression
from tests.drawings import save_classes

SHORT: dict[str, Any] = {"verdict": False, "preset": "plain", "seed": 1}
# Each kind of task, loss, layer and activation rule that is written in another letter is on some page.
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("iris", {"hidden": (8,), "epochs": 15, "learning_rate": 0.01}),
    "best": ("moons", {"preset": "best", "hidden": (24, 16), "epochs": 3}),
    "normed": ("diabetes", {"hidden": (14, 6), "epochs": 4, "batch_norm": True, "dropout": 0.2, "activation": "elu"}),
    "huber": ("diabetes", {"hidden": (5,), "epochs": 2, "loss": "huber", "huber_delta": 0.3, "optimizer": "sgd"}),
    "mae": ("diabetes", {"hidden": (5,), "epochs": 2, "loss": "mae", "activation": "mish"}),
    "straight": ("xor", {"hidden": (), "epochs": 5, "test": 0.0, "validation": 0.0}),
    "smoothed": ("iris", {"hidden": (6,), "epochs": 4, "label_smoothing": 0.1, "class_weight": "balanced"}),
    "drawn": ("iris", {"hidden": (3, 2, 3), "epochs": 4, "task": "reconstruction", "activation": "tanh"}),
    "digits": ("digits", {"hidden": (12,), "epochs": 2, "activation": "gelu"}),
    "images": ("shapes", {"network": "mlp", "hidden": (12,), "epochs": 3}),
    "images drawn": ("shapes", {"hidden": (12,), "epochs": 3, "task": "reconstruction"}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages")
    save_classes(path / "shapes", 8)
    return path


@pytest.fixture(scope="module")
def traces(folder: Path) -> dict[str, Traced]:
    found = {}
    for name, (data, settings) in RUNS.items():
        source = str(folder / data) if data == "shapes" else data
        pellucid.train(source, out=folder / name, **{**SHORT, **settings})
        found[name] = trace(folder / name, row=2)
    inside = mlp(3, [4], 3, activation="silu", layer_norm=True, residual=False).layers
    for name, network in {
        "residual": mlp(4, [6, 6], 3, activation="tanh", layer_norm=True, residual=True),
        "residual deep": Network(
            inputs=4,
            layers=(LayerNorm(width=4), Dense(inputs=4, outputs=3), Residual(block=(LayerNorm(width=3), *inside)),
                    Residual(block=(Residual(block=inside), *inside)), Activation(function="relu"),
                    Dense(inputs=3, outputs=3)),
        ),
    }.items():  # fmt: skip
        found[name] = with_network(found["plain"], network)
    return found


def with_network(found: Traced, network: Network) -> Traced:
    """The same row in another network, whose numbers are drawn."""
    rng = np.random.default_rng(0)
    parameters = {p.name: rng.uniform(0.2, 1.2, p.shape) * rng.choice([-1, 1], p.shape) for p in network.parameters()}
    row = trace_row(
        network, parameters, found.row.layers[0].inputs, loss=found.model.task.loss, target=found.targets,
        optimizer=Optimizer(name="adam"), learning_rate=0.01,
    )  # fmt: skip
    p = softmax(row.logits)
    return replace(found, row=row, answer=dict(zip(found.answer, map(float, p), strict=True)))  # type: ignore[arg-type]


# ── reading the page as a reader does ─────────────────────────────────────────────────────────────────────────


class Reader(HTMLParser):
    """Tables and equations as texts, and what else is to be looked at; elements must be closed in their order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.tables: list[tuple[str, list[list[str]]]] = []
        self.equations: list[str] = []
        self.words: list[str] = []
        self._kind = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if "id" in given:
            self.ids.append(str(given["id"]))
        if "href" in given:
            self.links.append(str(given["href"]))
        if tag in ("meta", "img"):
            return
        self.open.append(tag)
        if tag == "table":
            self.tables.append((str(given.get("class")), []))
        elif tag == "tr":
            self.tables[-1][1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][1][-1].append("")
        elif tag == "caption":
            self.tables[-1][1].append([""])
        elif tag == "p" and given.get("class") == "equation":
            self.equations.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("rect",)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if {"td", "th", "caption"} & set(self.open) and self.tables:
            self.tables[-1][1][-1][-1] += data
        elif self.open and self.equations and "p" in self.open and self.open[-1] in ("p", "var", "strong"):
            self.equations[-1] += data if self.in_equation else ""

    @property
    def in_equation(self) -> bool:
        return self.lasttag in ("var", "strong") or (self.lasttag == "p" and self.equations[-1] == "")


_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def half_a_digit(shown: str) -> float:
    """How far a number may be from what is shown of it: four digits, or as many as there are."""
    value = abs(float(shown))
    if value == 0:
        return 0.0
    four = 10.0 ** (math.floor(math.log10(value)) - 3)
    decimals = len(shown.split(".")[1]) if "." in shown and "e" not in shown else 0
    return 0.51 * (min(four, 10.0**-decimals) if decimals > 4 else four)


def plain(text: str) -> str:
    return text.replace("−", "-").strip()


def assert_equal(numbers: str, result: str) -> None:
    """An expression comes to its result, as far as the digits that are shown can say."""
    python = expression(re.sub(r"\[[\d,]+ others\]", "", numbers))
    value = eval(python, {"__builtins__": {}}, NAMES)
    room = half_a_digit(plain(result)) + 1e-9 * abs(value)
    for found in _NUMBER.finditer(python):
        if python.endswith(" - 1") and found.end() == len(python):
            continue  # p − t: a target is exactly 1
        moved = f"{python[: found.start()]}({found[0]}+{half_a_digit(found[0])!r}){python[found.end() :]}"
        room += 1.05 * abs(eval(moved, {"__builtins__": {}}, NAMES) - value)
    assert abs(value - float(plain(result))) <= room, (numbers, result, value, room)


def check_shown(text: str) -> tuple[int, int, int]:
    """Every equation, sum and update on a page; how many there were of each."""
    page = Reader(text)
    equations = sums = updates = 0
    for said in page.equations:
        parts = said.split(" = ")
        if len(parts) > 2:
            assert_equal(parts[-2], parts[-1])
            equations += 1
    for kind, rows in page.tables:
        if kind == "sum":
            *terms, result = [row for row in rows[2:] if row]
            for name, *factors, product in terms:
                if not factors:  # plain values
                    continue
                left, right = factors
                assert (left == "") == (name == "bias b" or "other" in name)
                if left:
                    assert_equal(_term(rows[1], left, right), product)
            total = sum(float(plain(row[-1])) for row in terms)
            room = sum(half_a_digit(plain(row[-1])) for row in (*terms, result))
            assert abs(total - float(plain(result[-1]))) <= room + 1e-12, (rows[0], total, result)
            sums += 1
        elif kind == "updates":
            slope = rows[0][0].rsplit(" = ", 1)[1]
            for row in rows[2:]:
                assert_equal(f"({slope}) · ({row[1]})", row[2])
            updates += 1
    return equations, sums, updates


def _term(head: list[str], left: str, right: str) -> str:
    """The formula above the last column, with the numbers of a row."""
    _, first, second, formula = head
    if formula == f"{first} · {second}":
        return f"({left}) · ({right})"
    given = {first: f"({left})", second: f"({right})"}
    return re.sub(rf"\b({first}|{second})\b", lambda found: given[found[1]], formula)


@pytest.mark.parametrize("name", [*RUNS, "residual", "residual deep"])
@pytest.mark.parametrize("units", [3, 10])
def test_every_sum_and_equation_holds_as_it_is_shown(traces: dict[str, Traced], name: str, units: int) -> None:
    found = traces[name]
    equations, sums, updates = check_shown(trace_html(trace_page(found, units)))
    if "residual" in name:
        assert min(equations, sums, updates) > 10
        return
    drawn = [min(units, width) for width in (found.row.network.inputs, *_widths(found))]
    task = found.model.task
    answers = drawn[-1] * (task.kind == "multiclass")  # the exponentials of each softmax
    losses = (task.kind == "reconstruction") + (task.loss.label_smoothing > 0)
    # forward for all but the inputs, backward for all but the outputs
    assert sums == sum(drawn) - drawn[0] + sum(drawn) - drawn[-1] + answers + losses
    assert updates >= sum(drawn[1:])
    assert equations >= drawn[-1]


def _widths(found: Traced) -> list[int]:
    return [layer.layer.outputs for layer in found.row.layers if layer.text.startswith("Dense")]  # type: ignore[union-attr]


def test_the_check_sees_a_wrong_digit(traces: dict[str, Traced]) -> None:
    text = trace_html(trace_page(traces["plain"]))
    for part in (
        r"(<tfoot><tr><th scope=row>z</th><td></td><td></td><td>−?\d\.)(\d)",
        r"(= relu\([\d.]+\) = <strong>\d\.)(\d)",
    ):
        wrong = re.sub(part, lambda m: m[1] + str((int(m[2]) + 5) % 10), text, count=1)
        assert wrong != text
        with pytest.raises(AssertionError):
            check_shown(wrong)


# ── the numbers are the trace's own ───────────────────────────────────────────────────────────────────────────


def _units(page: TracePage) -> list[Drawn]:
    return [unit for column in page.columns for unit in column.units]


@pytest.mark.parametrize("name", [*RUNS, "residual", "residual deep"])
def test_nothing_is_lost_in_what_is_folded(traces: dict[str, Traced], name: str) -> None:
    found = traces[name]
    for unit in _units(trace_page(found, 2)):
        for _, parts in unit.panel.sections:
            for part in parts:
                if not isinstance(part, Folded):
                    continue
                found_part = part.part
                if isinstance(found_part, Sum) and found_part.is_of_products:
                    terms, n_others, others = found_part.largest(part.most)
                    products = [term.value for term in terms]
                    assert products == [math.prod(term.factors) for term in terms]
                    total = math.fsum([*products, others, found_part.bias or 0.0])
                    size = math.fsum(map(abs, [*products, others]))
                    assert abs(total - found_part.result) <= 1e-12 * max(1.0, size)
                    assert len(terms) == min(2, len(terms) + n_others)
                if isinstance(found_part, Derivatives):
                    rows, _, steepest = found_part.steepest(part.most)
                    for row in rows:
                        assert row.gradient == pytest.approx(found_part.slope * row.factor, rel=1e-9, abs=1e-15)
                    assert all(abs(row.gradient) >= steepest for row in rows[: -len(found_part.own) or None])


@pytest.mark.parametrize("name", ["plain", "normed", "huber"])
def test_the_parameters_are_the_models_and_the_step_is_its_rules(traces: dict[str, Traced], name: str) -> None:
    found = traces[name]
    back = found.row.back
    assert back is not None
    held = {float(x) for array in found.row.parameters.values() for x in np.ravel(array)}
    for unit in _units(trace_page(found)):
        for part in (part for _, parts in unit.panel.sections for part in parts):
            if not isinstance(part, Folded):
                continue
            if isinstance(part.part, Sum) and part.part.is_of_products:
                left, right = ({term.factors[i] for term in part.part.terms()} for i in (0, 1))
                assert left <= held or right <= held
            if isinstance(part.part, Derivatives):
                for row in part.part.steepest(part.most)[0]:
                    assert row.old in held
                    g, w = np.array(row.gradient), np.array(row.old)
                    assert row.new == pytest.approx(float(update(back.optimizer, w, g, {}, back.learning_rate, 1)))


def test_units_stand_under_the_numbers_of_the_trace(traces: dict[str, Traced]) -> None:
    found = traces["plain"]
    page = trace_page(found)
    assert [len(column.units) for column in page.columns] == [4, 8, 3]
    hidden = {unit.key: unit.value for unit in page.columns[1].units}
    assert hidden == {f"unit-1-{k + 1}": float(a) for k, a in enumerate(found.row.layers[1].outputs)}
    weights, given = found.row.parameters["2.weight"], found.row.layers[2].inputs
    products = {(line.source, line.target): line.product for line in page.lines[1]}
    assert products["unit-1-3", "unit-2-2"] == weights[1, 2] * given[2]
    assert len(products) == 24


def test_layers_inside_a_block_have_columns_and_the_skip_is_drawn_over_them(traces: dict[str, Traced]) -> None:
    found = traces["residual"]
    page = trace_page(found)
    assert [list(column.titles) for column in page.columns] == [
        ["4 features"], ["Dense 4 → 6", "LayerNorm 6", "tanh"],
        ["inside the block", "Dense 6 → 6", "LayerNorm 6", "tanh"], ["a + block(a)"], ["Dense 6 → 3", "species"],
    ]  # fmt: skip
    before, block, after = (found.row.layers[i] for i in (2, 3, 4))
    (start, end, skip), inside = page.skips[0], page.lines[2]
    assert (start, end, len(page.skips)) == (1, 3, 1)
    assert {line.source: line.product for line in skip} == {f"unit-1-{k + 1}": float(a)
                                                            for k, a in enumerate(before.outputs)}  # fmt: skip
    added = {line.target: line.product for line in skip}
    for line in inside:
        assert line.source is not None
        assert line.source.replace("unit-2-1-", "unit-2-") == line.target
        added[line.target] += line.product
    assert list(added.values()) == pytest.approx(block.outputs.tolist())
    assert (after.inputs == block.outputs).all()
    deep = [column.panel.key for column in trace_page(traces["residual deep"]).columns]
    assert [key.removeprefix("layer-") for key in deep] == [
        "0", "1", "2-0", "2-1", "2-2", "2", "3-1-1", "3-1-2", "3-1", "3-2", "3-3", "3", "4",
    ]  # fmt: skip


def test_the_units_that_are_not_drawn_are_one_box_one_line_and_a_table(traces: dict[str, Traced]) -> None:
    found = traces["best"]
    page = trace_page(found, 4)
    assert [(len(c.units), c.n_more) for c in page.columns][1:] == [(4, 20), (4, 12), (1, 0)]
    last, given = found.row.parameters["6.weight"], found.row.layers[6].inputs
    total = math.fsum(line.product for line in page.lines[2]) + float(found.row.parameters["6.bias"][0])
    assert total == pytest.approx(float(found.row.logits[0]))
    folded = next(line.product for line in page.lines[2] if line.source is None)
    assert folded == pytest.approx(float(last[0] @ given) - sum(line.product for line in page.lines[2] if line.source))
    text = trace_html(page)
    assert "and 20 more" in text
    assert "<details><summary>All 24</summary>" in text
    for k, a in enumerate(found.row.layers[1].outputs):
        assert f">unit 1.{k + 1}<" in text
        assert n(a) in text


def test_the_page_says_what_was_measured(traces: dict[str, Traced]) -> None:
    found = traces["normed"]
    a, back = found.row.agreement, found.row.back
    assert back is not None
    assert a.logits is not None
    assert a.gradients is not None
    assert a.central_differences is not None
    words = " ".join("".join(Reader(trace_html(trace_page(found))).words).split())
    for said in (
        f"{a.logits:.1g}", f"{a.gradients:.1g}", f"{a.central_differences:.1g}", f"the {a.n_nudged} steepest",
        f"takes the loss from {n(back.loss)} to {n(back.loss_after)}", "inactive at prediction",
        "the running mean and variance", f"The row's own progression is {found.truth}",
    ):  # fmt: skip
        assert said in words, said


def test_what_was_not_compared_is_not_claimed(traces: dict[str, Traced]) -> None:
    found = traces["plain"]
    alone = Agreement(logits=None, gradients=None, central_differences=None, n_nudged=0)
    text = trace_html(trace_page(replace(found, row=replace(found.row, agreement=alone))))
    assert "PyTorch is not installed, so nothing was compared." in text
    assert "differ by at most" not in text


def test_without_a_target_there_is_no_way_back(folder: Path, traces: dict[str, Traced]) -> None:
    row = {"sepal length (cm)": 5, "sepal width (cm)": 3, "petal length (cm)": 2}
    text = trace_html(trace_page(trace(folder / "plain", inputs=row)))
    check_shown(text)
    assert "target is not known" in text
    assert "<h3>Backward</h3>" not in text
    assert "∂L" not in text
    assert "taken as missing: &#x27;petal width (cm)&#x27;" in text


def test_images_and_reconstructions(traces: dict[str, Traced]) -> None:
    image, again, table = traces["images"], traces["images drawn"], traces["drawn"]
    assert image.truth == "across"
    assert again.truth is None
    for found in (image, again, table):
        assert found.row.agreement.gradients is not None
        assert found.row.agreement.gradients < 1e-12
        assert found.row.back is not None
    assert isinstance(again.answer, dict)
    np.testing.assert_allclose(list(again.answer.values()), again.row.logits, atol=1e-5)
    seen = again.row.layers[0].inputs
    assert again.row.back is not None
    assert again.row.back.loss == pytest.approx(float(((again.row.logits - seen) ** 2).mean()))
    assert len(trace_page(image).pictures) == 1
    assert [picture.caption for picture in trace_page(again).pictures] == ["the image", "reconstructed"]
    assert trace_html(trace_page(again)).count("data:image/png;base64,") == 2
    assert np.shape(again.to_json()["cells"][0]["cell"]) == (12, 12, 1)
    assert "sepal length (cm)" in {unit.name for unit in trace_page(table).columns[-1].units}


# ── the file ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [*RUNS, "residual", "residual deep"])
def test_the_file_is_complete_in_itself(traces: dict[str, Traced], name: str, tmp_path: Path) -> None:
    text = write_trace_page(traces[name], tmp_path / "trace.html").read_text(encoding="utf-8")
    page = Reader(text)
    assert len(set(page.ids)) == len(page.ids)
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    for tag, attribute, value in page.attributes:
        assert not attribute.startswith("on")
        assert attribute != "src" or (value or "").startswith("data:image/png;base64,")
        assert "http" not in (value or "") or (tag, attribute) == ("svg", "xmlns") or attribute == "http-equiv"
    assert "script" not in {tag for tag, _, _ in page.attributes}
    assert "url(" not in text
    assert "@import" not in text


def test_names_from_the_table_are_only_text(tmp_path: Path) -> None:
    evil, worse = "<script>alert(1)</script>\"&'", '</text></svg><img src=x onerror="alert(2)">'
    rows = [{evil: i % 7 + 0.5, "b]]>": i % 3, "kind": worse if i % 2 else 'x"onload="y'} for i in range(40)]
    pellucid.train(rows, "kind", out=tmp_path / "run", hidden=(3,), epochs=1, **SHORT)
    text = trace_html(trace_page(trace(tmp_path / "run", rows, row=1)))
    page = Reader(text)
    tags = {tag for tag, _, _ in page.attributes} | set(re.findall(r"<([a-z0-9]+)", text))
    assert not tags & {"script", "img", "iframe", "object"}
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert evil in page.words
    assert any(evil in (value or "") for tag, name, value in page.attributes if name == "aria-label")
    check_shown(text)


@pytest.mark.parametrize(
    ("path", "units", "words"),
    [("trace.txt", 5, "ends in .html"), ("trace.html", 0, "at least 1, got 0"), ("trace.html", True, "got True")],
)
def test_what_cannot_be_written_is_said(
    traces: dict[str, Traced], tmp_path: Path, path: str, units: int, words: str
) -> None:
    with pytest.raises(SettingError, match=words):
        write_trace_page(traces["plain"], tmp_path / path, units=units)
    with pytest.raises(StorageError, match="does not exist"):
        write_trace_page(traces["plain"], tmp_path / "nowhere" / "trace.html")


def test_sigmoid_is_what_binary_pages_show(traces: dict[str, Traced]) -> None:
    found = traces["best"]
    p = float(sigmoid(found.row.logits)[0])
    assert isinstance(found.answer, dict)
    assert list(found.answer.values())[1] == pytest.approx(p, abs=1e-6)
    assert trace_page(found).columns[-1].units[0].shown == f"p = {n(p)}"
