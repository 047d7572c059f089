"""Pellucid's engines, each asked through the same `Engine` that its training loop asks."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from peers.contestant import DoesNotApplyError
from peers.job import LEARNING_RATE, Arrays
from peers.pictures.job import PictureContestant, PictureJob, normalised
from pellucid.network import cnn
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine

__all__ = ["Fused", "FusedBf16", "Textbook", "Torch"]


class _Ours(PictureContestant):
    timed = "one step; the batch is gathered from pictures in memory"
    engine_name = "fused"
    products = "auto"

    def __init__(self, job: PictureJob, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        network = cnn(job.shape_of, job.channels, job.classes, depth=job.depth)
        loss = Loss(name="cross_entropy")
        products = self.products
        if self.engine_name != "textbook":
            import torch

            torch.set_num_threads(job.threads)
            if products == "auto":
                from pellucid.engines.fastest import fastest_way, products_to_try

                tried = products_to_try(network, job.batch)
                _, products = fastest_way(network, loss, job.batch, threads=[job.threads], products=tried)
        self.note = f"products {products}" if self.engine_name == "fused" else ""
        self.engine = make_engine(
            self.engine_name, network, loss, Optimizer(name="adam"), initialise(network, 0), device="cpu",
            products=products if self.engine_name == "fused" else "blas",
        )  # fmt: skip
        self.engine.load_rows(normalised(arrays.x), arrays.y)

    def steps(self, count: int) -> int:
        """Steps of the engine."""
        for _ in range(count):
            self.engine.step(self.next_rows(), (), LEARNING_RATE)
        return count

    def logits(self, inputs: Any) -> NDArray[Any]:
        """The engine's."""
        return self.engine.logits(inputs)


class Fused(_Ours):
    """The fused engine, with the products that ``auto`` chooses."""


class FusedBf16(_Ours):
    """The same on request in bfloat16, with weights in float32."""

    products = "bf16"


class Torch(_Ours):
    """The torch engine."""

    engine_name = "torch"


class Textbook(_Ours):
    """What predicts where PyTorch is not installed."""

    engine_name = "textbook"

    def steps(self, count: int) -> int:
        """It is for reading, and for single answers."""
        raise DoesNotApplyError("for predictions only")
