"""``config.yaml``: every line is written with a comment, and checked when it is read."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from pellucid.data.files.standard_input import is_standard_input
from pellucid.errors import SettingError, StorageError
from pellucid.io.files import could_not, open_plain
from pellucid.io.guarded_yaml import MAX_BYTES, parse
from pellucid.settings.rules import shown
from pellucid.settings.sections import SECTIONS
from pellucid.settings.settings import Settings

__all__ = ["CONFIG_FILE", "RUN_HEADING", "holds_run", "is_there_again", "read_config", "trained_on", "write_config"]

CONFIG_FILE = "config.yaml"
RUN_HEADING = "every setting of this run, resolved"  # the first line of a run's config.yaml, which no other has
_SAVED = ("model.safetensors", "history.csv")  # what a run saved without its config.yaml consists of
_OVERRIDDEN = "; every line below overrides them"
_NEWLINE, _END_OF_DOCUMENT = "\n", "...\n"


def write_config(settings: Settings, data: str | None, *, heading: str = "") -> str:
    """The settings as commented YAML.

    >>> print(write_config(Settings(target="species"), "iris").splitlines()[0])
    data: iris
    """
    lines = [f"# {heading}", ""] if heading else []
    lines += [_line("data", data)]
    for section, title in SECTIONS.items():
        lines += ["", f"# {title}"]
        for each in fields(Settings):
            if each.metadata["section"] == section:
                value = getattr(settings, each.name)
                line = _line(each.name, list(value) if isinstance(value, tuple) else value)
                lines.append(f"{line}  # {each.metadata['help']}{_OVERRIDDEN if each.name == 'preset' else ''}")
    return "\n".join(lines) + "\n"


def read_config(path: str | os.PathLike[str]) -> tuple[dict[str, Any], str | None]:
    """The settings in a file, and its ``data``; the names are checked by `Settings.of`.

    A run that does not name its network is older than the choice: it has a fully connected one.

    Raises
    ------
    SettingError
        The file is not a YAML mapping, or uses YAML that no config needs (see `pellucid.io.guarded_yaml`).
    StorageError
        The file cannot be read.
    """
    try:
        with open_plain(path) as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise StorageError(could_not("read", path, error)) from error
    value = parse(content, what=repr(os.fspath(path)))
    if value is None:
        return {}, None
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise SettingError(f"{os.fspath(path)!r} must hold lines of the form 'name: value'")
    settings = dict(value)
    data = settings.pop("data", None)
    if data is not None and not isinstance(data, str):
        raise SettingError(f"data in {os.fspath(path)!r} must be a path or a built-in name, got {shown(data)}")
    if content.startswith(f"# {RUN_HEADING}".encode()):
        settings.setdefault("network", "mlp")
    return settings, data


def holds_run(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder holds a run, judged by its file names and the first line of its config.yaml."""
    config = Path(folder) / CONFIG_FILE
    if not config.is_file():
        return all((Path(folder) / name).is_file() for name in _SAVED)
    try:
        with config.open(encoding="utf-8") as stream:
            return stream.readline().strip() == f"# {RUN_HEADING}"
    except (OSError, ValueError):
        return False


def is_there_again(source: str | None) -> bool:
    """Whether a run's table can be read again, judged by the ``data`` of its config."""
    return source is not None and not is_standard_input(source)


def trained_on(source: str | None) -> str:
    """Why a run's table cannot be read again.

    >>> trained_on("-")
    'this run was trained on standard input, which cannot be read again'
    """
    what = "standard input, which cannot be read again" if source is not None else "a table in memory"
    return f"this run was trained on {what}"


def _line(name: str, value: Any) -> str:
    # Escaped if a character cannot be printed: PyYAML writes some line breaks in a way that it reads as spaces.
    words = value if isinstance(value, list) else [value]
    plain = all(word.isprintable() for word in words if isinstance(word, str))
    style = None if plain else '"'
    shown = yaml.safe_dump(value, default_style=style, default_flow_style=True, allow_unicode=plain, width=math.inf)
    return f"{name}: {shown.removesuffix(_END_OF_DOCUMENT).rstrip(_NEWLINE)}"
