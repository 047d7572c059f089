"""``pellucid``: the commands, and how errors are reported.

Exit codes: 0 success; 1 a negative result (``check`` beyond its tolerance, a run that diverged); 2 an error that the
user can fix; 130 interrupted.
"""

from __future__ import annotations

import sys

import typer

from pellucid.cli import data, usage
from pellucid.cli.commands import (
    boundary,
    check,
    compare,
    doctor,
    evaluate,
    explain,
    generate,
    init,
    inspect,
    learn,
    lottery,
    lr,
    mistakes,
    predict,
    report,
    search,
    study,
    trace,
    train,
    units,
)
from pellucid.cli.streams import finish, open_streams, say
from pellucid.errors import DivergenceError, PellucidError
from pellucid.io.files import could_not

__all__ = ["app", "main"]

app = typer.Typer(
    name="pellucid",
    help="Neural networks you can see through: build, train and understand them on your own data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    train.train,
    predict.predict,
    generate.generate,
    evaluate.evaluate,
    compare.compare,
    inspect.inspect,
    trace.trace,
    explain.explain,
    boundary.boundary,
    units.units,
    doctor.doctor,
    mistakes.mistakes,
    report.report,
    check.check,
    init.init,
    lottery.lottery,
    lr.lr,
    search.search,
    data.data,
):
    app.command(name=command.__name__, cls=inspect.InspectCommand if command is inspect.inspect else None)(command)
app.add_typer(study.study, name="study")
app.command(name="learn")(learn.learn)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        from pellucid.version import __version__

        typer.echo(f"pellucid {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    open_streams()
    code, said = _run()
    lost = finish()
    for sentence in (said, lost and f"error: {lost}"):
        if sentence:
            say(sentence, error=True)
    sys.stderr.flush()
    raise SystemExit(code or (2 if lost else 0))


def _run() -> tuple[int, str | None]:
    """The exit code, and the message for standard error."""
    try:
        ended = app(prog_name="pellucid", standalone_mode=False)
        return (ended if isinstance(ended, int) else 0), None
    except usage.UsageProblem as error:
        return 2, usage.explained(error)
    except PellucidError as error:
        return (1 if isinstance(error, DivergenceError) else 2), f"error: {error}"
    except OSError as error:
        if error.filename is None or isinstance(error, BrokenPipeError):  # not about one of the user's files
            raise
        return 2, f"error: {could_not('use', error.filename, error)}"
    except (KeyboardInterrupt, typer.Abort):
        return 130, "\nstopped; unfinished work is not kept"
    except MemoryError:
        return 2, "error: not enough memory: use fewer rows, columns or max_categories, or narrower hidden layers"


if __name__ == "__main__":
    main()
