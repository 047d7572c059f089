"""``pellucid init``: a commented config.yaml to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pellucid.cli.options import with_settings
from pellucid.cli.streams import say

__all__ = ["init"]


@with_settings
def init(
    data: Annotated[str, typer.Argument(help="A table, or the name of a built-in set.")],
    *,
    output: Annotated[str, typer.Option("-o", "--output", help="Where to write it.")] = "config.yaml",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    settings: dict[str, Any],
) -> None:
    """Look at DATA and write a config.yaml with every setting, commented."""
    from pellucid.errors import RunFolderError
    from pellucid.files import write_text
    from pellucid.workflow.config import write_config
    from pellucid.workflow.prepare import examine, settings_for

    if Path(output).exists() and not overwrite:
        raise RunFolderError(f"{output!r} is there already: name another with -o, or give --overwrite")
    *_, ready = examine(data, settings_for(data, settings))
    write_text(output, write_config(ready, data, heading=f"pellucid train -c {output}"))
    say(f"{output} is written; train with: pellucid train -c {output}")
