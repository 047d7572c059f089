"""From sections to one HTML file without scripts or requests, for dark and light screens, phones and paper.

Everything from a user's table (column names, categories, cells) is escaped here, by `text`. In addition, a policy
in the page's head forbids requests and scripts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import assert_never

from pellucid.reports.blocks import (
    Article,
    Block,
    Code,
    Exercise,
    Folded,
    Numbers,
    Paragraph,
    Picture,
    Pictures,
    Points,
    Section,
)
from pellucid.reports.text import escape

__all__ = ["POLICY", "page"]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_PHONE = 350  # pixels: what fits a phone
_LEAST_SCALE = 0.66  # of a picture: letters of 10 points are then 9 pixels high


def page(title: str, lead: Sequence[str], sections: Sequence[Section], *, style: str = "") -> str:
    """The page as text.

    Parameters
    ----------
    title, lead
        The heading, and lines below it.
    sections
        In order; links at the top lead to each.
    style
        CSS rules that this page adds to those of all pages.

    >>> text = page("run", [], [Section(name="a", title="<script>", blocks=[Paragraph(text="1 < 2")])])
    >>> "&lt;script&gt;" in text, "<script>" in text
    (True, False)
    """
    common = files("pellucid.reports").joinpath("style.css").read_text(encoding="utf-8")
    links = "\n".join(f'<li><a href="#{escape(s.name)}">{escape(s.title)}</a></li>' for s in sections)
    body = "\n".join(_section(each) for each in sections)
    lines = "".join(f"<p>{escape(line)}</p>" for line in lead)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>
{common}{style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header><h1>{escape(title)}</h1>{lines}</header>
<nav aria-label="Sections"><ol>
{links}
</ol></nav>
<main id="main">
{body}
</main>
<footer><p>Written by Pellucid. This file is self-contained: it loads nothing and runs no scripts.</p></footer>
</body>
</html>
"""


def _section(section: Section) -> str:
    name = escape(section.name)
    heading = f'<h2 id="{name}-title">{escape(section.title)}</h2>'
    body = f"{heading}\n{_blocks(section.blocks)}"
    if section.folded:
        body = f'<details class="part"><summary>{heading}</summary>\n{_blocks(section.blocks)}\n</details>'
    return f'<section id="{name}" aria-labelledby="{name}-title">\n{body}\n</section>'


def _blocks(blocks: Sequence[Block]) -> str:
    return "\n".join(_block(block) for block in blocks)


def _block(block: Block) -> str:  # noqa: PLR0911 (one for each kind)
    match block:
        case Paragraph():
            return f'<p class="strong">{escape(block.text)}</p>' if block.strong else f"<p>{escape(block.text)}</p>"
        case Points():
            return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in block.texts) + "</ul>"
        case Numbers():
            return _numbers(block)
        case Picture():
            return f"<figure>{_picture(block)}{_caption(block.caption)}</figure>"
        case Pictures():
            parts = "".join(f"<div>{_picture(each)}{_caption(each.caption, 'p')}</div>" for each in block.pictures)
            return f'<figure><div class="pictures">{parts}</div>{_caption(block.caption)}</figure>'
        case Code():
            return _caption(block.caption, "p") + _code(block.text, command=block.command)
        case Article():
            parts = "".join(f"<dt>{escape(word)}</dt><dd>{escape(text)}</dd>" for word, text in block.parts)
            command = "" if block.command is None else _code(block.command, command=True)
            said = f"<p>{escape(block.text)}</p>" if block.text else ""
            listed = f"<dl>{parts}</dl>" if parts else ""
            return f"<article><h3>{escape(block.title)}</h3>{said}{listed}{command}</article>"
        case Exercise():
            chosen = "".join(f"<li>{escape(choice)}</li>" for choice in block.choices)
            listed = f'<ol type="a">{chosen}</ol>' if chosen else ""
            room = f'<div class="room">{"<div></div>" * block.lines}</div>' if block.lines else ""
            return f'<div class="exercise"><p>{escape(block.text)}</p>{listed}{room}</div>'
        case Folded():
            return f"<details><summary>{escape(block.title)}</summary>\n{_blocks(block.blocks)}\n</details>"
        case _:
            assert_never(block)


def _picture(picture: Picture) -> str:
    """The SVG in a box that scrolls sideways before its letters become too small to read."""
    width = re.match(r'<svg[^>]*? width="([\d.]+)pt"', picture.svg)
    least = 0.0 if width is None else float(width.group(1)) * 4 / 3 * _LEAST_SCALE  # 96 pixels are 72 points
    scrolls = f' tabindex="0" style="--least: {least:.0f}px"' if least > _PHONE else ""
    return f'<div class="picture" role="img" aria-label="{escape(picture.alt)}"{scrolls}>{picture.svg}</div>'


def _caption(text: str, tag: str = "figcaption") -> str:
    return f"<{tag}>{escape(text)}</{tag}>" if text else ""


def _code(text: str, *, command: bool) -> str:
    kind = ' class="command"' if command else ' tabindex="0"'
    return f"<pre{kind}><code>{escape(text)}</code></pre>"


def _numbers(table: Numbers) -> str:
    right = set(table.right)

    def cell(tag: str, k: int, text: str, scope: str = "") -> str:
        kind = ' class="number"' if k in right else ""
        return f"<{tag}{scope and f' scope={scope}'}{kind}>{escape(text)}</{tag}>"

    def row(cells: Sequence[str]) -> str:
        named = bool(cells) and 0 not in right
        first = [cell("th", 0, cells[0], "row")] if named else []
        rest = [cell("td", k, text) for k, text in enumerate(cells) if k or not named]
        return "<tr>" + "".join([*first, *rest]) + "</tr>"

    head = "".join(cell("th", k, text, "col") for k, text in enumerate(table.headings))
    rows = "\n".join(row(cells) for cells in table.rows)
    label = escape(table.caption)
    return (
        f'<div class="table" role="region" aria-label="{label}" tabindex="0"><table><caption>{label}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    )
