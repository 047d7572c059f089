"""What the recurrent modules share: PyTorch's own classes, which leave padded steps out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from pellucid.engines.torch_engine.recurrence import GRUTape, Order, RNNTape, Tape, order_of, reordered, run
from pellucid.engines.torch_engine.sequences import ReadsLengths, mask_of
from pellucid.network.layers.recurrent import Recurrent

__all__ = ["ByLengths", "fields_of"]

_WITHOUT_AUTOGRAD = (torch.float32,)  # not float64, in which engines are compared; the tests add it
_TAPES: dict[str, type[Tape]] = {"RNN_TANH": RNNTape, "RNN_RELU": RNNTape, "GRU": GRUTape}


class ByLengths(ReadsLengths, nn.RNNBase):
    """A recurrent module of PyTorch that takes rows of several lengths and gives their states alone, ``[B, T, D]``.

    In float32 on a processor the layers are taken one by one and in each direction by itself, by `recurrence` or (LSTM)
    by PyTorch's compiled loop, which knows no lengths. In float64, where engines are compared, everything is PyTorch's.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, T, I]`` to ``[B, T, D]``; zeros at padded steps."""
        if input.dtype in _WITHOUT_AUTOGRAD and input.device.type == "cpu":
            return self._each_direction(input)
        states: Tensor
        mask = mask_of(self.lengths, input.shape[1])
        if mask is None or self.lengths is None:
            return super().forward(input)[0]  # type: ignore[no-any-return]
        if not self.bidirectional and self.mode != "RNN_RELU":  # padded steps come last: no other step sees them
            return super().forward(input)[0].masked_fill(~mask[:, :, None], 0)  # type: ignore[no-any-return]
        packed: Any = pack_padded_sequence(input, self.lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(super().forward(packed)[0], batch_first=True, total_length=input.shape[1])
        return states

    def _each_direction(self, x: Tensor) -> Tensor:
        rows, steps, _ = x.shape
        compiled = self.mode == "LSTM"
        if compiled and self.lengths is None:
            return super().forward(x)[0]  # type: ignore[no-any-return]
        directions = (False, True) if self.bidirectional else (False,)
        orders = [order_of(rows, steps, self.lengths, backwards=way, device=x.device) for way in directions]
        weights = [tuple(each) for each in self.all_weights]
        for layer in range(self.num_layers):
            states = list[Tensor]()
            for way, order in enumerate(orders):
                number = layer * len(orders) + way
                one = self._lstm if compiled else self._own
                states.append(one(number, order, x, weights[number]))
            x = states[0] if len(states) == 1 else torch.cat(states, dim=2)
        return x

    def _own(self, number: int, order: Order, x: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
        """One layer in one direction by `recurrence`, on buffers that wait for the next batch of this size."""
        rows, steps, inputs = x.shape
        kept: dict[int, Tape] = self.__dict__.setdefault("_kept", {})
        tape = kept.pop(number, None) if torch.is_grad_enabled() else None
        if tape is None or not tape.fits(steps, rows, x.dtype):
            tape = _TAPES[self.mode](steps, rows, inputs, self.hidden_size, x.dtype)
            if isinstance(tape, RNNTape):
                tape.relu = self.mode == "RNN_RELU"
        return run(tape, lambda free: kept.__setitem__(number, free), order, x, weights)

    def _lstm(self, number: int, order: Order, x: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
        """One layer in one direction by PyTorch's loop; the padding comes last and is made zeros afterwards."""
        rows, steps, inputs = x.shape
        turned = reordered(x.reshape(rows * steps, inputs), order.into, order.back).view(steps, rows, inputs)
        start = x.new_zeros((1, rows, self.hidden_size))
        h: Tensor = torch.lstm(turned, (start, start), weights, True, 1, 0.0, self.training, False, False)[0]
        if order.padding is not None:
            h = h.masked_fill(order.padding, 0)
        return reordered(h.reshape(rows * steps, -1), order.back, order.into).view(rows, steps, -1)


def fields_of(layer: Recurrent) -> dict[str, Any]:
    """A layer's fields as PyTorch names them."""
    return {
        "input_size": layer.inputs,
        "hidden_size": layer.width,
        "num_layers": layer.layers,
        "bidirectional": layer.bidirectional,
        "batch_first": True,
    }
