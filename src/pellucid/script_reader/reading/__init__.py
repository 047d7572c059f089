"""Reading: the state of a reading, and what its handlers share: iteration, the script's own files, observations."""
