"""What is prepared ahead is what would have been prepared in turn, and an early end leaves nothing behind."""

from __future__ import annotations

import threading

import pytest

from pellucid.training.prefetch import prefetched


@pytest.mark.parametrize("ahead", [0, 1, 2, 9])
@pytest.mark.parametrize("many", [0, 1, 3, 7])
def test_everything_comes_once_and_in_order(many: int, ahead: int) -> None:
    made = list(prefetched(range(many), lambda number, item: (number, item * item), ahead=ahead))
    assert made == [(i, (i, i * i)) for i in range(many)]


def test_no_more_than_asked_for_is_read_ahead() -> None:
    read: list[int] = []

    def items():  # type: ignore[no-untyped-def]
        for i in range(10):
            read.append(i)
            yield i

    ready = prefetched(items(), lambda number, item: item, ahead=2)
    assert next(ready) == (0, 0)
    assert read == [0, 1, 2]
    ready.close()
    assert read == [0, 1, 2]


def test_another_thread_prepares_and_it_ends_with_the_loop() -> None:
    names = []
    for _, name in prefetched(range(9), lambda number, item: threading.current_thread().name):
        names.append(name)
        if len(names) == 3:
            break
    assert all(name.startswith("pellucid-batches") for name in names)
    assert not [t for t in threading.enumerate() if t.name.startswith("pellucid-batches")]


def test_an_error_is_raised_at_its_item() -> None:
    def prepare(number: int, item: int) -> int:
        if item == 2:
            raise OSError("gone")
        return item

    seen = []
    with pytest.raises(OSError, match="gone"):
        seen.extend(item for item, _ in prefetched(range(5), prepare))
    assert seen == [0, 1]
