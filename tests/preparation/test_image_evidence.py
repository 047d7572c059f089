"""What tells the class of an image besides its content: facts about the file, and the border; contradicting copies."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pellucid.diagnosis.file_evidence import FileEvidence
from pellucid.errors import DataError
from pellucid.preparation.image_evidence import border_evidence, file_evidence, telling_fact
from pellucid.preparation.prepare import Prepared, prepare, settings_for
from tests.data.images.drawn import draw, noise

Array = np.ndarray


def prepared(root: Path, **settings: object) -> Prepared:
    return prepare(str(root), settings_for(str(root), settings))


def evidence(root: Path, **settings: object) -> FileEvidence:
    found = file_evidence(prepared(root, **settings))
    assert found is not None
    return found


def telling(found: FileEvidence) -> set[str]:
    return {fact.key for fact in found.facts if fact.is_telling}


def shapes(n: int, side: int = 24) -> tuple[Array, Array]:
    """Grey images whose class is a square in the middle, [N, H, W, 1], on noise."""
    rng = np.random.default_rng(0)
    truth = np.arange(n) % 2
    images = rng.integers(90, 160, (n, side, side, 1))
    images[truth == 1, 9:15, 9:15] += 60
    return images.astype(np.uint8), truth


def test_files_made_alike_tell_nothing(tmp_path: Path) -> None:
    for i in range(60):
        draw(tmp_path / "ab"[i % 2] / f"IMG_{i}.png", noise(20, 20 + i // 2 % 3, seed=i))
    found = evidence(tmp_path)
    assert telling(found) == set()
    assert found.contradicting is not None
    assert len(found.contradicting) == 0


@pytest.mark.parametrize("leak", ["format", "size", "quality", "camera", "orientation", "mode", "name"])
def test_what_differs_between_the_classes_is_found(tmp_path: Path, leak: str) -> None:
    for i in range(60):
        odd = bool(i % 2)
        exif = Image.Exif()
        exif[0x010F] = "Acme" if odd and leak == "camera" else "Other"
        exif[0x0112] = 3 if odd and leak == "orientation" else 1
        shape = (20, 30) if odd and leak == "size" else (20, 20)
        end = "png" if odd and leak == "format" else "jpg"
        name = f"scan {i}.{end}" if odd and leak == "name" else f"IMG_{i}.{end}"
        pixels = noise(*shape, seed=i) if odd and leak == "mode" else noise(*shape, 3, seed=i)
        draw(tmp_path / "ab"[i % 2] / name, pixels, quality=40 if odd and leak == "quality" else 90, exif=exif)
    found = telling(evidence(tmp_path))
    assert leak in found
    follows = {"format": {"quality", "bytes", "name"}, "size": {"bytes"}, "quality": {"bytes"}, "mode": {"bytes"}}
    follows["mode"] |= {"quality"}
    assert found <= {leak} | follows.get(leak, set()) | {"bytes"}


def test_files_named_after_their_class_are_no_leak(tmp_path: Path) -> None:
    for i in range(40):
        name = "cat" if i % 2 else "dog"
        draw(tmp_path / name / f"{name.title()}.{i}.png", noise(12, 12, seed=i))
    assert telling(evidence(tmp_path)) == set()


def test_chance_is_no_leak() -> None:
    rng = np.random.default_rng(0)
    for seed in range(20):
        truth = rng.integers(0, 3, 90)
        values = [str(v) for v in np.random.default_rng(1000 + seed).integers(0, 30, 90)]
        fact = telling_fact("size", values, truth, ["a", "b", "c"])
        assert fact is not None
        assert not fact.is_telling
    assert telling_fact("format", ["PNG"] * 90, truth, ["a", "b", "c"]) is None


def test_a_frame_is_found_and_the_content_is_not() -> None:
    images, truth = shapes(200)
    plain = border_evidence(images, truth)
    assert plain is not None
    assert plain.centre > 0.95
    assert plain.border < 0.7
    framed = np.random.default_rng(1).integers(90, 160, images.shape).astype(np.uint8)
    framed[truth == 1, 0] = 20
    found = border_evidence(framed, truth)
    assert found is not None
    assert found.border > 0.95
    assert found.centre < 0.7
    assert border_evidence(images[:50], truth[:50]) is None
    assert border_evidence(images[:, :8, :8], truth) is None


def test_copies_with_other_labels_are_pairs_of_rows(tmp_path: Path) -> None:
    for i in range(30):
        draw(tmp_path / "ab"[i % 2] / f"{i:02}.png", noise(16, 16, 3, seed=i).repeat(6, axis=0).repeat(6, axis=1))
    equal = (tmp_path / "a" / "00.png").read_bytes()
    (tmp_path / "b" / "equal.png").write_bytes(equal)
    stream = io.BytesIO()
    Image.open(tmp_path / "a" / "02.png").convert("RGB").save(stream, "JPEG", quality=70, subsampling=0)
    (tmp_path / "b" / "near.jpg").write_bytes(stream.getvalue())
    run = prepared(tmp_path)
    found = file_evidence(run)
    assert found is not None
    assert found.contradicting is not None
    names = run.table.column("file").to_pylist()
    pairs = {(names[i], names[j]) for i, j in found.contradicting}
    assert pairs == {("a/00.png", "b/equal.png"), ("a/02.png", "b/near.jpg")}
    for part in (run.split.train, run.split.validation, run.split.test):
        there = {names[row] for row in part}
        assert ("a/02.png" in there) == ("b/near.jpg" in there)
        assert ("a/00.png" in there) == ("b/equal.png" in there)
    assert any("nearly the same as another" in note for note in run.notes)


def test_near_copies_in_a_given_test_part_are_named(tmp_path: Path) -> None:
    for part, start in (("train", 0), ("test", 40)):
        for i in range(20):
            image = noise(16, 16, 3, seed=start + i).repeat(6, axis=0).repeat(6, axis=1)
            draw(tmp_path / part / "ab"[i % 2] / f"{i:02}.png", image)
    stream = io.BytesIO()
    Image.open(tmp_path / "train" / "a" / "02.png").convert("RGB").save(stream, "JPEG", quality=70, subsampling=0)
    (tmp_path / "test" / "a" / "near.jpg").write_bytes(stream.getvalue())
    run = prepared(tmp_path, validation=0)
    assert any("1 of the 21 test image is nearly the same as one in training" in note for note in run.flattering)


def test_unreadable_files_are_remembered(tmp_path: Path) -> None:
    for i in range(20):
        draw(tmp_path / "ab"[i % 2] / f"{i}.png", noise(12, 12, seed=i))
    (tmp_path / "a" / "bad.png").write_bytes(b"text")
    assert evidence(tmp_path, skip_unreadable=True).unreadable == ("a/bad.png",)
    assert evidence(tmp_path, skip_unreadable=True, task="reconstruction").unreadable == ("a/bad.png",)
    assert file_evidence(prepare("iris", settings_for("iris"))) is None


def test_a_single_class_and_single_images_are_refused(tmp_path: Path) -> None:
    for i in range(12):
        draw(tmp_path / "one" / "cat" / f"{i}.png", noise(8, 8, seed=i))
        draw(tmp_path / "each" / f"class {i}" / "0.png", noise(8, 8, seed=i))
    with pytest.raises(DataError, match=r"images of one class only, 'cat'.*folder of its own, or use --task reconstr"):
        prepared(tmp_path / "one")
    with pytest.raises(DataError, match=r"a single image in each of 12 class folders.*at least 2 images in each"):
        prepared(tmp_path / "each")
    assert prepared(tmp_path / "each", task="reconstruction").table.n_rows == 12
