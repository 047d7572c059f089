"""The rules: each function is one mistake, each file a family; `RULES` is the table of all of them."""

from pellucid.script_reader.rules.names import NOT_CALLED
from pellucid.script_reader.rules.table import RULES, WITHOUT_TORCH

__all__ = ["NOT_CALLED", "RULES", "WITHOUT_TORCH"]
