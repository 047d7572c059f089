"""From a path to bytes: opened, unpacked within limits, and their kind recognised."""
