"""Format 2 of the model file: several networks, and the residuals of rows held out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors

from pellucid.errors import ModelFileError
from pellucid.io import safe_tensors
from pellucid.model.model_file import MAX_NETWORKS, ModelContents, read_model, write_model
from pellucid.network import mlp
from pellucid.network.task import Task
from tests.model.test_model_file import altered, assert_same, made, parameters_of

NETWORK = mlp(4, [5], 3, batch_norm=True)
RESIDUALS = {"count": 3, "unit": 1.5, "quantiles": [0.0, 0.25, 4]}


def several(n: int = 3, **changed: Any) -> ModelContents:
    members = [{name: np.asarray(a + a.dtype.type(k)) for name, a in parameters_of(NETWORK).items()} for k in range(n)]
    return made(**{"network": NETWORK, "parameters": members[0], "more": tuple(members[1:])} | changed)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A place for a model file."""
    return tmp_path / "model.safetensors"


def test_one_network_is_written_as_ever(path: Path) -> None:
    """Nothing of format 2 shows where format 1 is enough: older versions read such a file."""
    write_model(path, made())
    arrays, metadata = safe_tensors.read(path)
    document = json.loads(metadata["pellucid"])
    assert list(document) == [
        "format_version", "pellucid_version", "network", "task", "recipe", "target_scaler", "metrics", "libraries",
        "settings", "schema",
    ]  # fmt: skip
    assert document["format_version"] == 1
    assert set(arrays) == {p.name for p in made().network.parameters()}


def test_every_network_comes_back(path: Path) -> None:
    write_model(path, several(residuals=RESIDUALS))
    found = read_model(path)
    assert_same(found, several())
    assert len(found.members) == 3
    for k, (one, other) in enumerate(zip(found.members, several().members, strict=True)):
        assert one.keys() == other.keys()
        for name in one:
            assert one[name].tobytes() == other[name].tobytes(), (k, name)
    assert found.residuals == RESIDUALS


def test_the_same_networks_make_the_same_bytes(path: Path) -> None:
    write_model(path, several())
    first = path.read_bytes()
    shuffled = tuple(dict(reversed(each.items())) for each in several().more)
    write_model(path, several(more=shuffled))
    assert path.read_bytes() == first


def test_torch_finds_a_module_list(path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    write_model(path, several())
    nets = torch.nn.ModuleList(
        torch.nn.Sequential(
            torch.nn.Linear(4, 5, bias=False), torch.nn.BatchNorm1d(5), torch.nn.ReLU(), torch.nn.Linear(5, 3)
        )
        for _ in range(3)
    )
    nets.load_state_dict(load_file(path), strict=True)
    np.testing.assert_array_equal(nets[2][3].bias.detach().numpy(), several().more[1]["3.bias"])
    with safetensors.safe_open(path, framework="numpy") as opened:
        document = json.loads(opened.metadata()["pellucid"])
    assert (document["format_version"], document["n_networks"], document["residuals"]) == (2, 3, None)


def test_residuals_alone_need_format_2(path: Path) -> None:
    contents = made(
        network=(net := mlp(2, [3], 1)),
        task=Task.regression("price"),
        target_scaler={"mean": 3.5, "std": 2.0},
        parameters=parameters_of(net),
        residuals=RESIDUALS,
    )
    write_model(path, contents)
    found = read_model(path)
    assert (len(found.members), found.residuals) == (1, RESIDUALS)


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (2, "2 networks of 8 arrays are described, but there are 24 arrays"),
        (4, "4 networks of 8 arrays"),
        (10**18, f"n_networks must be a whole number from 1 to {MAX_NETWORKS:,}"),
        (0, "n_networks must be"),
        (-3, "n_networks must be"),
        (True, "n_networks must be"),
        (3.0, r"n_networks must be .* got 3\.0"),
        ("3", "n_networks must be .* got str"),
        (None, "n_networks must be .* got NoneType"),
    ],
)
def test_a_number_of_networks_that_is_none(path: Path, n: Any, said: str) -> None:
    write_model(path, several())
    altered(path, lambda document: json.dumps(document | {"n_networks": n}))
    with pytest.raises(ModelFileError, match=said):
        read_model(path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1.0.weight", "7.0.weight", r"lacks \['1.0.weight'\]"),
        ("2.3.bias", "3.bias", r"lacks \['2.3.bias'\]"),
        ("0.0.weight", "00.0.weight", r"lacks \['0.0.weight'\]"),
    ],
)
def test_arrays_by_other_names(path: Path, old: str, new: str, said: str) -> None:
    write_model(path, several())
    tensors, metadata = safe_tensors.read(path)
    tensors[new] = tensors.pop(old)
    safe_tensors.write(path, tensors, metadata)
    with pytest.raises(ModelFileError, match=said):
        read_model(path)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((5, 4), np.float64), "mix float32 and float64"),
        (np.zeros((4, 5), np.float32), "'0.weight' of network 2 has the shape"),
        (np.full((5, 4), np.nan, np.float32), "'0.weight' of network 2 holds a NaN"),
        (np.zeros((5, 4), np.int64), "'0.weight' of network 2 must hold"),
    ],
)
def test_each_network_is_checked(path: Path, array: Any, said: str) -> None:
    write_model(path, several())
    tensors, metadata = safe_tensors.read(path)
    safe_tensors.write(path, tensors | {"1.0.weight": array}, metadata)
    with pytest.raises(ModelFileError, match=said):
        read_model(path)


def test_networks_of_two_precisions(path: Path) -> None:
    wide = {name: a.astype(np.float64) if a.ndim else a for name, a in several().more[0].items()}
    with pytest.raises(ModelFileError, match="mix float32 and float64"):
        several(more=(wide,))


@pytest.mark.parametrize(
    "residuals",
    [
        [], "a", {}, RESIDUALS | {"more": 1}, RESIDUALS | {"count": 4}, RESIDUALS | {"count": 10**9},
        RESIDUALS | {"count": True}, RESIDUALS | {"unit": 0}, RESIDUALS | {"unit": -1.0}, RESIDUALS | {"unit": "1"},
        RESIDUALS | {"quantiles": [0.0, 4, 0.25]}, RESIDUALS | {"quantiles": [-1.0, 0, 1]},
        RESIDUALS | {"quantiles": [0.0, "a", 1]}, RESIDUALS | {"quantiles": [0, 1, 10**400]},
        RESIDUALS | {"quantiles": [0, 1, True]}, {"count": 0, "unit": 1.0, "quantiles": []},
        {"count": 201, "unit": 1.0, "quantiles": [1.0] * 201}, {"count": 201, "unit": 1.0, "quantiles": [1.0] * 199},
    ],
)  # fmt: skip
def test_residuals_that_are_none(path: Path, residuals: Any) -> None:
    with pytest.raises(ModelFileError, match="residuals must"):
        several(residuals=residuals)


def test_the_fields_of_format_2_belong_to_format_2(path: Path) -> None:
    write_model(path, made())
    altered(path, lambda document: json.dumps(document | {"n_networks": 1, "residuals": None}))
    with pytest.raises(ModelFileError, match="unknown fields"):
        read_model(path)
    write_model(path, several())
    altered(path, lambda document: json.dumps({k: v for k, v in document.items() if k != "residuals"}))
    with pytest.raises(ModelFileError, match=r"lacks \['residuals'\]"):
        read_model(path)


def test_more_arrays_than_a_file_holds_are_not_written(path: Path) -> None:
    member = parameters_of(NETWORK)
    with pytest.raises(ModelFileError, match="10,400 arrays, the most is 10,000"):
        write_model(path, several(parameters=member, more=(member,) * 1299))
    assert not path.exists()
