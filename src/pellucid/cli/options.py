"""The settings as command-line options, made from `Settings` so that nothing is said twice."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Annotated, Any

import typer

from pellucid.settings.rules import Choice
from pellucid.settings.settings import READING, SECTIONS, Settings

__all__ = ["with_reading", "with_settings"]

_CONFIG = inspect.Parameter(
    "config",
    inspect.Parameter.KEYWORD_ONLY,
    default=None,
    annotation=Annotated[str | None, typer.Option("-c", "--config", help="A config.yaml; options go before it.")],
)


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give ``command`` one option a setting and ``--config``; what the user wrote reaches it as ``settings``."""
    own = inspect.signature(command, eval_str=True)
    options = [_option(each) for each in fields(Settings)]
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
    """Give ``command`` the options that say how a file is read; what the user wrote reaches it as ``how``."""
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


def _option(each: Any) -> inspect.Parameter:
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
        help=facts["help"] + _options(facts["rule"]) + _default(each.default),
        rich_help_panel=SECTIONS[facts["section"]],
        show_default=False,
        metavar=None if facts["is_flag"] else _metavar(each),
    )
    return inspect.Parameter(
        each.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option]
    )


def _options(rule: object) -> str:
    return f": {', '.join(rule.options)}" if isinstance(rule, Choice) else ""


def _metavar(each: Any) -> str:
    if isinstance(each.metadata["rule"], Choice):
        return "WORD"
    if each.name in ("hidden", "names"):
        return "N,N" if each.name == "hidden" else "NAMES"
    if isinstance(each.default, tuple) or each.name in ("target", "group", "time", "sample_weight"):
        return "COLUMN" if each.name != "missing" else "TEXT"
    numbers = ("threads", "batch_size", "patience", "clip_norm", "rare_below", "header_row")
    return "N" if isinstance(each.default, int | float) or each.name in numbers else "TEXT"


def _default(value: Any) -> str:
    if value is None or value == () or isinstance(value, bool):
        return ""
    shown = ",".join(map(str, value)) if isinstance(value, tuple) else value
    return f" ({shown})"
