"""Interview questions on regularisation."""

from __future__ import annotations

from pellucid.lessons.interview.open_question import OpenQuestion

__all__ = ["QUESTIONS"]

QUESTIONS = (
    OpenQuestion(
        text=("What is overfitting? How do you recognise it, and tell it from underfitting?"),
        answer=(
            "A network overfits when it learns accidents of its training rows that do not hold for new ones. "
            "One sees it as a gap: good on training rows, clearly worse on held-out rows, and typically a "
            "validation loss that rises while the training loss still falls. An underfitting network is bad on "
            "both. The expected squared error splits into bias², variance and noise that cannot be removed; "
            "underfitting is high bias, overfitting high variance. So the remedies differ: more data, "
            "regularisation or a smaller network against overfitting; a larger network, longer training or "
            "better features against underfitting. Both curves over the epochs belong side by side."
        ),
        points=(
            "the gap between training and held-out rows",
            "bias and variance",
            "different remedies for the two",
        ),
    ),
    OpenQuestion(
        text=("Compare L2, L1 and weight decay. What changes with Adam?"),
        answer=(
            "L2 adds ½ λ w² to the loss, so λw to the gradient: with plain gradient descent each step "
            "multiplies w by 1 − ηλ, which is weight decay. With η = 0.1, λ = 0.1 and no other slope, 2 becomes "
            "1.98. It shrinks large weights most and makes hardly any exactly zero. L1 adds λ |w|, a pull of "
            "constant size, which does set weights to zero and so selects inputs. With Adam, the L2 term is "
            "divided by the root of the running mean square, so weights with large gradients are shrunk less. "
            "AdamW takes the decay apart from the gradient and restores the meaning of λ."
        ),
        points=(
            "gradients λw and λ sign(w); shrinkage against sparsity",
            "L2 equals weight decay only for plain gradient descent",
            "AdamW decouples the decay",
        ),
    ),
    OpenQuestion(
        text=("How does dropout work, and what happens at prediction?"),
        answer=(
            "In training, each hidden number is set to zero with the probability p, anew for each row and step, "
            "and those that stay are divided by 1 − p. The expected value is then unchanged: for p = 0.5 half "
            "are zero and the others doubled. At prediction nothing is dropped and nothing has to be scaled. No "
            "neuron can rely on a particular other one. It can be read as training 2ⁿ networks that share their "
            "weights, and averaging them approximately. Training takes longer and its loss looks worse than at "
            "prediction. Typical p: 0.1 to 0.5 in dense layers, less where batch normalisation or much data "
            "already regularises."
        ),
        points=(
            "random zeros in training, scaled by 1 / (1 − p)",
            "inactive at prediction, the expectation is preserved",
            "prevents co-adaptation; like an ensemble",
        ),
    ),
    OpenQuestion(
        text=("How does early stopping work, and what are its pitfalls?"),
        answer=(
            "After each epoch one measures the loss on validation rows and remembers the best weights. When it "
            "has not improved for a number of epochs, the patience, training stops and the best weights are "
            "restored. For the losses 0.50, 0.42, 0.40, 0.41, 0.43 and a patience of 2, training stops after "
            "epoch 5 and keeps epoch 3. Pitfalls: a noisy curve needs more patience; without restoring, one "
            "keeps the worse last weights; and the validation rows have helped to choose, so their score is a "
            "little too good and an untouched test set must give the final figure. It interacts with schedules: "
            "a late drop of the rate may still help."
        ),
        points=(
            "monitor validation, patience, restore the best weights",
            "the validation score is optimistic: use a test set",
            "noise, and interaction with learning-rate schedules",
        ),
    ),
    OpenQuestion(
        text=("How do you split data, and what is leakage?"),
        answer=(
            "Training rows set the weights, validation rows choose settings, test rows are used once, at the "
            "end. Leakage is information from held-out rows, or from the future, in training. Typical cases: a "
            "scaler or imputer fitted on all rows; copies of a row in two parts; the same patient in training "
            "and test; a column that is known only after the outcome. So split first, by groups or by time "
            "where rows belong together, and fit every step on the training rows. Mind the size: an accuracy of "
            "0.90 on 200 test rows has a standard error of 0.021, so differences of one point mean little."
        ),
        points=(
            "three parts and what each is for",
            "leakage with examples, and splitting before any fitting",
            "groups, time, and the uncertainty of a small test set",
        ),
    ),
)
