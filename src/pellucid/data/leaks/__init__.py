"""Columns that reveal the target: copies, codes, sums, products and rules."""
