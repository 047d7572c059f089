"""``pellucid doctor``: problems of a run, a table or a PyTorch script, and how to fix them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pellucid.cli.options import with_settings
from pellucid.cli.streams import say

if TYPE_CHECKING:
    from pellucid.diagnosis.finding import Finding
    from pellucid.workflow.doctor import Consultation, Retry

__all__ = ["doctor", "show_findings"]


@with_settings
def doctor(
    data: Annotated[
        str,
        typer.Argument(
            metavar="RUN|DATA|SCRIPT",
            help="A run folder, a table, or a PyTorch script (.py, a notebook, a saved text, or - for standard input).",
        ),
    ],
    *,
    config: Annotated[str | None, typer.Option("-c", "--config", help="A config.yaml; options override it.")] = None,
    try_: Annotated[bool, typer.Option("--try", help="Retrain with each fix and show the result.")] = False,
    run: Annotated[bool, typer.Option("--run", help="For a script: also run its first batch, in a process.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    settings: dict[str, Any],
) -> None:
    """Find problems in a run, a table or a script: evidence, consequence, fix, and the command that tries it."""
    import json as json_

    from pellucid.cli.console import console
    from pellucid.errors import SettingError
    from pellucid.script_reader import looks_like_script
    from pellucid.workflow.doctor import doctor as consult

    if data == "-" or looks_like_script(data):
        if try_ or config or settings:
            raise SettingError("--try and settings are for runs and tables: a script is only examined")
        from pellucid.cli.commands.doctor_script import read_standard_input, show_script

        piped = data == "-"
        text = read_standard_input() if piped else None
        code = show_script(Path("standard input" if piped else data), run=run, as_json=json, text=text)
        raise typer.Exit(code)
    if run:
        raise SettingError("--run is for scripts: give a file that ends in .py")
    found = consult(data, config=config, **settings)
    if json:
        facts = found.to_json()
        if try_:
            facts["retries"] = [_retry_json(found.retry(each)) for each in found.findings if each.change]
        say(json_.dumps(facts))
        return
    show_findings(found.findings, [found.command(each) for each in found.findings], found.title)
    if try_:
        for each in found.findings:
            if each.change:
                console.print()
                _show_retry(found, found.retry(each))


def show_findings(findings: Sequence[Finding], commands: Sequence[str | None], title: str) -> None:
    """Print every finding with its details, or that there are none."""
    from rich.markup import escape

    from pellucid.cli.console import console

    if not findings:
        console.print(f"[bold]Doctor[/]: no problems found in {escape(title)}.", soft_wrap=True)
        return
    console.print(f"[bold]Doctor[/]: {len(findings)} finding{'s' * (len(findings) > 1)} in {escape(title)}")
    for place, (each, command) in enumerate(zip(findings, commands, strict=True), 1):
        console.print(f"\n[bold]{place}. {escape(each.finding)}[/]", soft_wrap=True, highlight=False)
        for name, text in (("Evidence", each.evidence), ("Consequence", each.consequence), ("Fix", each.fix)):
            console.print(f"   {name}: {escape(text)}", soft_wrap=True, highlight=False)
        if each.rows:
            console.print(f"   Rows (from 0): {', '.join(map(str, each.rows))}", soft_wrap=True, highlight=False)
        if command is not None:
            console.print(f"   Try: {escape(command)}", soft_wrap=True, highlight=False)
    if sum(command is not None for command in commands) > 1:
        console.print("\nEach command also includes the fixes of the findings above it.")


def _show_retry(found: Consultation, retry: Retry) -> None:
    from rich.markup import escape
    from rich.table import Table

    from pellucid.cli.console import console, interval_text

    title = f"Tried: {retry.finding.fix}"
    if retry.after is None:
        console.print(f"[bold]{escape(title)}[/]\nTraining diverged.", soft_wrap=True)
        return
    table = Table(title=escape(title), title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("metric")
    for heading in ("before", "95 % interval", "after", "95 % interval"):
        table.add_column(heading, justify="right")
    before = retry.before or {}
    for name, after in retry.after.items():
        if "[" in name:
            continue
        was = before.get(name)
        left = ("—", "") if was is None else (f"{was.value:.4f}", interval_text(was.low, was.high))
        table.add_row(escape(name).replace("_", " "), *left, f"{after.value:.4f}", interval_text(after.low, after.high))
    console.print(table)
    if not retry.same_rows:
        console.print("(the two use different columns or rows, so their figures cannot be compared)")
    left_over = ", ".join(retry.left) or "nothing"
    console.print(f"The doctor then finds: {left_over}", soft_wrap=True, markup=False)


def _retry_json(retry: Retry) -> dict[str, Any]:
    def plain(metrics: Any) -> Any:
        return None if metrics is None else {name: estimate.to_json() for name, estimate in metrics.items()}

    return {
        "finding": retry.finding.name,
        "before": plain(retry.before),
        "after": plain(retry.after),
        "same_rows": retry.same_rows,
        "left": list(retry.left),
    }
