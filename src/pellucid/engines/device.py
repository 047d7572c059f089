"""The device on which PyTorch computes, and its number of threads."""

from __future__ import annotations

import torch

from pellucid.errors import SettingError, nearest

__all__ = ["DEVICES", "choose_device", "place", "use_threads"]

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(wanted: str = "auto") -> torch.device:
    """The device to run on: ``auto`` takes CUDA where there is one, then Apple's MPS, then the CPU.

    >>> choose_device("cpu")
    device(type='cpu')
    """
    kind = wanted.partition(":")[0]
    if kind not in DEVICES:
        raise SettingError(f"device {wanted!r} is not known{nearest(kind, DEVICES)}")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if there[name]))
    if not there[kind]:
        raise SettingError(
            f"device {wanted!r} is not available: PyTorch {torch.__version__} finds no {kind}; use auto or cpu"
        )
    device = torch.device(wanted)
    if kind == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise SettingError(f"device {wanted!r} is not available: there are {torch.cuda.device_count()} CUDA devices")
    return device


def place(device: str, dtype: str) -> tuple[torch.device, torch.dtype]:
    """The device and the dtype to compute in.

    Raises
    ------
    SettingError
        The device is unknown or not available, or does not support the dtype.
    """
    where = choose_device(device)
    if where.type == "mps" and dtype == "float64":
        raise SettingError("device mps has no float64: use precision float32, or device cpu")
    return where, {"float32": torch.float32, "float64": torch.float64}[dtype]


def use_threads(threads: int) -> None:
    """Let PyTorch use this many threads.

    How sums are split depends on the number of threads, so a run is bit-identical only with the same number.
    """
    torch.set_num_threads(threads)
