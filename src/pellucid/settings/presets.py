"""Presets: named values for the settings that decide how good a network for a table becomes.

| preset | what it is |
|---|---|
| best | published methods that also did well here, on tables they were not chosen on (``benchmarks/ACCURACY.md``) |
| quick | one network of two layers: standardised numbers, Adam, a falling learning rate, early stopping |
| pictures | a convolutional network: AdamW on one cycle, label smoothing, augmentation that suits the pictures |
| series | four residual convolutional networks that learn from all rows: AdamW on one cycle, dropout, label smoothing |
| sequences | a network that reads step by step: AdamW on one cycle, gradients clipped, dropout |
| forecasts | four small networks that begin as lines: AdamW at a low rate that falls |
| plain | the textbook: the defaults of `Settings`, early stopping on the validation rows |

Settings that are given override the preset. Without a preset, each kind of training gets its own (`USUAL`);
reconstructions get ``plain``, because the others were not chosen for them.
"""

from __future__ import annotations

from typing import Any

__all__ = ["BEST", "FORECASTS", "PICTURES", "PRESETS", "QUICK", "SEQUENCES", "SERIES", "USUAL", "usual_preset"]

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

PICTURES: dict[str, Any] = {
    "depth": 2,
    "batch_norm": True,
    "label_smoothing": 0.05,
    "optimizer": "adamw",
    "learning_rate": None,
    "weight_decay": 0.05,
    "decay_biases": False,
    "schedule": "one_cycle",
    "epochs": None,
    "patience": None,
    "augment": "auto",
}

SERIES: dict[str, Any] = {
    "kernel": 5,
    "residual": True,
    "batch_norm": True,
    "dropout": 0.5,
    "label_smoothing": 0.1,
    "optimizer": "adamw",
    "learning_rate": 0.003,
    "weight_decay": 0.05,
    "decay_biases": False,
    "schedule": "one_cycle",
    "epochs": None,
    "patience": None,
    "n_networks": 4,
    "validation": 0.0,
}

SEQUENCES: dict[str, Any] = {
    "dropout": 0.2,
    "optimizer": "adamw",
    "learning_rate": None,
    "weight_decay": 0.01,
    "decay_biases": False,
    "clip_norm": 1.0,
    "schedule": "one_cycle",
    "epochs": None,
    "patience": None,
}

FORECASTS: dict[str, Any] = {
    "hidden": (64, 64),
    "activation": "silu",
    "dropout": 0.1,
    "optimizer": "adamw",
    "weight_decay": 0.01,
    "learning_rate": 0.001,
    "schedule": "flat_cosine",
    "epochs": 40,
    "patience": None,
    "n_networks": 4,
}

PRESETS: dict[str, dict[str, Any]] = {
    "best": BEST,
    "quick": QUICK,
    "pictures": PICTURES,
    "series": SERIES,
    "sequences": SEQUENCES,
    "forecasts": FORECASTS,
    "plain": {},
}
# What each kind of training gets if no preset is asked for; anything else gets ``plain``.
USUAL = {
    "table": "best",
    "pictures": "pictures",
    "series": "series",
    "sequence": "sequences",
    "forecast": "forecasts",
}


def usual_preset(kind: str) -> str:
    """The default preset of a kind of training.

    Parameters
    ----------
    kind
        ``table`` with a target, ``pictures``, ``series`` for convolutions, ``sequence`` for what reads step by
        step, ``forecast``, or anything else, such as a reconstruction.

    >>> usual_preset("forecast"), usual_preset("reconstruction")
    ('forecasts', 'plain')
    """
    return USUAL.get(kind, "plain")
