"""How good the answers are, and how sure that is: metrics with bootstrap intervals, and a baseline beside them."""
