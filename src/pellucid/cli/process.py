"""The process of a command: time savers that are safe because the process is short and runs nothing else.

``pellucid`` starts `run`. Calling `pellucid.cli.main.main` leaves the process unchanged.
"""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Sequence

__all__ = ["run", "spare"]

# Loading PyTorch, scikit-learn and matplotlib makes 400,000 objects that stay. By default the collector of cyclic
# garbage looks through them several times, and once more on leaving: a quarter of the time of a short training.
_THRESHOLDS = (500_000, 20, 100)
# glibc gives the memory of large arrays back as soon as they are freed, and takes and clears it anew for the next:
# up to half of the time of answering many rows. A command keeps what it has.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = (-1, 256 << 20), (-3, 32 << 20)  # of mallopt: which, and bytes
_WITHOUT_PANDAS = frozenset({"evaluate", "inspect", "predict", "report", "train"})


def run() -> None:
    """Run the command line in this process."""
    spare(sys.argv[1:])
    from pellucid.cli.main import main

    main()


def spare(arguments: Sequence[str]) -> None:
    """Turn off what a process that runs the command line with ``arguments`` does not need.

    The garbage collector runs rarely, and not at all on exit: the operating system reclaims the memory. Freed memory
    is kept for the next arrays.

    PyArrow and scikit-learn import pandas, if it is installed, to recognise its frames. Commands that only read files
    and run no user script have no frames, so pandas is hidden from them.
    """
    gc.set_threshold(*_THRESHOLDS)
    atexit.register(gc.freeze)
    _keep_memory()
    if arguments and arguments[0] in _WITHOUT_PANDAS:
        sys.meta_path.insert(0, _NoPandas())


def _keep_memory() -> None:
    """Keep freed memory, if the C library is glibc."""
    if sys.platform != "linux":
        return
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    for which, size in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
        mallopt(which, size)


class _NoPandas:
    """Makes pandas look as if it were not installed."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name="pandas")
