"""One page that a person wants to read: self-contained HTML, made of sections of a few kinds of blocks."""
