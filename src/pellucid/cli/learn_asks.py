"""Questions of a lesson in the terminal: the quiz, and the interview."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from pellucid.cli.streams import say

if TYPE_CHECKING:
    from pellucid.lessons.interview import OpenQuestion
    from pellucid.lessons.reading import Reading

__all__ = ["ask_interview", "ask_quiz"]

_INTERRUPTED = 130


def ask_quiz(reading: Reading, following: str | None) -> None:
    """Ask the questions, mark the answers, and print the score."""
    from pellucid.cli.console import console
    from pellucid.lessons.quiz import quiz

    console.print("\n[bold]Five questions[/] (an empty line shows the answer, s skips a question, q quits)\n")
    score = quiz(reading.questions, read=_typed, tell=_tell)
    console.print(str(score))
    if score.interrupted:
        raise typer.Exit(_INTERRUPTED)
    if score.right < score.questions:
        again = f"pellucid learn {reading.name} --quiz --seed {reading.seed + 1}"
        console.print(f"Again with other numbers: {again}", soft_wrap=True)
    elif following:
        console.print(f"Next lesson: pellucid learn {following}", soft_wrap=True)


def ask_interview(name: str) -> None:
    """Print each open question, wait for Enter at a terminal, and print the model answer."""
    from rich.markup import escape

    from pellucid.cli.console import console
    from pellucid.lessons.interview import interview
    from pellucid.lessons.path import find

    questions = interview(name)
    waits = sys.stdin is not None and sys.stdin.isatty()
    how = " (answer aloud; Enter shows a model answer, q quits)" if waits else ""
    console.print(f"[bold]{escape(find(name).title)}: five open questions[/]{how}\n")
    shown = 0
    try:
        for place, question in enumerate(questions, 1):
            console.print(f"[bold]{place}. {escape(question.text)}[/]")
            if waits and not _goes_on():
                break
            _print_answer(question)
            shown = place
    except KeyboardInterrupt:
        console.print(f"\n{shown} of {len(questions)} model answers shown")
        raise typer.Exit(_INTERRUPTED) from None
    if shown < len(questions):
        console.print(f"{shown} of {len(questions)} model answers shown")


def _goes_on() -> bool:
    """Wait for a line; false if it quits or the input ends."""
    try:
        return _typed("   … ").strip().casefold() not in ("q", "quit", "exit")
    except EOFError:
        say("")
        return False


def _print_answer(question: OpenQuestion) -> None:
    from rich.markup import escape

    from pellucid.cli.console import console

    console.print(f"\n{escape(question.answer)}\n\nA good answer mentions:")
    for point in question.points:
        console.print(f"• {escape(point)}")
    console.print()


def _typed(prompt: str) -> str:
    """A line of input; raises `EOFError` if there is none."""
    if sys.stdin is None:
        raise EOFError
    try:
        given = input(prompt)
    except UnicodeDecodeError:
        return "\ufffd"  # bytes that are no text here
    except OSError:  # no terminal any more
        raise EOFError from None
    if not sys.stdin.isatty():
        say(given)  # without a terminal, nothing has echoed it
    return given


def _tell(text: str, head: str = "", right: bool | None = None) -> None:
    from rich.markup import escape

    from pellucid.cli.console import console

    if not head:
        console.print(escape(text))
        return
    colour = {True: "green", False: "yellow", None: "bold"}[right]
    console.print(f"   [{colour}]{escape(head)}[/] {escape(text)}".rstrip() + "\n")
