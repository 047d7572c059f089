"""The model file: all of it comes back, and whatever is not a model of ours is refused with a reason."""

from __future__ import annotations

import json
import pickle
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from pellucid.errors import ModelFileError
from pellucid.io import safe_tensors
from pellucid.model import model_file
from pellucid.model.model_file import ModelContents, read_model, write_model
from pellucid.network import Network, mlp
from pellucid.network.task import Loss, Task
from pellucid.version import __version__


def parameters_of(network: Network, dtype: str = "float32") -> dict[str, Any]:
    rng = np.random.default_rng(3)
    return {
        p.name: np.array(17) if p.dtype == "int64" else rng.uniform(0.1, 1, p.shape).astype(dtype)
        for p in network.parameters()
    }


def made(**changed: Any) -> ModelContents:
    """A small model of three classes, with some of its fields changed."""
    network = changed.get("network", mlp(4, [5], 3, batch_norm=True, dropout=0.25))
    fields: dict[str, Any] = {
        "network": network,
        "task": Task(
            kind="multiclass",
            target='Art "é"',
            classes=("setosa", 2, 2.5),
            loss=Loss(name="cross_entropy", label_smoothing=0.1, class_weights=(1.0, 2.0, 0.5)),
        ),
        "recipe": {"columns": [{"name": "età [m²]", "mean": 0.1 + 0.2, "missing": None}], "deep": [[[[]]]]},
        "target_scaler": None,
        "metrics": {"test": {"roc_auc": {"value": None, "low": None, "high": None}}},
        "libraries": {"numpy": "2.4.6", "python": "3.11.9"},
        "settings": {"hidden": [5], "seed": 0, "early": True},
        "schema": [{"name": "a", "kind": "numeric"}],
        "parameters": parameters_of(network),
    }
    return ModelContents(**fields | changed)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A place for a model file."""
    return tmp_path / "model.safetensors"


def assert_same(found: ModelContents, wanted: ModelContents) -> None:
    for name in ("network", "task", "recipe", "target_scaler", "metrics", "libraries", "settings", "schema"):
        assert getattr(found, name) == getattr(wanted, name), name
    assert [p.name for p in wanted.network.parameters()] == list(found.parameters)
    for name, array in wanted.parameters.items():
        assert found.parameters[name].dtype == array.dtype
        assert found.parameters[name].shape == array.shape
        assert found.parameters[name].tobytes() == array.tobytes()


def altered(path: Path, change: Any) -> None:
    """Change the description with ``change`` and write the file with a checksum that is right."""
    tensors, metadata = safe_tensors.read(path)
    document = json.loads(metadata["pellucid"])
    text = change(document)
    metadata["pellucid"] = text if isinstance(text, str) else json.dumps(document)
    safe_tensors.write(path, tensors, metadata)


# What is written ----------------------------------------------------------------------------------------------


REGRESSION = {"task": Task.regression("price"), "target_scaler": {"mean": 3.5, "std": 2.0}}


@pytest.mark.parametrize(
    "contents",
    [
        made(),
        made(network=mlp(3, [], 1), **REGRESSION),
        made(network=mlp(2, [4, 4], 1, activation="gelu"), task=Task.binary("ill", (False, True)), schema={"v": 1}),
        made(
            network=(wide := mlp(4, [5], 3, batch_norm=True)),
            parameters=parameters_of(wide, "float64"),
        ),
    ],
    ids=["multiclass", "regression", "binary", "float64"],
)
def test_all_of_it_comes_back(path: Path, contents: ModelContents) -> None:
    write_model(path, contents)
    assert_same(read_model(path), contents)
    assert [type(c) for c in read_model(path).task.classes] == [type(c) for c in contents.task.classes]
    assert list(path.parent.iterdir()) == [path]


def test_the_same_contents_make_the_same_bytes(path: Path) -> None:
    write_model(path, made())
    first = path.read_bytes()
    shuffled = dict(reversed(made().parameters.items()))
    write_model(path, made(parameters=shuffled))
    assert path.read_bytes() == first


def test_torch_and_safetensors_find_a_state_dict(path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    contents = made()
    write_model(path, contents)
    module = torch.nn.Sequential(
        torch.nn.Linear(4, 5, bias=False),
        torch.nn.BatchNorm1d(5),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.25),
        torch.nn.Linear(5, 3),
    )
    module.load_state_dict(load_file(path), strict=True)
    np.testing.assert_array_equal(module[4].weight.detach().numpy(), contents.parameters["4.weight"])
    with safetensors.safe_open(path, framework="numpy") as opened:
        document = json.loads(opened.metadata()["pellucid"])
    assert (document["format_version"], document["pellucid_version"]) == (1, __version__)
    assert document["network"] == contents.network.to_json()


def test_a_file_that_the_safetensors_package_wrote_is_read(path: Path) -> None:
    write_model(path, made())
    with safetensors.safe_open(path, framework="numpy") as opened:
        metadata = opened.metadata()
    safetensors.numpy.save_file(made().parameters, path, metadata)
    assert_same(read_model(path), made())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"metrics": {"a": float("nan")}}, "not plain JSON"),
        ({"settings": {"a": np.float32(1)}}, "not plain JSON"),
        ({"recipe": {"a": {1, 2}}}, "not plain JSON"),
        ({"recipe": {"a": "\ud800"}}, "not plain JSON"),
        ({"recipe": {"a": 10**30}}, "31 digits"),
        ({"settings": {1: "a", "1": "b"}}, "'1' twice"),
        ({"libraries": {"numpy": "x" * 20_000}}, "short texts"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelFileError, match=said):
        write_model(path, made(**changed))
    assert not path.exists()


def test_a_recipe_that_is_too_deep_is_not_written(path: Path) -> None:
    nested: list[Any] = []
    for _ in range(100):
        nested = [nested]
    with pytest.raises(ModelFileError, match="nested"):
        write_model(path, made(recipe={"a": nested}))
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(ModelFileError, match="not plain JSON"):
        write_model(path, made(recipe={"a": nested}))
    while nested:  # taken apart level by level, as freeing it at once would go as deep
        nested = nested[0]


NETWORK = mlp(4, [5], 3, batch_norm=True)
GOOD = parameters_of(NETWORK)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"recipe": None}, "recipe must be an object, got NoneType"),
        ({"metrics": []}, "metrics must be an object"),
        ({"settings": "a"}, "settings must be an object"),
        ({"schema": "a"}, "schema must be an object or a list"),
        ({"target_scaler": 1.0}, "target_scaler must be an object or null"),
        ({"libraries": {"numpy": 2}}, "libraries must be short texts"),
        ({"task": Task.binary("t", (0, 1))}, "gives 3 outputs, the binary task needs 1"),
        ({"parameters": []}, "arrays by name"),
        ({"parameters": {k: v for k, v in GOOD.items() if k != "3.bias"}}, r"lacks \['3.bias'\]"),
        ({"parameters": GOOD | {"9.weight": np.zeros(1)}}, "'9.weight'"),
    ],
)
def test_contents_check_themselves(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelFileError, match=said):
        made(**{"network": NETWORK, "parameters": GOOD} | changed)


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("0.weight", np.zeros((4, 5), np.float32), r"shape \(4, 5\), the network needs \(5, 4\)"),
        ("0.weight", np.zeros((5, 4), np.int64), "float32 or float64, got int64"),
        ("0.weight", np.zeros((5, 4), np.float16), "got float16"),
        ("0.weight", np.zeros((5, 4), np.float64), "mix float32 and float64"),
        ("0.weight", [[0.0] * 4] * 5, "got list"),
        ("0.weight", np.full((5, 4), np.nan, np.float32), "a NaN or an infinity"),
        ("0.weight", np.full((5, 4), -np.inf, np.float32), "a NaN or an infinity"),
        ("1.running_var", np.full(5, -1, np.float32), "negative"),
        ("1.num_batches_tracked", np.array(-1), "negative"),
        ("1.num_batches_tracked", np.array(1.0), "int64, got float64"),
        ("1.num_batches_tracked", np.array([1]), r"shape \(1,\)"),
    ],
)
def test_arrays_that_do_not_fit_the_network(name: str, array: Any, said: str) -> None:
    with pytest.raises(ModelFileError, match=said):
        made(network=NETWORK, parameters=GOOD | {name: array})


def test_a_failed_write_leaves_the_old_model(path: Path) -> None:
    write_model(path, made())
    with pytest.raises(ModelFileError):
        write_model(path, made(metrics={"a": float("inf")}))
    assert_same(read_model(path), made())
    assert list(path.parent.iterdir()) == [path]


# What is read -------------------------------------------------------------------------------------------------


def put(**fields: Any) -> Any:
    return lambda document: document.update(fields)


def drop(name: str) -> Any:
    return lambda document: document.pop(name) and None


def inside(*keys: Any, value: Any) -> Any:
    """Set what the keys lead to."""

    def change(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop("task"), r"lacks \['task'\]"),
        (drop("target_scaler"), r"lacks \['target_scaler'\]"),
        (put(more=1), r"unknown fields \['more'\]"),
        (drop("format_version"), "no format version"),
        (put(format_version=0), "no format version"),
        (put(format_version="1"), "no format version"),
        (put(format_version=True), "no format version"),
        (put(format_version=1.0), "no format version"),
        (put(pellucid_version=None), "which Pellucid wrote it"),
        (put(pellucid_version="1; rm -rf"), "which Pellucid wrote it"),
        (put(network=None), "network must have exactly"),
        (put(network=[]), "network must have exactly"),
        (inside("network", "inputs", value=5), "layer 0"),
        (inside("network", "inputs", value=True), "whole number"),
        (inside("network", "inputs", value=10**12), "whole number"),
        (inside("network", "layers", value=[]), "at least one layer"),
        (inside("network", "layers", value={}), "must be a list"),
        (inside("network", "layers", value=[0] * 1_001), "at most 1,000 layers"),
        (inside("network", "layers", 0, value=None), r"layers\[0\]"),
        (inside("network", "layers", 0, "kind", value="os.system"), "unknown kind"),
        (inside("network", "layers", 0, "kind", value=["Dense"]), "plain value"),
        (inside("network", "layers", 0, "outputs", value=10**6), "layer 1"),
        (inside("network", "layers", 0, "bias", value=1), "true or false"),
        (inside("network", "layers", 0, "bias", value=True), r"lacks \['0.bias'\]"),
        (inside("network", "layers", 1, "eps", value=0), "eps must be above 0"),
        (inside("network", "layers", 2, "function", value="exec"), "not known"),
        (inside("network", "layers", 2, "function", value={}), "plain value"),
        (inside("network", "layers", 2, "function", value="x" * 20_000), "20,000 characters"),
        (inside("network", "layers", 3, "rate", value=1.0), "dropout"),
        (inside("network", "layers", 3, "more", value=1), "exactly the fields"),
        (put(task=1), "task must have exactly"),
        (inside("task", "kind", value="binary"), "binary"),
        (inside("task", "kind", value={"a": []}), "plain value"),
        (inside("task", "kind", value=["binary"] * 100_000), "plain value"),
        (inside("task", "target", value=3), "column's name"),
        (inside("task", "classes", value=[1, 2]), "2"),
        (inside("task", "classes", value=[[1], [2], [3]]), "plain value"),
        (inside("task", "classes", value=[None, 1, 2]), "texts, numbers or booleans"),
        (inside("task", "classes", value=["a", "a", "b"]), "not all different"),
        (inside("task", "classes", value="abc"), "classes a list"),
        (inside("task", "loss", "name", value="bce"), "does not suit|two class weights"),
        (inside("task", "loss", "name", value=["bce"]), "plain value"),
        (inside("task", "loss", "class_weights", value=[1, 2]), "3 class weights"),
        (inside("task", "loss", "class_weights", value=[{}, [], "a"]), "positive"),
        (inside("task", "loss", value=None), "loss must have exactly"),
        (put(recipe=[]), "recipe must be an object"),
        (put(metrics=None), "metrics must be an object"),
        (put(settings=1), "settings must be an object"),
        (put(schema=None), "schema must be an object or a list"),
        (put(target_scaler=[]), "target_scaler must be an object or null"),
        (put(libraries={"torch": ["2"]}), "short texts"),
        (put(libraries="2"), "libraries must be an object"),
        (lambda _: "[]", "must be an object, got list"),
        (lambda _: "", "is not JSON"),
        (lambda _: "[" * 100_000, "nested 100,000 or more deep"),
        (lambda d: json.dumps(d)[:-1] + ', "task": 1}', "'task' twice"),
        (lambda d: json.dumps(d | {"metrics": {"a": float("nan")}}), "holds NaN"),
        (lambda d: json.dumps(d).replace('"seed": 0', '"seed": 1e999'), "too large"),
        (lambda d: json.dumps(d).replace('"seed": 0', '"seed": ' + "9" * 5_000), "5,000 digits"),
        (lambda d: json.dumps(d).replace('"seed": 0', '"seed": "\\udfff"'), "lone surrogate"),
        (lambda d: json.dumps(d | {"recipe": {"a": [0] * 2_000_000}}), "more than 2,000,000 values"),
    ],
)
def test_a_description_that_breaks_a_rule_is_refused_although_its_checksum_is_right(
    path: Path, change: Any, said: str
) -> None:
    write_model(path, made())
    altered(path, change)
    with pytest.raises(ModelFileError, match=said) as caught:
        read_model(path)
    message = str(caught.value)
    assert str(path) in message
    assert "take another copy, or train again" in message
    assert len(message) < 1_200


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("0.weight", None, "lacks"),
        ("5.weight", np.zeros(3, np.float32), "5.weight"),
        ("0.weight", np.zeros((4, 5), np.float32), "shape"),
        ("0.weight", np.zeros(20, np.float32), "shape"),
        ("0.weight", np.zeros((5, 4), np.float64), "mix"),
        ("0.weight", np.zeros((5, 4), np.int64), "got int64"),
        ("0.weight", np.zeros((5, 4), np.uint8), "got uint8"),
        ("4.bias", np.zeros(3, bool), "got bool"),
        ("4.bias", np.array([0, np.nan, 0], np.float32), "NaN"),
        ("4.bias", np.array([0, np.inf, 0], np.float32), "infinity"),
        ("1.num_batches_tracked", np.array(0, np.float32), "int64"),
    ],
)
def test_arrays_that_break_a_rule_are_refused_although_the_checksum_is_right(
    path: Path, name: str, array: Any, said: str
) -> None:
    write_model(path, made())
    tensors, metadata = safe_tensors.read(path)
    tensors = {k: v for k, v in (tensors | {name: array}).items() if v is not None}
    safe_tensors.write(path, tensors, metadata)
    with pytest.raises(ModelFileError, match=said) as caught:
        read_model(path)
    assert "take another copy" in str(caught.value)


@pytest.mark.parametrize("checksum", [True, False])
def test_a_newer_format_says_which_pellucid_to_install(path: Path, checksum: bool) -> None:
    """A newer format may have other fields, other dtypes and another checksum: none of that may hide the answer."""
    write_model(path, made())
    altered(path, lambda _: json.dumps({"format_version": 3, "pellucid_version": "2.1.0rc1", "shape": "new"}))
    if not checksum:
        path.write_bytes(path.read_bytes().replace(b'"dtype":"F32"', b'"dtype":"B16"'))
    with pytest.raises(ModelFileError, match=r"format 3; .* reads up to 2: install Pellucid 2\.1\.0rc1"):
        read_model(path)


def test_another_safetensors_file_is_named_as_such(path: Path) -> None:
    safetensors.numpy.save_file({"x": np.zeros(2)}, path)
    with pytest.raises(ModelFileError, match="without Pellucid's description"):
        read_model(path)


def test_cut_short_at_any_byte(path: Path) -> None:
    write_model(path, made())
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            read_model(path)


def test_any_byte_changed(path: Path) -> None:
    write_model(path, made())
    whole, rng = path.read_bytes(), random.Random(5)
    with path.open("r+b", buffering=0) as stream:
        for place, byte in enumerate(whole):
            stream.seek(place)
            stream.write(bytes([byte ^ 1 << rng.randrange(8)]))
            with pytest.raises(ModelFileError):
                read_model(path)
            stream.seek(place)
            stream.write(bytes([byte]))
    assert_same(read_model(path), made())


def test_no_field_of_the_description_can_be_swapped_between_files(path: Path) -> None:
    """The checksum binds the description to the arrays."""
    write_model(path, made())
    flipped = replace(made(), task=replace(made().task, classes=(2, "setosa", 2.5)))
    other = path.with_name("other")
    write_model(other, flipped)
    one, two = path.read_bytes(), other.read_bytes()
    start = one.index(b"__metadata__")
    end = one.index(b'"sha256"')
    assert len(one) == len(two)
    path.write_bytes(one[:start] + two[start:end] + one[end:])
    with pytest.raises(ModelFileError, match="checksum"):
        read_model(path)


def test_a_pickle_is_refused_with_the_reason(path: Path) -> None:
    torch = pytest.importorskip("torch")
    for legacy in (True, False):
        torch.save({"a": torch.zeros(2)}, path, _use_new_zipfile_serialization=not legacy)
        with pytest.raises(ModelFileError, match=r"PyTorch pickle.*Pellucid never opens those"):
            read_model(path)
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ModelFileError, match="never opens those"):
        read_model(path)


def test_a_folder_or_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="is a folder"):
        read_model(tmp_path)
    with pytest.raises(ModelFileError, match=r"there is no file .* check the path"):
        read_model(tmp_path / "none")


def test_nothing_heavy_and_nothing_that_executes_is_imported(path: Path) -> None:
    write_model(path, made())
    code = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda name, _: seen.append(name))\n"
        "from pellucid.model.model_file import read_model\n"
        "del seen[:]\n"
        "read_model(sys.argv[1])\n"
        "never = ('exec', 'compile', 'subprocess', 'pickle', 'os', 'socket', 'marshal', 'import')\n"
        "print([n for n in seen if n.split('.')[0] in never])\n"
        "print([n for n in ('torch', 'sklearn', 'pandas', 'safetensors') if n in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["[]", "[]", ""]


def test_the_limits_are_those_that_writing_keeps() -> None:
    assert model_file.MAX_VALUES * 2 < safe_tensors.MAX_HEADER_BYTES
