"""The arithmetic of a traced row in words and numbers: one file per kind of layer, forward and backward.

A new kind of layer needs a file here with its `Words` in a ``TABLE``.
"""

from __future__ import annotations

from collections.abc import Sequence

from pellucid.explanation.trace import LayerAtWork, RowTrace
from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.unit_names import MapNames, StepNames, as_steps, step_names
from pellucid.network import Dense, Layer, Positions, SelfAttention, Shape, StepPool
from pellucid.network.layers.folder import table_of
from pellucid.network.layers.layer import blocks
from pellucid.network.layers.recurrent import Recurrent

__all__ = ["WORDS", "NamedStep", "Words", "named_steps", "words_of"]

WORDS: dict[type[Layer], Words] = table_of(__name__, __path__, Words)  # type: ignore[type-abstract]

_READ_STEPS = (Dense, Positions, Recurrent, SelfAttention, StepPool)


def words_of(layer: Layer) -> Words:
    """The words for a layer's kind.

    Raises
    ------
    NotImplementedError
        The kind has no file in ``explanation/words`` yet.

    >>> from pellucid.network import Dropout
    >>> words_of(Dropout(rate=0.5)).symbol("a")
    'a'
    """
    try:
        return WORDS[type(layer)]
    except KeyError:
        kind = type(layer).__name__
        raise NotImplementedError(
            f"a row cannot be traced through a {kind} layer: add a file with its words to explanation/words; "
            f"there are words for {', '.join(known.__name__ for known in WORDS)}"
        ) from None


def named_steps(row: RowTrace, features: Sequence[str], outputs: Sequence[str]) -> tuple[NamedStep, ...]:
    """The layers of a traced row with the names of their units and the letters of their values.

    Parameters
    ----------
    row
        The trace.
    features
        The names of the network's inputs, ``[F]`` (`pellucid.explanation.words.unit_names.input_names` for a picture).
    outputs
        The names of its outputs, ``[C]``.
    """
    first = row.layers[0]
    if isinstance(features, MapNames) and len(first.shape_in) == 2 and isinstance(first.layer, _READ_STEPS):
        features = as_steps(features, first.shape_in)  # a series with its steps first
    return _named(row.layers, given="x", names=features, outputs=outputs)


def _named(
    layers: Sequence[LayerAtWork],
    *,
    given: str,
    names: Sequence[str],
    outputs: Sequence[str] = (),
    inside: str = "",
) -> tuple[NamedStep, ...]:
    """Names for successive layers; ``inside`` is the number of the composite that holds them, ``2.``."""
    numbers = {block.start: number for number, block in enumerate(blocks([work.layer for work in layers]), 1)}
    made: list[NamedStep] = []
    number = 0
    for work in layers:
        names_in, words = names, words_of(work.layer)
        if work.index in numbers:
            given = "a" if number else given  # to the next layer, its input is always called a
            number = numbers[work.index]
            last = outputs if number == len(numbers) else ()
            names = _of_block(words, f"{inside}{number}", work.shape_out, names, last)
        elif inside and not made:
            names = _of_block(words, f"{inside}{number}", work.shape_out, names)
        else:
            names = words.names(names, work.shape_out)
        symbol = words.symbol(given)
        made.append(
            NamedStep(
                work=work,
                given=given,
                symbol=symbol,
                names_in=names_in,
                names_out=names,
                inner=_named(work.inner, given=given, names=names_in, inside=f"{inside}{number}."),
                begins_block=bool(inside) and not made,
            )
        )
        given = symbol
    return tuple(made)


def _of_block(
    words: Words, number: str, shape_out: Shape, given: Sequence[str], outputs: Sequence[str] = ()
) -> Sequence[str]:
    """The names of what the first layer of a block gives; a sequence whose steps come first stays one.

    Parameters
    ----------
    words
        Of the layer.
    number
        Of the block.
    shape_out
        What the layer gives for one row.
    given
        The names of its inputs.
    outputs
        The answers' names, of the last block.
    """
    if isinstance(given, StepNames) and len(shape_out) == 2:
        return step_names(number, shape_out, outputs)
    return words.names_of_block(number, shape_out, outputs)
