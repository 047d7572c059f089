"""Interview questions on attention and Transformers."""

from __future__ import annotations

from pellucid.lessons.interview.open_question import OpenQuestion

__all__ = ["QUESTIONS"]

QUESTIONS = (
    OpenQuestion(
        text=("What does softmax(Q Kᵀ / √d) V compute, and why is there a √d?"),
        answer=(
            "Each token has a query, a key and a value, three learned projections of its vector. The product of a "
            "query with all keys says how well each token fits what is looked for. The softmax makes weights of these "
            "scores that sum to 1, and the output is the mean of the values with these weights. If the numbers of "
            "queries and keys have variance 1, a score is a sum of d products and has the variance d. For d = 64 its "
            "deviation is 8: the softmax would put nearly all weight on one token, and its gradient would vanish. "
            "Dividing by √d brings the deviation back to 1."
        ),
        points=(
            "roles of query, key and value",
            "weights sum to 1, output is a weighted mean",
            "variance of the score is d; saturated softmax",
        ),
    ),
    OpenQuestion(
        text=("How does attention differ from a recurrent network in cost, and in how far information travels?"),
        answer=(
            "A recurrent network goes through T steps one after the other. What the first token said has to pass "
            "through all T − 1 updates, and so does its gradient, which tends to vanish. In attention any two tokens "
            "are one product apart, and all tokens are computed at once, which suits parallel hardware. The price is a "
            "matrix of T × T weights for each head: twice the length costs four times as much, 1,000 tokens need a "
            "million weights a head. A recurrent network needs a state of fixed size, whatever the length, so it is "
            "cheaper for very long or streaming input."
        ),
        points=(
            "T steps in a row against one product; parallel",
            "T² weights a head, with a figure",
            "a state of fixed size suits streams",
        ),
    ),
    OpenQuestion(
        text=("Why does a Transformer need positions, and how are they given?"),
        answer=(
            "Attention is a weighted mean over tokens, and a mean does not depend on order: permute the tokens, and "
            "the outputs are permuted in the same way. “Dog bites man” and “man bites dog” would give the same mean. "
            "So a vector that depends on the position is added to each token's vector. Sines and cosines of many wave "
            "lengths need no parameters. Learned vectors, one for each position, fit the data, but there are none for "
            "positions beyond those of training. Other ways put the distance into the scores: relative or rotary "
            "positions. I check it by permuting the tokens of a row: the answer must change."
        ),
        points=(
            "permuted tokens give permuted outputs",
            "sinusoidal, learned, relative or rotary",
            "learned ones end where training ended",
        ),
    ),
    OpenQuestion(
        text=("What are a causal mask and a padding mask, and what goes wrong without them?"),
        answer=(
            "Both set scores to minus infinity before the softmax, so that their weights are 0. The causal mask hides "
            "later tokens from each token. Without it a network that learns to predict the next token simply looks it "
            "up: the training loss is almost 0, and the generated text is useless. The padding mask hides the tokens "
            "with which shorter rows of a batch are filled up. Without it an answer depends on how long the other rows "
            "happen to be. Both are easy to test. Changing a later token must not change an earlier output, and a row "
            "alone must get the same answer as in a batch with longer ones."
        ),
        points=(
            "scores of minus infinity, weights of 0",
            "leak of the future: a loss too good to be true",
            "two tests: change later tokens; alone and in a batch",
        ),
    ),
    OpenQuestion(
        text=("You have 2,000 film reviews, half of them positive. Would you train a Transformer?"),
        answer=(
            "Not first. I begin with a linear model on weighted words and pairs of words, which takes seconds and is "
            "hard to beat with so few texts: a Transformer trained from nothing has to learn from 2,000 rows what "
            "words mean, and usually does worse. With 400 reviews for the test and an accuracy of 0.85, the standard "
            "error is 0.018, so small differences mean nothing; ten folds give a clearer picture. If word order "
            "matters, as in “not good”, pairs of words catch much of it. A Transformer is worth it with many more "
            "texts, or pretrained on others. Then I compare both on the same rows."
        ),
        points=(
            "linear model on words first, on the same split",
            "standard error with so few test rows",
            "pretraining or far more data changes the answer",
        ),
    ),
)
