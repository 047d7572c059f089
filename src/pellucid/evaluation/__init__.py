"""How good the predictions are, and how certain that is: metrics with intervals, compared with simpler models."""
