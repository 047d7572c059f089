"""The interpreters of a network, one folder each; none imports another, so that they check each other."""
