"""Presets: named values for the settings that decide how good a network for a table becomes.

| preset | what it is |
|---|---|
| best | what is published and held its ground here on tables that it was not chosen on (``benchmarks/ACCURACY.md``) |
| quick | one plain network: numbers standardised, two small layers, Adam |

A setting that is given goes before its preset. Images and reconstructions are trained by ``quick`` unless ``best`` is
asked for: it was chosen for tables with a target.
"""

from __future__ import annotations

from typing import Any

__all__ = ["BEST", "PRESETS"]

BEST: dict[str, Any] = {
    "scaling": "robust",
    "number_encoding": "both",
    "bins_by": "quantile",
    "hidden": (256, 256),
    "activation": "silu",
    "dropout": 0.3,
    "optimizer": "adamw",
    "weight_decay": 0.01,
    "schedule": "flat_cosine",
    "epochs": 48,
    "patience": None,
    "batch_size": 256,
    "n_networks": 4,
    "ensemble": "folds",
}

PRESETS: dict[str, dict[str, Any]] = {"best": BEST, "quick": {}}
