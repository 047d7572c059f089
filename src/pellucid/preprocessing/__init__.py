"""From a table to the inputs of a network: fitted on the training rows alone, stored as JSON.

`recipe` holds the whole; `numeric` (or `piecewise`), `boolean`, `categorical`, `dates`, `image` and `text` one kind of
column each; `target` scales what is to be predicted; `values` reads cells of any type, `words` divides texts, `checks`
reads what a model file holds.
"""

from __future__ import annotations

from pellucid.preprocessing.boolean import BooleanStep
from pellucid.preprocessing.categorical import CategoricalStep
from pellucid.preprocessing.dates import DatePart, DateStep
from pellucid.preprocessing.image import ImageStep
from pellucid.preprocessing.numeric import SCALINGS, NumericStep, Scaling
from pellucid.preprocessing.piecewise import Bins, PiecewiseStep
from pellucid.preprocessing.recipe import InputColumn, Recipe, Step
from pellucid.preprocessing.target import TargetScaler
from pellucid.preprocessing.text import TextStep, Words

__all__ = [
    "SCALINGS",
    "Bins",
    "BooleanStep",
    "CategoricalStep",
    "DatePart",
    "DateStep",
    "ImageStep",
    "InputColumn",
    "NumericStep",
    "PiecewiseStep",
    "Recipe",
    "Scaling",
    "Step",
    "TargetScaler",
    "TextStep",
    "Words",
]
