"""The update rules, for all parameters of a network (or of a stack of networks) at once.

Legend: w, g ``[P]`` or ``[K, P]``, all weights and all gradients; η the learning rate; t the number of this step.
"""

from __future__ import annotations

import math
from typing import assert_never

import torch
from torch import Tensor

from pellucid.network.optimizer import REMEMBERS, Optimizer

__all__ = ["FlatUpdates"]


class FlatUpdates:
    """An update rule for one flat tensor of weights.

    Parameters
    ----------
    rule
        The update rule.
    w, g
        All weights and all gradients.
    decaying
        1 for each weight that decays, else 0; ``None``: all do.
    private
        Whether undocumented PyTorch operators may be used.

    Attributes
    ----------
    steps
        Updates done.
    memory
        The rule's state: tensors as long as the weights.
    """

    def __init__(
        self, rule: Optimizer, w: Tensor, g: Tensor, *, decaying: Tensor | None = None, private: bool = True
    ) -> None:
        self.steps = 0
        self._rule, self._w, self._g, self._decaying = rule, w, g, decaying
        self.memory: dict[str, Tensor] = {what: torch.zeros_like(w) for what in REMEMBERS[rule.name]}
        self._t = torch.empty_like(w)
        self._count = torch.zeros((), dtype=torch.float32, device=w.device)
        self._private = private and hasattr(torch, "_fused_adam_") and w.device.type in ("cpu", "cuda")

    def step(self, lr: float) -> None:
        """Update the weights in place with the gradients, which this may overwrite."""
        self.steps += 1
        rule, w, g, memory, t = self._rule, self._w, self._g, self.memory, self._t
        if rule.clip_norm is not None:
            norm = torch.linalg.vector_norm(g, dim=-1, keepdim=True)
            g.mul_(torch.clamp_max(rule.clip_norm / (norm + 1e-6), 1.0))
        decay = rule.weight_decay
        if decay and self._decaying is not None:
            coupled = rule.name != "adamw"
            (g if coupled else w).addcmul_(w, self._decaying, value=decay if coupled else -lr * decay)
            decay = 0.0
        if decay and rule.name not in ("adam", "adamw"):
            g.add_(w, alpha=decay)
        match rule.name:
            case "sgd":
                w.add_(g, alpha=-lr)
            case "momentum" | "nesterov":
                v = memory["momentum_buffer"].mul_(rule.momentum).add_(g)
                w.add_(g.add_(v, alpha=rule.momentum) if rule.name == "nesterov" else v, alpha=-lr)
            case "rmsprop":
                s = memory["square_avg"].mul_(rule.alpha).addcmul_(g, g, value=1 - rule.alpha)
                w.addcdiv_(g, torch.sqrt(s, out=t).add_(rule.eps), value=-lr)
            case "adam" | "adamw":
                self._adam(lr, decay)
            case _:
                assert_never(rule.name)

    def _adam(self, lr: float, decay: float) -> None:
        rule, w, g, t = self._rule, self._w, self._g, self._t
        m, s = self.memory["exp_avg"], self.memory["exp_avg_sq"]
        if self._private:  # one pass over all five tensors; the public way below takes seven
            self._count.fill_(self.steps)
            function = torch._fused_adam_ if rule.name == "adam" else torch._fused_adamw_
            function([w], [g], [m], [s], [], [self._count], lr=lr, beta1=rule.beta1, beta2=rule.beta2,
                     weight_decay=decay, eps=rule.eps, amsgrad=False, maximize=False)  # fmt: skip
            return
        if rule.name == "adamw":
            w.mul_(1 - lr * decay)
        elif decay:
            g.add_(w, alpha=decay)
        m.mul_(rule.beta1).add_(g, alpha=1 - rule.beta1)
        s.mul_(rule.beta2).addcmul_(g, g, value=1 - rule.beta2)
        torch.sqrt(s, out=t).div_(math.sqrt(1 - rule.beta2**self.steps)).add_(rule.eps)
        w.addcdiv_(m, t, value=-lr / (1 - rule.beta1**self.steps))
