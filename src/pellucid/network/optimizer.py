"""The frozen description of how weights are updated: the rule and its constants.

Like `Network`, an `Optimizer` is a value that each engine interprets: `engines.textbook.optimizers` implements the
rules, `torch_engine` passes them to ``torch.optim``. It does not include the learning rate: `training.schedules`
provides one for every step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from pellucid.errors import SettingError, nearest

__all__ = ["OPTIMIZERS", "REMEMBERS", "Optimizer", "OptimizerName"]

OptimizerName = Literal["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]
OPTIMIZERS: tuple[str, ...] = get_args(OptimizerName)

# What each rule keeps from step to step, one array per weight, under PyTorch's names.
REMEMBERS: dict[str, tuple[str, ...]] = {
    "sgd": (),
    "momentum": ("momentum_buffer",),
    "nesterov": ("momentum_buffer",),
    "rmsprop": ("square_avg",),
    "adam": ("exp_avg", "exp_avg_sq"),
    "adamw": ("exp_avg", "exp_avg_sq"),
}


@dataclass(frozen=True, kw_only=True)
class Optimizer:
    """An update rule by name.

    Parameters
    ----------
    name
        ``sgd``, ``momentum``, ``nesterov``, ``rmsprop``, ``adam`` or ``adamw``.
    weight_decay
        Added to the gradient as ``weight_decay · w``; for ``adamw`` subtracted from the weight separately from the
        gradient.
    decay_biases
        Whether the decay is for everything that is learned, as in PyTorch, or for the weights of layers only: not for
        their biases, nor for the scale and the shift of a normalisation, which have one axis.
    momentum
        The share of the last step kept by ``momentum`` and ``nesterov``.
    alpha
        ``rmsprop``'s smoothing of the squared gradient.
    beta1, beta2
        Adam's smoothing of the gradient and of its square.
    eps
        Added to the root in ``rmsprop``, ``adam`` and ``adamw``.
    clip_norm
        If the norm of all gradients together exceeds this, they are scaled down to it; ``None`` for no clipping.
    """

    name: OptimizerName = "adam"
    weight_decay: float = 0.0
    momentum: float = 0.9
    alpha: float = 0.99
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    clip_norm: float | None = None
    decay_biases: bool = True

    def __post_init__(self) -> None:
        """Check the name and the constants."""
        if self.name not in OPTIMIZERS:
            raise SettingError(f"optimizer {self.name!r} is not known{nearest(str(self.name), OPTIMIZERS)}")
        _check("weight_decay", self.weight_decay, 0.0, 1e6, open_top=False)
        for field in ("momentum", "alpha", "beta1", "beta2"):
            _check(field, getattr(self, field), 0.0, 1.0, open_top=True)
        _check("eps", self.eps, 1e-30, 1.0, open_top=False)
        if self.name == "nesterov" and self.momentum == 0:
            raise SettingError("nesterov needs a momentum above 0")
        if type(self.decay_biases) is not bool:
            raise SettingError(f"decay_biases must be true or false, got {self.decay_biases!r}")
        if self.clip_norm is not None:
            _check("clip_norm", self.clip_norm, 1e-30, 1e30, open_top=False)

    def decay_of(self, shape: Sequence[int]) -> float:
        """The weight decay of a parameter of this shape.

        >>> rule = Optimizer(name="adamw", weight_decay=0.05, decay_biases=False)
        >>> rule.decay_of((10, 784)), rule.decay_of((10,))
        (0.05, 0.0)
        """
        return self.weight_decay if self.decay_biases or len(shape) > 1 else 0.0

    def to_json(self) -> dict[str, Any]:
        """The optimizer as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: object) -> Optimizer:
        """Read what `to_json` wrote; raises `SettingError`."""
        names = set(cls.__dataclass_fields__)
        if not isinstance(value, Mapping) or set(value) != names:
            raise SettingError(f"optimizer must have exactly the fields {sorted(names)}")
        return cls(**value)


def _check(field: str, value: object, low: float, high: float, *, open_top: bool) -> None:
    fits = type(value) in (int, float) and low <= value <= high  # type: ignore[operator]
    if not fits or (open_top and value == high):
        top = f"below {high:g}" if open_top else f"at most {high:g}"
        raise SettingError(f"{field} must be at least {low:g} and {top}, got {value!r}")
