"""Settings with several values: every combination of them, and the command that trains one."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

from pellucid.data.given import holds_images
from pellucid.errors import SettingError, nearest
from pellucid.preparation.folds import ROW_SETTINGS
from pellucid.preparation.prepare import settings_for
from pellucid.settings.settings import Settings, setting_names

__all__ = ["COMPARABLE", "Grid", "changed_command", "made_of", "option_words", "shown_setting", "train_command"]

_SECTIONS = ("preset", "preprocessing", "network", "training", "machine")
_FIELDS = {each.name: each for each in fields(Settings)}
COMPARABLE = tuple(n for n, each in _FIELDS.items() if each.metadata["section"] in _SECTIONS)
_AUTO = (
    "batch_size",
    "bins",
    "channels",
    "depth",
    "epochs",
    "hidden",
    "rare_below",
    "threads",
)  # None means that Pellucid chooses; for other settings, that there is none
_LISTS = ("channels", "hidden")  # one value is a list of numbers


@dataclass(frozen=True, kw_only=True)
class Grid:
    """All combinations of the values of each setting.

    Parameters
    ----------
    varied
        The settings with more than one value, in the order in which they were given.
    combinations
        One `Settings` each; the values of the last setting change fastest.
    """

    varied: Mapping[str, tuple[Any, ...]]
    combinations: tuple[Settings, ...]

    def __len__(self) -> int:
        """How many combinations there are."""
        return len(self.combinations)

    def values(self, settings: Settings) -> dict[str, Any]:
        """The values of one combination for the settings that vary."""
        return {name: getattr(settings, name) for name in self.varied}


def made_of(data: object, *given: Mapping[str, Any]) -> Grid:
    """The grid of settings that are given one value or a list of values; later mappings override earlier ones.

    A list is several values, except for settings that are a list themselves: ``drop=["a", "b"]`` are two columns, and
    ``hidden=[64, 32]`` is one network of two layers; ``hidden=[(64,), (64, 32)]`` are two networks.

    Raises
    ------
    SettingError
        A name or a value is not known, or one of `ROW_SETTINGS` is given several values.

    >>> grid = made_of("iris", {"hidden": [(8,), (8, 4)], "learning_rate": ["1e-2", 0.01], "epochs": 5})
    >>> dict(grid.varied), len(grid), grid.combinations[1].learning_rate
    ({'hidden': ((8,), (8, 4))}, 2, 0.01)
    """
    merged: dict[str, Any] = {}
    for source in given:
        merged |= source
    single: dict[str, tuple[Any, ...]] = {}
    several: dict[str, tuple[Any, ...]] = {}
    for name, value in merged.items():
        if name not in _FIELDS:
            raise SettingError(f"there is no setting {name!r}{nearest(str(name), setting_names())}")
        values = _values(name, value)
        (single if len(values) == 1 else several)[name] = values
    fixed = {name: value for name, (value,) in single.items()}
    # Each is built from what was given: a preset among the values sets others, which these override.
    combinations = tuple(
        settings_for(data, fixed, dict(zip(several, values, strict=True))) for values in product(*several.values())
    )
    return Grid(varied=several, combinations=combinations)


def _values(name: str, given: Any) -> tuple[Any, ...]:
    """The different values that are given, each checked by the setting's rule."""
    rule = _FIELDS[name].metadata["rule"]
    several = given if isinstance(given, list | tuple) else None
    if name in _LISTS:
        of_networks = several is not None and any(isinstance(each, list | tuple | str) for each in several)
        several = several if of_networks else None
    elif name not in COMPARABLE:
        several = given if isinstance(given, list) and not isinstance(_FIELDS[name].default, tuple) else None
    if several is None:
        return (rule(name, given),)
    if not several:
        raise SettingError(f"{name} is given an empty list of values: give one or more")
    values = tuple(dict.fromkeys(rule(name, each) for each in several))
    if len(values) > 1 and name not in COMPARABLE:
        why = "decides which rows and columns there are" if name in ROW_SETTINGS else "does not affect the score"
        raise SettingError(
            f"{name} takes one value in a comparison, got {len(values)}: it {why}; compare settings of "
            "preprocessing, network, training and machine"
        )
    return values


def shown_setting(name: str, value: Any) -> str:
    """A value in a table, as the command line would take it.

    >>> shown_setting("hidden", (64, 32)), shown_setting("batch_norm", True), shown_setting("batch_size", None)
    ('64,32', 'yes', 'auto')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == ():
        return "auto" if value is None and name in _AUTO else "none"
    if name == "image_size":
        return "x".join(map(str, value))
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def train_command(data: object, settings: Settings) -> str:
    """The command that trains with these settings: a line for the terminal, or Python if the rows are in memory.

    >>> train_command("my table.csv", Settings(target="y", hidden=(8,), learning_rate=0.01, batch_norm=True))
    "pellucid train 'my table.csv' --target y --hidden 8 --batch-norm --lr 0.01"
    """
    usual = replace(settings_for(data, {"preset": settings.preset}), preset=settings_for(data).preset)
    given = {n: v for n in _FIELDS if (v := getattr(settings, n)) != getattr(usual, n)}
    if settings.network == ("cnn" if holds_images(data) else "mlp"):
        given.pop("network", None)  # what auto would choose
    if not isinstance(data, str | os.PathLike):
        arguments = ("data", *(f"{name}={value!r}" for name, value in given.items()))
        return f"pellucid.train({', '.join(arguments)})"
    words = ["pellucid", "train", os.fspath(data)]
    for name, value in given.items():
        words += option_words(name, value)
    return shlex.join(words)


def changed_command(
    change: Mapping[str, Any], data: object, settings: Settings, config: str | os.PathLike[str] | None = None
) -> str:
    """The command that trains again with some settings changed.

    Parameters
    ----------
    change
        The settings to change, by name.
    data, settings
        What the run was trained on, and with.
    config
        The run's ``config.yaml``, if there is one: the command then takes all other settings from it.

    >>> changed_command({"learning_rate": 0.1}, "iris", Settings(), "run/config.yaml")
    'pellucid train -c run/config.yaml --lr 0.1'
    """
    if config is None:
        return train_command(data, Settings.of(settings.to_json(), change))
    words = [word for name, value in change.items() for word in option_words(name, value)]
    return shlex.join(["pellucid", "train", "-c", os.fspath(config), *words])


def option_words(name: str, value: Any) -> list[str]:
    """A setting as words of the command line.

    >>> option_words("learning_rate", 0.01), option_words("batch_norm", False)
    (['--lr', '0.01'], ['--no-batch-norm'])
    """
    dashed, each = "--" + name.replace("_", "-"), _FIELDS[name]
    if each.metadata["is_flag"]:
        return [dashed if value else f"--no-{dashed[2:]}"]
    flag = each.metadata["flags"][0] if each.metadata["flags"] else dashed
    many = isinstance(each.default, tuple) and name != "hidden"
    words = [str(v) for v in value] if many else [shown_setting(name, value)]
    return [part for word in words for part in ([f"{flag}={word}"] if word.startswith("-") else [flag, word])]
