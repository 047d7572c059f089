"""A list of operations recorded once on a CUDA device and replayed by one call.

On a GPU, launching a small network's operations takes longer than running them; a recorded graph launches them all at
once. The graph records the addresses of buffers, so every operation must work on fixed buffers, as those of a plan do.

Source: NVIDIA's CUDA graphs, as PyTorch's notes on CUDA semantics describe them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

__all__ = ["record_graph"]

Operations = list[Callable[[], object]]

_WARM_UP = 3  # libraries choose their algorithms and take their memory in the first calls, which cannot be recorded


def record_graph(
    operations: Sequence[Callable[[], object]], changed: Iterable[Tensor], where: torch.device
) -> Operations:
    """One operation that replays all of these.

    Parameters
    ----------
    changed
        Tensors that the operations change but the runs before the recording must not: their values are restored.
    """
    kept = [(tensor, tensor.clone()) for tensor in changed]
    with torch.cuda.device(where):
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(_WARM_UP):
                for operation in operations:
                    operation()
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for operation in operations:
                operation()
    for tensor, before in kept:
        tensor.copy_(before)
    return [graph.replay]
