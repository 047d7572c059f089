"""Tracing: runs a script for one batch in a process of its own, and says what was wrong in the run."""
