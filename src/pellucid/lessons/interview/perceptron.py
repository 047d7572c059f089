"""Interview questions on the perceptron."""

from __future__ import annotations

from pellucid.lessons.interview.open_question import OpenQuestion

__all__ = ["QUESTIONS"]

QUESTIONS = (
    OpenQuestion(
        text=("How does a perceptron decide, and what is its bias for?"),
        answer=(
            "It computes z = w · x + b, a weighted sum of its inputs plus a bias, and outputs 1 if z ≥ 0, "
            "else 0. The points with z = 0 form a line for two inputs and a hyperplane for more. The weights "
            "are the normal of this hyperplane: they set its direction. The bias shifts it without turning it; "
            "its distance from the origin is |b| / ‖w‖. Without a bias every boundary would pass through the "
            "origin. For example, the weights [1, 1] make AND with b = −1.5, and OR with b = −0.5."
        ),
        points=(
            "z = w · x + b, then a threshold",
            "the boundary is a hyperplane with w as its normal",
            "the bias shifts the boundary away from the origin",
        ),
    ),
    OpenQuestion(
        text=("State the perceptron learning rule. Does it always stop?"),
        answer=(
            "For each row, compute the answer y and change w ← w + η (t − y) x and b ← b + η (t − y), where t "
            "is the target. A right answer changes nothing. A wrong one moves z for this row in the right "
            "direction, by η (‖x‖² + 1). If some hyperplane separates the classes, the rule makes finitely many "
            "corrections: from zero weights at most (R / γ)², where R is the largest norm of a row, with a 1 "
            "appended for the bias, and γ the margin of a separating hyperplane (Novikoff, 1962). If none does, "
            "it never stops, so one limits the number of epochs."
        ),
        points=(
            "the update with the error t − y",
            "convergence if the classes are linearly separable, with a bound",
            "no convergence otherwise: limit the epochs",
        ),
    ),
    OpenQuestion(
        text=("Why can a single perceptron not compute XOR, and what can?"),
        answer=(
            "XOR must answer 0 for (0, 0), so b < 0; 1 for (1, 0) and (0, 1), so w₁ + b ≥ 0 and w₂ + b ≥ 0; and "
            "0 for (1, 1), so w₁ + w₂ + b < 0. Adding the two middle conditions gives w₁ + w₂ + b ≥ −b > 0, "
            "which contradicts the last. In the plane, the ones lie on opposite corners of a square, and no "
            "line separates them from the zeros. A hidden layer with a non-linear activation can do it. So can "
            "a better input: x₁ + x₂ − 2 x₁x₂ is XOR, and it is linear in x₁, x₂ and the product x₁x₂."
        ),
        points=(
            "a proof, by inequalities or by geometry",
            "not linearly separable",
            "a hidden layer or a non-linear feature solves it",
        ),
    ),
    OpenQuestion(
        text=("How does the perceptron differ from logistic regression?"),
        answer=(
            "Both compute z = w · x + b and have a linear boundary. The perceptron applies a step and learns "
            "from mistakes only; the slope of the step is zero wherever it exists, so gradient descent could "
            "not train it. Logistic regression applies sigmoid, which gives a probability p, and minimises −ln "
            "of the probability of the true class. Its gradient is (p − t) x, so its update looks the same with "
            "p in place of the answer, and every row pulls a little. This loss is convex and has sensible "
            "solutions where the classes overlap. If they can be separated, its weights grow without limit "
            "unless they are regularised."
        ),
        points=(
            "step and mistakes against sigmoid and likelihood",
            "the gradient (p − t) x and the similar update",
            "probabilities, and what happens on overlapping and on separable classes",
        ),
    ),
    OpenQuestion(
        text=("Does the learning rate of a perceptron matter? Does the scale of its inputs?"),
        answer=(
            "From zero weights, the learning rate does not change any answer. Weights and bias are then η times "
            "a sum of rows with signs; another η multiplies them all, and the sign of z stays. From other "
            "starting weights it does matter, because it sets the size of a correction compared with the start. "
            "The scale of the inputs matters always: an input with a large range dominates the sum, and R in "
            "the bound (R / γ)² grows while the margin may not, so many more corrections can be needed. "
            "Therefore one standardises the inputs. The order of the rows can lead to another line, too."
        ),
        points=(
            "η only scales the weights when they start at zero",
            "inputs on very different scales slow learning: standardise",
            "the solution is not unique: order and start decide which one is found",
        ),
    ),
)
