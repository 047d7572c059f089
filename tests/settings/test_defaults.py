"""What the help says a setting is where it is not given is what runs on tables and on images really use."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.preparation.members import prepare_run
from pellucid.preparation.prepare import settings_for
from pellucid.settings.config import read_config
from pellucid.settings.presets import PRESETS
from pellucid.settings.settings import Settings
from tests.running import pellucid

pytestmark = pytest.mark.usefixtures("usual_preset", "usual_outcome")

RNG = np.random.default_rng(5)
TABLE = {"a": RNG.normal(size=60), "b": RNG.normal(size=60), "y": ["no", "yes"] * 30}
IMAGES = {"image": RNG.integers(0, 255, (40, 4, 4)).astype(np.uint8), "y": ["no", "yes"] * 20}
# Nobody can type these: the file itself says what is used.
FOUND_IN_THE_FILE = {"header", "header_row", "separator", "encoding", "sheet", "table"}
# Decided by the rows, where it is asked to be automatic.
DECIDED_BY_ROWS = {
    "ensemble", "target_transform", "task", "target", "batch_size", "epochs", "network", "hidden", "channels", "depth",
}  # fmt: skip


@pytest.fixture
def usual_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests do without the verdict and the report, which take time."""
    for name in ("verdict", "report"):
        monkeypatch.setitem(Settings.__init__.__kwdefaults__, name, Settings.__dataclass_fields__[name].default)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of each setting the default that ``pellucid train --help`` names, if it names one."""
    folder = tmp_path_factory.mktemp("help")
    shown = pellucid("train", "--help", cwd=folder, apart=True, literal=True, columns=400).stdout
    options = re.findall(r"^│ +--([a-z-]+).*?(?:\[default: (.+?)\] +)?│$", shown, flags=re.M)
    return {name.replace("-", "_"): default for name, default in options}


def typed(said: dict[str, str], preset: str) -> dict[str, Any]:
    """What a user would have to type to get the defaults that the help names for a preset."""
    found: dict[str, Any] = {"preset": preset}
    for each in fields(Settings):
        default = said[each.name]
        if each.name == "preset" or each.name in FOUND_IN_THE_FILE or not default:
            continue
        if default.startswith("by preset: "):
            default = re.search(rf"(?:: |, ){preset} (.+?)(?=, (?:{'|'.join(PRESETS)}) |$)", default)[1]  # type: ignore[index]
        found[each.name] = default
    return found


def test_every_setting_has_an_option(said: dict[str, str]) -> None:
    assert {each.name for each in fields(Settings)} <= set(said)


@pytest.mark.parametrize("preset", PRESETS)
def test_typing_the_defaults_changes_nothing(said: dict[str, str], preset: str) -> None:
    assert Settings.of(typed(said, preset)) == Settings.of({"preset": preset})


def test_a_setting_that_presets_decide_names_each_of_them(said: dict[str, str]) -> None:
    assert said["n_networks"] == "by preset: best 4, quick 1, pictures 1, series 4, sequences 1, forecasts 4, plain 1"
    decided = {name for values in PRESETS.values() for name, value in values.items() if value != vars(Settings())[name]}
    assert {name for name, default in said.items() if default.startswith("by preset: ")} == decided


@pytest.mark.parametrize(("kind", "data"), [("tables", TABLE), ("images", IMAGES)])
def test_a_run_uses_what_the_help_says(said: dict[str, str], kind: str, data: dict[str, Any]) -> None:
    preset = re.search(rf"(\w+) for (?:\w+ and )?{kind}", said["preset"])[1]  # type: ignore[index]
    used = prepare_run(data, settings_for(data, {"target": "y"})).settings
    expected = Settings.of(typed(said, preset))
    for each in fields(Settings):
        if each.name not in DECIDED_BY_ROWS | {"image_size", "image_channels"}:
            assert getattr(used, each.name) == getattr(expected, each.name), each.name


def test_init_writes_what_a_run_uses(said: dict[str, str], tmp_path: Path) -> None:
    lines = ["a,b,y", *(f"{a},{b},{y}" for a, b, y in zip(*TABLE.values(), strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    pellucid("init", "t.csv", "--target", "y", cwd=tmp_path, literal=True)
    written = Settings.of(read_config(tmp_path / "config.yaml")[0])
    assert written == Settings.of(typed(said, "best"), {"target": "y", "task": written.task})
    assert "every line below overrides" in (tmp_path / "config.yaml").read_text()


def test_a_search_names_the_preset_that_it_starts_from(tmp_path: Path) -> None:
    shown = pellucid("search", "--help", cwd=tmp_path, columns=400).stdout
    assert re.search(r"--preset.*\[default: quick\]", shown)
