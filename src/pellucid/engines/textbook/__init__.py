"""The textbook: a neural network from nothing but NumPy. Read it in this order.

1. `perceptron`: one neuron, and the first rule by which a neuron learned
2. `activations`: what a unit does with its sum, and the slope of it
3. `losses`: how wrong an answer is, and which way is better
4. `forward`: from a row to an answer
5. `backprop`: from an error back to every weight
6. `optimizers`: from a gradient to a better weight
7. `gradient_check`: how to know that all this is right
8. `engine`: the five parts in one training step

Nothing here imports PyTorch, so nothing here can share a mistake with it.
"""
