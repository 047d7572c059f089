"""Record: what happens in a script, in the order in which it would happen."""
