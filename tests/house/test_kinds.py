"""A kind of layer that is forgotten in one room is an error: here, and when somebody uses it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid.network
from pellucid.engines import textbook, torch_engine
from pellucid.engines.textbook import layers as textbook_layers
from pellucid.engines.textbook.backprop import StepBack, backward
from pellucid.engines.textbook.forward import Step, forward
from pellucid.engines.torch_engine import layers as torch_layers
from pellucid.engines.torch_engine.module import build
from pellucid.errors import SettingError
from pellucid.explanation import trace_row
from pellucid.explanation.words import WORDS, named_steps
from pellucid.explanation.words.step import NamedStep
from pellucid.explanation.words.unit_names import input_names
from pellucid.explanation.words.values import Sum
from pellucid.model.model_file import ModelContents, read_model, write_model
from pellucid.network import KINDS, Dense, Layer, Network, Role
from pellucid.network.layers import Shape
from pellucid.network.task import Loss, Task
from tests.parity.attention import tokens_for
from tests.parity.cases import make_parameters
from tests.parity.kinds import CASES

ROOT = Path(__file__).resolve().parents[2]
ALL = [pytest.param(kind, id=name) for name, kind in KINDS.items()]
MSE = Loss(name="mse")

ROOMS = {  # where each kind has a file, and the table that it is registered in
    "network/layers": KINDS,
    "engines/textbook/layers": textbook_layers.RULES,
    "engines/torch_engine/layers": torch_layers.RULES,
    "explanation/words": WORDS,
}


def missing(kind: type[Layer], root: Path, rooms: Mapping[str, Any]) -> list[str]:
    """What a kind of layer still lacks, file by file."""
    found, name = [], kind.__name__
    file = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    for room, registered in rooms.items():
        folder = f"src/pellucid/{room}"
        if not (root / folder / f"{file}.py").is_file():
            found.append(f"{name} has no file {folder}/{file}.py")
        if kind not in registered and kind not in registered.values():
            found.append(f"{name} is in no TABLE of {folder}")
    if getattr(pellucid.network, name, None) is not kind:
        found.append(f"{name} is not exported by src/pellucid/network/__init__.py")
    if kind not in CASES or not CASES[kind].mistakes:
        found.append(f"{name} has no case with planted mistakes in tests/parity/kinds.py")
    return found


@pytest.mark.parametrize("kind", ALL)
def test_a_kind_is_at_home_in_every_room(kind: type[Layer]) -> None:
    assert missing(kind, ROOT, ROOMS) == []


@dataclass(frozen=True, kw_only=True)
class HalfDone(Layer):
    """A kind of which nobody else has heard."""

    width: int
    role = Role.NORMALISING

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def words(self) -> str:
        return f"HalfDone {self.width}"


def silent_matches(source: str) -> list[int]:
    """Lines of the ``match`` statements that pass over what no case names, with nothing after them."""
    blocks = [
        block
        for node in ast.walk(ast.parse(source))
        for name in ("body", "orelse", "finalbody")
        if isinstance(block := getattr(node, name, None), list)
    ]
    ends = [block[-1] for block in blocks if block and isinstance(block[-1], ast.Match)]
    return [
        end.lineno
        for end in ends
        if not (isinstance(last := end.cases[-1].pattern, ast.MatchAs) and last.pattern is None)
    ]


def test_no_match_passes_over_what_it_does_not_know() -> None:
    """Each ends in a case for all others: ``assert_never`` where the type is closed."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        if "script_reader" not in path.parts:  # reads programs, whose nodes are of any kind
            assert silent_matches(path.read_text(encoding="utf-8")) == [], path
    assert silent_matches("def f(x):\n  match x:\n    case 1: return 2\n") == [2]
    assert silent_matches("def f(x):\n  match x:\n    case 1: return 2\n    case _: assert_never(x)\n") == []


HALF_DONE = (Dense(inputs=2, outputs=3), HalfDone(width=3))


@pytest.mark.parametrize("forgotten", [*ROOMS, None])
def test_a_room_that_was_forgotten_is_named(
    forgotten: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above fails for a kind that lacks one room, and says which file."""
    for room in ROOMS:
        (tmp_path / "src/pellucid" / room).mkdir(parents=True)
        if room != forgotten:
            (tmp_path / "src/pellucid" / room / "half_done.py").touch()
    rooms = {room: {} if room == forgotten else {HalfDone: None} for room in ROOMS}
    monkeypatch.setattr(pellucid.network, "HalfDone", HalfDone, raising=False)
    monkeypatch.setitem(CASES, HalfDone, CASES[Dense])
    told = [f"HalfDone has no file src/pellucid/{forgotten}/half_done.py",
            f"HalfDone is in no TABLE of src/pellucid/{forgotten}"]  # fmt: skip
    assert missing(HalfDone, tmp_path, rooms) == ([] if forgotten is None else told)


def test_a_kind_without_export_and_parity_case_is_told(tmp_path: Path) -> None:
    told = missing(HalfDone, tmp_path, {})
    assert told == [
        "HalfDone is not exported by src/pellucid/network/__init__.py",
        "HalfDone has no case with planted mistakes in tests/parity/kinds.py",
    ]


def test_a_kind_that_no_list_names_makes_no_network() -> None:
    with pytest.raises(SettingError, match=r"HalfDone is not a known kind .*pellucid\.network\.layers\.KINDS"):
        Network(inputs=2, layers=HALF_DONE)
    with pytest.raises(SettingError, match="unknown kind 'HalfDone'; known are Activation"):
        Network.from_json({"inputs": 2, "layers": [HALF_DONE[1].to_json()]})


def test_a_kind_is_not_made_without_its_answers() -> None:
    class Silent(Layer):
        role = Role.SHAPING

    with pytest.raises(TypeError, match="output_shape"):
        Silent()  # type: ignore[abstract]


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda n: forward(n, {}, np.zeros((2, 2))), "the textbook has no rule for HalfDone layers"),
        (lambda n: build(n, {}, import_module("torch").float64), "the torch engine has no rule for HalfDone layers"),
    ],
)
def test_an_engine_without_the_rule_says_so(
    use: Callable[[Network], Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "HalfDone", HalfDone)
    network = Network(inputs=2, layers=HALF_DONE[1:])
    with pytest.raises(SettingError, match=said):
        use(network)
    assert textbook.supports(network) == "the textbook has no rule for HalfDone layers"
    assert torch_engine.supports(network) == "the torch engine has no rule for HalfDone layers"


@pytest.mark.parametrize("kind", ALL)
def test_a_network_survives_json_and_the_model_file(kind: type[Layer], tmp_path: Path) -> None:
    network = CASES[kind].network
    assert any(type(layer) is kind for layer in network.every_layer())
    assert Network.from_json(json.loads(json.dumps(network.to_json()))) == network
    assert textbook.supports(network) is None
    assert torch_engine.supports(network) is None
    parameters = make_parameters(network)
    module = build(network, parameters, import_module("torch").float64)
    ours = [(p.name, p.shape) for p in network.parameters()]
    assert ours == [(name, tuple(t.shape)) for name, t in module.state_dict().items()]
    assert [p.name for p in network.trainable()] == [name for name, _ in module.named_parameters()]
    contents = ModelContents(
        network=network, task=Task.multiclass("y", ("a", "b")), recipe={}, target_scaler=None, metrics={},
        libraries={}, settings={}, schema={}, parameters=parameters,
    )  # fmt: skip
    write_model(tmp_path / "model.safetensors", contents)
    again = read_model(tmp_path / "model.safetensors")
    assert again.network == network
    assert {name: array.tolist() for name, array in again.parameters.items()} == {
        name: array.tolist() for name, array in parameters.items()
    }


@pytest.mark.parametrize("kind", ALL)
def test_a_trace_adds_up(kind: type[Layer]) -> None:
    """Each step begins with what the one before gave, there and back, also inside a composite."""
    network = CASES[kind].network
    generator = np.random.default_rng(0)
    tokens = network.dtype == "int64"
    x = tokens_for(network, generator, 3) if tokens else generator.normal(size=(3, *network.shape))
    parameters = make_parameters(network)
    trace = forward(network, parameters, x)
    back = backward(parameters, trace, np.ones((3, 2)))
    chained(trace.steps, back.steps, x, np.ones((3, 2)))
    row = trace_row(network, parameters, x[0], loss=MSE, target=np.ones((1, 2)))
    for apart in (row.agreement.logits, row.agreement.gradients):
        assert apart is not None
        assert apart < 1e-12
    assert row.agreement.central_differences is not None
    assert row.agreement.central_differences < 1e-5
    names = input_names(network.shape) if len(network.shape) > 1 else [f"x{k}" for k in range(network.shape[0])]
    for step in named_steps(row, names, ["y", "z"]):
        sums_hold(step)


def chained(steps: tuple[Step, ...], back: tuple[StepBack, ...], x: Any, d_a: Any) -> None:
    assert [step.name for step in steps] == [step.name for step in back]
    for step in steps:
        np.testing.assert_array_equal(step.inputs, x)
        x = step.outputs
    for step, returned in zip(reversed(steps), reversed(back), strict=True):
        np.testing.assert_array_equal(returned.d_outputs, d_a)
        assert returned.d_inputs.shape == step.inputs.shape
        if step.inner:
            chained(step.inner, returned.inner, step.inputs, returned.inner[-1].d_outputs)
            assert all(inner.name.startswith(f"{step.name}.") for inner in step.inner)
        d_a = returned.d_inputs


def sums_hold(step: NamedStep) -> None:
    """Every sum that the words of a step write down comes to its result."""
    words = WORDS[type(step.work.layer)]
    parts = [part for k in range(len(step.names_out)) for part in words.forward(step, k)]
    parts += [part for k in range(len(step.names_in)) for part in words.backward(step, k)]
    assert parts, "there is nothing in words"
    for part in parts:
        if isinstance(part, Sum):
            assert part.values.sum() + (part.bias or 0.0) == pytest.approx(part.result, abs=1e-9)
    for inner in step.inner:
        sums_hold(inner)
