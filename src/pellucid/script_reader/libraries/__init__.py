"""Libraries: what the functions and methods of PyTorch, NumPy, pandas and scikit-learn return and do."""
