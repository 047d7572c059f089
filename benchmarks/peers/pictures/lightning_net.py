"""Lightning: a ``LightningModule`` under a ``Trainer`` that neither logs, saves, shows nor validates."""

from __future__ import annotations

import logging

import lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from peers.job import LEARNING_RATE, Arrays
from peers.pictures.job import PictureJob
from peers.pictures.plain import Plain

__all__ = ["Lightning"]

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class _Module(lightning.LightningModule):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.criterion = model, nn.CrossEntropyLoss()

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        x, y = batch
        return self.criterion(self.model(x), y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=LEARNING_RATE)


class Lightning(Plain):
    """``Trainer.fit`` over a ``DataLoader`` of tensors in memory."""

    timed = "`Trainer.fit` of whole epochs, divided by their steps"

    def __init__(self, job: PictureJob, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        dataset = TensorDataset(self.x, self.y)
        self.loader = DataLoader(dataset, batch_size=job.batch, shuffle=True, drop_last=True)
        self.module = _Module(self.model)

    def steps(self, count: int) -> int:
        """Epochs under a trainer of their own."""
        epochs = -(-count // len(self.loader))
        trainer = lightning.Trainer(
            accelerator="cpu", max_epochs=epochs, logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(self.module, self.loader)
        return epochs * len(self.loader)
