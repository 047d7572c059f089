"""How the settings are grouped: the sections of help and of config.yaml, and those that say how a file is read."""

from __future__ import annotations

__all__ = ["NUMBER_ENCODINGS", "READING", "SECTIONS"]

NUMBER_ENCODINGS = ("plain", "piecewise", "both")

# How a file is read, whatever its columns.
READING = (
    "header", "header_row", "names", "comment", "trim", "separator", "encoding", "decimal", "thousands", "sheet",
    "table", "missing", "max_unpacked", "skip_unreadable", "series", "series_id", "series_time",
)  # fmt: skip

SECTIONS = {
    "preset": "Starting values",
    "data": "The table and its columns",
    "forecast": "Forecasts of a column in time order",
    "split": "Training, validation and test rows",
    "preprocessing": "Preprocessing, fitted on the training rows",
    "network": "The network",
    "training": "Training",
    "outcome": "Results",
    "machine": "Computation",
}
