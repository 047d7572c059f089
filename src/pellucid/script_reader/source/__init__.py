"""Source: from a file or a notebook to syntax trees, with lines counted through all of its cells."""
