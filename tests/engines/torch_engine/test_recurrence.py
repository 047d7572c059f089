"""The recurrent layers with their way back written out, beside PyTorch's own modules and autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pellucid.engines.textbook.backprop import backward as textbook_backward
from pellucid.engines.textbook.forward import forward as textbook_forward
from pellucid.engines.torch_engine import recurrence
from pellucid.engines.torch_engine.layers import module_of, recurrent
from pellucid.engines.torch_engine.module import build
from pellucid.engines.torch_engine.module import forward as torch_forward
from pellucid.engines.torch_engine.recurrence import GRUTape, RNNTape, Tape
from pellucid.network import GRU, LSTM, RNN, Dense, Flatten, Network
from tests.parity.cases import make_parameters

LAYERS = {
    "RNN": RNN(inputs=3, width=5),
    "RNN with relu": RNN(inputs=3, width=5, function="relu"),
    "GRU": GRU(inputs=3, width=5),
    "LSTM": LSTM(inputs=3, width=5),
    "GRU, both ways, two layers": GRU(inputs=3, width=4, layers=2, bidirectional=True),
    "LSTM, both ways, two layers": LSTM(inputs=3, width=4, layers=2, bidirectional=True),
    "RNN, both ways, two layers": RNN(inputs=3, width=4, layers=2, bidirectional=True),
    "one unit of one input": GRU(inputs=1, width=1, bidirectional=True),
}
LENGTHS: dict[str, list[int] | None] = {"all steps": None, "several lengths": [7, 1, 4, 6], "all short": [3, 1, 2, 3]}
EACH = pytest.mark.parametrize("name", LAYERS)


def own(module: nn.Module, x: Tensor, lengths: list[int] | None) -> Tensor:
    """The states, without autograd inside the layer."""
    module.lengths = None if lengths is None else torch.tensor(lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recurrent, "_WITHOUT_AUTOGRAD", (torch.float32, torch.float64))
        states: Tensor = module(x)
    return states


def module_and_batch(name: str, rows: int = 4, steps: int = 7) -> tuple[nn.Module, Tensor, Tensor]:
    layer = LAYERS[name]
    torch.manual_seed(0)
    module = module_of(layer).double()
    x = torch.randn(rows, steps, layer.inputs, dtype=torch.float64, requires_grad=True)
    return module, x, torch.randn(rows, steps, layer.outputs, dtype=torch.float64)


def one_by_one(module: nn.Module, x: Tensor, lengths: list[int]) -> Tensor:
    """Each row alone, cut to its length, through PyTorch's own loop in float64."""
    module.lengths = None  # type: ignore[assignment]
    rows = [module(x[[row], :length])[0] for row, length in enumerate(lengths)]
    return torch.stack([nn.functional.pad(row, (0, 0, 0, x.shape[1] - len(row))) for row in rows])


def apart(name: str, lengths: list[int] | None) -> float:
    """The largest difference of states and gradients from those of PyTorch."""
    module, x, d = module_and_batch(name)
    wanted = [x, *module.parameters()]
    theirs = one_by_one(module, x, lengths or [x.shape[1]] * len(x))
    ours = own(module, x, lengths)
    pairs = zip(torch.autograd.grad(ours, wanted, d), torch.autograd.grad(theirs, wanted, d), strict=True)
    return max(float((a - b).abs().max()) for a, b in [(ours.detach(), theirs.detach()), *pairs])


@EACH
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_states_and_gradients_are_those_of_autograd(name: str, lengths: list[int] | None) -> None:
    assert apart(name, lengths) < 1e-12


@EACH
def test_many_steps_are_prepared_in_pieces(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurrence, "_CACHED", 50)  # two or three steps at once
    assert apart(name, LENGTHS["several lengths"]) < 1e-12


@EACH
def test_the_textbook_beside_it(name: str) -> None:
    """No common line of code: the textbook's own way back through time."""
    layer = LAYERS[name]
    network = Network(shape=(6, layer.inputs), layers=(layer, Flatten(), Dense(inputs=6 * layer.outputs, outputs=2)))
    generator = np.random.default_rng(0)
    w, x = make_parameters(network), generator.normal(size=(5, 6, layer.inputs))
    x[np.arange(6) >= np.array([6, 1, 4, 2, 5])[:, np.newaxis]] = np.nan
    d = generator.normal(size=(5, 2))
    trace = textbook_forward(network, w, x)
    theirs = textbook_backward(w, trace, d).parameters
    module = build(network, w, torch.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recurrent, "_WITHOUT_AUTOGRAD", (torch.float32, torch.float64))
        logits = torch_forward(module, torch.from_numpy(x))
        logits.backward(torch.from_numpy(d))
    np.testing.assert_allclose(logits.detach(), trace.logits, rtol=0, atol=1e-12)
    for weight, tensor in module.named_parameters():
        assert tensor.grad is not None
        np.testing.assert_allclose(tensor.grad, theirs[weight], rtol=0, atol=1e-12, err_msg=weight)


MISTAKES: dict[str, tuple[type[Tape], str, Any]] = {
    "tanh's slope forgotten": (RNNTape, "forward", lambda tape: tape.h.mul_(0.9)),
    "the reset's slope forgotten": (GRUTape, "_factors", lambda tape: tape.dz[:, :, 0].mul_(2)),
    "the update turned round": (GRUTape, "_factors", lambda tape: tape.dz[:, :, 1].neg_()),
    "the candidate's inputs inside the reset": (GRUTape, "of_inputs", lambda tape: tape.dz[:, :, 2].mul_(0.5)),
    "a state that is not handed back": (GRUTape, "backward", lambda tape: tape.dh[0].zero_()),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_noticed(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, method, change = MISTAKES[mistake]
    right = getattr(kind, method)

    def wrong(tape: Tape, *arguments: Any) -> Any:
        given = right(tape, *arguments)
        change(tape)
        return given

    name = "GRU" if kind is GRUTape else "RNN"
    assert apart(name, None) < 1e-12
    monkeypatch.setattr(kind, method, wrong)
    assert apart(name, None) > 1e-6


@EACH
def test_in_float32_the_buffers_serve_every_batch(name: str) -> None:
    """Batches of other lengths and of other sizes come between; each gives what a new module gives."""
    module = module_of(LAYERS[name])
    for rows, steps, longest in ((4, 7, 7), (4, 3, 2), (4, 9, 9), (2, 5, 4), (4, 7, 5)):
        x = torch.randn(rows, steps, LAYERS[name].inputs, requires_grad=True)
        d, lengths = torch.randn(rows, steps, LAYERS[name].outputs), torch.tensor([longest, 1, *[2] * (rows - 2)])
        new = module_of(LAYERS[name])
        new.load_state_dict(module.state_dict())
        found = []
        for each in (module, new):
            each.lengths = lengths
            states = each(x)
            found.append([states, *torch.autograd.grad(states, [x, *each.parameters()], d)])
        assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_a_second_batch_may_come_before_the_first_goes_back() -> None:
    module, x, d = module_and_batch("GRU")
    one, two = own(module, x, None), own(module, 2 * x, None)
    (first,), (alone,) = torch.autograd.grad(one, [x], d), torch.autograd.grad(own(module, x, None), [x], d)
    assert torch.equal(first, alone)
    (second,), (alone,) = torch.autograd.grad(two, [x], d), torch.autograd.grad(own(module, 2 * x, None), [x], d)
    assert torch.equal(second, alone)


def test_a_second_way_back_is_refused() -> None:
    module, x, d = module_and_batch("GRU")
    states = own(module, x, None)
    torch.autograd.grad(states, [x], d, retain_graph=True)
    with pytest.raises(RuntimeError, match="a second time"):
        torch.autograd.grad(states, [x], d)


def test_states_that_grow_over_the_padding_do_no_harm() -> None:
    """A relu can double its state at every step; the padding after a short row would overflow."""
    layer = RNN(inputs=1, width=1, function="relu")
    module = module_of(layer)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            weight.fill_(0.0 if name.startswith("bias") else 2.0)
    x = torch.ones(2, 300, 1)
    x[0] = 1e-30
    module.lengths = torch.tensor([100, 2])
    states = module(x)
    states.sum().backward()
    assert states[1].flatten()[:3].tolist() == [2, 6, 0]
    assert all(torch.isfinite(weight.grad).all() for weight in module.parameters() if weight.grad is not None)


def test_answers_leave_no_buffers_behind() -> None:
    module = module_of(LAYERS["GRU"])
    with torch.inference_mode():
        answers = module(torch.randn(3, 4, 3))
    assert answers.shape == (3, 4, 5)
    assert not module.__dict__["_kept"]
