"""Many trainings compared: settings, searches, seeds, learning rates."""
