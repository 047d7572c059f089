"""What the recurrent modules share: PyTorch's own classes, which leave padded steps out."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from pellucid.engines.torch_engine.sequences import ReadsLengths, mask_of
from pellucid.network.layers.recurrent import Recurrent

__all__ = ["ByLengths", "fields_of"]


class ByLengths(ReadsLengths, nn.RNNBase):
    """A recurrent module of PyTorch that takes rows of several lengths and gives their states alone, ``[B, T, D]``."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, T, I]`` to ``[B, T, D]``; zeros at padded steps."""
        states: Tensor
        mask = mask_of(self.lengths, input.shape[1])
        if mask is None or self.lengths is None:
            return super().forward(input)[0]  # type: ignore[no-any-return]
        if not self.bidirectional and self.mode != "RNN_RELU":  # padded steps come last: no other step sees them
            return super().forward(input)[0].masked_fill(~mask[:, :, None], 0)  # type: ignore[no-any-return]
        packed: Any = pack_padded_sequence(input, self.lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(super().forward(packed)[0], batch_first=True, total_length=input.shape[1])
        return states


def fields_of(layer: Recurrent) -> dict[str, Any]:
    """A layer's fields as PyTorch names them."""
    return {
        "input_size": layer.inputs,
        "hidden_size": layer.width,
        "num_layers": layer.layers,
        "bidirectional": layer.bidirectional,
        "batch_first": True,
    }
