"""``python -m pellucid.engines.kernel`` compiles the kernel, so that no training has to wait for it."""

from __future__ import annotations

import sys
import time

from pellucid.engines.kernel import require
from pellucid.errors import PellucidError

__all__ = ["main"]


def main() -> int:
    """Compile for both dtypes, unless that has been done; returns the exit code."""
    try:
        require()
    except PellucidError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    from pellucid.engines.kernel.runs import prepare, ready

    for dtype in ("float32", "float64"):
        began, was_ready = time.perf_counter(), ready(dtype)
        prepare(dtype)
        how = "was ready" if was_ready else f"compiled in {time.perf_counter() - began:.0f} s and stored on disk"
        print(f"{dtype}: {how}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
