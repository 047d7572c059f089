"""Lightning: a ``LightningModule`` under a ``Trainer`` that neither logs, saves, shows nor validates."""

from __future__ import annotations

import logging
from typing import Any

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from peers.contestant import Contestant
from peers.job import LEARNING_RATE, Arrays, Job
from peers.plain import module, probabilities, tensors

__all__ = ["Lightning"]

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class _Module(lightning.LightningModule):
    def __init__(self, job: Job) -> None:
        super().__init__()
        self.model = module(job)
        self.criterion = nn.BCEWithLogitsLoss() if job.is_binary else nn.CrossEntropyLoss()

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        x, y = batch
        return self.criterion(self.model(x), y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)


class Lightning(Contestant):
    """``Trainer.fit`` over a ``DataLoader``."""

    timed = "`Trainer.fit` of whole epochs, divided by their steps"

    def __init__(self, job: Job, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        torch.set_num_threads(job.threads)
        self.loader = DataLoader(TensorDataset(*tensors(job, arrays)), batch_size=job.batch, shuffle=True)
        self.module = _Module(job)

    def _train(self, epochs: int) -> None:
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=epochs,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(self.module, self.loader)

    def steps(self, count: int) -> int:
        """Epochs under a trainer of their own."""
        epochs = -(-count // len(self.loader))
        self._train(epochs)
        return epochs * len(self.loader)

    def fit(self) -> None:
        """A new module, trained."""
        self.module = _Module(self.job)
        self._train(self.job.epochs)

    def probabilities(self, inputs: Any) -> NDArray[Any]:
        """The module called by hand, all rows at once."""
        return probabilities(self.job, self.module.model, np.ascontiguousarray(inputs))
