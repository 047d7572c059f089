"""Questions about a finished run, answered in the columns of its own table."""
