"""The plain recurrent layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pellucid.errors import SettingError, nearest
from pellucid.network.layers.recurrent import Recurrent

__all__ = ["RNN"]

Function = Literal["tanh", "relu"]


@dataclass(frozen=True, kw_only=True)
class RNN(Recurrent):
    """A plain recurrent layer (Elman 1990): ``[B, T, inputs]`` to ``[B, T, width]``.

    Each unit's new state is ``function``, ``tanh`` or ``relu``, of a weighted sum of the inputs and the old state.
    Parameters are named as in ``torch.nn.RNN``.

    >>> RNN(inputs=3, width=8, function="relu").words()
    'RNN 3 → 8, relu'
    """

    function: Function = "tanh"

    gates = 1

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        if self.function not in get_args(Function):
            raise SettingError(
                f"RNN's function {self.function!r} is not known{nearest(str(self.function), get_args(Function))}"
            )

    def words(self) -> str:
        """``RNN 3 → 8, relu``; ``tanh`` is the usual function."""
        return super().words() + (f", {self.function}" if self.function != "tanh" else "")
