"""A fit in a process of its own: start, import, read the arrays, train, exit.

    python -m peers.cold NAME JOB

The last line of its output is ``{"status": …, "peak_mib": …}``.
"""

from __future__ import annotations

import json
import sys
import warnings

from peers.entries import entry
from peers.worker import Server, peak_mib

__all__ = ["main"]


def main() -> None:
    """Prepare and fit."""
    warnings.simplefilter("ignore")
    server = Server(entry(sys.argv[1]))
    reply = server.answer({"do": "prepare", "job": sys.argv[2]})
    if reply["status"] == "ok":
        reply = server.answer({"do": "fit"})
    print(json.dumps({"status": reply["status"], "peak_mib": peak_mib()}), flush=True)


if __name__ == "__main__":
    main()
