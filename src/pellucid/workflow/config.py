"""``config.yaml``: written with a sentence for every line, read with every line checked."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from pellucid.errors import SettingError, StorageError
from pellucid.files import could_not
from pellucid.workflow.settings import SECTIONS, Settings

__all__ = ["CONFIG_FILE", "read_config", "write_config"]

CONFIG_FILE = "config.yaml"
_MAX_BYTES = 1 << 20
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
                lines.append(f"{line}  # {each.metadata['help']}")
    return "\n".join(lines) + "\n"


def read_config(path: str | os.PathLike[str]) -> tuple[dict[str, Any], str | None]:
    """The settings that a file gives, and its ``data``; names are checked by `Settings.of`.

    Raises
    ------
    SettingError
        The file is no YAML mapping; names the line.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise StorageError(could_not("read", path, error)) from error
    if len(content) > _MAX_BYTES:
        raise SettingError(f"{os.fspath(path)!r} is larger than 1 MiB: is it a config file?")
    try:
        value = yaml.safe_load(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise SettingError(f"{os.fspath(path)!r} is not YAML ({where}{problem})") from error
    except (RecursionError, ValueError) as error:
        raise SettingError(f"{os.fspath(path)!r} is not YAML that a config could be ({error})") from error
    if value is None:
        return {}, None
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise SettingError(f"{os.fspath(path)!r} must hold lines of the form 'name: value'")
    settings = dict(value)
    data = settings.pop("data", None)
    if data is not None and not isinstance(data, str):
        raise SettingError(f"data in {os.fspath(path)!r} must be a path or a built-in name, got {data!r}")
    return settings, data


def _line(name: str, value: Any) -> str:
    # Escaped where a character cannot be printed: PyYAML writes some line breaks so that it reads them as spaces.
    words = value if isinstance(value, list) else [value]
    plain = all(word.isprintable() for word in words if isinstance(word, str))
    style = None if plain else '"'
    shown = yaml.safe_dump(value, default_style=style, default_flow_style=True, allow_unicode=plain, width=math.inf)
    return f"{name}: {shown.removesuffix(_END_OF_DOCUMENT).rstrip(_NEWLINE)}"
