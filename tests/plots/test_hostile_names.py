"""Names with control characters in a picture: written out, in words and at ticks alike."""

from __future__ import annotations

import re

from pellucid.plots.canvas import encode, inline_svg, panels

_NAME = "\x1b[31mred\u202e\x07"


def _picture() -> object:
    figure, (axes,) = panels(title=_NAME)
    axes.plot([0, 1], [0, 1], label=_NAME)
    axes.set_xticks([0, 1], [_NAME, "b"])
    axes.set_ylabel(_NAME)
    axes.legend()
    return figure


def test_control_characters_are_written_out() -> None:
    for text in (encode(_picture(), "svg").decode(), inline_svg(_picture(), "first")):  # type: ignore[arg-type]
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
        assert text.count("\\x1b[31mred\\u202e\\x07") >= 4
    assert encode(_picture(), "png").startswith(b"\x89PNG")  # type: ignore[arg-type]  # and no warning of a glyph
