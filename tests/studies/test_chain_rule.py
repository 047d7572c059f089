"""The chain rule with numbers: those of the scope, and every product against PyTorch and central differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from pellucid.errors import SettingError
from pellucid.studies import run
from pellucid.studies.basics.chain_rule import PARAMETERS, ROW, TARGET, ChainRule
from pellucid.studies.basics.derivatives import Derivative
from pellucid.studies.story import Story
from tests.studies.checks import assert_labelled, closing, said


def told(**settings: Any) -> tuple[Story, ChainRule]:
    story = run("chain-rule", **{"pictures": False, **settings})
    return story, story.result


def test_one_weight_by_hand() -> None:
    story, result = told()
    dw, db = result.one
    assert (result.y, result.loss) == (7, 4)
    assert dict(dw.factors) == {"∂L/∂y": 4, "∂y/∂w": 2}
    assert dict(db.factors) == {"∂L/∂y": 4, "∂y/∂b": 1}
    assert (dw.product, db.product) == (8, 4)
    assert result.w_after == pytest.approx(2.92, abs=1e-15)
    assert result.b_after == pytest.approx(0.96, abs=1e-15)
    assert result.loss_after == pytest.approx((2.92 * 2 + 0.96 - 5) ** 2)
    assert "dL/dw = 4 · 2 = 8" in closing(story)
    assert "The loss fell from 4 to 3.24." in said(story)


def by_torch(activation: str) -> dict[str, float]:
    """The nine derivatives, by a network that is written out here and autograd."""
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in PARAMETERS.items()}
    bend = getattr(torch.nn.functional, activation)
    a1 = bend(tensors["0.weight"] @ torch.tensor(ROW[0]) + tensors["0.bias"])
    output = torch.sigmoid(tensors["2.weight"] @ a1 + tensors["2.bias"])
    ((output - torch.tensor(TARGET[0])) ** 2).sum().backward()
    grads = {name: t.grad.numpy() for name, t in tensors.items() if t.grad is not None}
    return {
        **{f"w₁[{j + 1}, {i + 1}]": grads["0.weight"][j, i] for j in range(2) for i in range(2)},
        **{f"b₁[{j + 1}]": grads["0.bias"][j] for j in range(2)},
        **{f"w₂[1, {j + 1}]": grads["2.weight"][0, j] for j in range(2)},
        "b₂[1]": grads["2.bias"][0],
    }


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "softplus"])
def test_the_factors_of_each_weight_multiply_to_its_derivative(activation: str) -> None:
    _, result = told(activation=activation)
    expected = by_torch(activation)
    assert {each.name for each in result.two} == set(expected)
    for each in result.two:
        product = math.prod(each.factors.values())
        assert product == each.product
        assert product == pytest.approx(expected[each.name], rel=1e-12), each.name
        assert each.textbook == pytest.approx(product, rel=1e-12)
        assert each.autograd == pytest.approx(product, rel=1e-12)
        assert each.differences == pytest.approx(product, abs=1e-9)
        assert each.disagreement < 1e-9
        assert abs(product) > 1e-3  # a weight whose derivative is 0 would test nothing


@pytest.mark.parametrize(
    ("product", "others", "expected"),
    [(0.5, (0.5, 0.75, 0.5), 0.25), (10.0, (10.0, 10.0, 5.0), 0.5), (-4.0, (-5.0, -4.0, -4.0), 0.25)],
)
def test_disagreement_is_relative_above_one(product: float, others: tuple[float, ...], expected: float) -> None:
    textbook, differences, autograd = others
    found = Derivative(
        name="w", value=1.0, factors={}, product=product, textbook=textbook, differences=differences, autograd=autograd
    )
    assert found.disagreement == expected


def test_each_factor_is_the_slope_of_its_own_step() -> None:
    """Each link of the longest chain by central differences of that one step alone."""
    _, result = told()
    (longest,) = [each for each in result.two if each.name == "w₁[2, 2]"]
    w1, b1, w2, b2 = (PARAMETERS[name] for name in ("0.weight", "0.bias", "2.weight", "2.bias"))

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    z1 = w1 @ ROW[0] + b1
    a1 = sigmoid(z1)
    z2 = (w2 @ a1 + b2)[0]
    steps = {
        "∂L/∂output": (lambda o: (o - 1) ** 2, sigmoid(z2)),
        "∂output/∂z₂": (sigmoid, z2),
        "∂z₂/∂a₁": (lambda a: w2[0, 0] * a1[0] + w2[0, 1] * a + b2[0], a1[1]),
        "∂a₁/∂z₁": (sigmoid, z1[1]),
        "∂z₁/∂w₁": (lambda w: w1[1, 0] * ROW[0, 0] + w * ROW[0, 1] + b1[1], w1[1, 1]),
    }
    assert list(longest.factors) == list(steps)
    for name, (function, at) in steps.items():
        slope = (function(at + 1e-6) - function(at - 1e-6)) / 2e-6
        assert longest.factors[name] == pytest.approx(slope, abs=1e-8), name


def test_a_step_lowers_the_loss_of_the_network() -> None:
    _, result = told(lr=0.5)
    assert result.network_loss == pytest.approx((result.output - 1) ** 2)
    squares = sum(each.product**2 for each in result.two)
    tiny = told(lr=1e-6)[1]
    assert tiny.network_loss - tiny.network_loss_after == pytest.approx(1e-6 * squares, rel=1e-4)
    assert result.network_loss_after < result.network_loss


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"lr": 0.2}, "The loss did not fall: 4 before, 4 after"),  # the error of 2 becomes −2
        ({"lr": 1.0}, "The loss did not fall"),
        ({"target": 7.0}, "The neuron was right already"),
        ({"lr": 1e-300}, "The step was so short"),
        ({"x": 0.0}, "The loss fell"),  # the bias alone
        ({"x": -1.0, "w": 2.0}, "2 · (−1) + 1"),
    ],
)
def test_what_is_said_is_true_for_other_settings(settings: dict[str, Any], sentence: str) -> None:
    assert sentence in said(told(**settings)[0])


def test_pictures() -> None:
    story, result = told(pictures=True)
    assert_labelled(story, "step", "network")
    lines = {str(line.get_label()): line.get_xydata() for line in story.pictures[0].figure.axes[0].get_lines()}
    np.testing.assert_allclose(lines["before: w = 3"], [[3, 4]])
    np.testing.assert_allclose(lines["after one step: w = 2.92"], [[2.92, (2.92 * 2 + 1 - 5) ** 2]])
    texts = [text.get_text() for text in story.pictures[1].figure.axes[0].texts]
    for each in result.two:
        if each.name.startswith("w"):
            assert f"∂L/∂w = {each.product:.4g}".replace("-", "−") in texts
    assert {"x₁", "x₂", "a₁[1]", "a₁[2]"} <= set(texts)
    assert not any("$" in text for text in texts)  # a formula would stand there as it is written
    for settings in ({"x": 0.0}, {"target": 7.0}, {"x": 1000.0, "lr": 1000.0}, {"x": 1e-9}):
        assert_labelled(told(pictures=True, **settings)[0], "step", "network")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"x": float("nan")}, "x must be from"),
        ({"target": 1e6}, "target must be from"),
        ({"lr": 0.0}, "lr must be above 0"),
        ({"lr": float("inf")}, "lr must be above 0"),
        ({"activation": "sigmod"}, "did you mean 'sigmoid'"),
    ],
)
def test_wrong_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        told(**settings)
