"""One column at a time: what its cells are and what they are worth as numbers, dates, categories or text."""
