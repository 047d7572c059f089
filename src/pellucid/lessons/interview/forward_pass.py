"""Interview questions on the forward pass."""

from __future__ import annotations

from pellucid.lessons.interview.open_question import OpenQuestion

__all__ = ["QUESTIONS"]

QUESTIONS = (
    OpenQuestion(
        text=("Describe the forward pass of a dense network, with the shapes."),
        answer=(
            "A batch X has the shape [B, I]: B rows of I inputs. A dense layer keeps W as [O, I] and b as [O] "
            "and computes Z = X Wᵀ + b, of shape [B, O]; b is added to every row. The activation works element "
            "by element and keeps the shape. The next layer must take O inputs. For 20 → 64 → 3 and 32 rows, "
            "the shapes are [32, 20], then [32, 64], then [32, 3]. The last layer returns logits. Softmax is "
            "taken along the classes, the last axis, never along the rows. Only the first axis depends on the "
            "batch; the parameters do not."
        ),
        points=(
            "Z = X Wᵀ + b with [B, I], [O, I], [O], [B, O]",
            "inner widths must agree; the bias is broadcast",
            "only the batch axis changes with the number of rows",
        ),
    ),
    OpenQuestion(
        text=("What is a logit, and how does it become a probability?"),
        answer=(
            "A logit is the score that the last layer returns before any activation. For two classes it is the "
            "log-odds, z = ln (p / (1 − p)), and sigmoid inverts this: p = 1 / (1 + e⁻ᶻ). A logit of 0 means "
            "one half, a logit of 2 about 0.88. For several classes softmax is used, and the ratio of two "
            "probabilities is e to the power of the difference of their logits. Networks hand logits to the "
            "loss because ln and exp can then be combined without overflow. Such probabilities need not be "
            "calibrated: a network can be 99 % sure and right less often, so one checks that on held-out rows."
        ),
        points=(
            "log-odds, and sigmoid as the inverse",
            "softmax: ratios depend on differences of logits",
            "logits for stability; probabilities may be badly calibrated",
        ),
    ),
    OpenQuestion(
        text=("What does a forward pass cost in time and memory?"),
        answer=(
            "A dense layer multiplies a [B, I] by an [I, O] matrix: B · I · O multiplications and as many "
            "additions. For 32 rows through 20 → 64 → 3 that is 32 · (20 · 64 + 64 · 3) = 47,104 of each. The "
            "backward pass costs about twice as much, since it needs the gradients of the inputs and the "
            "weights. For prediction alone one may discard each layer's output as soon as the next is computed. "
            "Training has to keep them for the backward pass, so its memory grows with batch and depth; "
            "gradient checkpointing trades it for computing some of them again."
        ),
        points=(
            "B · I · O multiply-adds for a layer",
            "backward is about twice forward",
            "training keeps activations; inference does not",
        ),
    ),
    OpenQuestion(
        text=("What differs between the forward pass in training and at prediction?"),
        answer=(
            "Dropout is active only in training: it sets a random share p of the numbers to zero and divides "
            "the others by 1 − p, so that nothing has to be rescaled at prediction, where it does nothing. "
            "Batch normalisation uses the mean and variance of the batch in training, and running averages at "
            "prediction, so that an answer does not depend on the other rows. And no gradients are needed at "
            "prediction, so nothing is kept for them. In PyTorch that is model.eval(), and apart from it "
            "torch.no_grad() or inference_mode(). Forgetting the former shows as predictions that change from call "
            "to call, or with the batch."
        ),
        points=(
            "dropout off, with scaling done in training",
            "batch normalisation uses running statistics",
            "evaluation mode and no_grad() are two different things",
        ),
    ),
    OpenQuestion(
        text=("Why are rows processed in batches? Do the predictions depend on the batch?"),
        answer=(
            "Hardware is fast at large matrix products: the weights are loaded once and used for all rows of "
            "the batch, and the processor's parallel units are busy. In a dense network each row goes its own "
            "way through the layers, so its output does not depend on the other rows, but for rounding: sums "
            "may be taken in another order. Batch normalisation in training mode is the exception, since it mixes "
            "rows through their mean and variance. Larger batches need more memory and make a single request "
            "wait; in training they also mean fewer and less noisy steps in an epoch, so the learning rate "
            "usually has to be chosen again."
        ),
        points=(
            "parallel hardware and reuse of weights",
            "rows are independent, except in batch normalisation's training mode",
            "limits: memory, latency, number of steps",
        ),
    ),
)
