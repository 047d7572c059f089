"""Which network a run trains: by what it sees and what it is told, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.network import Conv2d, Residual
from pellucid.preparation.picture_network import usual_channels
from pellucid.preparation.prepare import Prepared, prepare
from pellucid.settings.config import RUN_HEADING, read_config
from pellucid.settings.settings import Settings

RNG = np.random.default_rng(2)


def pictures(side: int = 12, *channels: int, rows: int = 40, **more: Any) -> dict[str, Any]:
    return {
        "image": RNG.integers(0, 255, (rows, side, side, *channels)).astype(np.uint8),
        "label": ["a", "b"] * 20,
        **more,
    }


def prepared(data: object, **settings: Any) -> Prepared:
    return prepare(data, Settings.of({"target": "label", **settings}))


def test_pictures_get_convolutions_and_tables_do_not() -> None:
    found = prepared(pictures())
    assert found.network.shape == (1, 12, 12)
    assert found.settings.network == "cnn"
    assert found.settings.channels == (32, 64)
    assert (found.settings.depth, found.settings.hidden) == (1, ())
    assert prepared(pictures(12, 3)).network.shape == (3, 12, 12)
    table = prepare("iris", Settings(target="species"))
    assert (table.settings.network, table.settings.hidden, table.network.shape) == ("mlp", (64, 32), (4,))


def test_small_pictures_and_those_beside_columns_do_not_either() -> None:
    assert prepared(pictures(7)).settings.network == "mlp"
    beside = prepared(pictures(12, age=list(range(40))))
    assert beside.settings.network == "mlp"
    assert any("beside the pictures in column 'image' there is 1 other column" in note for note in beside.notes)
    asked = prepared(pictures(), network="mlp", channels=(4,))
    assert asked.network.shape == (144,)
    assert any("channels is not used" in note for note in asked.notes)
    both = prepared(pictures(), network="mlp", channels=(4,), head="flatten")
    assert any("channels and head are not used: they shape" in note for note in both.notes)
    drawn = prepare({"image": pictures()["image"]}, Settings(task="reconstruction"))
    assert drawn.settings.network == "mlp"


def test_the_settings_shape_the_network() -> None:
    found = prepared(
        pictures(16), channels=(4, 8), kernel=5, depth=2, pool="average", residual=True, batch_norm=True, hidden=(6,),
        dropout=0.2,
    )  # fmt: skip
    layers = found.network.every_layer()
    convolutions = [layer for layer in layers if isinstance(layer, Conv2d)]
    assert [(c.in_channels, c.out_channels, c.kernel) for c in convolutions] == [
        (1, 4, (5, 5)), (4, 4, (5, 5)), (4, 8, (5, 5)), (8, 8, (5, 5)),
    ]  # fmt: skip
    words = [layer.words() for layer in layers]
    assert sum(isinstance(layer, Residual) for layer in layers) == 2
    assert "AvgPool2d 2×2" in words
    assert words[-4:] == ["Dense 8 → 6", "relu", "Dropout 0.2", "Dense 6 → 1"]


@pytest.mark.parametrize(
    ("data", "settings", "said"),
    [
        (
            "iris",
            {"target": "species", "network": "cnn"},
            "takes one column of pictures and nothing else, but the table",
        ),
        (pictures(12, age=list(range(40))), {"network": "cnn"}, "the column 'age'"),
        (pictures(8), {"kernel": 9}, "9 × 9 pixels is wider than the pictures, which are 8 × 8"),
        (pictures(3), {"network": "cnn", "kernel": 5}, "set kernel to at most 3"),
        (pictures(), {"residual": True}, "residual needs depth of at least 2"),
        (pictures(), {"network": "cnn", "task": "reconstruction", "target": None}, "must give back all pixels"),
        (pictures(), {"channels": "0"}, "channels must be a whole number"),
        (pictures(), {"network": "cmn"}, "did you mean 'cnn'"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_remedy(data: object, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        prepare(data, Settings.of({"target": "label", **settings}))


@pytest.mark.parametrize("side", [8, 9, 12, 13, 28, 32, 33, 48, 64, 96, 100, 128, 160, 200, 224, 256])
@pytest.mark.parametrize("colours", [1, 3])
def test_the_last_map_of_larger_pictures_is_4_to_8_wide(side: int, colours: int) -> None:
    channels = usual_channels((colours, side, side + 5), 5_000)
    last = side / 2 ** (len(channels) - 1)
    assert math.floor(last) in range(4, 9)
    assert list(channels) == sorted(channels)


@pytest.mark.parametrize("side", [16, 32, 105, 224])
def test_fewer_pictures_get_no_larger_a_network(side: int) -> None:
    few, many = usual_channels((3, side, side), 1_999), usual_channels((3, side, side), 2_000)
    assert len(few) == len(many)
    assert all(2 * a <= b or a == 128 for a, b in zip(few, many, strict=True))


def test_the_head_keeps_positions_where_it_is_asked_to() -> None:
    for head, last in (("auto", "Dense 8 → 1"), ("average", "Dense 8 → 1"), ("flatten", "Dense 288 → 1")):
        how = {"target": "label", "network": "cnn", "channels": (4, 8), "head": head}
        found = prepare(pictures(), Settings.of(how))
        assert found.settings.head == ("average" if head == "auto" else head)
        assert found.network.layers[-1].words() == last


def test_a_run_that_is_older_than_the_choice_keeps_its_network(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(f"# {RUN_HEADING}\n\ndata: photos\nhidden: [8]\n")
    assert read_config(tmp_path / "config.yaml")[0] == {"hidden": [8], "network": "mlp"}
    (tmp_path / "own.yaml").write_text("data: photos\nhidden: [8]\n")
    assert read_config(tmp_path / "own.yaml")[0] == {"hidden": [8]}
