"""Rows that are not independent: copies, rows of the same entity, rows in time order."""
