"""The same number of threads for everybody.

Thread pools are told by environment variables, which must stand before a library is loaded. XLA has none of its own
that it follows everywhere, so every process is also bound to as many cores: its pool is as large as the cores that it
may use. The compilers of JAX and Numba may use further threads on these cores.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

__all__ = ["all_cores", "bind", "environment"]

_VARIABLES = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS", "NPROC",
)  # fmt: skip


def all_cores() -> int:
    """How many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def environment(threads: int, extra: Mapping[str, str]) -> dict[str, str]:
    """The variables of a contestant's process.

    >>> environment(2, {})["OMP_NUM_THREADS"]
    '2'
    """
    quiet = {"JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore", "PYTHONHASHSEED": "0"}
    return {**os.environ, **dict.fromkeys(_VARIABLES, str(threads)), **quiet, **extra}


def bind(threads: int) -> bool:
    """Bind this process to its first ``threads`` cores; false where the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    return True
