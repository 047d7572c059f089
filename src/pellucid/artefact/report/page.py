"""From sections to one HTML file: no script, no request, dark and light, narrow and printed.

Whatever comes from a user's table (names of columns, categories, cells) is escaped here and nowhere else; a policy in
the page's head forbids requests and scripts besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files

from pellucid.artefact.report.blocks import Article, Block, Code, Numbers, Paragraph, Picture, Section

__all__ = ["page"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(title: str, lead: Sequence[str], sections: Sequence[Section]) -> str:
    """The page as text.

    Parameters
    ----------
    title, lead
        The heading, and lines below it.
    sections
        In order; a navigation at the top leads to each.

    >>> text = page("run", [], [Section(name="a", title="<script>", blocks=[Paragraph(text="1 < 2")])])
    >>> "&lt;script&gt;" in text, "<script>" in text
    (True, False)
    """
    style = files("pellucid.artefact.report").joinpath("style.css").read_text(encoding="utf-8")
    links = "\n".join(f'<li><a href="#{escape(s.name)}">{escape(s.title)}</a></li>' for s in sections)
    body = "\n".join(_section(each) for each in sections)
    lines = "".join(f"<p>{escape(line)}</p>" for line in lead)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="color-scheme" content="light dark">
<title>{escape(title)}</title>
<style>
{style}</style>
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
<footer><p>Written by Pellucid. This file is complete in itself: it loads nothing and runs no program.</p></footer>
</body>
</html>
"""


def _section(section: Section) -> str:
    blocks = "\n".join(_block(block) for block in section.blocks)
    heading = f'<h2 id="{escape(section.name)}-title">{escape(section.title)}</h2>'
    if section.folded:
        blocks = f"<details><summary>Show</summary>\n{blocks}\n</details>"
    name = escape(section.name)
    return f'<section id="{name}" aria-labelledby="{name}-title">\n{heading}\n{blocks}\n</section>'


def _block(block: Block) -> str:
    match block:
        case Paragraph():
            text = escape(block.text)
            return f'<p class="strong">{text}</p>' if block.strong else f"<p>{text}</p>"
        case Numbers():
            return _numbers(block)
        case Picture():
            caption = f"<figcaption>{escape(block.caption)}</figcaption>" if block.caption else ""
            return f'<figure role="img" aria-label="{escape(block.alt)}">{block.svg}{caption}</figure>'
        case Code():
            caption = f"<p>{escape(block.caption)}</p>" if block.caption else ""
            return f'{caption}<pre tabindex="0"><code>{escape(block.text)}</code></pre>'
        case Article():
            parts = "".join(f"<dt>{escape(word)}</dt><dd>{escape(text)}</dd>" for word, text in block.parts)
            command = "" if block.command is None else f'<pre tabindex="0"><code>{escape(block.command)}</code></pre>'
            return f"<article><h3>{escape(block.title)}</h3><dl>{parts}</dl>{command}</article>"


def _numbers(table: Numbers) -> str:
    right = set(table.right)

    def cell(tag: str, k: int, text: str) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        return f"<{tag}{scope}{' class=number' if k in right else ''}>{escape(text)}</{tag}>"

    head = "".join(cell("th", k, text) for k, text in enumerate(table.headings))
    rows = "\n".join("<tr>" + "".join(cell("td", k, t) for k, t in enumerate(row)) + "</tr>" for row in table.rows)
    label = escape(table.caption)
    return (
        f'<div class="table" role="region" aria-label="{label}" tabindex="0"><table><caption>{label}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    )
