"""From the user's rows to the rows that training sees: read, split, checked for doubts and encoded."""
