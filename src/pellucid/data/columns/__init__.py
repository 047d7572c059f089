"""One column at a time: its type, what it holds (numbers, categories, dates, text, images …) and odd values in it."""
