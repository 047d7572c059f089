"""The lessons themselves: a text with figures, and questions whose answers are computed, one file each."""
