"""The loop that anybody writes is the one that PyTorch's own classes make, and each missing line does what is said."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pellucid.engines.torch_engine.by_hand import device_mismatch, run_loop, shape_mismatch
from pellucid.errors import SettingError
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.task import Loss

NETWORK, LOSS = mlp(2, [5], 1), Loss(name="mse")
FIRST = initialise(NETWORK, 3)
X = np.random.default_rng(0).normal(size=(20, 2))
Y = X[:, :1] * X[:, 1:]


def in_plain_pytorch(*, clear: bool) -> tuple[list[float], dict[str, torch.Tensor]]:
    model = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1))
    model.load_state_dict({name: torch.tensor(array, dtype=torch.float32) for name, array in FIRST.items()})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.tensor(X, dtype=torch.float32), torch.tensor(Y, dtype=torch.float32)
    losses = []
    for _ in range(7):
        if clear:
            optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, model.state_dict()


@pytest.mark.parametrize("clear", [True, False])
def test_it_is_the_loop_of_pytorch(clear: bool) -> None:
    losses, state = in_plain_pytorch(clear=clear)
    loop = run_loop(NETWORK, LOSS, FIRST, X, Y, learning_rate=0.1, steps=7, forget=None if clear else "zero_grad")
    np.testing.assert_allclose(loop.losses, losses, rtol=1e-5)
    for name, tensor in state.items():
        np.testing.assert_allclose(loop.parameters[name], tensor.numpy(), rtol=1e-5, atol=1e-7)


def test_a_forgotten_line_moves_nothing() -> None:
    for forget in ("step", "backward"):
        loop = run_loop(NETWORK, LOSS, FIRST, X, Y, learning_rate=0.1, steps=7, forget=forget)
        for name, array in FIRST.items():
            np.testing.assert_array_equal(loop.parameters[name], array.astype(np.float32))
        assert (loop.gradient_norms > 0).all() == (forget == "step")
    with pytest.raises(SettingError, match="did you mean 'step'"):
        run_loop(NETWORK, LOSS, FIRST, X, Y, learning_rate=0.1, steps=1, forget="stepp")  # type: ignore[arg-type]


def test_what_pytorch_says() -> None:
    assert "20x3 and 2x5" in shape_mismatch(NETWORK, FIRST, np.zeros((20, 3)))
    assert shape_mismatch(NETWORK, FIRST, X) == ""
    message = device_mismatch(NETWORK, FIRST, X)
    assert (message is None) == (not torch.cuda.is_available())
    assert message is None or "cuda" in message
