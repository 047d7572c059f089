"""Mistakes that raise: wrong shapes, a missing device; with the messages of real calls (for `mistakes`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import PellucidError
from pellucid.network import Activation, Dense, Network
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.studies.story import Story
from pellucid.training.engine import make_engine

__all__ = ["Mistake", "caught", "devices", "shapes", "tell"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A mistake made on purpose.

    Attributes
    ----------
    done, seen
        What was done wrong, and what happens without Pellucid's check.
    says
        Pellucid's message in this run, word for word.
    remedy
        What to do.
    """

    name: str
    done: str
    seen: str
    says: str
    remedy: str


def caught(call: Callable[[], object]) -> str:
    """The message of the error that a call raises.

    >>> caught(lambda: Dense(inputs=0, outputs=1))[:33]
    "Dense's inputs must be a whole nu"
    """
    try:
        call()
    except PellucidError as error:
        return str(error)
    raise AssertionError("the call should have raised an error")


def tell(story: Story, mistake: Mistake) -> None:
    """Tell a mistake as a table of two columns, with the rows done, seen, Pellucid says and remedy."""
    story.table(
        mistake.name,
        ("", "what"),
        [("done", mistake.done), ("seen", mistake.seen), ("Pellucid says", mistake.says), ("remedy", mistake.remedy)],
    )


def shapes(
    story: Story, network: Network, parameters: dict[str, Array], points: Array, targets: Array
) -> tuple[Mistake, ...]:
    """Make three mistakes: a layer that does not fit, rows of the wrong width, targets that broadcast silently.

    Parameters
    ----------
    story
        Is told the mistakes.
    network, parameters
        A network of 2 inputs and 1 output, and its arrays by name.
    points, targets
        Rows ``[N, 2]`` and targets ``[N, 1]``, 0 or 1.
    """
    from pellucid.engines.torch_engine.by_hand import shape_mismatch

    story.heading("Wrong shapes")
    story.say(
        "Each layer takes rows of one width and gives rows of another. Shapes are written [rows, columns]; most "
        "beginners' mistakes are two shapes that do not match. In plain PyTorch or NumPy the third case below is the "
        "worst, because no error is raised."
    )
    (hidden,) = network.shapes()[0]
    wrong = (Dense(inputs=2, outputs=hidden), Activation(function="relu"), Dense(inputs=hidden + 1, outputs=1))
    layer = Mistake(
        name="A layer that does not fit",
        done=f"the second Dense takes {hidden + 1} inputs, the first gives {hidden}",
        seen="nothing can be computed; PyTorch would fail at the first batch and name the shapes but not the layer",
        says=caught(lambda: Network(inputs=2, layers=wrong)),
        remedy=f"Dense(inputs={hidden}, outputs=1), or let mlp(2, [{hidden}], 1) set the widths",
    )
    wide = np.column_stack([points, np.ones(len(points))])  # [N, 3]
    engine = make_engine("textbook", network, Loss(name="bce"), Optimizer(), parameters)
    columns = Mistake(
        name="Rows of the wrong width",
        done=f"{len(wide)} rows of 3 columns for a network of 2",
        seen=f"PyTorch's own message: {shape_mismatch(network, parameters, wide)}",
        says=caught(lambda: engine.logits(wide)),
        remedy="give the same columns in the same order as in training",
    )
    flat = targets[:, 0]  # [N] where [N, 1] is wanted
    spread_out = (targets - flat) ** 2  # perfect answers: each of these would be 0, row by row
    squared = make_engine("textbook", network, Loss(name="mse"), Optimizer(), parameters)
    silent = Mistake(
        name="Targets [N] beside answers [N, 1]",
        done=f"answers {list(targets.shape)} minus targets {list(flat.shape)}",
        seen=f"broadcasting produces a {list(spread_out.shape)} matrix, each answer against every target: perfect "
        f"answers get a mean squared error of {spread_out.mean():.3f}, not 0, and the network learns to predict the "
        "mean",
        says=caught(lambda: squared.load_rows(points, flat)),
        remedy="targets.reshape(-1, 1)",
    )
    for mistake in (layer, columns, silent):
        tell(story, mistake)
    return layer, columns, silent


def devices(story: Story, network: Network, parameters: dict[str, Array], points: Array) -> Mistake:
    """Ask for a device that is missing; where there is a GPU, also mix a network on it with rows on the CPU.

    Parameters
    ----------
    story
        Is told the mistake.
    network, parameters
        The description and its arrays, by name.
    points
        Rows ``[N, I]``.
    """
    from pellucid.engines.torch_engine.by_hand import device_mismatch

    story.heading("Another device")
    story.say(
        "Weights and rows must be in the same memory: both on the CPU or both on the GPU. In PyTorch you move each "
        "yourself; in Pellucid you name the device once, and the engine moves the rows to where the weights are."
    )
    mixed = device_mismatch(network, parameters, points)
    absent = "mps" if mixed is not None else "cuda"
    mistake = Mistake(
        name="Another device",
        done=f"device={absent!r} on a machine without it"
        + ("" if mixed is None else "; and in plain PyTorch a network on the GPU with rows on the CPU"),
        seen="nothing can be computed" if mixed is None else f"PyTorch's own message: {mixed}",
        says=caught(lambda: make_engine("torch", network, Loss(name="bce"), Optimizer(), parameters, device=absent)),
        remedy="device='auto' takes an available device",
    )
    tell(story, mistake)
    return mistake
