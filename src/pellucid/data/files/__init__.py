"""Files of every kind, from the bytes to columns: unpacked, decoded, their layout recognised."""
