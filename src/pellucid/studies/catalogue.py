"""The list of studies, and how to run one by its name."""

from __future__ import annotations

import importlib
import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pellucid.errors import SettingError, nearest

if TYPE_CHECKING:
    from pellucid.studies.story import Block, Story

__all__ = ["CATALOGUE", "WORDS", "Entry", "Setting", "base_of", "function_of", "run", "settings_of"]

LARGEST = 2**31 - 1  # the largest whole number accepted: a seed has to fit every library
WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple: "whole numbers, such as 16,8",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the list of studies."""

    title: str
    module: str
    fixed: tuple[tuple[str, Any], ...] = ()  # settings fixed by this name


def _entry(title: str, module: str, **fixed: Any) -> Entry:
    return Entry(title=title, module=f"pellucid.studies.{module}", fixed=tuple(fixed.items()))


CATALOGUE: dict[str, Entry] = {
    "gates": _entry("A perceptron learns AND, OR, NAND and NOT, and fails on XOR", "basics.gates"),
    "neuron": _entry("One neuron and one small network by hand, every number with its shape", "basics.neuron"),
    "activations": _entry("Every activation and its derivative; softmax", "basics.activations"),
    "chain-rule": _entry("Backpropagation with numbers: one weight, then two layers", "basics.chain_rule"),
    "xor": _entry("XOR from scratch and in PyTorch, and why the initial weights matter", "tables.xor"),
    "circles": _entry("Linear against non-linear on two circles; how lucky was the seed?", "tables.circles"),
    "iris": _entry("Three species of iris, then a better network; activations compared", "tables.iris"),
    "mlp": _entry("BatchNorm, Dropout and weight decay at work; each loss on a task it suits", "tables.mlp"),
    "overfitting": _entry("A network that memorises, and four remedies, alone and together", "tables.overfitting"),
    "mistakes": _entry("The common mistakes, made on purpose, and what Pellucid says", "basics.mistakes"),
    "convolution": _entry(
        "Filters by hand, stride and padding, shared weights; a digit is shifted under two networks",
        "images.convolution",
    ),
    "shapes": _entry("Funnel, same, hourglass, depth 1 to 5; an autoencoder of digits", "images.shapes"),
    "mnist": _entry(
        "Handwritten digits: predictions, mistakes and the confusion matrix", "images.mnist", dataset="mnist"
    ),
    "fashion": _entry("The same network on pictures of clothes", "images.mnist", dataset="fashion"),
    "photos": _entry(
        "Colour pictures of your own: filters, feature maps, and where the network looked", "images.photos"
    ),
    "memory": _entry("Remember the first symbol over many steps: RNN, LSTM, GRU and attention", "sequences.memory"),
}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A setting of a study, read from its function's signature: ``Annotated[kind, "help"] = default``."""

    name: str
    kind: Any  # int, float, str, bool or tuple[int, ...]; None may also be allowed
    help: str
    default: Any


def function_of(name: str) -> Callable[..., Any]:
    """The function ``study(story, **settings)`` of a study; raises `SettingError` naming the closest match."""
    if name not in CATALOGUE:
        raise SettingError(f"there is no study {name!r}{nearest(name, CATALOGUE)}")
    function: Callable[..., Any] = importlib.import_module(CATALOGUE[name].module).study
    return function


def settings_of(name: str) -> tuple[Setting, ...]:
    """The settings of a study, in order, without those fixed by its name.

    >>> [setting.name for setting in settings_of("circles")][:3]
    ['hidden', 'activation', 'lr']
    """
    function = function_of(name)
    hints = typing.get_type_hints(function, include_extras=True)
    fixed = dict(CATALOGUE[name].fixed)
    settings = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.name in fixed:
            continue
        kind, text = typing.get_args(hints[parameter.name])
        settings.append(Setting(name=parameter.name, kind=kind, help=text, default=parameter.default))
    return tuple(settings)


def run(
    name: str,
    *,
    pictures: bool = True,
    listener: Callable[[Block], None] = lambda block: None,
    **settings: Any,
) -> Story:
    """Run a study; the story has ``result``, ``pictures`` and ``save``, and displays itself in a notebook.

    Parameters
    ----------
    name
        One of `CATALOGUE`.
    pictures
        Whether to draw pictures.
    listener
        Called with each block as it is told.
    settings
        Settings of the study, as in ``pellucid study NAME --help``.

    Raises
    ------
    SettingError
        Unknown study, unknown setting, or an invalid value.

    >>> run("neuron", pictures=False).result.output
    0.25
    """
    from pellucid.studies.story import Story

    function = function_of(name)
    kinds = {setting.name: setting.kind for setting in settings_of(name)}
    for given in settings:
        if given not in kinds:
            hint = nearest(given, kinds) if kinds else "; it has none"
            raise SettingError(f"the study {name!r} has no setting {given!r}{hint}")
    checked = {given: _checked(given, value, kinds[given]) for given, value in settings.items()}
    story = Story(listener, pictures=pictures)
    story.settings = {setting.name: setting.default for setting in settings_of(name)} | checked
    story.result = function(story, **dict(CATALOGUE[name].fixed), **checked)
    return story


def base_of(kind: Any) -> tuple[Any, bool]:
    """The type itself (``tuple`` for a sequence of numbers), and whether ``None`` is allowed.

    >>> base_of(int), base_of(tuple[int, ...]), base_of(str | None)
    ((<class 'int'>, False), (<class 'tuple'>, False), (<class 'str'>, True))
    """
    parts = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    real = [part for part in parts if part is not type(None)]
    return typing.get_origin(real[0]) or real[0], len(parts) > len(real)


def _checked(name: str, value: Any, kind: Any) -> Any:
    """The value as the study takes it, or `SettingError`."""
    base, optional = base_of(kind)
    if value is None and optional:
        return None
    if base is tuple:
        if isinstance(value, list | tuple) and all(type(part) is int for part in value):
            return tuple(value)
    elif type(value) is base or (base is float and type(value) is int):
        if base is int and abs(value) > LARGEST:
            raise SettingError(f"{name} must be at most {LARGEST:,}, got {value!r}")
        return base(value)
    raise SettingError(f"{name} must be {WORDS[base]}{' or None' if optional else ''}, got {value!r}")
