"""Shapes on 8 × 8 digits, the choice among them, and the autoencoder against PCA."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.evaluation.bootstrap import Estimate
from pellucid.network import Dense, mlp
from pellucid.studies import run
from pellucid.studies.images.autoencoder import components, hourglass, nearest_agrees, train_autoencoder
from pellucid.studies.images.image_sets import digits, rows_of, stratified
from pellucid.studies.images.shapes import Shape, Shapes, _is_it_luck, choose
from pellucid.studies.story import Story, plain
from tests.studies.checks import assert_labelled, closing, said

QUICK = {"epochs": 30, "seeds": 2, "lr": 0.02}


@pytest.fixture(scope="module")
def quick() -> Story:
    return run("shapes", **QUICK)


def result_of(story: Story) -> Shapes:
    assert isinstance(story.result, Shapes)
    return story.result


def test_the_shapes_are_those_that_were_promised(quick: Story) -> None:
    found = {shape.name: shape for shape in result_of(quick).shapes}
    assert list(found) == ["funnel", "same", "hourglass", *(f"depth {d}" for d in range(1, 6))]
    # inputs × outputs + outputs of each layer, by hand
    assert found["funnel"].parameters == 65 * 64 + 65 * 32 + 33 * 16 + 17 * 10 == 6938
    assert found["hourglass"].parameters == 65 * 64 + 65 * 16 + 17 * 64 + 65 * 10 == 6938
    assert found["depth 5"].parameters == 65 * 64 + 4 * 65 * 64 + 65 * 10 == 21450
    width = found["same"].hidden[0]
    sizes = [mlp(64, (w,) * 3, 10).n_trainable for w in (width - 1, width, width + 1)]
    assert abs(sizes[1] - 6938) == min(abs(size - 6938) for size in sizes)
    for shape in found.values():
        assert shape.parameters == mlp(64, shape.hidden, 10).n_trainable
        assert 0.9 < shape.test.value < 1
        for share in (shape.validation, shape.test):
            assert not share.low < 0
            assert not share.high > 1
            if not np.isnan(share.low):
                assert share.low <= share.value <= share.high


def test_the_choice_is_the_smallest_within_one_standard_error(quick: Story) -> None:
    result = result_of(quick)
    best = max(shape.validation.value for shape in result.shapes)
    assert result.standard_error == pytest.approx(np.sqrt(best * (1 - best) / 359), rel=1e-9)
    near = [shape for shape in result.shapes if shape.validation.value >= best - result.standard_error]
    assert result.chosen == min(near, key=lambda shape: shape.parameters).name
    assert result.chosen in closing(quick)


def test_no_more_is_claimed_than_the_seeds_show(quick: Story) -> None:
    assert "From only 2 seeds no difference is claimed" in said(quick)
    assert "overlap" not in said(quick)
    low, high = Estimate(value=0.8, low=0.7, high=0.84), Estimate(value=0.9, low=0.85, high=0.95)
    undefined = Estimate(value=0.9, low=np.nan, high=np.nan)
    assert "more than luck" in _is_it_luck(low, high, 5)
    assert "the seeds overlap" in _is_it_luck(low, Estimate(value=0.9, low=0.83, high=0.95), 5)
    assert "no difference is claimed" in _is_it_luck(low, high, 4)
    for pair in ((undefined, high), (low, undefined), (undefined, undefined)):
        assert _is_it_luck(*pair, 5).startswith("All seeds of a shape reached the same accuracy")


def test_choosing_by_hand() -> None:
    def shape(name: str, parameters: int, validation: float) -> Shape:
        mean = Estimate(value=validation, low=validation, high=validation)
        return Shape(name=name, hidden=(1,), parameters=parameters, validation=mean, test=mean, seconds=0.0)

    # √(0.9 · 0.1 / 100) = 0.03
    shapes = [shape("tiny", 10, 0.86), shape("small", 50, 0.88), shape("large", 90, 0.9), shape("middle", 70, 0.89)]
    chosen, near, error = choose(shapes, 100)
    assert chosen.name == "small"
    assert [each.name for each in near] == ["small", "large", "middle"]
    assert error == pytest.approx(0.03)
    assert choose(shapes, 1000)[0].name == "large"  # √(0.09 / 1000) = 0.0095
    assert choose(shapes, 50)[0].name == "tiny"  # √(0.09 / 50) = 0.042


def test_the_autoencoder_beats_pca_and_pca_the_mean_image(quick: Story) -> None:
    eight, two = result_of(quick).reconstructions
    assert (eight.waist, two.waist) == (8, 2)
    for each in (eight, two):
        assert each.network < each.pca < each.mean_image
        assert 0 < each.gain.low < each.gain.value == pytest.approx(each.pca - each.network, rel=1e-4)
        assert each.better > 0.7
        assert each.per_pixel.shape == (8, 8)
        assert each.per_pixel.mean() == pytest.approx(each.network, rel=1e-6)
    assert eight.network < two.network
    assert two.neighbours > two.pca_neighbours > 0.2
    assert "mean squared error of" in closing(quick)
    assert "--task reconstruction" in said(quick)


def test_the_rivals_are_those_of_scikit_learn(quick: Story) -> None:
    from sklearn.decomposition import PCA

    data = digits(seed=42)
    known, asked = (rows_of(data, each).astype(np.float64) for each in (data.train_images, data.test_images))
    for each in result_of(quick).reconstructions:
        pca = PCA(each.waist, svd_solver="full").fit(known)
        back = pca.inverse_transform(pca.transform(asked))
        assert each.pca == pytest.approx(((back - asked) ** 2).mean(), rel=1e-6)
        assert each.mean_image == pytest.approx(((known.mean(axis=0) - asked) ** 2).mean(), rel=1e-6)
        own = components(known, each.waist)
        np.testing.assert_allclose(own.axes @ own.axes.T, np.eye(each.waist), atol=1e-10)
        np.testing.assert_allclose(own.reconstruct(asked), back, atol=1e-10)


def test_every_picture_is_labelled(quick: Story) -> None:
    drawn = {picture.name: picture for picture in quick.pictures}
    assert list(drawn) == ["shapes", "reconstructions-8", "pixel-errors-8", "codes"]
    story = Story()
    story.blocks = [drawn["codes"]]
    assert_labelled(story, "codes")
    (dots,) = drawn["shapes"].figure.axes  # the names of the shapes stand at its y axis
    assert [text.get_text().split(" (")[0] for text in dots.get_yticklabels()] == [s.name for s in quick.result.shapes]
    assert dots.get_title()
    assert "accuracy on the validation rows" in dots.get_xlabel()
    maps = drawn["pixel-errors-8"].figure
    assert maps.get_suptitle()
    assert [axis.get_title() for axis in maps.axes[:2]] == ["PCA, 8", "network, 8"]
    assert maps.axes[-1].get_ylabel() == "mean squared error"  # the colour bar
    assert drawn["reconstructions-8"].figure.get_suptitle()
    figure = drawn["reconstructions-8"].figure
    originals = [axis.images[0].get_array() for axis in figure.axes[:10]]
    data = digits(seed=42)
    for digit, image in enumerate(originals):
        first = data.test_images[np.flatnonzero(data.test_labels == digit)[0]]
        np.testing.assert_allclose(image, first / 16, atol=1e-6)


def test_results_become_json(quick: Story) -> None:
    value = plain(quick.result)
    assert value["shapes"][0]["hidden"] == [64, 32, 16]
    assert np.shape(value["reconstructions"][0]["per_pixel"]) == (8, 8)


def test_a_setting_changes_the_outcome() -> None:
    few = {"pictures": False, "epochs": 2, "seeds": 2}
    one, other = (result_of(run("shapes", **few, **more)) for more in ({"waist": 2}, {"waist": 3, "seed": 5}))
    assert [each.waist for each in one.reconstructions] == [2]
    assert [each.waist for each in other.reconstructions] == [3, 2]
    assert one.shapes[0].test != other.shapes[0].test


@pytest.mark.parametrize(
    "wrong",
    [
        {"waist": 0}, {"waist": 64}, {"seeds": 1}, {"epochs": 0}, {"seed": -1}, {"lr": 0.0}, {"lr": float("nan")},
        {"device": "gpu"}, {"depth": 3},
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        run("shapes", pictures=False, **wrong)


def test_the_parts_share_no_digit_and_have_all_classes() -> None:
    data = digits(seed=42)
    keep, held = stratified(data.train_labels, 0.25, 42)
    assert sorted([*keep, *held]) == list(range(len(data.train_labels)))
    rows = [rows_of(data, data.train_images)[keep], rows_of(data, data.train_images)[held], data.test_images / 16]
    seen = [{row.astype(np.float32).tobytes() for row in part.reshape(len(part), -1)} for part in rows]
    assert not seen[0] & seen[1]
    assert not (seen[0] | seen[1]) & seen[2]
    assert sum(map(len, seen)) == 1797
    for labels in (data.train_labels[keep], data.train_labels[held], data.test_labels):
        shares = np.bincount(labels, minlength=10) / len(labels)
        assert np.ptp(shares) < 0.02


def test_an_hourglass_narrows_and_widens() -> None:
    network, code = hourglass(64, (20, 10), 3)
    dense = [layer for layer in network.layers if isinstance(layer, Dense)]
    assert [layer.outputs for layer in dense] == [20, 10, 3, 10, 20, 64]
    assert network.shapes()[code] == (3,)
    assert isinstance(network.layers[code + 1], Dense)  # no bend on the code


def test_a_code_is_all_that_the_second_half_sees() -> None:
    rows = np.random.default_rng(0).random((80, 6))
    trained = train_autoencoder(rows, (5,), 2, lr=0.01, epochs=3, seed=0)
    codes = trained.encode(rows)
    assert codes.shape == (80, 2)
    w = {name: array.astype(np.float64) for name, array in trained.parameters.items()}
    hidden = np.maximum(codes @ w["3.weight"].T + w["3.bias"], 0)
    np.testing.assert_allclose(trained.reconstruct(rows), hidden @ w["5.weight"].T + w["5.bias"], rtol=1e-5, atol=1e-6)


def test_nearest_agrees_is_a_search_one_by_one() -> None:
    generator = np.random.default_rng(1)
    known, asked = generator.normal(size=(40, 3)), generator.normal(size=(25, 3))
    labels, truth = generator.integers(0, 3, 40), generator.integers(0, 3, 25)
    found = [labels[min(range(40), key=lambda i: float(((known[i] - row) ** 2).sum()))] for row in asked]
    assert nearest_agrees(known, labels, asked, truth) == np.mean(np.array(found) == truth)
