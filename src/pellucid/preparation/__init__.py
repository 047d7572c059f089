"""A user's rows become training's rows: read, split, checked for doubts and encoded."""
