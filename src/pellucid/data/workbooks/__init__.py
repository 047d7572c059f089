"""Workbooks of Excel and OpenDocument: checked before they are read; one sheet becomes columns."""
