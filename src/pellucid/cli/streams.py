"""The standard streams of a command: control characters are made visible, and a closed pipe does not stop the command.

Everything that a command, a library or Python itself writes to the terminal passes through here, so that no control
character of a cell, a name or an error message gets out, whether the output is a terminal, a file or a pipe.

When a stream can no longer be written to, the rest of its output is dropped and the command continues: a training
whose output is piped to ``head`` still completes its run. A full disk is reported in one line at the end.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TextIO

from pellucid.visible import visible

__all__ = ["Stream", "finish", "open_streams", "say", "warn"]


class Stream(io.TextIOBase):
    """A text stream over another.

    Parameters
    ----------
    under
        The stream that is finally written to.
    shown
        Whether to make hidden characters visible; if not, the writer has done so.
    """

    def __init__(self, under: TextIO, *, shown: bool = True) -> None:
        self._under, self._shown = under, shown
        self.problem: OSError | None = None
        # Rich asks for this one: `pellucid.cli.console` writes colours and makes visible what it prints itself.
        self.rich_proxied_file = Stream(under, shown=False) if shown else self

    def write(self, text: str) -> int:
        """Write, unless the stream has failed before; returns the length of ``text``."""
        try:
            self._under.write(visible(text) if self._shown else text)
        except (OSError, ValueError) as error:  # ValueError: it was closed
            self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Flush, unless the stream has failed before."""
        try:
            self._under.flush()
        except (OSError, ValueError) as error:
            self._give_up(error)

    def _give_up(self, error: OSError | ValueError) -> None:
        """Discard the rest, including what is still in the buffers below."""
        self.problem = self.problem or (error if isinstance(error, OSError) else OSError(errno.EBADF, str(error)))
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._under.fileno())
            os.close(nowhere)

    def failure(self) -> OSError | None:
        """Why some of the output was lost, unless its reader closed the pipe."""
        for each in (self.problem, self.rich_proxied_file.problem):
            if each is not None and not isinstance(each, BrokenPipeError):
                return each
        return None

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return not self._under.closed and self._under.isatty()

    def fileno(self) -> int:
        """The number of the file below."""
        return self._under.fileno()

    def writable(self) -> bool:
        """It is."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the stream below."""
        return self._under.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """Of the stream below."""
        return self._under.errors


def open_streams() -> None:
    """Put a `Stream` over standard output and standard error, also where one of them was closed.

    Descriptors 0 to 2 are taken first: otherwise the next opened file could become number 1 and receive the output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:  # pragma: no cover
                os.dup2(nowhere, number)
                os.close(nowhere)
    for name, number in (("stdout", 1), ("stderr", 2)):
        under = getattr(sys, name)
        if under is None:
            under = os.fdopen(number, "w", encoding="utf-8", closefd=False)
        if isinstance(under, io.TextIOWrapper):
            under.reconfigure(errors="replace")  # a terminal without arrows shows ? for them
        setattr(sys, name, Stream(under))


def finish() -> str | None:
    """Flush standard output; returns a message if some of it could not be written."""
    out: Any = sys.stdout
    out.flush()
    problem = out.failure() if isinstance(out, Stream) else None
    if problem is None:
        return None
    full = "free some space" if problem.errno in (errno.ENOSPC, errno.EDQUOT) else "check where it goes"
    reason = problem.strerror or str(problem)
    return f"could not write to standard output ({reason}): {full} and run it again; the files it names are complete"


def say(text: str, *, error: bool = False, end: str = "\n") -> None:
    """Print plain text to standard output, or to standard error."""
    print(visible(text), file=sys.stderr if error else sys.stdout, end=end)


def warn(notes: Iterable[str]) -> None:
    """Print to standard error the notes on figures that may be too optimistic: no option silences them."""
    from pellucid.data.notes import FlatteringNote

    for note in notes:
        if isinstance(note, FlatteringNote):
            say(f"warning: {note}", error=True)
