"""The steps of a recipe, one kind of column each: fitted on training rows, kept as JSON, applied to any rows."""
