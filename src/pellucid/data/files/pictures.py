"""What is known of image files besides their pixels: format, size, camera …, and which files could not be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FACTS", "PictureFiles", "Unreadable"]

# What is known of each file → its name in sentences.
FACTS = {
    "format": "format",
    "mode": "colour mode",
    "size": "size in pixels",
    "bytes": "length in bytes",
    "quality": "JPEG quality",
    "camera": "camera (EXIF)",
    "orientation": "orientation (EXIF)",
    "name": "pattern of the file name",
}


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A file that cannot be read: its place among the files, its name, the message; whether the system refused it."""

    place: int
    name: str
    message: str
    by_system: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class PictureFiles:
    """The files behind a table of images.

    Parameters
    ----------
    names
        Of the files that were read, as the column ``file`` has them.
    facts
        Fact (`FACTS`) → its value for each file; numbers for ``bytes``, otherwise texts, empty where unknown.
    unreadable
        The files that were left out because they cannot be read.
    """

    names: Sequence[str]
    facts: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()
