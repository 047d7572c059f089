"""A text to be continued becomes what training needs: tokens, divided by place, windows, and a network.

The first part of the text is learned from, the next chooses the best epoch, the last measures. The tokens are learned
from the first part alone. Nothing is shuffled: what comes next is known only where the text is in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.prose import Prose, read_prose
from pellucid.errors import DataError, SettingError
from pellucid.network import Network, rnn, transformer
from pellucid.network.task import Loss, Task
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.tokenizer import UNKNOWN, Tokenizer
from pellucid.preprocessing.steps.tokens import TokenStep
from pellucid.preprocessing.steps.vocabulary import TokenSettings, fit_tokenizer
from pellucid.settings.continuation import CONTINUATION, CONTINUES, UNIT_NAMES
from pellucid.settings.settings import Settings
from pellucid.training.rows import Rows
from pellucid.training.windows import LearnedWindows, measured_windows

__all__ = ["TEXT", "PreparedText", "prepare_text", "settings_for_text"]

Array = NDArray[Any]

TEXT = "text"  # the name of the only column of the recipe
_LEAST = 100  # tokens of a text
_SHORT, _LONG = 8, 128  # tokens of a window, by themselves


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedText:
    """What training needs, and the decisions made on the way.

    Attributes
    ----------
    tokens
        All tokens of the text, ``[L]``.
    ends
        How many of them are learned from, and how many are learned from or choose the best epoch.
    characters
        How many characters the last part has.
    """

    settings: Settings
    prose: Prose
    recipe: Recipe
    tokens: Array
    ends: tuple[int, int]
    characters: int
    task: Task
    network: Network
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """A short name of the text."""
        return self.prose.name

    @property
    def tokenizer(self) -> Tokenizer:
        """What a token is."""
        (step,) = self.recipe.steps
        assert isinstance(step, TokenStep)
        return step.tokenizer

    @property
    def unit(self) -> str:
        """What a token is, in a word or two."""
        return UNIT_NAMES[self.tokenizer.units]

    @cached_property
    def train(self) -> LearnedWindows:
        """The windows to learn from."""
        return LearnedWindows(self.tokens[: self.ends[0]], self.network.shape[0])

    @cached_property
    def validation(self) -> Rows:
        """The windows that choose the best epoch; those of the training text where no text is set aside for it."""
        learned, chosen = self.ends
        start, end = (learned, chosen) if chosen > learned else (0, learned)
        return measured_windows(self.tokens, self.network.shape[0], start, end)

    @cached_property
    def measured(self) -> Rows:
        """The windows that measure the result."""
        start, end = self.measured_part
        return measured_windows(self.tokens, self.network.shape[0], start, end)

    @property
    def measured_part(self) -> tuple[int, int]:
        """Which tokens measure the result: the last part, or else the one before."""
        learned, chosen = self.ends
        if chosen < len(self.tokens):
            return chosen, len(self.tokens)
        return (learned, chosen) if chosen > learned else (0, learned)

    @property
    def measured_on(self) -> str:
        """``test``, ``validation`` or ``training``: which part measures the result."""
        learned, chosen = self.ends
        if chosen < len(self.tokens):
            return "test"
        return "validation" if chosen > learned else "training"

    @property
    def how_split(self) -> str:
        """How the text was divided, in a sentence."""
        learned, chosen = self.ends
        parts = [f"the first {learned:,} {self.unit}s are learned from"]
        if chosen > learned:
            parts.append(f"the next {chosen - learned:,} choose the best epoch")
        if chosen < len(self.tokens):
            parts.append(f"the last {len(self.tokens) - chosen:,} measure the result")
        return ", ".join(parts)

    def fingerprint(self) -> str:
        """A digest of the settings, the network and every token."""
        digest = hashlib.sha256(repr(sorted(self.settings.to_json().items())).encode())
        digest.update(repr(self.network.to_json()).encode())
        digest.update(repr(self.ends).encode())
        digest.update(np.ascontiguousarray(self.tokens).data)
        return digest.hexdigest()


def settings_for_text(*given: Mapping[str, Any]) -> Settings:
    """The settings for a text: those given override the ones that suit texts.

    Raises
    ------
    SettingError
        A setting that is given has no meaning for a text to be continued.
    """
    asked = Settings.of(*given)
    usual = {**CONTINUATION, "dropout": 0.1} if asked.network == "transformer" else CONTINUATION
    settings = Settings.of(usual, *given, {"task": "continuation"})
    if settings.target is not None:
        raise SettingError(
            f"a text to be continued has no target column, but target is {settings.target!r}: leave it out, or name a "
            "table"
        )
    if settings.n_networks != 1:
        raise SettingError(f"a text is continued by one network, got n_networks={settings.n_networks}: leave it out")
    if settings.network not in ("auto", *CONTINUES):
        raise SettingError(
            f"network {settings.network} cannot continue a text: use one of {', '.join(CONTINUES)} (--network)"
        )
    if settings.bidirectional:
        raise SettingError(
            "a network that also reads backwards would see the tokens that it is to predict: leave bidirectional out"
        )
    return settings


def prepare_text(data: Any, settings: Settings) -> PreparedText:
    """Read a text, divide it by place, learn its tokens, and build the network.

    Raises
    ------
    DataError
        The text is empty, too short, or of one character.
    SettingError
        A setting does not fit the text.
    """
    prose = read_prose(data, encoding=settings.encoding, max_unpacked=settings.max_unpacked)
    text, notes = prose.text, list(prose.notes)
    first, second = _places(len(text), settings)
    tokenizer = fit_tokenizer(
        [text[:first]],
        TokenSettings(
            units="characters" if settings.text_units == "auto" else settings.text_units, most=settings.vocabulary
        ),
    )
    parts = [tokenizer.encode(part) for part in (text[:first], text[first:second], text[second:])]
    tokens = np.concatenate(parts)
    ends = (len(parts[0]), len(parts[0]) + len(parts[1]))
    unit = UNIT_NAMES[tokenizer.units]
    _check_enough(prose, parts[0], tokens, unit)
    settings = _sized(settings, ends[0], unit)
    assert settings.length is not None
    recipe = Recipe(steps=(TokenStep(name=TEXT, tokenizer=tokenizer, length=settings.length),))
    loss = Loss(name="cross_entropy", label_smoothing=settings.label_smoothing)
    task = replace(Task.continuation(tokenizer.size), loss=loss)
    unknown = sum(int(np.count_nonzero(part == UNKNOWN)) for part in parts[1:])
    if unknown:
        later = len(tokens) - ends[0]
        notes.append(f"{unknown:,} of the {later:,} {unit}s after the training text are new and count as unknown")
    measured = parts[2] if len(parts[2]) else parts[1] if len(parts[1]) else parts[0]
    characters = len(text) - second if len(parts[2]) else second - first if len(parts[1]) else first
    if not len(measured):
        raise DataError("there is no text to measure on")
    return PreparedText(
        settings=settings,
        prose=prose,
        recipe=recipe,
        tokens=tokens,
        ends=ends,
        characters=characters,
        task=task,
        network=_network(settings, tokenizer.size),
        notes=tuple(notes),
    )


def _places(characters: int, settings: Settings) -> tuple[int, int]:
    """Where the second and the third part of a text begin."""
    test = round(settings.test * characters)
    validation = round(settings.validation * characters)
    return characters - test - validation, characters - test


def _check_enough(prose: Prose, learned: Array, tokens: Array, unit: str) -> None:
    if len(tokens) < _LEAST:
        raise DataError(
            f"{prose.source} holds {len(tokens):,} {unit}s, too few to learn from: give a text of at least {_LEAST:,}, "
            "better 100,000 or more"
        )
    if (learned == learned[0]).all():
        raise DataError(
            f"{prose.source} repeats a single {unit} in its training part, so there is nothing to learn: give another "
            "text"
        )


def _sized(settings: Settings, n: int, unit: str) -> Settings:
    """The settings with sizes decided by the number of training tokens, where they are left open."""
    network = "gru" if settings.network == "auto" else settings.network
    length = settings.length or min(_LONG, max(_SHORT, n // 20))
    if length >= n:
        raise SettingError(
            f"a window of {length:,} {unit}s (length) does not fit into the {n:,} to learn from: set length below "
            f"{n:,} (--length), or give a longer text"
        )
    transforms = network == "transformer"
    width = settings.width or _width(n, transforms)
    return replace(
        settings,
        network=network,
        length=length,
        width=width,
        depth=settings.depth or (_depth(n) if transforms else 1),
        embedding=settings.embedding or min(64, width),
        hidden=settings.hidden or (),
        bidirectional=False,
        text_units=settings.text_units,
    )


def _width(n: int, transforms: bool) -> int:
    """The larger the text, the more there is to know."""
    if transforms:
        return 64 if n < 100_000 else 128
    return next(width for least, width in ((500_000, 512), (100_000, 256), (20_000, 128), (0, 64)) if n >= least)


def _depth(n: int) -> int:
    return 2 if n < 100_000 else 4


def _network(settings: Settings, vocabulary: int) -> Network:
    assert settings.length is not None
    assert settings.width is not None
    assert settings.depth is not None
    assert settings.embedding is not None
    shape = (settings.length,)
    if settings.network == "transformer":
        return transformer(
            shape,
            settings.width,
            vocabulary,
            heads=settings.heads,
            depth=settings.depth,
            vocabulary=vocabulary,
            causal=True,
            pool="none",
            dropout=settings.dropout,
        )
    return rnn(
        shape,
        (settings.width,) * settings.depth,
        vocabulary,
        cell=settings.network,
        vocabulary=vocabulary,
        embedding=settings.embedding,
        pool="none",
        hidden=settings.hidden or (),
        dropout=settings.dropout,
        activation=settings.activation,
    )
