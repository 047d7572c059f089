"""The update rules, by PyTorch's own functions.

The functional form of each ``torch.optim`` rule is the code that the optimizer classes call, without their
constructor, which would load PyTorch's compiler for over a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.adamw import adamw
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

from pellucid.network.optimizer import REMEMBERS, Optimizer

__all__ = ["Updates", "gradient"]


class Updates:
    """An update rule for these weights: the number of its steps, and its state.

    Attributes
    ----------
    steps
        Updates done.
    memory
        For each part of the rule's state, one tensor per weight.
    """

    def __init__(self, rule: Optimizer, weights: Sequence[Tensor]) -> None:
        self.steps = 0
        self._rule, self._weights = rule, list(weights)
        self.memory: dict[str, list[Tensor]] = {
            what: [torch.zeros_like(w, requires_grad=False) for w in self._weights] for what in REMEMBERS[rule.name]
        }

    def step(self, lr: float) -> None:
        """Update the weights in place with their ``.grad``; call it under ``torch.no_grad``."""
        self.steps += 1
        decays = [self._rule.decay_of(weight.shape) for weight in self._weights]
        for decay in dict.fromkeys(decays):  # a group of weights for each, as in torch.optim
            self._step([i for i, own in enumerate(decays) if own == decay], decay, lr)

    def _step(self, chosen: Sequence[int], decay: float, lr: float) -> None:
        """Update the weights of these numbers, which have one decay."""
        rule, w = self._rule, [self._weights[i] for i in chosen]
        memory = {what: [tensors[i] for i in chosen] for what, tensors in self.memory.items()}
        g = [gradient(weight) for weight in w]
        counts = [torch.tensor(float(self.steps - 1)) for _ in w]  # of steps before: the rules count on by themselves
        match rule.name:
            case "sgd":
                sgd(w, g, [None] * len(w), weight_decay=decay, momentum=0.0, lr=lr, dampening=0.0,
                    nesterov=False, maximize=False)  # fmt: skip
            case "momentum" | "nesterov":
                sgd(w, g, list(memory["momentum_buffer"]), weight_decay=decay, momentum=rule.momentum, lr=lr,
                    dampening=0.0, nesterov=rule.name == "nesterov", maximize=False)  # fmt: skip
            case "rmsprop":
                rmsprop(w, g, memory["square_avg"], [], [], counts, lr=lr, alpha=rule.alpha,
                        eps=rule.eps, weight_decay=decay, momentum=0.0, centered=False)  # fmt: skip
            case "adam" | "adamw":
                function = adam if rule.name == "adam" else adamw
                fused = w[0].device.type in ("cpu", "cuda")  # one pass over the numbers instead of one an operation
                counts = [count.to(w[0].device) for count in counts] if fused else counts
                function(w, g, memory["exp_avg"], memory["exp_avg_sq"], [], counts, amsgrad=False, fused=fused,
                         beta1=rule.beta1, beta2=rule.beta2, lr=lr, weight_decay=decay, eps=rule.eps,
                         maximize=False)  # fmt: skip
            case _:
                assert_never(rule.name)


def gradient(weight: Tensor) -> Tensor:
    """∂L/∂w, or zeros if the loss does not depend on ``w``."""
    return weight.grad if weight.grad is not None else torch.zeros_like(weight)
