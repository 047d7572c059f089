"""A user's text in a page."""

from __future__ import annotations

import html

from pellucid.visible import visible

__all__ = ["escape"]


def escape(text: str) -> str:
    r"""For HTML, in a text or an attribute in double quotes; characters that cannot be seen are written out.

    A tab is a space here, and stays.

    >>> escape('<b title="x">\x1b[2J')
    '&lt;b title=&quot;x&quot;&gt;\\x1b[2J'
    """
    return html.escape("\t".join(visible(part) for part in text.split("\t")))
