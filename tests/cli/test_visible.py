"""Whatever a user's table, names and words hold, no control character comes out of a command."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from pellucid.cli import usage
from pellucid.cli.console import VisibleConsole
from pellucid.cli.streams import Stream
from pellucid.errors import DataError
from pellucid.visible import one_line, visible
from tests.reports.pages import check
from tests.running import pellucid

HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
ESC, TITLE, CSI = "\x1b[2J", "\x1b]0;title\x07", "\x9b31m"
TARGET, FILE, RUN = f"y{TITLE}", "t[bold]\x1b[31m.csv", "r[red]\u202e\x1b"
CELLS = [
    f"{ESC}p",
    "[/]q",
    "\u202er\u200b",
    "a\rb",
    "c\td",
    ":smile:",
    f"{CSI}e",
    "[link=http://x]f",
    "\u2028g",
    "\x7fh",
]
COLUMNS = [f"a{ESC}[/]", "[bold]b[/] $x$", "</script>\x1b\"'c"]
TRAINING = ("--preset", "plain", "--engine", "textbook", "--epochs", 2, "--threads", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hostile table, and a run of it."""
    folder = tmp_path_factory.mktemp("hostile")
    with (folder / FILE).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow([*COLUMNS, TARGET])
        for i in range(120):
            label = [f"{ESC}yes[/]", "[b]no\u202e"][(i * 7) % 11 > 5]
            writer.writerow([f"{(i * 7) % 11 + i / 200:.3f}", CELLS[i % 10], f"{i * 37 % 41}", label])
    seen(pellucid("train", FILE, "--target", TARGET, *TRAINING, "--out", RUN, cwd=folder), folder / RUN)
    return folder


def seen(done: subprocess.CompletedProcess[str], written: Path | None = None) -> str:
    """What was shown, which is visible; so are the texts that were written to be read."""
    shown = str(done.stdout) + str(done.stderr)
    assert not HIDDEN.search(shown), HIDDEN.findall(shown)
    for name in ("log.txt", "report.html", "story.md"):
        if written is not None and (written / name).exists():
            text = (written / name).read_text(encoding="utf-8")
            assert not HIDDEN.search(text.replace("\t", "")), (name, HIDDEN.findall(text))
    return shown


COMMANDS: dict[str, tuple[object, ...]] = {
    "inspect a table": ("inspect", FILE),
    "inspect a table as JSON": ("inspect", FILE, "--json"),
    "inspect a run": ("inspect", RUN),
    "evaluate": ("evaluate", RUN, FILE),
    "predict": ("predict", RUN, FILE),
    "predict as JSON": ("predict", RUN, FILE, "--json"),
    "predict to a file": ("predict", RUN, FILE, "-o", "[red]\x1b.parquet"),
    "explain all": ("explain", RUN, FILE, "--budget", 500),
    "explain a row": ("explain", RUN, FILE, "--row", 2, "--budget", 500),
    "mistakes": ("mistakes", RUN, FILE),
    "trace": ("trace", RUN, FILE, "--row", 2),
    "trace to a page": ("trace", RUN, FILE, "--row", 2, "--html", "[red]\x1b.html"),
    "units": ("units", RUN, FILE, "--out", "[red]\x1b u"),
    "boundary": ("boundary", RUN, "--x", COLUMNS[0], "--y", COLUMNS[2], "--out", "[red]\x1b.svg"),
    "doctor of a run": ("doctor", RUN),
    "doctor of a table": ("doctor", FILE, "--target", TARGET, *TRAINING),
    "report": ("report", RUN),
    "resume": ("train", RUN, "--resume"),
    "init": ("init", FILE, "--target", TARGET, "-o", "[red]\x1b.yaml"),
    "compare": ("compare", FILE, "--target", TARGET, *TRAINING, "--hidden", 2, "--hidden", 3, "--folds", 2),
    "lottery": ("lottery", FILE, "--target", TARGET, *TRAINING, "--seeds", 5, "--out", "[red]\x1b l"),
    "lr": ("lr", FILE, "--target", TARGET, "--threads", 1, "--out", "[red]\x1b lr"),
    "study": ("study", "gates", "--out", "[red]\x1b g"),
}
REFUSED: dict[str, tuple[object, ...]] = {
    "no file": ("predict", RUN, f"no{ESC}"),
    "no run": ("evaluate", f"no{ESC}", FILE),
    "no column": ("train", FILE, "--target", f"no{ESC}"),
    "no command": (f"no{ESC}",),
    "no option": ("train", FILE, f"--no{ESC}\n\u202e"),
    "no number": ("mistakes", RUN, FILE, "--most", f"no{ESC}"),
    "too many arguments": ("evaluate", RUN, FILE, f"no{ESC}"),
    "no study": ("study", f"no{ESC}"),
    "no lesson": ("learn", f"no{ESC}"),
    "no word": ("train", FILE, "--target", TARGET, "--optimizer", f"no{ESC}"),
    "no class": ("explain", RUN, FILE, "--row", 1, "--class", f"no{ESC}"),
    "no cells": ("trace", RUN, "--input", f"no{ESC}=1"),
    "no script": ("doctor", f"no{ESC}.py"),
    "a folder there": ("train", FILE, "--target", TARGET, *TRAINING, "--out", RUN),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_command_shows_is_visible(command: str, folder: Path) -> None:
    arguments = COMMANDS[command]
    done = pellucid(*arguments, cwd=folder)
    shown = seen(done)
    if "--json" in arguments:
        for line in done.stdout.splitlines():
            json.loads(line)
    if command == "predict as JSON":  # written out as JSON has it, so nothing is lost
        assert {json.loads(line)["prediction"] for line in done.stdout.splitlines()} <= {f"{ESC}yes[/]", "[b]no\u202e"}
    if command == "inspect a table":
        assert "\\x1b" in shown
        assert "[/]" in shown
    if command == "trace to a page":
        assert not HIDDEN.search((folder / "[red]\x1b.html").read_text(encoding="utf-8").replace("\t", ""))


@pytest.mark.parametrize("command", REFUSED)
def test_what_is_refused_is_said_in_visible_words(command: str, folder: Path) -> None:
    shown = seen(pellucid(*REFUSED[command], cwd=folder, code=2))
    assert shown.startswith("error: ")
    assert "\\x1b" in shown


def test_pages_escape_what_they_quote(folder: Path) -> None:
    pellucid("report", RUN, cwd=folder)
    text = (folder / RUN / "report.html").read_text(encoding="utf-8")
    tree = check(text)
    assert "script" not in [tag for tag, _ in tree.tags]
    assert "</script>" in "".join(tree.words)


def test_everything_on_a_standard_stream_is_visible() -> None:
    """Also what a library prints, and a traceback."""
    code = (
        "import sys, warnings\n"
        "from pellucid.cli.streams import open_streams\n"
        "open_streams()\n"
        f"print({ESC!r}); warnings.warn({ESC!r})\n"
        f"raise ValueError({CSI!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False)
    assert not HIDDEN.search(done.stdout + done.stderr)
    assert done.stdout == "\\x1b[2J\n"
    assert "\\u009b31m" in done.stderr


def test_a_terminal_gets_colours_and_no_control_of_others() -> None:
    sink = io.StringIO()
    console = VisibleConsole(file=sink, force_terminal=True, width=60, highlight=False, color_system="standard")
    table = Table(title=ESC)
    table.add_column(ESC)
    table.add_row(f"{CSI} cell")
    console.print(f"[bold]name[/] {ESC}", Text(ESC), table)
    plain = re.sub("\x1b\\[[0-9;]*m", "", sink.getvalue())  # what Rich itself writes: colours
    assert sink.getvalue() != plain
    assert not HIDDEN.search(plain)
    lines = [line for line in plain.splitlines() if "│" in line or "━" in line or "─" in line]
    assert len({len(line) for line in lines}) == 1  # the table is straight


@pytest.mark.parametrize("text", ["plain", "café 年齢 🙂 ∂L/∂z −0.5", "two\nlines"])
def test_what_has_a_shape_stays(text: str) -> None:
    assert visible(text) == text


def test_every_control_and_format_character_is_written_out() -> None:
    import unicodedata

    signs = {0x600, 0x601, 0x602, 0x603, 0x604, 0x605, 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}  # seen
    for code in (*range(0x3000), *range(0xD800, 0xE000), 0xFEFF, 0xE0001, 0xE0041):
        kind = unicodedata.category(chr(code))
        if kind in ("Cc", "Cf", "Cs", "Zl", "Zp") and code != 0x0A and code not in signs:
            assert visible(chr(code)).isascii(), hex(code)
            assert visible(visible(chr(code))) == visible(chr(code))
    assert one_line("a\nb\x1b") == "a\\nb\\x1b"


def test_json_says_the_same_when_written_out() -> None:
    words = ["\x1b\x7f\x9b\u202e\u2028", "\ud800"]
    assert json.loads(visible(json.dumps(words, ensure_ascii=False))) == words


def test_an_error_keeps_what_it_was_given_and_shows_it_visibly() -> None:
    error = DataError(f"column {ESC}")
    assert str(error) == "column \\x1b[2J"
    assert error.args == (f"column {ESC}",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("predict", "the argument RUN is missing: A run folder or a model file; see: pellucid predict --help"),
        ("predict a b c d", "unexpected argument 'c d'; see: pellucid predict --help"),
        ("predict a b --outputt x", "no option '--outputt'; did you mean '--output'?; see: pellucid predict --help"),
        ("predict a b -o", "-o needs a value; see: pellucid predict --help"),
        ("mistakes a -n x", "--most must be a whole number of at least 1, got 'x'; see: pellucid mistakes --help"),
        ("mistakes a --most=0", "--most must be a whole number of at least 1, got '0'"),
        ("mistakes a -n-3", "--most must be a whole number of at least 1, got '-3'"),
        ("check iris --steps 100001", "--steps must be a whole number from 1 to 100,000, got '100001'"),
        ("search iris --minutes q", "--minutes must be a number, got 'q'; see: pellucid search --help"),
        ("train --quiet=3", "--quiet is a switch and takes no value, got '3'; see: pellucid train --help"),
        ("trainn", "no such command 'trainn'"),
        ("train iris --epochs x", "epochs must be a whole number"),
    ],
)
def test_a_wrong_command_line_is_told_by_option_rule_value_and_remedy(line: str, said: str, tmp_path: Path) -> None:
    done = pellucid(*line.split(), cwd=tmp_path, code=2, literal=True)
    assert said in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_the_root_of_usage_errors_is_found() -> None:
    assert usage.UsageProblem.__name__ == "ClickException"


def test_a_stream_that_fails_stops_nothing() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

        def fileno(self) -> int:
            raise OSError("none")

    stream = Stream(Full())
    assert stream.write("a") == 1
    assert stream.write("b") == 1
    failure = stream.failure()
    assert failure is not None
    assert failure.errno == 28
