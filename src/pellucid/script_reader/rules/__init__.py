"""Rules: each function finds one kind of mistake, each file holds one family; `RULES` lists them all."""

from pellucid.script_reader.rules.names import NOT_CALLED
from pellucid.script_reader.rules.table import RULES, WITHOUT_TORCH

__all__ = ["NOT_CALLED", "RULES", "WITHOUT_TORCH"]
