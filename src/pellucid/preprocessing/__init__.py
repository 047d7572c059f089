"""From a table to the inputs of a network: fitted on the training rows alone, stored as JSON.

`recipe` holds the whole, and `steps` has a file for each kind of column; text as tokens (`TokenStep`) is used without a
recipe. `features` is what comes out: named arrays with one number of rows. `target` scales what is to be predicted;
`values` reads cells of any type, `readable` says which cells of new rows cannot be read, `encoded_cells` shows how a
cell is encoded, and `checks` reads what a model file holds.
"""

from __future__ import annotations

from pellucid.preprocessing.recipe import InputColumn, Recipe, Step
from pellucid.preprocessing.steps.boolean import BooleanStep
from pellucid.preprocessing.steps.categorical import CategoricalStep
from pellucid.preprocessing.steps.dates import DatePart, DateStep
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.preprocessing.steps.numeric import SCALINGS, NumericStep, Scaling
from pellucid.preprocessing.steps.piecewise import Bins, PiecewiseStep
from pellucid.preprocessing.steps.series import SeriesStep
from pellucid.preprocessing.steps.text import TextStep, Words
from pellucid.preprocessing.steps.tokenizer import Tokenizer
from pellucid.preprocessing.steps.tokens import TokenStep
from pellucid.preprocessing.steps.vocabulary import TokenSettings
from pellucid.preprocessing.target import TargetScaler

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
    "SeriesStep",
    "Step",
    "TargetScaler",
    "TextStep",
    "TokenSettings",
    "TokenStep",
    "Tokenizer",
    "Words",
]
