"""Studies of sequences: what networks with a state, and attention, remember."""
