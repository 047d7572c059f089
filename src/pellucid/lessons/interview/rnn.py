"""Interview questions on recurrent networks."""

from __future__ import annotations

from pellucid.lessons.interview.open_question import OpenQuestion

__all__ = ["QUESTIONS"]

QUESTIONS = (
    OpenQuestion(
        text=("What is backpropagation through time, and why do gradients vanish or explode?"),
        answer=(
            "A recurrent network is unrolled into one layer a step, all with the same weights. The chain rule then "
            "goes from the last step to the first, and the gradient of a weight is the sum over all steps. Each step "
            "back multiplies by the derivative of the state by the state before, roughly u·tanh′. Over 50 steps a "
            "factor of 0.9 leaves 0.5 %, a factor of 1.1 gives 117 times as much. Vanishing means that early steps "
            "cannot be learned; exploding means that a single batch ruins the weights. Clipping the norm helps against "
            "the second, gates such as those of an LSTM against the first."
        ),
        points=(
            "unrolled, shared weights, gradients summed over steps",
            "a product of factors, with figures",
            "clipping for one, gates for the other",
        ),
    ),
    OpenQuestion(
        text=("How does an LSTM keep information for longer than a plain recurrent unit?"),
        answer=(
            "It has a cell beside its state. The new cell is the old one times a forget gate plus an input gate times "
            "a candidate; an output gate decides what is shown as the state. Going back along the cell, the gradient "
            "is multiplied by the forget gate only, with no weight matrix and no squashing in between. If that gate is "
            "0.99, 61 % of a gradient is left after 50 steps. The gates are themselves computed from the input and the "
            "state, so the network learns what to keep and when to overwrite. A positive bias of the forget gate at "
            "the start makes it remember by default."
        ),
        points=(
            "cell = forget gate · cell before + input gate · candidate",
            "the factor on the way back is the gate",
            "gates are learned; bias of the forget gate",
        ),
    ),
    OpenQuestion(
        text=("GRU or LSTM: what differs, and how do you choose?"),
        answer=(
            "A GRU has no separate cell and two gates instead of three: the update gate mixes the old state with a "
            "candidate, the reset gate decides how much of the old state the candidate sees. With equal width it has "
            "three quarters of an LSTM's parameters: for 32 inputs and 64 units, 18,816 instead of 25,088. In most "
            "comparisons they are about equally accurate, so I start with the GRU, which is cheaper, and compare both "
            "on validation rows over several seeds. Counting over long stretches is easier for an LSTM, whose cell is "
            "not bounded by 1."
        ),
        points=(
            "gates and states of each",
            "three quarters of the parameters",
            "choose on validation rows, over seeds",
        ),
    ),
    OpenQuestion(
        text=("Rows have different lengths. How do you put them into one batch, and what can go wrong?"),
        answer=(
            "Shorter rows are filled up with padding, and their lengths are remembered. Then a last state has to be "
            "taken at the last true step, means and maxima over true steps only, and a layer that reads backwards has "
            "to begin at the last true step, not in the padding. Padded targets must not count in the loss. "
            "If one of these is forgotten, an answer depends on which other rows are in the batch. A test finds that: "
            "predict a row alone and among longer ones; both answers must agree. Batches of rows of similar length "
            "save most of the useless work."
        ),
        points=(
            "padding and lengths; last true step, masked mean",
            "backwards layers begin at the true end",
            "test: alone and in a batch; buckets by length",
        ),
    ),
    OpenQuestion(
        text=("You have ten years of monthly sales. Is a recurrent network a good choice to forecast them?"),
        answer=(
            "Probably not as the only one. There are 120 numbers, far fewer than the weights of even a small network. "
            "I first compute what costs nothing: the last value, the value of the same month a year before, and a "
            "linear regression on the last 12 to 24 months. I split by time, never at random, and measure on a rolling "
            "origin, separately for each horizon. A network that merely repeats the last value can look good in a plot "
            "and be no better than persistence. With many related series, say 500 shops, one network for all of them "
            "may earn its place. Intervals belong to every forecast."
        ),
        points=(
            "120 numbers; persistence, seasonal, linear first",
            "split by time, rolling origin, by horizon",
            "many series change the answer",
        ),
    ),
)
