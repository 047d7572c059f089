"""Interview questions on convolutional networks."""

from __future__ import annotations

from pellucid.lessons.interview.open_question import OpenQuestion

__all__ = ["QUESTIONS"]

QUESTIONS = (
    OpenQuestion(
        text=("Why do we use convolutions for pictures, and not dense layers?"),
        answer=(
            "Two assumptions about pictures are built in. Neighbouring pixels belong together, so each output looks "
            "at a small window only. And a pattern means the same wherever it stands, so all windows share one set of "
            "weights. This saves parameters: for a picture of 32 × 32 with 3 channels, 16 filters of 3 × 3 have 448, "
            "while a dense layer with the same 16,384 outputs has about 50 million. Fewer parameters need less data. "
            "It also means that a shifted picture gives a shifted map. Where the position does matter, or where "
            "columns have no neighbours as in a table, these assumptions are wrong and a dense layer is better."
        ),
        points=(
            "locality and shared weights",
            "number of parameters, with figures",
            "shifted input, shifted map; when the assumptions fail",
        ),
    ),
    OpenQuestion(
        text=("How do kernel size, stride, padding and dilation decide the size of the output?"),
        answer=(
            "Along a side of n pixels, with kernel k, stride s, padding p and dilation d, the output has "
            "(n + 2p − d (k − 1) − 1) / s + 1 numbers, rounded down. For n = 32, k = 3, s = 1 and p = 1 it stays 32; "
            "with s = 2 it becomes 16; without padding it is 30. A dilation of 2 makes a kernel of 3 cover 5 pixels, "
            "so without padding 28 are left. 'Same' padding means p = d (k − 1) / 2 at stride 1. Padding also lets "
            "border pixels take part more often. I check shapes layer by layer, lest a map shrinks too early."
        ),
        points=(
            "the formula, rounded down",
            "an example for stride and for padding",
            "dilation widens the kernel to d (k − 1) + 1",
        ),
    ),
    OpenQuestion(
        text=("What is a receptive field, and how do you make it larger?"),
        answer=(
            "It is the part of the input that one number of a layer depends on. A layer with kernel k adds (k − 1) "
            "times the distance, in pixels, of neighbours on its input; each stride multiplies that distance. "
            "Two convolutions of 3 × 3 see 5 × 5 pixels, three see 7 × 7, with 27 weights for each pair of channels "
            "instead of 49. With pooling by 2 between two of them, the second one sees 8 × 8. So depth, "
            "stride or pooling, and dilation make it larger. It should cover the objects to be recognised. The middle "
            "of the field counts more than its border, so some reserve is needed."
        ),
        points=(
            "definition, and how layers add up",
            "depth, stride or pooling, dilation",
            "small kernels stacked need fewer weights",
        ),
    ),
    OpenQuestion(
        text=("What does pooling do, and how does a gradient pass through it?"),
        answer=(
            "Pooling replaces a window by one number, usually its maximum or its mean. It has no weights. The map "
            "becomes smaller, so later layers cost less and see more, and a shift by a pixel changes less. For max "
            "pooling the gradient goes entirely to the number that was the largest; the others get 0. For the mean of "
            "4 numbers each gets a quarter of it. From the window [1, 7, 3, 2] max pooling keeps 7, and a gradient of "
            "2 becomes [0, 2, 0, 0]; with the mean it is [0.5, 0.5, 0.5, 0.5]. Global average pooling at the end "
            "replaces a large dense layer. A convolution with stride 2 learns how to shrink instead."
        ),
        points=(
            "smaller maps, no weights, less sensitive to shifts",
            "gradient to the maximum only, or in equal parts",
            "global pooling and strided convolutions",
        ),
    ),
    OpenQuestion(
        text=("You have 2,000 photographs in ten classes. How do you train a network, and how do you check it?"),
        answer=(
            "I split first and keep pictures of the same object together, so that no near copy stands on both sides; "
            "with 400 for the test, an accuracy of 0.80 has a standard error of 0.02. The network is small, with batch "
            "normalisation, or pretrained if that is allowed. Augmentation makes the data go further: shifts, crops, "
            "mirror images where they keep the class, which they do not for digits. Validation pictures choose the "
            "epoch. I compare with simple models, such as nearest neighbours, and look at the worst mistakes and at "
            "what the network looked at: a background, a border or a file size may give the class away."
        ),
        points=(
            "a split without near copies, and the size of the error",
            "augmentation that keeps the class",
            "simple baselines, mistakes and attribution maps",
        ),
    ),
)
