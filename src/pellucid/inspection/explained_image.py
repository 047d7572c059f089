"""Why a model of images answers as it does: what each pixel adds to the answer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError
from pellucid.explanation.gradients import IntegratedGradients, integrated_gradients
from pellucid.inspection.explained_output import ExplainedOutput, explained_output, json_value
from pellucid.inspection.rows import BACKGROUND, RowsToInspect, row_to_inspect, rows_to_compare_with
from pellucid.model.model import Model
from pellucid.plots.images import attributed_images
from pellucid.runs.rows_of_run import model_of
from pellucid.runs.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ExplainedImage", "explain_image", "image_explained", "pixels_of"]

Array = NDArray[Any]

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

    @property
    def score(self) -> ExplainedOutput:
        """`output`, by its former name."""
        return self.output

    @property
    def by_part(self) -> dict[str, float]:
        """The sums over the nine parts of the image, three by three, from the upper left."""
        found = {}
        for names, rows in zip(_PARTS, np.array_split(self.by_pixel, 3), strict=True):
            for name, part in zip(names, np.array_split(rows, 3, axis=1), strict=True):
                found[name] = float(part.sum())
        return found

    def figure(self) -> Figure:
        """The image, and below it what speaks for and against the answer."""
        caption = f"answered {self.prediction}" + ("" if self.truth is None else f", is {self.truth}")
        return attributed_images(self.pixels[np.newaxis], self.by_pixel[np.newaxis], [caption], name=self.output.name)

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
            "notes": list(self.notes),
        }


def explain_image(
    run: str | os.PathLike[str] | Run | Model, data: object = None, *, row: int = 0, label: object = None, seed: int = 0
) -> ExplainedImage:
    """What each pixel of one image adds to the prediction (integrated gradients; Sundararajan, Taly & Yan 2017).

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
    seed
        Random seed for the images it is compared with.

    Raises
    ------
    DataError
        There is no such image, or the model is not an image model.
    SettingError
        There is no such class.
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
    model = model_of(run)
    if model.image is None or model.task.kind == "reconstruction":
        raise DataError("the model does not answer images: explain a row of its table with explain_row")
    one = row_to_inspect(run, model, data, row, None)
    return image_explained(one, rows_to_compare_with(run, data).sample(BACKGROUND, seed), label=label)


def image_explained(one: RowsToInspect, background: RowsToInspect, *, label: object = None) -> ExplainedImage:
    """The same for an image that is read already, compared with the mean of others."""
    model = one.model
    image = model.image
    assert image is not None
    output = explained_output(model, label, inputs=one.inputs[0])
    reference = background.inputs.astype(np.float64).mean(axis=0)
    gradients = integrated_gradients(output.slopes, one.inputs[0].astype(np.float64), reference)
    of_columns = model.recipe.features_of(gradients.values[np.newaxis])
    return ExplainedImage(
        title=one.title,
        background_title=f"{len(background.inputs):,} of {background.title}",
        output=output,
        pixels=pixels_of(one)[0],
        gradients=gradients,
        by_pixel=of_columns.column(image.name).flat.reshape(image.shape).sum(axis=2),
        others={
            name: float(of_columns.column(name).flat[0].sum()) for name in of_columns.columns if name != image.name
        },
        prediction=model.labels(model.answers_to(one.inputs))[0],
        truth=one.target_of(0),
        notes=(*one.notes, *(note for note in background.notes if note not in one.notes)),
    )


def pixels_of(rows: RowsToInspect) -> Array:
    """The images of rows as bytes ``[N, H, W, C]``."""
    image = rows.model.image
    assert image is not None
    pixels: Array = image.decode(rows.features.column(image.name).flat)
    return pixels
