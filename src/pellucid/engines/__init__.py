"""The interpreters of a network, one folder each; none imports another, so each checks the others."""
