"""Why a network gives an answer: methods on features and arrays, and one row traced number by number."""

from pellucid.explanation.trace import Agreement, Back, LayerAtWork, RowTrace, trace_row

__all__ = ["Agreement", "Back", "LayerAtWork", "RowTrace", "trace_row"]
