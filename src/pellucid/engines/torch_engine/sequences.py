"""How long the sequences of a batch are, for PyTorch's modules.

Token 0 is padding, and so is a step of a series that is NaN in every channel, at the ends of rows.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["ReadsLengths", "mask_of", "padding_as", "steps_of"]


class ReadsLengths(nn.Module):
    """A module that leaves padded steps out: before each pass it is given ``lengths`` ``[B]``, or ``None``: all count.

    A kind of layer that PyTorch has is a subclass of both, so that its ``state_dict`` is PyTorch's own.
    """

    lengths: Tensor | None = None

    def lengths_after(self, lengths: Tensor) -> Tensor:
        """How many steps of each row count in what the module gives, ``[B]``."""
        return lengths


def steps_of(x: Tensor) -> tuple[Tensor, Tensor | None]:
    """The batch with zeros for padding, and how many steps of each row count, ``[B]``, at least 1; ``None``: all.

    >>> steps_of(torch.tensor([[5, 7, 0, 0], [3, 0, 2, 1]]))[1]
    tensor([2, 4])
    """
    if not x.is_floating_point() and x.ndim == 2:
        there = x != 0
    elif x.is_floating_point() and x.ndim == 3 and bool(x.isnan().any()):
        there = ~x.isnan().all(dim=2)
        x = x.masked_fill(~there[:, :, None], 0)
    else:
        return x, None
    steps = torch.arange(1, x.shape[1] + 1, device=x.device)
    lengths = (steps * there).amax(dim=1).clamp(min=1)
    return x, None if bool((lengths == x.shape[1]).all()) else lengths


def mask_of(lengths: Tensor | None, steps: int) -> Tensor | None:
    """``[B, T]``, true where a step counts; ``None`` where all do."""
    return None if lengths is None else torch.arange(steps, device=lengths.device) < lengths[:, None]


def padding_as(value: float, x: Tensor, lengths: Tensor | None) -> Tensor:
    """Channels ``[B, C, T]`` with this value at the steps that do not count."""
    mask = mask_of(lengths, x.shape[2])
    return x if mask is None else x.masked_fill(~mask[:, None], value)
