"""Checks that arrays match a network, once before the first step, so that a wrong shape gives a clear message.

Some wrong shapes raise no error by themselves. Targets ``[N]`` and logits ``[N, 1]`` broadcast to ``[N, N]``: each
answer is compared with every row's target, and the network learns their mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from pellucid.errors import DataError, SettingError
from pellucid.network import Dense, Embedding, LayerNorm, Leaf, Network, Positions, SelfAttention, Transpose, describe
from pellucid.network.layers.recurrent import Recurrent
from pellucid.network.task import Loss

__all__ = ["check_inputs", "check_many", "check_parameters", "check_rows", "products_of", "refuse_padding", "typed"]

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


def check_inputs(network: Network, inputs: Array) -> None:
    """Raise `DataError` if ``inputs`` are not ``[N, *network.shape]``, such as ``[N, 4]``, or hold unknown tokens.

    >>> import numpy as np
    >>> from pellucid.network import mlp
    >>> check_inputs(mlp(2, [4], 1), np.zeros((10, 2)))
    """
    if inputs.shape[1:] == network.shape:
        _check_tokens(network, inputs)
        if _is_padded(network, inputs):
            refuse_padding(network)
        return
    if len(network.shape) > 1:
        raise DataError(
            f"the inputs must have the shape [N, {', '.join(map(str, network.shape))}] for layer 0 "
            f"({describe(network.layers[0])}), got {list(inputs.shape)}"
        )
    if inputs.ndim != 2 or inputs.shape[1] != network.inputs:
        raise DataError(
            f"the inputs must be rows of {network.inputs} numbers for layer 0 ({describe(network.layers[0])}), shape "
            f"[N, {network.inputs}], got {list(inputs.shape)}: {_remedy(network, inputs)}"
        )


def _check_tokens(network: Network, inputs: Array) -> None:
    first = network.layers[0]
    if not isinstance(first, Embedding):
        return
    if inputs.dtype.kind != "i":
        raise DataError(f"{first.words()} takes tokens, whole numbers, got the type {inputs.dtype}")
    low, high = (int(inputs.min()), int(inputs.max())) if inputs.size else (0, 0)
    if low < 0 or high >= first.vocabulary:
        raise DataError(
            f"{first.words()} knows the tokens from 0 (padding) to {first.vocabulary - 1:,}, got "
            f"{low if low < 0 else high:,}: these tokens belong to another vocabulary"
        )


def refuse_padding(network: Network) -> None:
    """Raise `DataError` if a layer would count the padded steps of a sequence among the others.

    Each kind leaves padding out along the axis where it takes the steps, so only a forgotten Transpose is refused.

    >>> from pellucid.network import transformer
    >>> refuse_padding(transformer((20,), 16, 3, vocabulary=100))  # attention takes (steps, numbers)
    """
    steps_axis = 0
    for leaf in network.leaves():
        if isinstance(leaf.layer, Transpose):
            steps_axis = 1 - steps_axis
        elif len(leaf.shape) == 2 and leaf.layer.steps_axis not in (None, steps_axis):
            wanted = "(steps, numbers)" if leaf.layer.steps_axis == 0 else "(channels, steps)"
            raise DataError(
                f"some rows are padded at their ends, and layer {leaf.name} ({leaf.layer.words()}) would count what is "
                f"not there: it takes rows of {wanted}, so put a Transpose before it, or give rows of equal length"
            )


def _is_padded(network: Network, inputs: Array) -> bool:
    """Whether a row ends in padding: token 0, or numbers that are missing."""
    if network.dtype == "int64":
        return inputs.ndim == 2 and bool((inputs[:, -1] == 0).any())
    return inputs.ndim == 3 and inputs.dtype.kind == "f" and bool((inputs != inputs).any())  # noqa: PLR0124 (NaN)


def typed(network: Network, inputs: Array, dtype: Any) -> Array:
    """The inputs in a type of numbers; tokens stay whole numbers.

    >>> import numpy as np
    >>> from pellucid.network import mlp
    >>> typed(mlp(2, [4], 1), np.zeros((10, 2)), "float32").dtype
    dtype('float32')
    """
    return inputs.astype("int64" if network.dtype == "int64" else dtype, copy=False)


def check_rows(network: Network, loss: Loss, inputs: Array, targets: Array, weights: Array | None = None) -> None:
    """Raise `DataError` if rows to learn from do not match the network and its loss.

    Parameters
    ----------
    inputs
        ``[N, I]``.
    targets
        ``[N]`` class numbers from 0 to C − 1 for ``cross_entropy``, else numbers ``[N, C]``; of a network that answers
        at each step class numbers ``[N, T]``, where 0 does not count.
    weights
        One number per row, ``[N]``, or ``None``.
    """
    check_inputs(network, inputs)
    rows, outputs = len(inputs), network.outputs
    if len(targets) != rows:
        raise DataError(f"each row needs a target: there are {rows:,} rows of inputs and {len(targets):,} of targets")
    if weights is not None and weights.shape != (rows,):
        raise DataError(f"the row weights must be one number per row, shape [{rows}], got {list(weights.shape)}")
    if network.answers_steps:
        _check_steps(network, loss, targets)
    elif loss.name == "cross_entropy":
        _check_classes(targets, outputs)
    elif targets.shape != (rows, outputs):
        column = "; make a column of them with targets.reshape(-1, 1)" if outputs == 1 and targets.ndim == 1 else ""
        raise DataError(
            f"for {loss.name} the targets must have the shape of the network's answers, [{rows}, {outputs}], got "
            f"{list(targets.shape)}{column or f': the last layer gives {outputs} numbers per row'}"
        )


def check_parameters(network: Network, parameters: Mapping[str, Array]) -> None:
    """Raise `SettingError` if an array of the network is missing or has the wrong shape."""
    for wanted in network.parameters():
        shape = tuple(parameters[wanted.name].shape) if wanted.name in parameters else None
        if shape != wanted.shape:
            fault = "is missing" if shape is None else f"must have the shape {list(wanted.shape)}, got {list(shape)}"
            raise SettingError(
                f"the parameter {wanted.name!r} {_place(network, wanted.name)} {fault}: these weights belong to "
                "another network"
            )


def products_of(network: Network) -> int:
    """About how many numbers are multiplied by a weight on the way of one row: convolutions use theirs everywhere, and
    so do the layers that take each step of a sequence by itself; attention multiplies each two steps.

    >>> from pellucid.network import cnn, mlp
    >>> products_of(mlp(4, [8], 3)) == mlp(4, [8], 3).n_trainable
    True
    >>> network = cnn((1, 28, 28), [16, 32], 10)
    >>> products_of(network) // network.n_trainable
    199
    """
    products = 0
    for leaf in network.leaves():
        trained = sum(p.size for p in leaf.layer.parameters(leaf.shape) if p.trainable)
        products += _times_used(leaf) * trained
        if isinstance(leaf.layer, SelfAttention):
            products += 2 * leaf.shape[0] ** 2 * leaf.layer.width  # queries by keys, and weights by values
    return products


def _times_used(leaf: Leaf) -> int:
    """How often one row multiplies by each weight of a layer."""
    after = leaf.layer.output_shape(leaf.shape)
    match leaf.layer:
        case Embedding() | Positions():
            return 0  # looked up and added
        case Dense() | LayerNorm() | Recurrent() | SelfAttention():
            return prod(after[:-1])
        case _:
            return prod(after[1:])


def check_many(networks: int, inputs: Array, *others: Array | None) -> bool:
    """Whether each of many networks has its own rows: ``inputs`` ``[K, N, I]`` instead of ``[N, I]``.

    Parameters
    ----------
    networks
        K, the number of networks with initial weights.
    others
        Other arrays with one entry per row, targets or weights; ``None`` is ignored.

    Raises
    ------
    SettingError
        There is no network, or the number of row sets is not the number of networks.
    """
    if networks < 1:
        raise SettingError("there are no networks to train: give the initial weights of at least one")
    own = inputs.ndim == 3
    if own and any(len(each) != networks for each in (inputs, *others) if each is not None):
        raise SettingError(
            f"there are rows for {len(inputs):,} networks, but initial weights for {networks:,}: give one set of rows "
            "each, or one for all"
        )
    return own


def _place(network: Network, name: str) -> str:
    """The layer that a parameter belongs to, in words."""
    leaf = next(leaf for leaf in network.leaves() if name.startswith(f"{leaf.name}."))
    return f"of layer {leaf.name} ({describe(leaf.layer)})"


def _remedy(network: Network, inputs: Array) -> str:
    if inputs.ndim == 1 and inputs.shape[0] == network.inputs:
        return "for a single row, use inputs.reshape(1, -1)"
    if inputs.ndim == 2:
        return f"give {network.inputs} columns, or make the first layer for {inputs.shape[1]}"
    return "give a table with one line per row"


def _check_steps(network: Network, loss: Loss, targets: Array) -> None:
    steps, classes = network.shapes()[-1]
    rule = (
        f"a network that answers at each step learns by cross_entropy from numbers from 1 to {classes - 1:,}, with "
        f"0 for steps that do not count, shape [N, {steps}]"
    )
    if loss.name != "cross_entropy" or loss.class_weights is not None:
        raise DataError(f"{rule}; the loss is {loss.name}{' with class weights' if loss.class_weights else ''}")
    if targets.ndim != 2 or targets.shape[1] != steps:
        raise DataError(f"{rule}, got the shape {list(targets.shape)}")
    if targets.dtype.kind != "i":
        raise DataError(f"{rule}, got the type {targets.dtype}: convert them with targets.astype('int64')")
    low, high = (int(targets.min()), int(targets.max())) if targets.size else (0, 0)
    if low < 0 or high >= classes:
        raise DataError(f"{rule}, got {low if low < 0 else high:,}")
    if len(targets) and not high:
        raise DataError(f"{rule}; here no step counts")


def _check_classes(targets: Array, classes: int) -> None:
    rule = f"for cross_entropy the targets must be class numbers, whole numbers from 0 to {classes - 1}, shape [N]"
    if targets.ndim != 1:
        raise DataError(f"{rule}, got shape {list(targets.shape)}")
    if targets.dtype.kind != "i":
        raise DataError(f"{rule}, got the type {targets.dtype}: convert them with targets.astype('int64')")
    low, high = (int(targets.min()), int(targets.max())) if len(targets) else (0, 0)
    if low < 0 or high >= classes:
        raise DataError(f"{rule}, got {low if low < 0 else high}: the last layer has one output per class, {classes}")
