"""``pellucid predict``: predictions for new rows, without PyTorch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import with_reading
from pellucid.cli.streams import say

if TYPE_CHECKING:
    from pellucid.model.model import Model
    from pellucid.model.predicting import Predictions

__all__ = ["FILL", "STRICT", "predict"]

STRICT = typer.Option("--strict", help="Stop at a cell that cannot be read; otherwise it counts as missing.")
FILL = typer.Option("--fill-missing", help="Treat a column that DATA lacks as missing in every row; otherwise stop.")

_MOST_NOTES = 30


@with_reading
def predict(
    run: Annotated[str, typer.Argument(help="A run folder or a model file.")],
    data: Annotated[
        str | None,
        typer.Argument(
            help="A table with the model's columns (- is standard input), or images; a forecast needs none: it "
            "continues the series that it was trained on, or those of DATA."
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help="The file: CSV, Parquet or JSON lines, by its ending; default: the terminal. In CSV, an apostrophe "
            "keeps spreadsheets from running a text as a formula.",
        ),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--keep", metavar="COLUMNS", help="Columns of DATA to copy before the predictions: id,name; or all."
        ),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            "--interval",
            metavar="SHARE",
            help="For numbers: add an interval that holds the true value in this share of the rows, such as 0.9.",
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", metavar="N", help="For forecasts: how many steps; default: the horizon.")
    ] = None,
    fill_missing: Annotated[bool, FILL] = False,
    strict: Annotated[bool, STRICT] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print JSON lines; with -o, one object that includes the notes.")
    ] = False,
    *,
    how: dict[str, Any],
) -> None:
    """Predict each row: its class and probabilities, or its value; for a forecast, the next steps of its series."""
    from pellucid.errors import SettingError
    from pellucid.model.model import Model
    from pellucid.model.predicting import notes_to_json, predictions
    from pellucid.runs.output import check_ending, encode, with_kept, write_table
    from pellucid.runs.reads import check_output

    output = None if output == "-" else output
    ending = ".jsonl" if json else ".csv"
    if output is not None:
        ending = check_ending(output)
        check_output(output, run=run, data=data)
    model = Model.read(run)
    if model.forecaster is None and (data is None or steps is not None):
        what = "--steps is for" if data is not None else "which rows? Give DATA: only"
        raise SettingError(f"{what} models that forecast, and this one predicts {model.task.target!r} row by row")
    found = _forecast(model, data, keep, steps, interval, how) if model.forecaster is not None else predictions(
        model, open_rows(str(data)), keep=keep, interval=interval, strict=strict, fill_missing=fill_missing,
        as_written=ending == ".csv", how=how,
    )  # fmt: skip
    answers = with_kept(found.kept, found.answers, ending)
    say_notes(found.notes)
    if output is None:
        content, changed = encode(answers, ending, "this table")
        say(content.decode(), end="")
    else:
        changed = write_table(output, answers)
    for note in changed:
        say(f"note: {note}", error=True)
    if output is None:
        return
    if json:
        import json as json_

        told = notes_to_json([*found.notes, *changed])
        say(json_.dumps({"rows": answers.num_rows, "output": output, **told}, ensure_ascii=False))
    else:
        if model.forecaster is not None:
            say(f"{answers.num_rows:,} forecasts of {model.task.target!r} are in {output}")
            return
        of = f"predictions of {model.task.target!r}" if model.task.target else "reconstruction errors"
        say(f"{answers.num_rows:,} {of} are in {output}")


def _forecast(
    model: Model, data: str | None, keep: object, steps: int | None, interval: float | None, how: dict[str, Any]
) -> Predictions:
    """The next steps, with intervals of 0.9 where that is possible and no other share is asked for."""
    from pellucid.errors import SettingError
    from pellucid.model.predicting import Predictions

    if keep:
        raise SettingError("--keep is not for forecasts, whose rows are still to come: leave it out")
    rows = None if data is None else open_rows(data)
    found, notes = model.forecast_table(rows, steps=steps, interval=0.9 if interval is None else interval, how=how)
    return Predictions(answers=found, kept={}, notes=notes)


def say_notes(notes: Iterable[str]) -> None:
    """Print a line on standard error for each note; of those on columns, only the first ones."""
    from pellucid.data.notes import ColumnNote

    on_columns = 0
    for note in notes:
        on_columns += isinstance(note, ColumnNote)
        if not isinstance(note, ColumnNote) or on_columns <= _MOST_NOTES:
            say(f"note: {note}", error=True)
    if on_columns > _MOST_NOTES:
        say(f"note: and {on_columns - _MOST_NOTES:,} more such notes (see all with --json and -o)", error=True)


def open_rows(data: str) -> object:
    """The path itself, or the table of a built-in data set."""
    from pellucid.data.builtin import load_builtin
    from pellucid.data.given import is_builtin

    return load_builtin(data)[0] if is_builtin(data) else data
