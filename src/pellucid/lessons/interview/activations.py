"""Interview questions on activations."""

from __future__ import annotations

from pellucid.lessons.interview.open_question import OpenQuestion

__all__ = ["QUESTIONS"]

QUESTIONS = (
    OpenQuestion(
        text=("How steep can sigmoid be, and what follows for deep networks?"),
        answer=(
            "Its derivative is σ′(z) = σ(z) (1 − σ(z)), a parabola in σ with its largest value at σ = ½, that "
            "is at z = 0: it is ¼. Backpropagation multiplies one such factor for each layer, so through ten "
            "layers the activations alone scale the gradient by at most 0.25¹⁰, about one millionth. The "
            "weights add factors of their own, but large weights saturate the neurons, which makes the slopes "
            "smaller still. This is the vanishing gradient. Remedies are ReLU, whose slope is 1 above zero, "
            "suitable initial weights, normalisation and residual connections. Sigmoid remains in use for "
            "probabilities and for gates."
        ),
        points=(
            "σ′ = σ (1 − σ) ≤ ¼, at z = 0",
            "products over layers vanish",
            "remedies: ReLU, initialisation, normalisation, residual connections",
        ),
    ),
    OpenQuestion(
        text=("What is a dead ReLU? How do you notice and prevent it?"),
        answer=(
            "A ReLU returns max(0, z), and its slope is zero where z is below zero. If z is below zero for every "
            "row, its output and the gradient of all its weights are zero, so its own weights no longer change; "
            "only changes in the layers before it could revive it. A large step that makes the bias very "
            "negative is the usual cause. One notices it by counting, over a whole data set, the neurons that "
            "are never above zero. Prevention: a smaller learning rate or warm-up, He's initial weights, scaled "
            "inputs, or an activation with some slope on the left, such as leaky ReLU, ELU or GELU."
        ),
        points=(
            "zero output means zero gradient, for all rows",
            "count the units that are never active over a data set",
            "learning rate, initialisation, leaky variants",
        ),
    ),
    OpenQuestion(
        text=("What does softmax do, and why do implementations subtract the largest logit?"),
        answer=(
            "Softmax turns logits into probabilities: pᵢ = e^zᵢ / Σⱼ e^zⱼ. All are above zero and they add up "
            "to 1. Only differences count, because adding the same number c to all logits multiplies the "
            "numerator and the denominator by eᶜ. So one may subtract the largest logit. It is then e⁰ = 1, all "
            "other terms are smaller, and nothing overflows; without this, e^z overflows for z above about 88 "
            "in float32 and 709 in float64. For the loss one goes further and computes ln p = zᵢ − ln Σⱼ e^zⱼ, "
            "in the same stable way, rather than the logarithm of a rounded probability."
        ),
        points=(
            "the formula; positive, with the sum 1",
            "invariance: softmax(z + c) = softmax(z)",
            "overflow of the exponential, and log-softmax for the loss",
        ),
    ),
    OpenQuestion(
        text=("Sigmoid and tanh have the same shape. Why is tanh usually better in hidden layers?"),
        answer=(
            "They are related by tanh z = 2 σ(2z) − 1. Two differences matter. The slope of tanh is 1 at zero, "
            "four times that of sigmoid, ¼, so gradients shrink less. And tanh is centred: it gives 0 for 0 and "
            "values of both signs, while the outputs of sigmoid are all above zero. For a single row, the "
            "gradient of a neuron's incoming weights is δ · a; if all a are positive, all these gradients have "
            "the same sign, and descent zigzags. Both saturate far from zero, which is why ReLU and its "
            "relatives replaced them in most hidden layers; tanh lives on in recurrent networks."
        ),
        points=(
            "tanh z = 2 σ(2z) − 1",
            "zero-centred outputs, and why that helps",
            "larger slope at zero; both saturate",
        ),
    ),
    OpenQuestion(
        text=("Which activation do you choose for hidden layers, and which for the output?"),
        answer=(
            "For hidden layers ReLU is the usual start; GELU and SiLU are smooth relatives, common in "
            "transformers. The output layer follows the task. A number of any size: no activation, with the "
            "squared error or Huber's loss. Yes or no, or several labels at once: one sigmoid for each, with "
            "binary cross-entropy. One of several classes: softmax with cross-entropy. A positive number: "
            "softplus or the exponential. With two classes, softmax of (z₁, z₂) equals sigmoid of z₁ − z₂, so "
            "one logit is enough. In code the network ends in logits, and the loss applies the activation, for "
            "numerical stability."
        ),
        points=(
            "ReLU or a smooth relative in hidden layers",
            "output and loss are chosen together, by the task",
            "pass logits to the loss",
        ),
    ),
)
