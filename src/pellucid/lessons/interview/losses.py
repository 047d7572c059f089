"""Interview questions on losses."""

from __future__ import annotations

from pellucid.lessons.interview.open_question import OpenQuestion

__all__ = ["QUESTIONS"]

QUESTIONS = (
    OpenQuestion(
        text=("Why is cross-entropy preferred to the squared error for classification?"),
        answer=(
            "Because of the slope where the network is sure and wrong. With sigmoid and cross-entropy the slope "
            "for the logit is p − t; with the squared error it is 2 (p − t) p (1 − p), and the last two factors "
            "vanish when the neuron saturates. For a true class of 1 and a logit of −5, p is 0.0067: "
            "cross-entropy gives a slope of −0.993, the squared error −0.013. So the worst mistakes would be "
            "corrected most slowly. Cross-entropy is also the negative log-likelihood of the labels, and it is "
            "convex in the logits. The squared error of probabilities, the Brier score, is still a useful "
            "measure of calibration."
        ),
        points=(
            "the slope p − t against 2 (p − t) p (1 − p)",
            "saturation makes confident mistakes learn slowly",
            "maximum likelihood, convex in the logits",
        ),
    ),
    OpenQuestion(
        text=("Derive the gradient of cross-entropy with softmax."),
        answer=(
            "For the true class k the loss is L = −ln pₖ = −zₖ + ln Σⱼ e^zⱼ. The derivative of the logarithm by "
            "zᵢ is e^zᵢ / Σⱼ e^zⱼ = pᵢ, and −zₖ contributes −1 where i = k. So ∂L/∂zᵢ = pᵢ − yᵢ, where y is 1 "
            "for the true class and 0 for the others. For the logits [1.5, −0.5] and the first class, p is "
            "[0.8808, 0.1192] and the gradient [−0.1192, 0.1192]. Its components add up to zero and lie between "
            "−1 and 1, and it vanishes only as the answer becomes certain and right. Averaged over a batch, "
            "each row's gradient is divided by the number of rows."
        ),
        points=(
            "L = −zₖ + ln Σ e^z",
            "the result p − y",
            "it sums to zero and is bounded",
        ),
    ),
    OpenQuestion(
        text=("Compare the squared error, the absolute error and Huber's loss."),
        answer=(
            "The squared error is minimised by the mean, the absolute error by the median. For the numbers 1, "
            "2, 3, 4 and 90 the mean is 20 and the median 3, so one outlier moves the former and not the "
            "latter. The slope of the squared error grows with the error; with errors 1, 1, 1 and 10 the last "
            "one makes 97 % of it. The absolute error has slopes ±1 only, which is robust, but jumps at zero, "
            "so steps do not shrink near the minimum. Huber's loss is quadratic up to δ and linear beyond. As "
            "likelihoods, the first assumes Gaussian noise, the second Laplace noise."
        ),
        points=(
            "mean against median",
            "sensitivity to outliers, and the slopes",
            "Huber joins both, with δ to choose",
        ),
    ),
    OpenQuestion(
        text=("Why do we not train on accuracy itself?"),
        answer=(
            "Accuracy counts decisions. A small change of a weight changes none of them, so its slope is zero "
            "almost everywhere, and where it is not, it jumps: gradient descent has nothing to follow. A loss "
            "such as cross-entropy is a smooth substitute which also asks how sure the network was. With two "
            "classes, true probabilities of 0.4 and of 0.01 are the same wrong decision, but cost 0.92 and "
            "4.61. So the loss can rise while accuracy stays, when a network becomes sure of its mistakes. One "
            "trains on the loss, and chooses models and thresholds on validation rows by the measure that "
            "matters to the user."
        ),
        points=(
            "accuracy is piecewise constant: zero gradient",
            "a smooth surrogate that also measures confidence",
            "loss for training, metric for choosing",
        ),
    ),
    OpenQuestion(
        text=("What loss do you expect before training, and how do you use this?"),
        answer=(
            "A network that knows nothing gives about equal probabilities, so with C balanced classes "
            "cross-entropy begins near ln C: 0.69 for two, 2.30 for ten. For a standardised target the mean "
            "squared error begins near 1, its variance, which is also what always answering the mean achieves. "
            "Much more than that at the start points to initial weights or inputs that are too large, or to a "
            "wrong loss. If the loss stays there, nothing is learned. A second check: a few rows should be "
            "memorised, to a loss near zero; if even that fails, there is a bug."
        ),
        points=(
            "ln C for classes, the variance for numbers",
            "much higher at the start: scale or loss is wrong",
            "overfit a small batch as a test",
        ),
    ),
)
