"""Ctrl-C that lets the current step finish."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["listening_for_interrupt"]


@contextmanager
def listening_for_interrupt() -> Iterator[Callable[[], bool]]:
    """Within the block, the first Ctrl-C (or SIGTERM) only sets a flag that the yielded function reads.

    A second Ctrl-C interrupts at once, as usual. Off the main thread, where Python allows no signal handlers, the
    flag is never set.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()
        restore()

    for number in before:
        signal.signal(number, ask)
    try:
        yield asked.is_set
    finally:
        restore()
