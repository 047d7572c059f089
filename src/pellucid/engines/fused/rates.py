"""A learning rate for each network of a stack.

Legend: w, g ``[K, P]``, the weights and gradients of K networks; η ``[K]``, their learning rates.

Every update rule here changes the weights by −η times a step that does not depend on η. So the rule is applied once
with rate 1 to a tensor of zeros, which then holds the step of every network, and each network adds η times its own.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from pellucid.engines.fused.flat import Flat
from pellucid.engines.fused.updates import FlatUpdates
from pellucid.network.optimizer import Optimizer

__all__ = ["Rates"]


class Rates:
    """An update rule for a stack, with a learning rate for each network.

    Parameters
    ----------
    rule
        The update rule.
    updates
        The same rule with one rate for all; its state and its count of steps are shared.
    flat
        The weights and gradients of the stack.
    private
        Whether undocumented PyTorch operators may be used.
    """

    def __init__(self, rule: Optimizer, updates: FlatUpdates, flat: Flat, *, private: bool = True) -> None:
        self._rule, self._updates, self._w, self._g = rule, updates, flat.weights, flat.gradients
        self._decaying = None if rule.decay_biases else flat.decaying()
        self._change = torch.zeros_like(flat.weights)
        undecayed = replace(rule, weight_decay=0.0, clip_norm=None)  # `step` does both, on the weights themselves
        self._at_one = FlatUpdates(undecayed, self._change, flat.gradients, private=private)
        self._at_one.memory = updates.memory

    def step(self, rates: Tensor) -> None:
        """Update the weights in place with the gradients, which this may overwrite; ``rates`` are ``[K]``."""
        rule, w, g, each = self._rule, self._w, self._g, rates.unsqueeze(-1)  # [K, 1]
        if rule.clip_norm is not None:
            norm = torch.linalg.vector_norm(g, dim=-1, keepdim=True)
            g.mul_(torch.clamp_max(rule.clip_norm / (norm + 1e-6), 1.0))
        decaying = 1.0 if self._decaying is None else self._decaying
        if rule.weight_decay and rule.name == "adamw":
            w.mul_(1 - each * rule.weight_decay * decaying)
        elif rule.weight_decay:
            g.add_(w * decaying, alpha=rule.weight_decay)
        self._at_one.steps = self._updates.steps
        self._change.zero_()
        self._at_one.step(1.0)
        self._updates.steps = self._at_one.steps
        w.addcmul_(self._change, each)
