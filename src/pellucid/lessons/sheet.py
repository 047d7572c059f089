"""A lesson on paper: one HTML file with text, pictures, questions with room to write, and the answers at the end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, assert_never

from pellucid.errors import SettingError, StorageError
from pellucid.io.files import could_not, open_plain, write_text
from pellucid.plots.canvas import inline_svg
from pellucid.reports import blocks as page_blocks
from pellucid.reports.blocks import Article, Code, Exercise, Numbers, Section
from pellucid.reports.page import page
from pellucid.studies.story import Block, Heading, Paragraph, Picture, Story, Table

if TYPE_CHECKING:
    from pellucid.lessons.interview import OpenQuestion
    from pellucid.lessons.question import Question

__all__ = ["check_sheet", "sheet", "write_sheet"]

T = TypeVar("T")

_OURS = b"Written by Pellucid"  # stands at the end of every page
_END = 1_000  # bytes
_STYLE = """\
@page { size: A4; margin: 16mm 18mm; }
figure svg { max-height: 24rem; }
@media print {
  .picture svg { min-width: 0; max-height: 7.5cm; }
  #questions, #interview, #answers { break-before: page; }
  h2 { margin-top: 1.1rem; }
  .room div { height: 8mm; }
}
"""


class Printed(Protocol):
    """What a sheet shows of a lesson: a `Reading` has it all."""

    @property
    def name(self) -> str:
        """The lesson's name."""

    @property
    def title(self) -> str:
        """The title at the top."""

    @property
    def story(self) -> Story:
        """Its text, tables and pictures."""

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions with room for answers."""

    @property
    def interview(self) -> tuple[OpenQuestion, ...]:
        """The open questions."""

    @property
    def seed(self) -> int:
        """What the numbers of the questions were drawn with."""


def write_sheet(reading: Printed, path: str | os.PathLike[str]) -> Path:
    """Write the sheet of a lesson, whole or not at all, and return its path.

    Parameters
    ----------
    reading
        The lesson, read with pictures.
    path
        The file; its name ends in .html.

    Raises
    ------
    SettingError
        A name that does not end in .html, or one of a file that Pellucid did not write.
    StorageError
        The disk is full, a permission is missing ….
    """
    target = check_sheet(path)
    write_text(target, sheet(reading))
    return target


def check_sheet(path: str | os.PathLike[str]) -> Path:
    """The path, or an error before any work is done where a sheet could not be written there.

    >>> check_sheet("sheet.html").name
    'sheet.html'
    """
    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise SettingError(f"the sheet is an HTML file: give it a name that ends in .html, not {str(target)!r}")
    try:
        if target.exists() and not _is_ours(target):
            raise SettingError(
                f"{str(target)!r} is there already and was not written by Pellucid: name another file, so that none of "
                "your files is overwritten"
            )
        if not target.parent.is_dir():
            raise StorageError(f"could not write {str(target)!r}: there is no folder {str(target.parent)!r}; create it")
    except OSError as error:
        raise StorageError(could_not("write", target, error)) from error
    return target


def _is_ours(path: Path) -> bool:
    with open_plain(path) as stream:
        stream.seek(max(0, path.stat().st_size - _END))
        return _OURS in stream.read()


def sheet(reading: Printed) -> str:
    """The page as HTML; the pictures of the reading are used as they are.

    Parameters
    ----------
    reading
        A lesson read with pictures.
    """
    lead = [
        f"Lesson “{reading.name}” of Pellucid, questions drawn with seed {reading.seed}. "
        "The answers are on the last pages.",
    ]
    sections = [
        *_text_sections(reading.story.blocks),
        Section(name="questions", title="Questions", blocks=[_exercise(i, q) for i, q in _numbered(reading.questions)]),
        Section(
            name="interview",
            title="As in an interview",
            blocks=[Exercise(text=f"{i}. {each.text}", lines=4) for i, each in _numbered(reading.interview)],
        ),
        Section(
            name="answers",
            title="Answers to the questions",
            blocks=[
                Article(title=f"{i}. {question.shown_answer()}", text=question.why, parts=())
                for i, question in _numbered(reading.questions)
            ],
        ),
        Section(
            name="models",
            title="Model answers for the interview",
            blocks=[_model(i, q) for i, q in _numbered(reading.interview)],
        ),
    ]
    return page(reading.title, lead, sections, style=_STYLE)


def _numbered(things: Sequence[T]) -> list[tuple[int, T]]:
    return list(enumerate(things, 1))


def _text_sections(blocks: Sequence[Block]) -> list[Section]:
    """The text, with a section for each heading and one for the conclusion."""
    sections: list[tuple[str, list[page_blocks.Block]]] = []
    for block in blocks:
        if isinstance(block, Heading):
            sections.append((block.text, []))
            continue
        if isinstance(block, Paragraph) and block.role == "learned":
            sections.append(("What was learned", []))
        sections[-1][1].append(_part(block))
    return [Section(name=f"part-{i}", title=title, blocks=parts) for i, (title, parts) in enumerate(sections, 1)]


def _part(block: Block) -> page_blocks.Block:
    match block:
        case Paragraph(role="next"):
            return Code(text=block.text, caption="Try next:")
        case Paragraph() | Heading():
            return page_blocks.Paragraph(text=block.text)
        case Picture():
            svg = inline_svg(block.figure, block.name)
            return page_blocks.Picture(svg=svg, alt=block.caption, caption=block.caption)
        case Table():
            right = [i for i, numeric in enumerate(block.numeric) if numeric]
            return Numbers(caption=block.title, headings=block.headings, rows=block.rows, right=right)
        case _:
            assert_never(block)


def _exercise(place: int, question: Question) -> Exercise:
    return Exercise(text=f"{place}. {question.text}", choices=question.choices, lines=0 if question.choices else 2)


def _model(place: int, question: OpenQuestion) -> Article:
    points = [("A good answer mentions" if not i else "", point) for i, point in enumerate(question.points)]
    return Article(title=f"{place}. {question.text}", text=question.answer, parts=points)
