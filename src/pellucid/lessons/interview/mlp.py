"""Interview questions on the multi-layer perceptron."""

from __future__ import annotations

from pellucid.lessons.interview.open_question import OpenQuestion

__all__ = ["QUESTIONS"]

QUESTIONS = (
    OpenQuestion(
        text=("Why is a deep network without activations no more powerful than one layer?"),
        answer=(
            "Two layers without an activation compute W₂ (W₁ x + b₁) + b₂ = (W₂W₁) x + (W₂b₁ + b₂), which is "
            "again one matrix and one bias. By repetition the same holds for any depth. The product can even do "
            "less: its rank is at most the width of the narrowest layer. What changes is how it learns, not "
            "what it can express. A non-linear activation between the layers prevents the collapse. For "
            "example, relu(x₁ + x₂) − 2 relu(x₁ + x₂ − 1) is XOR on the four rows of zeros and ones, and no "
            "single layer is."
        ),
        points=(
            "the product of the matrices is one matrix",
            "the bias terms also merge into one",
            "the activation is what makes depth useful",
        ),
    ),
    OpenQuestion(
        text=("What does the universal approximation theorem say, and what does it leave open?"),
        answer=(
            "It says that a network with one hidden layer can approximate every continuous function on a closed "
            "and bounded set as closely as one likes, if it has enough hidden neurons and an activation that is "
            "not a polynomial (Cybenko, 1989, for sigmoids; Leshno and others, 1993). It does not say how many "
            "neurons that takes, and the number can grow exponentially with the number of inputs. Nor does it "
            "say that gradient descent finds these weights, or that a network fitted to finitely many rows "
            "predicts new rows well. It promises nothing outside the set."
        ),
        points=(
            "one hidden layer, enough neurons, continuous functions on a bounded set",
            "existence only: not how many neurons, nor how to find them",
            "nothing about generalisation",
        ),
    ),
    OpenQuestion(
        text=("How many parameters does a dense layer have? Work out a network 4 → 10 → 3."),
        answer=(
            "A dense layer with I inputs and O outputs has I · O weights and O biases. For 4 → 10 → 3 that is 4 "
            "· 10 + 10 = 50 and 10 · 3 + 3 = 33, together 83. In float32 these take 332 bytes. Training with "
            "Adam also stores a gradient and two running means for each parameter, so about four times as much, "
            "besides the activations of the batch. A forward pass needs one multiplication for each weight and "
            "row, here 70. The number tells memory and time; how much the network overfits depends also on the "
            "rows, the training and the regularisation."
        ),
        points=(
            "I · O + O for each layer",
            "83 in all, with the biases",
            "memory and time follow from it; overfitting not from it alone",
        ),
    ),
    OpenQuestion(
        text=("When would you make a network deeper, and when wider?"),
        answer=(
            "Width gives a layer more features of the same kind; depth builds features out of features. Depth "
            "can be far cheaper: k layers of two ReLU neurons each can make a saw with 2ᵏ straight pieces, "
            "while one hidden ReLU layer on a single input needs at least 2ᵏ − 1 neurons, since each neuron "
            "adds at most one bend. But depth is harder to train, because gradients are products over the "
            "layers; careful initial weights, normalisation and residual connections help. For tables I start "
            "with one or two hidden layers, for images and text with a known deep architecture, and let "
            "validation decide."
        ),
        points=(
            "depth composes features and can save exponentially many neurons",
            "deeper networks are harder to train; name remedies",
            "decided on validation data, from a small baseline",
        ),
    ),
    OpenQuestion(
        text=("Why are the initial weights random, and how large should they be?"),
        answer=(
            "If the neurons of a layer start with equal weights, to the layer before and to the next, they "
            "compute the same number, get the same gradient and stay equal: the layer acts like a single "
            "neuron. Random weights break this symmetry; biases may start at zero. The scale should keep "
            "signals and gradients about equally large from layer to layer. He's rule takes the variance 2 / "
            "inputs for ReLU, which halves the mean square of a symmetric input; Glorot's takes 2 / (inputs + "
            "outputs) for tanh and sigmoid. Far too small, and signals and gradients vanish; far too large, and "
            "they explode or saturate the neurons."
        ),
        points=(
            "symmetry must be broken",
            "He for ReLU, Glorot for tanh, with their variances",
            "what happens if the scale is wrong",
        ),
    ),
)
