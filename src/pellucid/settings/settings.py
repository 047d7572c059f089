"""Every setting of a run, said once.

The command line's options, the lines of ``config.yaml`` and the keyword arguments of `pellucid.train` all come from
the fields of `Settings`: each carries its section, its rule and its sentence of help.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from pellucid.data.numbers.style import DECIMALS, THOUSANDS
from pellucid.errors import SettingError, nearest
from pellucid.network import ACTIVATIONS, SCHEMES
from pellucid.network.optimizer import OPTIMIZERS
from pellucid.network.task import LOSSES
from pellucid.settings.presets import PRESETS
from pellucid.settings.rules import (
    Choice,
    Rule,
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
from pellucid.training.engine import ENGINE_ALIASES, ENGINES
from pellucid.training.schedules import SCHEDULES

__all__ = ["NUMBER_ENCODINGS", "READING", "SECTIONS", "Settings", "setting_names"]

NUMBER_ENCODINGS = ("plain", "piecewise", "both")

# What is said of a file, and not of its columns.
READING = (
    "header", "header_row", "names", "comment", "trim", "separator", "encoding", "decimal", "thousands", "sheet",
    "table", "missing", "max_unpacked",
)  # fmt: skip

SECTIONS = {
    "data": "The table and its columns",
    "split": "Training, validation and test rows",
    "preprocessing": "Preprocessing, fitted on the training rows",
    "network": "The network",
    "training": "Training",
    "outcome": "What is told of the outcome",
    "machine": "Where it runs",
}


def _setting(default: Any, section: str, rule: Rule, help_: str, *flags: str, flag: bool = False) -> Any:
    metadata = {"section": section, "rule": rule, "help": help_, "flags": flags, "is_flag": flag}
    return field(default=default, metadata=metadata)


# ── the settings ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a run is asked to do; every field is checked when it is made.

    >>> Settings(hidden="16,8").hidden
    (16, 8)
    """

    preset: str = _setting(
        "plain",
        "network",
        Choice(tuple(PRESETS)),
        "values for whatever is not given; best: several networks, usual for tables; quick: one; plain: the textbook's",
    )
    target: str | None = _setting(None, "data", optional(column), "the column to predict")
    task: str = _setting(
        "auto",
        "data",
        Choice(("auto", "binary", "multiclass", "regression", "reconstruction")),
        "what kind of answer; auto decides; reconstruction: the inputs themselves, for an autoencoder",
    )
    test_data: str | None = _setting(None, "data", optional(any_text), "a separate file of test rows")
    image_size: tuple[int, int] | None = _setting(
        None, "data", optional(size), "of images, height x width in pixels, as 28x28 or 28; else their most common one"
    )
    image_channels: int | None = _setting(
        None, "data", optional(channels), "of images: 1 for grey, 3 for colour; else as they are"
    )
    header: bool | None = _setting(
        None, "data", optional(flag), "whether the first line names the columns; else recognised", flag=True
    )
    header_row: int | None = _setting(
        None,
        "data",
        optional(whole(1)),
        "the line, or row of a sheet, that names the columns, from 1; else recognised",
    )
    separator: str | None = _setting(None, "data", optional(any_text), "what separates fields; else recognised")
    encoding: str | None = _setting(None, "data", optional(any_text), "the file's encoding; else UTF-8 or a guess")
    decimal: str = _setting(
        "auto", "data", Choice(DECIMALS), "the decimal sign of numbers in text; auto decides by all cells"
    )
    thousands: str = _setting(
        "auto", "data", Choice(THOUSANDS), "what may stand between thousands in text; auto: whatever fits"
    )
    day_first: bool | None = _setting(
        None, "data", optional(flag), "whether 03/04/2021 is 3 April; else told by days above 12", flag=True
    )
    sheet: str | None = _setting(None, "data", optional(sign), "of a workbook; else its first with a table")
    table: str | None = _setting(
        None, "data", optional(sign), "of a database the table or view, of a zip archive the file; else the only one"
    )
    comment: str | None = _setting(
        None, "data", comment_sign, "what a line that is a comment begins with; none: nothing does; else # where sure"
    )
    trim: bool | None = _setting(
        None,
        "data",
        optional(flag),
        "leave out titles, units, sources and totals around the table; else those that are certain",
        flag=True,
    )
    max_unpacked: int | None = _setting(
        None, "data", optional(whole(1)), "MB that a packed file may unpack to; auto: 100, or 100 times the file's size"
    )
    missing: tuple[str, ...] = _setting(
        (), "data", names, "further words that stand for a missing value; NAME=-999 for one column alone"
    )
    numeric: tuple[str, ...] = _setting((), "data", names, "columns to take as numbers")
    categorical: tuple[str, ...] = _setting((), "data", names, "columns to take as categories")
    boolean: tuple[str, ...] = _setting((), "data", names, "columns to take as yes or no")
    date: tuple[str, ...] = _setting((), "data", names, "columns to take as dates")
    text: tuple[str, ...] = _setting((), "data", names, "columns to take as free text, read by their words")
    drop: tuple[str, ...] = _setting((), "data", names, "columns to leave out")
    sample_weight: str | None = _setting(
        None, "data", optional(column), "a column that says how much each row counts, in loss and metrics; no feature"
    )
    keep: tuple[str, ...] = _setting((), "data", names, "columns to use although they look like ids or leaks")
    names: tuple[str, ...] = _setting(
        (), "data", column_names, "of the columns, as a,b,c or a file of them; the table then has no header"
    )

    validation: float = _setting(0.15, "split", real(0, 1, below=True), "share of the rows that choose the best epoch")
    test: float = _setting(0.2, "split", real(0, 1, below=True), "share of the rows that measure the outcome")
    group: str | None = _setting(None, "split", optional(column), "keep rows with the same value here on one side")
    time: str | None = _setting(None, "split", optional(column), "test on the latest rows by this column")
    seed: int = _setting(0, "split", whole(0), "of the split, the first weights, the batches and dropout")

    scaling: str = _setting(
        "standard", "preprocessing", Choice(("standard", "robust", "quantile", "none")), "of numbers"
    )
    number_encoding: str = _setting(
        "plain",
        "preprocessing",
        Choice(NUMBER_ENCODINGS),
        "plain: a number is scaled; piecewise: it becomes a feature for each of its bins; both: both at once",
    )
    bins: int | None = _setting(
        None,
        "preprocessing",
        optional(whole(1, 256)),
        "of a piecewise number, at most; auto: a hundredth of the rows, 2 to 32",
    )
    bins_by: str = _setting(
        "tree",
        "preprocessing",
        Choice(("tree", "quantile")),
        "bins end where a small tree splits to predict the target, or hold equally many training rows",
    )
    max_categories: int = _setting(50, "preprocessing", whole(1, 10_000), "a column's most frequent values kept apart")
    rare_below: int | None = _setting(
        None,
        "preprocessing",
        optional(whole(1)),
        "values in fewer training rows share one bucket; auto: 5, small tables 2",
    )
    max_words: int | None = _setting(
        None,
        "preprocessing",
        optional(whole(1, 100_000)),
        "words and pairs of words of a text column that are kept; auto: 3,000, of more than 30,000 rows fewer",
    )
    text_units: str = _setting(
        "auto",
        "preprocessing",
        Choice(("auto", "words", "characters")),
        "what text is divided into; auto: words, or characters in languages without spaces between words",
    )
    edit_labels: bool = _setting(
        False,
        "preprocessing",
        flag,
        "leave out of training rows whose label most of their neighbours contradict",
        flag=True,
    )
    target_transform: str = _setting(
        "auto",
        "preprocessing",
        Choice(("auto", "none", "log")),
        "log: a number is predicted through its logarithm; auto: where that helps, if it is never negative and skewed",
    )

    hidden: tuple[int, ...] = _setting(
        (64, 32), "network", widths, "widths of the hidden layers; none for a linear model"
    )
    activation: str = _setting("relu", "network", Choice(ACTIVATIONS), "after each hidden layer")
    batch_norm: bool = _setting(False, "network", flag, "normalise each hidden layer over the batch", flag=True)
    residual: bool = _setting(
        False, "network", flag, "add its input to each hidden layer that is as wide as the one before", flag=True
    )
    dropout: float = _setting(0.0, "network", real(0, 1, below=True), "share of hidden units dropped in training")
    init: str = _setting("auto", "network", Choice(SCHEMES), "how the first weights are drawn")
    init_scale: float = _setting(1.0, "network", real(0, 1e6), "multiplies the first weights")

    loss: str = _setting("auto", "training", Choice(("auto", *LOSSES)), "what training minimises")
    label_smoothing: float = _setting(
        0.0, "training", real(0, 1, below=True), "share of a label spread over all classes"
    )
    class_weight: str = _setting("none", "training", Choice(("none", "balanced")), "balanced: rare classes count more")
    huber_delta: float = _setting(
        1.0,
        "training",
        real(0, 1e9, above=True),
        "where huber turns from parabola to line, in standard deviations of the target",
    )
    optimizer: str = _setting("adam", "training", Choice(OPTIMIZERS), "the update rule")
    learning_rate: float = _setting(1e-3, "training", real(0, 1e6, above=True), "the size of a step", "--lr")
    momentum: float = _setting(0.9, "training", real(0, 1, below=True), "of momentum and nesterov")
    weight_decay: float = _setting(0.0, "training", real(0, 1e6), "pulls weights towards zero")
    clip_norm: float | None = _setting(
        None, "training", optional(real(0, 1e9, above=True)), "limit of the gradient's norm"
    )
    schedule: str = _setting("constant", "training", Choice(SCHEDULES), "how the learning rate moves")
    schedule_gamma: float = _setting(0.1, "training", real(0, 1, above=True, below=True), "factor of step and plateau")
    schedule_every: int = _setting(10, "training", whole(1), "epochs between factors of step and plateau")
    batch_size: int | None = _setting(
        None, "training", optional(whole(1)), "rows a step; auto: 16 to 1,024 by the table's size"
    )
    epochs: int | None = _setting(
        200,
        "training",
        optional(whole(1)),
        "at most so many passes over the training rows; auto: 32, of more than 10,000 rows fewer",
    )
    patience: int | None = _setting(
        20,
        "training",
        optional(whole(1)),
        "stop after so many epochs without a better validation loss; none: never",
    )
    n_networks: int = _setting(
        1, "training", whole(1, 1000), "train so many networks and average their answers: an ensemble"
    )
    ensemble: str = _setting(
        "seeds",
        "training",
        Choice(("auto", "seeds", "folds")),
        "seeds: networks differ by first weights; folds: each also validates on another part; auto: folds if possible",
    )
    verdict: bool = _setting(
        True,
        "outcome",
        flag,
        "compare with simpler models on the same test rows: a dummy, a linear model, gradient boosting",
        flag=True,
    )

    report: bool = _setting(True, "outcome", flag, "write report.html into the run folder", flag=True)
    rows: bool = _setting(True, "outcome", flag, "show some rows of the table in the report, at most 50", flag=True)

    engine: str = _setting(
        "auto",
        "machine",
        Choice(ENGINES, aliases=ENGINE_ALIASES),
        "fused is fast, kernel is for tiny networks; torch is autograd; textbook is NumPy with every rule written out",
    )
    precision: str = _setting(
        "float32",
        "machine",
        Choice(("float32", "float64", "medium", "bf16")),
        "of the arithmetic; medium and bf16: float32 with matrix products in fewer digits, faster on some processors",
    )
    products: str = _setting(
        "auto", "machine", Choice(("auto", "blas", "onednn")), "what multiplies matrices; auto: the faster, measured"
    )
    device: str = _setting("auto", "machine", any_text, "auto, cpu, cuda or mps")
    threads: int | None = _setting(None, "machine", optional(whole(1, 4096)), "else 1 or one a core, measured")

    def __post_init__(self) -> None:
        """Check every field by its rule."""
        for each in fields(self):
            value = each.metadata["rule"](each.name, getattr(self, each.name))
            object.__setattr__(self, each.name, value)
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
        """Settings from several sources, later ones before earlier ones and the preset's last.

        Raises
        ------
        SettingError
            There is no setting of that name, or its value breaks its rule.

        >>> Settings.of({"epochs": 5}, {"epochs": 7}).epochs
        7
        >>> best = Settings.of({"preset": "best", "n_networks": 2})
        >>> best.activation, best.n_networks
        ('silu', 2)
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
