"""The parts of a report: each takes what is told of a run and gives the blocks of a section, none where it has none."""
