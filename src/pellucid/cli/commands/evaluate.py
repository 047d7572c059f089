"""``pellucid evaluate``: how good a model is on rows with a known target."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pellucid.cli.commands.predict import FILL, STRICT
from pellucid.cli.options import with_reading
from pellucid.cli.streams import say

__all__ = ["evaluate"]


@with_reading
def evaluate(
    run: Annotated[str, typer.Argument(help="A run folder or a model file.")],
    data: Annotated[str, typer.Argument(help="Rows with the target column: a table, or images with labels.")],
    fill_missing: Annotated[bool, FILL] = False,
    strict: Annotated[bool, STRICT] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    *,
    how: dict[str, Any],
) -> None:
    """Measure a model on DATA; each metric has a 95 % interval."""
    from pellucid.cli.commands.predict import open_rows
    from pellucid.evaluation.metrics import metrics_to_json
    from pellucid.model.known_rows import TRAINED_ON
    from pellucid.model.model import Model

    model = Model.read(run)
    metrics, n_rows, remarks = model.evaluation(open_rows(data), strict=strict, fill_missing=fill_missing, how=how)
    if not any(TRAINED_ON in remark for remark in remarks) and of_training_rows(
        run, data
    ):  # of a file of an older Pellucid
        remarks = (
            *remarks,
            f"these are the rows of this run: {TRAINED_ON}, so this says little about new rows",
        )
    if json:
        import json as json_

        from pellucid.model.predicting import notes_to_json

        say(json_.dumps({**metrics_to_json(metrics), **notes_to_json(remarks)}, ensure_ascii=False))
        return
    from pellucid.cli.console import console, metrics_table, notes

    console.print(metrics_table(metrics, {}, f"On {n_rows:,} rows of {data}"))
    notes(remarks)


def of_training_rows(run: str, data: str) -> bool:
    """Whether ``data`` is what the run in this folder was trained on."""
    from pathlib import Path

    from pellucid.data.files.standard_input import is_standard_input
    from pellucid.errors import PellucidError
    from pellucid.runs.folder import RunFolder
    from pellucid.settings.config import read_config

    try:
        _, source = read_config(RunFolder.existing(run).file("config"))
    except (PellucidError, OSError):
        return False
    return (
        not is_standard_input(data)
        and source is not None
        and (source == data or Path(source).absolute() == Path(data).absolute())
    )
