"""Why a model of images answers as it does: what each pixel adds to the answer, found in three ways.

Integrated gradients say what each pixel adds, compared with a mean image; occlusion, what is lost where a window covers
the image; Grad-CAM, where the last feature maps of a convolutional network speak for the answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, SettingError
from pellucid.explanation.channels import products_of
from pellucid.explanation.grad_cam import enlarged, grad_cam
from pellucid.explanation.gradients import POINTS, IntegratedGradients, integrated_gradients
from pellucid.explanation.occlusion import blurred, occlusion, window_for
from pellucid.inspection.explained_output import ExplainedOutput, explained_output, json_value
from pellucid.inspection.rows import BACKGROUND, RowsToInspect, row_to_inspect, rows_to_compare_with
from pellucid.model.model import Model
from pellucid.network import Network
from pellucid.numerals import numeral
from pellucid.plots.heat_maps import heat_maps
from pellucid.runs.rows_of_run import model_of
from pellucid.runs.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COVERS", "ExplainedImage", "explain_image", "image_explained", "pixels_of"]

Array = NDArray[Any]

COVERS = ("grey", "blur")  # what occlusion puts in the place of a part
_PRODUCTS, _FEWEST_POINTS = 1e11, 16
_BLUR = 10  # of the shorter side: the deviation of the blur
_PARTS = (("upper left", "upper", "upper right"), ("left", "middle", "right"), ("lower left", "lower", "lower right"))


@dataclass(frozen=True, kw_only=True, eq=False)
class ExplainedImage:
    """What each pixel of an image adds to the prediction.

    Attributes
    ----------
    title, background_title
        Which image, and the images whose mean it is compared with.
    output
        What is explained: the probability of a class, or the number.
    pixels
        ``[H, W, C]`` bytes.
    gradients
        Integrated gradients ``[features]`` from the mean of the background.
    by_pixel, others
        The same ``[H, W]``, the channels summed; and what the columns beside the image add, by name.
    occlusion
        ``[H, W]``: how much higher the answer is than where a window covers the pixel; ``None`` if not asked for.
    window, cover
        The side of that window in pixels, and what it puts in their place (`COVERS`).
    grad_cam
        ``[H, W]``, at least 0: where the last feature maps speak for the answer; ``None`` where there are none.
    maps
        The height and width of these feature maps.
    prediction, truth
        The model's prediction, and the image's own label if it is known.
    notes
        Sentences for the user.
    """

    title: str
    background_title: str
    output: ExplainedOutput
    pixels: Array
    gradients: IntegratedGradients
    by_pixel: Array
    others: Mapping[str, float]
    prediction: object
    truth: object
    notes: tuple[str, ...] = ()
    occlusion: Array | None = None
    window: int = 0
    cover: str = COVERS[0]
    grad_cam: Array | None = None
    maps: tuple[int, int] | None = None

    @property
    def score(self) -> ExplainedOutput:
        """`output`, by its former name."""
        return self.output

    @property
    def by_part(self) -> dict[str, float]:
        """The sums over the nine parts of the image, three by three, from the upper left."""
        return {name: float(part.sum()) for name, part in _parts(self.by_pixel)}

    @property
    def sentences(self) -> tuple[str, ...]:
        """What occlusion and Grad-CAM found, in words."""
        found = []
        if self.occlusion is not None:
            at, most = max(
                ((name, float(part.max())) for name, part in _parts(self.occlusion)), key=lambda each: each[1]
            )
            what = f"covering {self.window} × {self.window} pixels ({'grey' if self.cover == COVERS[0] else 'blurred'})"
            found.append(
                f"Occlusion: {what} lowers the {self.output.name} most in the part {at!r}, by {numeral(most, 2)}"
                if most > 0
                else f"Occlusion: {what} lowers the {self.output.name} nowhere"
            )
        if self.grad_cam is not None and self.maps is not None:
            at = max(_parts(self.grad_cam), key=lambda each: float(each[1].mean()))[0]
            size = f"{self.maps[0]} × {self.maps[1]} positions"
            found.append(
                f"Grad-CAM: the last feature maps ({size}) speak for this answer most in the part {at!r}"
                if self.grad_cam.any()
                else f"Grad-CAM: the last feature maps ({size}) speak for this answer nowhere"
            )
        return tuple(found)

    def figure(self) -> Figure:
        """The image, and beside it what speaks for and against the answer, by each method."""
        caption = f"answered {self.prediction}" + ("" if self.truth is None else f", is {self.truth}")
        maps = [("integrated gradients", self.by_pixel)]
        if self.occlusion is not None:
            maps.append((f"occlusion, {self.window} × {self.window}, {self.cover}", self.occlusion))
        if self.grad_cam is not None and self.maps is not None:
            maps.append((f"Grad-CAM, {self.maps[0]} × {self.maps[1]}", self.grad_cam))
        return heat_maps(self.pixels, maps, caption, name=self.output.name)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the pixels row by row."""
        return {
            "title": self.title,
            "background": self.background_title,
            "explained": self.output.name,
            "prediction": json_value(self.prediction),
            "truth": json_value(self.truth),
            "pixels": self.by_pixel.tolist(),
            "parts": self.by_part,
            "columns": dict(self.others),
            "integrated_gradients": self.gradients.to_json(),
            "occlusion": None
            if self.occlusion is None
            else {"window": self.window, "cover": self.cover, "pixels": self.occlusion.tolist()},
            "grad_cam": None
            if self.grad_cam is None or self.maps is None
            else {"maps": list(self.maps), "pixels": self.grad_cam.tolist()},
            "notes": list(self.notes),
        }


def explain_image(
    run: str | os.PathLike[str] | Run | Model,
    data: object = None,
    *,
    row: int = 0,
    label: object = None,
    cover: str = COVERS[0],
    seed: int = 0,
) -> ExplainedImage:
    """What each pixel of one image adds to the prediction.

    By integrated gradients (Sundararajan, Taly & Yan 2017), by occlusion (Zeiler & Fergus 2014) and, for a
    convolutional network, by Grad-CAM (Selvaraju et al. 2017).

    Parameters
    ----------
    run
        A run folder, a model file, or a run or model in memory.
    data
        Images, as `Model.predict` takes them: the image is one of them, and it is compared with the mean of 100 of
        them. By default, it is one of the run's own. Then, and if ``data`` has fewer than 100 images, it is compared
        with the mean of up to 100 of those that measured the run.
    row
        The image, counted from 0.
    label
        The class whose probability is explained; default: the second of two, or the most probable of several.
    cover
        What occlusion puts in the place of a part: ``grey``, the mean colour of the training images, or ``blur``, the
        image itself without its details.
    seed
        Random seed for the images it is compared with.

    Raises
    ------
    DataError
        There is no such image, or the model is not an image model.
    SettingError
        There is no such class, or no such cover.
    RunFolderError
        The run's own images are needed and cannot be read again.

    >>> import tempfile
    >>> import pellucid
    >>> images = np.random.default_rng(0).integers(0, 256, (40, 6, 6), dtype=np.uint8)
    >>> images[20:, :3] //= 8
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> run = pellucid.train({"image": images, "label": ["a"] * 20 + ["b"] * 20}, "label", preset="plain",
    ...                      hidden=(8,), epochs=20, verdict=False)
    >>> found = explain_image(run, {"image": images}, row=30)
    >>> found.by_pixel.shape, abs(found.gradients.gap) < 0.01
    ((6, 6), True)
    """
    if cover not in COVERS:
        raise SettingError(f"cover must be one of {', '.join(COVERS)}, got {cover!r}")
    model = model_of(run)
    if model.image is None or model.task.kind == "reconstruction":
        raise DataError("the model does not answer images: explain a row of its table with explain_row")
    one = row_to_inspect(run, model, data, row, None)
    return image_explained(one, rows_to_compare_with(run, data).sample(BACKGROUND, seed), label=label, cover=cover)


def image_explained(
    one: RowsToInspect,
    background: RowsToInspect,
    *,
    label: object = None,
    cover: str | None = COVERS[0],
    products: float = _PRODUCTS,
) -> ExplainedImage:
    """The same for an image that is read already, compared with the mean of others.

    Parameters
    ----------
    one, background
        The image, and the images whose mean it is compared with.
    label
        As of `explain_image`.
    cover
        As of `explain_image`; ``None``: no occlusion.
    products
        How many multiplications the integrated gradients may take: for a large network and large images, fewer points
        are taken (at least 16), which `IntegratedGradients.gap` shows.
    """
    model = one.model
    image = model.image
    assert image is not None
    row = one.features.flat[0]
    output = explained_output(model, label, inputs=row)
    reference = background.features.flat.mean(axis=0, dtype=np.float64)
    most = products / (3 * products_of(model.network))  # there and back, to the inputs and to the weights
    gradients = integrated_gradients(
        output.slopes, row.astype(np.float64), reference, numbers=[n for n in POINTS if n <= most] or [_FEWEST_POINTS]
    )
    of_columns = model.recipe.features_of(gradients.values[np.newaxis])
    side, _ = window_for(image.height, image.width)
    layer = _last_maps(model.network)
    return ExplainedImage(
        title=one.title,
        background_title=f"{background.features.n:,} of {background.title}",
        output=output,
        pixels=pixels_of(one)[0],
        gradients=gradients,
        by_pixel=of_columns.column(image.name).flat.reshape(image.shape).sum(axis=2),
        others={
            name: float(of_columns.column(name).flat[0].sum()) for name in of_columns.columns if name != image.name
        },
        prediction=model.labels(model.answers_to(one.features))[0],
        truth=one.target_of(0),
        notes=(*one.notes, *(note for note in background.notes if note not in one.notes)),
        occlusion=None if cover is None else _occlusion(output, row, cover),
        window=side,
        cover=COVERS[0] if cover is None else cover,
        grad_cam=None if layer is None else _grad_cam(output, row, str(layer)),
        maps=None if layer is None else model.network.shapes()[layer][1:],  # type: ignore[arg-type]
    )


def _occlusion(output: ExplainedOutput, row: Array, cover: str) -> Array:
    """What is lost where a part of the image of the row ``[F]`` is covered, ``[H, W]``."""
    model = output.model
    image = model.image
    assert image is not None
    place = model.recipe.places[image.name]
    side, step = window_for(image.height, image.width)

    def answers(pictures: Array) -> Array:
        rows = np.repeat(row[np.newaxis], len(pictures), axis=0)
        rows[:, place] = pictures.reshape(len(pictures), -1)
        return output.values(rows)

    picture = row[place].reshape(image.shape)
    fill = np.zeros(()) if cover == COVERS[0] else blurred(picture, max(1.0, min(picture.shape[:2]) / _BLUR))
    return occlusion(answers, picture, fill, window=(side, side), step=(step, step))


def _grad_cam(output: ExplainedOutput, row: Array, layer: str) -> Array:
    """Where the maps of a layer speak for the answer, ``[H, W]``; of several networks the mean."""
    image = output.model.image
    assert image is not None
    maps, slopes = output.inside(row[np.newaxis], layer)
    each = [grad_cam(a[0].astype(np.float64), d[0]) for a, d in zip(maps, slopes, strict=True)]
    return enlarged(np.mean(each, axis=0), image.height, image.width)


def _last_maps(network: Network) -> int | None:
    """The last layer whose output has positions; ``None`` if there is none."""
    places = [index for index, shape in enumerate(network.shapes()) if len(shape) == 3]
    return places[-1] if places else None


def _parts(values: Array) -> Iterator[tuple[str, Array]]:
    """The nine parts of a map ``[H, W]``, three by three, from the upper left, with their names."""
    for names, rows in zip(_PARTS, np.array_split(values, 3), strict=True):
        yield from zip(names, np.array_split(rows, 3, axis=1), strict=True)


def pixels_of(rows: RowsToInspect) -> Array:
    """The images of rows as bytes ``[N, H, W, C]``."""
    image = rows.model.image
    assert image is not None
    pixels: Array = image.decode(rows.features.column(image.name).flat)
    return pixels
