"""What is decided on the machine: which engine, how many threads, and which library multiplies matrices.

It is measured once and written into the run's ``config.yaml``: threads and libraries split and order sums differently,
so that measuring again could change the last digits of the weights.
"""

from __future__ import annotations

import os
from dataclasses import replace

from pellucid.errors import SettingError
from pellucid.network import Network
from pellucid.network.shapes import products_of
from pellucid.network.task import Loss
from pellucid.settings.settings import Settings
from pellucid.training.engine import check_engine, engine_for

__all__ = ["on_this_machine", "worth_threads"]

_WORTH_THREADS = 2e7  # multiplications and additions a step: a rule of thumb, see docs/log.md


def on_this_machine(settings: Settings, network: Network, loss: Loss, batch_size: int) -> Settings:
    """The settings with engine, threads and products decided.

    A step so small that threads would mostly wait for each other gets one thread. For a larger one, such as nearly any
    on pictures, a single thread and one a core are timed, and each way of multiplying matrices that keeps float32's
    accuracy.

    Parameters
    ----------
    settings
        All settings; what they leave open is decided.
    network, loss
        What is to be trained.
    batch_size
        The rows in a step.

    Parameters
    ----------
    settings
        What was asked for; ``auto`` engines and products, and threads that are not given, are decided here.
    network, loss
        What is to be trained: a few steps of it are timed where several ways could be the fastest.
    batch_size
        The rows of a step.

    Raises
    ------
    SettingError
        The engine that is asked for cannot train the network, or not in this precision or with these products.
    """
    if settings.engine == "auto":
        engine, _ = engine_for(network, settings.device)
    else:
        engine = settings.engine
        check_engine(engine, network, settings.device)
    reduced = settings.reduced_products
    if reduced and engine != "fused":
        raise SettingError(
            f"precision {settings.precision} needs the fused engine, not {engine}: use engine=fused, or "
            "precision=float32"
        )
    if settings.products == "onednn" and (reduced or engine != "fused" or settings.dtype == "float64"):
        raise SettingError(
            f"products onednn needs the fused engine in float32, not {engine} in {settings.precision}: "
            "use products=auto"
        )
    products, threads = settings.products, settings.threads
    several = worth_threads(network, batch_size)
    try_threads = [threads] if threads else sorted({1, _cores()}) if several else [1]
    if engine in ("textbook", "kernel"):  # not PyTorch's threads
        return replace(settings, engine=engine, threads=try_threads[-1], products="blas")
    from pellucid.engines.fastest import fastest_way, products_to_try

    rows = max(2, batch_size)
    try_products: tuple[str, ...]
    if reduced or products != "auto":
        try_products = (reduced or products,)
    elif engine == "fused" and settings.device in ("auto", "cpu"):
        try_products = products_to_try(network, rows, dtype=settings.dtype)
    else:
        try_products = ("blas",)
    threads, products = fastest_way(
        network, loss, rows, threads=try_threads, products=try_products, dtype=settings.dtype
    )
    return replace(settings, engine=engine, threads=threads, products="blas" if reduced else products)


def worth_threads(network: Network, batch_size: int) -> bool:
    """Whether a step of ``batch_size`` rows is large enough for several threads not to wait for each other.

    >>> from pellucid.network import cnn, mlp
    >>> worth_threads(mlp(4, [10], 3), 16), worth_threads(mlp(784, [256, 128], 10), 64)
    (False, True)
    >>> worth_threads(cnn((1, 28, 28), [16, 32], 10), 32)
    True
    """
    return 6 * products_of(network) * batch_size >= _WORTH_THREADS


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
