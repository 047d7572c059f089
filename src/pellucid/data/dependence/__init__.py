"""Rows that are not independent: copies, rows about the same entity, rows in order of time."""
