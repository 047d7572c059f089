"""Folders of texts as a table: a folder for each class, a text in each file."""
