r"""Text as it may be shown: characters that a reader cannot see, or that would steer a terminal, are written out.

A cell, a column name or a file name can hold anything: an escape sequence that colours, clears or renames the terminal,
a carriage return that overwrites a line, marks that turn the direction of writing, characters of no width. Shown as
``\x1b``, ``\r``, ``\u202e``, ``\u200b`` they do nothing, and the reader sees what is there.

What is kept is the line feed, which parts lines, and every character that has a shape or is a plain space.
"""

from __future__ import annotations

import re

__all__ = ["one_line", "visible"]

_HIDDEN = re.compile(
    "["
    "\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f"  # C0 but for the line feed, DEL, C1
    "\\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"  # soft hyphen, joiners and fillers without a shape
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # no width, line and paragraph separators, direction of writing
    "\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\\ud800-\\udfff"  # halves of a surrogate pair
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # controls of notations; tags
    "]"
)
_SHORT = {"\t": "\\t", "\r": "\\r"}


def visible(text: str) -> str:
    r"""``text`` with each such character as an escape of Python's.

    From DEL on these are also the escapes of JSON, so JSON that goes through here says the same as before.

    >>> visible("\x1b[31mred\x1b]0;title\x07"), visible("a\rb"), visible("\u202egnp.exe"), visible("café\n")
    ('\\x1b[31mred\\x1b]0;title\\x07', 'a\\rb', '\\u202egnp.exe', 'café\n')
    """
    return _HIDDEN.sub(_escape, text)


def one_line(text: str) -> str:
    r"""The same for a text that stands within a line: a line feed is written out as well.

    >>> one_line("age\n\x1b[2J")
    'age\\n\\x1b[2J'
    """
    return visible(text).replace("\n", "\\n")


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if code < 0x20:
        return _SHORT.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
