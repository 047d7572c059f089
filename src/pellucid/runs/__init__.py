"""A run and its folder: what was trained, the results, and how it is trained again."""
