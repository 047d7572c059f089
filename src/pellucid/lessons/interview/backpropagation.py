"""Interview questions on backpropagation."""

from __future__ import annotations

from pellucid.lessons.interview.open_question import OpenQuestion

__all__ = ["QUESTIONS"]

QUESTIONS = (
    OpenQuestion(
        text=("Explain backpropagation, and why it is efficient."),
        answer=(
            "It is the chain rule, applied from the loss backwards. With δ for the slope of the loss by a "
            "layer's sums z, δ of one layer follows from that of the next: δ = (Wᵀ δ_next) ⊙ f′(z), and the "
            "slopes of the weights are δ times the layer's inputs. Each common factor is computed once and used "
            "for everything before it, so all slopes together cost about two forward passes, however many "
            "weights there are. Trying out each weight would cost two forward passes for every one: 18 for nine "
            "parameters, and hopeless for millions. The price is memory, for the values of the forward pass "
            "must be kept."
        ),
        points=(
            "chain rule from the output backwards, with the recursion",
            "shared factors: cost independent of the number of weights",
            "activations of the forward pass have to be stored",
        ),
    ),
    OpenQuestion(
        text=("Derive the gradients of a dense layer Z = X Wᵀ + b."),
        answer=(
            "Let G = ∂L/∂Z, of shape [B, O]. Since z_no = Σᵢ x_ni w_oi + b_o, the weight w_oi collects g_no · "
            "x_ni over all rows: ∂L/∂W = Gᵀ X, of shape [O, I]. The bias is added in every row, so ∂L/∂b is the "
            "sum of G over the rows, of shape [O]. The input x_ni reaches every output, so ∂L/∂X = G W, of "
            "shape [B, I]. Shapes are a good check: each gradient has the shape of what it belongs to. If L is "
            "a mean over the batch, the factor 1 / B is already in G."
        ),
        points=(
            "∂L/∂W = Gᵀ X and ∂L/∂b = sum over rows",
            "∂L/∂X = G W, passed to the layer before",
            "each gradient has the shape of its variable",
        ),
    ),
    OpenQuestion(
        text=("What are vanishing and exploding gradients, and what helps?"),
        answer=(
            "The gradient of an early layer is a product with one factor for each later layer: weights times "
            "slopes of activations. Factors below 1 make it vanish, factors above 1 explode: 0.25¹⁰ is about "
            "10⁻⁶, 1.5²⁰ is about 3,300. Vanishing shows as early layers that hardly move, exploding as jumps "
            "of the loss or NaN; a plot of gradient norms by layer tells them apart. Against both: initial "
            "weights by He or Glorot, normalisation, residual connections; against vanishing ReLU-like "
            "activations and, in recurrent networks, gates; against exploding clipping of the gradient norm and "
            "a smaller learning rate."
        ),
        points=(
            "products over layers, with both directions",
            "diagnose by gradient norms for each layer",
            "remedies for each: initialisation, normalisation, skips, clipping",
        ),
    ),
    OpenQuestion(
        text=("How do you test that gradients are implemented correctly?"),
        answer=(
            "Compare them with central differences, (L(w + h) − L(w − h)) / 2h, weight by weight. Their error "
            "falls with h², that of a one-sided difference only with h. But rounding contributes about ε / h, "
            "so h must not be too small: 10⁻⁵ is a good choice in float64, and float32 is too coarse. Judge the "
            "relative difference; below about 10⁻⁶ is fine. Hold dropout masks and batches fixed, and keep away "
            "from kinks, such as ReLU at zero, where the two sides differ. For a large network, a random "
            "selection of weights, or a few random directions, is enough. Autograd is a second witness."
        ),
        points=(
            "central differences, error ∝ h²",
            "float64, a sensible h, relative error",
            "fix randomness; kinks are false alarms",
        ),
    ),
    OpenQuestion(
        text=("What happens to gradients where a value is used more than once?"),
        answer=(
            "They are added. If a value reaches the loss along several paths, its slope is the sum over all "
            "paths of the products along each. For y = x · x at x = 3, each use contributes 3, together 6. So "
            "the gradient of a shared weight, as in a convolution or a recurrent network, is the sum over all "
            "places where it is used. A residual connection y = x + f(x) has the slope 1 + f′(x): the 1 is a "
            "path on which the gradient passes unchanged. This is also why frameworks accumulate gradients, and "
            "why they must be set to zero before the next step."
        ),
        points=(
            "sum over paths",
            "weight sharing and residual connections as examples",
            "accumulation in frameworks: zero_grad",
        ),
    ),
)
