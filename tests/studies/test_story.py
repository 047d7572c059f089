"""What a study tells, how it is run by name, where it is kept, and the command line around it."""

from __future__ import annotations

import base64
import errno
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import RunFolderError, SettingError, StorageError
from pellucid.plots import canvas
from pellucid.studies import CATALOGUE, folder, run
from pellucid.studies.catalogue import function_of, settings_of
from pellucid.studies.story import Block, Heading, Paragraph, Picture, Story, Table, plain, shown
from tests.running import Result
from tests.running import pellucid as command

WRITTEN = sorted(name for name in CATALOGUE if importlib.util.find_spec(CATALOGUE[name].module))


@dataclass(frozen=True, kw_only=True, eq=False)
class Figures:
    loss: float
    weights: np.ndarray
    names: tuple[str, ...] = ("a", "b")


def small_story(*, pictures: bool = True, listener: Callable[[Block], None] = lambda block: None) -> Story:
    story = Story(listener, pictures=pictures)
    story.heading("First <part>")
    story.say("One sentence\n    over two lines & more.")
    story.table("Pipes", ("name|x", "value"), [("a|b", -1234.5), ("c", None)])
    story.draw("drawing", draw, "A drawing <here>.")
    story.close(learned="That 1 < 2.", try_next="pellucid study neuron")
    story.result = Figures(loss=float("nan"), weights=np.array([[1.0, np.inf]]))
    return story


def draw() -> Any:
    figure, (axis,) = canvas.panels(title="a line")
    axis.plot([0, 1], [0, 1])
    axis.set(xlabel="x", ylabel="y")
    return figure


# ── telling ──


def test_blocks_come_in_order_and_reach_the_listener() -> None:
    heard: list[Block] = []
    story = small_story(listener=heard.append)
    assert story.blocks == heard
    assert [type(block) for block in heard] == [Heading, Paragraph, Table, Picture, Paragraph, Paragraph]
    assert [block.role for block in heard if isinstance(block, Paragraph)] == ["text", "learned", "next"]


def test_without_pictures_nothing_is_drawn() -> None:
    story = Story(pictures=False)
    story.draw("x", lambda: pytest.fail("drawn"), "caption")
    assert story.blocks == []
    assert story.pictures == ()


def test_markdown() -> None:
    assert small_story().to_markdown() == "\n".join(
        [
            "## First <part>", "",
            "One sentence over two lines & more.", "",
            "**Pipes**", "",
            "| name\\|x | value |", "|---|---:|", "| a\\|b | −1,234 |", "| c | — |", "",
            "![A drawing <here>.](drawing.png)", "", "*A drawing <here>.*", "",
            "**What was learned.** That 1 < 2.", "",
            "Next: `pellucid study neuron`", "",
        ]
    )  # fmt: skip


def test_html_escapes_and_holds_the_picture() -> None:
    html = small_story()._repr_html_()
    for piece in ("<h3>First &lt;part&gt;</h3>", "lines &amp; more.", "<b>What was learned.</b> That 1 &lt; 2.",
                  "<caption>Pipes</caption>", "<td>a|b</td>", "<code>pellucid study neuron</code>",
                  'alt="A drawing &lt;here&gt;."'):  # fmt: skip
        assert piece in html, piece
    (data,) = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    assert base64.b64decode(data).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "—"), (True, "yes"), (np.bool_(False), "no"), (7, "7"), (np.int64(-12345), "-12,345"), (0.0, "0"),
        (-0.5, "−0.5"), (1234567.0, "1,234,567"), (np.float32(0.25), "0.25"), (float("nan"), "—"), ("text", "text"),
        (-1.87e-6, "−1.87 × 10⁻⁶"),
    ],
)  # fmt: skip
def test_a_cell_as_text(cell: Any, text: str) -> None:
    assert shown(cell).replace("−", "-") == text.replace("−", "-")


def test_only_columns_of_numbers_are_set_flush_right() -> None:
    story = Story()
    story.table("t", ("n", "share", "range", "mixed"), [(1, "50 %", "0.1 – 0.2", 3), (None, "−5 %", "—", "x")])
    (table,) = story.blocks
    assert isinstance(table, Table)
    assert table.numeric == (True, True, True, False)


def test_a_row_of_another_length_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError):
        Story().table("t", ("a", "b"), [(1,)])


def test_plain_values_are_strict_json() -> None:
    value = plain({1: Figures(loss=float("inf"), weights=np.array([1.5, np.nan])), "n": np.int64(3), "t": (1, None)})
    assert value == {"1": {"loss": None, "weights": [1.5, None], "names": ["a", "b"]}, "n": 3, "t": [1, None]}
    json.dumps(value, allow_nan=False)


def test_save(tmp_path: Path) -> None:
    small_story().save(tmp_path / "deep" / "s", title="A title")
    assert {path.name for path in (tmp_path / "deep" / "s").iterdir()} == {
        "drawing.png", "drawing.svg", "results.json", "story.md",
    }  # fmt: skip
    told = (tmp_path / "deep" / "s" / "story.md").read_text(encoding="utf-8")
    assert told.startswith("# A title\n\n## First <part>")
    kept = json.loads((tmp_path / "deep" / "s" / "results.json").read_text(encoding="utf-8"))
    assert kept == {"loss": None, "weights": [[1.0, None]], "names": ["a", "b"]}
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="is a file"):
        small_story().save(tmp_path / "file")


# ── the catalogue ──


def test_run_by_name() -> None:
    heard: list[Block] = []
    story = run("neuron", pictures=False, listener=heard.append, activation="tanh")
    assert heard == story.blocks
    assert story.result.output == pytest.approx(np.tanh(0.25))
    assert pellucid.study is run


def test_run_says_what_is_not_known() -> None:
    with pytest.raises(SettingError, match=r"no study 'neurons'; did you mean 'neuron'\?"):
        run("neurons")
    with pytest.raises(SettingError, match=r"no setting 'activatoin'; did you mean 'activation'\?"):
        run("neuron", activatoin="relu")


@pytest.mark.parametrize("name", WRITTEN)
def test_every_setting_of_every_study_has_a_kind_a_help_and_a_default(name: str) -> None:
    assert callable(function_of(name))
    for setting in settings_of(name):
        assert setting.help
        allowed = (int, float, str, bool, tuple[int, ...])
        assert setting.kind in allowed or setting.kind in [each | None for each in allowed], setting.name
        if setting.default is None:
            assert setting.kind not in allowed, setting.name
    fixed = dict(CATALOGUE[name].fixed)
    assert not fixed.keys() & {setting.name for setting in settings_of(name)}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_study_that_is_only_imported_loads_nothing_heavy(name: str) -> None:
    code = f"import sys, {CATALOGUE[name].module}\nprint(*{{m.partition('.')[0] for m in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not set(done.stdout.split()) & {"torch", "matplotlib", "sklearn", "scipy", "typer", "rich"}


# ── the folder ──


def keep(out: Path | None = None) -> Path:
    return folder.keep(small_story(), "neuron", {"activation": "relu", "sizes": (1, 2)}, out)


def test_keep_takes_the_next_free_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [keep().as_posix() for _ in range(3)] == ["runs/neuron-1", "runs/neuron-2", "runs/neuron-3"]
    assert {path.name for path in Path("runs").iterdir()} == {"neuron-1", "neuron-2", "neuron-3"}
    settings = json.loads(Path("runs/neuron-1/settings.json").read_text(encoding="utf-8"))
    assert settings == {"study": "neuron", "settings": {"activation": "relu", "sizes": [1, 2]}}


def test_keep_where_it_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert keep(empty) == empty
    assert (empty / "story.md").is_file()
    assert keep(tmp_path / "new" / "one").is_dir()
    with pytest.raises(RunFolderError, match="not empty"):
        keep(empty)
    with pytest.raises(RunFolderError, match="is a file"):
        keep(empty / "story.md")


FAULTS = ("story.md", "results.json", "settings.json", "drawing.png", "drawing.svg")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("file", FAULTS)
def test_a_folder_is_kept_whole_or_not_at_all(
    file: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.open

    def failing(self: Path, *arguments: Any, **named: Any) -> Any:
        if file in self.name:
            raise OSError(code, os.strerror(code))
        return real(self, *arguments, **named)

    monkeypatch.setattr(Path, "open", failing)
    with pytest.raises(StorageError, match=re.escape(file)):
        keep(tmp_path / "runs" / "s")
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_name_that_cannot_be_taken_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: Path, target: Any) -> Any:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    real = Path.rename
    monkeypatch.setattr(
        Path,
        "rename",
        lambda self, target: (failing if self.suffix == ".part" and self.is_dir() else real)(self, target),
    )
    with pytest.raises(StorageError, match="could not write") as raised:
        keep(tmp_path / "s")
    kept = Path(str(raised.value).rpartition("kept in ")[2])
    assert (kept / "story.md").is_file()
    assert (kept / "settings.json").is_file()


def test_the_folder_in_which_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    keep(Path())
    assert {"story.md", "results.json", "settings.json", "drawing.png"} <= {path.name for path in tmp_path.iterdir()}
    assert not list(tmp_path.glob(".*.part"))


def test_a_dangling_link_is_not_a_free_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    Path("runs/neuron-1").symlink_to(tmp_path / "nowhere")
    assert keep().as_posix() == "runs/neuron-2"


def test_a_name_that_another_took_meanwhile_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    real = Path.rename

    def overtaken(self: Path, target: Any) -> Any:
        if Path(target).name == "neuron-1":
            Path(target).mkdir()
            (Path(target) / "story.md").write_text("another's")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    assert keep().as_posix() == "runs/neuron-2"
    assert Path("runs/neuron-1/story.md").read_text() == "another's"


# ── the command line ──


def pellucid_study(*arguments: str, cwd: Path, code: int = 0) -> Result:
    return command("study", *arguments, cwd=cwd, code=code)


def test_the_list_names_every_study(tmp_path: Path) -> None:
    for arguments in (("--help",), ()):
        listed = pellucid_study(*arguments, cwd=tmp_path).stdout
        positions = [re.search(rf"^\W*{name}\s", listed, re.MULTILINE) for name in CATALOGUE]
        assert all(positions)
        starts = [found.start() for found in positions if found]
        assert starts == sorted(starts)


def test_the_help_of_a_study_names_its_settings(tmp_path: Path) -> None:
    helped = pellucid_study("gates", "--help", cwd=tmp_path).stdout
    for option in ("--gate", "--lr", "--epochs", "--seed", "--out", "--show", "--no-show", "--json"):
        assert option in helped
    assert "[default: 100]" in helped
    assert list(tmp_path.iterdir()) == []


def test_a_study_is_told_and_kept(tmp_path: Path) -> None:
    done = pellucid_study("gates", "--gate", "not", "--out", "here", cwd=tmp_path)
    for piece in ("NOT: 1 where the input is 0", "picture lines.png", "What was learned.",
                  "Next: pellucid study gates --gate XOR", "Text, figures and pictures are in here"):  # fmt: skip
        assert piece in done.stdout, piece
    assert {path.name for path in (tmp_path / "here").iterdir()} == {
        "lines.png", "lines.svg", "results.json", "settings.json", "story.md",
    }  # fmt: skip
    pellucid_study("gates", "--out", "here", cwd=tmp_path, code=2)


def test_json_is_one_object_and_nothing_else(tmp_path: Path) -> None:
    done = pellucid_study("chain-rule", "--w", "-3", "--lr", "0.5", "--json", cwd=tmp_path)
    facts = json.loads(done.stdout)
    assert (facts["study"], facts["folder"]) == ("chain-rule", "runs/chain-rule-1")
    assert facts["result"]["y"] == -5
    kept = json.loads((tmp_path / "runs" / "chain-rule-1" / "results.json").read_text(encoding="utf-8"))
    assert kept == facts["result"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nueron",), "did you mean 'neuron'?"),
        (("neuron", "--activation", "rellu"), "did you mean 'relu'?"),
        (("gates", "--epochs", "2.5"), "epochs must be a whole number, got '2.5'"),
        (("gates", "--lr", "fast"), "lr must be a number, got 'fast'"),
        (("gates", "--sped", "1"), "there is no option '--sped'; did you mean '--seed'?"),
    ],
)
def test_a_wrong_word_is_said_and_nothing_is_kept(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = pellucid_study(*arguments, cwd=tmp_path, code=2)
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        ([184.6, 6.8804, -0.00004], ["184.6", "6.9", "0.0"]),
        ([0.5, None, 0.25], ["0.50", "—", "0.25"]),
        ([1.0, 2.0], ["1", "2"]),
        ([556580.0, 1234.5], ["556,580", "1,234"]),
        ([0.1, 1e-5], ["0.1", "1 × 10⁻⁵"]),  # a learning rate is no 0
        ([2.0, -1.87e-6], ["2", "0"]),
        (["a", 1, 0.5], ["a", "1", "0.5"]),
    ],
)
def test_the_numbers_of_a_column_have_one_precision(cells: list[Any], texts: list[str]) -> None:
    story = Story()
    story.table("t", ("column",), [(cell,) for cell in cells])
    (table,) = story.blocks
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == texts


def test_a_table_without_rows_is_a_table() -> None:
    story = Story()
    story.table("t", ("a", "b"), [])
    assert "| a | b |" in story.to_markdown()
