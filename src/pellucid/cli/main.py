"""``pellucid``: the commands, and what becomes of an error.

Exit codes: 0 done; 1 the answer is no (``check`` beyond its tolerance, a run that diverged); 2 the user can put it
right; 130 interrupted.
"""

from __future__ import annotations

import io
import os
import sys

import typer

from pellucid.cli import (
    boundary,
    check,
    compare,
    data,
    doctor,
    evaluate,
    explain,
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
from pellucid.errors import DivergenceError, PellucidError, StorageError, UserError
from pellucid.files import could_not

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
    app.command(name=command.__name__)(command)
app.add_typer(study.study, name="study")
app.command(name="learn")(learn.learn)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        from pellucid.version import __version__

        typer.echo(f"pellucid {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; this is what ``pellucid`` starts."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without arrows shows ? for them
    try:
        app()
    except UserError as error:
        _fail(error, 2)
    except DivergenceError as error:
        _fail(error, 1)
    except PellucidError as error:
        _fail(error, 2)
    except BrokenPipeError:
        # The reader of our output has gone (`pellucid data | head -1`): leave quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except OSError as error:
        if error.filename is None:  # not about a file of the user's
            raise
        _fail(StorageError(could_not("use", error.filename, error)), 2)
    except KeyboardInterrupt:
        print("\nstopped; what was not finished is not kept", file=sys.stderr)
        raise SystemExit(130) from None
    except MemoryError:
        _fail(MemoryError("not enough memory: use fewer rows, columns or max_categories, or narrower hidden layers"), 2)


def _fail(error: BaseException, code: int) -> None:
    sys.stdout.flush()
    print(f"error: {error}", file=sys.stderr)
    raise SystemExit(code) from None


if __name__ == "__main__":
    main()
