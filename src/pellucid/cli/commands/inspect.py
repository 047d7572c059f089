"""``pellucid inspect``: what is in a table, or in a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from pellucid.cli.options import with_settings
from pellucid.cli.streams import say

if TYPE_CHECKING:
    from pellucid.model.model import Model
    from pellucid.training.history import Epoch

__all__ = ["InspectCommand", "inspect"]

_MANY_DROPPED = 12


class InspectCommand(TyperCommand):
    """``--augment`` may stand without a value here: auto."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, with the value that was left out."""
        given = []
        for word, after in zip(args, [*args[1:], "-"], strict=True):
            given += [word, "auto"] if word == "--augment" and after.startswith("-") else [word]
        return super().parse_args(ctx, given)


@with_settings
def inspect(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN|DATA", help="A run folder, a model file, a table (- is standard input), or images."
        ),
    ],
    *,
    all_: Annotated[bool, typer.Option("--all", help="Show all columns of a wide table.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    out: Annotated[
        str, typer.Option(metavar="FILE", help="With --augment: the sheet of examples, .png or .svg.")
    ] = "augmented.png",
    config: Annotated[str | None, typer.Option("-c", "--config", help="A config.yaml; options override it.")] = None,
    settings: dict[str, Any],
) -> None:
    """Show the schema of a table, of images or of series, or the network, preprocessing and history of a run.

    With --augment, draw what training would do to a few of the images.
    """
    if _is_run(Path(what)):
        _inspect_run(what, json=json, whole=all_)
    else:
        _inspect_table(what, settings, config, json=json, whole=all_, out=out)


def _is_run(path: Path) -> bool:
    """Whether it is a model file, or a folder other than one of images or series."""
    if path.suffix == ".safetensors" or not path.is_dir():
        return path.suffix == ".safetensors"
    from pellucid.data.given import is_images, is_series
    from pellucid.runs.folder import FILES

    of_run = any((path / FILES[name]).exists() for name in ("config", "model"))
    return of_run or not (is_images(path) or is_series(path))


def _inspect_table(data: str, typed: dict[str, Any], config: str | None, *, json: bool, whole: bool, out: str) -> None:
    from pellucid.preparation.division import split_of
    from pellucid.preparation.doubts import notes_of_doubts
    from pellucid.preparation.prepare import examine, settings_for
    from pellucid.settings.config import read_config

    settings = settings_for(data, {} if config is None else read_config(config)[0], typed)
    draws = "augment" in typed and settings.augment != "none"
    if draws:
        from pellucid.inspection.slice import check_picture
        from pellucid.runs.reads import check_output

        check_output(check_picture(out), data=[data, config])
    table, schema, _, settings = examine(data, settings)
    said = notes_of_doubts(table, schema, settings, split_of)
    sheet = None
    if draws:
        from pellucid.inspection.augmented import augmented_of

        sheet = augmented_of(table, settings.augment, settings.target, seed=settings.seed)
        sheet.save(out)
    if json:
        noted = [*table.report.notes, *said]
        drawn = {} if sheet is None else {"augmentation": sheet.augmentation.to_json(), "out": out}
        _print_json({"rows": table.report.n_rows, "notes": noted, "schema": schema.to_json(), **drawn})
        return
    from rich.markup import escape

    from pellucid.cli.console import console, notes, reading_line, schema_table

    console.print(escape(reading_line(table.report)) + "\n")
    console.print(schema_table(schema, whole=whole))
    notes([*table.report.notes, *schema.warnings, *said])
    if sheet is not None:
        console.print(f"\n{sheet.sentence[0].upper()}{sheet.sentence[1:]}.", markup=False, soft_wrap=True)
        console.print(f"The picture is {out}", markup=False, soft_wrap=True)


def _inspect_run(path: str, *, json: bool, whole: bool) -> None:
    from pellucid.runs.run import Run, load

    opened = load(path)
    model, histories = (opened.model, opened.histories) if isinstance(opened, Run) else (opened, ())
    history = histories[0] if histories else ()
    if json:
        from dataclasses import asdict

        _print_json(
            {
                "task": model.task.to_json(),
                "network": model.network.to_json(),
                "parameters": model.network.n_trainable,
                "n_networks": len(model.members),
                "features": list(model.recipe.feature_names),
                "recipe": model.recipe.to_json(),
                "history": [asdict(epoch) for epoch in history],
                **_more_histories([[asdict(epoch) for epoch in each] for each in histories]),
                **model.facts,
            }
        )
        return
    try:
        _show_run(model, history, _timed_ensemble(path, model), whole=whole)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        from pellucid.errors import ModelFileError

        raise ModelFileError(f"the facts about the run in {path!r} were not written by Pellucid ({error!r})") from error


def _more_histories(histories: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """The histories of an ensemble; nothing for one network."""
    return {"histories": histories} if len(histories) > 1 else {}


def _timed_ensemble(path: str, model: Model) -> Mapping[str, Any] | None:
    """The facts on the ensemble from the model file, or from the run folder, which also has the training time."""
    import json

    from pellucid.runs.folder import FILES

    facts: Mapping[str, Any] | None = model.facts["metrics"].get("ensemble")
    if facts is None or not Path(path).is_dir():
        return facts
    try:
        written = json.loads((Path(path) / FILES["metrics"]).read_text(encoding="utf-8"))
        timed: Mapping[str, Any] = written["ensemble"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return facts
    return timed


def _show_run(model: Model, history: Sequence[Epoch], ensemble: Mapping[str, Any] | None, *, whole: bool) -> None:
    from rich.markup import escape

    from pellucid.cli.console import (
        console,
        history_table,
        layers_table,
        metrics_table,
        notes,
        recipe_table,
        show_verdict,
    )
    from pellucid.cli.ensemble import show_ensemble
    from pellucid.evaluation.verdict import Verdict

    task, facts = model.task, model.facts["metrics"]
    classes = (
        f" ({', '.join(map(str, task.classes[:8]))}{' …' if len(task.classes) > 8 else ''})" if task.classes else ""
    )
    console.print(escape(f"{task.question}{classes}, {task.loss.name}, {task.link} at the end") + "\n")
    console.print(layers_table(model.network))
    if len(model.members) > 1:
        console.print(f"{len(model.members):,} networks of this shape; their predictions are averaged")
    console.print()
    console.print(recipe_table(model.recipe, whole=whole))
    dropped = [c for c in model.facts["schema"].get("columns", []) if c["role"] == "dropped"]
    if dropped:
        many = len(dropped) if whole else _MANY_DROPPED
        reasons = "; ".join(f"{c['name']!r} ({c['kind']}: {c['reason']})" for c in dropped[:many])
        more = f" and {len(dropped) - many:,} more (see all with --all)" if len(dropped) > many else ""
        console.print(escape(f"\nNot used: {reasons}{more}"))
    if history:
        console.print()
        alone = not facts.get("rows", {}).get("validation", 1) and (ensemble or {}).get("how") != "folds"
        console.print(history_table(history, chooses="after the epoch" if alone else "validation loss"))
        if len(model.members) > 1:
            console.print("This is the history of the first network; history.csv has those of all.")
    if facts:
        console.print()
        console.print(metrics_table(facts["metrics"], facts["baseline"], f"On the {facts['measured_on']} rows"))
        notes(facts.get("warnings", ()))
        if ensemble is not None:
            console.print()
            show_ensemble(ensemble)
        if facts.get("verdict") is not None:
            console.print()
            show_verdict(Verdict.from_json(facts["verdict"]))
        versions = ", ".join(f"{name} {version}" for name, version in model.facts["libraries"].items())
        why = f" ({facts['why_this_engine']})" if "why_this_engine" in facts else ""
        arithmetic = f" in {facts['precision']}, products by {facts['products']}" if "products" in facts else ""
        console.print(escape(f"\n{facts['engine']} on {facts['device']}{why}{arithmetic}; {versions}"))


def _print_json(value: object) -> None:
    import json

    say(json.dumps(value))
