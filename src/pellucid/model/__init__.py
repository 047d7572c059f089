"""What predicts, without PyTorch: a trained model, its file, and what it makes of new rows."""
