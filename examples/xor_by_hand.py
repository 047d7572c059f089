"""XOR, learned with nothing but the textbook: forward, loss, backward, update."""

import numpy as np

from pellucid.engines.textbook.activations import sigmoid
from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.engines.textbook.optimizers import update
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss

x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([[0.0], [1.0], [1.0], [0.0]])

network = mlp(2, [4], 1, activation="tanh")  # 2 → 4 → 1
weights = initialise(network, seed=0, scheme="normal")
rule, memory = Optimizer(name="adam"), {name: {} for name in weights}

for t in range(1, 301):
    trace = forward(network, weights, x, training=True)
    loss = loss_and_gradient(Loss(name="bce"), trace.logits, y)
    gradients = backward(weights, trace, loss.d_logits).parameters
    for name, g in gradients.items():
        weights[name] = update(rule, weights[name], g, memory[name], learning_rate=0.05, t=t)
    if t % 100 == 0:
        print(f"step {t}: loss {loss.value:.4f}")

answers = sigmoid(forward(network, weights, x).logits)[:, 0]
print("answers", answers.round(2))
assert ((answers > 0.5) == (y[:, 0] > 0.5)).all()
