"""The settings as command-line options, made from `Settings`."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import Annotated, Any

import typer

from pellucid.settings.defaults import default_in_words
from pellucid.settings.rules import Choice
from pellucid.settings.sections import READING, SECTIONS
from pellucid.settings.settings import Settings

__all__ = ["with_reading", "with_settings"]

_METAVARS = {"hidden": "N,N", "channels": "N,N", "names": "NAMES", "missing": "WORD", "image_size": "HxW"}
_NUMBERS = (
    "threads", "batch_size", "patience", "clip_norm", "rare_below", "header_row", "bins", "max_words", "max_unpacked",
    "image_channels", "depth", "train_minutes",
)  # fmt: skip
_OF_COLUMNS = ("target", "group", "time", "sample_weight", "series_id", "series_time")
_CONFIG = inspect.Parameter(
    "config",
    inspect.Parameter.KEYWORD_ONLY,
    default=None,
    annotation=Annotated[str | None, typer.Option("-c", "--config", help="A config.yaml; options override it.")],
)


def with_settings(command: Callable[..., None], *, preset: str = "") -> Callable[..., None]:
    """Give ``command`` an option for each setting, and ``--config``; it gets what the user wrote as ``settings``.

    ``preset`` is the one that the command starts from, where that is not the usual one of the data.
    """
    own = inspect.signature(command, eval_str=True)
    options = [_option(each, preset) for each in _by_section()]
    names = {option.name for option in options}
    rest = [p for p in own.parameters.values() if p.name != "settings"]
    if "config" not in own.parameters:
        rest.append(_CONFIG)
    parameters = rest + options

    @functools.wraps(command)
    def wrapped(**arguments: Any) -> None:
        settings = {name: v for name, v in arguments.items() if name in names and v not in (None, [])}
        others = {name: v for name, v in arguments.items() if name not in names}
        if "config" not in own.parameters and (config := others.pop("config")) is not None:
            from pellucid.settings.config import read_config

            settings = {**read_config(config)[0], **settings}
        command(**others, settings=settings)

    wrapped.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapped


def with_reading(command: Callable[..., None]) -> Callable[..., None]:
    """Give ``command`` the options that say how to read a file; it gets what the user wrote as ``how``."""
    own = inspect.signature(command, eval_str=True)
    options = [_option(each) for each in fields(Settings) if each.name in READING]
    parameters = [*(p for p in own.parameters.values() if p.name != "how"), *options]

    @functools.wraps(command)
    def wrapped(**arguments: Any) -> None:
        how = {name: v for name, v in arguments.items() if name in READING and v not in (None, [])}
        command(**{name: v for name, v in arguments.items() if name not in READING}, how=how)

    wrapped.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapped


def _by_section() -> list[Field[Any]]:
    """The settings in the order of the sections of help."""
    order = list(SECTIONS)
    return sorted(fields(Settings), key=lambda each: order.index(each.metadata["section"]))


def _option(each: Any, preset: str = "") -> inspect.Parameter:
    facts: Mapping[str, Any] = each.metadata
    dashed = "--" + each.name.replace("_", "-")
    many = isinstance(each.default, tuple) and each.name not in ("hidden", "names")
    if facts["is_flag"]:
        declared = [f"{dashed}/--no-{dashed[2:]}"]
        kind: Any = bool | None
    else:
        declared = [dashed, *facts["flags"]]
        kind = (list[str] if many else str) | None
    option = typer.Option(
        *declared,
        help=_help(each, preset),
        rich_help_panel=SECTIONS[facts["section"]],
        show_default=False,
        metavar=_metavar(each),
    )
    return inspect.Parameter(
        each.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option]
    )


def _help(each: Any, preset: str) -> str:
    """The setting's line of help, the words that it may be, and what it is where it is not given."""
    said, rule, usual = each.metadata["help"], each.metadata["rule"], default_in_words(each.name)
    usual = preset if preset and each.name == "preset" else usual
    options = rule.options if isinstance(rule, Choice) else ()
    if re.split(r"\W", said, maxsplit=1)[0] not in options:  # a word that is typed keeps its small letter
        said = said[0].upper() + said[1:]
    if not all(re.search(rf"\b{re.escape(word)}\b", said) for word in options):
        said += f". One of {' '.join(options) if ',' in options else ', '.join(options)}"
    # Help is read as Rich's markup, where a bracket before a letter begins a style.
    return f"{said}." + (f" \\[default: {usual}]" if usual else "")


def _metavar(each: Any) -> str:
    if each.metadata["is_flag"]:
        return ""
    if isinstance(each.metadata["rule"], Choice):
        return "WORD"
    if each.name in _METAVARS:
        return _METAVARS[each.name]
    if isinstance(each.default, tuple) or each.name in _OF_COLUMNS:
        return "COLUMN"
    return "N" if isinstance(each.default, int | float) or each.name in _NUMBERS else "TEXT"
