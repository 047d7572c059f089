"""The page of a report: nothing gets out of its text, nothing is loaded, and it can be read by everybody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files

import pytest

from pellucid.plots.canvas import PAPER, SOFT, inline_svg, panels
from pellucid.reports.blocks import (
    Article,
    Block,
    Code,
    Folded,
    Numbers,
    Paragraph,
    Picture,
    Pictures,
    Points,
    Section,
)
from pellucid.reports.page import page
from tests.reports.pages import Tree, check

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></svg></title></pre><iframe src=http://evil.example>",
    "$x_1$ & &lt;b&gt; \\frac{1}{0}",
    'id="a" href="#b" url(#c) #000000',
)


def drawing(words: str = "", width: float = 4.0) -> str:
    figure, (axis,) = panels(width=width, height=3)
    axis.set_xlabel(words)
    return inline_svg(figure, "drawing")


def every_block(words: str) -> Sequence[Block]:
    shown = Picture(svg=drawing(words), alt=words, caption=words)
    other = Picture(svg=drawing(words).replace("drawing-", "other-"), alt=words)
    return [
        Paragraph(text=words),
        Paragraph(text=words, strong=True),
        Points(texts=[words, words]),
        Numbers(caption=words, headings=[words, words], rows=[[words, words]], right=(1,)),
        shown,
        Pictures(pictures=[other], caption=words),
        Code(text=words, caption=words),
        Article(title=words, parts=[(words, words)], command=words),
        Folded(title=words, blocks=[Code(text=words, command=False)]),
    ]


@pytest.mark.parametrize("words", HOSTILE)
def test_no_text_becomes_anything_but_text(words: str) -> None:
    text = page(words, [words], [Section(name="first", title=words, blocks=every_block(words))])
    tree = check(text)
    plain = check(page("plain", ["plain"], [Section(name="first", title="plain", blocks=every_block("plain"))]))
    # The same tags as with harmless words, and the words themselves in as many places.
    assert [tag for tag, _ in tree.tags] == [tag for tag, _ in plain.tags]
    assert "".join(tree.words).count(words) == "".join(plain.words).count("plain") == 26


def test_control_characters_are_not_written() -> None:
    text = page("a\x00b", [], [Section(name="s", title="t", blocks=[Paragraph(text="\x1b[31m\u0085 tab\there")])])
    assert "a\\x00b" in text
    assert "tab\there" in text
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", text)


def test_letters_that_no_font_has_are_left_to_the_browser() -> None:
    assert "年齢 🙂" in drawing("年齢 🙂")  # and no warning, which would be an error here


def test_a_picture_takes_the_colours_of_the_page() -> None:
    figure, (axis, filled) = panels(1, 2)
    axis.text(0, 0, "soft", color=SOFT)
    axis.set_facecolor(PAPER)
    axis.axhline(0.5, color="black")
    filled.imshow([[0, 1], [1, 0]])
    filled.text(0, 0, "ink on a colour", color="black")
    text = inline_svg(figure, "drawing")
    tree = Tree(text)
    drawn = " ".join(attributes.get("style", "") for _, attributes in tree.tags)
    assert "fill: var(--soft)" in drawn
    assert "stroke: currentColor" in drawn
    assert "#000000" not in drawn
    (inked,) = re.findall(r"<text ([^>]*)>ink on a colour", text)
    assert "fill: #010101" in inked  # a page that turns dark does not turn the picture below


def test_a_wide_picture_scrolls_and_a_narrow_one_need_not() -> None:
    wide, narrow = (
        page("p", [], [Section(name="s", title="t", blocks=[Picture(svg=drawing(width=width), alt="a")])])
        for width in (9.0, 4.0)
    )
    assert 'tabindex="0" style="--least: 570px"' in wide
    assert "--least:" not in narrow.split("</style>", 1)[1]


def rules() -> tuple[dict[str, str], dict[str, str], str]:
    """The colours of the light and of the dark page, and the whole style."""
    style = files("pellucid.reports").joinpath("style.css").read_text(encoding="utf-8")
    roots = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    light, dark = (dict(re.findall(r"--(\w+): (#\w{6})", root)) for root in roots)
    return light, dark, style


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """That of WCAG 2.2, 1 to 21."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read_in_both_themes(theme: int) -> None:
    colours = rules()[theme]
    assert contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.01)  # the usual example
    for text in ("text", "soft", "accent"):
        for ground in ("back", "panel"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def test_the_style_loads_nothing_and_serves_print_keyboard_and_phone() -> None:
    style = rules()[2]
    assert "@import" not in style
    assert "url(" not in style
    for words in ("prefers-color-scheme: dark", "@media print", ":focus-visible", "max-width: 34rem", "overflow-x"):
        assert words in style, words
