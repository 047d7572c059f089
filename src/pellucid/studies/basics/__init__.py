"""Studies of single parts: neurons, gates, derivatives, activations, losses and the usual mistakes."""
