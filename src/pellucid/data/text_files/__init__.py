"""Tables as text (CSV and similar): encoding, dialect, header, and lines that are not rows."""
