"""The report of a run: everything is on it, nothing of the user's becomes markup, and rows stay out where asked."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.diagnosis import Finding
from pellucid.errors import RunFolderError
from pellucid.inspection.boundary import boundary_of
from pellucid.inspection.rows import rows_that_measured
from pellucid.preparation.members import prepare_run
from pellucid.reports.parts.behaviour import _slice
from pellucid.reports.parts.summary import _next_step
from pellucid.reports.report import report, write_report
from pellucid.runs.run import Run
from pellucid.settings.config import read_config
from pellucid.settings.settings import Settings
from tests.drawings import save_classes
from tests.reports.pages import Tree, check

QUICK: dict[str, Any] = {"hidden": (8,), "epochs": 4, "learning_rate": 0.02, "verdict": False, "preset": "plain"}
SCRIPT, IMAGE, FORMULA = "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "$x_1$"
TARGET, YES, NO = "</svg><iframe src=http://evil.example>", IMAGE.replace("2", "3"), "</style><b onclick=alert(4)>"
OPEN = ["summary", "doctor", "answers", "importance", "dependence", "mistakes"]
FOLDED = ["verdict", "metrics", "data", "network", "learning", "layers", "curves", "calibration", "boundary", "seeds",
          "again"]  # fmt: skip
ALL = [*OPEN, *FOLDED]
N = 240


def hostile_rows() -> dict[str, Any]:
    """Names and categories that want to be markup; every number is of one row only."""
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, N)).round(9)
    kind = rng.choice([IMAGE, FORMULA, "a & b"], N)
    right = first + (kind == FORMULA) + rng.normal(size=N) > 0
    odd = [str(value) for value in second]
    odd[7] = "kept-secret-cell"  # which the reader gives as an example of what it could not read
    return {SCRIPT: first.tolist(), FORMULA: odd, IMAGE: kind.tolist(), TARGET: np.where(right, YES, NO).tolist()}


def write_table(path: Path, rows: dict[str, Any]) -> Path:
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(rows)
        writer.writerows(zip(*rows.values(), strict=True))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    table = write_table(path / "table.csv", hostile_rows())
    pellucid.train(str(table), target=TARGET, out=path / "run", **{**QUICK, "epochs": 10})
    return path / "run"


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return report(folder).read_text(encoding="utf-8")


def sections(tree: Tree) -> list[str]:
    return [a["id"] for a in tree.named("section")]


def of_section(text: str, name: str) -> str:
    found = re.search(rf'<section id="{name}".*?</section>', text, re.DOTALL)
    assert found is not None, name
    return found.group()


def test_everything_is_on_the_page_in_order(text: str) -> None:
    tree = check(text)
    assert sections(tree) == ALL
    pictures = re.findall(r'<svg.*?id="([\w-]+?)-figure_1"', text, re.DOTALL)
    assert pictures == ["confusion", "importance-bars", "dependence-0", "dependence-1", "dependence-2",
                        "network-drawing", "learning-curves", "roc", "precision-recall", "calibration-curve",
                        "slice"]  # fmt: skip


def unfolded(text: str) -> str:
    """The page without what is folded."""
    text = re.sub(r"<(style|svg).*?</\1>", "", text, flags=re.DOTALL)
    while (less := re.sub(r"<details(?:(?!<details).)*?</details>", "", text, flags=re.DOTALL)) != text:
        text = less
    return text


def test_the_first_screen_answers_three_questions_and_the_rest_is_short(text: str) -> None:
    words = Tree(unfolded(text)).words
    assert len(" ".join(words).split()) <= 900
    first = of_section(text, "summary")
    for question in ("Is it good?", "Is it worth it?", "What to do next?"):
        assert question in first
    said = "\n".join(Tree(first).words)
    assert re.search(r"It correctly predicts \d+\.\d % of 48 rows that it has not seen", said)
    assert "No simpler models were trained for comparison" in said
    assert "pellucid" in said  # a command
    for name in ALL:
        assert ("<details class=" in of_section(text, name)) == (name in FOLDED), name


def test_the_users_names_are_words_in_text_and_in_pictures(text: str) -> None:
    words = "\n".join(check(text).words)
    for name in (SCRIPT, IMAGE, FORMULA, TARGET, YES, NO):
        assert name in words
    pictures = "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    for name in ("&lt;script&gt;alert(1)", "$x_1$", "&gt;&lt;img src=x"):
        assert name in pictures, name


def test_numbers_on_the_page_are_those_of_the_run(folder: Path, text: str) -> None:
    run = Run.open(folder)
    shown = of_section(text, "metrics")
    for name, found in run.metrics.items():
        if name in ("accuracy", "roc_auc", "log_loss"):
            assert f">{found.value:.4f}<" in shown
            assert f">{found.low:.4f} – {found.high:.4f}<" in shown
    area = re.search(r"Area under the ROC curve: .*? (\d\.\d{3})\.", of_section(text, "curves"))
    assert area is not None
    assert float(area.group(1)) == pytest.approx(run.metrics["roc_auc"].value, abs=5e-4)


def test_how_to_do_it_again(folder: Path, text: str) -> None:
    words = "\n".join(Tree(of_section(text, "again")).words)
    for said in ("pellucid train", "--epochs 10", "numpy", np.__version__, "hidden: [8]", "seed: 0"):
        assert said in words, said
    settings, source = read_config(folder / "config.yaml")
    assert prepare_run(source, Settings.of(settings)).fingerprint()[:32] in words


def test_the_same_run_gives_the_same_page(folder: Path, text: str, tmp_path: Path) -> None:
    assert report(folder, out=tmp_path / "again.html").read_text(encoding="utf-8") == text


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────


def cells_in(text: str) -> set[int]:
    """The rows of the table of which a number stands in the text, short or long."""
    rows = hostile_rows()
    shown = set(re.findall(r"-?\d+\.\d+", text))
    found = set()
    for column in (SCRIPT, FORMULA):
        for k, cell in enumerate(rows[column]):
            if k != 7 and {str(float(cell)), f"{float(cell):.5g}"} & shown:
                found.add(k)
    return found


def test_at_most_50_rows_are_shown(text: str) -> None:
    mistakes = of_section(text, "mistakes")
    assert 1 <= len(cells_in(mistakes)) <= 50  # the test sees them where they are
    numbers = set(re.findall(r"\brow (\d+)", mistakes)) | set(re.findall(r"<dt>Row</dt><dd>(\d+)", mistakes))
    assert 4 <= len(numbers) <= 32
    assert "kept-secret-cell" in of_section(text, "data")


def test_no_rows_leaves_out_all_of_them(folder: Path, tmp_path: Path) -> None:
    text = report(folder, rows=False, out=tmp_path / "page.html").read_text(encoding="utf-8")
    tree = check(text)
    assert sections(tree) == ALL
    words = "\n".join(Tree(re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)).words)
    without = re.sub(r"Held constant: .*", "", words)  # medians
    assert cells_in(without) == set()
    assert "kept-secret-cell" not in text
    assert "1 note not shown: cells of the table are left out" in words
    mistakes = of_section(text, "mistakes")
    assert "<article>" not in mistakes
    assert "not shown on this page (--no-rows)" in mistakes
    assert re.search(r"\d+ of 48 rows are predicted wrongly", mistakes)


def test_the_doctors_rows_are_counted_and_left_out(folder: Path, tmp_path: Path) -> None:
    run, settings = Run.open(folder), Settings.of(read_config(folder / "config.yaml")[0])
    source = read_config(folder / "config.yaml")[1]
    finding = Finding(name="labels", finding="Some labels look wrong.", evidence="e", consequence="c", fix="f",
                      rows=tuple(range(9_000, 9_020)))  # fmt: skip
    run = replace(run, findings=(finding, replace(finding, name="again", finding="And again.")))
    prepared = prepare_run(source, settings)
    shown = write_report(run, prepared, source=source, out=tmp_path / "rows.html").read_text(encoding="utf-8")
    assert len(re.findall(r"\b90[01]\d\b", of_section(shown, "doctor"))) == 18
    assert "and 2 more" in shown
    assert "and 20 more" in shown
    hidden = write_report(run, prepared, source=source, rows=False, out=tmp_path / "no.html")
    doctor = of_section(hidden.read_text(encoding="utf-8"), "doctor")  # a picture may have such a number as a place
    assert not re.search(r"\b90[01]\d\b", doctor)


def test_the_slice_draws_no_row_and_without_rows_nothing_of_where_they_lie(folder: Path) -> None:
    settings, source = read_config(folder / "config.yaml")
    run = Run.open(folder)
    viewed = rows_that_measured(run.model, prepare_run(source, Settings.of(settings)))
    found = boundary_of(run.model, viewed.table, x=SCRIPT, y=FORMULA, places=40)
    assert found.empty.any()
    for rows in (True, False):
        axes = _slice(found, rows=rows).axes[0]
        assert not [part for part in axes.collections if type(part).__name__ == "PathCollection"]
        veil = np.asarray(axes.images[1].get_array())[..., 3]
        assert bool(veil.any()) is rows
        ends = np.nanquantile(found.x.rows, [0.05, 0.95])
        assert (np.allclose(axes.get_xlim(), ends)) is not rows
    full = found.figure().axes[0]
    assert [part for part in full.collections if type(part).__name__ == "PathCollection"]


# ── other runs ────────────────────────────────────────────────────────────────────────────────────────────────


def numbers_table(path: Path) -> Path:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 200))
    rows = {"x": x.round(4).tolist(), "y": y.round(4).tolist(), "pay": (3 * x + y**2).round(4).tolist()}
    return write_table(path / "numbers.csv", rows)


def many_classes(path: Path) -> Path:
    rng = np.random.default_rng(1)
    label = np.arange(600) % 24
    rows = {"x": (label + rng.normal(size=600)).round(3).tolist(), "z": rng.normal(size=600).round(3).tolist(),
            "kind": [f"class {k}" for k in label]}  # fmt: skip
    return write_table(path / "many.csv", rows)


TABLES: dict[str, tuple[Callable[[Path], object], dict[str, Any], set[str], tuple[str, ...]]] = {
    "regression": (numbers_table, {"target": "pay"}, {"curves", "calibration"}, ("predicted", "residuals", "slice")),
    "classes": (lambda _: "iris", {}, set(), ("confusion", "roc", "dependence-3")),
    "ensemble": (lambda _: "iris", {"n_networks": 2}, set(), ("learning-curves", "slice")),
    "many classes": (many_classes, {"target": "kind"}, set(), ("roc", "importance-bars")),
    "reconstruction": (
        lambda _: "iris", {"task": "reconstruction"},
        {"curves", "calibration", "importance", "dependence", "boundary", "mistakes"}, ("learning-curves",),
    ),
    "images": (
        lambda path: str(save_classes(path / "drawings", 40, size=8)), {},
        {"importance", "dependence", "boundary"}, ("confusion", "precision-recall"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_every_kind_of_run_has_its_page(kind: str, tmp_path: Path) -> None:
    make, given, absent, pictures = TABLES[kind]
    pellucid.train(make(tmp_path), out=tmp_path / "run", **{**QUICK, **given})
    for rows in (True, False):
        text = report(tmp_path / "run", rows=rows).read_text(encoding="utf-8")
        tree = check(text)
        assert sections(tree) == [name for name in ALL if name not in absent]
        for name in pictures:
            assert f'id="{name}-figure_1"' in text, name
    unit = {"regression": "(variances of the target)", "reconstruction": "(variances of the inputs)"}
    assert unit.get(kind, "(nats)") in of_section(text, "learning")
    if kind == "reconstruction":
        assert "How much of each column is reconstructed" in text
    if kind == "many classes":
        assert "The most frequent confusions" in text
        assert "most frequent of 24 classes" in text


@pytest.mark.parametrize(("image", "new"), [(None, "new.csv"), (object(), "new-pictures/")])
def test_a_run_without_findings_is_used_next(image: object, new: str) -> None:
    run = SimpleNamespace(
        path=Path("my run"), findings=(), verdict=None, model=SimpleNamespace(image=image, forecaster=None)
    )
    _, command = _next_step(SimpleNamespace(run=run))  # type: ignore[arg-type]
    assert command == f"pellucid predict 'my run' {new} -o predictions.csv"


def test_training_writes_the_page_unless_asked_not_to(tmp_path: Path) -> None:
    pellucid.train("iris", out=tmp_path / "with", report=True, rows=False, **QUICK)
    pellucid.train("iris", out=tmp_path / "without", report=False, **QUICK)
    text = (tmp_path / "with" / "report.html").read_text(encoding="utf-8")
    assert "--no-rows" in of_section(text, "mistakes")
    assert not (tmp_path / "without" / "report.html").exists()


def test_runs_that_have_no_page(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError):
        report(tmp_path / "nowhere")
    rng = np.random.default_rng(0)
    table = {"x": rng.normal(size=80).tolist(), "y": rng.choice(["a", "b"], 80).tolist()}
    pellucid.train(table, target="y", out=tmp_path / "memory", **QUICK)
    with pytest.raises(RunFolderError, match="in memory"):
        report(tmp_path / "memory")
    pellucid.train("iris", out=tmp_path / "run", **QUICK)
    (tmp_path / "run" / "metrics.json").unlink()
    with pytest.raises(RunFolderError, match="has not ended"):
        report(tmp_path / "run")


# ── in a browser ──────────────────────────────────────────────────────────────────────────────────────────────


def opened(page: Path, profile: Path) -> tuple[str, list[str], list[str]]:
    """The page as headless Chromium made it, what its console said, and what it asked the network for."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium is installed: with one, pages are also opened in a browser")
    done = subprocess.run(
        [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", f"--log-net-log={profile}.json",
         "--enable-logging=stderr", "--v=0", "--timeout=20000", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=False, encoding="utf-8",
    )  # fmt: skip
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    network = Path(f"{profile}.json").read_text(encoding="utf-8", errors="replace")
    return done.stdout, console, re.findall(r"https?://evil\.example", network)


def test_a_browser_shows_it_without_a_word_and_asks_for_nothing(text: str, folder: Path, tmp_path: Path) -> None:
    shown, said, asked = opened(folder / "report.html", tmp_path / "profile")
    assert said == []
    assert asked == []
    tree = check(shown)
    assert sections(tree) == ALL
    assert len(tree.named("svg")) == text.count("<svg") == 11


def test_the_pages_policy_would_stop_what_got_through(text: str, tmp_path: Path) -> None:
    """And the browser's test sees what it is there to see."""
    planted = text.replace("<main", "<img src=http://evil.example/x.png><script>console.log('ran')</script><main")
    loose = re.sub(r"<meta http-equiv=.*?>", "", planted)
    found = {}
    for name, page in (("planted", planted), ("loose", loose)):
        (tmp_path / f"{name}.html").write_text(page, encoding="utf-8")
        found[name] = opened(tmp_path / f"{name}.html", tmp_path / name)
    _, said, asked = found["planted"]
    assert len([line for line in said if "Content Security Policy" in line]) == 2
    assert asked == []
    _, said, asked = found["loose"]
    assert any("ran" in line for line in said)
    assert asked


def test_without_validation_rows_nothing_is_called_validation(tmp_path: Path) -> None:
    run = pellucid.train("iris", validation=0, out=tmp_path / "run", **QUICK)
    text = report(run.path, out=tmp_path / "page.html").read_text(encoding="utf-8")
    assert "90 were used" not in text
    assert "120 were used for training and for choosing the best epoch" in text
    assert "the lowest training loss (there are no validation rows)" in text
    assert "lowest validation loss" not in text
    assert "validation from" not in text
