"""All HTML pages: the report of a run and a traced row; self-contained, made of sections of a few kinds of blocks."""
