"""XOR: solved twice, and not from tiny weights."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from pellucid.errors import SettingError
from pellucid.network.initialise import initialise
from pellucid.numerals import numeral
from pellucid.studies import run
from pellucid.studies.story import Paragraph, Story, plain
from pellucid.studies.tables.xor import INPUTS, MSE, TARGETS, Xor, _first_slope, _from_scratch


@pytest.fixture(scope="module")
def default() -> Story:
    return run("xor")


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def solved(seed: int, scale: float, epochs: int) -> tuple[bool, np.ndarray, list[float]]:
    """The whole lesson in a few lines of NumPy, written apart from the package."""
    first = initialise(_from_scratch(4), seed, scheme="normal", scale=scale)
    w1, b1, w2, b2 = (first[name].copy() for name in ("0.weight", "0.bias", "2.weight", "2.bias"))
    losses = []
    for _ in range(epochs + 1):
        a = sigmoid(INPUTS @ w1.T + b1)
        p = sigmoid(a @ w2.T + b2)
        losses.append(float(((p - TARGETS) ** 2).mean()))
        d2 = 1 / 4 * (p - TARGETS) * p * (1 - p)
        d1 = d2 @ w2 * a * (1 - a)
        kept = p
        w1, b1, w2, b2 = w1 - d1.T @ INPUTS, b1 - d1.sum(0), w2 - d2.T @ a, b2 - d2.sum(0)
    return bool((kept.round() == TARGETS).all()), kept[:, 0], losses


def test_the_network_from_scratch(default: Story) -> None:
    """Loss and answers of seed 42 are those of the mathematics written out here."""
    shown = default.result.scratch
    right, answers, losses = solved(42, 1.0, 1000)
    assert shown.solved
    assert right
    np.testing.assert_allclose(shown.answers, answers, rtol=1e-6)
    for line in shown.lines:
        assert line.losses["all"] == pytest.approx(losses[line.epoch], rel=1e-6)
    assert [line.epoch for line in shown.lines][:3] == [0, 10, 20]


def test_the_network_in_pytorch(default: Story) -> None:
    shown = default.result.torch
    assert shown.solved
    assert np.abs(shown.answers - TARGETS[:, 0]).max() < 0.01
    model = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1)).double()
    from pellucid.network import mlp

    first = initialise(mlp(2, [4], 1), 42, scheme="uniform")
    model.load_state_dict({name: torch.tensor(array) for name, array in first.items()})
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    x, y = torch.tensor(INPUTS), torch.tensor(TARGETS)
    for _ in range(1000):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(model(x), y).backward()
        optimizer.step()
    with torch.no_grad():
        np.testing.assert_allclose(shown.answers, torch.sigmoid(model(x))[:, 0], atol=1e-5)


def test_first_weights_decide(default: Story) -> None:
    """From tiny weights no seed is solved, not even after 10,000 epochs; from larger ones nearly all are."""
    starts = default.result.starts
    for draw in ("uniform", "normal"):
        assert (starts[f"{draw} × 0.01"].solved, starts[f"{draw} × 0.01"].solved_later) == (0, 0)
    assert starts["uniform × 1"].solved <= 5  # with the textbook's step they take longer
    assert starts["uniform × 1"].solved_later == 50
    assert 36 <= starts["normal × 1"].solved <= 47  # about 42 of 50
    assert starts["normal × 1"].solved_later >= 48
    for start in starts.values():
        assert start.shares[start.epochs.index(1000)] == start.solved / 50
        assert (start.epochs[-1], start.shares[-1]) == (10_000, start.solved_later / 50)
    assert starts["normal × 0.01"].gradient < 1e-4 * starts["normal × 1"].gradient * 10


def test_about_a_half_is_said_where_it_was_measured(default: Story) -> None:
    """Alike neurons could do better than 0.5 (four equal ones reach a squared error of 1/6), so nothing says "best"."""
    starts, text = default.result.starts, default.to_markdown()
    for seed in (0, 1):
        assert np.abs(solved(seed, 0.01, 10_000)[1] - 0.5).max() <= starts["normal × 0.01"].furthest + 1e-6
    furthest = max(starts[f"{draw} × 0.01"].furthest for draw in ("uniform", "normal"))
    assert furthest < 0.05
    assert f"no answer lies further than {numeral(furthest, 2)} from it" in text
    assert "the best that" not in text
    assert starts["normal × 1"].furthest > 0.4


def test_the_count_is_that_of_networks_trained_one_by_one() -> None:
    story = run("xor", pictures=False, seeds=8, epochs=300)
    alone = sum(solved(seed, 1.0, 300)[0] for seed in range(8))
    assert story.result.starts["normal × 1"].solved == alone
    assert 0 < alone < 8


def test_the_first_slope_is_that_of_central_differences() -> None:
    network = _from_scratch(4)
    first = initialise(network, 3, scheme="normal")
    from pellucid.engines.textbook.forward import forward
    from pellucid.engines.textbook.losses import loss_and_gradient

    def loss(weight: np.ndarray) -> float:
        return loss_and_gradient(MSE, forward(network, {**first, "0.weight": weight}, INPUTS).logits, TARGETS).value

    step, weight = 1e-5, first["0.weight"]
    slopes = []
    for i in np.ndindex(*weight.shape):
        up, down = weight.copy(), weight.copy()
        up[i] += step
        down[i] -= step
        slopes.append((loss(up) - loss(down)) / (2 * step))
    assert _first_slope(network, first) == pytest.approx(np.abs(slopes).max(), rel=1e-6)


def test_the_story(default: Story) -> None:
    result: Xor = default.result
    text = default.to_markdown()
    assert [picture.name for picture in default.pictures] == ["loss", "starts"]
    for picture in default.pictures:
        assert all(a.get_title() and a.get_xlabel() and a.get_ylabel() for a in picture.figure.axes)
    share = picture.figure.axes[0].get_lines()[1]
    np.testing.assert_allclose(share.get_ydata(), 100 * np.array(result.starts["uniform × 1"].shares))
    assert text.count("It solved XOR: after 1,000 epochs") == 2
    for epoch in (0, 100, 900):
        assert text.count(f"\n| {epoch} | ") >= 2  # the loss of each network every 100 epochs
    assert f"{result.torch_solved} of 50" in text
    assert "0 of 50 seeds in 10,000 epochs" in default.blocks[-2].text  # type: ignore[union-attr]
    assert default.blocks[-2].role == "learned"  # type: ignore[union-attr]
    assert isinstance(default.blocks[-1], Paragraph)
    assert default.blocks[-1].text.startswith("pellucid study ")
    json.dumps(plain(result), allow_nan=False)


def test_a_network_that_failed_is_said_to_have_failed() -> None:
    story = run("xor", pictures=False, epochs=20, seeds=4)
    assert not story.result.scratch.solved
    assert "It did not solve XOR in 20 epochs" in story.to_markdown()
    assert "Here the initial weights did not decide" in story.blocks[-2].text or any(  # type: ignore[union-attr]
        start.solved_later for start in story.result.starts.values()
    )


def test_settings_change_the_outcome() -> None:
    def loss(**settings: object) -> tuple[float, float]:
        result: Xor = run("xor", pictures=False, **{"epochs": 30, "seeds": 1, **settings}).result  # type: ignore[arg-type]
        return result.scratch.lines[-1].losses["all"], result.torch.lines[-1].losses["all"]

    usual = loss()
    assert loss() == usual
    for changed, which in (({"lr": 0.5}, 0), ({"torch_lr": 0.01}, 1), ({"hidden": 6}, 0), ({"seed": 1}, 1)):
        assert loss(**changed)[which] != usual[which], changed


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"hidden": 0}, "outputs"),
        ({"lr": -1.0}, "learning_rate"),
        ({"torch_lr": 0.0}, "learning_rate"),
        ({"epochs": 0}, "epochs"),
        ({"seeds": 0}, "seeds"),
        ({"seed": -1}, "seed"),
    ],
)
def test_wrong_settings_are_said(setting: dict[str, float], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        run("xor", pictures=False, **setting)


def test_a_rate_beyond_reason_is_blamed_and_not_the_seeds() -> None:
    text = run("xor", pictures=False, seeds=4, epochs=60, torch_lr=10.0).to_markdown()
    assert "0 of 4" in text
    assert "The cause is not the seeds but the learning rate" in text
    assert "luck" not in text.partition("the PyTorch network solves")[2].partition("The cause is")[0]
