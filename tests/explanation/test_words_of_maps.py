"""The arithmetic of convolution, pooling and their kin adds up, and every number is autograd's; mistakes are seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pellucid.explanation import RowTrace
from pellucid.explanation.words import NamedStep, words_of
from pellucid.explanation.words.batch_norm import BatchNormWords
from pellucid.explanation.words.convolution import ConvolutionWords
from pellucid.explanation.words.global_avg_pool import GlobalAvgPoolWords
from pellucid.explanation.words.pooling import AvgPoolWords, MaxPoolWords, winner
from pellucid.explanation.words.values import Derivatives, Equation, Note, Sum
from pellucid.network import (
    Activation,
    BatchNorm,
    Conv2d,
    Dense,
    Flatten,
    GlobalAvgPool,
    Layer,
    MaxPool2d,
    Network,
    cnn,
)
from tests.arithmetic import assert_holds
from tests.explanation.maps import every_map_kind, map_networks, theirs_of, traced_map

LETTERS = {"w": "weight", "b": "bias", "γ": "weight", "β": "bias"}


def every(steps: tuple[NamedStep, ...]) -> Iterator[NamedStep]:
    for step in steps:
        yield step
        yield from every(step.inner)


def close(ours: float, theirs: float) -> bool:
    return abs(ours - theirs) <= 1e-9 * max(1.0, abs(ours), abs(theirs))


def check(found: RowTrace, steps: tuple[NamedStep, ...]) -> None:
    """Each part holds, refers to the units that it names, ends in the layer's own number, and that is PyTorch's."""
    theirs = theirs_of(found)
    for step in every(steps):
        words, work = words_of(step.work.layer), step.work
        received, gave = theirs.inputs[work.name].detach().numpy().ravel(), theirs.outputs[work.name]
        slopes = np.zeros(0) if gave.grad is None else gave.grad.numpy().ravel()
        for k in range(len(step.names_out)):
            parts = list(words.forward(step, k))
            check_places(parts, step, received, slopes)
            assert close(last_number(parts, work.outputs[k]), float(gave.detach().numpy().ravel()[k]))
            assert close(work.outputs[k], float(gave.detach().numpy().ravel()[k]))
        for k in range(len(step.names_in)):
            parts = list(words.backward(step, k))
            check_places(parts, step, received, slopes)
            assert close(last_number(parts, step.d_inputs[k]), step.d_inputs[k])
        check_parameters(step, theirs.gradients)
    assert theirs.d_picture is not None
    np.testing.assert_allclose(steps[0].d_inputs, theirs.d_picture.numpy().ravel(), rtol=0, atol=1e-9)


def last_number(parts: list[Any], otherwise: float) -> float:
    numbers = [part for part in parts if isinstance(part, Equation | Sum)]
    return numbers[-1].result if numbers else otherwise


def check_places(parts: list[Any], step: NamedStep, received: Any, slopes: Any) -> None:
    """A term that names a unit has PyTorch's number of that unit among its factors, and the unit's own name."""
    for part in parts:
        assert_holds(part)
        if isinstance(part, Sum):
            side, names = (received, step.names_in) if part.side == "inputs" else (slopes, step.names_out)
            for term in part.terms():
                if term.place is None:
                    assert term.name.startswith("padding")
                    assert term.factors[-1] == 0
                elif len(side):
                    assert term.name == names[term.place]
                    assert any(close(factor, float(side[term.place])) for factor in term.factors)


def check_parameters(step: NamedStep, gradients: dict[str, Any]) -> None:
    """Every trainable number of a layer is spoken of once, with autograd's derivative."""
    if step.inner:
        return
    spoken: dict[str, list[float]] = {}
    for k in words_of(step.work.layer).owners(step):
        for part in words_of(step.work.layer).derivatives(step, k):
            assert_holds(part)
            if isinstance(part, Derivatives):
                for row in (*part.weights(), *part.own):
                    spoken.setdefault(LETTERS[row.sign], []).append(row.gradient)
    assert set(spoken) == set(step.work.gradients)
    for name, told in spoken.items():
        np.testing.assert_allclose(told, gradients[f"{step.work.name}.{name}"].numpy().ravel(), rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(network=map_networks(), seed=st.integers(0, 1000))
def test_whatever_is_shown_of_maps_adds_up_and_is_autograds(network: Network, seed: int) -> None:
    check(*traced_map(network, seed))


def test_units_of_maps_are_named_by_channel_and_position() -> None:
    network = cnn((3, 8, 8), (2, 4), 2)
    _, steps = traced_map(network, 0)
    assert [(step.given, step.symbol) for step in steps] == [
        ("x", "z"), ("z", "m"), ("m", "u"), ("u", "a"), ("a", "z"), ("z", "u"), ("u", "a"), ("a", "m"), ("a", "z"),
    ]  # fmt: skip
    assert steps[0].names_in[64] == "green at (0, 0)"
    assert steps[0].names_out[65] == "channel 1.2 at (0, 1)"
    assert steps[1].names_out[31] == "channel 1.2 at (3, 3)"
    assert list(steps[-1].names_in) == ["channel 2.1", "channel 2.2", "channel 2.3", "channel 2.4"]
    assert list(steps[-1].names_out) == ["y = a", "y = b"]


def test_flatten_keeps_the_names_of_its_numbers() -> None:
    _, steps = traced_map(cnn((1, 4, 4), (2,), 2, head="flatten"), 0)
    flat = next(step for step in steps if isinstance(step.work.layer, Flatten))
    assert flat.names_out[17] == "channel 1.2 at (0, 1)"
    (note,) = words_of(flat.work.layer).forward(flat, 17)
    assert isinstance(note, Note)
    assert "Number 17" in note.text
    assert "channel 1.2 at (0, 1)" in note.text


def test_a_patch_over_the_edge_says_what_is_padding() -> None:
    convolution = Conv2d(in_channels=1, out_channels=1, kernel_size=3, padding=1)
    _, steps = traced_map(Network(shape=(1, 3, 3), layers=(convolution, *tail())), 0)
    (part,) = words_of(steps[0].work.layer).forward(steps[0], 0)
    assert isinstance(part, Sum)
    assert [term.name for term in part.terms()][:4] == [
        "padding at (−1, −1)", "padding at (−1, 0)", "padding at (−1, 1)", "padding at (0, −1)",
    ]  # fmt: skip
    assert part.terms()[4].name == "pixel at (0, 0)"


def test_of_equal_numbers_the_first_wins_a_window() -> None:
    _, steps = traced_map(Network(shape=(1, 2, 2), layers=(MaxPool2d(kernel_size=2), *tail())), 0)
    tied = replace(steps[0], work=replace(steps[0].work, inputs=np.array([1.0, 2.0, 2.0, 0.0])))
    assert winner(tied, 0) == 1


def tail() -> tuple[Layer, Layer]:
    return (GlobalAvgPool(), Dense(inputs=1, outputs=2))


# ── planted mistakes ──────────────────────────────────────────────────────────────────────────────────────────


def kernel_flipped(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(part, factors=(part.factors[0][::-1], part.factors[1])) for part in right]


def patch_moved_by_one(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(part, factors=(part.factors[0], np.roll(part.factors[1], 1))) for part in right]


def padding_not_said(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(part, places=np.maximum(part.places, 0)) for part in right]


def another_group(step: NamedStep, k: int, right: Any) -> Any:
    half = len(step.names_in) // 2
    moved = [np.where(part.places < 0, -1, (part.places + half) % len(step.names_in)) for part in right]
    return [replace(part, places=p) for part, p in zip(right, moved, strict=True)]


def one_window_forgotten(step: NamedStep, k: int, right: Any) -> Any:
    return [
        replace(part, names=part.names[1:], factors=tuple(f[1:] for f in part.factors), values=part.values[1:],
                places=part.places[1:]) if len(part.values) else part
        for part in right
    ]  # fmt: skip


def bias_of_another_channel(step: NamedStep, k: int, right: Any) -> Any:
    return [part if part.bias is None else replace(part, bias=part.bias + 1) for part in right]


def one_position_alone(step: NamedStep, k: int, right: Any) -> Any:
    """As if each position had weights of its own."""
    return [replace(part, gradients=part.gradients / part.positions) for part in right]


def all_share_the_maximum(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(part, factors=(part.factors[0], np.ones_like(part.factors[1]))) for part in right]


def smallest_of_the_window(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(right[0], calculation=right[0].calculation.replace("max", "-max")), *right[1:]]


def padding_not_counted(step: NamedStep, k: int, right: Any) -> Any:
    total, mean = right
    return [total, replace(mean, values={**mean.values, "positions": mean.values["positions"] - 1})]


def statistics_of_another_channel(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(part, values={**part.values, "v": part.values["v"] + 0.5}) for part in right]


def scale_of_one_position(step: NamedStep, k: int, right: Any) -> Any:
    *others, last = right
    return [*others, replace(last, own=tuple(replace(row, gradient=row.gradient / 2) for row in last.own))]


def positions_not_counted(step: NamedStep, k: int, right: Any) -> Any:
    return [replace(part, values={**part.values, "positions": 1.0}) for part in right]


PLANTED: list[tuple[type, str, Callable[..., Any]]] = [
    (ConvolutionWords, "forward", kernel_flipped),
    (ConvolutionWords, "forward", patch_moved_by_one),
    (ConvolutionWords, "forward", padding_not_said),
    (ConvolutionWords, "forward", another_group),
    (ConvolutionWords, "forward", bias_of_another_channel),
    (ConvolutionWords, "backward", kernel_flipped),
    (ConvolutionWords, "backward", one_window_forgotten),
    (ConvolutionWords, "derivatives", one_position_alone),
    (MaxPoolWords, "forward", smallest_of_the_window),
    (MaxPoolWords, "backward", all_share_the_maximum),
    (AvgPoolWords, "forward", padding_not_counted),
    (AvgPoolWords, "backward", one_window_forgotten),
    (GlobalAvgPoolWords, "backward", positions_not_counted),
    (BatchNormWords, "forward", statistics_of_another_channel),
    (BatchNormWords, "derivatives", scale_of_one_position),
]


@pytest.mark.parametrize(
    ("words", "way", "mistake"), PLANTED, ids=[f"{p[0].__name__} {p[1]}: {p[2].__name__}" for p in PLANTED]
)
def test_a_planted_mistake_is_seen(
    monkeypatch: pytest.MonkeyPatch, words: type, way: str, mistake: Callable[..., Any]
) -> None:
    found, steps = every_map_kind()
    right = getattr(words, way)
    monkeypatch.setattr(words, way, lambda self, step, k: mistake(step, k, right(self, step, k)))
    with pytest.raises(AssertionError):
        check(found, steps)


def test_the_network_without_a_mistake_passes() -> None:
    found, steps = every_map_kind()
    assert {type(step.work.layer) for step in every(steps)} >= {Conv2d, MaxPool2d, Activation, GlobalAvgPool}
    assert not any(type(step.work.layer) is BatchNorm for step in every(steps))
    check(found, steps)
