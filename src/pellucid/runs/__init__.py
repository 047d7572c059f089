"""A run and its folder: what was trained, what came of it, and how it is trained again."""
