"""Why a network answers as it does: one row traced forwards and backwards, number by number."""

from pellucid.explanation.trace import Agreement, Back, LayerAtWork, RowTrace, trace_row

__all__ = ["Agreement", "Back", "LayerAtWork", "RowTrace", "trace_row"]
