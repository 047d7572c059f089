"""The simpler model that a network for texts is compared with: a linear model on weighted words.

Terms are the words and pairs of words of the training texts, or pieces of up to three letters where a script writes no
spaces (`preprocessing.steps.words`); each weighs (1 + ln c) · idf as in `preprocessing.steps.text`, but all terms in at
least two texts are kept, not only the most telling.

``N`` training texts, ``K`` texts to predict, ``C`` classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from pellucid.evaluation.baselines import dummy_answers, linear_answers
from pellucid.preprocessing.steps.words import PATTERN, REACH, terms_of, units_of

__all__ = ["word_answers"]

Array = NDArray[Any]


def word_answers(
    texts: Sequence[str],
    targets: Array,
    asked: Sequence[str],
    classes: int,
    *,
    balanced: bool = False,
    weights: Array | None = None,
) -> Array:
    """Predict with logistic regression on weighted words, or with ridge regression if ``classes`` is 0.

    Parameters
    ----------
    texts, targets
        The training rows: N texts, and ``[N]`` class numbers or numbers.
    asked
        The K texts to predict.
    classes
        The number of classes; 0 for numbers.
    balanced
        Whether rare classes get more weight.
    weights
        ``[N]``, or None if all are equal.

    Returns
    -------
    ndarray
        Probabilities ``[K, C]``, or numbers ``[K]``. Where the training texts hold no term, those of a constant.

    >>> import numpy as np
    >>> texts = ["a fine film", "fine acting", "a dull film", "dull acting"] * 5
    >>> word_answers(texts, np.array([1, 1, 0, 0] * 5), ["fine", "so dull"], 2).argmax(axis=1).tolist()
    [1, 0]
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    units = units_of(texts)
    each = [set(terms_of(text, units)) for text in texts]
    if not any(each):
        return dummy_answers(targets, len(asked), classes, weights)
    # Where no term is in two texts, those of one are all there is.
    repeated = len(set().union(*each)) < sum(map(len, each))
    how = {"token_pattern": PATTERN} if units == "words" else {"analyzer": "char"}
    vectorizer = TfidfVectorizer(ngram_range=REACH[units], sublinear_tf=True, min_df=2 if repeated else 1, **how)
    learned, wanted = vectorizer.fit_transform(texts), vectorizer.transform(asked)
    return linear_answers(learned, targets, wanted, classes, balanced=balanced, weights=weights)
