"""The kernel's rules, one file a kind of layer: its code, and what is packed into the table for the compiled run.

The compiled run is one function for all networks; it asks a row's code what to do (`training`). So a new kind is its
file here, its line in `RULES`, a compiled forward and backward function, and a branch for its code in `training`.
"""

from __future__ import annotations

from pellucid.engines.kernel.layers import activation, dense
from pellucid.engines.kernel.layers.rule import Rule
from pellucid.network import Activation, Dense, Layer

__all__ = ["RULES"]

RULES: dict[type[Layer], Rule] = {Dense: dense.RULE, Activation: activation.RULE}
