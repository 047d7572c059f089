"""The kernel's rules, one file per kind of layer: its code, and what is packed into the table for the compiled run.

The compiled run is one function for all networks; it asks a row's code what to do (`training`). So a new kind is its
file here, a compiled forward and backward function, and a branch for its code in `training`.
"""

from __future__ import annotations

from pellucid.engines.kernel.layers.rule import Rule
from pellucid.network import Layer
from pellucid.network.layers.folder import table_of

__all__ = ["RULES"]

RULES: dict[type[Layer], Rule] = table_of(__name__, __path__, Rule)
