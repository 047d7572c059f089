"""What a study tells: paragraphs, tables and pictures in order, then what was learned and what to try next.

A study is a function that takes a `Story` and its own settings, tells the story as it computes, and returns its
figures as a frozen dataclass. The command line listens and prints; Python keeps the story and can save it.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np

from pellucid.errors import RunFolderError
from pellucid.io.files import write_text
from pellucid.numerals import numeral, numerals
from pellucid.plots import canvas
from pellucid.visible import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Block", "Heading", "Paragraph", "Picture", "Story", "Table", "plain"]

Cell = str | int | float | bool | None
_NUMBER = re.compile(r"—|−?∞|[−-]?[\d,.]+( × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?( ?%)?( – [−-]?[\d,.]+( ?%)?)?")
_NOTHING = 1e-5  # relative to the largest number of a column: anything smaller is shown as 0


@dataclass(frozen=True, kw_only=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """One or more sentences; ``role`` marks what was learned and the command to try next."""

    text: str
    role: str = "text"  # "text", "learned" or "next"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of cells under headings; the floats of a column have one precision, and ``None`` is a dash."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]  # which columns are set flush right


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A matplotlib figure, and the name of its file without extension."""

    name: str
    caption: str
    figure: Figure


Block = Heading | Paragraph | Table | Picture


class Story:
    """Collects what a study tells.

    Parameters
    ----------
    listener
        Called with each block as it is told.
    pictures
        Whether to draw; without pictures a study is faster.

    >>> story = Story(pictures=False)
    >>> story.say("Two and two.")
    >>> story.table("Sums", ("a", "b", "sum"), [(2, 2, 4)])
    >>> print(story.to_markdown())
    Two and two.
    <BLANKLINE>
    **Sums**
    <BLANKLINE>
    | a | b | sum |
    |---:|---:|---:|
    | 2 | 2 | 4 |
    <BLANKLINE>
    """

    def __init__(self, listener: Callable[[Block], None] = lambda block: None, *, pictures: bool = True) -> None:
        self.blocks: list[Block] = []
        self.result: Any = None
        self.settings: dict[str, Any] = {}
        self.title = ""  # replaces the study's title, where the story is about something else
        self._listener, self._pictures = listener, pictures

    # ── telling ──

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._tell(Heading(text=text))

    def say(self, text: str) -> None:
        """Tell a paragraph; any run of spaces and line breaks becomes one space."""
        self._tell(Paragraph(text=" ".join(text.split())))

    def table(self, title: str, headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Tell a table."""
        for row in rows:
            assert len(row) == len(headings), (title, headings, row)
        columns = [_shown_together([row[i] for row in rows]) for i in range(len(headings))]
        texts = tuple(zip(*columns, strict=True)) if rows else ()
        numeric = tuple(all(_NUMBER.fullmatch(row[i]) for row in texts) for i in range(len(headings)))
        self._tell(Table(title=title, headings=tuple(headings), rows=texts, numeric=numeric))

    def draw(self, name: str, make: Callable[[], Figure], caption: str) -> None:
        """Tell a picture; ``make`` is called only if pictures are wanted."""
        if self._pictures:
            self._tell(Picture(name=name, caption=caption, figure=make()))

    def close(self, *, learned: str, try_next: str) -> None:
        """End with a line that says what was learned and a command to try next."""
        self._tell(Paragraph(text=" ".join(learned.split()), role="learned"))
        self._tell(Paragraph(text=try_next, role="next"))

    def _tell(self, block: Block) -> None:
        self.blocks.append(block)
        self._listener(block)

    # ── keeping ──

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures in order."""
        return tuple(block for block in self.blocks if isinstance(block, Picture))

    def to_markdown(self) -> str:
        """The story as Markdown; pictures are linked by the names they are saved under."""
        return "\n".join(_markdown(block) for block in self.blocks)

    def save(self, path: str | os.PathLike[str], *, title: str = "") -> None:
        """Write ``story.md``, ``results.json`` and every picture (PNG and SVG) into a folder.

        Raises
        ------
        RunFolderError
            ``path`` is a file.
        StorageError
            The folder could not be written: the disk is full, a permission is missing ….
        """
        folder = Path(path)
        if folder.exists() and not folder.is_dir():
            raise RunFolderError(f"{str(folder)!r} is a file: name a folder for the study")
        folder.mkdir(parents=True, exist_ok=True)
        for picture in self.pictures:
            canvas.save(picture.figure, folder / picture.name)
        heading = f"# {title}\n\n" if title else ""
        write_text(folder / "story.md", visible(heading + self.to_markdown()))
        write_text(folder / "results.json", json.dumps(plain(self.result), indent=2, ensure_ascii=False) + "\n")

    def __repr__(self) -> str:
        """One line."""
        return f"<Story: {len(self.blocks)} blocks, {len(self.pictures)} pictures; .result, .save(folder)>"

    def _repr_html_(self) -> str:
        """The story in a notebook, pictures included."""
        return "\n".join(_html(block) for block in self.blocks)


def shown(cell: Cell) -> str:
    """A cell as text: four significant digits, thousands separators, a dash for ``None``.

    >>> shown(0.123456), shown(12345), shown(1e-7), shown(556580.0), shown(None), shown(True)
    ('0.1235', '12,345', '1 × 10⁻⁷', '556,580', '—', 'yes')
    """
    if cell is None:
        return "—"
    if isinstance(cell, bool | np.bool_):
        return "yes" if cell else "no"
    if isinstance(cell, int | np.integer):
        return f"{int(cell):,}".replace("-", "−")
    if isinstance(cell, float | np.floating):
        return numeral(float(cell))
    return str(cell)


def _shown_together(cells: Sequence[Cell]) -> list[str]:
    """A column: its floats with one precision, unless a number that matters would then be shown as zeros.

    >>> _shown_together([184.6, 6.8804, -0.00004]), _shown_together([0.5, 1.0]), _shown_together([0.1, 0.00001])
    (['184.6', '6.9', '0.0'], ['0.5', '1.0'], ['0.1', '1 × 10⁻⁵'])
    """
    at = [i for i, cell in enumerate(cells) if isinstance(cell, float | np.floating)]
    numbers = [float(cells[i]) for i in at]  # type: ignore[arg-type]
    largest = max((abs(n) for n in numbers if math.isfinite(n)), default=0.0)
    together = numerals(numbers)
    if any(
        abs(n) >= _NOTHING * largest > 0 and not text.strip("−0.,") for n, text in zip(numbers, together, strict=True)
    ):
        together = [numeral(n, beside=largest) for n in numbers]
    while (
        together
        and all("." in text or text == "—" for text in together)
        and all(text.endswith("0") or text == "—" for text in together)
    ):
        together = [text[:-1].removesuffix(".") for text in together]
    texts = dict(zip(at, together, strict=True))
    return [texts[i] if i in texts else shown(cell) for i, cell in enumerate(cells)]


def plain(value: Any) -> Any:
    """A result as JSON values: dataclasses become objects, arrays become lists, NaN and infinities become ``null``.

    >>> plain({"losses": np.array([0.5, np.nan])})
    {'losses': [0.5, None]}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _markdown(block: Block) -> str:
    match block:
        case Heading():
            return f"## {block.text}\n"
        case Paragraph(role="learned"):
            return f"**What was learned.** {block.text}\n"
        case Paragraph(role="next"):
            return f"Next: `{block.text}`\n"
        case Paragraph():
            return f"{block.text}\n"
        case Picture():
            return f"![{block.caption}]({block.name}.png)\n\n*{block.caption}*\n"
        case Table():
            lines = [block.headings, tuple("---:" if n else "---" for n in block.numeric), *block.rows]
            cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
            rule = "|" + "|".join(cells[1]) + "|"
            body = ["| " + " | ".join(line) + " |" for line in (cells[0], *cells[2:])]
            return "\n".join([f"**{block.title}**", "", body[0], rule, *body[1:], ""])
        case _:
            assert_never(block)


def _html(block: Block) -> str:
    from base64 import b64encode

    from pellucid.reports.text import escape

    match block:
        case Heading():
            return f"<h3>{escape(block.text)}</h3>"
        case Paragraph(role="learned"):
            return f"<p><b>What was learned.</b> {escape(block.text)}</p>"
        case Paragraph(role="next"):
            return f"<p>Next: <code>{escape(block.text)}</code></p>"
        case Paragraph():
            return f"<p>{escape(block.text)}</p>"
        case Picture():
            data = b64encode(canvas.encode(block.figure, "png")).decode()
            return (
                f'<figure><img src="data:image/png;base64,{data}" alt="{escape(block.caption)}" width="900"/></figure>'
            )
        case Table():
            head = "".join(f"<th>{escape(cell)}</th>" for cell in block.headings)
            rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in block.rows)
            return f"<table><caption>{escape(block.title)}</caption><tr>{head}</tr>{rows}</table>"
        case _:
            assert_never(block)
