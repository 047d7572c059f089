"""The linear model on weighted words, beside the same pipeline written with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from pellucid.evaluation.peers.text_peers import word_answers

GOOD, BAD = ["fine", "great", "moving", "bright"], ["dull", "poor", "flat", "grey"]


def reviews(n: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Texts of eight words, of which one to three are of their class's."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 2
    texts = []
    for k in truth:
        words = [f"word{i}" for i in rng.integers(0, 30, 8)]
        for place in rng.choice(8, rng.integers(1, 4), replace=False):
            words[place] = str(rng.choice(GOOD if k else BAD))
        texts.append(" ".join(words))
    return texts, truth


def test_the_answers_are_those_of_the_usual_pipeline() -> None:
    (texts, truth), (asked, wanted) = reviews(200), reviews(60, 1)
    found = word_answers(texts, truth, asked, 2)
    assert (found.argmax(axis=1) == wanted).mean() > 0.95
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"(?u)\w+")
    likely = [
        make_pipeline(words, LogisticRegression(C=strength, max_iter=1000)).fit(texts, truth).predict_proba(asked)
        for strength in (0.01, 0.1, 1.0, 10.0, 100.0)
    ]
    assert min(float(np.abs(found - each).max()) for each in likely) < 1e-6


def test_numbers_weights_and_three_classes() -> None:
    texts, truth = reviews(120)
    grades = word_answers(texts, truth * 4.0 + 1, ["great great", "dull poor"], 0)
    assert grades[0] > 3 > grades[1]
    counted = word_answers(texts, truth, ["nothing known"], 2, weights=np.where(truth == 1, 9.0, 1.0))
    assert counted[0, 1] > 0.7
    assert word_answers(texts, truth, ["fine"], 3)[0, 2] == 0  # a class without a training row


@pytest.mark.parametrize("texts", [["", "", "", ""], ["!", "?", "", "…"]])
def test_texts_without_a_word(texts: list[str]) -> None:
    """Empty texts tell nothing: the shares of the classes. Signs alone are read as characters."""
    found = word_answers(texts, np.array([0, 1, 1, 1]), ["", "word"], 2)
    assert found.shape == (2, 2)
    if not any(texts):
        np.testing.assert_allclose(found, [[0.25, 0.75]] * 2)


def test_texts_of_which_no_two_share_a_word() -> None:
    found = word_answers(["one", "two", "three", "four"], np.array([0, 0, 1, 1]), ["one", "four"], 2)
    assert found[0, 0] > 0.5 > found[1, 0]


def test_a_script_without_spaces_is_read_by_characters() -> None:
    texts = ["很好的电影", "很好的书", "不好的电影", "不好的书"] * 5
    found = word_answers(texts, np.array([1, 1, 0, 0] * 5), ["很好", "不好"], 2)
    assert found.argmax(axis=1).tolist() == [1, 0]
