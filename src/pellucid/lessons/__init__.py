"""The learning path: short lessons whose figures and whose questions' answers are computed when they are read."""
