"""Dates, times and time zones: recognising how they are written and reading them."""
