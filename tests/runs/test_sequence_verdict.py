"""The verdict of a run on texts or series: which peers there are, and what they see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pellucid.evaluation.verdict import CONVOLVED, NEAREST, OF_TEXTS, WARPED, WORDS, Peer, Verdict, judge
from pellucid.preparation.prepare import Prepared, prepare
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.tokens import fit_tokens
from pellucid.runs import sequence_peers as peers
from pellucid.runs.sequence_peers import filled_series, sequence_step, texts_of
from pellucid.runs.verdict import reach_verdict
from pellucid.settings.settings import Settings
from tests.evaluation.peers.test_text_peers import reviews
from tests.runs.test_verdict import outcome


def prepared_for(n: int = 200, **settings: Any) -> Prepared:
    """Reviews, whose text becomes tokens."""
    texts, truth = reviews(n)
    data = {"text": texts, "label": [("bad", "good")[k] for k in truth]}
    prepared = prepare(data, Settings(**{"target": "label", "network": "mlp", **settings}))
    step = fit_tokens("text", prepared.table.take(prepared.split.train).column("text"))
    return replace(prepared, recipe=Recipe(steps=(step,)))


def judged(prepared: Prepared, sure: float = 0.99) -> Verdict:
    """The verdict on a network that gives the true class this probability."""
    known = np.where(np.eye(2)[prepared.measured.truth] == 1, sure, 1 - sure)
    found = reach_verdict(prepared, outcome(), known)
    assert found is not None
    return found


def test_a_network_on_tokens_is_compared_with_a_linear_model_on_words() -> None:
    found = judged(prepared_for())
    assert [peer.name for peer in found.peers] == ["dummy", *OF_TEXTS]
    assert found.peers[1].rows == 160
    assert found.peers[1].value > 0.95
    assert found.winner is None or found.winner == WORDS
    assert "column" not in found.sentence  # a single word is no column that might be known too late
    assert found.notes == ()


def test_a_bag_of_words_keeps_the_peers_of_tables() -> None:
    texts, truth = reviews(200)
    data = {"text": texts, "label": [("bad", "good")[k] for k in truth]}
    prepared = prepare(data, Settings(target="label"))
    assert sequence_step(prepared) is None
    assert [peer.name for peer in judged(prepared).peers][:2] == ["dummy", "linear model"]


def test_the_better_words_are_named_with_the_network_that_reads_them() -> None:
    found = judged(prepared_for(300), sure=0.5)
    assert found.winner == WORDS
    assert "use it, or a network on the same words (--network mlp)" in found.sentence


def test_words_that_tie_are_enough() -> None:
    dummy = Peer(name="dummy", value=0.5, difference=0.4, low=0.3, high=0.5, rows=900)
    words = Peer(name=WORDS, value=0.9, difference=0.001, low=-0.01, high=0.012, rows=900)
    found = judge("roc_auc", 0.901, 900, [dummy, words], expected=OF_TEXTS)
    assert found.winner == WORDS
    assert found.sentence.endswith("the simpler model is enough.")


def test_no_peer_learns_from_test_texts_and_rare_classes_count_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def spy(texts: Any, targets: Any, asked: Any, classes: int, **how: Any) -> Any:
        seen.update(texts=texts, asked=asked, **how)
        return np.full((len(asked), classes), 0.5)

    monkeypatch.setattr(peers, "word_answers", spy)
    prepared = prepared_for(class_weight="balanced")
    judged(prepared)
    texts, split = reviews(200)[0], prepared.split
    assert seen["texts"] == [texts[row] for row in (*split.train, *split.validation)]
    assert seen["asked"] == [texts[row] for row in split.test]
    assert seen["balanced"] is True


def test_texts_that_stand_for_nothing_are_empty() -> None:
    import pyarrow as pa

    assert texts_of(pa.array(["one", None, "n/a", "", "two"])) == ["one", "", "", "", "two"]


def test_gaps_are_filled_and_the_end_stays() -> None:
    nan = np.nan
    rows = np.array(
        [[[1.0, nan], [nan, 4.0], [3.0, nan], [nan, nan]], [[nan, 5.0], [2.0, 6.0], [nan, 7.0], [4.0, 8.0]]]
    )
    filled = filled_series(rows)
    np.testing.assert_array_equal(filled[0], [[1.0, 4.0], [2.0, 4.0], [3.0, 4.0], [nan, nan]])
    np.testing.assert_array_equal(filled[1], [[2.0, 5.0], [2.0, 6.0], [3.0, 7.0], [4.0, 8.0]])
    assert np.isnan(rows[0, 1, 0])  # the rows given stay as they are


@pytest.mark.parametrize("flat", [False, True])
def test_a_network_on_series_is_compared_with_the_nearest_series_and_random_convolutions(flat: bool) -> None:
    """Sines that are slow or fast, with gaps and unequal lengths."""
    rng = np.random.default_rng(0)
    kind, step = np.arange(120) % 2, np.arange(40)
    rows = np.sin(step * np.where(kind, 0.5, 0.9)[:, None] + rng.uniform(0, 6, (120, 1))) + 0.1 * rng.normal(
        size=(120, 40)
    )
    rows[rng.random(rows.shape) < 0.02] = np.nan
    for row, length in enumerate(rng.integers(25, 41, 120)):
        rows[row, length:] = np.nan
    data = {"x": [float(v) for v in rng.normal(size=120)], "label": [("slow", "fast")[k] for k in kind]}
    prepared = prepare(data, Settings(target="label"))

    class Step:
        kind, name, steps, channels = "series", "series", 40, 1

    split, series = prepared.split, rows if flat else rows[:, :, np.newaxis]  # as an mlp has them, too
    prepared = replace(
        prepared,
        recipe=replace(prepared.recipe, steps=(Step(),)),  # type: ignore[arg-type]
        train=_with(prepared.train, series[split.train]),
        validation=_with(prepared.validation, series[split.validation]),
        measured=_with(prepared.measured, series[split.test]),
    )
    found = judged(prepared)
    assert [peer.name for peer in found.peers] == ["dummy", NEAREST, WARPED, CONVOLVED]
    assert all(peer.rows == 96 for peer in found.peers)
    assert {peer.name: peer.value > 0.9 for peer in found.peers}[CONVOLVED]


class _Series:
    def __init__(self, of: Any, inputs: Any) -> None:
        self.of, self.inputs = of, inputs

    def __getattr__(self, name: str) -> Any:
        return getattr(self.of, name)


def _with(of: Any, inputs: Any) -> Any:
    return _Series(of, inputs)
