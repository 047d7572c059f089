"""``pellucid init``: a commented config.yaml to start from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from pellucid.cli.options import with_settings
from pellucid.cli.streams import say

__all__ = ["init"]


@with_settings
def init(
    data: Annotated[str, typer.Argument(help="A table, or a built-in data set.")],
    *,
    output: Annotated[str, typer.Option("-o", "--output", help="The file to write.")] = "config.yaml",
    config: Annotated[str | None, typer.Option("-c", "--config", help="A config.yaml; options override it.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
    settings: dict[str, Any],
) -> None:
    """Examine DATA and write a config.yaml with every setting and a comment on each."""
    from pellucid.errors import RunFolderError
    from pellucid.io.files import write_text
    from pellucid.preparation.prepare import examine, settings_for
    from pellucid.runs.reads import check_output
    from pellucid.settings.config import read_config, write_config

    if Path(output).exists() and not overwrite:
        raise RunFolderError(f"{output!r} already exists: choose another file with -o, or use --overwrite")
    check_output(output, data=[data, config, settings.get("test_data")])
    from_file = {} if config is None else read_config(config)[0]
    *_, ready = examine(data, settings_for(data, from_file, settings))
    write_text(output, write_config(ready, data, heading=f"pellucid train -c {shlex.quote(output)}"))
    say(f"{output} is written; train with: pellucid train -c {shlex.quote(output)}")
