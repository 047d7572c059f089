"""Numbers written as text: decimal and thousands separators, currencies, units, percentages, number words."""
