"""Prepares the next batches in a thread while the engine computes the present one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["prefetched"]

Item = TypeVar("Item")
Made = TypeVar("Made")

_AHEAD = 2


def prefetched(
    items: Iterable[Item], prepare: Callable[[int, Item], Made], *, ahead: int = _AHEAD
) -> Generator[tuple[Item, Made], None, None]:
    """Each item with what ``prepare(number, item)`` makes of it, in order; numbers count from 0.

    One thread prepares one item after another, so ``prepare`` needs no locks; what it raises is raised here, at its
    item. Whoever ends early should close the iterator (a ``for`` loop does so when it is left), which waits for the
    item that is just being prepared.

    Parameters
    ----------
    items
        Read as far ahead as is prepared.
    prepare
        Runs in another thread.
    ahead
        How many items are prepared, or waiting to be, beyond the present one.

    >>> list(prefetched("abc", lambda number, item: item * (number + 1)))
    [('a', 'a'), ('b', 'bb'), ('c', 'ccc')]
    """
    waiting: deque[tuple[Item, Future[Made]]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="pellucid-batches") as thread:
        try:
            for number, item in enumerate(items):
                waiting.append((item, thread.submit(prepare, number, item)))
                if len(waiting) > ahead:
                    present, future = waiting.popleft()
                    yield present, future.result()
            while waiting:
                present, future = waiting.popleft()
                yield present, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
