"""``pellucid predict``: answers for new rows, without PyTorch."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pellucid.cli.options import with_reading
from pellucid.cli.streams import say

__all__ = ["predict"]


@with_reading
def predict(
    run: Annotated[str, typer.Argument(help="A run folder or a model file.")],
    data: Annotated[str, typer.Argument(help="A table with the columns the model knows (- is piped in), or images.")],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help="CSV (where an apostrophe keeps spreadsheets from running a text), Parquet or JSON lines, by its "
            "ending; - or nothing is the terminal.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON lines; with -o, one object.")] = False,
    *,
    how: dict[str, Any],
) -> None:
    """Predict the target of each row: its class and probabilities, or its value; or how badly it is reconstructed."""
    from pellucid.workflow.model import Model
    from pellucid.workflow.output import check_ending, encode, write_table
    from pellucid.workflow.reads import check_output

    output = None if output == "-" else output
    if output is not None:
        check_ending(output)
        check_output(output, run=run, data=data)
    model = Model.read(run)
    table = model.table(open_rows(data), **how)
    answers = model.prediction_table(table)
    for note in model.remarks(table):
        say(f"note: {note}", error=True)
    if output is None:
        content, changed = encode(answers, ".jsonl" if json else ".csv", "this table")
        say(content.decode(), end="")
    else:
        changed = write_table(output, answers)
    for note in changed:
        say(f"note: {note}", error=True)
    if output is None:
        return
    if json:
        import json as json_

        say(json_.dumps({"rows": answers.num_rows, "output": output}))
    else:
        of = f"predictions of {model.task.target!r}" if model.task.target else "reconstruction errors"
        say(f"{answers.num_rows:,} {of} are in {output}")


def open_rows(data: str) -> object:
    """A path as it is, or the table of a built-in set."""
    from pellucid.data.builtin import load_builtin
    from pellucid.workflow.sources import is_builtin

    return load_builtin(data)[0] if is_builtin(data) else data
