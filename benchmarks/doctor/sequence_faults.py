"""Faults of texts that are read token by token: each is put into texts made on the spot, beside its healthy twin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.doctor.planted import Planted, Trial

__all__ = ["SEQUENCE_FAULTS"]

Numbers = np.random.Generator
SMALL: dict[str, Any] = {
    "target": "label", "text": ("text",), "network": "gru", "width": 16, "embedding": 16, "text_units": "words",
    "epochs": 8,
}  # fmt: skip
GOOD, BAD = ("fine", "great", "moving", "bright"), ("dull", "poor", "flat", "grey")
_PLAIN = tuple(f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnrst")  # 150 words that say nothing


def _reviews(rng: Numbers, n: int, words: int = 12, *, telling: int = 2, plain: int = 150) -> dict[str, Any]:
    """Texts of which a few words are those of their class."""
    truth = rng.permutation(np.arange(n) % 2)
    texts = []
    for good in truth:
        said = [str(word) for word in rng.choice(_PLAIN[:plain], words)]
        for place in rng.choice(words, telling, replace=False):
            said[place] = str(rng.choice(GOOD if good else BAD))
        texts.append(" ".join(said))
    return {"text": texts, "label": [("bad", "good")[k] for k in truth]}


def _first_word(rng: Numbers, n: int) -> dict[str, Any]:
    """The first of 60 words tells the class."""
    truth = rng.permutation(np.arange(n) % 2)
    texts = [" ".join([("left", "right")[k], *(str(w) for w in rng.choice(_PLAIN[:6], 59))]) for k in truth]
    return {"text": texts, "label": [("l", "r")[k] for k in truth]}


def _vanishing(rng: Numbers, _: Path, fault: bool) -> Trial:
    how = {"network": "rnn", "step_pool": "last", "bidirectional": False} if fault else {}
    return Trial(data=_first_word(rng, 300), settings={**SMALL, **how})


def _cut(rng: Numbers, _: Path, fault: bool) -> Trial:
    """What tells stands after the tenth word."""
    table = _reviews(rng, 300)
    table["text"] = [f"{' '.join(rng.choice(_PLAIN, 10))} {text}" for text in table["text"]]
    return Trial(data=table, settings={**SMALL, **({"length": 8} if fault else {})})


def _fresh_cut(rng: Numbers) -> dict[str, Any]:
    table = _cut(rng, Path(), False).data
    assert isinstance(table, dict)
    return table


def _unknown(rng: Numbers, _: Path, fault: bool) -> Trial:
    """Only the 25 words are kept that say nothing."""
    return Trial(data=_common(rng, 300), settings={**SMALL, **({"vocabulary": 27} if fault else {})})


def _common(rng: Numbers, n: int) -> dict[str, Any]:
    return _reviews(rng, n, telling=3, plain=25)


def _copied(rng: Numbers, _: Path, fault: bool) -> Trial:
    """A fifth of the texts again, in capitals and with another sign at the end."""
    table = _reviews(rng, 300)
    again = rng.choice(300, 60, replace=False) if fault else []
    table["text"] += [f"{table['text'][k].upper()}!" for k in again]
    table["label"] += [table["label"][k] for k in again]
    return Trial(data=table, settings=SMALL)


def _padded(rng: Numbers, _: Path, fault: bool) -> Trial:
    """Of 300 texts a few are thirty times as long."""
    table = _reviews(rng, 300, words=6)
    for k in range(6 if fault else 0):
        table["text"][k] = " ".join([table["text"][k], *(str(w) for w in rng.choice(_PLAIN, 180))])
    return Trial(data=table, settings=SMALL)


SEQUENCE_FAULTS: tuple[Planted, ...] = (
    Planted(name="gradients-vanish-over-steps", make=_vanishing, fresh=lambda rng: _first_word(rng, 200)),
    Planted(name="sequences-cut", make=_cut, fresh=_fresh_cut),
    Planted(name="mostly-unknown-tokens", make=_unknown, fresh=lambda rng: _common(rng, 200)),
    Planted(name="text-copies-across-the-split", make=_copied),
    Planted(name="mostly-padding", make=_padded),
)
