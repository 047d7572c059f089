"""A learning rate for each network of a stack.

Legend: w, g ``[K, P]``, the weights and gradients of K networks; η ``[K]``, their learning rates.

Every rule here moves the weights by −η times something that does not depend on η. So the rule is let loose at rate 1
on a tensor of zeros, which then holds that something with its sign, and each network takes η times its line.
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
    """A rule at work on a stack, with the memory and the count of steps of ``updates``."""

    def __init__(self, rule: Optimizer, updates: FlatUpdates, flat: Flat, *, private: bool = True) -> None:
        self._rule, self._updates, self._w, self._g = rule, updates, flat.weights, flat.gradients
        self._change = torch.zeros_like(flat.weights)
        plain = replace(rule, weight_decay=0.0, clip_norm=None)  # both are done below, on the weights themselves
        self._at_one = FlatUpdates(plain, self._change, flat.gradients, private=private)
        self._at_one.memory = updates.memory

    def step(self, rates: Tensor) -> None:
        """Update the weights in place by the gradients, which this may overwrite; ``rates`` are ``[K]``."""
        rule, w, g, each = self._rule, self._w, self._g, rates.unsqueeze(-1)  # [K, 1]
        if rule.clip_norm is not None:
            norm = torch.linalg.vector_norm(g, dim=-1, keepdim=True)
            g.mul_(torch.clamp_max(rule.clip_norm / (norm + 1e-6), 1.0))
        if rule.weight_decay and rule.name == "adamw":
            w.mul_(1 - each * rule.weight_decay)
        elif rule.weight_decay:
            g.add_(w, alpha=rule.weight_decay)
        self._at_one.steps = self._updates.steps
        self._change.zero_()
        self._at_one.step(1.0)
        self._updates.steps = self._at_one.steps
        w.addcmul_(self._change, each)
