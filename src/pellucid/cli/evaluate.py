"""``pellucid evaluate``: how good a model is on rows whose target is known."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pellucid.cli.options import with_reading
from pellucid.cli.streams import say

__all__ = ["evaluate"]


@with_reading
def evaluate(
    run: Annotated[str, typer.Argument(help="A run folder or a model file.")],
    data: Annotated[str, typer.Argument(help="Rows with the target column: a table, or images with labels.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    *,
    how: dict[str, Any],
) -> None:
    """Measure a model on DATA, each metric with a 95 % interval."""
    from pellucid.cli.predict import open_rows
    from pellucid.evaluation.metrics import metrics_to_json
    from pellucid.workflow.model import Model

    model = Model.read(run)
    metrics, n_rows, remarks = model.evaluation(model.table(open_rows(data), **how))
    if json:
        import json as json_

        say(json_.dumps(metrics_to_json(metrics)))
        return
    from pellucid.cli.console import console, metrics_table, notes

    console.print(metrics_table(metrics, {}, f"On {n_rows:,} rows of {data}"))
    notes(remarks)
    if of_training_rows(run, data):
        notes(["these are the rows that the run was made of: most were trained on, so this says little about new rows"])


def of_training_rows(run: str, data: str) -> bool:
    """Whether ``data`` is what the run in this folder was trained on."""
    from pathlib import Path

    from pellucid.data.standard_input import is_standard_input
    from pellucid.errors import PellucidError
    from pellucid.workflow.config import read_config
    from pellucid.workflow.folder import RunFolder

    try:
        _, source = read_config(RunFolder.existing(run).file("config"))
    except (PellucidError, OSError):
        return False
    return (
        not is_standard_input(data)
        and source is not None
        and (source == data or Path(source).absolute() == Path(data).absolute())
    )
