"""The parts of a report: each makes the blocks of one section from a run, or none if it does not apply."""
