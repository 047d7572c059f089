"""Questions about a finished run, asked and answered in the columns of its own table."""
