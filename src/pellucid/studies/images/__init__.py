"""Studies of images: digits, clothes, shapes, and networks that draw what they saw."""
