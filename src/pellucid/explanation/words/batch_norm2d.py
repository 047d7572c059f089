"""The arithmetic of BatchNorm of pictures at prediction."""

from __future__ import annotations

from pellucid.explanation.words.batch_norm import BatchNormWords
from pellucid.network import BatchNorm2d

__all__ = ["BatchNorm2dWords"]


class BatchNorm2dWords(BatchNormWords):
    """As `BatchNormWords`: all positions of a channel share μ, v, γ and β."""


TABLE = {BatchNorm2d: BatchNorm2dWords()}
