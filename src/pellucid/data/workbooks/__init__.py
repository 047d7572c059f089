"""Workbooks of Excel and OpenDocument: how large they are, and the cells of a sheet."""
