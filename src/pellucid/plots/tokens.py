"""Pictures of what tokens and steps add over many rows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.plots.canvas import COLOURS, GREY, LINES, TWO_SIDED, panels
from pellucid.plots.words import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["mean_steps", "token_bars"]

Array = NDArray[Any]


def token_bars(tokens: Sequence[str], means: Array, *, title: str) -> Figure:
    """A bar for each token: what it adds on average to a row that has it.

    Parameters
    ----------
    tokens, means
        Their texts, and what each adds.
    title
        Above.

    >>> figure = token_bars(["great", "awful"], np.array([0.3, -0.2]), title="Tokens")
    >>> [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    ['great', 'awful']
    """
    from matplotlib import colormaps

    colours = colormaps[TWO_SIDED]
    figure, (axis,) = panels(width=5.6, height=0.9 + 0.23 * max(3, len(tokens)))
    axis.barh(range(len(tokens)), means, color=[colours(0.12 if x > 0 else 0.88) for x in means])
    axis.axvline(0, color=GREY, linewidth=0.8)
    axis.set_yticks(range(len(tokens)), [plain(token, 24) for token in tokens])
    axis.invert_yaxis()
    axis.set_xlabel("mean over the rows with the token")
    figure.suptitle(textwrap.fill(title, 62), fontsize=11)
    return figure


def mean_steps(values: Array, channels: Sequence[str], *, title: str) -> Figure:
    """For each channel a curve: how much each step adds or takes on average.

    Parameters
    ----------
    values
        ``[T, C]``, at least 0.
    channels
        ``[C]``, their names; of many the eight that add most are drawn.
    title
        Above.

    >>> [line.get_label() for line in mean_steps(np.ones((4, 1)), ["load"], title="").axes[0].lines]
    ['load']
    """
    figure, (axis,) = panels(width=6.4, height=3.4)
    for k, c in enumerate(np.argsort(-values.sum(axis=0), kind="stable")[:8]):
        axis.plot(values[:, c], label=plain(channels[c], 24), color=COLOURS[k], linestyle=LINES[k % 4])
    axis.set(xlabel="step", ylabel="mean of the absolute value", ylim=(0, None))
    if len(channels) > 1:
        axis.legend(fontsize=8.5)
    figure.suptitle(textwrap.fill(title, 70), fontsize=11)
    return figure
