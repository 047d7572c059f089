"""From settings to what trains: everything left open is decided; the engine, the update rule and the plan are made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.skip import started_from_line
from pellucid.preparation.members import n_learned_from
from pellucid.preparation.prepare import Prepared
from pellucid.runs.machine import on_this_machine
from pellucid.settings.settings import Settings
from pellucid.training.engine import Engine, make_engine
from pellucid.training.loop import Plan, check_batches
from pellucid.training.schedules import Schedule

if TYPE_CHECKING:
    from pellucid.engines.fused.stack import StackEngine

__all__ = [
    "auto_batch_size",
    "auto_epochs",
    "auto_rate",
    "engine_of",
    "first_weights",
    "may_stack",
    "optimizer_of",
    "picture_batch_size",
    "picture_epochs",
    "plan_of",
    "resolved",
    "sequence_batch_size",
    "sequence_epochs",
    "sized_for",
    "stack_of",
    "use_threads_of",
]

Array = NDArray[Any]

_MOST_EPOCHS_OF_CONVOLUTIONS = 40


def resolved(prepared: Prepared) -> Settings:
    """The settings with everything decided that the user left open."""
    settings = prepared.settings
    count = n_learned_from(prepared)
    sized = sized_for(count, settings)
    assert sized.batch_size is not None
    return on_this_machine(sized, prepared.network, prepared.task.loss, min(sized.batch_size, count))


def sized_for(n_rows: int, settings: Settings) -> Settings:
    """The settings with batch size, epochs and rate decided by the number of rows, where they are left open."""
    match settings.network:
        case "cnn":
            batch = settings.batch_size or picture_batch_size(n_rows)
            epochs, rate = picture_epochs(n_rows, batch), auto_rate(batch)
        case "conv":
            batch = settings.batch_size or auto_batch_size(n_rows)
            epochs, rate = min(_MOST_EPOCHS_OF_CONVOLUTIONS, sequence_epochs(n_rows, batch)), 0.003
        case "transformer" | "gru" | "lstm" | "rnn":
            batch = settings.batch_size or sequence_batch_size(n_rows)
            epochs, rate = sequence_epochs(n_rows, batch), 0.001 if settings.network == "transformer" else 0.003
        case _:
            batch = settings.batch_size or auto_batch_size(n_rows)
            epochs, rate = auto_epochs(n_rows), auto_rate(batch)
    return replace(
        settings,
        batch_size=batch,
        epochs=settings.epochs or epochs,
        learning_rate=settings.learning_rate or rate,
    )


def auto_rate(batch_size: int) -> float:
    """The peak rate for a batch of this size: the larger the batch, the less noisy its gradient.

    >>> auto_rate(32), auto_rate(64), auto_rate(128), auto_rate(256)
    (0.005, 0.01, 0.01, 0.02)
    """
    if batch_size < 64:
        return 0.005
    return 0.01 if batch_size < 256 else 0.02


def auto_batch_size(n_rows: int) -> int:
    """The power of two below 1.5 √N, from 16 to 1,024: enough steps per epoch for small tables, few enough for large.

    >>> auto_batch_size(100), auto_batch_size(30_000)
    (16, 256)
    """
    return min(1024, max(16, 1 << math.floor(math.log2(1.5 * math.sqrt(n_rows)))))


def auto_epochs(n_rows: int) -> int:
    """32; for more than 10,000 rows, as many as process 320,000 rows in all, but at least 8.

    >>> auto_epochs(100), auto_epochs(20_000), auto_epochs(10**6)
    (32, 16, 8)
    """
    return min(32, max(8, 320_000 // n_rows))


def picture_batch_size(n_rows: int) -> int:
    """The batch size for a convolutional network.

    >>> [picture_batch_size(n) for n in (300, 3_000, 8_500, 50_000)]
    [32, 64, 128, 256]
    """
    return next(size for least, size in ((20_000, 256), (5_000, 128), (500, 64), (0, 32)) if n_rows >= least)


def picture_epochs(n_rows: int, batch_size: int, *, hard: bool = False) -> int:
    """As many as about 2,000 steps of a convolutional network, or 300,000 pictures, take, but from 6 to 60.

    Of ``hard`` pictures (`pellucid.runs.picture_epochs`) half as many again, and at least 16, or as many as a million
    pictures take.

    >>> picture_epochs(300, 32), picture_epochs(8_500, 128), picture_epochs(51_000, 256)
    (60, 31, 6)
    >>> [picture_epochs(n, 256, hard=True) for n in (9_000, 20_000, 51_000, 100_000, 1_000_000)]
    [51, 22, 16, 10, 9]
    """
    usual = min(60, max(6, math.ceil(min(2_000 * batch_size, 300_000) / n_rows)))
    return max(min(60, usual * 3 // 2), min(16, math.ceil(1_000_000 / n_rows))) if hard else usual


def sequence_batch_size(n_rows: int) -> int:
    """The batch size for a network that reads its rows step by step.

    >>> [sequence_batch_size(n) for n in (100, 500, 5_000)]
    [16, 32, 64]
    """
    return 16 if n_rows < 400 else 32 if n_rows < 4_000 else 64


def sequence_epochs(n_rows: int, batch_size: int) -> int:
    """As many as about 1,500 steps take, but from 4 to 60.

    >>> sequence_epochs(100, 16), sequence_epochs(4_400, 64), sequence_epochs(50_000, 64)
    (60, 22, 4)
    """
    return min(60, max(4, math.ceil(1_500 * batch_size / n_rows)))


def optimizer_of(settings: Settings) -> Optimizer:
    """The update rule that the settings ask for."""
    return Optimizer(
        name=settings.optimizer,  # type: ignore[arg-type]
        weight_decay=settings.weight_decay,
        momentum=settings.momentum,
        clip_norm=settings.clip_norm,
        decay_biases=settings.decay_biases,
    )


def plan_of(settings: Settings) -> Plan:
    """How long, in which batches and at which rates to train, from settings with sizes decided (`sized_for`)."""
    assert settings.batch_size is not None
    assert settings.epochs is not None
    assert settings.learning_rate is not None
    schedule = Schedule(
        name=settings.schedule,  # type: ignore[arg-type]
        gamma=settings.schedule_gamma,
        every=settings.schedule_every,
    )
    return Plan(
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
        epochs=settings.epochs,
        schedule=schedule,
        patience=settings.patience,
        seed=settings.seed,
        average=settings.average,  # type: ignore[arg-type]
    )


def engine_of(prepared: Prepared, seed: int | None = None) -> Engine:
    """The engine from the settings, with the initial weights of this seed, or of the settings' seed.

    Raises
    ------
    DataError, SettingError
        A batch is too small for the network, or the engine or the device is not available.
    """
    settings = prepared.settings
    check_batches(prepared.network, n_learned_from(prepared), plan_of(settings).batch_size)
    if settings.engine in ("fused", "torch"):
        use_threads_of(settings)
    return make_engine(
        settings.engine,
        prepared.network,
        prepared.task.loss,
        optimizer_of(settings),
        first_weights(prepared, settings.seed if seed is None else seed),
        dtype=settings.dtype,
        device=settings.device,
        products=settings.reduced_products or settings.products,
    )


def may_stack(settings: Settings) -> bool:
    """Whether networks with these settings can be trained in a stack at all."""
    fits = settings.engine == "fused" and settings.products == "blas" and settings.reduced_products is None
    fits = fits and settings.augment == "none" and settings.average == "none"
    return fits and settings.device in ("auto", "cpu", "cuda")


def stack_of(prepared: Prepared, starts: Sequence[Mapping[str, Array]]) -> StackEngine:
    """The networks from the settings, as one stack with these initial weights."""
    from pellucid.engines.fused.stack import StackEngine

    settings = prepared.settings
    use_threads_of(settings)
    loss, optimizer = prepared.task.loss, optimizer_of(settings)
    return StackEngine(prepared.network, loss, optimizer, starts, settings.dtype, settings.device)


def first_weights(prepared: Prepared, seed: int) -> dict[str, Array]:
    """The initial weights of a network with this seed."""
    settings = prepared.settings
    drawn = initialise(prepared.network, seed, scheme=settings.init, scale=settings.init_scale)  # type: ignore[arg-type]
    forecast = prepared.forecast
    if forecast is None or forecast.weights is None:
        return drawn
    return started_from_line(prepared.network, drawn, forecast.weights, forecast.constant)


def use_threads_of(settings: Settings) -> None:
    from pellucid.engines.device import use_threads

    assert settings.threads is not None
    use_threads(settings.threads)
