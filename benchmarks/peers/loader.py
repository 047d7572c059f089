"""The same PyTorch loop with ``TensorDataset`` and ``DataLoader``, as the tutorials of PyTorch feed it."""

from __future__ import annotations

from torch.utils.data import DataLoader, TensorDataset

from peers.job import Arrays, Job
from peers.plain import Plain

__all__ = ["Loader"]


class Loader(Plain):
    """PyTorch by hand, batches from a DataLoader."""

    timed = "whole epochs through the DataLoader, divided by their steps"

    def __init__(self, job: Job, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        self.loader = DataLoader(TensorDataset(self.x, self.y), batch_size=job.batch, shuffle=True)

    def steps(self, count: int) -> int:
        """Whole epochs."""
        self.model.train()
        done = 0
        while done < count:
            for x, y in self.loader:
                self.learn(x, y)
                done += 1
        return done

    def fit(self) -> None:
        """All epochs."""
        self._new()
        self.model.train()
        for _ in range(self.job.epochs):
            for x, y in self.loader:
                self.learn(x, y)
