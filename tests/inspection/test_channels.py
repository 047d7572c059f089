"""What channels of a run see: patches cut where maps are largest, dead channels over the epochs, every sheet drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import DataError, SettingError
from pellucid.explanation.units import activations
from pellucid.inspection.channels import Channels
from pellucid.inspection.rows import row_to_inspect, rows_to_inspect
from pellucid.inspection.units import Units, units, units_of
from pellucid.inspection.units_of_positions import units_of_pictures
from pellucid.model.model import Model
from pellucid.runs.replay import Moment, Replay
from tests.drawings import save_classes
from tests.picture_models import bright_parts, picture_model

QUICK: dict[str, Any] = {"network": "cnn", "preset": "plain", "epochs": 3, "verdict": False}


def twice(model: Model, first: dict[str, np.ndarray]) -> Replay:
    """A training of which the first weights and the last were kept."""
    weights = {name: array.astype(np.float32) if array.dtype.kind == "f" else array for name, array in first.items()}
    moments = (Moment(epoch=0, parameters=weights, line=None), Moment(epoch=9, parameters=model.parameters, line=None))
    return Replay(moments=moments, epochs=9, best_epoch=9, n_networks=1, difference=0.0)


def channels_in(found: Units) -> Channels:
    assert found.channels is not None
    return found.channels


def test_patches_are_what_the_field_covers() -> None:
    model, _ = picture_model()
    table = bright_parts()
    found = channels_in(units_of(model, model.table(table)))
    fill = np.rint(np.array(model.image.mean) * 255)  # type: ignore[union-attr]
    for statistics, field in zip(found.last.layers, found.fields, strict=True):
        patches = found.patches(statistics, [2], 3)[0]
        assert patches.shape[1:3] == tuple(min(12, e) for e in field.extent)
        best = statistics.excitation
        for patch, picture, position in zip(patches, best.pictures[2], best.positions[2], strict=False):
            (top, bottom), (left, right) = field.window(position)
            padded = np.broadcast_to(fill, (36, 36, 3)).copy()
            padded[12:24, 12:24] = table["image"][found.numbers[picture]]
            if field.extent[0] < 12:
                np.testing.assert_array_equal(patch, padded[12 + top : 12 + bottom, 12 + left : 12 + right])
            else:
                np.testing.assert_array_equal(patch, padded[12:24, 12:24])


def test_dead_channels_are_told_by_layer_and_epoch() -> None:
    model, first = picture_model()
    weights = {name: array.copy() for name, array in model.parameters.items()}
    weights["2.bias"][[0, 3]] = -100.0  # BatchNorm, before the first activation
    ill = replace(model, parameters=weights)
    found = units_of(ill, model.table(bright_parts()), replayed=twice(ill, first))
    assert "2 of 6 channels (33%) are dead: never above 0 on any picture" in found.sentences[0]
    assert "epoch 0 of 9: 0, 0; epoch 9 of 9, kept: 2, 0" in " ".join(found.sentences)
    facts = found.to_json()
    assert facts["layers"][0]["dead"] == facts["channels"]["layers"][0]["dead"] == [0, 3]
    assert [moment["dead"] for moment in facts["channels"]["moments"]] == [[0, 0], [2, 0]]
    assert not {0, 3} & set(channels_in(found).shown_channels(channels_in(found).last.layers[0]).tolist())


def test_every_sheet_is_drawn_and_written(tmp_path: Path) -> None:
    model, first = picture_model(hidden=(5,))
    rows = rows_to_inspect(model, bright_parts())
    given = row_to_inspect(model, model, bright_parts(), 7, None)
    found = units_of_pictures(rows, given, replayed=twice(model, first))
    assert set(found.figures()) == {
        "activations", "representation", "filters", "maps", "fields", "patches-1", "patches-2"
    }  # fmt: skip
    assert [each.layer.number for each in found.layers] == [1, 2, 3]
    assert [each.layer.units for each in found.layers] == [6, 8, 5]
    np.testing.assert_array_equal(channels_in(found).picture, bright_parts()["image"][7])
    folder = found.save(tmp_path / "units")
    facts = json.loads((folder / "units.json").read_text(encoding="utf-8"))
    assert facts["channels"]["picture"] == "row 7 of the table"
    assert facts["channels"]["layers"][1]["receptive_field"] == {"extent": [8, 8], "step": [2, 2], "offset": [-3, -3]}
    best = facts["channels"]["layers"][0]["most_exciting"][1]
    assert best[0]["output"] >= best[1]["output"]
    assert (folder / "patches-2.png").stat().st_size > 1000


@pytest.mark.parametrize("colours", [1, 3])
def test_grey_and_colour(colours: int) -> None:
    model, _ = picture_model((4,), colours=colours, epochs=2)
    found = units_of(model, model.table(bright_parts(channels=colours)))
    assert channels_in(found).last.filters.shape == (4, 3, 3, colours)
    assert len(found.figures()["filters"].axes) == 1


def test_a_run_shows_its_epochs_and_the_chosen_picture(tmp_path: Path) -> None:
    table = bright_parts(60)
    run = pellucid.train(table, "label", channels=(4, 5), **QUICK)
    found = units_of(run.model, run.model.table(table))
    assert found.title == "the 60 rows of the table"
    images = save_classes(tmp_path / "shapes", 20)
    pellucid.train(images, out=tmp_path / "run", channels=(4, 5), **QUICK)
    found = units(tmp_path / "run", row=3)
    assert "bit-identical" in found.sentences[-1]
    assert channels_in(found).moments[channels_in(found).kept].heading.endswith("kept")
    assert channels_in(found).picture_title.startswith("row 3 of")
    one = sorted((tmp_path / "shapes").rglob("*.png"))[5]
    other = units(tmp_path / "run", picture=one, replayed=False)
    assert channels_in(other).picture_title == f"row 0 of {one}"
    assert "test rows" in other.title or "validation rows" in other.title
    with pytest.raises(DataError, match="row must be a whole number from 0 to"):
        units(tmp_path / "run", row=10_000, replayed=False)


def test_the_first_units_of_dense_layers_are_drawn_over_the_epochs() -> None:
    table = bright_parts(60)
    run = pellucid.train(table, "label", **{**QUICK, "network": "mlp", "hidden": (8,)})
    first = {name: np.zeros_like(array) for name, array in run.model.parameters.items()}
    found = units_of(run.model, run.model.table(table), replayed=twice(run.model, first))
    assert found.channels is None
    assert [heading for heading, _ in found.weights_over_epochs] == ["epoch 0 of 9", "epoch 9 of 9, kept"]
    assert found.weights is not None
    np.testing.assert_array_equal(found.weights_over_epochs[1][1], found.weights)
    assert "weights-over-epochs" in found.figures()


def test_the_pictures_that_excite_units_of_dense_layers() -> None:
    table = bright_parts(60)
    model = pellucid.train(table, "label", **{**QUICK, "network": "mlp", "hidden": (12, 5)}).model
    found = units_of(model, model.table(table))
    assert [each.layer.number for each in found.exciting] == [1, 2]
    assert found.exciting[1].units == (1, 2, 3, 4, 5)
    ((heading, pictures),) = found.exciting[1].moments
    assert heading == "as trained"
    outputs = activations(model.network, model.parameters, model.inputs(model.table(table)), found.exciting[1].layer)
    for unit in range(5):
        wanted = table["image"][np.argsort(-outputs[:, unit], kind="stable")[:8]]
        np.testing.assert_array_equal(pictures[unit], wanted)
    assert {"patches-1", "patches-2"} <= set(found.figures())


def test_a_dense_network_has_no_feature_maps(tmp_path: Path) -> None:
    pellucid.train("iris", out=tmp_path / "run", preset="plain", hidden=(4,), epochs=1, verdict=False)
    for chosen in ({"row": 0}, {"picture": "x.png"}):
        with pytest.raises(SettingError, match="no feature maps"):
            units(tmp_path / "run", replayed=False, **chosen)  # type: ignore[arg-type]
