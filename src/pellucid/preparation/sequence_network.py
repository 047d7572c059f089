"""Networks that read a row step by step, texts as tokens and series: what they take, their sizes, their building."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pellucid.errors import SettingError
from pellucid.network import Network, conv1d, rnn, transformer
from pellucid.network.layers import Shape
from pellucid.preparation.convolutions import usual_convolutions
from pellucid.preprocessing.recipe import Recipe, Step
from pellucid.preprocessing.steps.series import SeriesStep
from pellucid.preprocessing.steps.tokens import TokenStep
from pellucid.preprocessing.steps.vocabulary import TokenSettings
from pellucid.settings.sequences import RECURRENT, SEQUENCE_NETWORKS
from pellucid.settings.settings import Settings

__all__ = ["first_of", "reads_steps", "sequence_network", "tokens_for", "with_sequence_network"]

_WIDTH = 64
_HALVING = ("max", "none")


def first_of(names: Sequence[str]) -> str:
    """The first three names, and how many more there are.

    >>> first_of(["a", "b", "c", "d"])
    "'a', 'b', 'c' and 1 more"
    """
    return ", ".join(map(repr, names[:3])) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")


def reads_steps(settings: Settings) -> bool:
    """Whether the settings ask for a network that reads a row step by step."""
    return settings.network in SEQUENCE_NETWORKS


def tokens_for(settings: Settings) -> TokenSettings | None:
    """What tokens texts become; ``None`` where texts become the weights of their words."""
    if not reads_steps(settings):
        if settings.text_units == "byte-pairs":
            raise SettingError(
                "text_units byte-pairs is for networks that read tokens: give network=transformer or network=gru "
                "(--network), or set text_units to words or characters"
            )
        return None
    return TokenSettings(units=settings.text_units, most=settings.vocabulary, length=settings.length)


def with_sequence_network(settings: Settings, recipe: Recipe) -> Settings:
    """The settings with the sizes of a sequence network decided, where they are left open.

    Raises
    ------
    SettingError
        The rows are neither texts nor series, or a text stands beside other columns.
    """
    step = _sequence(settings, recipe)
    if settings.network == "conv":
        return _with_convolutions(settings, recipe.shapes[-1], tokens=isinstance(step, TokenStep))
    transforms = settings.network == "transformer"
    return replace(
        settings,
        width=settings.width or _WIDTH,
        depth=settings.depth or (2 if transforms else 1),
        embedding=settings.embedding or _WIDTH,
        bidirectional=True if settings.bidirectional is None else settings.bidirectional,
        step_pool=("mean" if transforms else "max") if settings.step_pool == "auto" else settings.step_pool,
        hidden=settings.hidden or (),
    )


def sequence_network(settings: Settings, recipe: Recipe, outputs: int) -> Network:
    """The network that the settings describe, once `with_sequence_network` has decided what was left open.

    Raises
    ------
    SettingError
        The layers do not fit together.
    """
    step = _sequence(settings, recipe)
    shape = recipe.shapes[-1]
    vocabulary = step.tokenizer.size if isinstance(step, TokenStep) else None
    if settings.network == "conv":
        return _convolutional(settings, shape, outputs, vocabulary)
    assert settings.width is not None
    assert settings.depth is not None
    assert settings.embedding is not None
    if settings.network in RECURRENT:
        return rnn(
            shape,
            (settings.width,) * settings.depth,
            outputs,
            cell=settings.network,
            vocabulary=vocabulary,
            embedding=settings.embedding,
            bidirectional=bool(settings.bidirectional),
            pool=settings.step_pool,
            hidden=settings.hidden or (),
            dropout=settings.dropout,
            activation=settings.activation,
        )
    if settings.network == "transformer":
        return transformer(
            shape,
            settings.width,
            outputs,
            heads=settings.heads,
            depth=settings.depth,
            vocabulary=vocabulary,
            pool=settings.step_pool,
            dropout=settings.dropout,
        )
    raise SettingError(f"network {settings.network} is not a network that reads step by step")


def _with_convolutions(settings: Settings, shape: Shape, *, tokens: bool) -> Settings:
    """The settings of a convolutional network with its sizes decided."""
    if settings.pool not in _HALVING:
        raise SettingError(
            f"network conv halves the steps between its stages by their maximum (pool=max) or not at all (pool=none), "
            f"got pool={settings.pool}"
        )
    usual = usual_convolutions(shape)
    return replace(
        settings,
        channels=settings.channels or usual.channels,
        depth=settings.depth or usual.depth,
        head=usual.head if settings.head == "auto" and settings.step_pool == "auto" else settings.head,
        embedding=settings.embedding or _WIDTH,
        step_pool=("max" if tokens else "mean") if settings.step_pool == "auto" else settings.step_pool,
        hidden=settings.hidden or (),
    )


def _convolutional(settings: Settings, shape: Shape, outputs: int, vocabulary: int | None) -> Network:
    assert settings.channels is not None
    assert settings.depth is not None
    assert settings.embedding is not None
    return conv1d(
        shape,
        settings.channels,
        outputs,
        kernel=settings.kernel,
        depth=settings.depth,
        vocabulary=vocabulary,
        embedding=settings.embedding,
        halved=settings.pool == "max",
        pool="flatten" if settings.head == "flatten" else settings.step_pool,
        hidden=settings.hidden or (),
        activation=settings.activation,
        batch_norm=settings.batch_norm,
        residual=settings.residual and settings.depth > 1,
        dropout=settings.dropout,
    )


def _sequence(settings: Settings, recipe: Recipe) -> Step:
    """The step of the only column, which holds a text or a series."""
    if isinstance(recipe.only, TokenStep | SeriesStep):
        return recipe.only
    texts = [step.name for step in recipe.steps if isinstance(step, TokenStep)]
    others = [step.name for step in recipe.steps if not isinstance(step, TokenStep)]
    asked = f"network {settings.network} reads one column of texts, or one of series, step by step"
    if not texts:
        raise SettingError(
            f"{asked}, but the table has the column{'s' * (len(others) != 1)} {first_of(others)}: name the text with "
            "text=… (--text), or use network=mlp (--network mlp)"
        )
    if len(texts) > 1:
        shown = ", ".join(map(repr, texts))
        raise SettingError(f"{asked}, but there are {len(texts)}, {shown}: keep one, and leave the others out (--drop)")
    raise SettingError(
        f"{asked}, but beside {texts[0]!r} the table has {first_of(others)}: leave the other columns out (--drop), or "
        "use network=mlp (--network mlp), which takes all columns together"
    )
