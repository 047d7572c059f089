"""The rules: each function is one mistake, each file a family; `RULES` is the table of all of them."""

from pellucid.explanation.script.rules.table import RULES, WITHOUT_TORCH

__all__ = ["RULES", "WITHOUT_TORCH"]
