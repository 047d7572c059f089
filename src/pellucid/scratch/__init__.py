"""The textbook: a neural network from nothing but NumPy. Read it in this order.

1. `activations`: what a unit does with its sum, and the slope of it
2. `losses`: how wrong an answer is, and which way is better
3. `forward`: from a row to an answer
4. `backprop`: from an error back to every weight
5. `optimizers`: from a gradient to a better weight
6. `gradient_check`: how to know that all this is right
7. `engine`: the five parts in one training step

Nothing here imports PyTorch, so nothing here can share a mistake with it.
"""
