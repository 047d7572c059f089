"""The command line: one file a command, and nothing in it that Python cannot call."""
