"""From a user's rows to the rows that training sees.

Read, divided, cleaned of doubts, fitted to the training part alone.
"""
