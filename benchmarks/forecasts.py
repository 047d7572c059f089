"""One step ahead on three public series, the last fifth, three seeds: `python benchmarks/forecasts.py FOLDER`.

FOLDER holds airline-passengers.csv.gz, monthly-sunspots.csv.gz and daily-min-temperatures.csv.gz. Each line of JSON is
a run with the defaults: the RMSE of the network one step ahead and over all steps, beside persistence, seasonal
persistence and lines on the same forecasts. Nothing here is chosen by the test part.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pellucid

SERIES = {
    "airline": ("airline-passengers.csv.gz", "Passengers"),
    "sunspots": ("monthly-sunspots.csv.gz", "Sunspots"),
    "temperatures": ("daily-min-temperatures.csv.gz", "Temp"),
}


def main(folder: Path) -> None:
    """Print one line of JSON a run."""
    for name, (file, column) in SERIES.items():
        for horizon in (1, 12):
            for seed in range(3):
                began = time.perf_counter()
                run = pellucid.train(folder / file, forecast=column, horizon=horizon, seed=seed, threads=1)
                assert run.verdict is not None
                line = {
                    "series": name,
                    "horizon": horizon,
                    "seed": seed,
                    "rmse_one_step": round(run.summary["forecast"][0]["rmse"], 4),
                    "rmse_all": None if run.verdict.value is None else round(run.verdict.value, 4),
                    "peers": {peer.name: round(peer.value, 4) for peer in run.verdict.peers},
                    "mase": [round(each["mase"], 3) for each in run.summary["forecast"]],
                    "coverage": [round(each["coverage"] or 0.0, 3) for each in run.summary["forecast"]],
                    "winner": run.verdict.winner,
                    "seconds": round(time.perf_counter() - began, 1),
                }
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
