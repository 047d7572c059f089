"""The convolutions of a step alone: forward, for the weights, and (but in the first layer) for the input."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray

from peers.contestant import DoesNotApplyError
from peers.job import Arrays
from peers.pictures.job import PictureContestant, PictureJob

__all__ = ["Convolutions"]

_HOW = ([1, 1], [1, 1], [1, 1], False, [0, 0], 1)  # stride, padding, dilation, not transposed, groups


class Convolutions(PictureContestant):
    """PyTorch's own, on channels-last tensors that are there already: what no loop around them can undercut."""

    timed = "the convolutions of one step"

    def __init__(self, job: PictureJob, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        torch.set_num_threads(job.threads)
        self.parts = []
        height, width = job.shape_of[1:]
        for before, after, pooled in job.convolutions():
            x, w, d = (
                torch.randn(shape).contiguous(memory_format=torch.channels_last)
                for shape in (
                    (job.batch, before, height, width),
                    (after, before, 3, 3),
                    (job.batch, after, height, width),
                )
            )
            self.parts.append((x, w, d))
            height, width = (height // 2, width // 2) if pooled else (height, width)

    def steps(self, count: int) -> int:
        """So many times."""
        forward, backward = torch.ops.aten.convolution, torch.ops.aten.convolution_backward
        with torch.inference_mode():
            for _ in range(count):
                for x, w, _ in self.parts:
                    forward(x, w, None, *_HOW)
                for index, (x, w, d) in reversed(list(enumerate(self.parts))):
                    backward(d, x, w, None, *_HOW, [index > 0, True, False])
        return count

    def logits(self, inputs: Any) -> NDArray[Any]:
        """It answers nothing."""
        raise DoesNotApplyError("for steps only")
