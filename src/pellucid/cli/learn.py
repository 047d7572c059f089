"""``pellucid learn``: the lessons in order; one of them; its questions asked and marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pellucid.cli.streams import say

if TYPE_CHECKING:
    from pellucid.lessons.path import Reading
    from pellucid.lessons.question import Question
    from pellucid.studies.story import Block

__all__ = ["learn"]


def learn(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A lesson; without, the list.")] = None,
    *,
    quiz: Annotated[bool, typer.Option("--quiz", help="Ask the five questions here and mark the answers.")] = False,
    answers: Annotated[bool, typer.Option("--answers", help="Print the questions with their answers.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed asks with other numbers (0).", show_default=False)] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """List the lessons, or read one; every figure in it is computed now."""
    from pellucid.errors import SettingError
    from pellucid.lessons.path import find, read

    if name is None:
        if quiz or answers:
            raise SettingError("which lesson? Name one, such as: pellucid learn perceptron --quiz")
        _list(json=json)
        return
    if json and quiz:
        raise SettingError("--quiz asks in the terminal and --json prints one object: give one of them")
    if json:
        _print_json(read(name, seed=seed))
        return

    from rich.markup import escape

    from pellucid.cli.console import console
    from pellucid.cli.study import tell

    begun = False

    def listener(block: Block) -> None:
        nonlocal begun
        if not begun:  # not before: where the name or the seed is wrong, the error is all there is to say
            console.print(f"[bold]{escape(find(name).title)}[/]")
        begun = True
        tell(block)

    reading = read(name, seed=seed, listener=listener)
    if quiz:
        _ask(reading, seed)
        return
    console.print("\n[bold]Questions[/]\n")
    for place, question in enumerate(reading.questions, 1):
        _print_question(place, question)
        if answers:
            console.print(f"   [green]{escape(question.shown_answer())}[/]: {escape(question.why)}\n")
    if not answers:
        again = f"pellucid learn {name} --quiz{f' --seed {seed}' if seed else ''}"
        console.print(f"\nAnswer them: {again}", soft_wrap=True)
    _print_next(name)


def _list(*, json: bool) -> None:
    from pellucid.lessons.path import PATH

    if json:
        import json as json_

        say(json_.dumps({n: {"title": each.title, "built": each.module is not None} for n, each in PATH.items()}))
        return
    from rich.table import Table

    from pellucid.cli.console import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "lesson", "what it is about"):
        table.add_column(heading, justify="left" if heading else "right")
    for place, (name, each) in enumerate(PATH.items(), 1):
        missing = f"[dim] — not there yet: needs {each.needs}[/]" if each.module is None else ""
        table.add_row(str(place), name, each.title + missing)
    console.print(table)
    console.print("\nBegin with: pellucid learn perceptron")


def _print_question(place: int, question: Question) -> None:
    from rich.markup import escape

    from pellucid.cli.console import console

    console.print(f"{place}. {escape(question.text)}")
    for i, choice in enumerate(question.choices):
        console.print(f"   {chr(ord('a') + i)}) {escape(choice)}")


def _ask(reading: Reading, seed: int) -> None:
    from rich.markup import escape

    from pellucid.cli.console import console

    console.print("\n[bold]Five questions[/] (an empty line gives up on one)\n")
    right = asked = 0
    for place, question in enumerate(reading.questions, 1):
        _print_question(place, question)
        given = _answer_to(question)
        if given is None:
            break
        asked += 1
        if given and question.mark(given):
            right += 1
            console.print(f"   [green]Right.[/] {escape(question.why)}\n")
        else:
            verdict = "[yellow]Not so:[/]" if given else "The answer is"
            console.print(f"   {verdict} {escape(question.shown_answer())}. {escape(question.why)}\n")
    left_out = f"; {len(reading.questions) - asked} not asked" if asked < len(reading.questions) else ""
    console.print(f"{right} of {len(reading.questions)} right{left_out}")
    if right < len(reading.questions):
        again = f"pellucid learn {reading.name} --quiz --seed {seed + 1}"
        console.print(f"Again with other numbers: {again}", soft_wrap=True)
    else:
        _print_next(reading.name)


def _answer_to(question: Question) -> str | None:
    """What was typed: something that can be marked, an empty line, or ``None`` at the end of the input."""
    import sys

    from pellucid.cli.console import console

    while True:
        try:
            given = input("   your answer: ").strip()
        except EOFError:
            console.print()
            return None
        if not sys.stdin.isatty():
            say(given)  # where nobody types, nothing has echoed it
        if not given or question.understands(given):
            return given
        last = chr(ord("a") + len(question.choices) - 1)
        console.print(f"   Type a letter from a to {last}." if question.choices else "   Type a number, such as −0.5.")


def _print_next(name: str) -> None:
    from pellucid.cli.console import console

    following = _following(name)
    if following:
        console.print(f"The next lesson: pellucid learn {following}", soft_wrap=True)


def _following(name: str) -> str | None:
    from pellucid.lessons.path import PATH

    built = [each for each, lesson in PATH.items() if lesson.module is not None]
    place = built.index(name) + 1
    return built[place] if place < len(built) else None


def _print_json(reading: Reading) -> None:
    import json
    from dataclasses import asdict

    questions = [asdict(question) for question in reading.questions]
    text = reading.story.to_markdown()
    say(json.dumps({"lesson": reading.name, "title": reading.title, "text": text, "questions": questions}))
