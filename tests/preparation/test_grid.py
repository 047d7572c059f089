"""Which settings are given several values, and the command that trains one combination."""

from __future__ import annotations

import shlex
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from pellucid.cli.options import with_settings
from pellucid.errors import SettingError
from pellucid.preparation.folds import ROW_SETTINGS
from pellucid.preparation.grid import COMPARABLE, made_of, shown_setting, train_command
from pellucid.settings.presets import BEST
from pellucid.settings.settings import Settings


def test_every_combination_once_and_in_order() -> None:
    grid = made_of("t.csv", {"target": "y", "hidden": [(8,), (8, 4)], "activation": ("relu", "tanh", "relu")})
    assert [(s.hidden, s.activation) for s in grid.combinations] == [
        ((8,), "relu"), ((8,), "tanh"), ((8, 4), "relu"), ((8, 4), "tanh"),
    ]  # fmt: skip
    assert all(s.target == "y" for s in grid.combinations)
    assert grid.varied == {"hidden": ((8,), (8, 4)), "activation": ("relu", "tanh")}
    assert grid.values(grid.combinations[3]) == {"hidden": (8, 4), "activation": "tanh"}


@pytest.mark.parametrize(
    ("given", "networks"),
    [
        ((64, 32), [(64, 32)]),
        ([64, 32], [(64, 32)]),
        ("64,32", [(64, 32)]),
        (["64,32"], [(64, 32)]),
        (["64,32", "64"], [(64, 32), (64,)]),
        ([(64,), [64, 32], ()], [(64,), (64, 32), ()]),
        ([64, (32, 16)], [(64,), (32, 16)]),
        (["none", "8"], [(), (8,)]),
    ],
)
def test_a_list_of_widths_is_one_network_and_a_list_of_lists_several(given: Any, networks: list[Any]) -> None:
    assert [each.hidden for each in made_of("t.csv", {"hidden": given}).combinations] == networks


def test_settings_that_are_lists_stay_whole() -> None:
    grid = made_of("t.csv", {"drop": ["a", "b"], "learning_rate": [1, 2]})
    assert len(grid) == 2
    assert grid.combinations[0].drop == ("a", "b")
    assert made_of("t.csv", {"image_size": (28, 28)}).combinations[0].image_size == (28, 28)
    assert made_of("t.csv", {"seed": [3]}).combinations[0].seed == 3


def test_later_sources_go_first_and_the_same_value_is_one() -> None:
    grid = made_of("t.csv", {"epochs": [1, 2], "dropout": 0.1}, {"epochs": ["7", 7, 7.0]})
    assert len(grid) == 1
    assert (grid.combinations[0].epochs, grid.combinations[0].dropout) == (7, 0.1)
    optional = made_of("t.csv", {"patience": [None, "none", 5]})
    assert optional.varied == {"patience": (None, 5)}


@pytest.mark.parametrize("name", ["seed", "target", "test", "task", "group", "time", "validation", "header", "verdict"])
def test_what_decides_the_rows_takes_one_value(name: str) -> None:
    usual = getattr(Settings(), name)
    value = [False, True] if isinstance(usual, bool) or name == "header" else ["auto", "binary"]
    value = {"seed": [1, 2], "test": [0.1, 0.2], "validation": [0.1, 0.2]}.get(name, value)
    with pytest.raises(SettingError, match=f"{name} takes one value in a comparison, got 2"):
        made_of("t.csv", {name: value})


def test_wrong_names_and_values() -> None:
    with pytest.raises(SettingError, match="did you mean 'hidden'"):
        made_of("t.csv", {"hiden": [(1,), (2,)]})
    with pytest.raises(SettingError, match=r"activation 'sillu'.*'silu'"):
        made_of("t.csv", {"activation": ["relu", "sillu"]})
    with pytest.raises(SettingError, match="empty list"):
        made_of("t.csv", {"activation": []})


def test_every_setting_is_either_compared_or_decides_the_rows() -> None:
    told = {"verdict", "report", "rows"}  # of the outcome, whatever the settings
    assert set(COMPARABLE) | set(ROW_SETTINGS) | told == {each.name for each in fields(Settings)}
    assert not set(COMPARABLE) & set(ROW_SETTINGS)


OTHER: dict[str, Any] = {
    "target": "my column", "drop": ("a b", "-c"), "missing": ("?", "n/a"), "header": False, "image_size": (28, 14),
    "hidden": (), "batch_norm": True, "learning_rate": 1.2345678e-07, "patience": None, "clip_norm": 0.5,
    "activation": "silu", "dropout": 0.1, "separator": ";", "rare_below": 3, "batch_size": 17,
}  # fmt: skip


def test_the_command_is_read_as_the_same_settings(tmp_path: Path) -> None:
    """What is pasted into a terminal comes to the very settings that it was made from."""
    read: list[Any] = []

    @with_settings
    def train(data: str, *, settings: dict[str, Any]) -> None:
        read.append((data, Settings.of(settings)))

    app = typer.Typer()
    app.command()(train)
    many = [Settings(**{name: value}) for name, value in OTHER.items()] + [Settings(**OTHER), Settings(hidden=(8, 4))]
    many.append(Settings.of({"preset": "best", **OTHER, "patience": 20}))
    for settings in many:
        words = shlex.split(train_command("a table's.csv", settings))
        assert words[:2] == ["pellucid", "train"]
        done = CliRunner().invoke(app, words[2:])
        assert done.exit_code == 0, done.output
        assert read[-1] == ("a table's.csv", settings)


def test_a_preset_brings_its_values_and_what_is_given_goes_before_them() -> None:
    grid = made_of("t.csv", {"target": "y", "preset": ["plain", "best"], "epochs": [3, 7]})
    assert grid.combinations == tuple(
        Settings.of({"target": "y", "preset": preset, "epochs": epochs})
        for preset in ("plain", "best")
        for epochs in (3, 7)
    )
    best = grid.combinations[3]
    assert best.number_encoding == BEST["number_encoding"] != Settings().number_encoding
    assert train_command("t.csv", best) == "pellucid train t.csv --preset best --target y --epochs 7"
    changed = replace(best, batch_norm=True, patience=20)  # 20 is the default of Settings, and not of the preset
    command = train_command("t.csv", changed)
    assert command == "pellucid train t.csv --preset best --target y --batch-norm --epochs 7 --patience 20"


def test_the_command_leaves_out_what_is_usual() -> None:
    assert train_command("iris", Settings(target="species")) == "pellucid train iris"
    assert train_command("iris", Settings(target="species", seed=2)) == "pellucid train iris --seed 2"
    called = train_command({"x": [1], "y": [2]}, Settings(target="y", hidden=(8,), scaling="robust"))
    assert called == "pellucid.train(data, target='y', scaling='robust', hidden=(8,))"


def test_values_in_a_table() -> None:
    assert shown_setting("learning_rate", 0.003) == "0.003"
    assert shown_setting("patience", None) == "none"
    assert shown_setting("hidden", ()) == "none"
    assert shown_setting("threads", None) == "auto"
