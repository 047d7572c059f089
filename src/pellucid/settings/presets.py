"""Presets: named values for the settings that decide how good a network for a table becomes.

| preset | what it is |
|---|---|
| best | what is published and held its ground here on tables that it was not chosen on (``benchmarks/ACCURACY.md``) |
| quick | one network: numbers standardised, two layers, Adam, a rate that falls in the second half, early stopping |
| plain | the textbook: the settings as `Settings` has them, early stopping by the validation rows |

A setting that is given goes before its preset. Where none is asked for, a table with a target is trained by ``best``,
and images and reconstructions, for which neither was chosen, by ``plain``.
"""

from __future__ import annotations

from typing import Any

__all__ = ["BEST", "PRESETS", "QUICK", "usual_preset"]

BEST: dict[str, Any] = {
    "scaling": "robust",
    "number_encoding": "both",
    "bins_by": "tree",
    "hidden": (256, 256),
    "activation": "silu",
    "dropout": 0.3,
    "optimizer": "adamw",
    "weight_decay": 0.01,
    "learning_rate": 0.003,
    "schedule": "flat_cosine",
    "epochs": None,
    "patience": None,
    "n_networks": 4,
    "ensemble": "auto",
}

QUICK: dict[str, Any] = {
    "hidden": (128, 64),
    "activation": "silu",
    "dropout": 0.1,
    "learning_rate": 0.003,
    "schedule": "flat_cosine",
    "epochs": 30,
    "patience": 8,
}

PRESETS: dict[str, dict[str, Any]] = {"best": BEST, "quick": QUICK, "plain": {}}
FOR_TABLES = "best"


def usual_preset(*, table: bool) -> str:
    """The preset where none is asked for: of a table with a target, and of all else."""
    return FOR_TABLES if table else "plain"
