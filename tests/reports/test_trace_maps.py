"""The page of a traced picture: its numbers are PyTorch's, and what its script shows is the arithmetic in words."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from base64 import b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pellucid
from pellucid.engines.torch_engine.module import build
from pellucid.errors import SettingError
from pellucid.explanation.words import NamedStep, words_of
from pellucid.explanation.words.pooling import winner
from pellucid.explanation.words.values import Equation, Sum, n
from pellucid.inspection.trace import Traced, trace
from pellucid.inspection.trace_unit import address, every_step
from pellucid.network import MaxPool1d, MaxPool2d, Network
from pellucid.reports import trace_maps_data
from pellucid.reports.trace import write_trace_page
from pellucid.reports.trace_maps_data import decoded, maps_data
from tests.drawings import save_classes
from tests.explanation.maps import every_map_kind, every_series_kind, map_networks, theirs_of, traced_map
from tests.reports.pages import check

SETTINGS: dict[str, Any] = {"verdict": False, "preset": "plain", "seed": 1, "epochs": 2, "network": "cnn"}


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    folder = tmp_path_factory.mktemp("maps")
    save_classes(folder / "shapes", 8)
    pellucid.train(str(folder / "shapes"), out=folder / "run", channels=(3, 4), batch_norm=True, **SETTINGS)
    return trace(folder / "run", row=2)


@pytest.fixture(scope="module")
def page(traced: Traced, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = write_trace_page(traced, tmp_path_factory.mktemp("page") / "trace.html")
    return path.read_text(encoding="utf-8")


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">([^<]*)</script>', page)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def script_of(page: str) -> str:
    return page.rpartition("<script>")[2].partition("</script>")[0]


def test_the_page_is_one_file_that_may_run_its_own_script_alone(page: str) -> None:
    without_pictures = re.sub(r'<img src="data:image/png;base64,[^"]*" alt="[^"]*">', "", page)
    assert len(without_pictures) < len(page)
    tree = check(without_pictures, script=script_of(page))
    assert len(page) < 2_000_000
    assert "fetch" not in script_of(page)
    assert "innerHTML" not in script_of(page)
    assert any("noscript" in tag for tag, _ in tree.tags)


def test_every_number_of_the_page_is_pytorchs(traced: Traced, page: str) -> None:
    data, kept, row = data_of(page), {}, traced.row
    module = build(row.network, row.parameters, torch.float64).eval()
    for name, each in module.named_children():
        each.register_forward_hook(lambda m, given, gave, name=name: (gave.retain_grad(), kept.update({name: gave}))[1])
    first = row.layers[0]
    x = torch.from_numpy(first.inputs.reshape(1, *first.shape_in).copy()).requires_grad_()
    assert traced.targets is not None
    torch.nn.functional.cross_entropy(module(x), torch.from_numpy(traced.targets)).backward()
    nodes = {node["key"]: node for node in data["nodes"]}
    assert set(nodes) == {"x", *kept}
    for key, theirs in {"x": x, **kept}.items():
        assert theirs.grad is not None
        node = nodes[key]
        assert node["shape"] == list(theirs.shape[1:])
        np.testing.assert_allclose(decoded(node["values"]), theirs.detach().numpy().ravel(), rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(decoded(node["slopes"]), theirs.grad.numpy().ravel(), rtol=1e-6, atol=1e-9)
    weights = dict(module.named_parameters())
    compared = 0
    for layer in data["layers"]:
        for name, text in layer.get("gradients", {}).items():
            theirs = weights[f"{layer['key']}.{name}"].grad
            assert theirs is not None
            np.testing.assert_allclose(decoded(text), theirs.numpy().ravel(), rtol=1e-6, atol=1e-9)
            own = decoded(layer["parameters"][name])
            np.testing.assert_allclose(own, row.parameters[f"{layer['key']}.{name}"].ravel(), rtol=1e-6)
            compared += 1
    assert compared == 6  # weights of two convolutions, scale and shift of two normalisations


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(network=map_networks(), seed=st.integers(0, 1000))
def test_the_numbers_of_random_networks_are_pytorchs(network: Network, seed: int) -> None:
    """Also inside composites; each layer leads from the node that it takes to the one that it gives."""
    found, steps = traced_map(network, seed)
    theirs, data = theirs_of(found), maps_data(steps, ["", ""])
    nodes, picture = data["nodes"], theirs.d_picture
    assert picture is not None
    np.testing.assert_allclose(decoded(nodes[0]["slopes"]), picture.numpy().ravel(), rtol=1e-5, atol=1e-6)
    assert {layer["key"] for layer in data["layers"]} == set(theirs.outputs)
    for layer in data["layers"]:
        received, gave = theirs.inputs[layer["key"]], theirs.outputs[layer["key"]]
        for number, numbers in ((layer["from"], received), (layer["to"], gave)):
            own = decoded(nodes[number]["values"])
            np.testing.assert_allclose(own, numbers.detach().numpy().ravel(), rtol=1e-5, atol=1e-6)
        if gave.grad is not None:
            slopes = decoded(nodes[layer["to"]]["slopes"])
            np.testing.assert_allclose(slopes, gave.grad.numpy().ravel(), rtol=1e-5, atol=1e-6)
        for name, text in layer.get("gradients", {}).items():
            gradient = theirs.gradients[f"{layer['key']}.{name}"]
            assert gradient is not None
            np.testing.assert_allclose(decoded(text), gradient.numpy().ravel(), rtol=1e-5, atol=1e-6)


def test_a_large_network_shows_its_strongest_channels(traced: Traced) -> None:
    whole, small = maps_data(traced.steps, []), maps_data(traced.steps, [], most=2_000)
    assert not whole["trimmed"]
    assert small["trimmed"]
    assert len(json.dumps(small)) < len(json.dumps(whole))
    node, full = small["nodes"][1], whole["nodes"][1]
    assert 1 <= len(node["kept"]) < 3
    values = decoded(full["values"]).reshape(3, -1)
    np.testing.assert_array_equal(decoded(node["values"]).reshape(len(node["kept"]), -1), values[node["kept"]])
    assert np.abs(values).max(axis=1).argmax() in node["kept"]
    assert small["nodes"][0]["values"] == whole["nodes"][0]["values"]  # the picture itself is whole


def test_filters_count_too_and_are_kept_between_the_channels_that_are_shown(traced: Traced) -> None:
    """Of two layers the second's filters are the product of what both keep; groups keep all of theirs."""
    whole = maps_data(traced.steps, [])
    maps = sum(len(decoded(node["values"])) + len(decoded(node["slopes"])) for node in whole["nodes"])
    small = maps_data(traced.steps, [], most=maps)
    assert small["trimmed"]
    second = [k for k, layer in enumerate(whole["layers"]) if layer["kind"] == "conv"][1]
    layer, full = small["layers"][second], whole["layers"][second]
    ins, outs = (small["nodes"][layer[name]]["kept"] for name in ("from", "to"))
    assert (len(ins), len(outs)) == (2, 3)
    for name in ("parameters", "gradients"):
        weight = decoded(full[name]["weight"]).reshape(4, 3, 3, 3)
        np.testing.assert_array_equal(decoded(layer[name]["weight"]).reshape(3, 2, 3, 3), weight[outs][:, ins])


def test_a_trimmed_page_still_shows_the_networks_own_arithmetic(tmp_path: Path, traced: Traced, page: str) -> None:
    data = maps_data(traced.steps, ["", ""], most=1_500)
    layer = [each for each in data["layers"] if each["kind"] == "conv"][1]
    c = data["nodes"][layer["to"]]["kept"][0]
    old = re.search(r'id="data">([^<]*)</script>', page)
    assert old is not None
    (said,) = shown(tmp_path, page.replace(old[1], json.dumps(data)), [f"{layer['key']}.{c + 1},1,1"])
    step = next(step for step in every_step(traced.steps) if step.work.name == layer["key"])
    weight, inputs = step.work.parameters["weight"], step.work.inputs.reshape(step.work.shape_in)
    for j in data["nodes"][layer["from"]]["kept"]:
        total = float((weight[c, j] * np.pad(inputs[j], 1)[1:4, 1:4]).sum())
        assert near(total, said["forward"])
    assert "weaker input channel" in said["parameters"]


def test_units_must_be_a_number(traced: Traced, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="units must be a whole number of at least 1"):
        write_trace_page(traced, tmp_path / "trace.html", units=0)


# ── in a browser ──────────────────────────────────────────────────────────────────────────────────────────────


def shown(folder: Path, page: str, hashes: list[str], script: str = "") -> list[dict[str, str]]:
    """What the page's panel says of each address, and what ``script`` finds after that."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed: with one, pages are also opened in a browser")
    asking = """<pre id="found"></pre><iframe id="page" src="trace.html" width="1200" height="900"></iframe><script>
onload = () => setTimeout(async () => {
  const frame = document.getElementById("page"), d = frame.contentDocument, found = [];
  const text = (id) => d.getElementById(id)?.innerText ?? "";
  for (const hash of HASHES) {
    frame.contentWindow.location.hash = hash;
    await new Promise((done) => setTimeout(done, 20));
    const ids = ["panel-title", "result", "forward", "backward", "parameters"];
    found.push(Object.fromEntries(ids.map((id) => [id, text(id)])));
  }
  const w = frame.contentWindow;
  SCRIPT
  document.getElementById("found").textContent = JSON.stringify(found);
}, 300);</script>""".replace("HASHES", json.dumps(hashes)).replace("SCRIPT", script)
    (folder / "trace.html").write_text(page, encoding="utf-8")
    (folder / "ask.html").write_text(f"<!doctype html><meta charset=utf-8>{asking}", encoding="utf-8")
    done = subprocess.run(
        [
            chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
            f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=20000", "--window-size=1300,1000",
            "--dump-dom", (folder / "ask.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"chromium does not run here: {done.stderr[-200:]}")
    found = re.search(r'<pre id="found">([^<]+)</pre>', done.stdout)
    assert found is not None, done.stdout[-2000:]
    read: list[dict[str, str]] = json.loads(unescape(found[1]))
    return read


def numbers(text: str) -> list[float]:
    """The numbers of a text, without those of names and positions."""
    bare = re.sub(r"(channel|unit) [\d.]+( at \([\d, ]+\))?|label = \w+|pixel at \([\d, ]+\)", "", text)
    return [float(each.replace("−", "-")) for each in re.findall(r"−?\d+(?:\.\d+)?(?:e[−+]?\d+)?", bare)]


def near(value: float, text: str) -> bool:
    """Whether a text shows a number with four digits, computed here with sixteen and there with seven."""
    return any(abs(shown - value) <= 2e-3 * abs(value) + 1e-9 for shown in numbers(text))


def addresses(steps: tuple[NamedStep, ...]) -> list[tuple[NamedStep, int]]:
    """For each layer its strongest output, its first, which lies at an edge, and its last."""
    return [
        (step, k)
        for step in every_step(steps)
        for k in dict.fromkeys((int(np.abs(step.work.outputs).argmax()), 0, len(step.work.outputs) - 1))
    ]


def agree(said: dict[str, str], step: NamedStep, after: NamedStep | None, k: int) -> None:
    """The panel of an output shows the numbers that the words have."""
    assert said["panel-title"] == step.names_out[k]
    assert said["result"].startswith(f"{step.symbol} = ")
    assert near(step.work.outputs[k], said["result"])
    assert near(step.d_outputs[k], said["result"])
    words = words_of(step.work.layer)
    for part in words.forward(step, k):
        check_part(part, said["forward"])
    if isinstance(step.work.layer, MaxPool1d | MaxPool2d):
        assert f"{step.names_in[winner(step, k)]} won." in said["forward"]
    if after is not None:
        for part in words_of(after.work.layer).backward(after, k):
            check_part(part, said["backward"])


def check_part(part: Any, text: str) -> None:
    if isinstance(part, Sum):
        assert near(part.result, text), (part.symbol, part.result, text)
        if part.symbol != "S":
            for term in part.terms()[:1] if len(part.values) > 9 else part.terms():
                assert near(term.value, text) or len(part.values) > 9, (term, text)
    elif isinstance(part, Equation):
        assert near(part.result, text), (part, text)


def taker(steps: tuple[NamedStep, ...], step: NamedStep) -> NamedStep | None:
    """The layer of the outer network that takes a layer's output, if it is no composite."""
    places = [i for i, each in enumerate(steps) if each is step]
    after = steps[places[0] + 1] if places and places[0] + 1 < len(steps) else None
    return None if after is None or after.inner else after


def test_what_the_script_shows_is_the_arithmetic_in_words(tmp_path: Path, traced: Traced, page: str) -> None:
    agree_everywhere(tmp_path, page, traced.steps)


def test_strides_paddings_groups_and_dilation_are_the_networks_own(tmp_path: Path, traced: Traced, page: str) -> None:
    """The same with a network whose windows are all unusual, its data put into the page."""
    for part, made in (("pictures", every_map_kind), ("series", every_series_kind)):
        _, steps = made()
        (tmp_path / part).mkdir()
        agree_everywhere(tmp_path / part, with_data(page, steps), steps)
    assert len(steps) == 7


def test_of_a_large_dense_layer_the_strongest_weights_are_shown(
    tmp_path: Path, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is shown, the others together and the bias are still the network's own number."""
    _, steps = every_series_kind()
    monkeypatch.setattr(trace_maps_data, "_MOST_WEIGHTS", 10)
    monkeypatch.setattr(trace_maps_data, "_TERMS", 3)
    monkeypatch.setattr(trace_maps_data, "_TERMS_BACK", 1)
    data = maps_data(steps, ["", ""])["layers"][-1]
    assert len(decoded(data["pairs"])) < 32
    (said,) = shown(tmp_path, with_data(page, steps), ["6.1"])
    (part,) = words_of(steps[-1].work.layer).forward(steps[-1], 0)
    assert isinstance(part, Sum)
    assert part.bias is not None
    for term in part.largest(3)[0]:
        assert near(term.value, said["forward"])
    found = re.search(r"others together\s+(\S+)\s+bias b\s+(\S+)", said["forward"])
    assert found is not None
    values = [float(x.replace("−", "-")) for x in re.findall(r"(?m)^channel.*\t(\S+)$", said["forward"])]
    assert len(values) >= 3
    others, bias = (float(x.replace("−", "-")) for x in found.groups())
    assert sum(values) + others + bias == pytest.approx(part.result, abs=0.01)


def with_data(page: str, steps: tuple[NamedStep, ...]) -> str:
    old = re.search(r'id="data">([^<]*)</script>', page)
    assert old is not None
    return page.replace(old[1], json.dumps(maps_data(steps, ["", ""])))


def agree_everywhere(folder: Path, page: str, steps: tuple[NamedStep, ...]) -> None:
    chosen = addresses(steps)
    first, grid = steps[0], steps[0].work.shape_in[1:]
    pixels = [0, 17, len(first.names_in) // 2, len(first.names_in) - 1]
    places = [divmod(k, int(np.prod(grid))) for k in pixels]
    of_picture = [f"x.{c + 1},{','.join(map(str, np.unravel_index(p, grid)))}" for c, p in places]
    panels = shown(folder, page, [*(address(step, k) for step, k in chosen), *of_picture])
    for said, (step, k) in zip(panels, chosen, strict=False):
        agree(said, step, taker(steps, step), k)
    for said, k in zip(panels[len(chosen) :], pixels, strict=True):
        assert said["panel-title"] == first.names_in[k]
        for part in words_of(first.work.layer).backward(first, k):
            check_part(part, said["backward"])


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("value(from, c, p) > value(from, c, best)", "value(from, c, p) < value(from, c, best)"),
        ("layer.strides[a] - layer.before[a] + t", "layer.strides[a] + t"),
        ("own[a] + layer.before[a] - t * layer.dilations[a]", "own[a] + layer.before[a] - t"),
        ("Math.floor(c / (to.shape[0] / layer.groups)) * group", "0"),
    ],
    ids=["the smallest wins", "padding forgotten", "dilation forgotten on the way back", "always the first group"],
)
def test_a_mistake_in_the_script_is_seen(tmp_path: Path, traced: Traced, page: str, right: str, wrong: str) -> None:
    _, steps = every_map_kind()
    script = script_of(page)
    assert right in script
    changed = script.replace(right, wrong)
    digests = [b64encode(sha256(text.encode()).digest()).decode() for text in (script, changed)]
    mistaken = with_data(page.replace(script, changed).replace(*digests), steps)
    with pytest.raises(AssertionError):
        agree_everywhere(tmp_path, mistaken, steps)


def test_a_click_and_the_arrow_keys_move_the_position(tmp_path: Path, traced: Traced, page: str) -> None:
    script = """
  const map = d.getElementById("map-1-1"), canvas = map.querySelector("canvas"), size = canvas.getBoundingClientRect();
  const many = (those) => String(d.querySelectorAll(those).length);
  const say = () => found.push({ title: text("panel-title"), hash: w.location.hash, focus: d.activeElement.id,
    spots: many(".spot.patch"), tab: many('#layer-1 .map[tabindex="0"]') });
  const middle = (start, extent, i) => start + (i + 0.5) * extent / 12;
  const at = (row, column) => ({ clientX: middle(size.left, size.width, column),
    clientY: middle(size.top, size.height, row), bubbles: true });
  canvas.dispatchEvent(new w.MouseEvent("click", at(4, 7))); say();
  const press = (key) => {
    d.activeElement.dispatchEvent(new w.KeyboardEvent("keydown", { key, bubbles: true })); say();
  };
  press("ArrowRight"); press("ArrowUp"); press("PageDown"); press("PageDown");
  d.activeElement.blur();"""
    clicked, right, up, down, end = shown(tmp_path, page, [], script)
    assert (clicked["title"], clicked["hash"]) == ("channel 1.2 at (4, 7)", "#0.2,4,7")
    assert clicked["spots"] == "9"  # the patch is marked in the picture
    assert (right["title"], up["title"]) == ("channel 1.2 at (4, 8)", "channel 1.2 at (3, 8)")
    assert (down["title"], down["focus"], down["tab"]) == ("channel 1.3 at (3, 8)", "map-1-2", "1")
    assert end["title"] == down["title"]  # the last channel


def test_numbers_are_written_as_everywhere(tmp_path: Path, traced: Traced, page: str) -> None:
    values = [0.0, 1.0, -0.5, 1234.4, 12345.678, 0.00012344, 0.000012344, 1e-30, -7e22, 0.99996, 100.0, 20.5]
    script = f"for (const x of {json.dumps(values)}) found.push({{ said: w.n(x) }});"
    assert [each["said"] for each in shown(tmp_path, page, [], script)] == [n(x) for x in values]
