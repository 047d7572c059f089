"""The commands on images and on reconstructions, as a user types them."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from tests.drawings import draw, save, save_classes
from tests.running import pellucid


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``shapes`` (three classes of drawings), ``new`` (larger, in colour) and a run on the first."""
    path = tmp_path_factory.mktemp("images")
    save_classes(path / "shapes", 30)
    save(path / "new", draw("cross", 4, size=20, seed=2), colour=True)
    done = pellucid(
        "train",
        "shapes",
        "--network",
        "mlp",
        "--hidden",
        "16",
        "--epochs",
        "25",
        "--lr",
        "0.01",
        "--out",
        "run",
        cwd=path,
    )
    for piece in (
        "90 rows × 3 columns; image folder", "12 × 12 pixels, 1 channel", "identifier", r"[B, 144]", "accuracy",
    ):  # fmt: skip
        assert piece in done.stdout, piece
    return path


def test_predict_images_with_their_files(place: Path) -> None:
    done = pellucid("predict", "run", "new", "-o", "p.csv", cwd=place)
    assert "4 predictions of 'label'" in done.stdout
    assert "resized to 12 × 12" in done.stderr
    rows = list(csv.DictReader((place / "p.csv").read_text().splitlines()))
    assert list(rows[0]) == ["file", "prediction", "probability_across", "probability_cross", "probability_down"]
    assert [row["file"] for row in rows] == [f"{i:03d}.png" for i in range(4)]
    one = pellucid("predict", "run/model.safetensors", "new/002.png", cwd=place)
    assert len(one.stdout.splitlines()) == 2
    assert rows[2]["prediction"] in one.stdout


def test_evaluate_images(place: Path) -> None:
    facts = json.loads(pellucid("evaluate", "run", "shapes", "--json", cwd=place).stdout)
    assert facts["accuracy"]["value"] > 0.8


def test_inspect_a_folder_of_images_and_a_run_on_it(place: Path) -> None:
    shown = pellucid("inspect", "shapes", cwd=place).stdout
    assert re.search(r"image\s+image\s+0\s+90\s+12 × 12 pixels", shown)
    assert re.search(r"label\s+categorical\s+target", shown)
    schema = json.loads(pellucid("inspect", "shapes", "--json", cwd=place).stdout)["schema"]
    assert schema["columns"][0]["shape"] == [12, 12, 1]
    shown = pellucid("inspect", "run", cwd=place).stdout
    assert re.search(r"image\s+image 12 × 12 × 1\s+144\s+image\[0,0\], image\[0,1\]", shown)
    assert "Dense 144 → 16" in shown


def test_init_check_and_resume(place: Path) -> None:
    pellucid("init", "shapes", "--image-size", "8", "--epochs", "2", "-o", "c.yaml", cwd=place)
    assert "image_size: [8, 8]" in (place / "c.yaml").read_text()
    assert "target: label" in (place / "c.yaml").read_text()
    pellucid("train", "-c", "c.yaml", "--out", "small", "-q", cwd=place)
    assert "[B, 64]" in pellucid("inspect", "small", cwd=place).stdout
    assert "agree" in pellucid("check", "small", "--steps", "10", cwd=place).stdout
    assert "had already finished" in pellucid("train", "small", "--resume", "--image-size", "8x8", cwd=place).stdout
    done = pellucid("train", "small", "--resume", "--image-size", "9", cwd=place, code=2)
    assert "image_size is (8, 8), not (9, 9)" in done.stderr


def test_a_reconstruction(place: Path) -> None:
    done = pellucid(
        "train", "shapes", "--task", "reconstruction", "--hidden", "24,4,24", "--epochs", "5", "--out", "again",
        cwd=place,
    )  # fmt: skip
    for piece in ("reconstruction uses", "Dense 24 → 144", "mse", "mae", "r2"):
        assert piece in done.stdout, piece
    done = pellucid("predict", "again", "new", "-o", "e.csv", cwd=place)
    assert "4 reconstruction errors are in e.csv" in done.stdout
    rows = list(csv.DictReader((place / "e.csv").read_text().splitlines()))
    assert list(rows[0]) == ["file", "reconstruction_error"]
    assert (
        "reconstruction of its 144 inputs, mse, identity at the end" in pellucid("inspect", "again", cwd=place).stdout
    )
    facts = json.loads(pellucid("inspect", "again", "--json", cwd=place).stdout)
    assert facts["task"]["width"] == 144
    facts = json.loads(pellucid("evaluate", "again", "shapes", "--json", cwd=place).stdout)
    assert set(facts) == {"mse", "mae", "r2", "notes", "columns"}
    assert "agree" in pellucid("check", "again", "--steps", "10", cwd=place).stdout


WRONG = {
    "no class folders": (["train", "new"], "folder for each class"),
    "a size that is none": (["train", "shapes", "--image-size", "28x"], "image_size must be"),
    "channels that are none": (["train", "shapes", "--image-channels", "2"], "image_channels must be"),
    "a size for a table": (["train", "iris", "--image-size", "28"], "image_size is for images"),
    "a target for a reconstruction": (
        ["train", "iris", "--task", "reconstruction", "--target", "species"],
        "no target",
    ),
    "a table for an image model": (["predict", "run", "table.csv"], "table.csv"),
    "a built-in table for an image model": (["predict", "run", "iris"], "'image'"),
    "images without labels to measure on": (["evaluate", "run", "new"], "label"),
    "a damaged image": (["predict", "run", "damaged"], "bad.png"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_mistake_ends_with_code_2_and_a_sentence(case: str, place: Path) -> None:
    (place / "table.csv").write_text("a,b\n1,2\n3,4\n")
    (place / "damaged").mkdir(exist_ok=True)
    (place / "damaged" / "bad.png").write_bytes((place / "new" / "000.png").read_bytes()[:60])
    arguments, message = WRONG[case]
    done = pellucid(*arguments, cwd=place, code=2)
    assert message in done.stderr, done.stderr


@pytest.fixture(scope="module")
def convolutional(place: Path) -> Path:
    """The same folder with a run of a convolutional network."""
    pellucid("train", "shapes", "--network", "cnn", "--channels", "6,8", "--epochs", "4", "--no-verdict",
             "--out", "maps", cwd=place)  # fmt: skip
    return place


def test_units_of_a_convolutional_network(convolutional: Path) -> None:
    done = pellucid("units", "maps", "--row", "2", "--no-replay", cwd=convolutional)
    shown = " ".join(done.stdout.split())
    assert "hidden layer channels dead" in shown
    assert "layer 1 (6 channels of 6 × 6, relu): no channel is dead" in shown
    assert "a position of layer 2 depends on 8 × 8 pixels of the picture (12 × 12)" in shown
    sheets = {path.name for path in (convolutional / "maps" / "units").iterdir()}
    assert {"filters.png", "maps.png", "fields.png", "patches-1.png", "patches-2.svg", "units.json"} <= sheets
    new = pellucid("units", "maps", "--picture", "new/002.png", "--no-replay", "--json", cwd=convolutional)
    assert json.loads(new.stdout)["channels"]["picture"] == "row 0 of new/002.png"
    assert "no feature maps" in pellucid("units", "run", "--row", "2", "--no-replay", cwd=convolutional, code=2).stderr
    wrong = pellucid("units", "maps", "--row", "99999", "--no-replay", cwd=convolutional, code=2).stderr
    assert "row must be a whole number from 0 to" in wrong


def test_an_image_explained_by_three_methods(convolutional: Path) -> None:
    done = pellucid("explain", "maps", "--row", "5", "--cover", "blur", "--out", "why", cwd=convolutional)
    shown = " ".join(done.stdout.split())
    assert "Occlusion: covering 2 × 2 pixels (blurred)" in shown
    assert "Grad-CAM: the last feature maps (6 × 6 positions)" in shown
    assert (convolutional / "why" / "row.png").exists()
    facts = json.loads(
        pellucid("explain", "maps", "--row", "5", "--class", "cross", "--json", cwd=convolutional).stdout
    )
    assert facts["explained"] == "probability of cross"
    assert len(facts["grad_cam"]["pixels"]) == len(facts["occlusion"]["pixels"]) == 12
    wrong = pellucid("explain", "maps", "--row", "5", "--cover", "black", cwd=convolutional, code=2).stderr
    assert "cover must be one of grey, blur" in wrong
