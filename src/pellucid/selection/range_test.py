"""The learning rate range test for a table and a network, set up like a training."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.errors import NotKeptError, RunFolderError, SettingError, StorageError
from pellucid.io.files import could_not, write_text
from pellucid.preparation.grid import train_command
from pellucid.preparation.prepare import prepare, settings_for
from pellucid.runs.plan import engine_of, resolved
from pellucid.runs.reads import check_output
from pellucid.settings.config import read_config
from pellucid.settings.settings import Settings
from pellucid.training.range_test import RangeTest, range_test

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["RateFound", "lr_range_test"]

FILES = ("range-test.csv", "range-test.json", "range-test.png", "range-test.svg")


@dataclass(frozen=True, kw_only=True, eq=False)
class RateFound:
    """The result of a range test.

    Attributes
    ----------
    test
        The curve, and the rates read from it.
    settings
        All settings of the training, with the learning rate that was found.
    loss
        The name of the loss.
    n_rows, batch_size
        The number of training rows, and how many of them a step used.
    command
        The command that trains with this rate.
    notes
        Sentences for the user.
    """

    test: RangeTest
    settings: Settings
    name: str
    loss: str
    n_rows: int
    batch_size: int
    command: str
    notes: tuple[str, ...]

    @property
    def learning_rate(self) -> float:
        """The rate to train with."""
        return self.test.learning_rate

    def figure(self) -> Figure:
        """The loss over the learning rate, with what was read from it."""
        from pellucid.plots.range_test import range_test_curve

        t = self.test
        return range_test_curve(
            t.rates, t.losses, t.smoothed,
            chosen=t.learning_rate, steepest=t.steepest, bottom=t.bottom, blew_up=t.blew_up,
            title=f"{self.name}: learning rate {t.learning_rate:g}", y_label=self.loss.replace("_", " "),
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """The rates and how they were found, as JSON values."""
        return {
            **self.test.to_json(),
            "loss": self.loss,
            "rows": self.n_rows,
            "batch_size": self.batch_size,
            "command": self.command,
            "notes": list(self.notes),
        }

    def to_csv(self) -> str:
        """The curve, a line for each step."""
        t = self.test
        lines = zip(t.rates.tolist(), t.losses.tolist(), t.smoothed.tolist(), strict=True)
        return "".join(["learning_rate,loss,smoothed\n", *(f"{r!r},{a!r},{b!r}\n" for r, a, b in lines)])

    def save(self, out: str | os.PathLike[str]) -> Path:
        """Write ``range-test.json``, ``.csv``, ``.png`` and ``.svg`` into a folder, each atomically."""
        from pellucid.plots.canvas import save

        folder = Path(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise RunFolderError(f"{str(folder)!r} is a file: give a folder for the range test") from error
        except OSError as error:
            raise StorageError(could_not("write", folder, error)) from error
        write_text(folder / "range-test.csv", self.to_csv())
        save(self.figure(), folder / "range-test.png")
        write_text(folder / "range-test.json", json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n")
        return folder


def lr_range_test(
    data: object,
    target: str | None = None,
    *,
    config: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    **settings: Any,
) -> RateFound:
    """Find a learning rate by a range test: the rate grows from 1e-7 to 10 while the loss is watched.

    It takes about one epoch: at least 300 steps, at most 1,500. Rows, initial weights and batches are those that
    `pellucid.train` would use with the same settings; validation and test rows are not used. For how the rate is read
    from the curve, see `pellucid.training.range_test.choose`.

    Parameters
    ----------
    data, target, config
        As for `pellucid.train`.
    out
        A folder for the curve as CSV, JSON and picture; without it nothing is written.
    settings
        Any setting of `pellucid.Settings`. The rate is valid for the network, the optimizer and the batch size
        that it was found with. ``learning_rate``, ``schedule`` and the number of epochs are not used.

    Raises
    ------
    SettingError
        A setting cannot be used, or the loss did not fall at any rate.
    DataError
        The table cannot be used.

    >>> found = lr_range_test("iris", hidden=(16,))
    >>> 1e-4 < found.learning_rate < 1, found.command.startswith("pellucid train iris --hidden 16 --lr")
    (True, True)
    """
    from_file, file_data = ({}, None) if config is None else read_config(config)
    given: Mapping[str, Any] = dict(settings) if target is None else {**settings, "target": target}
    source = data if data is not None else file_data
    if source is None:
        raise SettingError("no table was given: data must be a path, a built-in name (see 'pellucid data'), or a frame")
    asked = settings_for(source, from_file, given)
    if out is not None:
        check_output(out, data=[source, config, asked.test_data], names=FILES)
    prepared = prepare(source, replace(asked, n_networks=1, ensemble="seeds"))
    prepared = replace(prepared, settings=resolved(prepared))
    decided, engine = prepared.settings, engine_of(prepared)
    assert decided.batch_size is not None
    batch_size = min(decided.batch_size, len(prepared.train))
    test = range_test(engine, prepared.train.rows, batch_size=batch_size, seed=decided.seed)
    found = RateFound(
        test=test,
        settings=replace(decided, learning_rate=test.learning_rate),
        name=prepared.name,
        loss=prepared.task.loss.name,
        n_rows=len(prepared.train),
        batch_size=batch_size,
        command=train_command(source, replace(asked, learning_rate=test.learning_rate)),
        notes=tuple(_notes(test, asked, rate_given="learning_rate" in given)),
    )
    if out is not None:
        try:
            found.save(out)
        except StorageError as error:
            raise NotKeptError(f"{error}; the test itself is complete", found) from error
    return found


def _notes(test: RangeTest, asked: Settings, *, rate_given: bool) -> list[str]:
    notes = []
    if rate_given and asked.learning_rate is not None:
        notes.append(f"the learning rate that was given ({asked.learning_rate:g}) is not used in the test")
    if test.blew_up is None:
        notes.append(
            f"up to {test.rates[-1]:g} the loss never rose to four times its minimum, so no explosion limits the choice"
        )
    if asked.schedule != "constant":
        notes.append(f"the schedule {asked.schedule} was not used; take the rate that was found as its peak")
    if asked.n_networks > 1:
        notes.append(f"one network was tested; the ensemble of {asked.n_networks:,} uses the same rate")
    return notes
