"""A user's text on a page."""

from __future__ import annotations

import html

from pellucid.visible import visible

__all__ = ["escape"]


def escape(text: str) -> str:
    r"""Escape for HTML text or a double-quoted attribute; invisible characters are written out, except tabs.

    >>> escape('<b title="x">\x1b[2J')
    '&lt;b title=&quot;x&quot;&gt;\\x1b[2J'
    """
    return html.escape("\t".join(visible(part) for part in text.split("\t")))
