"""Interview questions on gradient descent."""

from __future__ import annotations

from pellucid.lessons.interview.open_question import OpenQuestion

__all__ = ["QUESTIONS"]

QUESTIONS = (
    OpenQuestion(
        text=("What does the learning rate do, and how do you choose it?"),
        answer=(
            "A step is w ← w − η · gradient. On a valley with the curvature c, each step multiplies the "
            "distance from the bottom by 1 − ηc: it converges if 0 < η < 2 / c and is fastest at 1 / c. For the "
            "loss (w − 4)², c is 2; η = 0.1 leaves 0.8 of the distance, and η = 1.1 multiplies it by −1.2, so "
            "it runs away. With many weights the steepest direction sets the limit. In practice I try powers of "
            "ten or run a range test, in which η grows until the loss rises; I take a value well below that, "
            "and let it decay towards the end."
        ),
        points=(
            "too small crawls, too large diverges, with a reason",
            "the limit 2 / curvature",
            "range test or a logarithmic search, and a schedule",
        ),
    ),
    OpenQuestion(
        text=("Compare full-batch, stochastic and mini-batch gradient descent."),
        answer=(
            "Full-batch descent uses all rows for each step: exact, but slow. Stochastic descent uses one row: "
            "cheap and very noisy. Mini-batches lie between: the mean over B random rows is an unbiased "
            "estimate of the gradient, whose standard deviation falls with 1 / √B, so four times the batch "
            "halves the noise. For 1,000 rows and batches of 32, an epoch has 32 steps, the last on 8 rows. "
            "Noise can help to leave flat places and often generalises well; large batches use hardware better, "
            "but usually want another learning rate. Rows are shuffled anew in each epoch."
        ),
        points=(
            "unbiased estimate with noise ∝ 1 / √B",
            "cost of a step against number of steps",
            "shuffle; the learning rate depends on the batch size",
        ),
    ),
    OpenQuestion(
        text=("Why should inputs be scaled before training?"),
        answer=(
            "The gradient by a weight is proportional to its input, and the curvature of the loss in this "
            "direction to the mean square of the input. If one column is a thousand times as large as another, "
            "its curvature is a million times as large. The valley is then long and narrow: the learning rate "
            "must suit the steepest direction and is far too small for the others. Standardised inputs, with "
            "mean 0 and standard deviation 1, make the valley rounder; they also keep sigmoid and tanh from "
            "saturating, and suit the usual initial weights. Mean and deviation are measured on the training rows "
            "only."
        ),
        points=(
            "gradient and curvature depend on the input's scale",
            "ill-conditioning: one step size for all directions",
            "fit the scaler on training rows only",
        ),
    ),
    OpenQuestion(
        text=("Are local minima the main problem of training?"),
        answer=(
            "For large networks, rarely. A point with zero gradient is a minimum only if the loss curves "
            "upwards in every direction; with thousands of directions most such points are saddles, where it "
            "falls in some (Dauphin and others, 2014). Plateaus and saddles slow descent down; the noise of "
            "mini-batches and momentum help to leave them. Many minima are equally good because they are the "
            "same network: exchanging ten hidden neurons among themselves gives 10! = 3,628,800 weight settings "
            "with the same outputs. The usual troubles are the learning rate, bad scaling, saturation and, "
            "above all, generalising rather than reaching a minimum."
        ),
        points=(
            "saddle points and plateaus in many dimensions",
            "symmetry makes many equivalent minima",
            "in practice other causes are more common",
        ),
    ),
    OpenQuestion(
        text=("The training loss does not go down. What do you check?"),
        answer=(
            "First the data: are inputs and labels matched, scaled and free of NaN? Then the loss at the start, "
            "which should be near ln C for C balanced classes. Next I let the network memorise ten rows; "
            "if it cannot, there is a bug, such as a wrong loss for the output, softmax applied twice, "
            "gradients that are not set to zero between steps, or parameters that the optimiser was never "
            "given. If it can, I vary the learning rate by powers of ten. I look at the gradients of each "
            "layer: zeros mean dead or saturated neurons, huge values an explosion. Last come architecture and "
            "initial weights."
        ),
        points=(
            "a systematic order, from data to model",
            "overfit a tiny sample to find bugs",
            "learning rate by powers of ten; look at gradients",
        ),
    ),
)
