"""Every setting of a run, defined once.

The command line's options, the lines of ``config.yaml`` and the keyword arguments of `pellucid.train` all come from
the fields of `Settings`. Each field holds its section, its rule and its line of help.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pellucid.data.numbers.style import DECIMALS, THOUSANDS
from pellucid.errors import SettingError, nearest
from pellucid.network import ACTIVATIONS, SCHEMES
from pellucid.network.optimizer import OPTIMIZERS
from pellucid.network.task import LOSSES
from pellucid.settings.continuation import ContinuationSettings
from pellucid.settings.declaring import setting
from pellucid.settings.forecast import ForecastSettings
from pellucid.settings.presets import PRESETS
from pellucid.settings.rules import (
    Choice,
    auto_or,
    channels,
    column,
    column_names,
    comment_sign,
    flag,
    names,
    optional,
    real,
    sign,
    size,
    whole,
    widths,
)
from pellucid.settings.rules import text as any_text
from pellucid.settings.sections import NUMBER_ENCODINGS
from pellucid.training.engine import ENGINE_ALIASES, ENGINES
from pellucid.training.schedules import SCHEDULES

__all__ = ["Settings", "setting_names"]


@dataclass(frozen=True, kw_only=True)
class Settings(ContinuationSettings, ForecastSettings):
    """What a run is asked to do; every field is checked when it is made.

    A field that is not given has the value of the preset ``plain``. `pellucid.train` and the command line start from
    the usual preset of the data instead: `pellucid.settings.defaults` says which values each setting gets.

    >>> Settings(hidden="16,8").hidden
    (16, 8)
    """

    preset: str = setting(
        "plain",
        "preset",
        Choice(tuple(PRESETS)),
        "starting values, overridden by what you set: best (several networks), quick (one), pictures (a cnn), series "
        "(convs), sequences (recurrent, transformer), forecasts, plain (textbook)",
    )
    target: str | None = setting(None, "data", optional(column), "the column to predict")
    task: str = setting(
        "auto",
        "data",
        Choice(("auto", "binary", "multiclass", "regression", "reconstruction", "continuation")),
        "what to predict; auto: decided by the target column; reconstruction: the inputs themselves (autoencoder); "
        "continuation: how a text goes on",
    )
    test_data: str | None = setting(None, "data", optional(any_text), "a separate file of test rows")
    image_size: tuple[int, int] | None = setting(
        None,
        "data",
        optional(size),
        "height x width of images in pixels, such as 28x28 or 28; auto: their most common size, at most 128 a side, 64 "
        "for network mlp and for more than 20,000 images",
        unset="auto",
    )
    image_channels: int | None = setting(
        None, "data", optional(channels), "channels of images: 1 for grey, 3 for colour; auto: as stored", unset="auto"
    )
    header: bool | None = setting(
        None, "data", optional(flag), "whether the first line holds the column names", flag=True, unset="detected"
    )
    header_row: int | None = setting(
        None,
        "data",
        optional(whole(1)),
        "the number of the line, or sheet row, that holds the column names, counted from 1",
        unset="detected",
    )
    separator: str | None = setting(
        None, "data", optional(any_text), "what separates the fields of a line", unset="detected"
    )
    encoding: str | None = setting(
        None, "data", optional(any_text), "the text encoding of the file", unset="UTF-8, else detected"
    )
    decimal: str = setting(
        "auto", "data", Choice(DECIMALS), "the decimal mark of numbers in text; auto: decided from all cells"
    )
    thousands: str = setting(
        "auto", "data", Choice(THOUSANDS), "the thousands separator of numbers in text; auto: any that fits"
    )
    day_first: bool | None = setting(
        None,
        "data",
        optional(flag),
        "whether 03/04/2021 is 3 April; auto: decided by days above 12",
        flag=True,
        unset="auto",
    )
    sheet: str | None = setting(
        None, "data", optional(sign), "the sheet of a workbook to read", unset="the first that holds a table"
    )
    table: str | None = setting(
        None,
        "data",
        optional(sign),
        "the table or view of a database, or the file in a zip archive, to read",
        unset="the only one",
    )
    comment: str | None = setting(
        None,
        "data",
        comment_sign,
        "what a comment line begins with; none: there are no comments; auto: # where that is certain",
        unset="auto",
    )
    trim: bool | None = setting(
        None,
        "data",
        optional(flag),
        "remove titles, units, sources and totals around the table; auto: only those that are certain",
        flag=True,
        unset="auto",
    )
    max_unpacked: int | None = setting(
        None,
        "data",
        optional(whole(1)),
        "limit in MB for unpacking a compressed file; auto: 100, or 100 times the file's size",
        unset="auto",
    )
    missing: tuple[str, ...] = setting(
        (), "data", names, "additional words that mean a missing value; NAME=-999 for one column only"
    )
    numeric: tuple[str, ...] = setting((), "data", names, "columns to read as numbers")
    categorical: tuple[str, ...] = setting((), "data", names, "columns to read as categories")
    boolean: tuple[str, ...] = setting((), "data", names, "columns to read as yes or no")
    date: tuple[str, ...] = setting((), "data", names, "columns to read as dates")
    text: tuple[str, ...] = setting((), "data", names, "columns to read as free text, encoded by their words")
    drop: tuple[str, ...] = setting((), "data", names, "columns to leave out")
    sample_weight: str | None = setting(
        None,
        "data",
        optional(column),
        "the column with the weight of each row, used in the loss and the metrics and not as a feature",
    )
    keep: tuple[str, ...] = setting((), "data", names, "columns to use although they look like IDs or leaks")
    names: tuple[str, ...] = setting(
        (), "data", column_names, "column names of a table without a header: a,b,c or a file that lists them"
    )
    validation: float = setting(
        0.15, "split", real(0, 1, below=True), "share of rows used to choose the best epoch; of a text to continue 0.1"
    )
    test: float = setting(
        0.2, "split", real(0, 1, below=True), "share of rows used to measure the result; of a text to continue 0.1"
    )
    group: str | None = setting(
        None, "split", optional(column), "rows with the same value in this column stay together in one part"
    )
    time: str | None = setting(None, "split", optional(column), "test on the latest rows by this column")
    seed: int = setting(0, "split", whole(0), "random seed for the split, initial weights, batches and dropout")

    scaling: str = setting(
        "standard", "preprocessing", Choice(("standard", "robust", "quantile", "none")), "how numbers are scaled"
    )
    number_encoding: str = setting(
        "plain",
        "preprocessing",
        Choice(NUMBER_ENCODINGS),
        "plain: a number is scaled; piecewise: it becomes one feature per bin; both: scaled and piecewise",
    )
    bins: int | None = setting(
        None,
        "preprocessing",
        optional(whole(1, 256)),
        "maximum number of bins of a piecewise number; auto: a hundredth of the rows, from 2 to 32",
        unset="auto",
    )
    bins_by: str = setting(
        "tree",
        "preprocessing",
        Choice(("tree", "quantile")),
        "tree: bins end where a small decision tree splits; quantile: all bins hold equally many training rows",
    )
    max_categories: int = setting(50, "preprocessing", whole(1, 10_000), "how many frequent values of a column to keep")
    rare_below: int | None = setting(
        None,
        "preprocessing",
        optional(whole(1)),
        "values in fewer training rows than this share one category; auto: 5, in small tables 2",
        unset="auto",
    )
    max_words: int | None = setting(
        None,
        "preprocessing",
        optional(whole(1, 100_000)),
        "how many words and word pairs of a text column are kept; auto: 3,000, fewer above 30,000 rows",
        unset="auto",
    )
    text_units: str = setting(
        "auto",
        "preprocessing",
        Choice(("auto", "words", "characters", "byte-pairs")),
        "the units of text; auto: words, or characters in languages without spaces between words; byte-pairs: for "
        "networks that read tokens",
    )
    edit_labels: bool = setting(
        False,
        "preprocessing",
        flag,
        "leave out training rows whose label most of their neighbours contradict",
        flag=True,
    )
    target_transform: str = setting(
        "auto",
        "preprocessing",
        Choice(("auto", "none", "log")),
        "log: predict the logarithm of a number; auto: where that helps, if it is skewed and never negative",
    )

    hidden: tuple[int, ...] | None = setting(
        None,
        "network",
        auto_or(widths),
        "widths of the hidden layers, in a cnn those after its convolutions; none: no such layer; auto: 64,32, in a "
        "cnn none",
        unset="auto",
    )
    activation: str = setting("relu", "network", Choice(ACTIVATIONS), "activation after each hidden layer")
    batch_norm: bool = setting(False, "network", flag, "batch normalisation in each hidden layer", flag=True)
    residual: bool = setting(
        False,
        "network",
        flag,
        "residual connection around each hidden layer as wide as the one before; of a cnn, around each stage's "
        "further convolutions",
        flag=True,
    )
    dropout: float = setting(0.0, "network", real(0, 1, below=True), "share of hidden units dropped during training")
    init: str = setting("auto", "network", Choice(SCHEMES), "how the initial weights are drawn")
    init_scale: float = setting(1.0, "network", real(0, 1e6), "factor on the initial weights")

    loss: str = setting("auto", "training", Choice(("auto", *LOSSES)), "the loss to minimise")
    label_smoothing: float = setting(
        0.0, "training", real(0, 1, below=True), "share of each label spread over all classes"
    )
    class_weight: str = setting("none", "training", Choice(("none", "balanced")), "balanced: rare classes weigh more")
    huber_delta: float = setting(
        1.0,
        "training",
        real(0, 1e9, above=True),
        "where the Huber loss turns from quadratic to linear, in standard deviations of the target",
    )
    optimizer: str = setting("adam", "training", Choice(OPTIMIZERS), "the optimizer")
    learning_rate: float | None = setting(
        1e-3,
        "training",
        optional(real(0, 1e6, above=True)),
        "the learning rate; auto: 0.005 to 0.02, depending on the batch size",
        "--lr",
        unset="auto",
    )
    momentum: float = setting(
        0.9, "training", real(0, 1, below=True), "momentum of the optimizers momentum and nesterov"
    )
    weight_decay: float = setting(0.0, "training", real(0, 1e6), "how strongly weights are pulled towards zero")
    clip_norm: float | None = setting(
        None,
        "training",
        optional(real(0, 1e9, above=True)),
        "upper limit for the norm of the gradient; none: no limit",
        unset="none",
    )
    schedule: str = setting("constant", "training", Choice(SCHEDULES), "how the learning rate changes during training")
    schedule_gamma: float = setting(
        0.1,
        "training",
        real(0, 1, above=True, below=True),
        "factor by which the schedules step and plateau lower the learning rate",
    )
    schedule_every: int = setting(
        10, "training", whole(1), "number of epochs after which step and plateau lower the learning rate"
    )
    batch_size: int | None = setting(
        None,
        "training",
        optional(whole(1)),
        "rows per update; auto: 16 to 1,024, depending on the table's size",
        unset="auto",
    )
    epochs: int | None = setting(
        200,
        "training",
        optional(whole(1)),
        "maximum number of passes over the training rows; auto: 32, fewer above 10,000 rows; for a cnn 6 to 60",
        unset="auto",
    )
    patience: int | None = setting(
        20,
        "training",
        optional(whole(1)),
        "stop after this many epochs without a better validation loss; none: never",
        unset="none",
    )
    n_networks: int = setting(
        1, "training", whole(1, 1000), "how many networks to train; their predictions are averaged (an ensemble)"
    )
    ensemble: str = setting(
        "seeds",
        "training",
        Choice(("auto", "seeds", "folds")),
        "seeds: networks differ in initial weights; folds: also in their validation rows; auto: folds if possible",
    )

    verdict: bool = setting(
        True,
        "outcome",
        flag,
        "compare with a constant prediction and with simpler models on the same test rows",
        flag=True,
    )
    report: bool = setting(True, "outcome", flag, "write report.html to the run folder", flag=True)
    rows: bool = setting(True, "outcome", flag, "show up to 50 rows of the table in the report", flag=True)

    engine: str = setting(
        "auto",
        "machine",
        Choice(ENGINES, aliases=ENGINE_ALIASES),
        "fused is fast, kernel is for tiny networks; torch is autograd; textbook is NumPy with every rule written out",
    )
    precision: str = setting(
        "float32",
        "machine",
        Choice(("float32", "float64", "medium", "bf16")),
        "arithmetic precision; medium and bf16: float32 with less precise matrix products, faster on some processors",
    )
    products: str = setting(
        "auto",
        "machine",
        Choice(("auto", "blas", "onednn")),
        "the library that multiplies matrices; auto: the faster one, measured",
    )
    device: str = setting("auto", "machine", any_text, "where to compute: auto, cpu, cuda or mps")
    threads: int | None = setting(
        None, "machine", optional(whole(1, 4096)), "number of threads; auto: 1 or one per core, measured", unset="auto"
    )

    def __post_init__(self) -> None:
        """Check every field by its rule."""
        for each in fields(self):
            object.__setattr__(self, each.name, each.metadata["rule"](each.name, getattr(self, each.name)))
        if self.validation + self.test >= 1:
            raise SettingError(
                f"validation ({self.validation:g}) and test ({self.test:g}) together must leave rows to train on"
            )

    @property
    def dtype(self) -> str:
        """What arrays hold: ``float32`` or ``float64``.

        >>> Settings(precision="bf16").dtype
        'float32'
        """
        return "float64" if self.precision == "float64" else "float32"

    @property
    def reduced_products(self) -> str | None:
        """The way of multiplying matrices in fewer digits, if one was asked for: ``medium`` or ``bf16``."""
        return self.precision if self.precision in ("medium", "bf16") else None

    @classmethod
    def of(cls, *sources: Mapping[str, Any]) -> Settings:
        """Settings from several sources: later ones override earlier ones, and all override the preset.

        Raises
        ------
        SettingError
            There is no setting of that name, or its value breaks its rule.

        >>> Settings.of({"epochs": 5}, {"epochs": 7}).epochs
        7
        >>> Settings.of({"preset": "best", "n_networks": 2}).activation
        'silu'
        """
        merged: dict[str, Any] = {}
        for source in sources:
            for name, value in source.items():
                if name not in setting_names():
                    raise SettingError(f"there is no setting {name!r}{nearest(str(name), setting_names())}")
                merged[name] = value
        preset = PRESETS.get(str(merged.get("preset", "plain")), {})  # one that is not known is refused by its rule
        return cls(**{**preset, **merged})

    def to_json(self) -> dict[str, Any]:
        """All settings as plain JSON values."""
        return {
            each.name: list(value) if isinstance(value := getattr(self, each.name), tuple) else value
            for each in fields(self)
        }


def setting_names() -> tuple[str, ...]:
    """The name of every setting, in order."""
    return tuple(each.name for each in fields(Settings))
