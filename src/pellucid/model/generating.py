"""Text that goes on: a trained network says how likely each token is next, one is drawn, and read in turn.

The draw is NumPy's, and the probabilities are computed in float64, so a seed gives the same text on every machine.

Legend: V tokens of the vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.stepping import Reader
from pellucid.errors import DataError, SettingError
from pellucid.network.continuing import why_not_continuing
from pellucid.preprocessing.steps.tokenizer import FIRST, UNKNOWN, Tokenizer
from pellucid.preprocessing.steps.tokens import TokenStep

if TYPE_CHECKING:
    from pellucid.model.trained import TrainedModel

__all__ = ["LENGTH", "Sampling", "generated", "refuse_text", "tokenizer_of"]

Array = NDArray[Any]

LENGTH = 500  # characters
_NAMED = 5  # unknown characters in a message


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How the next token is drawn from the probabilities.

    Parameters
    ----------
    temperature
        Below 1 the probable tokens become more probable, above 1 less; 0 always takes the most probable one.
    top_k
        Only so many of the most probable tokens can be drawn; ``None``: all.
    top_p
        Only the most probable tokens that together have at least this probability; ``None``: all.

    Raises
    ------
    SettingError
        A number is out of range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not _is_number(self.temperature) or not 0 <= self.temperature < math.inf:
            raise SettingError(
                f"temperature must be 0 (always the most probable token) or a finite number above it, got "
                f"{self.temperature!r}: 0.8 is usual"
            )
        if self.top_k is not None and (type(self.top_k) is not int or self.top_k < 1):
            raise SettingError(f"top_k must be a whole number from 1, or left out, got {self.top_k!r}")
        if self.top_p is not None and (not _is_number(self.top_p) or not 0 < self.top_p <= 1):
            raise SettingError(f"top_p must be above 0 and at most 1, or left out, got {self.top_p!r}")

    def draw(self, logits: Array, generator: np.random.Generator) -> int:
        """One token by these logits ``[V]``; never padding or unknown.

        >>> Sampling(temperature=0).draw(np.array([9.0, 9.0, 1.0, 3.0, 2.0]), np.random.default_rng(0))
        3
        """
        known = logits[FIRST:].astype(np.float64)
        if self.temperature == 0:
            return FIRST + int(known.argmax())
        p = np.exp((known - known.max()) / self.temperature)
        p /= p.sum()
        if self.top_k is not None or self.top_p is not None:
            p = self._cut(p)
        ends = p.cumsum()
        place = int(np.searchsorted(ends, generator.random() * ends[-1], side="right"))
        return FIRST + min(place, int(np.flatnonzero(p)[-1]))

    def _cut(self, p: Array) -> Array:
        """The probabilities with 0 for all that are not among the most probable; of equal ones the first counts."""
        order = np.argsort(-p, kind="stable")
        most = len(p) if self.top_k is None else self.top_k
        if self.top_p is not None:
            most = min(most, int(np.searchsorted(p[order].cumsum(), self.top_p - 1e-12)) + 1)
        cut = np.zeros_like(p)
        cut[order[:most]] = p[order[:most]]
        return cut


def refuse_text(model: TrainedModel) -> None:
    """Raise `DataError` where a model that continues texts is asked about rows."""
    if model.task.kind == "continuation":
        raise DataError(
            "this model continues texts and answers no rows: let it write with generate (pellucid generate RUN)"
        )


def tokenizer_of(model: TrainedModel) -> Tokenizer:
    """The tokenizer of a model that continues texts.

    Raises
    ------
    SettingError
        The model does something else.
    """
    if model.task.kind != "continuation":
        raise SettingError(
            f"this model does not continue texts: it was trained for {model.task.question}; train one on a text: "
            "pellucid train input.txt"
        )
    step = model.recipe.steps[0]
    if not isinstance(step, TokenStep) or len(model.recipe.steps) > 1 or why_not_continuing(model.network):
        raise SettingError("this model cannot continue texts: its network or its tokens are of another kind")
    return step.tokenizer


def generated(model: TrainedModel, prompt: str, *, length: int, sampling: Sampling, seed: int) -> Iterator[str]:
    """The continuation of a prompt, piece by piece; the prompt itself is not repeated.

    Parameters
    ----------
    model
        One that continues texts.
    prompt
        What to go on from; empty: as after an empty line, or after the most frequent token.
    length
        How many characters to write; the last token is written whole.
    sampling
        How tokens are drawn.
    seed
        Of the draws.

    Raises
    ------
    DataError
        The prompt holds what the vocabulary does not have.
    SettingError
        A number is out of range, or the model does not continue texts.
    """
    tokenizer = tokenizer_of(model)
    if type(length) is not int or length < 1:
        raise SettingError(f"length must be a whole number of characters from 1, got {length!r}")
    if type(seed) is not int or seed < 0:
        raise SettingError(f"seed must be a whole number from 0, got {seed!r}")
    if not isinstance(prompt, str):
        raise SettingError(f"the prompt must be a text, got {type(prompt).__name__}")
    read = _read_first(tokenizer, prompt)
    shown = len(tokenizer.encode(prompt))
    return _pieces(model, tokenizer, read, shown, length, sampling, np.random.default_rng(seed))


def _pieces(
    model: TrainedModel,
    tokenizer: Tokenizer,
    read: list[int],
    shown: int,
    length: int,
    sampling: Sampling,
    generator: np.random.Generator,
) -> Iterator[str]:
    def tokens() -> Iterator[int]:
        reader = Reader(model.network, model.parameters)
        for token in read:
            logits = reader.read(token)
        yield from read[len(read) - shown :]
        while True:
            token = sampling.draw(logits, generator)
            yield token
            logits = reader.read(token)

    written = 0
    for piece in islice(tokenizer.stream(tokens()), shown, None):
        if piece:
            yield piece
        written += len(piece)
        if written >= length:
            return


def _read_first(tokenizer: Tokenizer, prompt: str) -> list[int]:
    """The tokens to read before the first draw: those of the prompt, or one where there is none."""
    ids = [int(token) for token in tokenizer.encode(prompt)]
    if UNKNOWN in ids:
        match tokenizer.units:
            case "characters":
                what, pieces = "characters", list(tokenizer.prepared(prompt))
            case _:
                what, pieces = "words", [word for word in prompt.split() if UNKNOWN in tokenizer.encode(word)]
        known = [piece for piece in pieces if UNKNOWN in tokenizer.encode(piece)]
        named = list(dict.fromkeys(map(repr, known)))
        more = f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else ""
        raise DataError(
            f"the prompt holds {what} that the training text did not have: {', '.join(named[:_NAMED])}{more}; "
            "leave them out"
        )
    if ids:
        return ids
    line = tokenizer.encode("\n").tolist()
    return [int(line[-1]) if line and UNKNOWN not in line else FIRST]


def _is_number(value: object) -> bool:
    return type(value) in (int, float)
