"""``pellucid learn``: the lessons in order; one of them; its questions asked and marked; an interview; a sheet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.learn_asks import ask_interview, ask_quiz
from pellucid.cli.streams import say

if TYPE_CHECKING:
    from pellucid.lessons.reading import Reading
    from pellucid.studies.story import Block

__all__ = ["learn"]


def learn(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A lesson; default: list all.")] = None,
    *,
    quiz: Annotated[bool, typer.Option("--quiz", help="Ask five questions and mark the answers.")] = False,
    answers: Annotated[bool, typer.Option("--answers", help="Print the questions with their answers.")] = False,
    interview: Annotated[
        bool, typer.Option("--interview", help="Five open questions, as in a job interview, with model answers.")
    ] = False,
    html: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write a printable sheet: one HTML file, answers at the end.")
    ] = None,
    out: Annotated[str | None, typer.Option(metavar="FOLDER", help="A folder for text, answers and pictures.")] = None,
    show: Annotated[
        bool | None, typer.Option("--show/--no-show", help="Open the pictures; default: if there is a display.")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Random seed for the numbers in the questions (default: 0).", show_default=False)
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """List the lessons, or read one; every figure in it is computed on the spot."""
    from pellucid.errors import SettingError
    from pellucid.lessons.path import ask

    if name is None:
        if quiz or answers or interview or html is not None or out is not None:
            raise SettingError("name a lesson, such as: pellucid learn perceptron --quiz")
        _list(json=json)
        return
    if json and quiz:
        raise SettingError("--quiz asks in the terminal and --json prints one object: use only one of them")
    if quiz and interview:
        raise SettingError("--quiz asks questions with one answer each, --interview open ones: use only one of them")
    ask(name, seed=seed)  # where the name or the seed is wrong, the error is all there is to say
    _check(html, out)
    if html is not None:
        _write_sheet(name, html, seed, quiet=json)
        if out is None and not (quiz or answers or interview or show or json):
            return
    if interview and out is None and not (json or show):
        ask_interview(name)
        return
    _read(name, seed, quiz=quiz, answers=answers, interview=interview, out=out, show=show, html=html, json=json)


def _check(html: str | None, out: str | None) -> None:
    """Raise before any work is done where a file or a folder could not be written."""
    if html is not None:
        from pellucid.lessons.sheet import check_sheet

        check_sheet(html)
    if out is not None:
        from pellucid.studies.folder import check_free

        check_free(out)


def _write_sheet(name: str, html: str, seed: int, *, quiet: bool) -> None:
    from pellucid.lessons.reading import read
    from pellucid.lessons.sheet import write_sheet

    path = write_sheet(read(name, seed=seed, pictures=True), html)
    if not quiet:
        say(f"The printable lesson {name} is in {path}: text, questions, and answers at the end")


def _read(
    name: str,
    seed: int,
    *,
    quiz: bool,
    answers: bool,
    interview: bool,
    out: str | None,
    show: bool | None,
    html: str | None,
    json: bool,
) -> None:
    """Tell the lesson or print it as JSON, keep what is to be kept, and ask."""
    from pellucid.lessons.reading import read
    from pellucid.plots.canvas import has_display

    quiet = json or interview
    opened = show or (show is None and not quiet and has_display())
    reading = read(name, seed=seed, pictures=bool(opened) or out is not None, listener=_listener(name, quiet=quiet))
    kept = None if out is None else str(reading.save(out))
    if json:
        import json as json_

        say(json_.dumps({**reading.to_json(), "folder": kept, "sheet": html}))
        return
    if kept is not None:
        say(f"Text, answers and pictures are in {kept}")
    elif not (quiet or opened or html is not None):
        say(f"To get its pictures: pellucid learn {name} --out FOLDER, or on a printable sheet: --html FILE.html")
    if opened:
        _show(reading, asked=bool(show))
    if interview:
        ask_interview(name)
    elif quiz:
        ask_quiz(reading, _following(name))
    else:
        _print_questions(reading, answers=answers)
        _print_next(name)


def _listener(name: str, *, quiet: bool) -> Callable[[Block], None]:
    """Prints the title, and each block as it is told."""
    from rich.markup import escape

    from pellucid.cli.commands.study import tell
    from pellucid.cli.console import console
    from pellucid.lessons.path import find

    def nothing(block: Block) -> None:
        """Say nothing."""

    if quiet:
        return nothing
    console.print(f"[bold]{escape(find(name).title)}[/]")
    return tell


def _show(reading: Reading, *, asked: bool) -> None:
    from pellucid.plots.canvas import show

    if not show([picture.figure for picture in reading.story.pictures]) and asked:
        say("note: no window could be opened here; use --out FOLDER to keep the pictures", error=True)


def _list(*, json: bool) -> None:
    from pellucid.lessons.path import PATH

    if json:
        import json as json_

        say(json_.dumps({n: {"title": each.title} for n, each in PATH.items()}))
        return
    from rich.table import Table

    from pellucid.cli.console import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "lesson", "what it is about"):
        table.add_column(heading, justify="left" if heading else "right")
    for place, (name, each) in enumerate(PATH.items(), 1):
        table.add_row(str(place), name, each.title)
    console.print(table)
    console.print("\nStart with: pellucid learn perceptron")


def _print_questions(reading: Reading, *, answers: bool) -> None:
    from rich.markup import escape

    from pellucid.cli.console import console
    from pellucid.lessons.quiz import asked

    console.print("\n[bold]Questions[/]\n")
    for place, question in enumerate(reading.questions, 1):
        console.print(escape(asked(place, question)))
        if answers:
            console.print(f"   [green]{escape(question.shown_answer())}[/]: {escape(question.why)}\n")
    if not answers:
        seed = f" --seed {reading.seed}" if reading.seed else ""
        console.print(f"\nAnswer them: pellucid learn {reading.name} --quiz{seed}", soft_wrap=True)
        console.print(f"As in an interview: pellucid learn {reading.name} --interview", soft_wrap=True)


def _print_next(name: str) -> None:
    from pellucid.cli.console import console

    following = _following(name)
    if following:
        console.print(f"Next lesson: pellucid learn {following}", soft_wrap=True)


def _following(name: str) -> str | None:
    from pellucid.lessons.path import PATH

    names = list(PATH)
    place = names.index(name) + 1
    return names[place] if place < len(names) else None
