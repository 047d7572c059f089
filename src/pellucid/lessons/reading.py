"""A lesson ready to read: its text, pictures and questions, to ask, print or save."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from pellucid.lessons.interview import OpenQuestion, interview
from pellucid.lessons.path import PATH, ask, find, tell

if TYPE_CHECKING:
    from pellucid.lessons.question import Question
    from pellucid.lessons.quiz import Score
    from pellucid.studies.story import Block, Story

__all__ = ["Reading", "learn", "read"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """A lesson with its questions; a notebook displays it, and ``print`` shows it as text.

    Attributes
    ----------
    story
        Text, tables and pictures.
    questions
        Five, with freshly computed answers.
    interview
        Five open questions, with model answers.
    seed
        The seed of the numbers in the questions.
    """

    name: str
    title: str
    story: Story
    questions: tuple[Question, ...]
    interview: tuple[OpenQuestion, ...]
    seed: int = 0

    def __repr__(self) -> str:
        """One line."""
        return (
            f"<Lesson {self.name!r}: {len(self.questions)} questions, {len(self.interview)} for an interview; "
            "print(…), .questions, .interview, .quiz(), .sheet(file), .save(folder)>"
        )

    def __str__(self) -> str:
        """The lesson as Markdown, with the questions and without their answers."""
        return self.to_markdown()

    def to_markdown(self, *, answers: bool = False) -> str:
        """The lesson as Markdown; with ``answers``, also those to its questions, and the interview."""
        from pellucid.lessons.quiz import asked

        parts = [f"# {self.title}", "", self.story.to_markdown(), "## Questions", ""]
        for place, question in enumerate(self.questions, 1):
            parts += [asked(place, question), ""]
            if answers:
                parts += [f"   **{question.shown_answer()}**: {question.why}", ""]
        if answers:
            parts += ["## Interview", ""]
            for place, each in enumerate(self.interview, 1):
                parts += [f"{place}. {each.text}", "", f"   {each.answer}", "", *(f"   - {p}" for p in each.points), ""]
        return "\n".join(parts)

    def quiz(self, read: Callable[[str], str] | None = None) -> Score:
        """Ask the five questions here and mark the answers; see `pellucid.lessons.quiz.quiz`."""
        from pellucid.lessons.quiz import quiz

        score = quiz(self.questions, read=read)
        print(score)
        return score

    def sheet(self, path: str | os.PathLike[str]) -> Path:
        """Write the lesson as one HTML file to print, with room for answers; see `pellucid.lessons.sheet`."""
        from pellucid.lessons.sheet import check_sheet, write_sheet

        check_sheet(path)
        return write_sheet(replace(self, story=tell(self.name, pictures=True)), path)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write ``lesson.md``, with all answers, and every picture (PNG and SVG) into a folder, all or nothing.

        Raises
        ------
        RunFolderError
            It is a file, or a folder that is not empty.
        StorageError
            The disk is full, a permission is missing ….
        """
        from pellucid.io.files import write_text
        from pellucid.plots import canvas
        from pellucid.studies.folder import check_free, keep_folder
        from pellucid.visible import visible

        check_free(folder)

        def write(aside: Path) -> None:
            aside.mkdir(parents=True, exist_ok=True)
            for picture in self.story.pictures:
                canvas.save(picture.figure, aside / picture.name)
            write_text(aside / "lesson.md", visible(self.to_markdown(answers=True)))

        return keep_folder(write, self.name, folder)

    def to_json(self) -> dict[str, Any]:
        """Text, questions and answers as plain JSON values."""
        from dataclasses import asdict

        return {
            "lesson": self.name,
            "title": self.title,
            "text": self.story.to_markdown(),
            "questions": [asdict(question) for question in self.questions],
            "interview": [asdict(question) for question in self.interview],
        }

    def _repr_html_(self) -> str:
        """The lesson in a notebook; answers are folded."""
        from pellucid.reports.text import escape

        parts = [f"<h2>{escape(self.title)}</h2>", self.story._repr_html_(), "<h3>Questions</h3>", "<ol>"]
        for question in self.questions:
            choices = "".join(f"<li>{escape(choice)}</li>" for choice in question.choices)
            listed = f'<ol type="a">{choices}</ol>' if choices else ""
            answer = f"<b>{escape(question.shown_answer())}</b>: {escape(question.why)}"
            parts.append(f"<li>{escape(question.text)}{listed}{_folded(answer)}</li>")
        parts += ["</ol>", "<h3>Interview</h3>", "<ol>"]
        for each in self.interview:
            points = "".join(f"<li>{escape(point)}</li>" for point in each.points)
            parts.append(f"<li>{escape(each.text)}{_folded(f'{escape(each.answer)}<ul>{points}</ul>')}</li>")
        return "\n".join([*parts, "</ol>"])


def read(
    name: str,
    *,
    seed: int = 0,
    pictures: bool = False,
    listener: Callable[[Block], None] = lambda block: None,
) -> Reading:
    """Compute a lesson and its questions.

    Parameters
    ----------
    name
        One of `PATH`.
    seed
        Another seed gives other numbers, and sometimes other questions; the text stays the same.
    pictures
        Whether to draw pictures; this takes a second.
    listener
        Called with each block of the text as it is computed.

    Raises
    ------
    SettingError
        There is no such lesson, or the seed is below 0.

    >>> [question.mark(str(question.answer)) for question in read("perceptron").questions]
    [True, True, True, True, True]
    """
    questions = ask(name, seed=seed)
    return Reading(
        name=name, title=find(name).title, story=tell(name, pictures=pictures, listener=listener),
        questions=questions, interview=interview(name), seed=seed,
    )  # fmt: skip


@overload
def learn(name: None = None, *, seed: int = ..., pictures: bool = ..., quiz: bool = ...) -> dict[str, str]: ...
@overload
def learn(name: str, *, seed: int = ..., pictures: bool = ..., quiz: bool = ...) -> Reading: ...
def learn(
    name: str | None = None, *, seed: int = 0, pictures: bool = True, quiz: bool = False
) -> Reading | dict[str, str]:
    """Read a lesson: a short text with figures computed now, pictures, questions with answers, interview questions.

    Parameters
    ----------
    name
        One of the lessons; without it, their names and titles are returned.
    seed
        Another seed gives other numbers; the same seed gives the same lesson.
    pictures
        Whether to draw pictures.
    quiz
        Whether to ask the questions here, with ``input``, and mark the answers.

    Returns
    -------
    Reading
        Displayed by a notebook and printed as text; has ``questions``, ``interview``, ``quiz()``, ``sheet(file)`` and
        ``save(folder)``.

    Raises
    ------
    SettingError
        There is no such lesson, or the seed is below 0.

    >>> lesson = learn("backpropagation", seed=1, pictures=False)
    >>> [question.mark(question.shown_answer()[:1] if question.choices else question.shown_answer())
    ...  for question in lesson.questions]
    [True, True, True, True, True]
    >>> lesson.interview[0].text
    'Explain backpropagation, and why it is efficient.'
    >>> list(learn())[:3]
    ['perceptron', 'mlp', 'activations']
    """
    if name is None:
        return {each: lesson.title for each, lesson in PATH.items()}
    reading = read(name, seed=seed, pictures=pictures)
    if quiz:
        reading.quiz()
    return reading


def _folded(html: str) -> str:
    return f"<details><summary>Answer</summary>{html}</details>"
